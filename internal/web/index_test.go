package web

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"curfew/policy"
	"curfew/scheduler"
)

// text is what a reader of the page sees of a row: cells, one blank apart.
func text(markup string) string {
	markup = strings.ReplaceAll(markup, "</td>", " ")
	tags := regexp.MustCompile(`<[^>]*>`)
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(markup, ""))), " ")
}

// rows returns the rows of the page by their first cell.
func rows(page string) map[string]string {
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)<tr><th scope="row">(.*?)</th>(.*?)</tr>`).FindAllStringSubmatch(page, -1) {
		all[text(m[1])] = text(m[2])
	}
	return all
}

func TestIndex(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, always(fleet()), PerDeploymentAuto)
	code, page := d.get("/")
	if code != http.StatusOK {
		t.Fatalf("GET /: %d\n%s", code, page)
	}
	got := rows(page)
	for first, want := range map[string]string{
		"w41b11c0": "dev-eu office-hours running Tue 10 Mar 11:59:19 running curfew.yaml:21:12: 0 8 * * MON-FRI stop Tue 10 Mar 20:00:00 — done of Tue 10 Mar 08:00:00",
		"b1f77113": `a "b" <script>alert(1)</script> office-hours running Tue 10 Mar 11:59:00 ` +
			"stopped (override until Tue 10 Mar 13:00:00) — — since Tue 10 Mar 11:50:00 " +
			"stop: waits for its permit, free at Tue 10 Mar 12:07:00 —",
		"c2":                    "office-hours not looked yet — running — — since Tue 10 Mar 11:00:00 start: about to be sent —",
		"e4":                    "old gone (404) needs a look Tue 10 Mar 12:00:00 none — — — failed: not found",
		"office-hours":          "3",
		`night "shift" dry run`: "1",
		"get":                   "46 60 1h0m0s key",
		"stop":                  "0 1 1h0m0s auto",
	} {
		if got[first] != want {
			t.Errorf("row %s: %q\n        want %q", first, got[first], want)
		}
	}
	for _, part := range []string{"5 of 5", "No start or stop leaves: clock", `href="/metrics"`, "v0.0.0-test"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	if first := strings.Index(page, ">e4<"); first < 0 || first > strings.Index(page, ">w41b11c0<") {
		t.Error("a deployment in trouble does not come before one that is fine")
	}
}

// TestIndexEscapes: text from outside stays text, in whatever place it stands.
func TestIndexEscapes(t *testing.T) {
	t.Parallel()
	const evil = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`
	snap := &scheduler.Snapshot{
		Blocked:  []scheduler.BlockReason{evil},
		Policies: []scheduler.PolicyView{{Name: evil}},
		Deployments: []scheduler.View{{
			Deployment: evil, Policy: evil, Look: scheduler.Look{Status: evil, Name: evil},
			Due: scheduler.Transition{Power: policy.Stopped, At: noon()}, Wait: scheduler.WaitStatus,
			Because: policy.Because{Kind: policy.KindEdge, Ref: evil}, Last: scheduler.Failed, LastReason: evil,
		}},
	}
	d := newDaemon(t, always(snap), PerDeploymentAuto)
	_, page := d.get("/")
	for _, tag := range []string{"<script", "<img", evil} {
		if strings.Contains(page, tag) {
			t.Errorf("the page contains %q unescaped", tag)
		}
	}
	if n := strings.Count(text(page), evil); n < 6 {
		t.Errorf("the text is shown %d times, want at least 6:\n%s", n, page)
	}
}

// TestIndexIsShort: a large fleet shows its first 200, and says of how many.
func TestIndexIsShort(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, always(&scheduler.Snapshot{Deployments: calmFleet(maxListed + 50)}), PerDeploymentAuto)
	_, page := d.get("/")
	if n := strings.Count(page, `<tr><th scope="row">d`); n != maxListed {
		t.Errorf("%d deployments listed, want %d", n, maxListed)
	}
	if !strings.Contains(page, "200 of 250") {
		t.Error("the page does not say how many there are")
	}
}

// TestIndexWithoutPicture: a page all the same, which says why it is empty.
func TestIndexWithoutPicture(t *testing.T) {
	t.Parallel()
	waiting := newDaemon(t, ended, PerDeploymentAuto)
	waiting.health.SetLedger(LedgerWaiting)
	for says, d := range map[string]*daemon{
		"ledger: another curfew holds its lock":         waiting,
		"loop: gives no answer: the daemon is stopping": newDaemon(t, ended, PerDeploymentAuto),
	} {
		code, page := d.get("/")
		if code != http.StatusServiceUnavailable || !strings.Contains(text(page), says) {
			t.Errorf("GET /: %d, want 503 and %q:\n%s", code, says, text(page))
		}
	}
}

// TestWhy: what wants a power is named by its place, its rule and its text, as
// far as it has them.
func TestWhy(t *testing.T) {
	t.Parallel()
	line := policy.Pos{File: "curfew.yaml", Line: 21, Col: 12}
	for _, tc := range []struct {
		because policy.Because
		want    string
	}{
		{policy.Because{}, ""},
		{policy.Because{Kind: policy.KindEdge, Pos: line, Ref: "0 8 * * *"}, "curfew.yaml:21:12: 0 8 * * *"},
		{policy.Because{Kind: policy.KindOverride, Ref: "3 by anna"}, "override: 3 by anna"},
		{policy.Because{Kind: policy.KindEnforce, Pos: line}, "curfew.yaml:21:12: enforced"},
		{policy.Because{Kind: policy.KindReturned}, "it answers again"},
	} {
		if got := whyText(tc.because); got != tc.want {
			t.Errorf("%+v is shown as %q, want %q", tc.because, got, tc.want)
		}
	}
}

// TestEveryWaitHasWords: the states of waiting are shown in words, not by their
// names, all of them.
func TestEveryWaitHasWords(t *testing.T) {
	t.Parallel()
	for _, wait := range declared(t, "Wait") {
		v := scheduler.View{
			Look: scheduler.Look{Status: "starting"}, Due: scheduler.Transition{Power: policy.Running, At: noon()},
			Wait: scheduler.Wait(wait), PermitAt: noon().Add(time.Minute),
		}
		got := dueText(&v)
		if wait != "" && (got == "start" || strings.HasSuffix(got, ": "+wait)) {
			t.Errorf("waiting for %q is shown as %q", wait, got)
		}
	}
}
