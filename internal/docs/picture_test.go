package docs

import (
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"curfew/policy"
)

// Where things are in a picture, in its own units.
const (
	left      = 170 // of the plot
	width     = 720 // of the plot: three units for each minute of four hours
	right     = 30
	clockTop  = 92
	clockLow  = 252
	laneTop   = 300
	laneEvery = 46
)

// style has both colour schemes. A picture brings its own ground, so that it is
// readable on a page that follows another setting than the reader's system; and
// it has no variables, which not every renderer knows.
const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.mono { font-family: ui-monospace, monospace }
.small { font-size: 11px; fill: #59636e }
.title { font-size: 16px; font-weight: 600 }
.ground { fill: #ffffff }
.before { fill: #ddf4ff }
.after { fill: #fff1c9 }
.grid { stroke: #b7c1cb; stroke-width: 0.5 }
.clock { stroke: #59636e; stroke-width: 2 }
.jump { stroke: #59636e; stroke-width: 2; stroke-dasharray: 2 4 }
.want { stroke: #0550ae; stroke-dasharray: 6 4 }
.fixed { fill: #0550ae }
.real { fill: #116329 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.small { fill: #b1bac4 }
.ground { fill: #0d1117 }
.before { fill: #12283f }
.after { fill: #33290c }
.grid { stroke: #59636e }
.clock, .jump { stroke: #b1bac4 }
.want { stroke: #79c0ff }
.fixed { fill: #79c0ff }
.real { fill: #56d364 }
}
</style>
`

// A drawing is the text of a picture of one night.
type drawing struct {
	night
	loc *time.Location
	strings.Builder
}

// picture draws the night: above, what the local clock shows as real time goes
// by; below, when each expression is due.
func (n night) picture(t *testing.T) string {
	d := &drawing{night: n, loc: location(t, n.zone)}
	low := laneTop + laneEvery*len(nightly()) + 4
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc">`,
		left+width+right, low+34)
	d.add(`<title id="title">%s</title>`, html.EscapeString(n.title))
	d.add(`<desc id="desc">%s</desc>`, html.EscapeString(d.spoken(t)))
	d.WriteString(style)
	d.add(`<rect class="ground" width="100%%" height="100%%"/>`)
	d.text(20, 30, "title", "start", n.title)
	d.text(20, 52, "small", "start", n.what)
	d.ground(low)
	d.clock(t)
	for i, expr := range nightly() {
		d.lane(t, laneTop+laneEvery*i, expr)
	}
	d.WriteString("</svg>\n")
	return d.String()
}

// spoken is the picture for those who do not see it.
func (d *drawing) spoken(t *testing.T) string {
	parts := []string{d.what + "."}
	for _, expr := range nightly() {
		var due []string
		for _, e := range d.runs(t, expr) {
			due = append(due, shown(e))
		}
		when := "at " + strings.Join(due, ", ")
		if due == nil {
			when = "not in this night"
		}
		parts = append(parts, expr+" is due: "+when+".")
	}
	return strings.Join(parts, " ")
}

func (d *drawing) add(format string, args ...any) {
	fmt.Fprintf(d, format, args...)
	d.WriteString("\n")
}

func (d *drawing) text(x, y float64, class, anchor, text string) {
	d.add(`<text x="%g" y="%g" class="%s" text-anchor="%s">%s</text>`, x, y, class, anchor, html.EscapeString(text))
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	d.add(`<line class="%s" x1="%g" y1="%g" x2="%g" y2="%g"/>`, class, x1, y1, x2, y2)
}

// x is where an instant is, from left to right.
func (d *drawing) x(at time.Time) float64 {
	return left + width*at.Sub(d.from).Minutes()/d.to.Sub(d.from).Minutes()
}

// local counts the minutes that a clock in the zone is past midnight.
func (d *drawing) local(at time.Time) float64 {
	h, m, _ := at.In(d.loc).Clock()
	return float64(60*h + m)
}

// y is where a local time is, from bottom to top, given in minutes.
func (d *drawing) y(local float64) float64 {
	first, last := d.local(d.from), d.local(d.to)
	return clockLow - (clockLow-clockTop)*(local-first)/(last-first)
}

// ground draws the two offsets as fields, with a line for each half hour and
// what clocks show then.
func (d *drawing) ground(low int) {
	for _, field := range []struct {
		class    string
		from, to time.Time
	}{{"before", d.from, d.change}, {"after", d.change, d.to}} {
		d.add(`<rect class="%s" x="%g" y="70" width="%g" height="%d"/>`,
			field.class, d.x(field.from), d.x(field.to)-d.x(field.from), low-70)
		d.text(d.x(field.from)+8, 85, "small", "start", field.from.In(d.loc).Format("MST, UTC-07:00"))
	}
	for at := d.from; !at.After(d.to); at = at.Add(30 * time.Minute) {
		d.line("grid", d.x(at), clockTop, d.x(at), float64(low))
		d.text(d.x(at), clockLow+18, "mono", "middle", at.In(d.loc).Format("15:04"))
		d.text(d.x(at), float64(low)+18, "small", "middle", at.Format("15:04")+"Z")
	}
	d.text(20, clockLow+18, "small", "start", "the local clock")
	d.text(20, float64(low)+18, "small", "start", "UTC")
}

// clock draws what the local clock shows: a line that rises with real time and
// jumps at the change. The first expression's time is a level; where the clock
// first reaches it, a gap included, that expression is due.
func (d *drawing) clock(t *testing.T) {
	before := d.local(d.change.Add(-time.Minute)) + 1
	x := d.x(d.change)
	d.line("clock", d.x(d.from), d.y(d.local(d.from)), x, d.y(before))
	d.line("jump", x, d.y(before), x, d.y(d.local(d.change)))
	d.line("clock", x, d.y(d.local(d.change)), d.x(d.to), d.y(d.local(d.to)))
	e := d.runs(t, nightly()[0])[0]
	level := d.y(float64(60*e.Nominal.Hour + e.Nominal.Minute))
	d.line("want", left, level, left+width, level)
	d.text(left-8, level+4, "mono", "end", clockOf(e.Nominal))
	d.add(`<circle class="fixed" cx="%g" cy="%g" r="6"/>`, d.x(e.At), level)
}

// lane draws when one expression is due.
func (d *drawing) lane(t *testing.T, y int, expr string) {
	class := map[bool]string{false: "fixed", true: "real"}[followsRealTime(t, expr)]
	middle := float64(y) + laneEvery/2
	d.line("grid", 20, float64(y), left+width, float64(y))
	d.text(20, middle-2, "mono", "start", expr)
	d.text(20, middle+14, "small", "start", reading(t, expr))
	runs := d.runs(t, expr)
	for _, e := range runs {
		d.run(e, class, middle)
	}
	if len(runs) == 0 {
		d.text(d.x(d.change)+10, middle+4, "small", "start", "not in this night")
	}
}

// run draws one instant with what the clock shows then. A time that was skipped
// is named, too.
func (d *drawing) run(e policy.Edge, class string, y float64) {
	d.add(`<circle class="%s" cx="%g" cy="%g" r="6"/>`, class, d.x(e.At), y+6)
	label := e.At.Format("15:04")
	if nominal := clockOf(e.Nominal); nominal != label {
		label += " for " + nominal
	}
	d.text(d.x(e.At), y-7, "small", "middle", label)
}

// weekFile is what the picture of a week shows: each kind of policy that people
// have first.
const weekFile = `timezone: Europe/Berlin
protect: ["prod-*"]
calendars:
  holidays: {country: DE, region: BE, dates: [12-24]}
policies:
  - name: office-hours
    deployments: [{id: w41b11c0, name: dev-eu}, {id: b1f77113, name: staging-eu}]
    running: Mon-Fri 08:00-20:00
    start_lead: 10m
    except: holidays
  - name: load-test
    deployments: [{id: k7700a3e, name: load-us}]
    timezone: America/New_York
    running: Mon-Fri 18:00-21:00
  - name: forgotten-at-night
    deployments: [{id: mdfba81f, name: sandbox}, {id: p9d3e0aa, name: prod-demo}]
    stop: "0 22 * * *"
`

// TestPictureOfAWeek: the picture at the front door is what the program draws.
func TestPictureOfAWeek(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "curfew.yaml"), []byte(weekFile), 0o644); err != nil {
		t.Fatal(err)
	}
	plan := exec.Command(build(t), "plan", "-c", "curfew.yaml", "--from", "2026-12-21", "-o", "svg")
	plan.Dir = dir
	plan.Stderr = os.Stderr
	out, err := plan.Output()
	if err != nil {
		t.Fatalf("%v: %v", plan.Args, err)
	}
	hold(t, "docs/img/plan-week.svg", string(out))
}
