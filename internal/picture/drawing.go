package picture

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Where things are, in pixels.
const (
	plotWidth   = 860
	margin      = 16
	groupHeight = 30
	lowRow      = 26 // without notes
	highRow     = 38
	nameSize    = 13.0
	noteSize    = 11.0
	narrowNames = 90
	wideNames   = 300
	pointable   = 300 // hundredths: a bar that is narrower has no tooltip
	apart       = 800 // hundredths: marks of one kind that are nearer are one
)

// A drawing is a Picture on its way out. x counts in hundredths of a pixel, in
// integers, so that what touches in time touches on the page.
type drawing struct {
	*Picture
	id  string
	out *bufio.Writer

	left, sums int // where the plot begins; how wide the column behind it is
	top, low   int // of the lanes
	rowHeight  int
	title      int // the baselines above the lanes, 0 where there is none
	note       int
	clockLine  int
	upper      int
	lower      int

	y      int // where the next row begins
	lane   int // how many lanes have an id
	same   string
	bars   [kinds]bool // what the legend is to explain
	marks  [markKinds]bool
	hasDay bool
	leaps  []jump            // of the picture's clock
	own    map[string][]jump // of the clocks of rows, by their zones
	leapt  bool              // a row has one
}

func newDrawing(p *Picture, w io.Writer) *drawing {
	d := &drawing{Picture: p, id: p.ID, out: bufio.NewWriterSize(w, 64<<10), own: map[string][]jump{}}
	if !properID(d.id) {
		d.id = "curfew"
	}
	for j := range p.jumps(p.location()) {
		d.leaps = append(d.leaps, j)
	}
	d.survey()
	d.layOut()
	return d
}

// properID reports whether s can begin an id as it is.
func properID(s string) bool {
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// survey looks at all rows for what the size and the legend depend on.
func (d *drawing) survey() {
	names, sums, group := float64(narrowNames), widthOf(plain(d.Sum, false), noteSize), ""
	d.rowHeight = lowRow
	for i := range d.Rows {
		r := &d.Rows[i]
		if r.Note != "" {
			d.rowHeight = highRow
		}
		names = max(names, widthOf(plain(r.Name, false), nameSize), widthOf(plain(r.Note, false), noteSize))
		sums = max(sums, widthOf(plain(r.Sum, false), nameSize))
		if r.Group != "" && r.Group != group {
			d.low += groupHeight
		}
		group = r.Group
		if i == 0 || !alike(&d.Rows[i-1], r) { // a fleet's rows are few lanes
			d.explain(r)
		}
	}
	d.left = margin + int(min(names, wideNames)) + 12
	if sums > 0 {
		d.sums = int(min(sums, wideNames)) + 14
	}
	d.low += d.rowHeight * max(len(d.Rows), 1)
}

// explain notes what of a row the legend is to explain. What lies outside the span
// is not drawn and needs no word.
func (d *drawing) explain(r *Row) {
	for b := range d.clipped(r) {
		d.bars[b.Kind] = true
	}
	for _, m := range r.Marks {
		if d.there(m.At) {
			d.marks[m.Kind%markKinds] = true
		}
	}
	d.leapt = d.leapt || len(d.ownJumps(r)) > 0
	for _, day := range r.Days {
		if _, w := d.extent(dayOff(day.Date)); w > 0 {
			d.hasDay = true
			break
		}
	}
}

// there reports whether an instant is in the picture, its end included.
func (d *drawing) there(at time.Time) bool { return !at.Before(d.From) && !at.After(d.To) }

// layOut places what is above the lanes, one line after the other.
func (d *drawing) layOut() {
	y := 8
	for _, line := range []struct {
		at     *int
		height int
		there  bool
	}{
		{&d.title, 24, d.Title != ""},
		{&d.note, 18, d.Note != ""},
		{&d.clockLine, 20, len(d.leaps) > 0},
		{&d.upper, 22, true},
		{&d.lower, 18, true},
	} {
		if line.there {
			y += line.height
			*line.at = y
		}
	}
	d.top = y + 8
	d.low += d.top
	d.y = d.top
}

func (d *drawing) width() int  { return d.left + plotWidth + d.sums + margin }
func (d *drawing) height() int { return d.low + d.legendHeight() }

// x is where an instant is, from the left edge, in hundredths of a pixel. It never
// falls as time grows.
func (d *drawing) x(at time.Time) int {
	const all = plotWidth * 100
	part := seconds(d.From, at) / seconds(d.From, d.To)
	return d.left*100 + int(math.Round(all*min(max(part, 0), 1)))
}

// add writes text as it is. The writer keeps the first error.
func (d *drawing) add(text string) { _, _ = d.out.WriteString(text) }

func (d *drawing) addf(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format, args...) }

