package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/internal/calendar"
	"curfew/policy"
)

// cookbookFiles are the names of the files in docs/cookbook that fit a pattern.
func cookbookFiles(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "docs/cookbook", pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("docs/cookbook/%s: no file (%v)", pattern, err)
	}
	for i, f := range found {
		found[i] = filepath.Base(f)
	}
	return found
}

// holdCookbook: each configuration in the cookbook is taken by the strictest
// check, its quotas included, and stands on the page.
func holdCookbook(t *testing.T, program string) {
	page := read(t, "docs/cookbook.md")
	for _, name := range cookbookFiles(t, "*.yaml") {
		cmd := exec.Command(program, "check", "--strict", "-c", name)
		cmd.Dir, cmd.Env = filepath.Join(root, "docs/cookbook"), bareEnv()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("curfew check --strict -c docs/cookbook/%s: %v\n%s", name, err, out)
		}
	}
	for _, name := range cookbookFiles(t, "*.y*ml") {
		if !strings.Contains(page, "<!-- file "+name+" -->") {
			t.Errorf("docs/cookbook/%s is not quoted in docs/cookbook.md", name)
		}
	}
}

// holdQuotaOfTheKey: what the cookbook has as notes are errors where the file says
// that a quota is the whole key's, and none is left where the times are apart.
func holdQuotaOfTheKey(t *testing.T, program string) {
	auto := read(t, "docs/cookbook/quota-scope.yaml")
	file := filepath.Join(t.TempDir(), "curfew.yaml")
	for text, want := range map[string]string{
		auto: ": note: ",
		strings.ReplaceAll(auto, "scope: auto", "scope: key"): "2 errors",
		read(t, "docs/cookbook/quota-staggered.yaml"):         "is fine",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "check", "-c", file)
		cmd.Env = bareEnv()
		out, err := cmd.CombinedOutput()
		if failed := want == "2 errors"; (err != nil) != failed || !strings.Contains(string(out), want) {
			t.Errorf("curfew check: %v; want %q for\n%s\n%s", err, want, text, out)
		}
	}
}

// TestCookbookNeeds: the list at the top has each need once, in order, and each
// need has a file and what to watch out for.
func TestCookbookNeeds(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/cookbook.md")
	needs := strings.Split(page, "\n## ")[1:]
	if len(needs) != 10 {
		t.Errorf("docs/cookbook.md has %d needs, want 10", len(needs))
	}
	for i, need := range needs {
		title, body, _ := strings.Cut(need, "\n")
		if !strings.HasPrefix(title, fmt.Sprintf("%d. ", i+1)) {
			t.Errorf("need %d is called %q", i+1, title)
		}
		for _, part := range []string{"<!-- file ", "<!-- run", "**Watch out**"} {
			if !strings.Contains(body, part) {
				t.Errorf("%q has no %q", title, part)
			}
		}
	}
}

// A doubt is a day that the tables of public holidays have, or lack, other than
// the law of the country has it.
type doubt struct {
	country, region string
	date            string
	has             bool
	said            string // of it on the page
}

// calendar is the table as a file names it.
func (d doubt) calendar() string {
	if d.region == "" {
		return "country: " + d.country
	}
	return "country: " + d.country + ", region: " + d.region
}

func doubts() []doubt {
	return []doubt{
		{"LU", "", "2027-07-23", true, "National Day on 23 July; it is on 23 June"},
		{"LU", "", "2027-05-09", false, "no Europe Day on 9 May"},
		{"AR", "", "2027-03-26", false, "Good Friday on the Thursday before it"},
		{"MX", "", "2027-04-30", true, "days at a weekend moved to the Friday before, which no law does"},
		{"NZ", "", "2027-06-25", false, "no Matariki"},
		{"DE", "BY", "2027-08-15", false, "no 15 August, which most of Bavaria has"},
		{"TH", "", "2027-02-21", false, "none of the days by the moon, such as Makha Bucha"},
		{"KE", "", "2027-03-10", false, "none of the days by the moon, such as Idd-ul-Fitr"},
		{"CH", "", "2027-03-19", true, "without a canton, days that only some cantons have, such as 19 March"},
	}
}

// doubtTable lists them, each looked up in the tables.
func doubtTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| calendar | what its table has |\n|---|---|\n")
	for _, d := range doubts() {
		days, err := calendar.Holidays(d.country, d.region)
		if err != nil {
			t.Fatal(err)
		}
		date, err := time.Parse(time.DateOnly, d.date)
		if err != nil {
			t.Fatal(err)
		}
		has := slices.ContainsFunc(days, func(day policy.Day) bool {
			return day.Date == policy.Date{Year: date.Year(), Month: date.Month(), Day: date.Day()}
		})
		if has != d.has {
			t.Errorf("%s %s: the table has %s: %v. What the page says, %q, may not hold any more", d.country, d.region, d.date, has, d.said)
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", d.calendar(), d.said)
	}
	return b.String()
}

// TestDoubts: the page warns of what the tables of public holidays have today.
func TestDoubts(t *testing.T) {
	hold(t, "docs/cookbook.md", replace(t, read(t, "docs/cookbook.md"), "doubts", doubtTable(t)))
}
