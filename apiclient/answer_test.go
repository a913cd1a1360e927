package apiclient

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDeployments reads what is documented, and what nobody documented without
// losing the look.
func TestDeployments(t *testing.T) {
	t.Parallel()
	c := connect(t, "https://host")
	long := strings.Repeat("é", maxText)
	for _, test := range []struct {
		name, body string
		want       Deployment
	}{
		{"all fields", lookBody, Deployment{
			Connections: "1000", CreateAt: "2024-07-22 05:32", ID: testID, Name: "deployment-w41b11c0",
			Type: "dedicated", Platform: "AWS", Region: "N. Virginia (us-east-1)", Status: "running"}},
		{"the least", `{"deploymentID":"w41b11c0","status":"stopped"}`,
			Deployment{ID: testID, Status: "stopped"}},
		{"unknown status and type", `{"deploymentID":"w41b11c0","status":"Hibernating!","deploymentType":"dedicatedFlex2"}`,
			Deployment{ID: testID, Status: "Hibernating!", Type: "dedicatedFlex2"}},
		{"known status with a blank", `{"deploymentID":"w41b11c0","status":"running\n"}`,
			Deployment{ID: testID, Status: "running "}},
		{"connections as text", `{"deploymentID":"w41b11c0","status":"running","connections":"1,000"}`,
			Deployment{ID: testID, Status: "running", Connections: "1,000"}},
		{"connections as other numbers", `{"deploymentID":"w41b11c0","status":"running","connections":-1.5e3}`,
			Deployment{ID: testID, Status: "running", Connections: "-1.5e3"}},
		{"odd fields", `{"deploymentID":"w41b11c0","status":"running","connections":{"max":1},"region":null,"platform":["AWS"],"deploymentName":true,"more":1}`,
			Deployment{ID: testID, Status: "running"}},
		{"control characters", `{"deploymentID":"w41b11c0","status":"running","deploymentName":"a\u0000b\r\nc\u001b[31m\u202ed"}`,
			Deployment{ID: testID, Status: "running", Name: "a b  c [31m d"}},
		{"not UTF-8", "{\"deploymentID\":\"w41b11c0\",\"status\":\"running\",\"region\":\"\xff\"}",
			Deployment{ID: testID, Status: "running", Region: "\uFFFD"}},
		{"too long", `{"deploymentID":"w41b11c0","status":"` + long + `","platform":"x` + long + `"}`,
			Deployment{ID: testID, Status: long[:maxText], Platform: "x" + long[:maxText-2]}},
	} {
		got, err := readDeployment([]byte(test.body), testID, c.text)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// A text is the same whether its bytes are taken as they are or decoded.
func TestLooseTexts(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`""`, `"plain"`, `"N. Virginia (us-east-1)"`, `"Grüße, 世界"`, `"a\"b"`, `"a\\"`, `"\u00e9\n"`, `"\ud800"`,
		"\"\xff\"", "\"é\xc3\"", "\"\u2028\"", "\"\x7f\"", "\"\\/\"",
	} {
		var want string
		if err := json.Unmarshal([]byte(in), &want); err != nil {
			t.Fatal(err)
		}
		got := loose("before")
		if err := json.Unmarshal([]byte(in), &got); err != nil || string(got) != want {
			t.Errorf("%q is read as %q with error %v, want %q", in, got, err, want)
		}
	}
}

// Whatever a body's length and however it is told, it is read whole, or it is
// over the cap.
func TestBodies(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, usualBody, usualBody + 1, maxBody, maxBody + 1} {
		body := strings.Repeat("x", size)
		for how, answer := range map[string]string{
			"announced": reply(200, body),
			"in chunks": fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s0\r\n\r\n", chunk(body)),
			"to an end": "HTTP/1.1 200 OK\r\n\r\n" + body,
		} {
			resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readBody(resp, maxBody)
			switch {
			case size > maxBody && !errors.Is(err, errTooLong):
				t.Errorf("%d bytes %s: read %d with error %v, want %v", size, how, len(got), err, errTooLong)
			case size <= maxBody && (err != nil || string(got) != body):
				t.Errorf("%d bytes %s: read %d of them with error %v", size, how, len(got), err)
			}
		}
	}
}

