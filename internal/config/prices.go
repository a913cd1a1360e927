package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"curfew/policy"

	"gopkg.in/yaml.v3"
)

// What EMQX documents for an hour of a Dedicated deployment of 1,000 sessions
// that is billed by the hour. It holds where a file asks for prices and says no
// others.
const (
	DefaultRunning  = 0.36
	DefaultStopped  = 0.06
	DefaultCurrency = "USD"
)

// mostPrice is the largest price, for an hour in any currency.
const mostPrice = 1e9

var (
	amount       = regexp.MustCompile(`^[0-9]{1,12}(?:\.[0-9]{1,30})?$`)
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
)

// A Price is what one hour of a deployment costs.
type Price struct {
	Running, Stopped float64 // in Currency: finite, and not below zero
	Currency         string  // ISO 4217, such as USD
}

// Prices say what deployments cost, for figures of what was saved. The zero
// Prices, those of a file that says nothing of them, know none.
type Prices struct {
	currency string
	rest     *Price           // of every deployment that no entry is for; nil: not known
	exact    map[string]Price // by id or whole name
	patterns []pricedNames    // in the order of the file
}

// pricedNames is the entry of a pattern.
type pricedNames struct {
	pattern policy.Pattern
	price   Price
}

// Currency is that of all prices, empty where there are none.
func (p Prices) Currency() string { return p.currency }

// At returns what a deployment costs: by the entry that is its id, else by the
// one that is its name, else by the first in the file whose pattern fits its
// name, else by the default. An empty name is one that is not known. At is false
// where none of them says anything.
func (p Prices) At(id policy.DeploymentID, name string) (Price, bool) {
	if price, ok := p.exact[string(id)]; ok {
		return price, true
	}
	if price, ok := p.exact[name]; ok {
		return price, true
	}
	for _, e := range p.patterns {
		if name != "" && e.pattern.Matches(name) {
			return e.price, true
		}
	}
	if p.rest != nil {
		return *p.rest, true
	}
	return Price{}, false
}

// A tariff is one entry of prices: as it was read.
type tariff struct {
	at               *node // its key
	running, stopped *float64
}

// prices reads the default and the entries of single deployments. A section
// without any key asks for the documented prices, one without a value for none.
func (r *reader) prices(dst *Prices) func(*node) {
	return func(n *node) {
		var usual *tariff
		var others []tariff
		var all money
		r.entries(n, "prices", "default: {running: 0.36, stopped: 0.06, currency: USD}", func(key, value *node) {
			t := r.tariff(key, value, &all)
			if key.Value == "default" {
				usual = &t
			} else {
				others = append(others, t)
			}
		})
		if n.Kind != yaml.MappingNode {
			return
		}
		*dst = r.priceList(all, usual, others)
	}
}

// priceList makes the prices once the currency and the default are known.
func (r *reader) priceList(all money, usual *tariff, others []tariff) Prices {
	p := Prices{currency: DefaultCurrency, exact: map[string]Price{}}
	if all.first != nil {
		p.currency = all.first.Value
	}
	if p.currency == DefaultCurrency || all.torn {
		p.rest = &Price{DefaultRunning, DefaultStopped, DefaultCurrency}
	}
	if usual != nil {
		price := r.priced(*usual, &p)
		p.rest = &price
	}
	for _, t := range others {
		price, text := r.priced(t, &p), t.at.Value
		if strings.ContainsAny(text, "*?") {
			p.patterns = append(p.patterns, pricedNames{policy.Pattern{Text: text, Pos: r.inner(t.at)}, price})
		} else {
			p.exact[text] = price
		}
	}
	return p
}

func (r *reader) tariff(key, n *node, all *money) tariff {
	t := tariff{at: key}
	var name string
	r.apiName(&name, nil)(key)
	r.short(n, "a price", "{running: 0.36, stopped: 0.06}",
		field{name: "running", read: r.amount(&t.running)},
		field{name: "stopped", read: r.amount(&t.stopped)},
		field{name: "currency", read: r.currency(all)})
	return t
}

// amount reads what an hour costs.
func (r *reader) amount(dst **float64) func(*node) {
	want := fmt.Sprintf("a price from 0 to %.0f", mostPrice)
	return func(n *node) {
		s, ok := r.text(n, want)
		if !ok {
			return
		}
		v, err := strconv.ParseFloat(s, 64)
		if !bare(n) || !amount.MatchString(s) || err != nil || v > mostPrice {
			r.fail(n, "write digits with a point, without quotes, such as 0.36", "want %s, got %s", want, describe(n))
			v = math.NaN() // it is not missing, and compares with nothing
		}
		*dst = &v
	}
}

// money is the currency of all prices: where it is said first, and whether
// another one is said as well.
type money struct {
	first *node
	torn  bool
}

// currency reads the currency of one price.
func (r *reader) currency(all *money) func(*node) {
	return func(n *node) {
		s, ok := r.text(n, "a currency")
		switch {
		case !ok:
		case !currencyCode.MatchString(s):
			r.fail(n, currencyHint(s), "want a currency, got %s", describe(n))
			all.torn = true
		case all.first == nil:
			all.first = n
		case all.first.Value != s:
			r.fail(n, "one file has one currency", "got %s, and line %d has %s", quote(s), all.first.Line, quote(all.first.Value))
			all.torn = true
		}
	}
}

func currencyHint(s string) string {
	if up := strings.ToUpper(s); currencyCode.MatchString(up) {
		return "write " + up
	}
	return "write its three capitals (ISO 4217), such as EUR"
}

// priced fills what a tariff leaves out from the default.
func (r *reader) priced(t tariff, p *Prices) Price {
	price := Price{Currency: p.currency}
	if p.rest != nil {
		price = *p.rest
	}
	for _, half := range []struct {
		name string
		said *float64
		dst  *float64
	}{{"running", t.running, &price.Running}, {"stopped", t.stopped, &price.Stopped}} {
		switch {
		case half.said != nil:
			*half.dst = *half.said
		case p.rest == nil:
			r.fail(t.at, fmt.Sprintf("add %s: …; the prices that hold by default are in %s", half.name, DefaultCurrency),
				"what %s costs %s is not known", quote(t.at.Value), half.name)
		}
	}
	if price.Stopped > price.Running {
		r.warn(t.at, "are the two in each other's place?", "an hour of %s stopped costs more than one running: each stop is counted as a loss", quote(t.at.Value))
	}
	return price
}
