package picture

import "fmt"

// legendLine is how high a line of the legend is.
const legendLine = 24

// A key is a sample and a word of the legend, at its place.
type key struct {
	word, sample string
	x, line      int
}

// keys are those of what is in the picture, broken into lines.
func (d *drawing) keys() []key {
	all := append(d.barKeys(), d.markKeys()...)
	middle := d.rowHeight / 2
	if d.hasDay {
		all = append(all, key{word: "day of a calendar", sample: fmt.Sprintf(`<rect y="%d" width="24" height="20" %s/>`, middle-10, d.texture("off"))})
	}
	if len(d.leaps) > 0 || d.leapt {
		all = append(all, key{word: "clocks change", sample: fmt.Sprintf(`<rect x="9" y="%d" width="6" height="20" %s/>`, middle-10, d.texture("leap"))})
	}
	if d.nowThere() {
		all = append(all, key{word: "now", sample: fmt.Sprintf(`<path d="M12 %dv20" stroke-width="1.5" %s/>`, middle-10, present.stroke())})
	}
	x, line := margin, 0
	for i := range all {
		width := 32 + int(widthOf(all[i].word, 12))
		if x > margin && x+width > d.width()-margin {
			x, line = margin, line+1
		}
		all[i].x, all[i].line = x, line
		x += width + 18
	}
	return all
}

func (d *drawing) barKeys() []key {
	var all []key
	for k, there := range d.bars {
		if there {
			all = append(all, key{word: Kind(k).String(), sample: fmt.Sprintf(`<path d="%s" %s/>`, d.bar(Kind(k), 0, 2400), d.brush(Kind(k)))})
		}
	}
	return all
}

func (d *drawing) markKeys() []key {
	var all []key
	for k, there := range d.marks {
		if there {
			all = append(all, key{word: MarkKind(k).String(), sample: fmt.Sprintf(`<path transform="translate(12 %d)" %s/>`, d.rowHeight/2, sign(MarkKind(k)))})
		}
	}
	return all
}

// legend writes what explains the picture below its lanes.
func (d *drawing) legend() {
	for _, k := range d.keys() {
		y := d.low + 12 + k.line*legendLine
		d.addf(`<g transform="translate(%d %d)">%s</g><text x="%d" y="%d" font-size="12" %s>%s</text>`+"\n",
			k.x, y+10-d.rowHeight/2, k.sample, k.x+32, y+14, faint.fill(), k.word)
	}
}

// legendHeight is what the legend takes.
func (d *drawing) legendHeight() int {
	all := d.keys()
	if len(all) == 0 {
		return margin
	}
	return 20 + legendLine*(all[len(all)-1].line+1)
}
