package simplatform

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Scope says over what the platform counts a quota. The documentation does not.
type Scope uint8

// The scopes. A list is always counted over its key: it names no deployment.
const (
	PerDeployment Scope = iota
	PerKey
)

// Window says how a quota's time is cut. The documentation does not.
type Window uint8

// The windows.
const (
	Sliding   Window = iota // each request counts for Per from its arrival
	Aligned                 // Per by Per from 1970 on: both sides of a boundary may be full
	FromFirst               // a window opens with the first request that no window holds
)

// A Quota is one method's limit: N requests per Per. The zero Quota is the
// documented one of its method; a negative N is no limit.
type Quota struct {
	N            int
	Per          time.Duration
	Scope        Scope
	Window       Window
	FreeRejected bool // a request that is neither accepted nor applied does not count
}

// documented is what the API page says of a method.
func documented(m Method) Quota {
	if m == Get || m == List {
		return Quota{N: 60, Per: time.Hour}
	}
	return Quota{N: 1, Per: time.Hour}
}

// or fills what q leaves out from the documented quota.
func (q Quota) or(d Quota) Quota {
	if q.N == 0 {
		q.N = d.N
	}
	if q.Per <= 0 {
		q.Per = d.Per
	}
	return q
}

// A counter holds the requests of one method that count, as a server would: by
// arrival. For a sliding window only the last N arrivals matter, since the
// window is full exactly while the oldest of those is inside it.
type counter struct {
	last  []int64 // sliding: the last arrivals, at most N, a ring
	head  int     // the oldest of a full ring
	start int64   // fixed windows: when the present one began
	used  int     // fixed windows: how many it holds
}

// frees is the instant from which one more is allowed; anything up to now means
// that it is allowed.
func (c *counter) frees(q *Quota, now int64) int64 {
	switch {
	case q.N < 0:
		return now
	case q.Window == Sliding:
		if len(c.last) < q.N {
			return now
		}
		return c.last[c.head] + int64(q.Per)
	case c.used < q.N || !c.inside(q, now):
		return now
	}
	return c.start + int64(q.Per)
}

// inside reports whether now lies in the fixed window that c counts.
func (c *counter) inside(q *Quota, now int64) bool {
	return c.used > 0 && now < c.start+int64(q.Per)
}

// add counts a request that arrived at now.
func (c *counter) add(q *Quota, now int64) {
	switch {
	case q.N < 0:
	case q.Window == Sliding && len(c.last) < q.N:
		c.last = append(c.last, now)
	case q.Window == Sliding:
		c.last[c.head] = now
		c.head++
		if c.head == q.N {
			c.head = 0
		}
	default:
		c.addFixed(q, now)
	}
}

func (c *counter) addFixed(q *Quota, now int64) {
	if !c.inside(q, now) {
		c.start, c.used = now, 0
		if per := int64(q.Per); q.Window == Aligned {
			c.start -= ((now % per) + per) % per
		}
	}
	c.used++
}

// A meter counts one quota twice: all of it, which decides, and the client's
// own part, which says whose fault a 429 is. Up to the first request of somebody
// else the two are one.
type meter struct {
	all counter
	own *counter
}

// overs returns when one more request is allowed, and whether the client's own
// requests alone would forbid it at now.
func (m *meter) overs(q *Quota, now int64) (frees int64, own bool) {
	frees = m.all.frees(q, now)
	if m.own == nil {
		return frees, frees > now
	}
	return frees, m.own.frees(q, now) > now
}

// add counts a request of by.
func (m *meter) add(q *Quota, now int64, by By) {
	if by != ByClient && m.own == nil {
		own := m.all
		own.last = append([]int64(nil), m.all.last...)
		m.own = &own
	}
	m.all.add(q, now)
	if by == ByClient && m.own != nil {
		m.own.add(q, now)
	}
}

// RetryStyle is how a 429 says when to come back.
type RetryStyle uint8

// The styles of Retry-After.
const (
	NoRetry      RetryStyle = iota // no such header
	RetrySeconds                   // a number of seconds
	RetryDate                      // an HTTP date
	RetryGarbage                   // a header that means nothing
)

// A Retry is the Retry-After of a 429. After may be negative, or absurdly long.
type Retry struct {
	Style RetryStyle
	After time.Duration
}

// Header returns the value of the Retry-After header of an answer given at now,
// empty for none. Seconds are rounded up, so that obeying is enough.
func (r Retry) Header(now time.Time) string {
	switch r.Style {
	case RetrySeconds:
		s := int64(r.After / time.Second)
		if r.After > 0 && r.After%time.Second > 0 {
			s++
		}
		return strconv.FormatInt(s, 10)
	case RetryDate:
		return now.Add(r.After + time.Second - 1).UTC().Truncate(time.Second).Format(http.TimeFormat)
	case RetryGarbage:
		return "in a while"
	}
	return ""
}

// String returns what ParseFault reads after "retry=".
func (r Retry) String() string {
	switch r.Style {
	case RetrySeconds:
		return r.After.String()
	case RetryDate:
		return fmt.Sprintf("date:%s", r.After)
	case RetryGarbage:
		return "garbage"
	}
	return "none"
}
