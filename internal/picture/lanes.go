package picture

import (
	"fmt"
	"html"
	"iter"
	"slices"
	"strings"
	"time"
)

// row writes one row, with the heading of its group where that begins here.
func (d *drawing) row(i int) error {
	r := &d.Rows[i]
	if r.Group != "" && (i == 0 || d.Rows[i-1].Group != r.Group) {
		d.group(r.Group)
	}
	d.addf(`<g transform="translate(0 %d)">`, d.y)
	d.names(r)
	d.laneOf(i)
	d.add("</g>\n")
	d.y += d.rowHeight
	_, err := d.out.Write(nil)
	return err
}

// group writes a heading.
func (d *drawing) group(name string) {
	d.addf(`<text x="%d" y="%d" font-size="12" font-weight="600">%s</text>`+"\n", margin, d.y+groupHeight-9, d.fitted(name, 12))
	d.y += groupHeight
	d.rule(d.y)
}

// rule draws a line between rows.
func (d *drawing) rule(y int) {
	d.addf(`<path d="M%d %d.5H%d" %s/>`+"\n", margin, y-1, d.width()-margin, grid.stroke())
}

// names writes what stands before and behind a lane.
func (d *drawing) names(r *Row) {
	y := d.rowHeight/2 + 5
	if r.Note != "" {
		y = d.rowHeight/2 - 2
		d.label(r.Note, y+14, noteSize, fmt.Sprintf(` font-size="%g" %s`, noteSize, faint.fill()))
	}
	d.label(r.Name, y, nameSize, "")
	if r.Sum != "" {
		d.addf(`<text x="%d" y="%d" text-anchor="end">%s</text>`, d.width()-margin, d.rowHeight/2+5,
			html.EscapeString(cut(plain(r.Sum, false), wideNames, nameSize)))
	}
}

// label writes a text in the column of names. Where it is cut, a tooltip has the
// whole.
func (d *drawing) label(s string, y int, size float64, how string) {
	s = plain(s, false)
	short := cut(s, float64(d.left-margin-8), size)
	tip := ""
	if short != s {
		tip = tooltip(s)
	}
	d.addf(`<text x="%d" y="%d"%s>%s%s</text>`, margin, y, how, tip, html.EscapeString(short))
}

// tooltip is the element that shows s where somebody points.
func tooltip(s string) string {
	if s == "" {
		return ""
	}
	return "<title>" + html.EscapeString(plain(s, true)) + "</title>"
}

// laneOf writes the lane of a row: a reference to that of the row above where
// they are alike. Only a lane that the next row refers to has an id.
func (d *drawing) laneOf(i int) {
	if i > 0 && alike(&d.Rows[i-1], &d.Rows[i]) {
		d.addf(`<use href="#%s"/>`, d.same)
		return
	}
	if i+1 < len(d.Rows) && alike(&d.Rows[i], &d.Rows[i+1]) {
		d.lane++
		d.same = fmt.Sprintf("%s-lane-%d", d.id, d.lane)
		d.addf(`<g id="%s">`, d.same)
	} else {
		d.add("<g>")
	}
	r := &d.Rows[i]
	d.daysOff(r)
	for _, j := range d.ownJumps(r) {
		d.rowLeap(r, j)
	}
	d.drawBars(r)
	d.drawMarks(r)
	d.add("</g>")
}

// alike reports whether two rows have the same lane. Rows that share their slices
// are seen to at a glance.
func alike(a, b *Row) bool {
	return a.Location == b.Location && shared(a.Bars, b.Bars) && shared(a.Marks, b.Marks) && shared(a.Days, b.Days)
}

func shared[T comparable](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
}

// daysOff writes the hatched columns, one for days with one name in a row.
func (d *drawing) daysOff(r *Row) {
	for i := 0; i < len(r.Days); {
		from, to := dayOff(r.Days[i].Date)
		n := i + 1
		for ; n < len(r.Days) && r.Days[n].Title == r.Days[i].Title; n++ {
			begin, end := dayOff(r.Days[n].Date)
			if !begin.Equal(to) {
				break
			}
			to = end
		}
		if x, w := d.extent(from, to); w > 0 {
			d.addf(`<rect x="%s" width="%s" height="%d" %s>%s</rect>`, px(x), px(w), d.rowHeight, d.texture("off"), tooltip(r.Days[i].Title))
		}
		i = n
	}
}

// rowLeap draws a stripe in a lane where the clocks of its own zone are changed.
func (d *drawing) rowLeap(r *Row, j jump) {
	x, w := d.leapExtent(j)
	d.addf(`<g>%s<rect x="%s" width="%s" height="%d" %s/><path d="M%s 0V%d" %s stroke-dasharray="4 3"/></g>`,
		tooltip(r.Location.String()+", "+j.text()), px(x), px(w), d.rowHeight, d.texture("leap"), px(d.x(j.at)), d.rowHeight, clockwork.stroke())
}

