// Package demo shows in half a minute what curfew is for, with no account.
//
// Nothing in it is canned. A simulated EMQX Platform listens on a random port of
// the loopback; the real binary runs beside it as a process of its own, with its
// own loop, HTTP client and ledger, on a clock that lets a Friday evening pass in
// some seconds. It is killed with SIGKILL between a POST and its answer, and
// started again. What is told of it comes from the platform's own log while it
// happens, and from the daemon's ledger when it has ended.
//
// Three nights that take too long even so, a foreign 429 and two DST changes,
// are played in virtual time by the same core against the same platform (package
// sim). A plain loop of cron and curl then lives through the same tapes, and the
// platform keeps the score of both.
//
//	err := demo.Run(ctx, demo.Options{Out: os.Stdout, Binary: os.Args[0], ...})
package demo