// chunk is body as one chunk; an empty one would be the last.
func chunk(body string) string {
	if body == "" {
		return ""
	}
	return fmt.Sprintf("%x\r\n%s\r\n", len(body), body)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)
	now := date.Add(3 * time.Minute) // our clock and theirs differ
	for _, test := range []struct {
		value   string
		noDate  bool
		want    time.Duration
		because string
	}{
		{value: "", want: 0, because: "not there"},
		{value: "120", want: 2 * time.Minute, because: "seconds"},
		{value: " 7 ", want: 7 * time.Second, because: "blanks"},
		{value: "0", want: 0, because: "at once"},
		{value: "-5", want: 0, because: "negative"},
		{value: "1.5", want: 0, because: "a fraction is not in the grammar"},
		{value: "soon", want: 0, because: "garbage"},
		{value: "1e9", want: 0, because: "garbage"},
		{value: "31536001", want: maxRetryAfter, because: "over a year"},
		{value: "99999999999999999999999", want: maxRetryAfter, because: "over 64 bits"},
		{value: "Sun, 25 Oct 2026 01:10:00 GMT", want: 10 * time.Minute, because: "counted from Date"},
		{value: "Sun, 25 Oct 2026 01:10:00 GMT", noDate: true, want: 7 * time.Minute, because: "counted from our clock"},
		{value: "Sunday, 25-Oct-26 01:10:00 GMT", want: 10 * time.Minute, because: "the obsolete form of dates"},
		{value: "Sun, 25 Oct 2026 00:59:59 GMT", want: 0, because: "past"},
		{value: "Fri, 31 Dec 9999 23:59:59 GMT", want: maxRetryAfter, because: "absurd"},
		{value: "Mon, 01 Jan 0001 00:00:00 GMT", want: 0, because: "the zero date"},
	} {
		h := http.Header{}
		h.Set("Retry-After", test.value)
		from := date
		if test.noDate {
			from = time.Time{}
		}
		if got := readRetryAfter(h, from, now); got != test.want {
			t.Errorf("Retry-After %q (%s): got %v, want %v", test.value, test.because, got, test.want)
		}
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Time{
		"Sun, 25 Oct 2026 01:00:00 GMT":  time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC),
		"Sunday, 25-Oct-26 01:00:00 GMT": time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC),
		"Sun Oct 25 01:00:00 2026":       time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC),
		"":                               {},
		"2026-10-25T01:00:00Z":           {},
		"now":                            {},
	} {
		h := http.Header{}
		h.Set("Date", value)
		if got := readDate(h); !got.Equal(want) {
			t.Errorf("Date %q: got %v, want %v", value, got, want)
		}
	}
}

// TestReadDeployments: one that cannot be used does not hide the others.
func TestReadDeployments(t *testing.T) {
	t.Parallel()
	plain := func(s string, _ int) string { return s }
	for _, c := range []struct {
		body string
		want []Deployment // nil: an error
	}{
		{`[]`, []Deployment{}},
		{`[{"deploymentID":"a","deploymentName":"dev","status":"running","tps":1000,"projectName":"p"},{"deploymentID":"b","status":"stopped"}]`,
			[]Deployment{{ID: "a", Name: "dev", Status: "running"}, {ID: "b", Status: "stopped"}}},
		{`[{"deploymentID":"a"},{"status":"running"},{"deploymentID":{},"status":"running"},{"deploymentID":"b","status":"stopped"}]`,
			[]Deployment{{ID: "a"}, {ID: "b", Status: "stopped"}}},
		{`[{"deploymentID":"a","status":"running"},{"deploymentID":"a","status":"stopped"}]`, []Deployment{{ID: "a", Status: "running"}}},
		{`null`, nil}, {`{"data":[]}`, nil}, {`[`, nil}, {``, nil}, {`[1]`, nil},
	} {
		got, err := readDeployments([]byte(c.body), plain)
		if !slices.Equal(got, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("%s: %+v, %v; want %+v", c.body, got, err, c.want)
		}
	}
}
