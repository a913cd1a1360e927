package simplatform

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// An arrival is a request that was counted.
type arrival struct {
	at  time.Duration // after the epoch
	own bool
}

// full counts by brute force: from the list of everything that was counted, is
// there room for one more at now?
func full(q Quota, counted []arrival, now time.Duration) bool {
	n := 0
	switch q.Window {
	case Sliding:
		for _, a := range counted {
			if a.at > now-q.Per {
				n++
			}
		}
	case Aligned:
		for _, a := range counted {
			if block(a.at, q.Per) == block(now, q.Per) {
				n++
			}
		}
	case FromFirst:
		var opened time.Duration
		for i, a := range counted {
			if i == 0 || a.at >= opened+q.Per {
				opened, n = a.at, 0
			}
			n++
		}
		if len(counted) == 0 || now >= opened+q.Per {
			n = 0
		}
	}
	return n >= q.N
}

// block numbers the aligned window that holds an instant.
func block(after, per time.Duration) int64 {
	return epoch().Add(after).UnixNano() / int64(per)
}

func drawQuota(t *rapid.T) Quota {
	return Quota{
		N:            rapid.IntRange(1, 4).Draw(t, "n"),
		Per:          time.Duration(rapid.IntRange(3, 12).Draw(t, "per")) * time.Second,
		Scope:        rapid.SampledFrom([]Scope{PerDeployment, PerKey}).Draw(t, "scope"),
		Window:       rapid.SampledFrom([]Window{Sliding, Aligned, FromFirst}).Draw(t, "window"),
		FreeRejected: rapid.Bool().Draw(t, "free rejected"),
	}
}

// subject names what a request is counted over.
func subject(q Quota, r Request) string {
	if q.Scope == PerKey {
		return "key " + r.Key
	}
	return "deployment " + r.ID
}

// TestQuotaAgainstBruteForce: whatever arrives, a request is answered 429 exactly
// where a count of all earlier ones says so, it is the client's own fault exactly
// where a count of its own says so, and Retry-After names the first instant at
// which it would be answered otherwise.
func TestQuotaAgainstBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuota(t)
		w := New(Config{Quotas: [Methods]Quota{Get: q}})
		_ = w.Add(epoch(), Deployment{ID: "a"}, Timing{})
		_ = w.Add(epoch(), Deployment{ID: "b"}, Timing{})
		counted := map[string][]arrival{}
		var now time.Duration
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			now += time.Duration(rapid.IntRange(0, 8).Draw(t, "gap")) * 500 * time.Millisecond
			r := Request{Method: Get,
				ID:  rapid.SampledFrom([]string{"a", "b", "nobody"}).Draw(t, "id"),
				Key: rapid.SampledFrom([]string{"k", "l"}).Draw(t, "key"),
			}
			own := rapid.IntRange(0, 3).Draw(t, "who") > 0
			of := subject(q, r)
			isFull := full(q, counted[of], now)
			accepted := !isFull
			if own {
				accepted = judge(t, w, q, r, counted[of], now)
			} else {
				w.Foreign(epoch().Add(now), r)
			}
			if accepted || !q.FreeRejected {
				counted[of] = append(counted[of], arrival{now, own})
			}
		}
	})
}

// judge makes one request of the client, holds it against the count, and
// reports whether it was accepted.
func judge(t *rapid.T, w *World, q Quota, r Request, counted []arrival, now time.Duration) bool {
	got := w.Do(epoch().Add(now), r)
	want := 200
	if r.ID == "nobody" {
		want = 404
	}
	if full(q, counted, now) {
		want = 429
	}
	if got.Status != want {
		t.Fatalf("%+v %s at %s after %v: status %d, want %d", q, subject(q, r), now, counted, got.Status, want)
	}
	var mine []arrival
	for _, a := range counted {
		if a.own {
			mine = append(mine, a)
		}
	}
	if over := full(q, mine, now); got.OverQuota != over {
		t.Fatalf("%+v at %s after %v of its own: over quota %t, want %t", q, now, mine, got.OverQuota, over)
	}
	if frees := now + got.Retry.After; want == 429 && (full(q, counted, frees) || !full(q, counted, frees-1)) {
		t.Fatalf("%+v at %s after %v: Retry-After %s is not the first free instant", q, now, counted, got.Retry.After)
	}
	return got.Status == 200
}

