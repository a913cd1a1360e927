package simplatform

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
)

// Kind is what goes wrong with a request.
type Kind uint8

// The kinds of fault. "Applied" means that the platform did what was asked,
// where it would have without the fault.
const (
	NoFault Kind = iota

	// The connection fails.
	LostAnswer   // applied; the connection is closed without an answer
	Dropped      // read, not applied; the connection is closed without an answer
	Refused      // nothing arrives at the platform: not applied, counted or logged
	ResetMidBody // applied; half of the answer, then a reset
	Slow         // applied; the answer's bytes trickle over For

	// The answer comes late.
	Hang        // applied at once; answered after For
	HangDropped // not applied; closed without an answer after For
	Late        // applied only after For; a gateway answers 504 then

	// Something in front of the platform answers in its place; not applied.
	Error        // Code, 500 to 599
	Limited      // 429 as if others had used the quota, with Retry
	Unauthorized // 401
	Forbidden    // 403
	NotFound     // 404, a lost route
	Refusal      // 422
	Redirect     // 307 to the same address
	ErrorBody    // 200 (201 to a POST), and an error in the body

	// The platform's answer is spoilt on the way; applied.
	ErrorApplied // Code, 500 to 599
	Garbage      // the right status, a body that is no JSON
	Truncated    // the right status, a body that ends half-way
	Duplicate    // delivered twice by a proxy, which hands on the second answer

	// The answer is right, the transition is not.
	Stuck    // it never ends
	RollBack // it ends where it began
	Fails    // it ends in failed

	kinds int = iota
)

// String returns the word that ParseFault reads.
func (k Kind) String() string {
	switch k {
	case NoFault:
		return "none"
	case LostAnswer:
		return "lost-answer"
	case Dropped:
		return "dropped"
	case Refused:
		return "refused"
	case ResetMidBody:
		return "reset-mid-body"
	case Slow:
		return "slow"
	case Hang:
		return "hang"
	case HangDropped:
		return "hang-dropped"
	case Late:
		return "late"
	}
	return k.answerWord()
}

