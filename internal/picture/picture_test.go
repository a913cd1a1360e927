package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the tests, where the system has none

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the pictures of testdata anew")

// A fataler is a test, of any kind.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func zone(t fataler, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return loc
}

// svg is the picture as it is written.
func svg(t fataler, p *Picture) string {
	t.Helper()
	var out bytes.Buffer
	if err := p.Write(&out); err != nil {
		t.Fatalf("write picture: %v", err)
	}
	return out.String()
}

// A node is an element of a picture, as a reader of XML sees it.
type node struct {
	name  string
	attrs map[string]string
	text  string
	sub   []*node
}

// parsed reads a picture back.
func parsed(t fataler, text string) *node {
	t.Helper()
	top := &node{}
	open := []*node{top}
	for dec := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("no well-formed XML: %v in\n%s", err, text)
		}
		switch now := open[len(open)-1]; token := token.(type) {
		case xml.StartElement:
			n := &node{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				n.attrs[a.Name.Local] = a.Value
			}
			now.sub, open = append(now.sub, n), append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			now.text += string(token)
		}
	}
	if len(top.sub) != 1 || top.sub[0].name != "svg" {
		t.Fatalf("want one svg element, have %d in\n%s", len(top.sub), text)
	}
	return top.sub[0]
}

// all returns the elements below n for which yes is true, in order.
func (n *node) all(yes func(*node) bool) []*node {
	var found []*node
	for _, s := range n.sub {
		if yes(s) {
			found = append(found, s)
		}
		found = append(found, s.all(yes)...)
	}
	return found
}

// tip is the tooltip of an element.
func (n *node) tip() string {
	for _, s := range n.sub {
		if s.name == "title" {
			return s.text
		}
	}
	return ""
}

// texts are all that a person can read, in the order of the page.
func (n *node) texts() []string {
	var all []string
	for _, e := range n.all(func(n *node) bool { return n.name == "text" }) {
		all = append(all, e.text)
	}
	return all
}

// lane is what is drawn for the only row of a picture.
func lane(t fataler, p *Picture) *node {
	t.Helper()
	rows := parsed(t, svg(t, p)).all(func(n *node) bool {
		return n.name == "g" && strings.HasPrefix(n.attrs["transform"], "translate(0 ")
	})
	if len(rows) != 1 {
		t.Fatalf("%d rows, want one", len(rows))
	}
	for _, n := range rows[0].sub {
		if n.name == "g" {
			return n
		}
	}
	t.Fatalf("the row has no lane")
	return nil
}

// A stroke is where a bar is, in hundredths of a pixel.
type stroke struct{ from, to int }

var barPath = regexp.MustCompile(`M([\d.]+) [\d.]+h([\d.]+)`)

// strokes are the bars of a lane, whatever path they are in, sorted.
func strokes(t fataler, lane *node) []stroke {
	t.Helper()
	var all []stroke
	for _, n := range lane.all(func(n *node) bool { return n.name == "path" && n.attrs["transform"] == "" }) {
		for _, m := range barPath.FindAllStringSubmatch(n.attrs["d"], -1) {
			x, width := hundredths(t, m[1]), hundredths(t, m[2])
			all = append(all, stroke{x, x + width})
		}
	}
	slices.SortFunc(all, func(a, b stroke) int { return a.from - b.from })
	return all
}

func hundredths(t fataler, s string) int {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return int(f*100 + 0.5)
}

// kit has one of each thing that a picture can show, over the night in which the
// clocks of Berlin go forward.
func kit(t *testing.T) *Picture {
	berlin := zone(t, "Europe/Berlin")
	at := func(day, hour int) time.Time { return time.Date(2027, 3, day, hour, 0, 0, 0, berlin) }
	return &Picture{
		Title: "A weekend", Note: "times in Europe/Berlin", Sum: "running",
		From: at(27, 0), To: at(29, 12), Now: at(28, 18), Location: berlin,
		Rows: []Row{
			{
				Group: "office", Name: "dev-eu", Note: "w41b11c0", Sum: "4 h",
				Bars: []Bar{
					{at(26, 20), at(27, 8), Stopped, ""},
					{at(27, 8), at(27, 11), Running, "office hours\nline 4"},
					{at(27, 11), at(27, 12), Between, "stopping"},
					{at(27, 12), at(28, 0), Stopped, ""},
					{at(28, 0), at(29, 0), Nothing, ""},
					{at(29, 0), at(30, 0), Stopped, ""},
				},
				Marks: []Mark{
					{at(27, 8), MarkStart, "by hand"}, {at(27, 11), MarkStop, ""}, {at(27, 18), MarkLate, "12 min"},
					{at(28, 8), MarkCancelled, "a day off"}, {at(29, 8), MarkMissed, "no permit"},
				},
				Days: []Day{{at(28, 12), "fair"}},
			},
			{Group: "nights", Name: "<load> & Müller", Bars: []Bar{{at(27, 22), at(28, 6), Running, ""}}},
		},
	}
}

