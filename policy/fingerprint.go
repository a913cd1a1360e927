package policy

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
)

// fingerprint digests what p's edges are made of. Expressions go in as their
// bit sets, sorted and each once, so that MON-FRI and 1-5 are the same rule. A
// lead without starts moves nothing and is left out. So are calendars without a
// date that matters: a rule without them keeps the fingerprint that ledgers hold.
func fingerprint(p *Policy) Fingerprint {
	var b strings.Builder
	fmt.Fprintf(&b, "curfew rule 1\nzone %s\n", p.zone)
	if len(p.starts)+len(p.windows) > 0 {
		fmt.Fprintf(&b, "lead %d\n", p.lead())
	}
	for _, of := range []stream{starts, stops} {
		fmt.Fprintf(&b, "%s %s\n", of.power().Action(), strings.Join(rules(p.lines(of)), " "))
	}
	if len(p.windows) > 0 {
		fmt.Fprintf(&b, "running %s\n", strings.Join(hours(p.windows), " "))
	}
	if len(p.off) > 0 {
		fmt.Fprintf(&b, "off %s\n", p.days.offSum)
	}
	if len(p.whole) > 0 {
		fmt.Fprintf(&b, "days %s\n", p.days.wholeSum)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return Fingerprint(sum[:len(Fingerprint{})])
}

// The years whose clock changes tell one zone's data from another's. What came
// before moves no edge that can still be due, and a rule that changes later is
// news by then.
const (
	zoneFrom = 1577836800 // 2020-01-01
	zoneTo   = 3155760000 // 2070-01-01
)

// zoneData digests when and by how much the clocks of a zone change. The zone's
// name stays where its data is replaced, and the edges move all the same.
func zoneData(loc *time.Location) Fingerprint {
	var b []byte
	for at := int64(zoneFrom); at < zoneTo; {
		s := spanAt(loc, at)
		b = fmt.Appendf(b, "%d %d\n", at, s.off)
		at = s.to
	}
	sum := sha256.Sum256(b)
	return Fingerprint(sum[:len(Fingerprint{})])
}

// mixed returns f with another one in it.
func (f Fingerprint) mixed(with Fingerprint) Fingerprint {
	for i := range f {
		f[i] ^= with[i]
	}
	return f
}

// hours writes windows down without their spelling, those with the same times
// under the days of all.
func hours(windows []window) []string {
	weeks := map[window]uint8{}
	for _, w := range windows {
		times := window{begin: w.begin, end: w.end, closes: w.closes}
		weeks[times] |= w.week
	}
	out := make([]string, 0, len(weeks))
	for w, week := range weeks {
		out = append(out, fmt.Sprintf("%x/%d/%d/%t", week, w.begin, w.end, w.closes))
	}
	slices.Sort(out)
	return out
}

func rules(lines []line) []string {
	out := make([]string, 0, len(lines))
	for i := range lines {
		out = append(out, lines[i].sched.rule())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rule writes s down without its spelling.
func (s *Schedule) rule() string {
	n := &s.names
	return fmt.Sprintf("%x/%x/%x/%x/%x/%t/%t", n.minute, n.hour, n.dom, n.month, n.dow, n.either, s.real)
}
