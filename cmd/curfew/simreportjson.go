package main

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/sim"
)

// The report in JSON, as docs/schema/simulate.schema.json has it: every figure of
// the text, with its unit in its name. Instants are RFC 3339 in UTC; lists are
// never null.
type (
	reportBody struct {
		From              string           `json:"from"`
		To                string           `json:"to"`
		Timezone          string           `json:"timezone"`
		Faults            string           `json:"faults"`
		Seed              uint64           `json:"seed"`
		StartTakesSeconds float64          `json:"start_takes_seconds"`
		StopTakesSeconds  float64          `json:"stop_takes_seconds"`
		ByHand            []handBody       `json:"by_hand"`
		DryRun            bool             `json:"dry_run"`
		Mishaps           []mishapBody     `json:"mishaps"`
		Deployments       int              `json:"deployments"`
		Calls             map[string]int   `json:"calls"`
		OverQuota         int              `json:"over_quota"`
		Repeated          int              `json:"repeated"`
		Limited           int              `json:"limited"`
		Peaks             map[string]peak  `json:"peaks"`
		Outcomes          []outcomeBody    `json:"outcomes"`
		Lateness          []latenessBody   `json:"lateness"`
		Waits             []waitsBody      `json:"waits"`
		Starts            []startsBody     `json:"starts"`
		Leads             []leadBody       `json:"leads"`
		Alarms            []alarmBody      `json:"alarms"`
		Waiting           []waitingBody    `json:"waiting"`
		Powers            []deploymentBody `json:"powers"`
		Savings           *savingsBody     `json:"savings,omitempty"`
	}
	handBody struct {
		Policy   string `json:"policy"`
		Action   string `json:"action"`
		At       string `json:"at"`
		Timezone string `json:"timezone"`
	}
	mishapBody struct {
		Mishap       string  `json:"mishap"`
		Count        int     `json:"count"`
		TotalSeconds float64 `json:"total_seconds,omitempty"`
	}
	peak struct {
		Limit      int     `json:"limit"`
		PerSeconds float64 `json:"per_seconds"`

		Deployment   int    `json:"deployment"`
		DeploymentAt string `json:"deployment_at,omitempty"`
		DeploymentID string `json:"deployment_id,omitempty"`

		Key             int    `json:"key"`
		KeyAt           string `json:"key_at,omitempty"`
		KeyDeploymentID string `json:"key_deployment_id,omitempty"`
	}
	outcomeBody struct {
		Outcome string `json:"outcome"`
		Reason  string `json:"reason,omitempty"`
		Count   int    `json:"count"`
	}
	latenessBody struct {
		Cause      string  `json:"cause"`
		Calls      int     `json:"calls"`
		MaxSeconds float64 `json:"max_seconds"`
		Deployment string  `json:"deployment"`
		At         string  `json:"at"`
	}
	waitsBody struct {
		Wait           string  `json:"wait"`
		Count          int     `json:"count"`
		TotalSeconds   float64 `json:"total_seconds"`
		LongestSeconds float64 `json:"longest_seconds"`
		Deployment     string  `json:"deployment"`
		Action         string  `json:"action"`
		At             string  `json:"at"`
	}
	startsBody struct {
		Deployment         string  `json:"deployment"`
		Name               string  `json:"name,omitempty"`
		Policy             string  `json:"policy"`
		Nominal            string  `json:"nominal"`
		Timezone           string  `json:"timezone"`
		InTime             int     `json:"in_time"`
		Late               int     `json:"late"`
		Never              int     `json:"never"`
		MedianLateSeconds  float64 `json:"median_late_seconds"`
		P95LateSeconds     float64 `json:"p95_late_seconds"`
		LongestLateSeconds float64 `json:"longest_late_seconds"`
		LongestLateAt      string  `json:"longest_late_at,omitempty"`
	}
	leadBody struct {
		Policy                 string  `json:"policy"`
		StartLeadSeconds       float64 `json:"start_lead_seconds"`
		NeededStartLeadSeconds float64 `json:"needed_start_lead_seconds"`
		LateStarts             int     `json:"late_starts"`
		HelpedStarts           int     `json:"helped_starts"`
		Capped                 bool    `json:"capped,omitempty"`
	}
	alarmBody struct {
		Alarm string `json:"alarm"`
		Count int    `json:"count"`
		First string `json:"first"`
	}
	waitingBody struct {
		Deployment string `json:"deployment"`
		Action     string `json:"action"`
		At         string `json:"at"`
		Wait       string `json:"wait"`
	}
	deploymentBody struct {
		Deployment     string    `json:"deployment"`
		Name           string    `json:"name,omitempty"`
		Policy         string    `json:"policy"`
		DryRun         bool      `json:"dry_run,omitempty"`
		RunningSeconds float64   `json:"running_seconds"`
		StoppedSeconds float64   `json:"stopped_seconds"`
		OtherSeconds   float64   `json:"other_seconds"`
		Savings        *billBody `json:"savings,omitempty"`
	}
	savingsBody struct {
		billBody
		Currency string `json:"currency"`
		Unpriced int    `json:"deployments_without_price"`
		Started  int    `json:"deployments_started_alone"`
	}
	billBody struct {
		HoursStopped  float64 `json:"hours_stopped"`
		Saved         float64 `json:"saved"`
		AlwaysRunning float64 `json:"always_running"`
		Cost          float64 `json:"cost"`
	}
)

