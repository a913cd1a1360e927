package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Why a ledger is not opened, or not read. Open and Read return them wrapped in a
// Refusal.
var (
	ErrLocked      = errors.New("another process holds it")
	ErrNoDirectory = errors.New("its directory is not there")
	ErrDirectory   = errors.New("it is a directory")
	ErrNotLedger   = errors.New("it is not a ledger")
	ErrEmpty       = errors.New("it is empty, which a ledger never is")
	ErrStray       = errors.New("its -wal file is there, the ledger itself is not")
	ErrDangling    = errors.New("it is a symbolic link to nothing")
	ErrDamaged     = errors.New("it is damaged")
	ErrNewer       = errors.New("a newer release wrote it")
	ErrForeign     = errors.New("it belongs to another account")
	ErrPermission  = errors.New("no permission")
	ErrReadOnly    = errors.New("it cannot be written")
	ErrFull        = errors.New("the disk is full")
	ErrDisk        = errors.New("the disk failed")
	ErrUnfit       = errors.New("its file system cannot hold a ledger")
	ErrAbsent      = errors.New("there is no such file")
	ErrUnreadable  = errors.New("this user may not read it")
	ErrOlder       = errors.New("an older release wrote it")
	ErrBusy        = errors.New("it is being opened and closed all the time")
)

// A Refusal says in one sentence why a ledger is not opened, and what to do.
// It is an error of its Reason, and of its Cause where there is one.
type Refusal struct {
	Path   string
	Reason error // one of the errors above
	Cause  error // what was found, or what the system said; may be nil
}

// Error returns path, reason and cause, with the next step in brackets.
func (r *Refusal) Error() string {
	s := "open ledger " + r.Path + ": " + r.Reason.Error()
	if r.Cause != nil {
		s += ": " + r.Cause.Error()
	}
	return s + " (" + hint(r.Reason) + ")"
}

// Next returns the next step, for people.
func (r *Refusal) Next() string { return hint(r.Reason) }

// Unwrap returns Reason and Cause.
func (r *Refusal) Unwrap() []error {
	if r.Cause == nil {
		return []error{r.Reason}
	}
	return []error{r.Reason, r.Cause}
}

// anew is what a person has to know who gives up a ledger.
const anew = "move it and its -wal and -shm files away to begin a new one, but an hour after the last call: a new ledger counts no calls"

// hint returns the next step for a reason.
func hint(reason error) string {
	switch reason {
	case ErrLocked:
		return "stop that process first, or give this one a ledger of its own"
	case ErrNoDirectory:
		return "create the directory, or mount its volume"
	case ErrDirectory:
		return "name a file in it"
	case ErrNotLedger:
		return "name another file; if this one was a ledger, its head is damaged: restore a backup"
	case ErrEmpty, ErrStray:
		return "restore a backup, or " + anew
	case ErrDangling:
		return "mount the volume that it leads to, or remove the link"
	case ErrDamaged:
		return "restore a backup, or " + anew
	case ErrNewer:
		return "install that release again, or restore the backup from before the upgrade"
	case ErrForeign:
		return "set api.endpoint and api.name back, or name another file: each account has its own ledger"
	case ErrPermission:
		return "let this user write to the file and to its directory"
	case ErrReadOnly:
		return "mount its file system writable, or name a file on another one"
	case ErrFull:
		return "free some space and start again: nothing is lost"
	case ErrDisk:
		return "look into the kernel's log, and replace the disk before starting again"
	case ErrUnfit:
		return "name a file on a local file system such as ext4 or xfs"
	}
	return readingHint(reason)
}

// readingHint is the next step for somebody who only reads.
func readingHint(reason error) string {
	switch reason {
	case ErrAbsent:
		return "name the file that the daemon writes: the one of its --ledger, else that of ledger in its configuration"
	case ErrUnreadable:
		return "ask as the user that the daemon runs as, or as root"
	case ErrOlder:
		return "start the daemon of this release once: it brings the ledger up to date"
	case ErrBusy:
		return "see why the daemon does not stay up, and ask again"
	}
	return "see the documentation of the ledger"
}

// refuse makes a Refusal of any error; one that is a Refusal already stays it.
func refuse(path string, err error) error {
	var r *Refusal
	if errors.As(err, &r) {
		return err
	}
	if reason := reasonOf(err); reason != nil {
		return &Refusal{Path: path, Reason: reason, Cause: err}
	}
	return fmt.Errorf("open ledger %s: %w", path, err)
}

// reasonOf reads an error of the operating system or of SQLite; nil where it
// is neither.
func reasonOf(err error) error {
	var failed *sqlite.Error
	switch {
	case errors.As(err, &failed):
		return reasonOfCode(failed.Code())
	case errors.Is(err, errDamage):
		return ErrDamaged
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return ErrFull
	case errors.Is(err, syscall.EROFS):
		return ErrReadOnly
	case errors.Is(err, syscall.EIO):
		return ErrDisk
	case errors.Is(err, fs.ErrPermission):
		return ErrPermission
	}
	return nil
}

// reasonOfCode reads one of SQLite's extended result codes, whose last byte is
// the primary one.
func reasonOfCode(code int) error {
	switch code & 0xff {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_ERROR: // the last: a table is missing
		return ErrDamaged
	case lib.SQLITE_BUSY: // for longer than busy_timeout: by a person's transaction, or a backup's
		return ErrLocked
	case lib.SQLITE_FULL:
		return ErrFull
	case lib.SQLITE_READONLY:
		return ErrReadOnly
	case lib.SQLITE_PERM, lib.SQLITE_CANTOPEN, lib.SQLITE_AUTH:
		return ErrPermission
	case lib.SQLITE_IOERR:
		return ErrDisk
	}
	return nil
}
