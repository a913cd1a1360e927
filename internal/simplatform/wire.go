package simplatform

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"time"
)

// deploymentBody is the answer to a GET, as the API page has it.
type deploymentBody struct {
	Connections    int    `json:"connections"`
	CreateAt       string `json:"createAt"`
	DeploymentID   string `json:"deploymentID"`
	DeploymentName string `json:"deploymentName"`
	DeploymentType string `json:"deploymentType"`
	Platform       string `json:"platform"`
	Region         string `json:"region"`
	Status         Status `json:"status"`
}

// listedBody is one element of the answer to a list.
type listedBody struct {
	deploymentBody
	ProjectName string `json:"projectName"`
	Version     string `json:"version"`
	TPS         int    `json:"tps"`
}

// operationBody is the answer to an accepted POST.
type operationBody struct {
	DeploymentID   string `json:"deploymentID"`
	DeploymentName string `json:"deploymentName"`
	Operation      string `json:"operation"`
}

// errorBody is what the official client reads of an error, where it is there.
type errorBody struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func bodyOf(d Deployment) deploymentBody {
	return deploymentBody{
		Connections: d.Connections, CreateAt: d.CreateAt, DeploymentID: d.ID, DeploymentName: d.Name,
		DeploymentType: d.Type, Platform: d.Platform, Region: d.Region, Status: d.Status,
	}
}

// body returns what an answer says, whole.
func (h *Handler) body(resp *Response) any {
	switch {
	case resp.Delivery == Misleading:
		return errorBody{http.StatusInternalServerError, "internal error"}
	case resp.Status/100 != 2 && h.config.BareErrors:
		return nil
	case resp.Status/100 != 2:
		return errorBody{resp.Status, message(resp.Status)}
	case resp.Operation != "":
		return operationBody{resp.Deployment.ID, resp.Deployment.Name, resp.Operation}
	case resp.List != nil:
		all := make([]listedBody, len(resp.List))
		for i, d := range resp.List {
			all[i] = listedBody{bodyOf(d), d.ProjectName, d.Version, d.TPS}
		}
		return all
	}
	return bodyOf(resp.Deployment)
}

// message is what the API page says about a status.
func message(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "API Key authentication failed."
	case http.StatusForbidden:
		return "API Key does not have permission to access."
	case http.StatusNotFound:
		return "Deployment not found."
	case http.StatusUnprocessableEntity:
		return "Invalid request parameters."
	case http.StatusTooManyRequests:
		return "Request limit exceeded."
	}
	return http.StatusText(status)
}

// encode returns v as JSON, nothing for nil. What is passed in always encodes.
func encode(v any) []byte {
	if v == nil {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// send puts an answer that was given at at on the wire, or does to the
// connection what its delivery asks for.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, resp *Response, at time.Time) {
	delay := h.config.Latency
	if resp.Delivery != Trickled {
		delay += resp.Delay
	}
	if delay > 0 {
		if h.config.Wait(r.Context(), delay) != nil {
			panic(http.ErrAbortHandler) // the client has gone
		}
		at = at.Add(delay)
	}
	switch resp.Delivery {
	case NotReached:
		drop(w, true)
	case Closed:
		drop(w, false)
	default:
		h.answer(w, r, resp, at)
	}
}

// answer writes head and body; a delivery that breaks off does so at the end.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, resp *Response, at time.Time) {
	text := encode(h.body(resp))
	switch resp.Delivery {
	case Garbled:
		text = []byte("<html><body>Bad gateway \xff\x00")
	case Cut:
		text = text[:len(text)/2]
	}
	h.head(w, resp.Status, len(text), at)
	if resp.Status == http.StatusTooManyRequests {
		if v := resp.Retry.Header(at.Add(h.config.Skew)); v != "" {
			w.Header().Set("Retry-After", v)
		}
	}
	if resp.Status == http.StatusTemporaryRedirect {
		w.Header().Set("Location", r.URL.RequestURI())
	}
	w.WriteHeader(resp.Status)
	switch resp.Delivery {
	case Trickled:
		h.trickle(w, r, text, resp.Delay)
	case Reset:
		_, _ = w.Write(text[:len(text)/2])
		drop(w, true)
	default:
		_, _ = w.Write(text) // a client that has gone is no concern of a server
	}
}

// head sets the header fields that every answer has. Date is set here, since
// server time is not this machine's.
func (h *Handler) head(w http.ResponseWriter, status, length int, at time.Time) {
	to := w.Header()
	to.Set("Date", at.Add(h.config.Skew).UTC().Format(http.TimeFormat))
	to.Set("Content-Length", strconv.Itoa(length))
	if length > 0 {
		to.Set("Content-Type", "application/json")
	}
	if status == http.StatusUnauthorized {
		to.Set("WWW-Authenticate", `Basic realm="EMQX Platform API"`)
	}
}

// fail answers a request that the platform has no route for.
func (h *Handler) fail(w http.ResponseWriter, at time.Time, status int) {
	text := encode(h.body(&Response{Status: status}))
	h.head(w, status, len(text), at)
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// trickle writes text byte by byte over d, until the client has gone.
func (h *Handler) trickle(w http.ResponseWriter, r *http.Request, text []byte, d time.Duration) {
	flush := http.NewResponseController(w)
	for i := range text {
		if h.config.Wait(r.Context(), d/time.Duration(len(text))) != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(text[i : i+1])
		_ = flush.Flush()
	}
}

// drop ends the connection: at once and with a reset, or in good order. What was
// written before goes out first.
func drop(w http.ResponseWriter, reset bool) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // not HTTP/1.1: the server ends it its own way
	}
	_ = buffered.Flush()
	if tcp, ok := conn.(interface{ SetLinger(sec int) error }); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// loopback reports whether addr, a host and port, is this machine's own.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && net.ParseIP(host).IsLoopback()
}
