package ledger

import (
	"os"
	"path/filepath"
	"testing"
)

func marksAt(t *testing.T, path, boot string, last uint64) *marks {
	t.Helper()
	m, err := openMarks(path, Options{Boot: boot, Account: "default", Endpoint: "https://e"}, last)
	if err != nil {
		t.Fatalf("open marks: %v", err)
	}
	t.Cleanup(func() { _ = m.close() })
	return m
}

func setMark(t *testing.T, m *marks, id uint64) {
	t.Helper()
	if err := m.set(id); err != nil {
		t.Fatalf("mark %d: %v", id, err)
	}
}

// TestMarks tells of which claims a file of marks is sure that they were not
// sent.
func TestMarks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "curfew.db")
	m := marksAt(t, path, "boot-a", 100)
	setMark(t, m, 101)
	setMark(t, m, 103+markSlots)
	for _, c := range []struct {
		id   uint64
		want bool
		why  string
	}{
		{100, false, "it is from before the file"},
		{101, false, "it was marked"},
		{102, true, "it was not marked"},
		{103, false, "a later claim has its slot"},
		{103 + markSlots, false, "it was marked"},
		{101 + markSlots, true, "its slot holds an earlier claim"},
	} {
		if got := m.unsent(c.id); got != c.want {
			t.Errorf("claim %d unsent: %v, want %v since %s", c.id, got, c.want, c.why)
		}
	}
	if again := marksAt(t, path, "boot-a", 500); again.unsent(101) || !again.unsent(102) {
		t.Error("another process of the same boot reads other marks")
	}
	if other := marksAt(t, path, "boot-b", 500); other.unsent(102) || !other.unsent(501) {
		t.Error("marks of another boot were believed, or new ones were not begun")
	}
	var none *marks
	if none.unsent(1) {
		t.Error("without marks nothing is sure")
	}
}

// TestTornMarksSayNothing cuts the file at every length of its header and some
// of its slots: what is left must not say that a claim was not sent.
func TestTornMarksSayNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "curfew.db")
	setMark(t, marksAt(t, path, "boot-a", 0), 7)
	whole, err := os.ReadFile(markPath(path))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(whole); n += 1 + n/40 {
		if err := os.WriteFile(markPath(path), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if m := marksAt(t, path, "boot-a", 9); m.unsent(7) || m.unsent(9) || m.first != 9 {
			t.Fatalf("marks cut to %d of %d bytes are believed", n, len(whole))
		}
	}
}

// TestFailedMarkIsAnError closes the file under the marks, as a disk that is gone.
func TestFailedMarkIsAnError(t *testing.T) {
	t.Parallel()
	m := marksAt(t, filepath.Join(t.TempDir(), "curfew.db"), "boot-a", 0)
	if err := m.file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := (&Ledger{path: "curfew.db", marks: m}).Mark(1); err == nil {
		t.Error("a mark that was not written is not an error: its call would be taken for unsent")
	}
	if m.unsent(1) {
		t.Error("marks that cannot be read say that nothing was sent")
	}
}
