// Package policy is the law: what a deployment should be at an instant, since
// when, until when, and because of which line of the file.
//
// The answer is a function of the policies, a person's overrides and the
// instant. Nothing here reads a clock, touches a file, logs, starts a goroutine
// or remembers anything, so a restart, a missed minute, a clock step, a reload
// and the night of a clock change are the same question asked once more. Time
// zones come in from outside (a zone's data is a file), and so do the
// overrides; what is settled already is known to package scheduler alone.
//
//	set, problems := policy.Compile(specs, env)       // all problems at once
//	p, ok := set.Of("w41b11c0")                       // one deployment, one policy
//	d := p.Decide(now)                                // stopped since 20:00 until Wed 08:00
//	d = p.DecideUnder(overrides, now)                 // running until 22:00, hold #7 by anna
//	edges := p.Edges(now, now.AddDate(0, 0, 7))       // plan: what comes, and what will not
//
// Layers, each in terms of the one below. A Schedule is one expression in one
// zone and answers with instants, forwards and backwards. A Policy's own times
// join the schedules of both powers into edges: they move starts ahead by their
// lead, and settle who wins where a gap puts a start and a stop at one instant.
// Windows are another form of the same: a set of times, whose edges are those of
// the union of its stays. Calendars come in twice. Dates that are off take
// beginnings away before anything else is said: they are put off, or dropped.
// Days that want one power, or nothing, are laid over the edges last, and decide
// which of them count. A Decision is the latest edge that counts, under the
// overrides.
//
// A calendar is a set of dates. Whatever repeats is written out by its loader, so
// nothing here knows a rule of Easter, and a search is over once it has passed
// the last date by the few days that a window can last: from there on the answer
// is that of the policy without calendars.
//
// Cron is robfig/cron's parser and bit sets, with its Next left alone. From the
// sets to instants leads one rule (see Schedule): a fixed local time is reached
// at the first instant at which the clock shows it or more, which covers the
// skipped hour and the repeated one, and never falls as the local time grows,
// so that the same search runs both ways.
//
//	s, err := policy.ParseSchedule("30 2 * * *", berlin)
//	s.Next(saturday) // Sunday 03:00 CEST where the clocks skip 02:30
//
// Questions are answered from the year 1 to 9999, and every search ends there.
// A policy's answers are in its own zone, on whole seconds: compare them with
// time.Time.Equal.
package policy
