package simplatform

import (
	"fmt"
	"strings"
)

// Method is one of the platform's four methods. Each has a quota of its own.
type Method uint8

// The methods, usable as indexes below Methods. List is of the newer API page.
const (
	Get Method = iota
	Start
	Stop
	List
	Methods int = iota
)

// String returns "get", "start", "stop" or "list".
func (m Method) String() string {
	switch m {
	case Get:
		return "get"
	case Start:
		return "start"
	case Stop:
		return "stop"
	case List:
		return "list"
	}
	return fmt.Sprintf("method(%d)", uint8(m))
}

// MarshalText returns the word of String.
func (m Method) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a word of String; any other is an error.
func (m *Method) UnmarshalText(text []byte) error {
	for i := range Methods {
		if Method(i).String() == string(text) {
			*m = Method(i)
			return nil
		}
	}
	return fmt.Errorf("unknown method %q: want get, start, stop or list", text)
}

// target is the stable status that a start or a stop leads to.
func (m Method) target() Status {
	switch m {
	case Start:
		return Running
	case Stop:
		return Stopped
	}
	return Gone
}

// passing is the transient status on the way to target.
func (m Method) passing() Status {
	if m == Start {
		return Starting
	}
	return Stopping
}

// Status is a deployment's status as the API reports it, an open set of words.
type Status string

// The words that the API page and the official provider know. Gone stands for a
// deployment that does not exist; the API answers 404 for it.
const (
	Running  Status = "running"
	Stopped  Status = "stopped"
	Starting Status = "starting"
	Stopping Status = "stopping"
	Pending  Status = "pending"
	Failed   Status = "failed"
	Gone     Status = ""
)

// transient reports whether the status takes neither start nor stop.
func (s Status) transient() bool { return s == Starting || s == Stopping || s == Pending }

// toward is the stable status that s is, or is on its way to; Gone where that
// cannot be told from s.
func (s Status) toward() Status {
	switch s {
	case Running, Starting:
		return Running
	case Stopped, Stopping:
		return Stopped
	}
	return Gone
}

// By says who made a request or caused a change.
type By uint8

// Who acts. A proxy is a second delivery of a client's request.
const (
	ByClient By = iota
	ByForeign
	ByProxy
	ByPerson
)

// String returns "client", "foreign", "proxy" or "person".
func (b By) String() string {
	switch b {
	case ByClient:
		return "client"
	case ByForeign:
		return "foreign"
	case ByProxy:
		return "proxy"
	case ByPerson:
		return "person"
	}
	return fmt.Sprintf("by(%d)", uint8(b))
}

// MarshalText returns the word of String.
func (b By) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// A MethodSet is a set of methods, one bit each.
type MethodSet uint8

// The sets that have a word of their own.
const (
	Posts     MethodSet = 1<<Start | 1<<Stop
	AnyMethod MethodSet = 1<<Methods - 1
)

// Only returns the set of one method.
func Only(m Method) MethodSet { return 1 << m }

// Has reports whether m is in s.
func (s MethodSet) Has(m Method) bool { return s&(1<<m) != 0 }

// String returns the word that ParseFault reads: a method, "post", "any", or
// methods joined by commas.
func (s MethodSet) String() string {
	switch s {
	case AnyMethod:
		return "any"
	case Posts:
		return "post"
	}
	var words []string
	for i := range Methods {
		if m := Method(i); s.Has(m) {
			words = append(words, m.String())
		}
	}
	return strings.Join(words, ",")
}

// parseMethods reads what MethodSet.String writes.
func parseMethods(text string) (MethodSet, error) {
	var set MethodSet
	for word := range strings.SplitSeq(text, ",") {
		var m Method
		switch {
		case word == "any":
			set |= AnyMethod
		case word == "post":
			set |= Posts
		case m.UnmarshalText([]byte(word)) == nil:
			set |= Only(m)
		default:
			return 0, fmt.Errorf("unknown method %q: want get, start, stop, list, post or any", word)
		}
	}
	return set, nil
}
