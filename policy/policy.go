package policy

import (
	"fmt"
	"time"
)

// A DeploymentID names one EMQX Platform deployment inside its account.
type DeploymentID string

// Power is what a policy can want of a deployment.
type Power uint8

// The powers. None is the answer where nothing is wanted.
const (
	None Power = iota
	Running
	Stopped
)

// String returns the word of the configuration file and of the metrics.
func (p Power) String() string {
	switch p {
	case Running:
		return "running"
	case Stopped:
		return "stopped"
	}
	return "none"
}

// Action returns the verb that leads to p: "start", "stop", or "none".
func (p Power) Action() string {
	switch p {
	case Running:
		return "start"
	case Stopped:
		return "stop"
	}
	return "none"
}

// Other returns the opposite power; None has none.
func (p Power) Other() Power {
	switch p {
	case Running:
		return Stopped
	case Stopped:
		return Running
	}
	return None
}

// A Pos is a place in a file. Line and Col count from 1; a zero Line means
// that the place is not known.
type Pos struct {
	File      string
	Line, Col int
}

// String returns file:line:column, or as much of it as is known.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Kind says what sort of thing made a decision.
type Kind uint8

// The kinds of reason.
const (
	KindNone     Kind = iota // nothing is wanted
	KindEdge                 // a line of a policy
	KindOverride             // a person's temporary word
	KindCalendar             // a whole-day rule
	KindEnforce              // a correction of what somebody else did
	KindReturned             // the deployment answers again after it was gone
	KindConverge             // a person asked for what the policy wants
)

// Because is why something is wanted: the line of the file, the override or
// the rule. Ref is the expression's text, or the override's number and author.
type Because struct {
	Kind Kind
	Pos  Pos
	Ref  string
}

// Civil is a date and time of day without a zone, as a person writes it. Hour is
// 24 for the end of a window that is written 24:00.
type Civil struct {
	Year         int
	Month        time.Month
	Day          int
	Hour, Minute int
}

// String returns the civil time as "2026-12-24 08:00".
func (c Civil) String() string {
	return fmt.Sprintf("%04d-%02d-%02d %02d:%02d", c.Year, int(c.Month), c.Day, c.Hour, c.Minute)
}

// An Edge is an instant at which a policy says start or stop, whether or not
// that changes what is wanted. One whose Power is None is the begin of days on
// which the policy wants nothing: it is no transition and needs no call, and the
// edges before it are not due behind it.
type Edge struct {
	At           time.Time // the instant at which the call is due, a lead included
	Nominal      Civil     // the local time that the line names; of days, midnight
	NominalAt    time.Time // the instant of Nominal: At plus what is left of the lead
	Power        Power
	Because      Because
	PutOff       Civil        // the local time that a start was put off from, as its date is off; zero where it was not
	Cancelled    string       // why it does not count, for a person; empty where it does
	Cancellation Cancellation // the same as one of a few
	CancelledBy  Because      // the exception by whose date it does not count
}

// Cancellation is why an edge does not count.
type Cancellation uint8

// The reasons for which an edge does not count. All but the first two come from
// a calendar, of which Edge.CancelledBy tells.
const (
	NotCancelled        Cancellation = iota
	CancelledSuperseded              // see Superseded
	CancelledOff                     // a start whose date is off
	CancelledUntouched               // nothing is wanted on its date
	CancelledDay                     // one power is wanted throughout its date
)

// String returns the word for c, "no" where the edge counts.
func (c Cancellation) String() string {
	switch c {
	case CancelledSuperseded:
		return Superseded
	case CancelledOff:
		return "off"
	case CancelledUntouched:
		return "untouched"
	case CancelledDay:
		return "day"
	}
	return "no"
}

// A Decision is the answer to "what should this deployment be at t". It is
// constant on [Since, Until). A zero Since means that no edge lies behind t, a
// zero Until that none lies ahead. With none behind nothing is wanted, but by
// windows without a gap, which only days can interrupt.
type Decision struct {
	Want         Power
	Since, Until time.Time
	Because      Because
}

// Enforce says which powers a policy corrects when somebody else changes them.
type Enforce uint8

// The values of enforce. They combine as bits.
const (
	EnforceNone    Enforce = 0
	EnforceRunning Enforce = 1
	EnforceStopped Enforce = 2
	EnforceBoth    Enforce = 3
)

// Of reports whether e asks for corrections towards p.
func (e Enforce) Of(p Power) bool {
	return p == Running && e&EnforceRunning != 0 || p == Stopped && e&EnforceStopped != 0
}

// Options are a policy's settings beside its times.
type Options struct {
	StartLead     time.Duration
	CatchUpWithin time.Duration // 0: without end, which only a policy of both powers has
	ConfirmWithin time.Duration
	MinSpan       time.Duration
	Enforce       Enforce
	Converge      bool // on_change: converge
	DryRun        bool
}

// The defaults of Options. CatchUpOnePower holds for a policy that only starts
// or only stops; one that does both is caught up without end.
const (
	DefaultConfirmWithin = 30 * time.Minute
	DefaultMinSpan       = 30 * time.Minute
	CatchUpOnePower      = 4 * time.Hour
)

// A Fingerprint tells whether two rules have the same edges: it covers
// expressions, windows, zone, lead and what the calendars' dates do, not names,
// order or comments.
type Fingerprint [16]byte

// A Cron is one expression as it stands in the file. Pos is the place of its
// first character, behind a quote.
type Cron struct {
	Expr string
	Pos  Pos
}

// A Window is one text such as "Mon-Fri 08:00-20:00" as it stands in the file.
// Pos is the place of its first character, behind a quote.
type Window struct {
	Expr string
	Pos  Pos
}

// An Exception gives the dates of a calendar another effect than the policy's
// own times. Pos is the place where the calendar is named under except.
type Exception struct {
	Calendar string // a key of Env.Calendars
	Effect   Effect
	Pos      Pos
}

// A Member is one deployment as it stands under a policy.
type Member struct {
	ID   DeploymentID
	Pos  Pos
	Name string // asserted: a deployment of another name is not touched; empty for none
}

// A Spec is a policy as it was read, before Compile has judged it. Durations
// that are zero take their default.
type Spec struct {
	Name        string
	Pos         Pos
	Deployments []Member
	Select      *Select // nil for none
	Start, Stop []Cron
	Running     []Window    // excludes Start and Stop
	Except      []Exception // of those that have a date, the first decides
	Zone        string      // a key of Env.Zones
	ZonePos     Pos
	Options     Options
}

// Env is what a Spec refers to and what had to be loaded from outside: a zone's
// data is a file, so this package does not look for it.
type Env struct {
	Zones     map[string]*time.Location
	Calendars map[string]*Calendar
}

// A Problem is one thing that is wrong with a file, where, and what to do.
type Problem struct {
	Pos     Pos
	Text    string // what is wrong
	Hint    string // what to do; may be empty
	Warning bool   // does not keep the file from being used
}

// Error makes a Problem usable as an error: the place, what is wrong, the hint.
func (p Problem) Error() string {
	s := p.Text
	if at := p.Pos.String(); at != "" {
		s = at + ": " + s
	}
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}
