package picture

import (
	"fmt"
	"html"
	"strconv"
	"strings"
	"time"
)

// backdrop draws what lies behind all rows: weekends, changes of the clocks, and
// the lines of the axis.
func (d *drawing) backdrop() {
	s := d.Picture.scale(plotWidth)
	d.weekends()
	for _, j := range d.leaps {
		d.leap(j)
	}
	d.lines(s)
	d.rule(d.top)
	d.rule(d.low)
}

// weekends shades Saturdays and Sundays where a week is wide enough for that.
func (d *drawing) weekends() {
	if plotWidth*weeks.seconds()/seconds(d.From, d.To) < 12 {
		return
	}
	var path strings.Builder
	for day := range d.dates() {
		// The middle of a day is always of that day.
		switch day.from.Add(day.to.Sub(day.from) / 2).Weekday() {
		case time.Saturday, time.Sunday:
			x, w := d.extent(day.from, day.to)
			fmt.Fprintf(&path, "M%s %dh%sV%dh-%sz", px(x), d.top, px(w), d.low, px(w))
		}
	}
	if path.Len() > 0 {
		d.addf(`<path d="%s" %s/>`+"\n", path.String(), weekend.fill())
	}
}

// leapExtent is where a change of the clocks is drawn: as wide as the time that
// comes twice; what is skipped has no width in real time and gets a little.
func (d *drawing) leapExtent(j jump) (x, width int) {
	x, width = d.extent(j.at, j.at.Add(-min(j.by, 0)))
	if width < pointable {
		x, width = x-pointable/2, pointable
	}
	return x, width
}

// leap draws a stripe where clocks are changed.
func (d *drawing) leap(j jump) {
	x, w := d.leapExtent(j)
	d.addf(`<g>%s<rect x="%s" y="%d" width="%s" height="%d" %s/><path d="M%s %dV%dM%s %dV%d" %s stroke-dasharray="4 3"/></g>`+"\n",
		tooltip(j.text()), px(x), d.top, px(w), d.low-d.top, d.texture("leap"),
		px(d.x(j.at)), d.clockLine+3, d.upper-12, px(d.x(j.at)), d.top, d.low, clockwork.stroke())
}

// text says what happens.
func (j jump) text() string {
	how := "forward"
	if j.by < 0 {
		how = "back"
	}
	return fmt.Sprintf("%s: the clocks go %s, %s → %s", j.at.Format("Mon 2 January 2006"), how, j.before, j.after)
}

// lines draws a line for each tick, a stronger one for those of the upper line.
func (d *drawing) lines(s scale) {
	for _, kind := range []struct {
		step
		width string
	}{{s.lower, "0.5"}, {s.upper, "1"}} {
		var path strings.Builder
		for t := range d.ticks(kind.step) {
			if t.from.After(d.From) {
				fmt.Fprintf(&path, "M%s %dV%d", px(d.x(t.from)), d.top, d.low)
			}
		}
		if path.Len() > 0 {
			d.addf(`<path d="%s" stroke-width="%s" %s/>`+"\n", path.String(), kind.width, grid.stroke())
		}
	}
}

// axis writes the labels above the lanes.
func (d *drawing) axis() {
	s := d.Picture.scale(plotWidth)
	d.upperLine(s)
	d.lowerLine(s.lower)
	d.clockTexts()
	if d.sums > 0 && d.Sum != "" {
		d.addf(`<text x="%d" y="%d" text-anchor="end" font-size="11" %s>%s</text>`+"\n", d.width()-margin, d.lower, faint.fill(),
			html.EscapeString(cut(plain(d.Sum, false), wideNames, noteSize)))
	}
}

// upperLine writes the labels of the upper line, each at the begin of its stretch,
// where there is room in it. A day of another length than 24 hours says so.
func (d *drawing) upperLine(s scale) {
	if s.lower.unit == s.upper.unit {
		return
	}
	for t := range d.ticks(s.upper) {
		x, w := d.extent(t.from, t.to)
		room := float64(w)/100 - 6
		if widthOf(t.label, 12) > room {
			continue
		}
		note := ""
		if h := t.to.Sub(t.from).Hours(); s.upper.unit == days && h != 24 {
			note = strconv.FormatFloat(h, 'f', -1, 64) + " h"
		}
		d.addf(`<text x="%s" y="%d" font-size="12" font-weight="600">%s`, px(x+400), d.upper, t.label)
		if note != "" && widthOf(t.label+" "+note, 12) <= room {
			d.addf(` <tspan font-weight="400" %s>%s</tspan>`, clockwork.fill(), note)
		}
		d.add("</text>\n")
	}
}

// lowerLine writes those of the lower line: hours and weeks where they begin, of
// everything else the name in the middle.
func (d *drawing) lowerLine(s step) {
	end := 0 // of the label before
	for t := range d.ticks(s) {
		x, w := d.extent(t.from, t.to)
		half := int(widthOf(t.label, noteSize) * 50)
		at := x
		if s.unit != hours && s.unit != weeks {
			at = x + w/2
			if 2*half > w {
				continue
			}
		}
		if t.from.Before(d.From) && at == x || at-half < end {
			continue
		}
		d.addf(`<text x="%s" y="%d" text-anchor="middle" font-size="11" %s>%s</text>`+"\n", px(at), d.lower, faint.fill(), t.label)
		end = at + half + 300
	}
}

// clockTexts writes what clocks are changed from and to, and "now", above the
// axis.
func (d *drawing) clockTexts() {
	end := 0
	for _, j := range d.leaps {
		text := j.before + " → " + j.after
		half := int(widthOf(text, noteSize) * 50)
		at := d.within(d.x(j.at), half)
		if at-half < end {
			continue
		}
		d.addf(`<text x="%s" y="%d" text-anchor="middle" font-size="11" %s>%s</text>`+"\n", px(at), d.clockLine, clockwork.fill(), text)
		end = at + half + 600
	}
}

// within moves the middle of a text so that the text stays in the picture.
func (d *drawing) within(at, half int) int {
	return max(min(at, (d.width()-margin)*100-half), margin*100+half)
}

func (d *drawing) nowThere() bool {
	return !d.Now.IsZero() && !d.Now.Before(d.From) && d.Now.Before(d.To)
}

// now draws the line of the present over all rows.
func (d *drawing) now() {
	if !d.nowThere() {
		return
	}
	x := d.x(d.Now)
	d.addf(`<g>%s<path d="M%s %dV%d" stroke-width="1.5" %s/>`, tooltip("now: "+d.Now.In(d.location()).Format("Mon 2 Jan 2006 15:04")),
		px(x), d.lower+6, d.low, present.stroke())
	d.addf(`<path d="M%s %dl-4-6h8z" %s/></g>`+"\n", px(x), d.lower+10, present.fill())
}
