package demo

import (
	"errors"
	"fmt"
	"time"

	"curfew/internal/config"
	"curfew/internal/simplatform"
	"curfew/scheduler"
)

// A tape is a night: a file of policies, a platform, what goes wrong there, and
// how long it lasts. Each player gets a platform of its own from it.
type tape struct {
	name   string
	file   string    // the policies, without the api section
	from   time.Time // server time at the beginning
	length time.Duration
	names  map[string]string // deployment by id
	faults []string          // in simplatform.ParseFault's words
}

// How long the demo's deployments take, and what they cost an hour: the prices
// of the smallest hourly Dedicated tier, running and stopped.
const (
	bootTime     = 100 * time.Second
	haltTime     = 75 * time.Second
	priceRunning = 0.36
	priceStopped = 0.06
)

// A film is a tape whose file has been read.
type film struct {
	tape
	conf *config.Config
}

// fileName is what a tape's file is called wherever a person reads of it.
const fileName = "curfew.yaml"

// read reads the tape's file as the daemon would.
func (t tape) read() (film, error) {
	c, problems := config.Parse(fileName, []byte(t.file), config.Env{})
	if config.Failed(problems) {
		return film{}, errors.New(config.Render(problems, c.Text))
	}
	return film{t, c}, nil
}

// end is the server time at which the film is over.
func (t film) end() time.Time { return t.from.Add(t.length) }

// local shows an instant as people on the spot read it.
func (t film) local(at time.Time) string { return at.In(t.conf.Location).Format("15:04:05") }

// fleet is what a Fleet is told of the file.
func (t film) fleet() scheduler.Config {
	c := t.conf
	return scheduler.Config{
		Account: c.Name, Set: c.Policies, Quotas: c.Quotas, ObserveEvery: c.ObserveEvery, KeyID: "demo",
	}
}

// world builds the film's platform. Everything runs at the beginning.
func (t film) world() (*simplatform.World, error) {
	w := simplatform.New(simplatform.Config{Timing: simplatform.Timing{Boot: bootTime, Halt: haltTime}})
	for _, p := range t.conf.Policies.Policies {
		for _, m := range p.Members() {
			d := simplatform.Deployment{
				ID: string(m.ID), Name: t.names[string(m.ID)], Type: "dedicated", Platform: "AWS",
				Region: "Frankfurt (eu-central-1)", Connections: 1000, CreateAt: "2024-07-22 05:32",
			}
			if err := w.Add(t.from, d, simplatform.Timing{}); err != nil {
				return nil, fmt.Errorf("build %s: %w", t.name, err)
			}
		}
	}
	for _, text := range t.faults {
		f, err := simplatform.ParseFault(text, t.from)
		if err == nil {
			err = w.AddFault(f)
		}
		if err != nil {
			return nil, fmt.Errorf("build %s: %w", t.name, err)
		}
	}
	return w, nil
}

func mustTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic("a tape of the demo: " + err.Error()) // a constant of this package
	}
	return t
}

// evening is the Friday evening that the real daemon lives through.
func evening() tape {
	return tape{
		name: "friday",
		file: `timezone: Europe/Berlin
policies:
  - name: office-hours
    deployments: [w41b11c0, b1f77113]
    start: "0 8 * * MON-FRI"
    stop: "0 20 * * MON-FRI"
  - name: staging
    deployments: [mdfba81f]
    start: "30 7 * * MON-FRI"
    stop: "3 20 * * *"
  - name: load-test
    deployments: [k7c2a9d4]
    stop: "5 20 * * *"
`,
		from:   mustTime("2026-11-27T19:58:20+01:00"),
		length: 14 * time.Minute,
		names:  map[string]string{"w41b11c0": "dev-eu", "b1f77113": "dev-us", "mdfba81f": "staging", "k7c2a9d4": "load-test"},
		faults: []string{"stop mdfba81f hang for=10m x1", "stop k7c2a9d4 lost-answer x1"},
	}
}

// nights are what is played in virtual time.
func nights() []tape {
	names := map[string]string{"w41b11c0": "dev-eu"}
	return []tape{
		{
			name: "foreign 429",
			file: `timezone: Europe/Berlin
policies:
  - name: office-hours
    deployments: [w41b11c0]
    start: "0 8 * * *"
    stop: "0 20 * * *"
`,
			from: mustTime("2026-11-24T19:30:00+01:00"), length: 100 * time.Minute, names: names,
			faults: []string{"stop w41b11c0 limited x1"},
		},
		{
			name:  "spring night",
			names: names,
			file: `timezone: Europe/Berlin
policies:
  - name: load-test
    deployments: [w41b11c0]
    stop: "30 2 * * *"
`,
			from: mustTime("2027-03-28T01:00:00+01:00"), length: 4 * time.Hour,
		},
		{
			name:  "autumn night",
			names: names,
			file: `timezone: Europe/Berlin
policies:
  - name: load-test
    deployments: [w41b11c0]
    stop: "30 2 * * *"
`,
			from: mustTime("2027-10-31T01:00:00+02:00"), length: 4 * time.Hour,
		},
	}
}
