package main

import (
	"log/slog"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"curfew/scheduler"
)

// A supervisor is systemd, where it started us with Type=notify; else all of
// this does nothing.
type supervisor struct {
	log   *slog.Logger
	every time.Duration // how long it lets pass without a sign of life; 0: for ever
	last  time.Time     // when it got one
}

func newSupervisor(log *slog.Logger) *supervisor {
	s := &supervisor{log: log}
	limit, err := systemd.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("read systemd's watchdog", "err", err)
	}
	s.every = limit
	return s
}

// up says that the daemon has started, and what it is doing. A daemon that waits
// for the ledger's lock is up: systemd must not take it for one that hangs.
func (s *supervisor) up(status string) { s.tell(systemd.SdNotifyReady + "\nSTATUS=" + status) }

// stopping says that the daemon ends because it was told to.
func (s *supervisor) stopping() { s.tell(systemd.SdNotifyStopping) }

// turned gives a sign of life where one is wanted, some three times in what
// systemd allows. It comes from the loop, so a loop that hangs is found; as that
// turns every scheduler.MaxSleep at the least, WatchdogSec should be twice that.
func (s *supervisor) turned(scheduler.Now) {
	if now := time.Now(); s.every > 0 && now.Sub(s.last) >= s.every/3 {
		s.last = now
		s.tell(systemd.SdNotifyWatchdog)
	}
}

// tell sends a state. systemd not hearing it is no reason to end.
func (s *supervisor) tell(state string) {
	if _, err := systemd.SdNotify(false, state); err != nil {
		s.log.Warn("tell systemd", "err", err)
	}
}