// TestDocumentedQuotas: the defaults are those of the API page.
func TestDocumentedQuotas(t *testing.T) {
	t.Parallel()
	for m, n := range map[Method]int{Get: 60, List: 60, Start: 1, Stop: 1} {
		w := worldOf(t, Config{}, example())
		for i := range n {
			if r := do(w, time.Duration(i), m, example().ID); r.Status == 429 {
				t.Errorf("%s number %d of an hour: 429, want %d to be allowed", m, i+1, n)
			}
		}
		if r := do(w, time.Hour-1, m, example().ID); r.Status != 429 || !r.OverQuota {
			t.Errorf("%s number %d of an hour: %d, over quota %t; want 429", m, n+1, r.Status, r.OverQuota)
		}
		if r := do(w, 2*time.Hour, m, example().ID); r.Status == 429 {
			t.Errorf("%s an hour after the last that counted: 429", m)
		}
	}
}

// TestQuotasAreApart: start, stop, and another deployment's have nothing to do
// with each other, unless the scope is the key.
func TestQuotasAreApart(t *testing.T) {
	t.Parallel()
	for scope, want := range map[Scope]int{PerDeployment: 201, PerKey: 429} {
		c := Config{Quotas: [Methods]Quota{Stop: {Scope: scope}, Start: {Scope: scope}}}
		w := worldOf(t, c, Deployment{ID: "a"}, Deployment{ID: "b"}, Deployment{ID: "c", Status: Stopped})
		do(w, 0, Stop, "a")
		if r := do(w, time.Second, Stop, "b"); r.Status != want {
			t.Errorf("scope %d: stop of another deployment: %d, want %d", scope, r.Status, want)
		}
		if r := do(w, time.Second, Start, "c"); r.Status != 201 {
			t.Errorf("scope %d: start after a stop: %d, want 201", scope, r.Status)
		}
	}
}

func TestRetryHeader(t *testing.T) {
	t.Parallel()
	now := epoch().Add(300 * time.Millisecond)
	for _, c := range []struct {
		retry Retry
		want  string
	}{
		{Retry{}, ""},
		{Retry{NoRetry, time.Hour}, ""},
		{Retry{RetrySeconds, 90 * time.Second}, "90"},
		{Retry{RetrySeconds, 90*time.Second + 1}, "91"},
		{Retry{RetrySeconds, -time.Minute}, "-60"},
		{Retry{RetrySeconds, 10 * 365 * 24 * time.Hour}, "315360000"},
		{Retry{RetryDate, time.Minute}, "Mon, 21 Dec 2026 08:01:01 GMT"},
		{Retry{RetryDate, 700 * time.Millisecond}, "Mon, 21 Dec 2026 08:00:01 GMT"},
		{Retry{RetryDate, -time.Hour}, "Mon, 21 Dec 2026 07:00:01 GMT"},
		{Retry{RetryGarbage, 0}, "in a while"},
	} {
		if got := c.retry.Header(now); got != c.want {
			t.Errorf("%+v: %q, want %q", c.retry, got, c.want)
		}
	}
}

// ExampleWorld_Foreign: a 429 without the client's doing.
func ExampleWorld_Foreign() {
	t := time.Date(2026, 12, 21, 20, 0, 0, 0, time.UTC)
	w := New(Config{Retry: Retry{Style: RetrySeconds}})
	_ = w.Add(t.Add(-time.Hour), Deployment{ID: "w41b11c0", Name: "dev-eu"}, Timing{})
	w.Foreign(t.Add(-20*time.Minute), Request{Method: Stop, ID: "w41b11c0"})
	r := w.Do(t, Request{Method: Stop, ID: "w41b11c0"})
	fmt.Println(r.Status, r.Retry.Header(t), r.OverQuota, w.Score().OverQuota)
	// Output: 429 2400 false 0
}
