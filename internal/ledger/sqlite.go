package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// What follows is SQLite's own; the other files' SQL is for PostgreSQL as well.

// applicationID is in the head of every ledger, where file(1) finds it: "curf".
const applicationID = 0x63757266

// placeholders returns (?, …) for n parameters. Elsewhere they are $1, which
// SQLite takes for a name: finding hundreds of names costs more than the insert.
func placeholders(n int) string {
	return "(" + strings.Repeat("?, ", n-1) + "?)"
}

// connect opens the one connection that writes. It is pinned: database/sql
// would otherwise replace a broken connection and try again, and what a failed
// fsync left behind is not to be tried again.
func connect(ctx context.Context, path string) (*sql.DB, *sql.Conn, error) {
	db, err := sql.Open("sqlite", location(path, "mode=rw&_txlock=immediate"))
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	if err := setPragmas(ctx, conn, "busy_timeout = 10000"); err != nil {
		return nil, nil, errors.Join(err, conn.Close(), db.Close())
	}
	return db, conn, nil
}

// location is SQLite's URI for a path. Modes ro and rw never create a file.
func location(path, query string) string {
	u := url.URL{Scheme: "file", Path: path, RawQuery: query}
	return u.String()
}

// setPragmas sets what one connection needs.
func setPragmas(ctx context.Context, conn *sql.Conn, pragmas ...string) error {
	for _, p := range pragmas {
		if _, err := conn.ExecContext(ctx, "PRAGMA "+p); err != nil {
			return fmt.Errorf("set %s: %w", p, err)
		}
	}
	return nil
}

// identify returns the version of the ledger's schema. It changes nothing: the
// file may be another program's.
func identify(ctx context.Context, conn querier, path string, newest int) (version int, err error) {
	var id int
	if err := conn.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, err
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, err
	}
	switch {
	case id != applicationID:
		return 0, &Refusal{path, ErrNotLedger, fmt.Errorf("a SQLite file of another program, application_id %#x", id)}
	case version > newest:
		return 0, &Refusal{path, ErrNewer, fmt.Errorf("schema %d, and this release knows %d", version, newest)}
	case version < 1:
		return 0, &Refusal{path, ErrDamaged, fmt.Errorf("schema %d", version)}
	}
	return version, nil
}

// mark writes whose the file is and which version it has.
func mark(ctx context.Context, tx *sql.Tx, version int) error {
	_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version))
	return err
}

// tune makes commits durable when they return, and lets others read meanwhile.
//
// A checkpoint moves the log into the ledger in the middle of somebody's commit;
// 4,000 pages (16 MB) keep a boundary of ten thousand claims below one.
func tune(ctx context.Context, conn *sql.Conn, path string) error {
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return &Refusal{path, ErrUnfit, fmt.Errorf("SQLite says journal_mode %s", mode)}
	}
	return setPragmas(ctx, conn, "synchronous = FULL", "wal_autocheckpoint = 4000", "cache_size = -16000")
}

// foldLog moves the log into the ledger, all of it.
func foldLog(ctx context.Context, conn *sql.Conn) error {
	var busy, pages, folded int
	if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &folded); err != nil {
		return err
	}
	if busy != 0 || pages != folded {
		return fmt.Errorf("fold the log in: %d of %d pages, busy %d", folded, pages, busy)
	}
	return nil
}

// checkPages lets SQLite look at every page of the tables that Load reads.
func checkPages(ctx context.Context, conn querier, path string) error {
	for _, t := range loaded() {
		var found string
		if err := conn.QueryRowContext(ctx, "PRAGMA quick_check("+t.name+")").Scan(&found); err != nil {
			return err
		}
		if found != "ok" {
			return &Refusal{path, ErrDamaged, errors.New(found)}
		}
	}
	return nil
}
