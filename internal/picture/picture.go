package picture

import (
	"errors"
	"io"
	"time"
)

// ErrNoSpan is returned for a picture that ends before it begins.
var ErrNoSpan = errors.New("draw picture: it must end after it begins")

// Kind is what a bar stands for.
type Kind uint8

// The kinds of bars.
const (
	Running Kind = iota // running, or wanted so: a tall bar
	Stopped             // stopped, or wanted so: a low one
	Nothing             // nobody wants anything, or nobody knows: a dotted line
	Between             // in transition, or in trouble: a striped bar of half the height
	kinds
)

// String returns the word of the legend.
func (k Kind) String() string {
	switch k {
	case Running:
		return "running"
	case Stopped:
		return "stopped"
	case Nothing:
		return "nothing wanted"
	case Between:
		return "in between"
	}
	return "?"
}

// A Bar is a stretch of time, [From, To), of one kind. Title is its tooltip, which
// may have several lines; it is left out where the bar is too narrow to be
// pointed at.
type Bar struct {
	From, To time.Time
	Kind     Kind
	Title    string
}

// MarkKind is what a mark stands for.
type MarkKind uint8

// The kinds of marks.
const (
	MarkStart     MarkKind = iota // a start: a triangle that points up
	MarkStop                      // a stop: one that points down
	MarkCancelled                 // a start or stop that does not happen, and was not meant to: a cross in a circle
	MarkLate                      // one that came late: a clock
	MarkMissed                    // one that should have happened and did not: a diamond
	markKinds
)

// String returns the word of the legend.
func (k MarkKind) String() string {
	switch k {
	case MarkStart:
		return "start"
	case MarkStop:
		return "stop"
	case MarkCancelled:
		return "cancelled"
	case MarkLate:
		return "late"
	case MarkMissed:
		return "missed"
	}
	return "?"
}

// A Mark is an instant with a sign and a tooltip. Marks of one kind that would lie
// upon each other are drawn as one, which says how many there are.
type Mark struct {
	At    time.Time
	Kind  MarkKind
	Title string
}

// A Day is a day off: a hatched column behind the bars. Date is any instant of
// it, in the zone whose day it is, which need not be that of the picture.
type Day struct {
	Date  time.Time
	Title string
}

// A Row is one lane. Name and Note stand before it, Sum behind it; they are cut
// where they are too long, and a tooltip has the whole. A Group is a heading above
// the first of the rows that bear it one after the other; empty for none.
//
// Bars, Marks and Days are in the order of their times. What lies outside the span
// is cut off; a bar that begins before the end of the one before it begins there.
//
// Location is the zone of the row's own clock, where that need not be the
// picture's: its changes are marked in the lane. Nil is the picture's.
type Row struct {
	Group, Name, Note string
	Sum               string
	Location          *time.Location
	Bars              []Bar
	Marks             []Mark
	Days              []Day
}

// A Picture is lanes over [From, To).
type Picture struct {
	// ID begins the ids inside the SVG: letters, digits and hyphens, the first a
	// letter; anything else counts as empty, which stands for "curfew". Pictures
	// in one page need different ones.
	ID string

	Title, Note string // above the lanes; the note is small
	Sum         string // the heading above the Sum of the rows

	From, To time.Time
	Now      time.Time      // a line, where it lies in the span; zero for none
	Location *time.Location // whose clock the axis shows; UTC where it is nil

	Rows []Row
}

// Write writes the picture as one SVG element. It fails with ErrNoSpan, or with
// the first error of w.
func (p *Picture) Write(w io.Writer) error {
	if !p.To.After(p.From) {
		return ErrNoSpan
	}
	d := newDrawing(p, w)
	d.begin()
	d.backdrop()
	d.axis()
	for i := range p.Rows {
		if err := d.row(i); err != nil {
			return err
		}
	}
	d.now()
	d.legend()
	d.add("</svg>\n")
	return d.out.Flush()
}

// location is the zone of the axis.
func (p *Picture) location() *time.Location {
	if p.Location == nil {
		return time.UTC
	}
	return p.Location
}
