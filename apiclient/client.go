package apiclient

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"curfew/apiclient/quota"
)

// A Client makes calls to one account of the platform. It is safe for
// concurrent use.
type Client struct {
	transport *http.Transport
	dialer    *dialer
	base      *url.URL      // its path has no trailing slash
	prefix    string        // the path of a request up to the ID, escaped
	get, post *http.Request // what all looks and all orders have in common: copies are sent
	hidden    *scrubber
	timeout   time.Duration
}

// WithLeave returns a context for calls that may be taken back: leave is asked
// just before a call's first byte is written, and where it says no, the call ends
// as not sent, with ErrRecalled. What has begun goes on. leave must not block, and
// is called from any goroutine.
func WithLeave(ctx context.Context, leave func() bool) context.Context {
	return context.WithValue(ctx, leaveKey{}, leave)
}

type leaveKey struct{}

// Close closes the idle connections. Calls under way are not disturbed.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Format prints the endpoint's host for every verb, and nothing else.
func (c *Client) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "apiclient.Client(%s)", c.base.Host)
}

// Meta is what a call tells beside its result. It is filled in whether the call
// succeeded or not.
type Meta struct {
	// Sent tells whether a byte of the request may have been written. False is
	// certain: the platform saw nothing of it.
	Sent bool
	// Began is when the first byte left, by this machine's clock; where nothing
	// was sent, when the call was asked for.
	Began time.Time
	// Ended is when the whole answer was in, or the connection closed.
	Ended time.Time
	// Date is the answer's Date header, by the platform's clock, to the second;
	// zero where there was none.
	Date time.Time
	// Status is the HTTP status; 0 where no answer came.
	Status int
	// RetryAfter is how long the answer asks to wait, counted from its Date, at
	// most 365 days; 0 where it does not say so in a way that makes sense.
	RetryAfter time.Duration
}

// Get asks for the state of deployment id. The permit must be for quota.Get.
// Past sendBy nothing is written; a zero sendBy means Timeout from now, which no
// call waits longer for its connection in any case. Errors are of type *Error.
func (c *Client) Get(ctx context.Context, id string, p quota.Permit, sendBy time.Time) (Deployment, Meta, error) {
	if id == everyone { // that would be the list
		now := time.Now()
		return Deployment{}, Meta{Began: now, Ended: now}, c.failed(quota.Get, id, Meta{}, errBadID)
	}
	body, meta, err := c.call(ctx, quota.Get, id, p, sendBy)
	if err != nil {
		return Deployment{}, meta, err
	}
	d, err := readDeployment(body, id, c.text)
	if err != nil {
		return Deployment{}, meta, c.failed(quota.Get, id, meta, err)
	}
	return d, meta, nil
}

// List asks for all deployments that the key can see, by a GET of its own (of
// the API's newer page) that has no pages. The permit must be for quota.Get;
// sendBy and errors are as with Get, their Deployment is empty.
func (c *Client) List(ctx context.Context, p quota.Permit, sendBy time.Time) ([]Deployment, Meta, error) {
	body, meta, err := c.call(ctx, quota.Get, everyone, p, sendBy)
	if err != nil {
		return nil, meta, err
	}
	all, err := readDeployments(body, c.text)
	if err != nil {
		return nil, meta, c.failed(quota.Get, everyone, meta, err)
	}
	return all, meta, nil
}

// everyone is the deployment of a GET of all of them.
const everyone = ""

// longest is how much is read of an answer about a deployment, in bytes.
func longest(id string) int {
	if id == everyone {
		return maxList
	}
	return maxBody
}

// Start asks the platform to start deployment id. A nil error means that it
// accepted, not that the deployment runs. The permit must be for quota.Start;
// sendBy and errors are as with Get.
func (c *Client) Start(ctx context.Context, id string, p quota.Permit, sendBy time.Time) (Operation, Meta, error) {
	return c.order(ctx, quota.Start, id, p, sendBy)
}

// Stop asks the platform to stop deployment id. The permit must be for
// quota.Stop; all else is as with Start.
func (c *Client) Stop(ctx context.Context, id string, p quota.Permit, sendBy time.Time) (Operation, Meta, error) {
	return c.order(ctx, quota.Stop, id, p, sendBy)
}

func (c *Client) order(ctx context.Context, m quota.Method, id string, p quota.Permit, sendBy time.Time) (Operation, Meta, error) {
	body, meta, err := c.call(ctx, m, id, p, sendBy)
	if err != nil {
		return Operation{}, meta, err
	}
	op, err := readOperation(body, id, c.text)
	if err != nil {
		return Operation{}, meta, c.failed(m, id, meta, err)
	}
	return op, meta, nil
}

