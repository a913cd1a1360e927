package simplatform

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Fault{
		"stop dev-eu lost-answer x1": {Methods: Only(Stop), Target: "dev-eu", Kind: LostAnswer, Count: 1},
		"  any\t*  error ":           {Methods: AnyMethod, Kind: Error, Code: 500},
		"post * hang for=90s":        {Methods: Posts, Kind: Hang, For: 90 * time.Second},
		"start,get x error p=0.25 code=503 nth=7": {
			Methods: Only(Start) | Only(Get), Target: "x", Kind: Error, P: 0.25, Code: 503, Nth: 7},
		"list * slow":                       {Methods: Only(List), Kind: Slow, For: 30 * time.Second},
		"stop * limited retry=date:-1h30m":  {Methods: Only(Stop), Kind: Limited, Retry: Retry{RetryDate, -90 * time.Minute}},
		"stop * limited retry=87600h":       {Methods: Only(Stop), Kind: Limited, Retry: Retry{RetrySeconds, 87600 * time.Hour}},
		"stop * limited retry=none":         {Methods: Only(Stop), Kind: Limited},
		"stop * dropped from=+1h to=+1h30m": {Methods: Only(Stop), Kind: Dropped, From: epoch().Add(time.Hour), To: epoch().Add(90 * time.Minute)},
		"stop * dropped from=2026-12-24T18:00:00+01:00": {
			Methods: Only(Stop), Kind: Dropped, From: time.Date(2026, 12, 24, 17, 0, 0, 0, time.UTC)},
	} {
		got, err := ParseFault(text, epoch())
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// TestParseFaultErrors: each says what was expected.
func TestParseFaultErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                            "want METHOD DEPLOYMENT KIND",
		"stop dev-eu":                                 "want METHOD DEPLOYMENT KIND",
		"halt dev-eu error":                           `unknown method "halt": want get, start`,
		"stop, dev-eu error":                          `unknown method ""`,
		"stop dev-eu lost":                            `unknown kind "lost": want one of lost-answer, dropped`,
		"stop dev-eu none":                            `unknown kind "none"`,
		"stop dev-eu error 3":                         `"3": want xN, nth=`,
		"stop dev-eu error x0":                        `"0" is no number from 1 on`,
		"stop dev-eu error x-1":                       `"-1" is no number`,
		"stop dev-eu error x":                         `"" is no number`,
		"stop dev-eu error x=1":                       `"=1" is no number`,
		"stop dev-eu error x1 x2":                     `"x2": given twice`,
		"stop dev-eu error when=now":                  "unknown option: want xN",
		"stop dev-eu error p=0":                       "want more than 0 and at most 1",
		"stop dev-eu error p=2":                       "is no probability",
		"stop dev-eu error p=NaN":                     "is no probability",
		"stop dev-eu error code=200":                  "want 500 to 599",
		"stop dev-eu dropped code=500":                "code= means nothing with dropped",
		"stop dev-eu dropped for=1s":                  "for= means nothing with dropped",
		"stop dev-eu hang for=soon":                   `"soon" is no length of time`,
		"stop dev-eu hang for=-1s":                    `"-1s" is no length of time`,
		"stop dev-eu hang for=2000000h":               "at most a century",
		"stop dev-eu error retry=1s":                  "retry= means nothing with error",
		"stop dev-eu limited retry=x":                 "is none of none, garbage, D and date:D",
		"stop dev-eu limited retry=2000000h":          "at most a century",
		"stop dev-eu error from=noon":                 "is neither RFC 3339",
		"stop dev-eu error from=9999-01-01T00:00:00Z": "the year 9999 is out of reach",
		"stop dev-eu error from=+2500000h":            "is out of reach",
		"stop dev-eu error from=+2h to=+1h":           "to= lies not after from=",
		"get dev-eu stuck":                            "stuck concerns start and stop only",
		"any dev-eu late":                             "late concerns start and stop only",
	} {
		_, err := ParseFault(text, epoch())
		switch {
		case err == nil:
			t.Errorf("%q was taken, want an error with %q", text, want)
		case !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("%q", text)):
			t.Errorf("%q: error %q, want one that quotes it and says %q", text, err, want)
		}
	}
}

// FuzzParseFault: nothing makes it panic, and what it takes it takes again, to
// the same rule, in the words of String; a World takes it too.
func FuzzParseFault(f *testing.F) {
	for _, k := range Kinds() {
		f.Add("stop dev-eu " + k.String() + " x1")
	}
	f.Add("start,get,list * error code=503 p=0.1 nth=2 from=+1h to=2027-01-01T00:00:00Z")
	f.Add("post ü limited retry=date:-5m")
	f.Add("any * slow for=1ns")
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := ParseFault(text, epoch())
		if err != nil {
			return
		}
		again, err := ParseFault(rule.String(), epoch().Add(time.Hour))
		if err != nil {
			t.Fatalf("%q reads as %q, which does not read: %v", text, rule, err)
		}
		if diff := cmp.Diff(rule, again); diff != "" {
			t.Fatalf("%q reads as %q, which reads as another (-first +second):\n%s", text, rule, diff)
		}
		w := worldOf(t, Config{}, Deployment{ID: "dev-eu"})
		if err := w.AddFault(rule); err != nil {
			t.Fatalf("%q was read, but not taken: %v", text, err)
		}
		for m := range Methods {
			do(w, time.Minute, Method(m), "dev-eu")
		}
		do(w, 200*365*24*time.Hour, Get, "dev-eu")
	})
}

func ExampleParseFault() {
	now := time.Date(2026, 12, 21, 20, 0, 0, 0, time.UTC)
	f, _ := ParseFault("post dev-eu error code=503 from=+10m x2", now)
	fmt.Println(f)
	_, err := ParseFault("stop dev-eu hang for=soon", now)
	fmt.Println(err)
	// Output:
	// post dev-eu error x2 from=2026-12-21T20:10:00Z code=503
	// read fault "stop dev-eu hang for=soon": "for=soon": "soon" is no length of time such as 90s or 2h45m
}
