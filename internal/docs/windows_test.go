package docs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"curfew/policy"
)

// windowsOf is a policy of windows in Berlin.
func windowsOf(exprs ...string) policy.Spec {
	spec := policy.Spec{Name: "example", Zone: "Europe/Berlin"}
	for _, e := range exprs {
		spec.Running = append(spec.Running, policy.Window{Expr: e})
	}
	return spec
}

// inYAML writes windows as they stand in a file.
func inYAML(exprs []string) string {
	if len(exprs) == 1 {
		return exprs[0]
	}
	return `["` + strings.Join(exprs, `", "`) + `"]`
}

// windowTable shows the first times at which sets of windows run.
func windowTable(t *testing.T) string {
	loc := location(t, "Europe/Berlin")
	monday := time.Date(2026, 11, 30, 0, 0, 0, 0, loc)
	var b strings.Builder
	b.WriteString("| `running:` | from Monday, 30 November 2026, on, it runs |\n|---|---|\n")
	for _, exprs := range [][]string{
		{"08:00-20:00"}, {"Mon-Fri 08:00-20:00"}, {"Tue,Thu 08:00-20:00"}, {"Sat-Mon 10:00-24:00"}, {"Tue 22:00-02:00"},
		{"Mon 06:00-Fri 20:00"}, {"Fri 20:00-Mon 06:00"},
		{"08:00-12:00", "12:00-20:00"}, {"08:00-12:00", "13:00-20:00"}, {"Mon-Fri 08:00-20:00", "Wed 18:00-22:00"},
	} {
		runs := firstRuns(compile(t, windowsOf(exprs...)), monday, 3)
		fmt.Fprintf(&b, "| `%s` | %s |\n", inYAML(exprs), strings.Join(runs, "; "))
	}
	return b.String()
}

// firstRuns names the first n spans that begin at or after from.
func firstRuns(p *policy.Policy, from time.Time, n int) []string {
	var runs []string
	begin := ""
	for e := range p.Edges(from, from.AddDate(0, 1, 0)) {
		switch at := e.At.Format("Mon 15:04"); {
		case e.Power == policy.Running:
			begin = at
		case begin != "":
			runs = append(runs, begin+" to "+strings.TrimPrefix(at, begin[:4]))
			begin = ""
		}
		if len(runs) == n {
			break
		}
	}
	return runs
}

// refusedWindows shows what is said of windows that are refused.
func refusedWindows(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| `running:` | what curfew says |\n|---|---|\n")
	zones := map[string]*time.Location{"Europe/Berlin": location(t, "Europe/Berlin")}
	for _, expr := range []string{
		"8-20", "Mon 08:00", "08:00-08:00", "08:00-25:00", "1-5 08:00-20:00", "Mon-Fri 08:00-12:00,13:00-17:00",
		"Mon-Fri 06:00-Fri 20:00", "Mon–Fri 08:00-20:00", "0 8 * * 1-5", "00:00-24:00",
	} {
		_, problems := policy.Compile([]policy.Spec{windowsOf(expr)}, policy.Env{Zones: zones})
		if len(problems) != 1 {
			t.Fatalf("%q: problems %v, want one", expr, problems)
		}
		text := strings.TrimPrefix(problems[0].Text, fmt.Sprintf("window %q", expr))
		text = strings.Replace(text, `of policy "example" `, "", 1)
		fmt.Fprintf(&b, "| `%s` | %s |\n", expr, cell(strings.TrimLeft(text, ": "), problems[0].Hint))
	}
	return b.String()
}