// TestGolden holds a picture of everything to the bytes that somebody has looked
// at: go test ./internal/picture -update, and look again.
func TestGolden(t *testing.T) {
	const name = "testdata/kit.svg"
	got := svg(t, kit(t))
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-) is not what is drawn now (+); -update writes it:\n%s", name, diff)
	}
	if again := svg(t, kit(t)); again != got {
		t.Error("the same picture was written in other bytes the second time")
	}
}

// TestReadable: what a person reads, points at, and hears.
func TestReadable(t *testing.T) {
	t.Parallel()
	root := parsed(t, svg(t, kit(t)))
	texts := root.texts()
	for _, want := range []string{
		"A weekend", "times in Europe/Berlin", "Sat 27 Mar", "02:00 → 03:00", "06", "office", "nights",
		"dev-eu", "w41b11c0", "4 h", "<load> & Müller",
		"running", "stopped", "nothing wanted", "in between", "start", "stop", "cancelled", "late", "missed",
		"day of a calendar", "clocks change", "now",
	} {
		if !slices.Contains(texts, want) {
			t.Errorf("nobody can read %q in %q", want, texts)
		}
	}
	if n := root.all(func(n *node) bool { return n.name == "tspan" && n.text == "23 h" }); len(n) != 1 {
		t.Errorf("%d days say that they have 23 hours, want one", len(n))
	}
	for _, want := range []string{
		"office hours\nline 4", "stopping", "by hand", "12 min", "a day off", "no permit", "fair",
		"Sun 28 March 2027: the clocks go forward, 02:00 → 03:00", "now: Sun 28 Mar 2027 18:00",
	} {
		if n := root.all(func(n *node) bool { return n.tip() == want }); len(n) != 1 {
			t.Errorf("the tooltip %q is at %d elements, want one", want, len(n))
		}
	}
	const spoken = "times in Europe/Berlin. dev-eu: running 3 h, stopped 32 h, nothing wanted 23 h, in between 1 h. <load> & Müller: running 7 h."
	if got := root.sub[1]; got.name != "desc" || got.text != spoken {
		t.Errorf("the picture is told as %q, want %q", got.text, spoken)
	}
}

// TestLegendExplainsWhatIsThere and nothing else.
func TestLegendExplainsWhatIsThere(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	end := from.AddDate(0, 0, 1)
	p := &Picture{From: from, To: end, Now: end, Rows: []Row{{
		Name:  "a",
		Bars:  []Bar{{from.Add(-time.Hour), from, Running, ""}, {from, end, Stopped, ""}, {end, end.Add(time.Hour), Between, ""}},
		Marks: []Mark{{from.Add(-1), MarkMissed, ""}, {end.Add(1), MarkMissed, ""}},
		Days:  []Day{{from.Add(-1), "before"}, {end, "after"}},
	}}}
	texts := parsed(t, svg(t, p)).texts()
	if !slices.Contains(texts, "stopped") {
		t.Errorf("no legend in %q", texts)
	}
	for _, other := range []string{"running", "nothing wanted", "in between", "missed", "day of a calendar", "clocks change", "now"} {
		if slices.Contains(texts, other) {
			t.Errorf("the legend explains %q, which is not there", other)
		}
	}
}

// TestNothingIsCutOff: every word of the legend ends inside the picture, and below
// it there is room.
func TestNothingIsCutOff(t *testing.T) {
	t.Parallel()
	p := kit(t)
	d := newDrawing(p, io.Discard)
	keys := d.keys()
	if len(keys) != int(kinds)+int(markKinds)+3 {
		t.Fatalf("the legend has %d words, want one for each thing", len(keys))
	}
	end, line := 0, 0
	for _, k := range keys {
		if k.line > line {
			end, line = 0, k.line
		}
		if k.x < end {
			t.Errorf("%q begins at %d, the word before it ends at %d", k.word, k.x, end)
		}
		end = k.x + 32 + int(widthOf(k.word, 12))
		if end > d.width() || d.low+12+(k.line+1)*legendLine > d.height() {
			t.Errorf("%q is cut off at the edge", k.word)
		}
	}
}

