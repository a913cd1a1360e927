package ledger

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// blank opens an empty SQLite file for writing.
func blank(t *testing.T) *sql.Conn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "blank.db")
	query(t, path, "PRAGMA user_version = 0")
	db, conn, err := connect(context.Background(), path)
	must(t, err)
	t.Cleanup(func() { conn.Close(); db.Close() })
	return conn
}

func words(t *testing.T, conn *sql.Conn, question string) (found []string) {
	t.Helper()
	rows, err := conn.QueryContext(context.Background(), question)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var word string
		must(t, rows.Scan(&word))
		found = append(found, word)
	}
	return found
}

// TestMigrate leads a ledger of an older release through two steps, the second
// of which fails at first.
func TestMigrate(t *testing.T) {
	t.Parallel()
	ctx, conn := context.Background(), blank(t)
	one := step{"one", "CREATE TABLE floors (deployment text); INSERT INTO floors VALUES ('w1'), ('w2')"}
	two := step{"two", "ALTER TABLE floors ADD COLUMN floor bigint NOT NULL DEFAULT 7"}
	torn := step{"torn", "ALTER TABLE floors ADD COLUMN floor bigint; INSERT INTO nothing VALUES (1)"}
	three := step{"three", "CREATE TABLE days (day text); INSERT INTO days SELECT deployment || floor FROM floors"}

	must(t, migrate(ctx, conn, 0, []step{one}))
	if err := migrate(ctx, conn, 1, []step{one, torn, three}); err == nil || !strings.Contains(err.Error(), "torn") {
		t.Fatalf("a step that fails: %v, want an error that names it", err)
	}
	if version, err := identify(ctx, conn, "blank.db", 3); version != 1 || err != nil {
		t.Fatalf("after a step that failed: version %d, %v; want the one before", version, err)
	}
	must(t, migrate(ctx, conn, 1, []step{one, two, three}))
	if version, err := identify(ctx, conn, "blank.db", 3); version != 3 || err != nil {
		t.Errorf("version %d, %v; want 3", version, err)
	}
	if diff := cmp.Diff([]string{"w17", "w27"}, words(t, conn, "SELECT day FROM days ORDER BY day")); diff != "" {
		t.Errorf("what the steps made of the old rows (- want, + got):\n%s", diff)
	}
	if _, err := identify(ctx, conn, "blank.db", 2); !errors.Is(err, ErrNewer) {
		t.Errorf("a release that knows 2 versions meets the third: %v, want %v", err, ErrNewer)
	}
}

// TestColumns holds the code's lists of columns to the schema.
func TestColumns(t *testing.T) {
	t.Parallel()
	conn := blank(t)
	all, err := steps()
	must(t, err)
	must(t, migrate(context.Background(), conn, 0, all))
	for _, table := range append(loaded(), attempts(), outcomes()) {
		schema := words(t, conn, "SELECT name FROM pragma_table_info('"+table.name+"') ORDER BY cid")
		if diff := cmp.Diff(schema, strings.Split(table.columns, ", ")); diff != "" {
			t.Errorf("%s (- schema, + code):\n%s", table.name, diff)
		}
		key := words(t, conn, "SELECT name FROM pragma_table_info('"+table.name+"') WHERE pk > 0 ORDER BY pk")
		if diff := cmp.Diff(key, strings.Split(table.key, ", ")); diff != "" {
			t.Errorf("the key of %s (- schema, + code):\n%s", table.name, diff)
		}
		if table.key[:len("account")] != "account" {
			t.Errorf("the account does not lead the key of %s", table.name)
		}
	}
}
