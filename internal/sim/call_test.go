package sim

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/internal/simplatform"
	"curfew/scheduler"
)

// TestAnswerTo reads the platform's responses as package apiclient reports them:
// what was certainly not sent, what may have been, and what can be believed.
func TestAnswerTo(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 11, 24, 20, 0, 0, 5e8, time.UTC)
	whole := date.Truncate(time.Second)
	seen := simplatform.Deployment{ID: "d1", Name: "one", Status: simplatform.Running, Connections: 1000}
	look := scheduler.Look{Status: "running", Name: "one", Connections: 1000}
	retry := func(s simplatform.RetryStyle, d time.Duration) simplatform.Retry {
		return simplatform.Retry{Style: s, After: d}
	}
	for _, c := range []struct {
		name string
		r    simplatform.Response
		want scheduler.Answer
	}{
		{"a look", simplatform.Response{Status: 200, Deployment: seen},
			scheduler.Answer{Sent: true, Status: 200, Sane: true, Look: look, Date: whole}},
		{"a trickled answer is whole in the end", simplatform.Response{Status: 200, Deployment: seen, Delivery: simplatform.Trickled},
			scheduler.Answer{Sent: true, Status: 200, Sane: true, Look: look, Date: whole}},
		{"an error in an accepting body", simplatform.Response{Status: 201, Delivery: simplatform.Misleading},
			scheduler.Answer{Sent: true, Status: 201, Date: whole}},
		{"no JSON", simplatform.Response{Status: 200, Deployment: seen, Delivery: simplatform.Garbled},
			scheduler.Answer{Sent: true, Status: 200, Date: whole}},
		{"a reset after the head", simplatform.Response{Status: 201, Delivery: simplatform.Reset},
			scheduler.Answer{Sent: true, Status: 201, Date: whole}},
		{"a reset in an error says as much as the error", simplatform.Response{Status: 422, Delivery: simplatform.Reset},
			scheduler.Answer{Sent: true, Status: 422, Date: whole}},
		{"closed without an answer", simplatform.Response{Delivery: simplatform.Closed}, scheduler.Answer{Sent: true}},
		{"nothing arrived", simplatform.Response{Delivery: simplatform.NotReached}, scheduler.Answer{}},
		{"429 with seconds, rounded up", simplatform.Response{Status: 429, Retry: retry(simplatform.RetrySeconds, 1500*time.Millisecond)},
			scheduler.Answer{Sent: true, Status: 429, RetryAfter: 2 * time.Second, Date: whole}},
		{"429 with a date in the past", simplatform.Response{Status: 429, Retry: retry(simplatform.RetryDate, -time.Hour)},
			scheduler.Answer{Sent: true, Status: 429, Date: whole}},
		{"429 with a century", simplatform.Response{Status: 429, Retry: retry(simplatform.RetrySeconds, 100*maxRetryAfter)},
			scheduler.Answer{Sent: true, Status: 429, RetryAfter: maxRetryAfter, Date: whole}},
		{"429 with garbage", simplatform.Response{Status: 429, Retry: retry(simplatform.RetryGarbage, time.Hour)},
			scheduler.Answer{Sent: true, Status: 429, Date: whole}},
	} {
		got := answerTo(&c.r, date)
		got.Err = "" // for people
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (- want, + got):\n%s", c.name, diff)
		}
	}
}