// TestStandsAlone: whatever is referred to is in the picture, by ids and classes
// that are its own, and nothing runs or is fetched.
func TestStandsAlone(t *testing.T) {
	t.Parallel()
	p := kit(t)
	p.Rows = append(p.Rows, p.Rows[1], p.Rows[1])
	for id, prefix := range map[string]string{"": "curfew-", "week-2": "week-2-", "2": "curfew-", `a"b`: "curfew-", "ü": "curfew-"} {
		p.ID = id
		text := svg(t, p)
		root := parsed(t, text)
		ids := map[string]int{}
		var refs []string
		for _, n := range append(root.all(func(*node) bool { return true }), root) {
			if own := n.attrs["id"]; own != "" {
				ids[own]++
			}
			refs = append(refs, strings.Fields(n.attrs["aria-labelledby"])...)
			if n.name == "use" {
				refs = append(refs, strings.TrimPrefix(n.attrs["href"], "#"))
			}
			if in, ok := strings.CutPrefix(n.attrs["fill"], "url(#"); ok {
				refs = append(refs, strings.TrimSuffix(in, ")"))
			}
			for _, class := range strings.Fields(n.attrs["class"]) {
				if !strings.HasPrefix(class, "curfew-") {
					t.Errorf("class %q", class)
				}
			}
			if slices.Contains([]string{"script", "image", "a", "foreignObject"}, n.name) {
				t.Errorf("there is an element %s", n.name)
			}
		}
		for own, n := range ids {
			if n != 1 || !strings.HasPrefix(own, prefix) {
				t.Errorf("ID %q: id %q is there %d times, want once, with the prefix %s", id, own, n, prefix)
			}
		}
		for _, ref := range refs {
			if ids[ref] != 1 {
				t.Errorf("ID %q: %q is referred to and not there", id, ref)
			}
		}
		if len(refs) < 10 {
			t.Errorf("ID %q: only %d references were found: %q", id, len(refs), refs)
		}
	}
}

// TestStyleLeaksNothing: each rule is for a class of the picture alone.
func TestStyleLeaksNothing(t *testing.T) {
	t.Parallel()
	rules := regexp.MustCompile(`([^{}]*)\{`).FindAllStringSubmatch(strings.TrimPrefix(style(), "<style>"), -1)
	if len(rules) < 2*int(inks) {
		t.Fatalf("%d rules, want two for each of %d inks", len(rules), inks)
	}
	own := regexp.MustCompile(`^(\.curfew-[a-z-]+|@media\(prefers-color-scheme:dark\))$`)
	for _, r := range rules {
		if !own.MatchString(strings.TrimLeft(r[1], "}")) {
			t.Errorf("the selector %q is not the picture's own", r[1])
		}
	}
}

// TestLikeRowsAreReferences: a fleet under few policies is small.
func TestLikeRowsAreReferences(t *testing.T) {
	t.Parallel()
	p := kit(t)
	like := p.Rows[0]
	like.Bars = slices.Clone(like.Bars)
	p.Rows = []Row{p.Rows[0], p.Rows[0], like, p.Rows[1], p.Rows[0]}
	uses := parsed(t, svg(t, p)).all(func(n *node) bool { return n.name == "use" })
	if len(uses) != 2 {
		t.Errorf("%d rows refer to the one above, want the second and the third", len(uses))
	}
	short := len(svg(t, p))
	for range 1000 {
		p.Rows = append(p.Rows, like)
	}
	if each := (len(svg(t, p)) - short) / 1000; each > 250 {
		t.Errorf("a row like the one above it takes %d bytes, want at most 250", each)
	}
}

// TestMarksUponEachOther are one, which says how many there are.
func TestMarksUponEachOther(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := Row{Name: "a"}
	for day := range 365 {
		r.Marks = append(r.Marks, Mark{from.AddDate(0, 0, day), MarkStop, fmt.Sprint("stop ", day)})
	}
	r.Marks = append(r.Marks, Mark{from.AddDate(0, 0, 364), MarkMissed, "missed"}, Mark{from.AddDate(1, 0, 1), MarkMissed, "behind the end"})
	tips := 0
	for _, n := range lane(t, &Picture{From: from, To: from.AddDate(1, 0, 0), Rows: []Row{r}}).sub {
		first, more, piled := strings.Cut(n.tip(), "\n")
		tips++
		if piled && strings.HasPrefix(first, "stop ") {
			var n int
			if _, err := fmt.Sscanf(more, "and %d more here", &n); err != nil {
				t.Errorf("tooltip %q: %v", more, err)
			}
			tips += n
		}
	}
	if tips != 366 {
		t.Errorf("the marks tell of %d, want 366", tips)
	}
}

