package simplatform

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ask makes one request of the control surface, as from this machine.
func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:40000"
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestControl plays one evening over the control surface.
func TestControl(t *testing.T) {
	t.Parallel()
	now := epoch()
	h := NewHandler(New(Config{}), func() time.Time { return now }, HandlerConfig{})
	for _, c := range []struct {
		after        time.Duration
		method, path string
		body         string
		status       int
		want         string
	}{
		{0, "GET", "/_sim/state", "", 200, `{"now":"2026-12-21T08:00:00Z","deployments":[],"faults":[]}`},
		{0, "GET", "/_sim/log", "", 200, `[]`},
		{0, "POST", "/_sim/deployments", `{"id":"a","name":"dev","type":"dedicated","platform":"AWS","region":"x",` +
			`"connections":5,"createAt":"2024-07-22 05:32","boot":"3m","halt":"never"}`, 200, `{}`},
		{0, "POST", "/_sim/deployments", `{"id":"b","status":"stopped"}`, 200, `{}`},
		{0, "POST", "/_sim/deployments", `{"id":"a"}`, 409, `{"message":"add deployment \"a\": deployment exists"}`},
		{0, "POST", "/_sim/faults", `{"fault":"stop dev error x1"}`, 200, `{"fault":"stop dev error x1 code=500"}`},
		{0, "POST", "/deployments/a/stop", "", 500, `{"code":500,"message":"Internal Server Error"}`},
		{0, "POST", "/_sim/foreign", `{"deployment":"dev","method":"start"}`, 200, `{}`},
		{0, "GET", "/_sim/state", "", 200, `{"now":"2026-12-21T08:00:00Z","deployments":[` +
			`{"connections":5,"createAt":"2024-07-22 05:32","deploymentID":"a","deploymentName":"dev",` +
			`"deploymentType":"dedicated","platform":"AWS","region":"x","status":"running"},` +
			`{"connections":0,"createAt":"","deploymentID":"b","deploymentName":"","deploymentType":"",` +
			`"platform":"","region":"","status":"stopped"}],` +
			`"faults":[{"fault":"stop dev error x1 code=500","hits":1}]}`},
		{0, "DELETE", "/_sim/faults", "", 200, `{}`},
		{0, "POST", "/_sim/act", `{"deployment":"b","act":"start"}`, 200, `{}`},
		{0, "POST", "/_sim/act", `{"deployment":"b","act":"start"}`, 409, `{"message":"start deployment \"b\": not possible in this status"}`},
		{0, "POST", "/_sim/act", `{"deployment":"b","act":"status","status":"odd","at":"+1h"}`, 200, `{"at":"2026-12-21T09:00:00Z"}`},
		{0, "POST", "/_sim/act", `{"deployment":"c","act":"stop"}`, 404, `{"message":"deployment \"c\": no such deployment"}`},
		{2 * time.Hour, "GET", "/_sim/log", "", 200, `[` +
			`{"seq":1,"at":"2026-12-21T08:00:00Z","method":"stop","id":"a","by":"client","status":500,"fault":"error"},` +
			`{"seq":2,"at":"2026-12-21T08:00:00Z","method":"start","id":"a","by":"foreign","status":201}]`},
		{2 * time.Hour, "GET", "/_sim/log?since=2", "", 200, `[]`},
		{2 * time.Hour, "GET", "/_sim/score", "", 200, `{"calls":{"get":0,"list":0,"start":0,"stop":1},` +
			`"overQuota":0,"limited":0,"repeated":0,"applied":0,"deployments":[` +
			`{"deploymentID":"a","status":"running","runningHours":2,"stoppedHours":0,"otherHours":0},` +
			`{"deploymentID":"b","status":"odd","runningHours":0.9333333333333333,"stoppedHours":0,"otherHours":1.0666666666666667}]}`},
		{2 * time.Hour, "GET", "/_sim/score?from=2026-12-21T08:30:00Z&to=2026-12-21T09:00:00Z", "", 200,
			`{"calls":{"get":0,"list":0,"start":0,"stop":1},` +
				`"overQuota":0,"limited":0,"repeated":0,"applied":0,"deployments":[` +
				`{"deploymentID":"a","status":"running","runningHours":0.5,"stoppedHours":0,"otherHours":0},` +
				`{"deploymentID":"b","status":"odd","runningHours":0.5,"stoppedHours":0,"otherHours":0}]}`},
		{2 * time.Hour, "POST", "/_sim/act", `{"deployment":"dev","act":"delete"}`, 200, `{}`},
		{2 * time.Hour, "GET", "/deployments/a", "", 404, `{"code":404,"message":"Deployment not found."}`},
	} {
		now = epoch().Add(c.after)
		got := ask(h, c.method, c.path, c.body)
		if got.Code != c.status {
			t.Errorf("%s %s %s: %d, want %d", c.method, c.path, c.body, got.Code, c.status)
		}
		if diff := cmp.Diff(c.want, strings.TrimSpace(got.Body.String())); diff != "" {
			t.Errorf("%s %s %s (-want +got):\n%s", c.method, c.path, c.body, diff)
		}
	}
}

