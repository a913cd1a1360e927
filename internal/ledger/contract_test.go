package ledger

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"curfew/internal/ledger/ledgertest"
)

// A disk is a file that ledgertest opens again and again.
type disk string

func (d disk) Open(boot string) (ledgertest.Store, error) {
	o := optionsAt(string(d))
	o.Boot = boot
	return Open(context.Background(), o)
}

func TestContract(t *testing.T) {
	t.Parallel()
	dir, n := t.TempDir(), 0
	ledgertest.Run(t, func() ledgertest.Disk {
		n++
		return disk(filepath.Join(dir, fmt.Sprintf("%d.db", n)))
	})
}
