package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"curfew/apiclient"
	"curfew/internal/config"
	"curfew/policy"
	"curfew/scheduler"
)

// settings are a configuration that can be put in force: read, checked, and with
// a client for its key. Immutable once made.
type settings struct {
	file     *config.Config
	files    []config.File // to watch
	fleet    scheduler.Config
	client   *apiclient.Client
	warnings []policy.Problem // which did not keep it from being put in force
}

// A badFile is a configuration that must not be put in force.
type badFile struct {
	problems []policy.Problem
	text     []byte
}

// Error is the first two errors and how many more there are. Whoever has more
// room shows the problems themselves.
func (e *badFile) Error() string {
	var errs []string
	for _, p := range e.problems {
		if !p.Warning {
			errs = append(errs, p.Error())
		}
	}
	const most = 2 // a key and its secret
	more := ""
	if len(errs) > most {
		more = fmt.Sprintf("; and %d more", len(errs)-most)
	}
	return strings.Join(errs[:min(most, len(errs))], "; ") + more
}

// inTheText reports whether any problem has a line that can be shown.
func (e *badFile) inTheText() bool {
	return slices.ContainsFunc(e.problems, func(p policy.Problem) bool { return !p.Warning && p.Pos.Line > 0 })
}

// A reader reads the configuration of the daemon again and again.
type reader struct {
	options runOptions
	env     config.Lookup
	clock   clock
	salt    config.Salt
}

// read does everything that can fail, so that putting the result in force cannot.
// before are the settings in force, nil at start: with the same key they keep
// their client and its connections.
func (r *reader) read(before *settings) (*settings, error) {
	file, problems, err := config.Load(r.options.file, r.env)
	if err != nil {
		return nil, err
	}
	creds, more := file.Credentials(r.env)
	problems = append(problems, more...)
	if config.Failed(problems) {
		return nil, &badFile{problems, file.Text}
	}
	r.options.override(file)
	s := &settings{file: file, files: append(file.Files(), creds.Files()...), warnings: problems}
	s.fleet = r.fleetConfig(file, creds)
	if err := r.fits(s, before); err != nil {
		return nil, err
	}
	// A new client would throw warm connections away, perhaps just before a boundary.
	if before != nil && before.fleet.KeyID == s.fleet.KeyID {
		s.client = before.client
		return s, nil
	}
	s.client, err = r.newClient(file, creds)
	return s, err
}

// fleetConfig is what the core is told of a file. It gets no key, only an id that
// changes with it.
func (r *reader) fleetConfig(file *config.Config, creds config.Credentials) scheduler.Config {
	return scheduler.Config{
		Account: file.Name, Set: file.Policies, Quotas: file.Quotas, ObserveEvery: file.ObserveEvery, ObserveList: file.ObserveList,
		DryRun: file.DryRun, TrustClock: file.TrustClock, Release: released(),
		KeyID: r.salt.KeyID(file.Endpoint, creds),
	}
}

// fits refuses what a running daemon cannot change: the account that its ledger
// is for.
func (r *reader) fits(s, before *settings) error {
	if r.options.lapse.on() && !overLoopback(s.file.Endpoint) {
		return usagef("--time-lapse takes an endpoint on loopback, such as that of `curfew platform`")
	}
	if before == nil {
		return nil
	}
	if was := before.file; s.file.Endpoint != was.Endpoint || s.file.Name != was.Name {
		return fmt.Errorf("account %s at %s is not the one that the ledger is for, %s at %s: set it back, or restart with another ledger",
			s.file.Name, s.file.Endpoint, was.Name, was.Endpoint)
	}
	return nil
}

// newClient makes the client of the account. It connects to nothing yet.
func (r *reader) newClient(file *config.Config, creds config.Credentials) (*apiclient.Client, error) {
	c := apiclient.Config{
		Endpoint: file.Endpoint, Key: creds.Key, Secret: creds.Secret, Slots: scheduler.Slots,
		UserAgent: "curfew/" + ownVersion(), Proxy: http.ProxyFromEnvironment,
	}
	if r.clock.fast != 1 {
		// A network is not faster in a lapse: hence a floor.
		c.Timeout = max(r.clock.real(apiclient.Timeout), minTimeout)
	}
	return apiclient.New(c)
}

// policyNames are those of the file in force, for the metrics' zeros.
func (s *settings) policyNames() []string {
	var names []string
	for _, p := range s.fleet.Set.Policies {
		names = append(names, p.Name())
	}
	return names
}

// deployments is how many the file has.
func (s *settings) deployments() int {
	n := 0
	for _, p := range s.fleet.Set.Policies {
		n += len(p.Members())
	}
	return n
}
