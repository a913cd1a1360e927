package demo

import (
	"context"
	"fmt"
	"io"
	"time"

	"curfew/scheduler"
)

// Options are what a demonstration needs from the program around it.
type Options struct {
	Out    io.Writer
	Binary string   // the curfew binary, which is run as a child: an absolute path
	Env    []string // of the child, beside the demo's key
	Keep   bool     // leave platform and daemon up until the context ends
	Colour bool

	// Lapse returns the flags that give a child a clock on which time passes
	// factor times faster from origin on, and a function that reads that clock.
	Lapse func(factor float64, origin time.Time) ([]string, func() time.Time)
}

// A show is a demonstration under way.
type show struct {
	Options
	ours, theirs score
	err          error // the first one of writing
}

// Run shows everything, in the order of what convinces, and returns when it has
// ended; with Keep, when the context does.
func Run(ctx context.Context, o Options) error {
	s := &show{Options: o}
	s.printf("curfew stops EMQX Platform deployments when nobody needs them, and starts them in time.\n" +
		"Everything below happens now, on this machine: the real daemon against a simulated platform.\n")
	keep, err := s.playEvening(ctx)
	if err != nil {
		return err
	}
	defer keep.end()
	for _, part := range []func(context.Context) error{s.playNights, s.scoreboard, s.week} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	s.firstFile()
	if o.Keep {
		s.printf("\nStill up until Ctrl-C: %s (metrics, page) and the platform at %s/_sim/log\n", keep.daemonURL, keep.platformURL)
		<-ctx.Done()
	}
	return s.err
}

// scoreboard prints what the platforms counted.
func (s *show) scoreboard(context.Context) error {
	s.head("Scoreboard, from the platforms' own logs; beside it, on the same four tapes, a loop that")
	s.printf("%s\n", s.paint("1", "compares the local minute and calls curl --retry 3"))
	s.printf("  %-30s %8s %13s\n", "", "curfew", "loop + curl")
	for _, row := range []struct {
		what         string
		ours, theirs int
	}{
		{"starts and stops sent", s.ours.posts, s.theirs.posts},
		{"looks sent", s.ours.gets, s.theirs.gets},
		{"over quota", s.ours.over, s.theirs.over},
		{"repeated", s.ours.repeated, s.theirs.repeated},
		{"wanted but not reached", s.ours.missed, s.theirs.missed},
	} {
		s.printf("  %-30s %8d %13d\n", row.what, row.ours, row.theirs)
	}
	s.printf("  server saw %d calls · over quota %d · repeated %d · wanted but not reached %d\n",
		s.ours.posts+s.ours.gets, s.ours.over, s.ours.repeated, s.ours.missed)
	return nil
}

// firstFile prints the file to begin with.
func (s *show) firstFile() {
	s.head("Begin with six lines in curfew.yaml, then: curfew run -c curfew.yaml --dry-run")
	s.printf("%s", FirstFile)
}

// FirstFile is the smallest useful configuration. The key comes from the
// environment, EMQXCLOUD_PLATFORM_API_KEY and _API_SECRET.
const FirstFile = `timezone: Europe/Berlin
policies:
  - name: office-hours
    deployments: [w41b11c0]
    start: "0 8 * * MON-FRI"
    stop: "0 20 * * MON-FRI"
`

func (s *show) head(text string) { s.printf("\n%s\n", s.paint("1", text)) }

func (s *show) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(s.Out, format, args...); err != nil && s.err == nil {
		s.err = fmt.Errorf("write the demonstration: %w", err)
	}
}

func (s *show) paint(code, text string) string {
	if !s.Colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// outcome is an outcome's word, green where all is well.
func (s *show) outcome(o scheduler.Outcome) string {
	word := o.Kind.String()
	if o.Reason != scheduler.ReasonNone {
		word += ": " + string(o.Reason)
	}
	if o.Kind == scheduler.Done || o.Kind == scheduler.Already {
		return s.paint("32", word)
	}
	return s.paint("33", word)
}