// call makes one request and returns the body of a 2xx answer. Its error is nil
// or an *Error.
func (c *Client) call(ctx context.Context, m quota.Method, id string, p quota.Permit, sendBy time.Time) ([]byte, Meta, error) {
	asked := time.Now()
	if err := check(m, id, p, asked, sendBy); err != nil {
		return nil, Meta{Began: asked, Ended: asked}, c.failed(m, id, Meta{}, err)
	}
	one := newCall(ctx, asked, sendBy, c.timeout)
	defer one.release()
	resp, err := c.transport.RoundTrip(c.request(one.ctx, m, id))
	var body []byte
	if err == nil {
		body, err = readBody(resp, longest(id))
	}
	meta := Meta{Ended: time.Now()}
	meta.Sent, meta.Began = one.seal()
	if resp != nil {
		meta.Status = resp.StatusCode
		meta.Date = readDate(resp.Header)
		meta.RetryAfter = readRetryAfter(resp.Header, meta.Date, meta.Ended)
	}
	return c.judge(m, id, meta, body, one.cause(err))
}

// check is why a call may not even begin, if so.
func check(m quota.Method, id string, p quota.Permit, asked, sendBy time.Time) error {
	switch {
	case !p.Allows(m):
		return ErrNoPermit
	case id == everyone && m == quota.Get: // the list
	case id == "" || id == "." || id == "..":
		return errBadID // a dot would be resolved away, into another call
	case !sendBy.IsZero() && isLate(asked, sendBy):
		return ErrLate // for the gate to find this out would cost it a warm connection
	}
	return nil
}

// judge turns what came back into a body to read or an *Error.
func (c *Client) judge(m quota.Method, id string, meta Meta, body []byte, err error) ([]byte, Meta, error) {
	switch {
	case !meta.Sent && err == nil:
		// The answer was there before the question was: not ours.
		meta.Status, meta.Date, meta.RetryAfter = 0, time.Time{}, 0
		return nil, meta, c.failed(m, id, meta, errUnasked)
	case err != nil && (meta.Status == 0 || isSuccess(meta.Status)):
		return nil, meta, c.failed(m, id, meta, err)
	case !isSuccess(meta.Status):
		return nil, meta, c.refused(m, id, meta, body)
	}
	return body, meta, nil
}

func isSuccess(status int) bool { return status/100 == 2 }

// newRequest returns what every request of one verb has in common. Its copies
// share the header, as a RoundTripper must not write to it. Without a body, a
// POST has Content-Length: 0.
func newRequest(verb string, base *url.URL, agent, auth string) *http.Request {
	return &http.Request{
		Method: verb,
		Host:   base.Host,
		Header: http.Header{
			"Accept":        {"application/json"},
			"Authorization": {auth},
			"User-Agent":    {agent},
		},
	}
}

// newGet is newRequest for a GET. net/http silently repeats a GET whose kept
// connection died, unless it has a body that cannot be had again. This one is
// empty, and "identity" keeps it from being announced: nothing of it is on the
// wire.
func newGet(base *url.URL, agent, auth string) *http.Request {
	req := newRequest(http.MethodGet, base, agent, auth)
	req.Body, req.TransferEncoding = onceOnly{}, []string{"identity"}
	return req
}

// request builds the request of method m for deployment id.
func (c *Client) request(ctx context.Context, m quota.Method, id string) *http.Request {
	common, path := c.get, c.prefix+url.PathEscape(id)
	if id == everyone {
		path = strings.TrimSuffix(c.prefix, "/")
	}
	if m != quota.Get {
		common, path = c.post, path+"/"+m.String()
	}
	req := common.WithContext(ctx)
	req.URL = c.at(path)
	return req
}

// at is the address of an escaped path.
func (c *Client) at(path string) *url.URL {
	u := *c.base
	u.RawPath = path
	u.Path, _ = url.PathUnescape(path) // what was escaped can be unescaped
	return &u
}

// onceOnly is an empty body that is not http.NoBody. It can write itself, or
// net/http would take a buffer of 32 KiB to copy nothing.
type onceOnly struct{}

func (onceOnly) Read([]byte) (int, error)         { return 0, io.EOF }
func (onceOnly) WriteTo(io.Writer) (int64, error) { return 0, nil }
func (onceOnly) Close() error                     { return nil }
