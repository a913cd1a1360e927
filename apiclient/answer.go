package apiclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Deployment is one look at a deployment, as the platform words it: texts and
// enumerations that nobody documented are kept. Connections and CreateAt are
// shown only, so they stay texts; CreateAt has no zone.
type Deployment struct {
	Connections string
	CreateAt    string
	ID          string
	Name        string
	Type        string
	Platform    string
	Region      string
	Status      string
}

// An Operation is the platform's word that it accepted a start or a stop.
type Operation struct {
	ID        string
	Name      string
	Operation string // "starting", "stopping"
}

const (
	usualBody     = 4 << 10 // bytes of an announced body that room is made for at once
	maxText       = 256     // bytes of a name or a status
	maxMessage    = 512     // bytes of an error's message or text
	maxRetryAfter = 365 * 24 * time.Hour
)

// A texter makes a text from outside fit to be shown, at most max bytes long.
type texter func(s string, max int) string

// text is the client's texter. Control characters become blanks rather than
// disappear, so that taking them out cannot put a secret together; the
// credentials go before the cut, so that the cut leaves no half of one.
func (c *Client) text(s string, max int) string {
	s = c.hidden.scrub(strings.Map(printable, s))
	for len(s) > max {
		_, size := utf8.DecodeLastRuneInString(s[:max+1])
		s = s[:max+1-size]
	}
	return s
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}

// A loose text takes a JSON string or number and skips anything else: a field
// that is only shown must not cost a look.
type loose string

// UnmarshalJSON never fails on valid JSON.
func (t *loose) UnmarshalJSON(b []byte) error {
	*t = ""
	switch c := b[0]; {
	case c == '"' && isPlain(b):
		*t = loose(b[1 : len(b)-1])
	case c == '"':
		return json.Unmarshal(b, (*string)(t))
	case c == '-' || '0' <= c && c <= '9':
		*t = loose(b)
	}
	return nil
}

// isPlain reports whether a JSON string means what stands between its quotes: it
// has no escapes and is UTF-8.
func isPlain(b []byte) bool { return bytes.IndexByte(b, '\\') < 0 && utf8.Valid(b) }

// A reported is a deployment as the platform words it.
type reported struct {
	Connections    loose
	CreateAt       loose
	DeploymentID   loose
	DeploymentName loose
	DeploymentType loose
	Platform       loose
	Region         loose
	Status         loose
}

// shown is what is kept of it.
func (in *reported) shown(text texter) Deployment {
	return Deployment{
		Connections: text(string(in.Connections), maxText),
		CreateAt:    text(string(in.CreateAt), maxText),
		ID:          string(in.DeploymentID),
		Name:        text(string(in.DeploymentName), maxText),
		Type:        text(string(in.DeploymentType), maxText),
		Platform:    text(string(in.Platform), maxText),
		Region:      text(string(in.Region), maxText),
		Status:      text(string(in.Status), maxText),
	}
}

// readDeployments reads a 2xx answer to a GET of all deployments. What has no id,
// or the id of one before it, is left out: it must not blind the others. A status
// may be empty; a single look will tell more.
func readDeployments(body []byte, text texter) ([]Deployment, error) {
	var in []reported
	if json.Unmarshal(body, &in) != nil || in == nil {
		return nil, errors.New("the answer is not the documented JSON array")
	}
	all, seen := make([]Deployment, 0, len(in)), make(map[string]bool, len(in))
	for i := range in {
		id := string(in[i].DeploymentID)
		if id == "" || text(id, maxText) != id || seen[id] {
			continue
		}
		seen[id] = true
		all = append(all, in[i].shown(text))
	}
	return all, nil
}

// readDeployment reads a 2xx answer to a GET for id. What it returns is about id
// and has a status; anything else is an error.
func readDeployment(body []byte, id string, text texter) (Deployment, error) {
	var in struct {
		reported
		DeploymentID string
		Status       string
	}
	if err := readObject(body, &in); err != nil {
		return Deployment{}, err
	}
	if err := checkID(in.DeploymentID, id, text); err != nil {
		return Deployment{}, err
	}
	if in.Status == "" {
		return Deployment{}, errors.New("the answer has no status")
	}
	d := in.shown(text)
	d.ID, d.Status = id, text(in.Status, maxText)
	return d, nil
}

// readOperation reads a 2xx answer to a start or a stop of id.
func readOperation(body []byte, id string, text texter) (Operation, error) {
	var in struct {
		DeploymentID   string
		DeploymentName loose
		Operation      loose
	}
	if err := readObject(body, &in); err != nil {
		return Operation{}, err
	}
	if err := checkID(in.DeploymentID, id, text); err != nil {
		return Operation{}, err
	}
	return Operation{
		ID:        id,
		Name:      text(string(in.DeploymentName), maxText),
		Operation: text(string(in.Operation), maxText),
	}, nil
}

// readObject reads one JSON object. The decoder's errors are not wrapped, as
// they quote the answer.
func readObject(body []byte, into any) error {
	if json.Unmarshal(body, into) != nil {
		return errors.New("the answer is not the documented JSON object")
	}
	return nil
}

// checkID keeps an answer about another deployment from being believed.
func checkID(got, want string, text texter) error {
	if got != want {
		return fmt.Errorf("the answer is about deployment %q", text(got, maxText))
	}
	return nil
}

// readErrorBody reads the optional {"code", "message"} of an error. Both are
// empty where there is none: nothing depends on them.
func readErrorBody(body []byte, text texter) (code, message string) {
	var in struct{ Code, Message loose }
	if json.Unmarshal(body, &in) != nil {
		return "", ""
	}
	return text(string(in.Code), maxText), text(string(in.Message), maxMessage)
}

// readBody reads and closes an answer's body. A 101 has none: what follows is
// another protocol, which would be waited for without end.
func readBody(resp *http.Response, longest int) ([]byte, error) {
	defer resp.Body.Close()
	if resp.StatusCode < 200 {
		return nil, nil
	}
	if size := resp.ContentLength; 0 <= size && size <= usualBody {
		body := make([]byte, size) // as announced: at its end net/http keeps the connection
		n, err := io.ReadFull(resp.Body, body)
		return body[:n], err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(longest)+1))
	if err == nil && len(body) > longest {
		return nil, fmt.Errorf("%w %d bytes", errTooLong, longest)
	}
	return body, err
}

// readDate returns the answer's Date, or zero.
func readDate(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// readRetryAfter returns the wait that Retry-After asks for (RFC 9110, 10.2.3:
// seconds or a date), where it is ahead. A date is compared with the server's
// own clock, if it tells it.
func readRetryAfter(h http.Header, date, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter // too many digits are too many seconds
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if !date.IsZero() {
		now = date
	}
	return min(max(0, at.Sub(now)), maxRetryAfter)
}
