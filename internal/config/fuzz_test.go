package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzParse feeds anything: it must end, be told in places that exist, be the
// same the second time, and never leave policies where there is an error.
func FuzzParse(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	zone := func(name string) (*time.Location, error) { // no disk, so that the fuzzer is fast
		return time.FixedZone(name, 3600), nil
	}
	for _, text := range seeds() {
		f.Add([]byte(text))
	}
	env := Env{Zone: zone, ICal: func(path string) ([]byte, error) {
		if strings.HasPrefix(path, "g") {
			return nil, fs.ErrNotExist
		}
		return []byte(christmas), nil
	}}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, problems := Parse("x", text, env)
		if Failed(problems) != (c.Policies == nil) {
			t.Fatalf("policies: %v, problems: %v", c.Policies, problems)
		}
		checkRead(t, c)
		lines := splitLines(text)
		for _, p := range problems {
			if p.Pos.Line < 1 || p.Pos.Line > len(lines) {
				t.Fatalf("line %d of %d: %v", p.Pos.Line, len(lines), p)
			}
			if n := utf8.RuneCountInString(lines[p.Pos.Line-1]); p.Pos.Col < 1 || p.Pos.Col > n+1 {
				t.Fatalf("column %d of %d: %v", p.Pos.Col, n, p)
			}
			if p.Text == "" || p.Pos.File != "x" {
				t.Fatalf("no text, or no file: %#v", p)
			}
		}
		out := Render(problems, text)
		if (out == "") != (len(problems) == 0) || !utf8.ValidString(out) {
			t.Fatalf("%d problems, rendered as %q", len(problems), out)
		}
		if i := strings.IndexFunc(out, func(c rune) bool { return c < ' ' && c != '\n' }); i >= 0 {
			t.Fatalf("a control character at %d in %q", i, out)
		}
		if _, again := Parse("x", text, env); !cmp.Equal(problems, again) {
			t.Fatalf("the second time: %s", cmp.Diff(problems, again))
		}
	})
}

// checkRead asks of what was read what others build upon, be the file good or
// bad.
func checkRead(t *testing.T, c *Config) {
	for _, cal := range c.Calendars {
		if cal.Days == nil || cal.Pos.Line == 0 || (cal.Source&FromICal != 0) != (len(cal.Files) > 0) {
			t.Fatalf("a calendar without days, place or source: %+v", cal)
		}
	}
	if c.Policies == nil {
		return
	}
	for _, p := range c.Policies.Policies {
		if s := p.Select(); s != nil && (!c.ObserveList || s.Max < 1 || s.Name.Text == "") {
			t.Fatalf("%s selects %+v, and the list is looked at: %v", p.Name(), s, c.ObserveList)
		}
	}
	for _, name := range []string{"", "dev-1", "prod-1", "default"} {
		price, ok := c.Prices.At("w41b11c0", name)
		bad := !(price.Running >= 0 && price.Running <= mostPrice && price.Stopped >= 0 && price.Stopped <= mostPrice)
		if ok && (bad || price.Currency != c.Prices.Currency()) {
			t.Fatalf("%q costs %+v, all in %q", name, price, c.Prices.Currency())
		}
	}
}

// seeds are good files with every key that has a form of its own, to begin from.
func seeds() []string {
	return []string{`timezone: UTC
observe: list
protect: [b7d0c1e2, "prod-*"]
calendars:
  holidays: {ical: [de.ics, gone.ics], dates: [12-31, 2026-12-28..2027-01-03]}
  public: {country: DE, region: BE}
defaults: {except: holidays, start_lead: 10m}
policies:
  - name: office
    deployments: [{id: w41b11c0, name: dev-eu}]
    running: [Mon-Fri 08:00-20:00, "Sat 22:00-02:00"]
    except: {holidays: off, public: untouched}
  - {name: dev, select: {name: "dev-*", max: 20}, stop: "0 20 * * *", except: [public]}
prices:
  default: {running: 0.33, stopped: 0.055, currency: EUR}
  "prod-*": {running: 1.40}
`, "policies: []\nprices: {}\nobserve: each\n"}
}

// FuzzDuration asks that what is accepted is a duration in whole nanoseconds
// that spell writes in a way that reads the same.
func FuzzDuration(f *testing.F) {
	for _, s := range []string{"1d", "1d12h", "90s", "1h30m", "-1d", "1d-1h", "99999999999d", "1.5h", "106751d24h", "106751d", "1800000h", "", "d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := parseDuration(s)
		if !ok {
			return
		}
		if d < 0 && !strings.HasPrefix(s, "-") {
			t.Fatalf("%q is %v", s, d)
		}
		if again, ok := parseDuration(spell(d)); !ok || again != d {
			t.Fatalf("%q is %v, spelled %s, which is %v, %v", s, d, spell(d), again, ok)
		}
	})
}

// corpus is every file of the tests, and the example.
func corpus(t testing.TB) [][]byte {
	example, err := os.ReadFile("../../schedules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	texts := [][]byte{example, []byte("\xff"), []byte("a: \ufeff"), []byte("? ? a\n: <<\n")}
	paths, err := filepath.Glob("testdata/*/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if a, err := txtar.ParseFile(path); err == nil && len(a.Files) > 0 {
			texts = append(texts, a.Files[0].Data)
		}
	}
	return texts
}
