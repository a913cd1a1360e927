package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"curfew/apiclient/quota"
)

// What a failed call means. Every *Error is exactly one of these.
var (
	// ErrUnauthorized: the key is refused (401).
	ErrUnauthorized = errors.New("API key refused")
	// ErrForbidden: the key may not do this (403).
	ErrForbidden = errors.New("API key not permitted")
	// ErrNotFound: no such deployment, or a lost route (404).
	ErrNotFound = errors.New("deployment not found")
	// ErrRefused: the deployment does not take this as it stands (422).
	ErrRefused = errors.New("request refused")
	// ErrLimited: the quota is used up (429).
	ErrLimited = errors.New("quota used up")
	// ErrUnknown: a byte may have been written and the answer tells nothing. An
	// order may have been accepted; a look was none.
	ErrUnknown = errors.New("answer unknown")
	// ErrNotSent: certainly no byte was written; the permit is free again.
	ErrNotSent = errors.New("not sent")
)

// Causes of ErrNotSent that callers tell apart.
var (
	// ErrNoPermit: the permit is for another method or for none.
	ErrNoPermit = errors.New("there is no permit for it")
	// ErrLate: the last instant at which it might be sent has passed.
	ErrLate = errors.New("the last instant at which it might leave has passed")
	// ErrRecalled: it was taken back before anything of it was written.
	ErrRecalled = errors.New("it was taken back before it left")
)

// Causes that are only shown.
var (
	errBadID   = errors.New("this is not a deployment ID")
	errUnasked = errors.New("the server answered before it was asked")
	errSpent   = errors.New("a request was made with this permit already")
	errTimeout = errors.New("no whole answer within the time-out")
	errCut     = errors.New("the connection was closed before the answer was complete")
	errTooLong = errors.New("the answer is longer than")
)

// An Error is a failed call. errors.Is tells what it means (ErrUnauthorized to
// ErrNotSent); its text tells a person what to do next. No field of it, and no
// error that it wraps, holds the credentials.
type Error struct {
	Method     quota.Method
	Deployment string
	Status     int    // HTTP status; 0 where no answer came
	Code       string // of the answer's body; may be empty
	Message    string // of the answer's body; may be empty
	Sent       bool   // as in Meta
	RetryAfter time.Duration

	kind  error
	cause error // nil where the status says it all
}

// Is reports whether target is what e means.
func (e *Error) Is(target error) bool { return target == e.kind }

// Unwrap returns what made the call fail, where it was not the answer.
func (e *Error) Unwrap() error { return e.cause }

// Error is one sentence: the call, what became of it, what the platform says,
// and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s", e.Method, e.Deployment, e.outcome())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (%d", e.Status)
		if e.RetryAfter > 0 {
			fmt.Fprintf(&b, ", retry after %s", e.RetryAfter)
		}
		b.WriteByte(')')
	}
	if e.cause != nil {
		fmt.Fprintf(&b, ": %s", e.cause)
	}
	if e.Code != "" || e.Message != "" {
		fmt.Fprintf(&b, "; the platform says %q, code %q", e.Message, e.Code)
	}
	fmt.Fprintf(&b, "; %s", e.hint())
	return b.String()
}

// outcome is what became of the call, in words.
func (e *Error) outcome() string {
	switch e.kind {
	case ErrUnauthorized:
		return "the API key is refused"
	case ErrForbidden:
		return "the API key may not do this"
	case ErrNotFound:
		return "there is no such deployment"
	case ErrRefused:
		return "refused as the deployment stands"
	case ErrLimited:
		return "the quota is used up"
	case ErrNotSent:
		return "not sent"
	}
	return "no usable answer"
}

// hint is the next step.
func (e *Error) hint() string {
	switch e.kind {
	case ErrUnauthorized:
		return "check the key and the secret, then reload"
	case ErrForbidden:
		return "give the key this project and this function in the platform's console"
	case ErrNotFound:
		return "check the deployment ID, which is not the name, and the endpoint's path"
	case ErrRefused:
		return "look at its status: on the way to another one it takes neither start nor stop"
	case ErrLimited:
		return "see who else uses this key, and check api.quotas." + e.Method.String()
	case ErrNotSent:
		return e.unsentHint()
	}
	if e.Method == quota.Get {
		return "nothing was learned of its status: look again"
	}
	return "it may have been accepted: look at its status before calling again"
}

func (e *Error) unsentHint() string {
	switch e.cause {
	case ErrNoPermit:
		return "claim one of this method's quota first"
	case errBadID:
		return "give the ID that the platform's console shows, not a name or a path"
	case ErrLate, ErrRecalled, context.Canceled:
		return "its permit is free again"
	}
	return "check the network, api.endpoint and its certificate"
}

// kindOf is what an answer's status means.
func kindOf(status int) error {
	switch status {
	case http.StatusUnauthorized:
		return ErrUnauthorized
	case http.StatusForbidden:
		return ErrForbidden
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusUnprocessableEntity:
		return ErrRefused
	case http.StatusTooManyRequests:
		return ErrLimited
	}
	return ErrUnknown
}

// newError fills in what every Error has.
func (c *Client) newError(m quota.Method, id string, meta Meta, kind error) *Error {
	return &Error{
		Method:     m,
		Deployment: c.text(id, maxText),
		Status:     meta.Status,
		Sent:       meta.Sent,
		RetryAfter: meta.RetryAfter,
		kind:       kind,
	}
}

// failed is the error of a call that got no usable answer.
func (c *Client) failed(m quota.Method, id string, meta Meta, cause error) error {
	kind := ErrNotSent
	if meta.Sent {
		kind = ErrUnknown
	}
	e := c.newError(m, id, meta, kind)
	e.cause = c.clean(cause)
	return e
}

// refused is the error of an answer that is not 2xx, with what its body says.
func (c *Client) refused(m quota.Method, id string, meta Meta, body []byte) error {
	e := c.newError(m, id, meta, kindOf(meta.Status))
	e.Code, e.Message = readErrorBody(body, c.text)
	return e
}

// clean returns err, or a copy of its text where that holds something that must
// not be shown: errors of net/http quote what a server sent, and a server may
// send back what it was sent.
func (c *Client) clean(err error) error {
	shown := c.text(err.Error(), maxMessage)
	if shown == err.Error() {
		return err
	}
	return errors.New(shown)
}
