package ledger

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// SQLite's lock bytes: those that every connection of a ledger shares, and the one
// in its -shm that every connection shares for as long as it is open. See
// https://www.sqlite.org/fileformat2.html#lockbyte and "Dead Man's Switch" in
// https://www.sqlite.org/walformat.html.
const (
	sharedFirst = 0x40000002
	sharedSize  = 510
	switchByte  = 128
)

// tellsUse says that connected knows.
const tellsUse = true

// keepLog opens the ledger and shares the lock that a daemon wants for itself to
// remove the -wal at its end: what was there stays until the file is closed. The
// lock is the open file's, not the process's, so that SQLite's do not meet it.
func keepLog(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	l := unix.Flock_t{Type: unix.F_RDLCK, Whence: 0, Start: sharedFirst, Len: sharedSize}
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &l)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		err = errMoved // a daemon is closing it
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// connected reports whether a process has the ledger of a -shm open. Where that
// cannot be told, nobody has.
func connected(shm string) bool {
	f, err := os.Open(shm)
	if err != nil {
		return false
	}
	defer f.Close()
	l := unix.Flock_t{Type: unix.F_WRLCK, Whence: 0, Start: switchByte, Len: 1}
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &l)
	return err == nil && l.Type != unix.F_UNLCK
}