// TestNarrowBars have no tooltip, since nobody can point at them.
func TestNarrowBars(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := Row{Name: "a"}
	for day := range 400 {
		begin := from.AddDate(0, 0, day)
		r.Bars = append(r.Bars, Bar{begin, begin.Add(12 * time.Hour), Running, "12 hours"})
	}
	l := lane(t, &Picture{From: from, To: from.AddDate(0, 0, 400), Rows: []Row{r}})
	if len(l.sub) != 1 || l.sub[0].tip() != "" {
		t.Errorf("400 bars of a pixel are %d elements, want one without a tooltip", len(l.sub))
	}
	if n := len(strokes(t, l)); n != 400 {
		t.Errorf("%d bars are drawn, want 400", n)
	}
	if got := lane(t, &Picture{From: from, To: from.AddDate(0, 0, 4), Rows: []Row{r}}); len(got.sub) != 4 || got.sub[3].tip() != "12 hours" {
		t.Errorf("in four days there are %d elements, want four with a tooltip", len(got.sub))
	}
}

// TestNoSpan: a picture that ends before it begins is refused.
func TestNoSpan(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, p := range []*Picture{{}, {From: now, To: now}, {From: now, To: now.Add(-time.Hour)}} {
		if err := p.Write(io.Discard); !errors.Is(err, ErrNoSpan) {
			t.Errorf("from %s to %s: error %v, want ErrNoSpan", p.From, p.To, err)
		}
	}
}

// A full disk takes so many bytes.
type fullDisk struct{ room, calls int }

var errFull = errors.New("disk full")

func (f *fullDisk) Write(b []byte) (int, error) {
	f.calls++
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// TestFullDisk: the writer's error comes back, and nothing more is asked of it.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	p := kit(t)
	for range 5000 {
		p.Rows = append(p.Rows, p.Rows[0], p.Rows[1])
	}
	for _, room := range []int{0, 100 << 10} {
		w := &fullDisk{room: room}
		if err := p.Write(w); !errors.Is(err, errFull) || w.calls > 1+room>>16+1 {
			t.Errorf("room for %d bytes: error %v after %d writes, want %v after the first that fails", room, err, w.calls, errFull)
		}
	}
}

// drawn is a picture with one row of bars, of any span and zone.
func drawn(t *rapid.T) *Picture {
	loc := zone(t, rapid.SampledFrom([]string{
		"UTC", "Europe/Berlin", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
	}).Draw(t, "zone"))
	from := time.Unix(rapid.Int64Range(-5e9, 1e10).Draw(t, "from"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanoseconds")).In(loc)
	length := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(rapid.SampledFrom([]time.Duration{
		time.Second, 36 * time.Hour, 40 * 24 * time.Hour, 4000 * 24 * time.Hour,
	}).Draw(t, "scale"))).Draw(t, "length"))
	p := &Picture{From: from, To: from.Add(length), Location: loc, Rows: []Row{{Name: "a"}}}
	cuts := rapid.SliceOfN(rapid.Int64Range(-int64(length)/4, int64(length)*5/4), 0, 30).Draw(t, "cuts")
	slices.Sort(cuts)
	at := from.Add(-length / 2)
	for _, c := range append(cuts, int64(length)*3/2) {
		to := from.Add(time.Duration(c))
		title := rapid.SampledFrom([]string{"", "why"}).Draw(t, "title")
		p.Rows[0].Bars = append(p.Rows[0].Bars, Bar{at, to, Kind(rapid.IntRange(0, int(kinds)-1).Draw(t, "kind")), title})
		at = to
	}
	return p
}

// TestBarsFillTheSpan: bars that cover the span lie side by side from its begin to
// its end, none in another, none outside.
func TestBarsFillTheSpan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		all := strokes(t, lane(t, p))
		d := newDrawing(p, io.Discard)
		at := d.left * 100
		for _, s := range all {
			if s.from != at {
				t.Fatalf("a bar begins at %d, the one before ends at %d: %v", s.from, at, all)
			}
			at = s.to
		}
		if want := (d.left + plotWidth) * 100; at != want {
			t.Fatalf("the bars end at %d, want %d", at, want)
		}
	})
}

