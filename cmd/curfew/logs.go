package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"
)

// newLogger returns the daemon's log, which it writes to w. auto is text for
// people, where end is a terminal, and JSON for everything that collects logs.
func newLogger(c *console, end, w io.Writer, format string) *slog.Logger {
	if format == "auto" {
		format = "json"
		if terminal(end) {
			format = "text"
		}
	}
	if format == "text" {
		return slog.New(tint.NewTextHandler(w, &tint.Options{
			NoColor: !c.coloured(end), TimeFormat: "2006-01-02 15:04:05.000",
		}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: readableSpans}))
}

// readableSpans writes durations as people do. slog's own JSON has nanoseconds.
func readableSpans(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().Round(time.Microsecond).String())
	}
	return a
}
