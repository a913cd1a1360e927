// Package ledger is curfew's memory: the claims on the quotas, what was tried
// and how it ended, up to where each deployment is settled, and people's
// overrides, in one SQLite file.
//
// A Ledger makes the scheduler's batches durable, each all or nothing and in the
// order in which they come, and gives back at start what a Fleet has to know.
// Commit returns after the fsync: a claim that it took is there after a crash,
// so a crash can waste a permit and never exceed a quota.
//
// It never tries anything twice. After a commit that failed nobody knows what is
// on the disk, so a Ledger refuses all that follow, its process ends, and Load
// in the next one is the only recovery. It never takes what it cannot trust for
// a new ledger: an empty, torn or foreign file, or one of a newer release, is a
// Refusal that says what to do. Every row carries a checksum, so a bit that
// turned over on the disk is damage and not another floor. It decides nothing
// about deployments, reads no clock, and logs nothing.
//
// A file beside the ledger is locked for as long as it is open; SQLite's own
// locks are left alone, so others can look into the file meanwhile:
//
//	sqlite3 -readonly curfew.db "SELECT deployment, power, due_because FROM deployments"
//
// Inside the process nobody but this package may open the file: closing it would
// drop the locks that SQLite holds on it.
//
// The SQL is such that PostgreSQL takes it too; what is SQLite's own stands in
// sqlite.go. What the ledger promises the scheduler is in the package
// ledgertest, as tests that the simulator's model of it passes as well.
//
//	l, err := ledger.Open(ctx, ledger.Options{
//		Path: "/var/lib/curfew/curfew.db", Account: "default", Endpoint: endpoint, Boot: bootID, Now: readClocks,
//	})
//	state, err := l.Load(ctx)
//	err = l.Commit(ctx, batch) // durable, or the end
package ledger
