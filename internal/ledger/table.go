package ledger

import (
	"fmt"
	"math/bits"
	"strings"
)

// A table names what one kind of record needs of the schema. The columns stand
// in the order in which records are encoded and decoded.
type table struct {
	name    string
	key     string
	columns string
}

// accounts has the one row that says whose ledger it is.
func accounts() table {
	return table{"accounts", "account", "account, endpoint, last_claim, sum"}
}

// boots gives each boot of a host a number.
func boots() table {
	return table{"boots", "account, boot", "account, boot, kernel_id, sum"}
}

// deployments holds a scheduler.Row each. What is due, raised or tried lies in the
// same row, mostly NULL: a second table would double the writes of a boundary.
func deployments() table {
	return table{"deployments", "account, deployment",
		"account, deployment, name, policy, floor, fingerprint, power, armed, gone, " +
			"due_power, due_at, due_because, raised_power, raised_at, raised_because, " +
			"attempt_power, attempt_at, attempt_because, attempt_state, " +
			"attempt_wall, attempt_steady, attempt_boot, attempt_tries, attempt_refused, " +
			"last, last_reason, last_power, last_at, sum"}
}

// claims and endings are two tables, so that an answer is an insert and no claim
// is ever changed: what was durable before a call cannot be lost after it.
func claims() table {
	return table{"claims", "account, claim",
		"account, claim, deployment, method, power, at, because, wall, steady, boot, latest, probe, sum"}
}

func endings() table {
	return table{"endings", "account, claim",
		"account, claim, wall, steady, boot, known, result, status, wait, sum"}
}

// attempts takes over the POSTs of claims and endings when they stop counting, so
// that those two stay as small as a quota window, however long history is kept.
func attempts() table {
	return table{"attempts", "account, claim",
		"account, claim, deployment, method, power, at, because, wall, steady, boot, latest, probe, " +
			"answered, ended_wall, ended_steady, ended_boot, known, result, status, wait, sum"}
}

// outcomes is the history of transitions; nothing is ever decided by it.
func outcomes() table {
	return table{"outcomes", "account, outcome",
		"account, outcome, deployment, policy, power, at, because, kind, reason, edges, settled, tries, note, sum"}
}

// overrides holds those that are still an argument of a decision.
func overrides() table {
	return table{"overrides", "account, override",
		"account, override, deployment, kind, power, before, since, until, edges, author, reason, sum"}
}

// scopes has at most one row per method.
func scopes() table {
	return table{"scopes", "account, method", "account, method, scope, sum"}
}

// loaded lists the tables that Load reads: those that must be whole before a
// daemon may start. History is not among them; it may be large, and nothing is
// decided by it.
func loaded() []table {
	return []table{accounts(), boots(), deployments(), claims(), endings(), overrides(), scopes()}
}

// width is the number of columns.
func (t table) width() int { return strings.Count(t.columns, ",") + 1 }

// insertion writes n rows at once. A row whose key is there already replaces
// it where replace says so, and fails the statement where it does not.
func (t table) insertion(n int, replace bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", t.name, t.columns)
	for row := range n {
		if row > 0 {
			b.WriteString(", ")
		}
		b.WriteString(placeholders(t.width()))
	}
	if replace {
		fmt.Fprintf(&b, " ON CONFLICT (%s) DO UPDATE SET %s", t.key, t.assignments())
	}
	return b.String()
}

// assignments sets every column beside the key to the value that was refused.
func (t table) assignments() string {
	keys := strings.Split(t.key, ", ")
	var sets []string
	for _, column := range strings.Split(t.columns, ", ")[len(keys):] {
		sets = append(sets, column+" = excluded."+column)
	}
	return strings.Join(sets, ", ")
}

// number is the second column of the key: what counts the table's rows.
func (t table) number() string {
	_, number, _ := strings.Cut(t.key, ", ")
	return number
}

// deletion removes the rows of n numbers.
func (t table) deletion(n int) string {
	return "DELETE FROM " + t.name + " WHERE account = ? AND " + t.number() + " IN " + placeholders(n)
}

// statementRows is how many rows one statement takes at most. More are no
// faster: SQLite's cost of binding grows with the number of parameters.
const statementRows = 64

// rowsAt returns how many of n waiting rows the next statement takes:
// statementRows, or the largest power of two, so that a handful of prepared statements serve
// every number of rows.
func rowsAt(n int) int {
	if n >= statementRows {
		return statementRows
	}
	return 1 << (bits.Len(uint(n)) - 1)
}
