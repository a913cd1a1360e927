package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"curfew/policy"
	"curfew/scheduler"
)

// largeFleet is n deployments under 200 policies, every nth of which is due.
func largeFleet(n, every int) *scheduler.Snapshot {
	s := &scheduler.Snapshot{Now: scheduler.Now{Wall: noon()}, Deployments: calmFleet(n), Settled: true}
	for i := range 200 {
		s.Policies = append(s.Policies, scheduler.PolicyView{Name: fmt.Sprintf("policy-%03d", i), Members: n / 200})
	}
	for i := range s.Deployments {
		v := &s.Deployments[i]
		v.Policy = s.Policies[i%200].Name
		v.Look = look("running", "a name of usual length")
		v.SeenAt, v.Next = noon(), [2]time.Time{noon().Add(time.Hour), noon().Add(2 * time.Hour)}
		if i%every == 0 {
			v.Due = scheduler.Transition{Power: policy.Stopped, At: noon()}
		}
	}
	return s
}

// BenchmarkScrape is a whole scrape, to the last byte of text. The target is one
// second for 100,000 deployments under 200 policies (DESIGN section 10).
func BenchmarkScrape(b *testing.B) {
	for _, bc := range []struct {
		name     string
		n, every int
	}{
		{"5000_in_detail", 5000, 100},
		{"100000_of_which_1000_are_due", 100_000, 100},
		{"100000_all_of_them_due", 100_000, 1},
	} {
		b.Run(bc.name, func(b *testing.B) {
			s := largeFleet(bc.n, bc.every)
			var names []string
			for _, p := range s.Policies {
				names = append(names, p.Name)
			}
			d := newDaemon(b, always(s), PerDeploymentAuto, names...)
			b.ReportAllocs()
			var size int
			for b.Loop() {
				w := httptest.NewRecorder()
				d.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "bytes/scrape")
		})
	}
}

// BenchmarkObserve is what a boundary costs the loop, for each notice.
func BenchmarkObserve(b *testing.B) {
	d := newDaemon(b, always(fleet()), PerDeploymentAuto, "office-hours")
	notices := happened()
	b.ReportAllocs()
	for b.Loop() {
		d.metrics.Observe(notices)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(notices)), "ns/notice")
}

// BenchmarkIndex is the page of a large fleet.
func BenchmarkIndex(b *testing.B) {
	d := newDaemon(b, always(largeFleet(100_000, 100)), PerDeploymentAuto)
	for b.Loop() {
		if code, _ := d.get("/"); code != http.StatusOK {
			b.Fatalf("GET /: %d", code)
		}
	}
}
