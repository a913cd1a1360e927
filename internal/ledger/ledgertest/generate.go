package ledgertest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// A generator makes up batches as a Fleet might write them, only wilder.
type generator struct {
	t *rapid.T
	s *scheduler.State // what was committed so far
}

func (g generator) batch() *scheduler.Batch {
	b := &scheduler.Batch{
		Rows:      some(g, 4, g.row),
		Outcomes:  some(g, 3, g.outcome),
		Overrides: some(g, 3, g.override),
		Scopes:    some(g, 2, g.lesson),
		Expired:   some(g, 2, g.overrideID),
		Orders:    some(g, 2, g.overrideID),
		Written:   scheduler.Now{Wall: g.time(), Steady: g.steady()},
	}
	next := g.s.LastClaim
	b.Claims = some(g, 6, func() scheduler.Claim {
		next += uint64(rapid.IntRange(1, 3).Draw(g.t, "gap"))
		return g.claim(next)
	})
	b.Endings = some(g, 6, func() scheduler.Ending { return g.ending(next) })
	return b
}

func (g generator) row() scheduler.Row {
	return scheduler.Row{
		Deployment: g.deployment(), Policy: g.text(), Floor: g.time(), Fingerprint: g.fingerprint(),
		Power: pick(g, policy.Stopped), Armed: g.flag(), Gone: g.flag(),
		Due: g.transition(), Raised: g.transition(),
		Attempt: scheduler.Attempt{
			Transition: g.transition(), State: pick(g, scheduler.Vanished), Ended: g.instant(),
			Tries: g.count(), Refused: g.count(),
		},
		Last: pick(g, scheduler.Failed), LastReason: scheduler.Reason(g.text()),
		LastPower: pick(g, policy.Stopped), LastAt: g.time(),
	}
}

func (g generator) claim(id uint64) scheduler.Claim {
	return scheduler.Claim{
		ID: id, Deployment: g.deployment(), Method: pick(g, quota.Stop), Transition: g.transition(),
		Made: g.instant(), Latest: g.steady(), Probe: g.flag(),
	}
}

// ending is one of any claim so far: open, ended, returned or never made.
func (g generator) ending(last uint64) scheduler.Ending {
	return scheduler.Ending{
		Claim: rapid.Uint64Range(1, last+1).Draw(g.t, "claim"), Returned: g.flag(), Ended: g.instant(),
		Known: g.flag(), Result: g.text(), Status: g.count(), Wait: g.steady(),
	}
}

func (g generator) outcome() scheduler.Outcome {
	return scheduler.Outcome{
		Deployment: g.deployment(), Policy: g.text(), Transition: g.transition(), Kind: pick(g, scheduler.Failed),
		Reason: scheduler.Reason(g.text()), Count: g.count(), Settled: g.time(), Tries: g.count(), Note: g.text(),
	}
}

func (g generator) override() policy.Override {
	return policy.Override{
		ID: g.overrideID(), Deployment: g.deployment(), Kind: pick(g, policy.Pause), Power: pick(g, policy.Stopped),
		Before: pick(g, policy.Stopped), From: g.time(), Until: g.time(), Count: g.count(), Author: g.text(), Reason: g.text(),
	}
}

func (g generator) lesson() scheduler.LearnedScope {
	return scheduler.LearnedScope{Method: pick(g, quota.Stop), Scope: pick(g, quota.Key)}
}

func (g generator) transition() scheduler.Transition {
	if g.flag() {
		return scheduler.Transition{}
	}
	return scheduler.Transition{Power: pick(g, policy.Stopped), At: g.time(), Because: policy.Because{
		Kind: pick(g, policy.KindConverge), Ref: g.text(), Pos: policy.Pos{File: g.text(), Line: g.count(), Col: g.count()},
	}}
}

func (g generator) instant() scheduler.Instant {
	if g.flag() {
		return scheduler.Instant{}
	}
	return scheduler.Instant{Wall: g.time(), Steady: g.steady(), Foreign: g.flag()}
}

// deployment is one of few, so that rows meet rows of before.
func (g generator) deployment() policy.DeploymentID {
	return policy.DeploymentID(fmt.Sprintf("w%d", rapid.IntRange(1, 4).Draw(g.t, "deployment")))
}

func (g generator) overrideID() uint64 { return rapid.Uint64Range(1, 5).Draw(g.t, "override") }

// text is valid UTF-8 without zero bytes: what every database can hold.
func (g generator) text() string {
	return strings.ReplaceAll(strings.ToValidUTF8(rapid.StringN(0, 6, -1).Draw(g.t, "text"), ""), "\x00", "")
}

// time is none, or some nanosecond of the years that 64 bits can count.
func (g generator) time() time.Time {
	if g.flag() {
		return time.Time{}
	}
	return time.Unix(0, rapid.Int64().Draw(g.t, "time"))
}

func (g generator) steady() time.Duration {
	return time.Duration(rapid.Int64Range(0, 1<<50).Draw(g.t, "steady"))
}

func (g generator) count() int { return rapid.IntRange(0, 1000).Draw(g.t, "count") }
func (g generator) flag() bool { return rapid.Bool().Draw(g.t, "flag") }

func (g generator) fingerprint() (f policy.Fingerprint) {
	copy(f[:], rapid.SliceOfN(rapid.Byte(), len(f), len(f)).Draw(g.t, "fingerprint"))
	return f
}

// pick is a value of a closed list that counts from 0.
func pick[T ~uint8](g generator, last T) T {
	return T(rapid.Uint8Range(0, uint8(last)).Draw(g.t, "enum"))
}

func some[T any](g generator, most int, make func() T) []T {
	n := rapid.IntRange(0, most).Draw(g.t, "n")
	list := []T{}
	for range n {
		list = append(list, make())
	}
	return slices.Clip(list)
}

// filled returns a T of which every field, however deep, is set, and every
// number and text is another one. A field that is new in the scheduler's types,
// and that a ledger forgets, shows up as a difference.
func filled[T any]() T {
	var v T
	n := 0
	fill(reflect.ValueOf(&v).Elem(), &n)
	return v
}

func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			*at = time.Unix(1_800_000_000, int64(*n))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d, \"quoted\" — ünïcode", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Uint8: // of a closed list, or a byte of a fingerprint
		v.SetUint(uint64(*n%2 + 1))
	default:
		panic(fmt.Sprintf("ledgertest: no filling for a %s", v.Type()))
	}
}
