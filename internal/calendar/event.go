package calendar

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

const (
	maxSpan = 400 // days of one event
	maxName = 80  // characters of a day's name
)

// errTimed is why an event does not count: it is no whole day.
var errTimed = errors.New("has a time of day, and only whole days count")

// An event is a record, understood.
type event struct {
	*record
	uid, name string
	sequence  int
	start     day
	span      int // in days
	clock     clock
	timed     bool   // it has a time of day: no days, but it may be the change of an instance
	cancelled bool   // STATUS:CANCELLED
	change    bool   // it replaces the instance that RECURRENCE-ID names
	instance  moment // which one
	onward    bool   // and all that follow (RANGE=THISANDFUTURE)
	dateOnly  bool   // DTSTART is a date
}

// event understands r; an error says why it is left out. What has a time of day
// is kept, without days: it may be what became of one day of a series, which is
// then no day off any more.
func (f *file) event(r *record, n *notes) (event, error) {
	if r.fault != nil {
		return event{}, r.fault
	}
	e := event{record: r, uid: r.text("UID"), name: cleaned(r.text("SUMMARY"))}
	e.sequence, _ = strconv.Atoi(strings.TrimSpace(r.text("SEQUENCE")))
	e.cancelled = strings.EqualFold(strings.TrimSpace(r.text("STATUS")), "CANCELLED")
	if err := e.recurrence(n); err != nil {
		return event{}, err
	}
	err := f.extent(&e)
	if errors.Is(err, errTimed) {
		e.timed, err = true, nil
	}
	if e.span > maxSpan {
		n.add(r.line, "%s lasts %d days and is cut after %d", e.title(), e.span, maxSpan)
		e.span = maxSpan
	}
	return e, err
}

// dayless reports whether e has no days of its own.
func (e *event) dayless() bool { return e.timed || e.cancelled }

// title names the event in a notice.
func (e *event) title() string {
	if e.name == "" {
		return "an event without a name"
	}
	return strconv.Quote(e.name)
}

// recurrence reads which instance e replaces, if any.
func (e *event) recurrence(n *notes) error {
	p, ok := e.one("RECURRENCE-ID")
	if !ok {
		return nil
	}
	var err error
	if e.instance, err = parseMoment(p.value, p); err != nil {
		return fmt.Errorf("has a RECURRENCE-ID that cannot be read: %w", err)
	}
	e.change = true
	switch scope := strings.ToUpper(p.param("RANGE")); scope {
	case "":
	case "THISANDFUTURE":
		e.onward = true
	default:
		n.add(p.line, "RANGE=%s is not supported: %s changes one day only", clip(scope, maxName), e.title())
	}
	return nil
}

// extent reads on which days e is; errTimed means on none. Of what stands in a
// zone the date counts as it is written: a day off in Berlin is the 24th there,
// and no instant.
func (f *file) extent(e *event) error {
	p, ok := e.one("DTSTART")
	if !ok {
		return errors.New("has no DTSTART")
	}
	m, err := parseMoment(p.value, p)
	if err != nil {
		return fmt.Errorf("has a DTSTART that cannot be read: %w", err)
	}
	e.dateOnly, e.clock = m.kind == onDate, f.clock(m)
	if e.allDay() && m.kind == inUTC && m.secs != 0 {
		// Old Outlooks write the local midnight of an all-day event in UTC.
		e.clock = f.clock(moment{kind: onDate})
		if d, ok := e.clock.beginning(m); ok {
			m.day, m.secs = d, 0
		}
	}
	e.start = m.day
	if m.secs != 0 {
		return errTimed
	}
	e.span, err = e.length(m)
	return err
}

// allDay reports whether Outlook calls e an all-day event.
func (e *event) allDay() bool {
	return strings.EqualFold(strings.TrimSpace(e.text("X-MICROSOFT-CDO-ALLDAYEVENT")), "TRUE")
}

// clock returns the clock of an event that starts at m. One that names no zone
// has that of the file, if there is exactly one.
func (f *file) clock(m moment) clock {
	switch {
	case m.kind == inUTC:
		return clock{utc: true}
	case m.kind == inZone:
		return clock{offsets: f.offsets[m.zone]}
	case len(f.offsets) == 1:
		for _, offsets := range f.offsets {
			return clock{offsets: offsets}
		}
	}
	return clock{}
}

// length returns how many days an event is long that starts at a midnight. RFC
// 5545 gives a date without an end one day; many programs write the same date as
// its end and mean the same.
func (e *event) length(start moment) (int, error) {
	days, given, err := e.given(start)
	switch {
	case err != nil:
		return 0, err
	case days < 0:
		return 0, errors.New("ends before it begins")
	case days > 0:
		return days, nil
	case e.dateOnly, e.allDay() && !given:
		return 1, nil // an all-day event without an end, or with its beginning as its end
	}
	return 0, errTimed
}

// given returns the days from start to DTEND, which is the first moment that no
// longer belongs to the event, or those of DURATION.
func (e *event) given(start moment) (days int, given bool, err error) {
	if p, ok := e.one("DTEND"); ok {
		end, err := parseMoment(p.value, p)
		if err != nil {
			return 0, true, fmt.Errorf("has a DTEND that cannot be read: %w", err)
		}
		last, err := e.midnight(start, end)
		return int(last - start.day), true, err
	}
	if p, ok := e.one("DURATION"); ok {
		secs, err := parseDuration(p.value)
		if err == nil && secs%daySeconds != 0 {
			err = errTimed
		}
		return secs / daySeconds, true, err
	}
	return 0, false, nil
}

// midnight returns the day that begins where the event ends. 23:59 and 23:59:59
// are taken for the midnight behind them.
func (e *event) midnight(start, end moment) (day, error) {
	switch {
	case end.kind == inUTC && !e.clock.utc && !(e.dateOnly && end.secs == 0):
		d, ok := e.clock.beginning(end)
		switch {
		case ok:
			return d, nil
		case start.kind == inZone && len(e.clock.offsets) == 0:
			return 0, fmt.Errorf("ends in UTC and begins in the zone %q, which the file does not describe", clip(start.zone, maxName))
		}
		return 0, errTimed
	case end.kind == inZone && start.kind == inZone && end.zone != start.zone, end.kind == inZone && start.kind == inUTC:
		return 0, fmt.Errorf("begins in the zone %q and ends in %q", clip(start.zone, maxName), clip(end.zone, maxName))
	case end.secs == 0:
		return end.day, nil
	case end.secs >= daySeconds-60:
		return end.day + 1, nil
	}
	return 0, errTimed
}

var durationForm = regexp.MustCompile(
	`^([+-])?P(?:([0-9]{1,5})W)?(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,7})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,9})S)?)?$`)

// parseDuration reads a DURATION (RFC 5545, section 3.3.6), in seconds; a day
// has 24 hours here, whatever the clocks do.
func parseDuration(text string) (int, error) {
	m := durationForm.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(text)))
	if m == nil {
		return 0, fmt.Errorf("has a DURATION that cannot be read: %q", clip(text, maxName))
	}
	days := number(m[2])*7 + number(m[3])
	secs := days*daySeconds + number(m[4])*3600 + number(m[5])*60 + number(m[6])
	if m[1] == "-" {
		secs = -secs
	}
	return secs, nil
}

// cleaned returns a SUMMARY, unescaped before, as the name of a day.
func cleaned(summary string) string {
	return clip(oneLine(summary), maxName)
}

// oneLine takes line breaks and control characters out of text, and what turns
// the direction of writing for whatever stands behind it.
func oneLine(text string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r), r == '\ufeff':
			return -1
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(plain), " ")
}
