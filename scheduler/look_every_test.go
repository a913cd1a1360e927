package scheduler

import (
	"testing"
	"time"

	"curfew/apiclient/quota"
)

// TestLookEvery: observe_every holds where quota and pace carry it, and is
// stretched where they do not.
func TestLookEvery(t *testing.T) {
	t.Parallel()
	documented := quota.Documented(quota.Get)
	wide := quota.Limit{N: 1_000_000, Per: time.Minute}
	share := documented.Per / time.Duration(documented.N-getIdle.keep(documented))
	for _, tc := range []struct {
		name        string
		lim         quota.Limit
		scope       quota.Scope
		deployments int
		every, want time.Duration
	}{
		{"the file's", documented, quota.Deployment, 10, 5 * time.Minute, 5 * time.Minute},
		{"the quota of each", documented, quota.Deployment, 10, time.Second, share},
		{"a scope to be learned", documented, quota.Auto, 10, time.Second, share},
		{"the quota of the key, shared by ten", documented, quota.Key, 10, time.Second, 10 * share},
		{"the key's, with no deployment", documented, quota.Key, 0, time.Second, share},
		{"fifty looks a second", wide, quota.Deployment, 100_000, 5 * time.Minute, 2000 * time.Second},
	} {
		var c Config
		c.ObserveEvery, c.Quotas[quota.Get] = tc.every, tc.lim
		if got := LookEvery(c, tc.scope, tc.deployments); got != tc.want {
			t.Errorf("%s: every %s, want %s", tc.name, got, tc.want)
		}
	}
}
