package picture

import (
	"fmt"
	"strings"
)

// An ink is a colour in both schemes: in light as a presentation attribute, which
// any renderer knows, in dark by a rule of the style sheet, which wins over it.
type ink uint8

const (
	ground    ink = iota // under everything
	weekend              // the ground of Saturdays and Sundays
	words                // names
	faint                // notes and ticks
	grid                 // lines between days and rows
	hatch                // days off
	run                  // running
	stop                 // stopped, and nothing
	trouble              // in between
	called               // cancelled
	missed               // missed
	clockwork            // changes of the clocks
	present              // now
	inks
)

// colours are the light and the dark tone of each ink. Those of bars, marks and
// words keep WCAG's AA contrast to the ground and to that of a weekend.
func (i ink) colours() (light, dark string) {
	c := [...][2]string{
		ground:    {"#ffffff", "#0d1117"},
		weekend:   {"#eff2f5", "#1b222b"},
		words:     {"#1f2328", "#f0f6fc"},
		faint:     {"#59636e", "#b1bac4"},
		grid:      {"#d1d9e0", "#333b45"},
		hatch:     {"#b08a3c", "#8f7640"},
		run:       {"#1a7f37", "#3fb950"},
		stop:      {"#59636e", "#9aa4af"},
		trouble:   {"#9a6700", "#d29922"},
		called:    {"#1f2328", "#f0f6fc"},
		missed:    {"#cf222e", "#ff7b72"},
		clockwork: {"#7a48d6", "#d2a8ff"},
		present:   {"#bf3989", "#ff80c8"},
	}[i]
	return c[0], c[1]
}

// name is the ink's part of a class.
func (i ink) name() string {
	return [...]string{"ground", "weekend", "words", "faint", "grid", "hatch", "run", "stop", "trouble", "called",
		"missed", "clock", "now"}[i]
}

// fill and stroke are the attributes that draw with an ink.
func (i ink) fill() string {
	light, _ := i.colours()
	return fmt.Sprintf(`fill="%s" class="curfew-f-%s"`, light, i.name())
}

func (i ink) stroke() string {
	light, _ := i.colours()
	return fmt.Sprintf(`fill="none" stroke="%s" class="curfew-s-%s"`, light, i.name())
}

// both fills with one ink and draws the edge with another, which a rule for two
// classes can follow.
func both(fill, stroke ink) string {
	f, _ := fill.colours()
	s, _ := stroke.colours()
	return fmt.Sprintf(`fill="%s" stroke="%s" class="curfew-f-%s curfew-s-%s"`, f, s, fill.name(), stroke.name())
}

// style is the sheet: the dark tones, and a picture that fits a narrow page. No
// rule asks for the picture around a class: where a lane is used again, a browser
// sees none. The names are the picture's own, so nothing else in a page is meant.
func style() string {
	var b strings.Builder
	b.WriteString("<style>.curfew-picture{max-width:100%;height:auto}@media(prefers-color-scheme:dark){")
	for i := range inks {
		_, dark := i.colours()
		fmt.Fprintf(&b, ".curfew-f-%s{fill:%s}.curfew-s-%s{stroke:%s}", i.name(), dark, i.name(), dark)
	}
	b.WriteString("}</style>\n")
	return b.String()
}
