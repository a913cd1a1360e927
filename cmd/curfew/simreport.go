package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"curfew/apiclient/quota"
	"curfew/internal/sim"
)

// writeReport shows a simulated span to people.
func writeReport(w io.Writer, r *sim.Report, saved *savings, loc *time.Location, seed uint64) error {
	const day = "Mon _2 Jan 2006 15:04"
	lines := []string{
		fmt.Sprintf("%s from %s to %s (%s), seed %d", plural(r.Deployments, "deployment", "deployments"),
			r.From.In(loc).Format(day), r.To.In(loc).Format(day), loc, seed),
		"",
		fmt.Sprintf("calls        %d get, %d start, %d stop · over quota %d · repeated %d · answered 429 %d",
			r.Calls[quota.Get], r.Calls[quota.Start], r.Calls[quota.Stop], r.OverQuota, r.Repeated, r.Limited),
		"quota peak   " + peaks(r),
		"transitions  " + outcomes(r),
		"lateness     " + lateness(r, loc),
	}
	if saved != nil {
		lines = append(lines, "saved        "+saved.String())
	}
	for _, a := range r.Alarms {
		lines = append(lines, fmt.Sprintf("alarm        %d × %s: %s", a.Count, a.Kind, a.First))
	}
	for _, d := range r.Waiting {
		lines = append(lines, fmt.Sprintf("still due    %s of %s since %s: %s", d.Power.Action(), d.Deployment,
			d.At.In(loc).Format(day), cmp.Or(string(d.Wait), "about to be decided")))
	}
	end := powers(r)
	if r.Deployments == 0 {
		end = "nothing is scheduled"
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n\n"+end+"\n")
	return err
}

// peaks is the most that left in any window, for one deployment and for the key.
func peaks(r *sim.Report) string {
	var parts []string
	for m, p := range r.Peaks {
		s := fmt.Sprintf("%d of %d %s in %s", p.Deployment, p.Limit.N, quota.Method(m), shortSpan(p.Limit.Per))
		if p.Key > p.Deployment {
			s += fmt.Sprintf(" (%d by the key)", p.Key)
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " · ")
}

// outcomes is how transitions ended.
func outcomes(r *sim.Report) string {
	var parts []string
	for _, o := range r.Outcomes {
		s := fmt.Sprintf("%d %s", o.Count, o.Kind)
		if o.Reason != "" {
			s += " (" + string(o.Reason) + ")"
		}
		parts = append(parts, s)
	}
	return cmp.Or(strings.Join(parts, " · "), "none")
}

// lateness is how late calls left, and where it was worst.
func lateness(r *sim.Report, loc *time.Location) string {
	var parts []string
	for _, l := range r.Lateness {
		s := fmt.Sprintf("%s %s, at most %s", plural(l.Calls, "call", "calls"),
			strings.ReplaceAll(string(l.Cause), "_", " "), l.Max.Round(time.Millisecond))
		if l.Max >= time.Second {
			s += fmt.Sprintf(" (%s at %s)", l.Deployment, l.At.In(loc).Format("Mon _2 Jan 15:04"))
		}
		parts = append(parts, s)
	}
	return cmp.Or(strings.Join(parts, " · "), "no calls")
}

// powers is how long each deployment was what, as the platform has it.
func powers(r *sim.Report) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"deployment", "policy", "running", "stopped", "between", "stopped"})
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 3, Align: text.AlignRight, AlignHeader: text.AlignRight}, {Number: 4, Align: text.AlignRight, AlignHeader: text.AlignRight},
		{Number: 5, Align: text.AlignRight, AlignHeader: text.AlignRight}, {Number: 6, Align: text.AlignRight, AlignHeader: text.AlignRight},
	})
	for _, p := range r.Powers {
		all := p.Running + p.Stopped + p.Other
		share := "-"
		if all > 0 {
			share = fmt.Sprintf("%.0f %%", 100*float64(p.Stopped)/float64(all))
		}
		t.AppendRow(table.Row{p.Deployment, p.Policy, hours(p.Running), hours(p.Stopped), hours(p.Other), share})
	}
	return t.Render()
}

func hours(d time.Duration) string { return fmt.Sprintf("%.1f h", d.Hours()) }

// The report in JSON: the same figures, with units in their names.
type (
	reportBody struct {
		From        string           `json:"from"` // RFC 3339, UTC
		To          string           `json:"to"`
		Seed        uint64           `json:"seed"`
		Deployments int              `json:"deployments"`
		Calls       map[string]int   `json:"calls"` // by method
		OverQuota   int              `json:"over_quota"`
		Repeated    int              `json:"repeated"`
		Limited     int              `json:"limited"`
		Peaks       map[string]peak  `json:"peaks"`
		Outcomes    []outcomeBody    `json:"outcomes"`
		Lateness    []latenessBody   `json:"lateness"`
		Alarms      []alarmBody      `json:"alarms"`
		Waiting     []waitingBody    `json:"waiting"`
		Powers      []deploymentBody `json:"powers"`
		Savings     *savings         `json:"savings,omitempty"` // absent where the file has no prices
	}
	peak struct {
		Limit      int     `json:"limit"`
		PerSeconds float64 `json:"per_seconds"`
		Deployment int     `json:"deployment"`
		Key        int     `json:"key"`
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
		Deployment     string  `json:"deployment"`
		Policy         string  `json:"policy"`
		RunningSeconds float64 `json:"running_seconds"`
		StoppedSeconds float64 `json:"stopped_seconds"`
		OtherSeconds   float64 `json:"other_seconds"`
	}
)

// writeReportJSON shows a simulated span to programs. Lists are never null.
func writeReportJSON(w io.Writer, r *sim.Report, saved *savings, seed uint64) error {
	b := reportBody{
		From: utc(r.From), To: utc(r.To), Seed: seed, Deployments: r.Deployments,
		Calls: map[string]int{}, OverQuota: r.OverQuota, Repeated: r.Repeated, Limited: r.Limited, Peaks: map[string]peak{},
		Outcomes: []outcomeBody{}, Lateness: []latenessBody{}, Alarms: []alarmBody{}, Waiting: []waitingBody{}, Powers: []deploymentBody{}, Savings: saved,
	}
	for m, p := range r.Peaks {
		name := quota.Method(m).String()
		b.Calls[name] = r.Calls[m]
		b.Peaks[name] = peak{p.Limit.N, p.Limit.Per.Seconds(), p.Deployment, p.Key}
	}
	for _, o := range r.Outcomes {
		b.Outcomes = append(b.Outcomes, outcomeBody{o.Kind.String(), string(o.Reason), o.Count})
	}
	for _, l := range r.Lateness {
		b.Lateness = append(b.Lateness, latenessBody{string(l.Cause), l.Calls, l.Max.Seconds(), string(l.Deployment), utc(l.At)})
	}
	for _, a := range r.Alarms {
		b.Alarms = append(b.Alarms, alarmBody{string(a.Kind), a.Count, a.First})
	}
	for _, d := range r.Waiting {
		b.Waiting = append(b.Waiting, waitingBody{string(d.Deployment), d.Power.Action(), utc(d.At), string(d.Wait)})
	}
	for _, p := range r.Powers {
		b.Powers = append(b.Powers, deploymentBody{string(p.Deployment), p.Policy, p.Running.Seconds(), p.Stopped.Seconds(), p.Other.Seconds()})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(b)
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }
