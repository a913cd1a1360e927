package policy

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// fingerprint digests what p's edges are made of. Expressions go in as their
// bit sets, sorted and each once, so that MON-FRI and 1-5 are the same rule. A
// lead without starts moves nothing and is left out.
func fingerprint(p *Policy) Fingerprint {
	var b strings.Builder
	fmt.Fprintf(&b, "curfew rule 1\nzone %s\n", p.zone)
	if p.Has(Running) {
		fmt.Fprintf(&b, "lead %d\n", p.lead())
	}
	for _, power := range []Power{Running, Stopped} {
		fmt.Fprintf(&b, "%s %s\n", power.Action(), strings.Join(rules(p.lines(power)), " "))
	}
	sum := sha256.Sum256([]byte(b.String()))
	return Fingerprint(sum[:len(Fingerprint{})])
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
