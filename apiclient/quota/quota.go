package quota

import "time"

// Method is one of the platform's three methods. Each has a quota of its own.
type Method uint8

// The methods, usable as indexes below Methods.
const (
	Get Method = iota
	Start
	Stop
	Methods int = iota
)

// String returns the method's name in configuration, ledger and metrics.
func (m Method) String() string {
	switch m {
	case Start:
		return "start"
	case Stop:
		return "stop"
	}
	return "get"
}

// Scope says over what the platform counts a quota.
type Scope uint8

// The scopes. Auto is a setting only: it means "learn which of the two it is".
const (
	Auto Scope = iota
	Deployment
	Key
)

// String returns the configuration's word.
func (s Scope) String() string {
	switch s {
	case Deployment:
		return "deployment"
	case Key:
		return "key"
	}
	return "auto"
}

// A Limit is one method's quota: N requests in every window of length Per.
type Limit struct {
	N     int
	Per   time.Duration
	Scope Scope
}

// Documented is the quota that the platform's documentation gives a method.
func Documented(m Method) Limit {
	if m == Get {
		return Limit{N: 60, Per: time.Hour}
	}
	return Limit{N: 1, Per: time.Hour}
}
