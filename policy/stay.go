package policy

// Windows are a set of times. Each date on which a window begins gives a stay:
// from the first instant at which the clock shows its begin to the first at
// which it shows its end. Where the date is off the begin moves to the first
// later date that is not, and the stay is dropped if it is over by then. The
// lead then extends it to the left, and the policy wants running wherever there
// is a stay.
//
// Of one window, a stay that begins later also ends later, dropped ones left
// out, so that the last to have begun tells whether the window holds an instant.

// A window is one text, read.
type window struct {
	week       uint8 // the days of the week on which it begins, from bit 0, Sunday
	begin, end int64 // seconds after the midnight with which its date begins
	closes     bool  // its end is written 24:00
	because    Because
}

// The dates that are searched.
const (
	firstDay = -719162 // 0001-01-01
	lastDay  = 2932896 // 9999-12-31
)

// begins reports whether w begins on a date, the calendars left out.
func (w *window) begins(day int64) bool { return w.week>>weekdayOf(day)&1 == 1 }

// weekdayOf returns the day of the week, 0 for Sunday.
func weekdayOf(day int64) int64 {
	const thursday = 4 // 1970-01-01
	return ((day+thursday)%7 + 7) % 7
}

// onOrAfter returns the first date from day on on which w begins.
func (w *window) onOrAfter(day int64) int64 {
	for !w.begins(day) {
		day++
	}
	return day
}

// onOrBefore returns the last date up to day on which w begins.
func (w *window) onOrBefore(day int64) int64 {
	for !w.begins(day) {
		day--
	}
	return day
}

// A stay is one run of a window.
type stay struct {
	window     *window
	begin, end int64 // instants, without the lead
	nominal    int64 // the local time of the begin
	day        int64 // the date to which it belongs
	wasPutOff  bool

	beginMoved, endMoved bool // by a gap
}

// stay places the stay that belongs to a date and begins on another or the same,
// and returns false where it is empty: a gap swallowed it, or it was put off
// until it was over.
func (p *Policy) stay(w *window, day, on int64, guess span) (stay, bool) {
	opens, shuts := on*secondsPerDay+w.begin, day*secondsPerDay+w.end
	if shuts <= opens {
		return stay{}, false // so do the instants lie
	}
	begin, off := place(p.loc, opens, guess)
	s := stay{window: w, begin: begin, nominal: opens, day: day, wasPutOff: on != day, beginMoved: begin+off != opens}
	s.end, off = place(p.loc, shuts, guess)
	s.endMoved = s.end+off != shuts
	return s, s.begin < s.end
}

// lastStay returns the last stay of w to have begun by m, the lead left out, of
// those that end after the local time past.
func (p *Policy) lastStay(w *window, m *moment, past int64) (stay, bool) {
	for day := floorDiv(m.local-w.begin, secondsPerDay); ; day-- {
		day = w.onOrBefore(day)
		if day < firstDay || day*secondsPerDay+w.end <= past {
			return stay{}, false
		}
		on := day
		off := holding(p.off, day)
		if off != nil {
			day, on = w.onOrBefore(off.last), off.last+1
		}
		if on*secondsPerDay+w.begin <= m.local {
			if s, ok := p.stay(w, day, on, m.span); ok {
				return s, true
			}
		}
		if off != nil {
			day = off.first // those before it begin no earlier, and end earlier
		}
	}
}

// nextStay returns the first stay of w to begin after m, the lead left out. None
// is put off to a date on which w begins anyway: it would be over by then.
func (p *Policy) nextStay(w *window, m *moment) (stay, bool) {
	day := floorDiv(m.local-w.begin, secondsPerDay) + 1
	if off := holding(p.off, day-1); off != nil {
		day = off.first // what it puts off lies ahead
	}
	for {
		day = w.onOrAfter(day)
		if day > lastDay {
			return stay{}, false
		}
		on := day
		if off := holding(p.off, day); off != nil {
			day, on = w.onOrBefore(off.last), off.last+1
		}
		if s, ok := p.stay(w, day, on, m.span); ok {
			return s, true
		}
		day = max(day+1, on)
	}
}

// nextEnd returns the stay of w, on time, that is the first to end after m. Ends
// are not moved by a date that is off.
func (p *Policy) nextEnd(w *window, m *moment) (stay, bool) {
	for day := floorDiv(m.local-w.end, secondsPerDay) + 1; ; day++ {
		day = w.onOrAfter(day)
		if day > lastDay {
			return stay{}, false
		}
		if s, ok := p.stay(w, day, day, m.span); ok {
			return s, true
		}
	}
}

// prevEnd returns the stay of w, on time, that is the last to have ended by m.
func (p *Policy) prevEnd(w *window, m *moment) (stay, bool) {
	for day := floorDiv(m.local-w.end, secondsPerDay); ; day-- {
		day = w.onOrBefore(day)
		if day < firstDay {
			return stay{}, false
		}
		if s, ok := p.stay(w, day, day, m.span); ok {
			return s, true
		}
	}
}

// covering returns the first window in the file that holds the instant at, leads
// included, nil where none does.
func (p *Policy) covering(at int64) *window {
	m := momentAt(p.loc, at)
	begun := m
	if p.lead() > 0 {
		begun = momentAt(p.loc, at+p.lead())
	}
	for i := range p.windows {
		w := &p.windows[i]
		if s, ok := p.lastStay(w, &begun, m.local); ok && s.end > at {
			return w
		}
	}
	return nil
}
