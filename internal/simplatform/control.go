package simplatform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// controlPrefix is where the control surface lives:
//
//	GET    /_sim/state            deployments with their true status, and faults
//	GET    /_sim/log?since=SEQ    the server's log, from behind an entry on
//	GET    /_sim/score?from=&to=  what was counted, and how the time was spent
//	POST   /_sim/faults           {"fault": "stop dev-eu lost-answer x1"}
//	DELETE /_sim/faults           takes all away
//	POST   /_sim/act              {"deployment": "dev-eu", "act": "stop", "at": "+10m"}
//	POST   /_sim/foreign          {"deployment": "dev-eu", "method": "stop"}
//	POST   /_sim/deployments      {"id": "w41b11c0", "name": "dev-eu", "boot": "3m"}
//
// A POST needs a JSON content type, which keeps web pages of other origins out.
// Answers are JSON, an error is {"message": …}.
const controlPrefix = "/_sim/"

// maxControl is the longest body that the control surface reads, in bytes.
const maxControl = 64 << 10

// A control does one thing to the World and returns what to answer.
type control func(w *World, now time.Time, body []byte, query url.Values) (any, error)

// controls returns the control surface.
func (h *Handler) controls() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, do control) { mux.Handle(pattern, h.guard(do)) }
	handle("GET /_sim/state", stateControl)
	handle("GET /_sim/log", logControl)
	handle("GET /_sim/score", scoreControl)
	handle("POST /_sim/faults", faultControl)
	handle("DELETE /_sim/faults", clearControl)
	handle("POST /_sim/act", actControl)
	handle("POST /_sim/foreign", h.foreignControl)
	handle("POST /_sim/deployments", addControl)
	return mux
}

// guard reads a request outside the lock and runs do inside it. The answer is
// encoded there as well, since it may be a part of the World.
func (h *Handler) guard(do control) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, status, err := admit(w, r)
		if err != nil {
			sendControl(w, status, complaint(err))
			return
		}
		var text []byte
		h.With(func(world *World, now time.Time) {
			answer, err := do(world, now, body, r.URL.Query())
			status = statusOf(err)
			if err != nil {
				answer = complaint(err)
			}
			text = encode(answer)
		})
		sendControl(w, status, json.RawMessage(text))
	}
}

func complaint(err error) any { return map[string]string{"message": err.Error()} }

func sendControl(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(encode(answer), '\n'))
}

// admit lets in what comes from this machine and is no form of a web page, and
// returns its body; else the status to answer.
func admit(w http.ResponseWriter, r *http.Request) (body []byte, status int, err error) {
	if !loopback(r.RemoteAddr) {
		return nil, http.StatusForbidden, errors.New("the control surface is for this machine only")
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method == http.MethodPost && kind != "application/json" {
		return nil, http.StatusUnsupportedMediaType, errors.New("want Content-Type: application/json")
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxControl))
	if err != nil {
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("read body: %w", err)
	}
	return body, http.StatusOK, nil
}

// statusOf is the status of an answer to a control request.
func statusOf(err error) int {
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, ErrUnknown):
		return http.StatusNotFound
	case errors.Is(err, ErrExists), errors.Is(err, ErrStatus):
		return http.StatusConflict
	}
	return http.StatusBadRequest
}

// decode reads one JSON object and nothing behind it into v, strictly.
func decode(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("read body: something follows the object")
	}
	return nil
}

// named finds a deployment by id or name.
func (w *World) named(idOrName string) (string, error) {
	if id, ok := w.Find(idOrName); ok {
		return id, nil
	}
	return "", fmt.Errorf("deployment %q: %w", idOrName, ErrUnknown)
}

// hitBody is a rule in the answer about the state.
type hitBody struct {
	Fault string `json:"fault"`
	Hits  int    `json:"hits"`
}

func stateControl(w *World, now time.Time, _ []byte, _ url.Values) (any, error) {
	state := struct {
		Now         time.Time        `json:"now"`
		Deployments []deploymentBody `json:"deployments"`
		Faults      []hitBody        `json:"faults"`
	}{now.UTC(), []deploymentBody{}, []hitBody{}}
	for _, d := range w.Deployments(now) {
		state.Deployments = append(state.Deployments, bodyOf(d))
	}
	for _, f := range w.Faults() {
		state.Faults = append(state.Faults, hitBody{f.Fault.String(), f.Hits})
	}
	return state, nil
}

func logControl(w *World, now time.Time, _ []byte, query url.Values) (any, error) {
	var since uint64
	if text := query.Get("since"); text != "" {
		var err error
		if since, err = strconv.ParseUint(text, 10, 64); err != nil {
			return nil, fmt.Errorf("since=%q is no number of an entry", text)
		}
	}
	w.advance(now)
	return append([]Entry{}, w.Since(since)...), nil
}

// spentBody is how one deployment spent the span that a score is about.
type spentBody struct {
	DeploymentID string  `json:"deploymentID"`
	Status       Status  `json:"status"`
	RunningHours float64 `json:"runningHours"`
	StoppedHours float64 `json:"stoppedHours"`
	OtherHours   float64 `json:"otherHours"`
}