// answerWord is String for the kinds that concern the answer or what follows it.
func (k Kind) answerWord() string {
	switch k {
	case Error:
		return "error"
	case Limited:
		return "limited"
	case Unauthorized:
		return "unauthorized"
	case Forbidden:
		return "forbidden"
	case NotFound:
		return "not-found"
	case Refusal:
		return "refusal"
	case Redirect:
		return "redirect"
	case ErrorBody:
		return "error-body"
	case ErrorApplied:
		return "error-applied"
	case Garbage:
		return "garbage"
	case Truncated:
		return "truncated"
	case Duplicate:
		return "duplicate"
	case Stuck:
		return "stuck"
	case RollBack:
		return "roll-back"
	case Fails:
		return "fails"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// MarshalText returns the word of String.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Kinds returns every kind of fault but NoFault, in the order of their constants.
func Kinds() []Kind {
	all := make([]Kind, 0, kinds-1)
	for k := NoFault + 1; int(k) < kinds; k++ {
		all = append(all, k)
	}
	return all
}

// status is what a kind that answers in the platform's place answers, 0 where
// it says nothing; ok is false for all other kinds.
func (f *Fault) status(m Method) (status int, ok bool) {
	switch f.Kind {
	case Dropped, HangDropped:
		return 0, true
	case Late:
		return 504, true
	case Error:
		return f.Code, true
	case Limited:
		return 429, true
	case Unauthorized:
		return 401, true
	case Forbidden:
		return 403, true
	case NotFound:
		return 404, true
	case Refusal:
		return 422, true
	case Redirect:
		return 307, true
	case ErrorBody:
		return accepted(m), true
	}
	return 0, false
}

// delivery is how the answer to a request that f hits travels.
func (k Kind) delivery() Delivery {
	switch k {
	case LostAnswer, Dropped, HangDropped:
		return Closed
	case Refused:
		return NotReached
	case ResetMidBody:
		return Reset
	case Slow:
		return Trickled
	case ErrorBody:
		return Misleading
	case Garbage:
		return Garbled
	case Truncated:
		return Cut
	}
	return Whole
}

// waits reports whether the kind has a use for For.
func (k Kind) waits() bool { return k == Slow || k == Hang || k == HangDropped || k == Late }

// codes reports whether the kind has a use for Code.
func (k Kind) codes() bool { return k == Error || k == ErrorApplied }

// needsPost reports whether the kind concerns transitions or effects alone.
func (k Kind) needsPost() bool { return k == Stuck || k == RollBack || k == Fails || k == Late }

// A Fault is a rule that says which requests fare badly, and how. Rules are
// tried in the order in which they were added; the first that fires has the
// request to itself.
type Fault struct {
	Methods MethodSet
	Target  string // a deployment's id or name; empty for all, and for lists
	Kind    Kind

	Nth   int       // spare the matching requests before this one, counted from 1
	Count int       // fire so often at most; 0 for no end
	From  time.Time // fire from this server time on; zero for always
	To    time.Time // and before this one; zero for ever
	P     float64   // fire with this probability; 0 for always

	For   time.Duration // Slow, Hang, HangDropped, Late: how long
	Code  int           // Error, ErrorApplied: 500 to 599
	Retry Retry         // Limited: its Retry-After
}

// What a Fault has where its text does not say.
const (
	defaultFor  = 30 * time.Second
	defaultCode = 500
	longest     = 100 * 365 * 24 * time.Hour // of For and Retry; keeps sums in range
)

// withDefaults gives the kinds that need them a time and a code.
func (f Fault) withDefaults() Fault {
	if f.Kind.waits() && f.For == 0 {
		f.For = defaultFor
	}
	if f.Kind.codes() && f.Code == 0 {
		f.Code = defaultCode
	}
	return f
}

// check says what is wrong with f, defaults filled in.
func (f Fault) check() error {
	switch {
	case f.Kind == NoFault || int(f.Kind) >= kinds:
		return fmt.Errorf("no such kind: %s", f.Kind)
	case f.Methods == 0 || f.Methods&^AnyMethod != 0:
		return errors.New("no such method: want get, start, stop, list, post or any")
	case strings.ContainsFunc(f.Target, unicode.IsSpace):
		return fmt.Errorf("deployment %q has a blank in it: give its id", f.Target)
	case f.Kind.needsPost() && f.Methods&^Posts != 0:
		return fmt.Errorf("%s concerns start and stop only: write start, stop or post for the method", f.Kind)
	}
	return errors.Join(f.checkWhen(), f.checkHow())
}

func (f Fault) checkWhen() error {
	switch {
	case f.Nth < 0 || f.Count < 0:
		return errors.New("nth and count are at least 0")
	case math.IsNaN(f.P) || f.P < 0 || f.P > 1:
		return fmt.Errorf("p=%v is no probability: want 0 to 1", f.P)
	case !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To):
		return errors.New("to= lies not after from=: the fault would never fire")
	}
	return nil
}

func (f Fault) checkHow() error {
	switch {
	case f.For < 0 || f.For > longest:
		return fmt.Errorf("for=%s: want more than 0s and at most a century", f.For)
	case f.For != 0 && !f.Kind.waits():
		return fmt.Errorf("for= means nothing with %s: it goes with slow, hang, hang-dropped and late", f.Kind)
	case f.Code != 0 && !f.Kind.codes():
		return fmt.Errorf("code= means nothing with %s: it goes with error and error-applied", f.Kind)
	case f.Kind.codes() && (f.Code < 500 || f.Code > 599):
		return fmt.Errorf("code=%d: want 500 to 599", f.Code)
	case f.Retry != Retry{} && f.Kind != Limited:
		return fmt.Errorf("retry= means nothing with %s: it goes with limited", f.Kind)
	case f.Retry.After > longest || f.Retry.After < -longest:
		return fmt.Errorf("retry=%s: want at most a century", f.Retry)
	}
	return nil
}

// A rule is a Fault and how often it has come up.
type rule struct {
	Fault
	from, to int64
	seen     int // requests that it concerns
	hits     int // requests that it fired at
}

// concerns reports whether the rule is about a request for r at at.
func (u *rule) concerns(at int64, q Request, r *record) bool {
	if !u.Methods.Has(q.Method) || at < u.from || at >= u.to {
		return false
	}
	return u.Target == "" || r != nil && (u.Target == r.ID || u.Target == r.Name)
}

// fires counts a request that the rule concerns and decides about it; roll is in
// [0, 1).
func (u *rule) fires(roll float64) bool {
	u.seen++
	if u.seen < u.Nth || u.Count > 0 && u.hits >= u.Count || u.P > 0 && roll >= u.P {
		return false
	}
	u.hits++
	return true
}

// AddFault puts a rule behind those that are there. A Fault that makes no sense
// is an error; times that it leaves out take their default.
func (w *World) AddFault(f Fault) error {
	f = f.withDefaults()
	if err := f.check(); err != nil {
		return fmt.Errorf("add fault: %w", err)
	}
	u := &rule{Fault: f, from: math.MinInt64, to: math.MaxInt64}
	if !f.From.IsZero() {
		u.from = f.From.UnixNano()
	}
	if !f.To.IsZero() {
		u.to = f.To.UnixNano()
	}
	w.rules = append(w.rules, u)
	return nil
}

// ClearFaults takes all rules away. Transitions that they spoilt stay spoilt.
func (w *World) ClearFaults() { w.rules = nil }

// A Hit is a rule and how often it has fired.
type Hit struct {
	Fault Fault
	Hits  int
}

// Faults returns the rules in their order.
func (w *World) Faults() []Hit {
	all := make([]Hit, len(w.rules))
	for i, u := range w.rules {
		all[i] = Hit{u.Fault, u.hits}
	}
	return all
}

// fault returns the rule that has the request, nil for none.
func (w *World) fault(at int64, q Request, r *record) *Fault {
	for i, u := range w.rules {
		if u.concerns(at, q, r) && u.fires(roll(w.config.Seed, w.requests, uint64(i))) {
			return &u.Fault
		}
	}
	return nil
}

// roll hashes three numbers into [0, 1): dice that fall the same way in every
// run of the same calls, and of each rule apart. The mixing is SplitMix64's.
func roll(seed, request, rule uint64) float64 {
	x := seed
	for _, v := range [...]uint64{request, rule} {
		x += v + 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return float64(x>>11) / (1 << 53)
}