// TestBarsNeverOverlap: not even those that were given so, or out of order.
func TestBarsNeverOverlap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		bars := p.Rows[0].Bars
		for i := range bars {
			bars[i].From = bars[i].From.Add(-time.Duration(rapid.Int64Range(0, int64(p.To.Sub(p.From))).Draw(t, "earlier")))
			j := rapid.IntRange(0, i).Draw(t, "with")
			bars[i], bars[j] = bars[j], bars[i]
		}
		end := 0
		for _, s := range strokes(t, lane(t, p)) {
			if s.from < end {
				t.Fatalf("a bar begins at %d, inside one that ends at %d", s.from, end)
			}
			end = s.to
		}
	})
}

// TestTimeRunsRight: x never falls as time grows, begins where the plot does, and
// is in proportion to real time.
func TestTimeRunsRight(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		d := newDrawing(p, io.Discard)
		length := p.To.Sub(p.From)
		a := p.From.Add(time.Duration(rapid.Int64Range(-int64(length), 2*int64(length)).Draw(t, "a")))
		b := a.Add(time.Duration(rapid.Int64Range(0, int64(length)).Draw(t, "later")))
		if d.x(a) > d.x(b) {
			t.Fatalf("%s is at %d, the later %s at %d", a, d.x(a), b, d.x(b))
		}
		middle := d.x(p.From.Add(length/2)) - d.left*100
		if d.x(p.From) != d.left*100 || d.x(p.To) != (d.left+plotWidth)*100 || middle < plotWidth*50-1 || middle > plotWidth*50+1 {
			t.Fatalf("begin, middle and end are at %d, %d and %d", d.x(p.From), middle, d.x(p.To))
		}
	})
}

// FuzzWrite: whatever stands in a text, the picture is well-formed, has the same
// elements, and shows nothing that moves or hides other text.
func FuzzWrite(f *testing.F) {
	f.Add("dev-eu", "w41b11c0", "office hours")
	f.Add("</text><script>alert(1)</script>", `"' onload="x`, "]]>&amp;\n<")
	f.Add("\u202egnp.exe", "a\x00b\x1b[31m\x7f\u0085", "\xff\xfe\uffff\ufffe\u2066\u2028")
	f.Add(strings.Repeat("長", 300), strings.Repeat("a\u0301", 200), "\U000e0041\ufeff\u00ad")
	from := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, name, note, title string) {
		to := from.Add(36 * time.Hour)
		p := &Picture{
			ID: name, Title: title, Note: note, Sum: name, From: from, To: to,
			Rows: []Row{{
				Group: title, Name: name, Note: note, Sum: title, Bars: []Bar{{from, to, Running, title}},
				Marks: []Mark{{from, MarkMissed, name}}, Days: []Day{{from, note}},
			}},
		}
		text := svg(t, p)
		root := parsed(t, text)
		if clean := plain(text, true); clean != text {
			t.Fatalf("something comes through that hides or moves text:\n%s", cmp.Diff(clean, text))
		}
		if n := root.all(func(n *node) bool { return n.name == "script" || n.attrs["onload"] != "" }); len(n) > 0 {
			t.Fatalf("a text became an element or an attribute in\n%s", text)
		}
	})
}

// BenchmarkFleet writes a week of ten thousand rows under a hundred policies.
func BenchmarkFleet(b *testing.B) {
	from := time.Date(2026, 12, 21, 0, 0, 0, 0, time.UTC)
	p := &Picture{From: from, To: from.AddDate(0, 0, 7)}
	for group := range 100 {
		r := Row{Group: fmt.Sprint("policy ", group), Note: "w41b11c0"}
		for day := range 7 {
			begin := from.AddDate(0, 0, day).Add(time.Duration(group) * time.Minute)
			r.Bars = append(r.Bars, Bar{begin, begin.Add(8 * time.Hour), Stopped, ""}, Bar{begin.Add(8 * time.Hour), begin.Add(20 * time.Hour), Running, "office hours"})
		}
		for n := range 100 {
			r.Name = fmt.Sprintf("dev-%d-%d", group, n)
			p.Rows = append(p.Rows, r)
		}
	}
	b.ReportAllocs()
	var size countBytes
	for b.Loop() {
		size = 0
		if err := p.Write(&size); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size)/float64(len(p.Rows)), "bytes/row")
}

type countBytes int

func (c *countBytes) Write(b []byte) (int, error) {
	*c += countBytes(len(b))
	return len(b), nil
}
