package web

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"curfew/policy"
	"curfew/scheduler"
)

//go:embed index.html
var indexHTML string

//go:embed index.css
var indexCSS string

// maxListed is how many deployments the page lists: what a person reads, and
// what a browser draws at once.
const maxListed = 200

// index is the page: a picture of the fleet for people, without scripts.
type index struct {
	account, version string
	snapshot         Snapshots
	health           *Health
	page             *template.Template
}

func newIndex(o Options) *index {
	return &index{
		account: o.Account, version: o.Version, snapshot: o.Snapshot, health: o.Health,
		page: template.Must(template.New("index").Parse(indexHTML)),
	}
}

// page is what the template shows.
type page struct {
	Account, Version string
	CSS              template.CSS
	Trouble          string // why there is no picture; empty where there is one
	Now              stamp
	DryRun, Draining bool
	Blocked          []scheduler.BlockReason
	Quotas           []quotaRow
	Policies         []scheduler.PolicyView
	Deployments      []deploymentRow
	Total            int
}

type quotaRow struct {
	Operation, Scope string
	Left, Limit      int
	Per              time.Duration
}

type deploymentRow struct {
	ID, Name, Policy string
	Status, Wanted   string
	Why              string // what wants it: the line of the file, or the rule
	Next             string
	NextAt           stamp
	Seen             stamp
	Due              string // what has to happen and what it waits for
	DueAt            stamp
	Until            stamp  // when an override ends
	Last             string // how the last transition ended, and why
	LastAt           stamp  // its instant
	Trouble          bool
}

// stamp is an instant as the page writes it.
type stamp struct{ t time.Time }

// Machine returns what the datetime attribute takes, Text what people read:
// both in UTC, since the page does not know the reader's zone and a daemon may
// have policies in several.
func (s stamp) Machine() string { return s.t.UTC().Format(time.RFC3339) }

// Text returns the instant for people.
func (s stamp) Text() string { return s.t.UTC().Format("Mon 2 Jan 15:04:05") }

// Known reports whether there is an instant.
func (s stamp) Known() bool { return !s.t.IsZero() }

// ServeHTTP implements http.Handler. The page is made in memory first, so that
// a fault in it is a 500 and not half a page.
func (x *index) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := x.read(r.Context())
	var body bytes.Buffer
	if err := x.page.Execute(&body, p); err != nil {
		http.Error(w, fmt.Sprintf("draw page: %v", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if p.Trouble != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	w.Write(body.Bytes())
}

// read takes the picture, or says why there is none.
func (x *index) read(ctx context.Context) page {
	p := page{Account: x.account, Version: x.version, CSS: template.CSS(indexCSS)}
	if p.Trouble = x.health.missing(); p.Trouble != "" {
		return p
	}
	ctx, cancel := context.WithTimeout(ctx, snapshotWithin)
	defer cancel()
	s, err := x.snapshot(ctx)
	if err != nil {
		p.Trouble = fmt.Sprintf("loop: gives no answer: %v", err)
		return p
	}
	p.fill(s)
	return p
}

// fill takes over what the page shows. Which deployments come first is the same
// order as in the metrics of a large fleet.
func (p *page) fill(s *scheduler.Snapshot) {
	p.Now = stamp{s.Now.Wall}
	p.DryRun, p.Draining, p.Blocked = s.DryRun, s.Draining, s.Blocked
	p.Policies, p.Total = s.Policies, len(s.Deployments)
	for _, m := range methods() {
		q := s.Quotas[m]
		p.Quotas = append(p.Quotas, quotaRow{m.String(), q.Scope.String(), q.Left, q.Limit.N, q.Limit.Per})
	}
	for _, v := range foremost(s.Deployments, maxListed, calm) {
		p.Deployments = append(p.Deployments, rowOf(v))
	}
}

// rowOf makes a deployment's row. Its texts go into the template as they are:
// html/template escapes each for the place where it stands.
func rowOf(v *scheduler.View) deploymentRow {
	r := deploymentRow{
		ID: string(v.Deployment), Name: v.Look.Name, Policy: v.Policy,
		Status: statusText(v), Wanted: v.Want.String(),
		Why: whyText(v.Because), Last: lastText(v), LastAt: stamp{v.LastAt},
		Seen: stamp{v.SeenAt}, Until: stamp{v.Override}, Trouble: inTrouble(v),
	}
	r.Next, r.NextAt = nextOf(v)
	if !v.Due.Zero() {
		r.Due, r.DueAt = dueText(v), stamp{v.Due.At}
	}
	return r
}

// whyText names what wants the power: the place in the file with its text, the
// override with its author, or the rule. The place goes first, for it is short.
func whyText(b policy.Because) string {
	var parts []string
	for _, s := range []string{b.Pos.String(), ruleText(b.Kind), b.Ref} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// ruleText says which rule it was, where that is not the line of a policy.
func ruleText(k policy.Kind) string {
	switch k {
	case policy.KindOverride:
		return "override"
	case policy.KindCalendar:
		return "calendar"
	case policy.KindEnforce:
		return "enforced"
	case policy.KindReturned:
		return "it answers again"
	case policy.KindConverge:
		return "asked for"
	}
	return ""
}

// lastText says how the last transition ended, with the reason where there is one.
func lastText(v *scheduler.View) string {
	switch {
	case v.Last == 0:
		return ""
	case v.LastReason == scheduler.ReasonNone:
		return v.Last.String()
	}
	return v.Last.String() + ": " + strings.ReplaceAll(string(v.LastReason), "_", " ")
}

// statusText is the platform's own word, so that a status that we do not know is
// shown as it is.
func statusText(v *scheduler.View) string {
	switch statusOf(v) {
	case scheduler.StatusNone:
		return "not looked yet"
	case scheduler.StatusGone:
		return "gone (404)"
	}
	return v.Look.Status
}

// nextOf is the earlier of the next start and the next stop.
func nextOf(v *scheduler.View) (string, stamp) {
	var action string
	var at time.Time
	for i, p := range powers() {
		if t := v.Next[i]; !t.IsZero() && (at.IsZero() || t.Before(at)) {
			action, at = p.Action(), t
		}
	}
	return action, stamp{at}
}

// dueText says what is due and what it waits for.
func dueText(v *scheduler.View) string {
	action := v.Due.Power.Action()
	switch v.Wait {
	case scheduler.WaitNone:
		return action
	case scheduler.WaitPermit:
		return action + ": waits for its permit, free at " + stamp{v.PermitAt}.Text()
	case scheduler.WaitTransient, scheduler.WaitStatus:
		return fmt.Sprintf("%s: waits, the status is %q", action, v.Look.Status)
	}
	return action + ": " + waitText(v.Wait)
}

// waitText puts the remaining states of waiting into words.
func waitText(w scheduler.Wait) string {
	switch w {
	case scheduler.WaitUnknown:
		return "the answer was lost, looks decide"
	case scheduler.WaitConfirm:
		return "accepted, looks wait for the effect"
	case scheduler.WaitHold:
		return "an override keeps another power"
	case scheduler.WaitKey:
		return "the platform refuses the key"
	case scheduler.WaitClock:
		return "the clock is not believed"
	case scheduler.WaitLook:
		return "one more look decides whether a call is needed"
	case scheduler.WaitGone:
		return "the platform does not know it, looks decide"
	case scheduler.WaitName:
		return "its name is not known yet"
	case scheduler.WaitBackoff:
		return "nothing was sent, tried again soon"
	case scheduler.WaitSlot:
		return "about to be sent"
	}
	return string(w)
}