// TestControlRefuses: what is wrong is said, and changes nothing.
func TestControlRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/_sim/faults", ``, 400, "read body: EOF"},
		{"POST", "/_sim/faults", `[]`, 400, "cannot unmarshal array"},
		{"POST", "/_sim/faults", `{"fault":"x"}`, 400, "want METHOD DEPLOYMENT KIND"},
		{"POST", "/_sim/faults", `{"fault":"stop * error"}{}`, 400, "something follows"},
		{"POST", "/_sim/faults", `{"faults":"stop * error"}`, 400, `unknown field "faults"`},
		{"POST", "/_sim/act", `{"deployment":"w41b11c0"}`, 400, "no such act"},
		{"POST", "/_sim/act", `{"deployment":"w41b11c0","act":"restart"}`, 400, `unknown act "restart"`},
		{"POST", "/_sim/act", `{"deployment":"w41b11c0","act":"stop","at":"noon"}`, 400, "neither RFC 3339"},
		{"POST", "/_sim/foreign", `{"deployment":"w41b11c0"}`, 400, "method is missing"},
		{"POST", "/_sim/foreign", `{"deployment":"x","method":"stop"}`, 404, "no such deployment"},
		{"POST", "/_sim/deployments", `{}`, 400, "it has no id"},
		{"POST", "/_sim/deployments", `{"id":"b","boot":"-1s"}`, 400, "no length of time"},
		{"GET", "/_sim/log?since=-1", ``, 400, "no number of an entry"},
		{"GET", "/_sim/score?from=x", ``, 400, "from: "},
		{"GET", "/_sim/score?to=x", ``, 400, "to: "},
		{"POST", "/_sim/act", `"` + strings.Repeat("x", maxControl) + `"`, 413, "too large"},
	} {
		w := worldOf(t, Config{}, example())
		got := ask(NewHandler(w, epoch, HandlerConfig{}), c.method, c.path, c.body)
		if got.Code != c.status || !strings.Contains(got.Body.String(), strings.ReplaceAll(c.want, `"`, `\"`)) {
			t.Errorf("%s %s %.80s: %d %s, want %d %s", c.method, c.path, c.body, got.Code, got.Body, c.status, c.want)
		}
		if len(w.Faults())+len(w.Log()) > 0 || len(w.Deployments(epoch())) != 1 {
			t.Errorf("%s %s %.80s: refused, and changed something", c.method, c.path, c.body)
		}
	}
}

// TestControlIsLocal: no other machine, and no form of a web page.
func TestControlIsLocal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, kind string
		status     int
	}{
		{"127.0.0.1:1", "application/json", 200},
		{"[::1]:1", "application/json", 200},
		{"192.0.2.1:1", "application/json", 403},
		{"", "application/json", 403},
		{"127.0.0.1:1", "text/plain", 415},
		{"127.0.0.1:1", "", 415},
	} {
		r := httptest.NewRequest("POST", "/_sim/faults", strings.NewReader(`{"fault":"stop * error"}`))
		r.RemoteAddr = c.from
		r.Header.Set("Content-Type", c.kind)
		got := httptest.NewRecorder()
		NewHandler(New(Config{}), epoch, HandlerConfig{}).ServeHTTP(got, r)
		if got.Code != c.status {
			t.Errorf("from %q as %q: %d, want %d", c.from, c.kind, got.Code, c.status)
		}
	}
}

// FuzzControl: whatever is posted, the answer is JSON with a fitting status, and
// the World goes on working.
func FuzzControl(f *testing.F) {
	f.Add("faults", `{"fault":"post * hang for=1h p=0.5"}`)
	f.Add("faults", `{"fault":"any w41b11c0 slow"}`)
	f.Add("act", `{"deployment":"w41b11c0","act":"status","status":"x","at":"+1h"}`)
	f.Add("act", `{"deployment":"w41b11c0","act":"delete","at":"1969-01-01T00:00:00Z"}`)
	f.Add("foreign", `{"deployment":"w41b11c0","method":"stop"}`)
	f.Add("deployments", `{"id":"x","boot":"never","lag":"never","pending":"876000h"}`)
	f.Fuzz(func(t *testing.T, path, body string) {
		switch path {
		case "faults", "act", "foreign", "deployments":
		default:
			t.Skip("no such control")
		}
		w := worldOf(t, Config{}, example())
		h := NewHandler(w, epoch, HandlerConfig{})
		got := ask(h, "POST", "/_sim/"+path, body)
		var answer struct{ Message string }
		if err := json.Unmarshal(got.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s: answered %q: %v", body, got.Body, err)
		}
		if (got.Code == 200) != (answer.Message == "") {
			t.Fatalf("%s: answered %d with message %q", body, got.Code, answer.Message)
		}
		for _, id := range []string{example().ID, "x"} {
			for m := range Methods {
				do(w, 2*time.Hour, Method(m), id)
			}
		}
		for _, path := range []string{"state", "log", "score"} {
			if got := ask(h, "GET", "/_sim/"+path, ""); got.Code != 200 || !json.Valid(got.Body.Bytes()) {
				t.Fatalf("%s, then %s: %d %q", body, path, got.Code, got.Body)
			}
		}
	})
}