// dayOff is the local day around an instant, in its own zone.
func dayOff(at time.Time) (from, to time.Time) {
	year, month, day := at.Date()
	name := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	return dayBegin(name, at.Location()), dayBegin(name.AddDate(0, 0, 1), at.Location())
}

// extent is where a stretch of time begins on the page, and how wide it is there.
func (d *drawing) extent(from, to time.Time) (x, width int) {
	x = d.x(from)
	return x, d.x(to) - x
}

// clipped yields the bars of a row as they are drawn: inside the span, none in
// another, none empty.
func (d *drawing) clipped(r *Row) iter.Seq[Bar] {
	return func(yield func(Bar) bool) {
		end := d.From
		for _, b := range r.Bars {
			b.From = latest(b.From, end)
			if b.To.After(d.To) {
				b.To = d.To
			}
			b.Kind %= kinds
			if !b.To.After(b.From) {
				continue
			}
			if !yield(b) {
				return
			}
			end = b.To
		}
	}
}

// drawBars writes the bars of a row: those with a tooltip that can be pointed at
// one by one, the others in a path for each kind.
func (d *drawing) drawBars(r *Row) {
	var paths [kinds]strings.Builder
	for b := range d.clipped(r) {
		x, w := d.extent(b.From, b.To)
		switch {
		case w == 0:
		case b.Title == "" || w < pointable:
			paths[b.Kind].WriteString(d.bar(b.Kind, x, w))
		default:
			d.addf(`<path d="%s" %s>%s</path>`, d.bar(b.Kind, x, w), d.brush(b.Kind), tooltip(b.Title))
		}
	}
	for k := range paths {
		if paths[k].Len() > 0 {
			d.addf(`<path d="%s" %s/>`, paths[k].String(), d.brush(Kind(k)))
		}
	}
}

// bar is the path of a bar. All stand on one line, so that they differ in height;
// Nothing is a line, whose dots are its brush's.
func (d *drawing) bar(k Kind, x, width int) string {
	low := d.rowHeight/2 + 8
	if k == Nothing {
		return fmt.Sprintf("M%s %d.5h%s", px(x), low-2, px(width))
	}
	height := [...]int{Running: 16, Stopped: 3, Between: 10}[k]
	return fmt.Sprintf("M%s %dh%sv%dh-%sz", px(x), low-height, px(width), height, px(width))
}

// brush is how bars of a kind are drawn.
func (d *drawing) brush(k Kind) string {
	switch k {
	case Running:
		return run.fill()
	case Stopped:
		return stop.fill()
	case Between:
		light, _ := trouble.colours()
		return d.texture("between") + fmt.Sprintf(` stroke="%s" class="curfew-s-%s"`, light, trouble.name())
	}
	return stop.stroke() + ` stroke-width="1.5" stroke-dasharray="1.5 4"`
}

// drawMarks writes the marks of a row, one where several would lie upon each
// other. They come last in a lane, since a bar must not hide why it is there; the
// missed ones last of all.
func (d *drawing) drawMarks(r *Row) {
	var open [markKinds]*pile
	for _, m := range r.Marks {
		if !d.there(m.At) {
			continue
		}
		k, x := m.Kind%markKinds, d.x(m.At)
		if p := open[k]; p != nil && x-p.x < apart {
			p.more++
			continue
		}
		d.mark(open[k])
		open[k] = &pile{kind: k, x: x, title: m.Title}
	}
	for _, p := range open {
		d.mark(p)
	}
}

// A pile is marks of one kind that are drawn as one.
type pile struct {
	kind  MarkKind
	x     int
	title string
	more  int
}

// mark writes a sign at its place.
func (d *drawing) mark(p *pile) {
	if p == nil {
		return
	}
	title := p.title
	if p.more > 0 {
		title = strings.TrimPrefix(fmt.Sprintf("%s\nand %d more here", title, p.more), "\n")
	}
	d.addf(`<path transform="translate(%s %d)" %s>%s</path>`, px(p.x), d.rowHeight/2, sign(p.kind), tooltip(title))
}

// sign is the shape of a mark around its middle, with a line that sets it off from
// what it lies upon.
func sign(k MarkKind) string {
	path, how := "", both(ground, called)
	switch k {
	case MarkStart:
		path, how = "M0-6L5.5 4H-5.5z", both(run, ground)
	case MarkStop:
		path, how = "M0 6L5.5-4H-5.5z", both(stop, ground)
	case MarkCancelled:
		path = "M5.5 0A5.5 5.5 0 1 1-5.5 0A5.5 5.5 0 1 1 5.5 0zM-2.5-2.5L2.5 2.5M2.5-2.5L-2.5 2.5"
	case MarkLate:
		path = "M5.5 0A5.5 5.5 0 1 1-5.5 0A5.5 5.5 0 1 1 5.5 0zM0-3.5V0H3"
	case MarkMissed:
		path, how = "M0-7L7 0L0 7L-7 0z", both(missed, ground)
	}
	return fmt.Sprintf(`d="%s" %s stroke-width="1.2"`, path, how)
}
