package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:embed schema/*.sql
var schema embed.FS

// A step is the SQL that leads from one version of the schema to the next.
type step struct {
	name string
	sql  string
}

// steps returns the steps of this release. The first leads from nothing to
// version 1, so a ledger's version is the number of steps that it has taken.
func steps() ([]step, error) {
	names, err := fs.Glob(schema, "schema/*.sql") // in lexical order
	if err != nil {
		return nil, err
	}
	var all []step
	for _, name := range names {
		text, err := fs.ReadFile(schema, name)
		if err != nil {
			return nil, err
		}
		all = append(all, step{name, string(text)})
	}
	return all, nil
}

// migrate takes the steps from version on. Each is one transaction with its new
// version number, so a crash leaves the ledger at one version or the next.
func migrate(ctx context.Context, conn *sql.Conn, version int, steps []step) error {
	for i, s := range steps[version:] {
		if err := s.take(ctx, conn, version+i+1); err != nil {
			return fmt.Errorf("migrate with %s: %w", s.name, err)
		}
	}
	return nil
}

// take runs one step. SQLite and PostgreSQL both undo changes of a schema with
// their transaction.
func (s step) take(ctx context.Context, conn *sql.Conn, version int) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, s.sql); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := mark(ctx, tx, version); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
