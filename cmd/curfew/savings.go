package main

import (
	"fmt"

	"curfew/internal/config"
	"curfew/internal/sim"
	"curfew/policy"
)

// savings are what a simulated span costs, against always running. What was
// neither running nor stopped costs as running: nobody documents otherwise.
type savings struct {
	Currency string  `json:"currency"`
	Hours    float64 `json:"hours_stopped"` // of the deployments that have a price
	Saved    float64 `json:"saved"`         // hours stopped × (price running − price stopped)
	Always   float64 `json:"always_running"`
	Unpriced int     `json:"deployments_without_price"`
}

// savingsOf applies the file's prices to a report; nil where it has none.
func savingsOf(file *config.Config, r *sim.Report) *savings {
	if file.Prices.Currency() == "" {
		return nil
	}
	names := map[policy.DeploymentID]string{}
	for _, p := range file.Policies.Policies {
		for _, m := range p.Members() {
			names[m.ID] = m.Name
		}
	}
	s := &savings{Currency: file.Prices.Currency()}
	for _, p := range r.Powers {
		price, ok := file.Prices.At(p.Deployment, names[p.Deployment])
		if !ok {
			s.Unpriced++
			continue
		}
		s.Hours += p.Stopped.Hours()
		s.Saved += p.Stopped.Hours() * (price.Running - price.Stopped)
		s.Always += (p.Running + p.Stopped + p.Other).Hours() * price.Running
	}
	return s
}

// String is the figure with its formula, for people.
func (s *savings) String() string {
	share := 0.0
	if s.Always > 0 {
		share = 100 * s.Saved / s.Always
	}
	text := fmt.Sprintf("%.2f %s of %.2f for always running (%.0f %%): %.1f h stopped × (price running − price stopped)",
		s.Saved, s.Currency, s.Always, share, s.Hours)
	if s.Unpriced > 0 {
		text += "; " + plural(s.Unpriced, "deployment has", "deployments have") + " no price"
	}
	return text
}
