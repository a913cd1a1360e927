package main

import (
	"fmt"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/policy"
)

// callPeaks are the most calls that fall into one window of a quota: of one
// deployment, and of the whole key. A call that is needed only if somebody acted
// counts, since the quota must carry it.
type callPeaks struct {
	limits [quota.Methods]quota.Limit
	key    [quota.Methods]usage
	each   map[*planLine]*[quota.Methods]usage
}

func newPeaks(file *config.Config) *callPeaks {
	return &callPeaks{limits: file.Quotas, each: map[*planLine]*[quota.Methods]usage{}}
}

// add counts the call of a row. Rows come by their instants, and at one instant a
// policy makes at most one call for each of its deployments.
func (p *callPeaks) add(e *planEdge) {
	m := quota.Stop
	if e.Power == policy.Running {
		m = quota.Start
	}
	per := p.limits[m].Per
	p.key[m].add(e.At, per, true)
	each := p.each[e.line]
	if each == nil {
		each = new([quota.Methods]usage)
		p.each[e.line] = each
	}
	each[m].add(e.At, per, false)
}

// A usage is the calls of one method in the window that ends with the last.
type usage struct {
	recent    []dated
	sum, most int
}

type dated struct {
	at time.Time
	n  int
}

// add counts a call. Those at one instant are one unless all of them count.
func (u *usage) add(at time.Time, per time.Duration, all bool) {
	last := len(u.recent) - 1
	switch {
	case last < 0 || !u.recent[last].at.Equal(at):
		u.recent = append(u.recent, dated{at, 1})
	case !all:
		return
	default:
		u.recent[last].n++
	}
	u.sum++
	for !u.recent[0].at.After(at.Add(-per)) {
		u.sum -= u.recent[0].n
		u.recent = u.recent[1:]
	}
	u.most = max(u.most, u.sum)
}

// text is the peak of both methods: what counts for a deployment, and beside it
// what comes together on the key, unless alone one deployment is shown. It is
// empty where there is no call.
func (p *callPeaks) text(alone bool) string {
	var each [quota.Methods]int
	for _, of := range p.each {
		for m := range each {
			each[m] = max(each[m], of[m].most)
		}
	}
	if each[quota.Start]+each[quota.Stop] == 0 {
		return ""
	}
	s, sep := "", ""
	key := false // whether the key's numbers say more
	for _, m := range []quota.Method{quota.Start, quota.Stop} {
		l := p.limits[m]
		n, whose := each[m], ""
		if l.Scope == quota.Key && !alone {
			n, whose = p.key[m].most, " for the key"
		}
		key = key || whose == "" && p.key[m].most > n
		s += fmt.Sprintf("%s%d of %d %s%s%s", sep, n, l.N, m, rate(l.Per), whose)
		sep = ", "
	}
	if key && !alone {
		s += fmt.Sprintf("; of all together %d start%s, %d stop%s", p.key[quota.Start].most, rate(p.limits[quota.Start].Per),
			p.key[quota.Stop].most, rate(p.limits[quota.Stop].Per))
	}
	return "quota peak: " + s
}

// rate is the window of a quota, for a number of calls before it.
func rate(per time.Duration) string {
	if per == time.Hour {
		return "/h"
	}
	return " in " + shortSpan(per)
}
