package demo

import (
	"context"
	"fmt"
	"time"

	"curfew/internal/sim"
	"curfew/scheduler"
)

// playNights plays the tapes that take too long for a demonstration, and prints
// a line for each: what happened, and because of what.
func (s *show) playNights(ctx context.Context) error {
	s.head("Three nights in virtual time (the same core and platform, no waiting)")
	for _, night := range nights() {
		t, err := night.read()
		if err != nil {
			return err
		}
		w, err := t.world()
		if err != nil {
			return err
		}
		played, err := sim.Play(ctx, sim.Scene{Config: t.fleet(), World: w, From: t.from, For: t.length})
		if err != nil {
			return fmt.Errorf("play %s: %w", t.name, err)
		}
		s.nightLine(t, played)
		s.ours = s.ours.plus(scoreOf(w, t.conf.Policies, t.end()))
		if err := s.playCron(t); err != nil {
			return err
		}
	}
	return nil
}

// nightLine tells how the film's transition ended, and why.
func (s *show) nightLine(t film, p *sim.Played) {
	for _, o := range p.Settled {
		if o.Reason == scheduler.ReasonActivation {
			continue
		}
		s.printf("  %-13s %-4s %s  %s after %s, because %s\n", t.name, o.Power.Action(), t.local(o.At), s.outcome(o.Outcome),
			tries(o.Tries), because(o.Outcome))
	}
	for _, a := range p.Alarms {
		s.printf("  %-13s alarm: %s\n", "", a.Text)
	}
}

// because names the line that made a transition. A column is for errors.
func because(o scheduler.Outcome) string {
	at := o.Because.Pos
	at.Col = 0
	return fmt.Sprintf("%s says %q", at, o.Because.Ref)
}

func tries(n int) string {
	if n == 1 {
		return "1 POST"
	}
	return fmt.Sprintf("%d POSTs", n)
}

// playCron lets the loop of cron and curl live through the same film, on a
// platform of its own.
func (s *show) playCron(t film) error {
	w, err := t.world()
	if err != nil {
		return err
	}
	cronAndCurl(w, t.conf.Policies, t.from, t.length)
	s.theirs = s.theirs.plus(scoreOf(w, t.conf.Policies, t.end()))
	return nil
}

// week simulates a week of the evening's policies and says what it saves.
func (s *show) week(ctx context.Context) error {
	t, err := evening().read()
	if err != nil {
		return err
	}
	monday := time.Date(2026, 11, 23, 0, 0, 0, 0, t.conf.Location)
	r, err := sim.Simulate(ctx, sim.Options{Config: t.fleet(), From: monday, Days: 7})
	if err != nil {
		return err
	}
	var stopped time.Duration
	for _, p := range r.Powers {
		stopped += p.Stopped
	}
	always := float64(r.Deployments) * r.To.Sub(r.From).Hours() * priceRunning
	saved := stopped.Hours() * (priceRunning - priceStopped)
	s.head("A week of these policies, simulated")
	s.printf("  %.1f h seen stopped × (%.2f − %.2f) USD = %.2f USD saved of %.2f USD for always running (%.0f %%)\n",
		stopped.Hours(), priceRunning, priceStopped, saved, always, 100*saved/always)
	return nil
}
