package calendar

import (
	"fmt"
	"slices"
	"strings"
)

// What a file may have. A calendar that decides over days off has some dozen
// events a year; ten thousand are a whole company's appointments.
const (
	maxEvents  = 10_000
	maxDepth   = 16 // components inside each other; RFC 5545 needs three
	maxOffsets = 64 // of one zone; Europe/Berlin has had seven
)

// A record is one VEVENT as it stands in the file: those of its properties that
// say on which days it is.
type record struct {
	line  int
	props map[string][]property
	fault error // why it cannot be read, and where
	at    int
}

// recorded are the names of these properties.
var recorded = []string{
	"UID", "SEQUENCE", "SUMMARY", "STATUS", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE",
	"RECURRENCE-ID", "X-MICROSOFT-CDO-ALLDAYEVENT",
}

// one returns the property of that name; of several the first.
func (r *record) one(name string) (property, bool) {
	if props := r.props[name]; len(props) > 0 {
		return props[0], true
	}
	return property{}, false
}

// text returns the value of one, or "".
func (r *record) text(name string) string {
	p, _ := r.one(name)
	return p.value
}

// add takes a line of the event itself. A summary that cannot be read costs the
// name, any other property the event.
func (r *record) add(l line) {
	name := l.name()
	if !slices.Contains(recorded, name) {
		return
	}
	p, err := l.property()
	switch {
	case err == nil:
		r.props[name] = append(r.props[name], p)
	case name != "SUMMARY" && r.fault == nil:
		r.fault, r.at = fmt.Errorf("has a %s that cannot be read: %w", name, err), l.n
	}
}

// A file is what counts of an iCalendar file.
type file struct {
	calendars int
	records   []*record
	offsets   map[string][]int // of its zones, by TZID: seconds east of Greenwich
}

// A component is one that is open: BEGIN was read and END was not.
type component struct {
	name string
	line int
}

// A scanner reads the lines of a file into components.
type scanner struct {
	notes *notes
	file  file
	open  []component
	deep  int     // components open beyond maxDepth
	event *record // the VEVENT that is open
	zone  string  // the TZID of the VTIMEZONE that is open
	shift []int   // and its offsets: TZID may come last
}

// scan reads text.
func scan(text string, n *notes) file {
	s := scanner{notes: n, file: file{offsets: map[string][]int{}}}
	last := 1
	for l := range contentLines(text) {
		last = l.n
		s.line(l)
	}
	if len(s.open) > 0 {
		n.add(last, "the file ends inside its %s: is it complete?", clip(s.open[len(s.open)-1].name, maxName))
		s.closeTo(0)
	}
	return s.file
}

// line gives l to where it belongs. BEGIN and END have no parameters and are read
// without the library.
func (s *scanner) line(l line) {
	switch l.name() {
	case "BEGIN":
		s.begin(component{l.word(), l.n})
	case "END":
		s.end(component{l.word(), l.n})
	default:
		s.property(l)
	}
}

// property gives a line to the component that it stands in, if that counts. A
// VALARM has a DURATION too: what stands in it is none of the event's.
func (s *scanner) property(l line) {
	if s.deep > 0 || len(s.open) == 0 {
		return
	}
	switch top := s.open[len(s.open)-1].name; {
	case top == "VEVENT" && s.event != nil:
		s.event.add(l)
	case top == "VTIMEZONE" && l.name() == "TZID":
		s.zone = zoneName(l.text[strings.IndexByte(l.text, ':')+1:])
	case (top == "STANDARD" || top == "DAYLIGHT") && l.name() == "TZOFFSETTO":
		if offset, ok := parseOffset(l.word()); ok && len(s.shift) < maxOffsets && !slices.Contains(s.shift, offset) {
			s.shift = append(s.shift, offset)
		}
	}
}

// begin opens a component. A calendar never stands in anything, an event and a
// zone stand in a calendar only: what is open there lacks its END.
func (s *scanner) begin(c component) {
	switch c.name {
	case "VCALENDAR":
		s.closeTo(0)
		s.file.calendars++
	case "VEVENT", "VTIMEZONE", "VTODO", "VJOURNAL", "VFREEBUSY":
		s.closeTo(1)
	}
	if len(s.open) >= maxDepth {
		s.deep++
		s.notes.add(c.line, "components stand in each other more than %d deep: what is inside is left out", maxDepth)
		return
	}
	s.open = append(s.open, c)
	if len(s.open) == 2 && s.open[0].name == "VCALENDAR" {
		s.enter(c)
	}
}

// enter begins an event or a zone. Tasks and journals have the same properties
// and are entered by nobody.
func (s *scanner) enter(c component) {
	switch {
	case c.name == "VTIMEZONE":
		s.zone, s.shift = "", nil
	case c.name == "VEVENT" && len(s.file.records) < maxEvents:
		s.event = &record{line: c.line, props: map[string][]property{}}
	case c.name == "VEVENT":
		s.notes.add(c.line, "there are more than %d events: this one and those below it are left out", maxEvents)
	}
}

// end closes the innermost component of that name, with what is open in it: an
// alarm that lacks its END must not swallow the events behind it.
func (s *scanner) end(c component) {
	if s.deep > 0 {
		s.deep--
		return
	}
	i := len(s.open) - 1
	for i >= 0 && s.open[i].name != c.name {
		i--
	}
	if i < 0 {
		s.notes.add(c.line, "END:%s ends nothing: the line is left out", clip(c.name, maxName))
		return
	}
	s.closeTo(i + 1)
	s.open = s.open[:i]
	if i == 1 {
		s.leave(c)
	}
}

// leave keeps the event or the zone that has come to its END.
func (s *scanner) leave(c component) {
	switch {
	case c.name == "VEVENT" && s.event != nil:
		s.file.records = append(s.file.records, s.event)
		s.event = nil
	case c.name == "VTIMEZONE" && s.zone != "":
		s.file.offsets[s.zone] = s.shift
	}
}

// closeTo closes all but the first n components for want of an END. Half an
// event is none: nobody knows what would have come.
func (s *scanner) closeTo(n int) {
	s.deep = 0
	if len(s.open) <= n {
		return
	}
	if s.event != nil && n < 2 {
		s.notes.add(s.event.line, "the event that begins here has no END:VEVENT and is left out")
		s.event = nil
	}
	s.open = s.open[:n]
}

// zoneName returns a TZID without what some write around it.
func zoneName(tzid string) string { return strings.Trim(tzid, `" `) }
