package main

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// TestPeaks counts again, the slow way: for every call, those that lie in the
// window that ends with it.
func TestPeaks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		file, s, text := drawFile(rt)
		lines := planLines(file, nil)
		table := newPlanTable(file, lines, s, false)
		var calls []planRow
		for r := range walk(lines, s) {
			table.count(r)
			if r.edge.need != policy.NoCall {
				calls = append(calls, r)
			}
		}
		var key, each [policy.Stopped + 1]int
		for _, last := range calls {
			all, own := 0, 0
			for _, r := range calls {
				if r.edge.Power != last.edge.Power || r.edge.At.After(last.edge.At) || !r.edge.At.After(last.edge.At.Add(-time.Hour)) {
					continue
				}
				all++
				if r.member.id == last.member.id {
					own++
				}
			}
			key[last.edge.Power], each[last.edge.Power] = max(key[last.edge.Power], all), max(each[last.edge.Power], own)
		}
		got := table.peaks.text(false)
		if want := peakText(each, key); got != want {
			rt.Fatalf("got %q, want %q of\n%s", got, want, text)
		}
	})
}

// peakText is what is expected where the quotas are those documented.
func peakText(each, key [policy.Stopped + 1]int) string {
	if each[policy.Running]+each[policy.Stopped] == 0 {
		return ""
	}
	s := fmt.Sprintf("quota peak: %d of 1 start/h, %d of 1 stop/h", each[policy.Running], each[policy.Stopped])
	if key != each {
		s += fmt.Sprintf("; of all together %d start/h, %d stop/h", key[policy.Running], key[policy.Stopped])
	}
	return s
}

// TestPeaksOfTheKey: a quota of the whole key is held against all calls, and
// windows other than an hour are named.
func TestPeaksOfTheKey(t *testing.T) {
	t.Parallel()
	file := fileOf(t, `
timezone: UTC
api: {quotas: {stop: {limit: 2, per: 90m, scope: key}}}
policies:
- {name: a, deployments: [w1, w2, w3], stop: "0 20 * * *", start: "0 8 * * *"}
- {name: b, deployments: [w4], stop: "29 21 * * *", start: "0 9 * * *"}`)
	if file.Quotas[quota.Stop].Scope != quota.Key {
		t.Fatal("the file sets no scope")
	}
	from := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	s := span{from, from.AddDate(0, 0, 1)}
	lines := planLines(file, nil)
	for alone, want := range map[bool]string{
		false: "quota peak: 1 of 1 start/h, 4 of 2 stop in 1h30m for the key; of all together 3 start/h, 4 stop in 1h30m",
		true:  "quota peak: 1 of 1 start/h, 1 of 2 stop in 1h30m",
	} {
		table := newPlanTable(file, lines, s, false)
		for r := range walk(lines, s) {
			table.count(r)
		}
		if got := table.peaks.text(alone); got != want {
			t.Errorf("alone %t: %q, want %q", alone, got, want)
		}
	}
}