// json shows the span to programs.
func (v simView) json(w io.Writer) error {
	b := reportBody{
		From: utc(v.From), To: utc(v.To), Timezone: v.file.Location.String(), Faults: v.faults.String(), Seed: v.seed,
		StartTakesSeconds: seconds(v.StartTakes), StopTakesSeconds: seconds(v.StopTakes),
		Deployments: v.Deployments, Calls: map[string]int{}, OverQuota: v.OverQuota, Repeated: v.Repeated, Limited: v.Limited,
		ByHand: bodies(v.ByHand, handOf), DryRun: v.file.DryRun,
		Peaks: map[string]peak{}, Mishaps: bodies(v.Mishaps, mishapOf), Outcomes: bodies(v.Outcomes, outcomeOf),
		Lateness: bodies(v.Lateness, latenessOf), Waits: bodies(v.Waits, waitsOf), Starts: bodies(v.Starts, startsOf),
		Leads: bodies(v.Leads, leadOf), Alarms: bodies(v.Alarms, alarmOf), Waiting: bodies(v.Waiting, waitingOf),
		Powers: bodies(v.Powers, powersOf),
	}
	for m, p := range v.Peaks {
		name := quota.Method(m).String()
		b.Calls[name], b.Peaks[name] = v.Calls[m], peakOf(p)
	}
	v.money(&b)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(b)
}

// money adds what was saved, in all and by deployment.
func (v simView) money(b *reportBody) {
	if v.saved == nil {
		return
	}
	b.Savings = &savingsBody{*billOf(v.saved.bill), v.saved.currency, v.saved.unpriced, v.saved.started}
	for i, one := range v.saved.each {
		if one != nil {
			b.Powers[i].Savings = billOf(*one)
		}
	}
}

// bodies is a list that is never null.
func bodies[T, B any](all []T, of func(T) B) []B {
	list := make([]B, 0, len(all))
	for _, x := range all {
		list = append(list, of(x))
	}
	return list
}

func handOf(h sim.Hand) handBody { return handBody{h.Policy, h.Power.Action(), h.Clock, h.Zone} }

func mishapOf(m sim.Mishap) mishapBody {
	return mishapBody{string(m.Kind), m.Count, seconds(m.Total)}
}

func peakOf(p sim.Peak) peak {
	return peak{
		p.Limit.N, seconds(p.Limit.Per),
		p.Deployment.Requests, sometime(p.Deployment.At), string(p.Deployment.Deployment),
		p.Key.Requests, sometime(p.Key.At), string(p.Key.Deployment),
	}
}

func outcomeOf(o sim.OutcomeCount) outcomeBody {
	return outcomeBody{o.Kind.String(), string(o.Reason), o.Count}
}

func latenessOf(l sim.Lateness) latenessBody {
	return latenessBody{string(l.Cause), l.Calls, seconds(l.Max), string(l.Deployment), utc(l.At)}
}

func waitsOf(w sim.Waits) waitsBody {
	return waitsBody{
		string(w.Wait), w.Count, seconds(w.Total), seconds(w.Longest), string(w.Deployment), w.Power.Action(), utc(w.At),
	}
}

func startsOf(s sim.Starts) startsBody {
	return startsBody{
		string(s.Deployment), s.Name, s.Policy, s.Nominal, s.Zone, s.InTime, s.Late, s.Never,
		seconds(s.Median), seconds(s.P95), seconds(s.Worst), sometime(s.WorstAt),
	}
}

func leadOf(l sim.Lead) leadBody {
	return leadBody{l.Policy, seconds(l.Now), seconds(l.Needed), l.Late, l.Helped, l.Capped}
}

func alarmOf(a sim.AlarmCount) alarmBody { return alarmBody{string(a.Kind), a.Count, a.First} }

func waitingOf(d sim.Waiting) waitingBody {
	return waitingBody{string(d.Deployment), d.Power.Action(), utc(d.At), string(d.Wait)}
}

func powersOf(p sim.Powers) deploymentBody {
	return deploymentBody{
		Deployment: string(p.Deployment), Name: p.Name, Policy: p.Policy, DryRun: p.DryRun,
		RunningSeconds: seconds(p.Running), StoppedSeconds: seconds(p.Stopped), OtherSeconds: seconds(p.Other),
	}
}

// billOf rounds to what money is counted in, and a hundredth of that.
func billOf(b bill) *billBody {
	return &billBody{rounded(b.hours), rounded(b.saved), rounded(b.always), rounded(b.cost())}
}

func rounded(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// seconds is precise to what anybody measures.
func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// sometime is utc of an instant that there may not be.
func sometime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return utc(t)
}
