package sim

import (
	"context"
	"errors"
	"testing"

	"curfew/internal/ledger/ledgertest"
	"curfew/scheduler"
)

// A modelDisk is a Disk as the contract suite opens it.
type modelDisk struct{ *Disk }

func (d modelDisk) Open(boot string) (ledgertest.Store, error) { return d.Disk.Open(boot), nil }

// TestContract runs the suite that the SQLite ledger passes: what is simulated
// holds for the daemon as far as the two behave alike.
func TestContract(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func() ledgertest.Disk { return modelDisk{&Disk{}} })
}

func TestClosedModel(t *testing.T) {
	t.Parallel()
	m := new(Disk).Open("boot-1")
	m.Close()
	if err := m.Commit(context.Background(), &scheduler.Batch{}); !errors.Is(err, ErrLedgerClosed) {
		t.Errorf("commit to a closed ledger: %v, want %v", err, ErrLedgerClosed)
	}
	if _, err := m.Load(context.Background()); !errors.Is(err, ErrLedgerClosed) {
		t.Errorf("load a closed ledger: %v, want %v", err, ErrLedgerClosed)
	}
}
