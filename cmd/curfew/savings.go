package main

import (
	"fmt"
	"math"

	"curfew/internal/config"
	"curfew/internal/sim"
)

// savings are what a simulated span costs, against always running. What was
// neither running nor stopped costs as running: nobody documents otherwise.
type savings struct {
	bill
	currency string
	unpriced int     // deployments of which nobody knows the price
	started  int     // deployments whose policy stops nothing: what they cost is not its doing
	each     []*bill // by deployment, as in Report.Powers; nil for both
	price    config.Price
	mixed    bool // not all have that price
}

// A bill is what one deployment, or all, come to, in a currency.
type bill struct {
	hours  float64 // stopped
	saved  float64 // hours stopped × (price running − price stopped)
	always float64 // what running all the time would have cost
}

// cost is what is left to be paid.
func (b bill) cost() float64 { return b.always - b.saved }

// savingsOf applies the file's prices to a report; nil where it has none.
func savingsOf(file *config.Config, r *sim.Report) *savings {
	if file.Prices.Currency() == "" {
		return nil
	}
	s := &savings{currency: file.Prices.Currency()}
	for _, p := range r.Powers {
		price, ok := file.Prices.At(p.Deployment, p.Name)
		switch {
		case p.StartOnly && !p.DryRun:
			s.started++
			s.each = append(s.each, nil)
		case !ok:
			s.unpriced++
			s.each = append(s.each, nil)
		default:
			s.add(p, price)
		}
	}
	return s
}

// billed is how many deployments are in the sums.
func (s *savings) billed() int { return len(s.each) - s.unpriced - s.started }

func (s *savings) add(p sim.Powers, price config.Price) {
	b := &bill{
		hours:  p.Stopped.Hours(),
		saved:  p.Stopped.Hours() * (price.Running - price.Stopped),
		always: (p.Running + p.Stopped + p.Other).Hours() * price.Running,
	}
	s.mixed = s.mixed || s.billed() > 0 && price != s.price
	s.price = price
	s.each = append(s.each, b)
	s.hours, s.saved, s.always = s.hours+b.hours, s.saved+b.saved, s.always+b.always
}

// String is the figure with its formula, for people.
func (s *savings) String() string {
	if s.billed() == 0 && s.started > 0 {
		return "no figure: the policies only start, and what people save by stopping is theirs"
	}
	share := 0.0
	if s.always > 0 {
		share = 100 * s.saved / s.always
	}
	formula := fmt.Sprintf("(%s − %s) %s", amountText(s.price.Running), amountText(s.price.Stopped), s.currency)
	if s.mixed || s.billed() == 0 {
		formula = "(price running − price stopped)"
	}
	text := fmt.Sprintf("%.2f %s of %.2f for always running (%.0f %%): %.1f h stopped × %s",
		s.saved, s.currency, s.always, share, s.hours, formula)
	if s.mixed {
		text += ", each at its own"
	}
	if s.unpriced > 0 {
		text += "; " + plural(s.unpriced, "deployment has", "deployments have") + " no price"
	}
	if s.started > 0 {
		text += "; without " + plural(s.started, "deployment that is", "deployments that are") + " only started"
	}
	return text
}

// amountText is a price as people write it: cents at least.
func amountText(v float64) string {
	if cents := math.Round(v * 100); math.Abs(v*100-cents) < 1e-9 {
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprint(v)
}