func scoreControl(w *World, now time.Time, _ []byte, query url.Values) (any, error) {
	from, err := instantOr(query.Get("from"), now, time.Unix(0, 0))
	if err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	to, err := instantOr(query.Get("to"), now, now)
	if err != nil {
		return nil, fmt.Errorf("to: %w", err)
	}
	w.advance(now)
	return scoreOf(w, from, to), nil
}

// instantOr reads an instant, or returns other where there is no text.
func instantOr(text string, now, other time.Time) (time.Time, error) {
	if text == "" {
		return other, nil
	}
	return parseInstant(text, now)
}

func scoreOf(w *World, from, to time.Time) any {
	score, calls := w.Score(), map[Method]int{}
	for i, n := range score.Calls {
		calls[Method(i)] = n
	}
	spent := []spentBody{}
	for _, r := range w.order {
		s := w.Spent(r.ID, from, to)
		spent = append(spent, spentBody{
			r.ID, w.StatusAt(r.ID, to), s.Running.Hours(), s.Stopped.Hours(), s.Other.Hours(),
		})
	}
	return struct {
		Calls       map[Method]int `json:"calls"`
		OverQuota   int            `json:"overQuota"`
		Limited     int            `json:"limited"`
		Repeated    int            `json:"repeated"`
		Applied     int            `json:"applied"`
		Deployments []spentBody    `json:"deployments"`
	}{calls, score.OverQuota, score.Limited, score.Repeated, score.Applied, spent}
}

func faultControl(w *World, now time.Time, body []byte, _ url.Values) (any, error) {
	var ask struct {
		Fault string `json:"fault"`
	}
	if err := decode(body, &ask); err != nil {
		return nil, err
	}
	f, err := ParseFault(ask.Fault, now)
	if err != nil {
		return nil, err
	}
	return map[string]string{"fault": f.String()}, w.AddFault(f)
}

func clearControl(w *World, _ time.Time, _ []byte, _ url.Values) (any, error) {
	w.ClearFaults()
	return struct{}{}, nil
}

func actControl(w *World, now time.Time, body []byte, _ url.Values) (any, error) {
	var ask struct {
		Deployment string `json:"deployment"`
		Act        Action `json:"act"`
		Status     Status `json:"status"`
		At         string `json:"at"` // RFC 3339 or +D; empty for now
	}
	if err := decode(body, &ask); err != nil {
		return nil, err
	}
	id, err := w.named(ask.Deployment)
	if err != nil {
		return nil, err
	}
	act := Act{ID: id, Do: ask.Act, Status: ask.Status}
	if ask.At == "" {
		return struct{}{}, w.Act(now, act)
	}
	at, err := parseInstant(ask.At, now)
	if err != nil {
		return nil, fmt.Errorf("at: %w", err)
	}
	w.Plan(at, act)
	return map[string]time.Time{"at": at}, nil
}

func (h *Handler) foreignControl(w *World, now time.Time, body []byte, _ url.Values) (any, error) {
	var ask struct {
		Deployment string  `json:"deployment"`
		Method     *Method `json:"method"`
	}
	if err := decode(body, &ask); err != nil {
		return nil, err
	}
	if ask.Method == nil {
		return nil, errors.New("method is missing: want get, start, stop or list")
	}
	q := Request{Method: *ask.Method, Key: h.config.Key}
	if q.Method != List {
		id, err := w.named(ask.Deployment)
		if err != nil {
			return nil, err
		}
		q.ID = id
	}
	w.Foreign(now, q)
	return struct{}{}, nil
}

func addControl(w *World, now time.Time, body []byte, _ url.Values) (any, error) {
	var ask struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Type        string `json:"type"`
		Platform    string `json:"platform"`
		Region      string `json:"region"`
		Connections int    `json:"connections"`
		CreateAt    string `json:"createAt"`
		Status      Status `json:"status"`
		Boot        span   `json:"boot"`
		Halt        span   `json:"halt"`
		Pending     span   `json:"pending"`
		Lag         span   `json:"lag"`
	}
	if err := decode(body, &ask); err != nil {
		return nil, err
	}
	d := Deployment{
		ID: ask.ID, Name: ask.Name, Type: ask.Type, Platform: ask.Platform, Region: ask.Region,
		Connections: ask.Connections, CreateAt: ask.CreateAt, Status: ask.Status,
	}
	t := Timing{
		Boot: time.Duration(ask.Boot), Halt: time.Duration(ask.Halt),
		Pending: time.Duration(ask.Pending), Lag: time.Duration(ask.Lag),
	}
	return struct{}{}, w.Add(now, d, t)
}

// A span is a length of time as text: Go's notation, or "never".
type span time.Duration

// UnmarshalText reads a length of time from 0s on, or "never".
func (s *span) UnmarshalText(text []byte) error {
	if string(text) == "never" {
		*s = span(Never)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 || d > longest {
		return fmt.Errorf("%q is no length of time: want one such as 90s or 2h45m, or never", text)
	}
	*s = span(d)
	return nil
}
