// Package ledgertest is what every ledger has to pass: the contract between the
// scheduler and whatever makes its batches durable.
//
// There are two ledgers, the SQLite file of internal/ledger and the model in
// internal/sim, with which a year is simulated in seconds. What a simulation
// proves holds for the daemon only as far as the two behave alike, so both run
// this suite. It says what a ledger gives back and when it must refuse, never
// how it stores anything, and it knows nothing of files, crashes and disks:
// those are tested where they are.
//
// Apply is the contract in one function: what a ledger's State is after a batch.
// The suite makes up batches, commits them, closes and opens the ledger under
// the same boot of the host or another one, and compares what Load returns.
//
//	func TestContract(t *testing.T) {
//		ledgertest.Run(t, func() ledgertest.Disk { return newDisk(t) })
//	}
package ledgertest
