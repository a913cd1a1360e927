// Package simplatform is a simulated EMQX Platform: the other side of every
// test, of `curfew simulate`, `curfew demo` and `curfew platform`.
//
// A World is the platform itself. It answers get, start, stop and list as the
// API page documents them, moves deployments through starting and stopping,
// counts quotas, and misbehaves where a Fault says so: answers get lost, proxies
// deliver twice, transitions roll back. It keeps its own log in server time and
// a scoreboard, so that what a client claims to have done can be held against
// what a server saw.
//
// A World is pure: the time of each call is an argument, it starts no goroutine,
// reads no clock, and rolls dice by hashing its seed. The same calls give the
// same log. It is cheap enough to be asked ten million times for one simulated
// year, and it is not safe for concurrent use. A Handler puts one on the wire,
// with a lock around it, and does to connections what faults ask for.
//
// It never shares a line with the code that it judges. In particular it counts
// quotas from the server's end, by instants of arrival, in a sliding window or
// in one of two kinds of fixed one, over each deployment or a whole key, since
// the documentation leaves that open and a client has to survive all of them.
// What nobody documents is a setting here, and the default is the strict reading.
//
//	w := simplatform.New(simplatform.Config{})
//	w.Add(t, simplatform.Deployment{ID: "w41b11c0", Name: "dev-eu"}, simplatform.Timing{})
//	f, _ := simplatform.ParseFault("stop dev-eu lost-answer x1", t)
//	w.AddFault(f)
//	r := w.Do(t, simplatform.Request{Method: simplatform.Stop, ID: "w41b11c0"})
//	// r.Delivery is Closed: no answer came. r.Applied is true: it stops all the same.
package simplatform
