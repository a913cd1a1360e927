package sim

import (
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// A Peak is the most requests of one method that reached the platform within any
// window: for one deployment, and for all of the key together.
type Peak struct {
	Limit      quota.Limit
	Deployment Busiest
	Key        Busiest
}

// Busiest is the fullest window, the first of those that are equally full: its
// requests, when the last of them arrived, and for which deployment.
type Busiest struct {
	Requests   int
	At         time.Time
	Deployment policy.DeploymentID
}

func (b *Busiest) reach(n int, m *machine, id policy.DeploymentID) {
	if n > b.Requests {
		*b = Busiest{n, m.server(), id}
	}
}

// A window counts the requests of the last window.
type window struct {
	at   []time.Duration
	head int // those before it are older than the window
}

// add counts a request, and returns how many there are in the window that ends
// with it.
func (w *window) add(now, per time.Duration) int {
	for w.head < len(w.at) && w.at[w.head] <= now-per {
		w.head++
	}
	if w.head > len(w.at)/2 {
		w.at, w.head = append(w.at[:0], w.at[w.head:]...), 0
	}
	w.at = append(w.at, now)
	return len(w.at) - w.head
}