// px writes hundredths of a pixel as a number without needless digits.
func px(hundredths int) string { return strconv.FormatFloat(float64(hundredths)/100, 'f', -1, 64) }

// begin writes the root and what stands above the axis.
func (d *drawing) begin() {
	tone, _ := words.colours() // of all text that says nothing else
	d.addf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-labelledby="%s-title %s-desc" `+
		`fill="%s" class="curfew-picture curfew-f-words" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="%g">`+"\n",
		d.width(), d.height(), d.width(), d.height(), d.id, d.id, tone, nameSize)
	d.addf(`<title id="%s-title">%s</title>`+"\n", d.id, html.EscapeString(plain(d.Title, false)))
	d.addf(`<desc id="%s-desc">%s</desc>`+"\n", d.id, html.EscapeString(d.spoken()))
	d.add(style())
	d.add("<defs>")
	d.pattern("off", 7, hatch, "M0 7L7 0M-1 1L1-1M6 8L8 6", 1)
	d.pattern("between", 5, trouble, "M1.5 0V5", 2.5)
	d.pattern("leap", 4, clockwork, "M0 0H4", 1.5)
	d.add("</defs>\n")
	d.addf(`<rect width="100%%" height="100%%" %s/>`+"\n", ground.fill())
	if d.title > 0 {
		d.addf(`<text x="%d" y="%d" font-size="16" font-weight="600">%s</text>`+"\n", margin, d.title, d.fitted(d.Title, 16))
	}
	if d.note > 0 {
		d.addf(`<text x="%d" y="%d" font-size="12" %s>%s</text>`+"\n", margin, d.note, faint.fill(), d.fitted(d.Note, 12))
	}
}

// fitted is a line over the whole picture.
func (d *drawing) fitted(s string, size float64) string {
	return html.EscapeString(cut(plain(s, false), float64(d.width()-2*margin), size))
}

// pattern defines a texture of square tiles.
func (d *drawing) pattern(name string, size int, i ink, path string, width float64) {
	d.addf(`<pattern id="%s-%s" width="%d" height="%d" patternUnits="userSpaceOnUse"><path d="%s" stroke-width="%g" %s/></pattern>`,
		d.id, name, size, size, path, width, i.stroke())
}

// texture is the attribute that fills with a pattern.
func (d *drawing) texture(name string) string { return fmt.Sprintf(`fill="url(#%s-%s)"`, d.id, name) }

// spokenRows is how many rows the description tells of one by one.
const spokenRows = 40

// spoken is the picture for those who do not see it: for how long each row is
// what.
func (d *drawing) spoken() string {
	var b strings.Builder
	if d.Note != "" {
		b.WriteString(plain(d.Note, false) + ". ")
	}
	for i := range d.Rows[:min(len(d.Rows), spokenRows)] {
		r := &d.Rows[i]
		b.WriteString(plain(r.Name, false) + ": ")
		b.WriteString(strings.Join(d.totals(r), ", ") + ". ")
	}
	if more := len(d.Rows) - spokenRows; more > 0 {
		fmt.Fprintf(&b, "And %d more.", more)
	}
	return strings.TrimSpace(b.String())
}

// totals says for how long a row is of each kind, in tenths of an hour.
func (d *drawing) totals(r *Row) []string {
	var sum [kinds]time.Duration
	for b := range d.clipped(r) {
		sum[b.Kind] += b.To.Sub(b.From)
	}
	var parts []string
	for k, total := range sum {
		if total > 0 {
			parts = append(parts, Kind(k).String()+" "+strconv.FormatFloat(total.Round(6*time.Minute).Hours(), 'f', -1, 64)+" h")
		}
	}
	if parts == nil {
		return []string{"nothing is known"}
	}
	return parts
}
