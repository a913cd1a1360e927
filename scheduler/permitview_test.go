package scheduler

import (
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// TestPermit: what one deployment may still call, and when again, by its own use,
// by that of the whole key, and after a 429.
func TestPermit(t *testing.T) {
	t.Parallel()
	wall := time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC)
	now := Now{Wall: wall, Steady: 10 * time.Hour}
	used := func(id uint64, d policy.DeploymentID, ago, wait time.Duration) Use {
		return Use{
			Claim: Claim{ID: id, Deployment: d, Method: quota.Stop, Made: Instant{Wall: wall.Add(-ago), Steady: now.Steady - ago}},
			Ended: Instant{Wall: wall.Add(-ago), Steady: now.Steady - ago}, Known: true, Wait: wait,
		}
	}
	margin := time.Hour / 1000
	for _, c := range []struct {
		name  string
		scope quota.Scope
		limit int
		uses  []Use
		of    policy.DeploymentID
		left  int
		in    time.Duration // less than nought: never
	}{
		{"nothing used", quota.Deployment, 1, nil, "w1", 1, 0},
		{"used by itself", quota.Deployment, 1, []Use{used(1, "w1", 20*time.Minute, 0)}, "w1", 0, 40*time.Minute + margin},
		{"used by another", quota.Deployment, 1, []Use{used(1, "w1", 20*time.Minute, 0)}, "w2", 1, 0},
		{"used by another of the key", quota.Key, 1, []Use{used(1, "w1", 20*time.Minute, 0)}, "w2", 0, 40*time.Minute + margin},
		{"of two of the key, one", quota.Key, 2, []Use{used(1, "w1", 20*time.Minute, 0)}, "w2", 1, 0},
		{"over by now", quota.Deployment, 1, []Use{used(1, "w1", 2*time.Hour, 0)}, "w1", 1, 0},
		{"after a 429", quota.Deployment, 2, []Use{used(1, "w1", 20*time.Minute, 2*time.Hour)}, "w1", 0, 100 * time.Minute},
		{"of a strange deployment", quota.Deployment, 1, []Use{used(1, "w1", 20*time.Minute, 0)}, "w9", 1, 0},
		{"no call at all", quota.Deployment, 0, nil, "w1", 0, -1},
	} {
		cfg := Config{Account: "default", Set: &policy.Set{}, ObserveEvery: DefaultObserveEvery}
		for m := range quota.Method(quota.Methods) {
			cfg.Quotas[m] = quota.Limit{N: c.limit, Per: time.Hour, Scope: c.scope}
		}
		v := New(now, cfg, State{Uses: c.uses}).Permit(c.of, quota.Stop)
		want := wall.Add(c.in)
		if c.in < 0 {
			want = time.Time{}
		}
		if v.Left != c.left || !v.At.Equal(want) || v.Scope != c.scope || v.Limit.N != c.limit {
			t.Errorf("%s: %d left, the next at %s, scope %s; want %d and %s", c.name, v.Left, v.At, v.Scope, c.left, want)
		}
	}
}
