package config

import (
	"fmt"
	"testing"

	"curfew/policy"
)

// TestPrices asks what a deployment costs, by its id and its name.
func TestPrices(t *testing.T) {
	t.Parallel()
	const full = `{default: {running: 0.33, stopped: 0.055, currency: EUR}, "prod-*": {running: 1.40}, prod-1: {stopped: 0},
		"prod-?2*": {running: 9}, d1: {running: 2, stopped: 1}}`
	for _, test := range []struct {
		prices, id, name, want string
	}{
		{"", "a", "dev", "nothing"},
		{"prices:", "a", "dev", "nothing"},
		{"prices: {}", "a", "dev", "0.36 0.06 USD"},
		{"prices: {}", "a", "", "0.36 0.06 USD"},
		{"prices: {default: }", "a", "dev", "0.36 0.06 USD"},
		{"prices: {default: {running: 0.99}}", "a", "dev", "0.99 0.06 USD"},
		{"prices: {dev: {stopped: 0.10}}", "a", "dev", "0.36 0.1 USD"},
		{"prices: {dev: {stopped: 0.10}}", "dev", "", "0.36 0.1 USD"},
		{"prices: {dev: {stopped: 0.10}}", "a", "Dev", "0.36 0.06 USD"},
		{"prices: {dev: {running: 7, stopped: 1, currency: CNY}}", "a", "dev", "7 1 CNY"},
		{"prices: {dev: {running: 7, stopped: 1, currency: CNY}}", "a", "prod", "nothing"},
		{"prices: " + full, "a", "dev", "0.33 0.055 EUR"},
		{"prices: " + full, "a", "prod-1", "0.33 0 EUR"},
		{"prices: " + full, "a", "prod-2", "1.4 0.055 EUR"},
		{"prices: " + full, "a", "prod-12", "1.4 0.055 EUR"},
		{"prices: " + full, "a", "", "0.33 0.055 EUR"},
		{"prices: " + full, "d1", "prod-1", "2 1 EUR"},
	} {
		c := parse(t, "policies: []\n"+test.prices+"\n", Env{})
		got := "nothing"
		if price, ok := c.Prices.At(policy.DeploymentID(test.id), test.name); ok {
			got = fmt.Sprint(price.Running, price.Stopped, " ", price.Currency)
			if price.Currency != c.Prices.Currency() {
				t.Errorf("%s: a price in %s, all in %s", test.prices, price.Currency, c.Prices.Currency())
			}
		}
		if got != test.want {
			t.Errorf("%s: %s, called %q, costs %s, want %s", test.prices, test.id, test.name, got, test.want)
		}
	}
}
