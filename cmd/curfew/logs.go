package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"

	"curfew/policy"
)

// newLogger returns the daemon's log, which it writes to w; end is where that
// leads to.
func newLogger(c *console, end, w io.Writer, format string) *slog.Logger {
	if textLog(end, format) {
		return slog.New(tint.NewTextHandler(w, &tint.Options{
			NoColor: !c.coloured(end), TimeFormat: "2006-01-02 15:04:05.000",
		}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: readable}))
}

// textLog reports whether a log that leads to end is for people. auto is, on a
// terminal; everything that collects logs gets JSON.
func textLog(end io.Writer, format string) bool {
	return format == "text" || format == "auto" && terminal(end)
}

// readable puts into JSON what its readers can use.
func readable(groups []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindAny {
		return placeInParts(a)
	}
	return readableSpans(groups, a)
}

// readableSpans writes durations as people do. slog's own JSON has nanoseconds.
func readableSpans(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().Round(time.Microsecond).String())
	}
	return a
}

// placeInParts writes the parts of a place beside the whole, so that no program
// has to take file:line:column to pieces.
func placeInParts(a slog.Attr) slog.Attr {
	pos, ok := a.Value.Any().(policy.Pos)
	if !ok {
		return a
	}
	parts := []slog.Attr{slog.String("file", pos.File)}
	if pos.Line > 0 {
		parts = append(parts, slog.Int("line", pos.Line))
	}
	if pos.Col > 0 {
		parts = append(parts, slog.Int("column", pos.Col))
	}
	// A group without a name has its attributes where it stands itself.
	return slog.Attr{Value: slog.GroupValue(append(parts, slog.String(a.Key, pos.String()))...)}
}

// logProblem puts one problem of a configuration into a log. There a caret says
// nothing.
func logProblem(to *slog.Logger, p policy.Problem) {
	level := slog.LevelError
	if p.Warning {
		level = slog.LevelWarn
	}
	to.Log(context.Background(), level, "problem in the configuration", "place", p.Pos, "text", p.Text, "hint", p.Hint)
}

// logStandard sends what libraries say by Go's standard log to the daemon's, such
// as net/http of an answer that nobody asked for: between lines of JSON, theirs
// would be one that no pipeline can read.
func logStandard(to *slog.Logger) {
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(to.Handler(), slog.LevelWarn).Writer())
}

// tellDropped returns how a log whose reader was too slow says how many lines it
// lacks. That goes past the queue, which is full.
func tellDropped(c *console, format string) func(n int) {
	if textLog(c.err, format) {
		return func(n int) {
			fmt.Fprintf(c.err, "curfew: %d log lines were dropped: nobody read them in time\n", n)
		}
	}
	to := newLogger(c, c.err, c.err, format)
	return func(n int) { to.Warn("log lines were dropped: nobody read them in time", "count", n) }
}
