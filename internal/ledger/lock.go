package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A lock is the exclusive right to a ledger. The kernel gives it back when the
// process ends, however that happens; the file stays, since removing it would
// let two processes lock two files of one name.
type lock struct{ file *os.File }

// poll is how often a waiting daemon tries again.
const poll = 200 * time.Millisecond

// acquire locks the file beside the ledger. Where another process holds it,
// acquire tells wait once and then waits until ctx ends; a nil wait means a
// Refusal.
func acquire(ctx context.Context, path, release string, wait func(holder string)) (*lock, error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	l := &lock{f}
	err = l.try()
	if errors.Is(err, unix.EWOULDBLOCK) && wait != nil {
		wait(l.holder())
		err = l.poll(ctx)
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = &Refusal{Path: path, Reason: ErrLocked, Cause: errors.New(l.holder())}
	}
	if err == nil {
		err = l.sign(release)
	}
	if err != nil {
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

// try asks for the lock without waiting; EWOULDBLOCK says that another has it.
func (l *lock) try() error {
	return unix.Flock(int(l.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// poll tries until it has the lock or ctx ends. A blocking flock cannot be
// called off.
func (l *lock) poll(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", l.file.Name(), context.Cause(ctx))
		case <-tick.C:
		}
		if err := l.try(); !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
	}
}

// sign writes who holds the lock, for the next one who asks.
func (l *lock) sign(release string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt(fmt.Appendf(nil, "process %d, curfew %s\n", os.Getpid(), release), 0)
	return err
}

// holder reads what the other process wrote. It is for people only: a process
// in another container has another number there.
func (l *lock) holder() string {
	text, err := io.ReadAll(io.NewSectionReader(l.file, 0, 256))
	if err != nil || len(text) == 0 {
		return "an unknown process"
	}
	return strings.TrimSpace(string(text))
}

// holding returns who holds the ledger, as people read it, and nothing where
// nobody does. It asks for a shared lock, for a moment, and only of a file that is
// there.
func holding(path string) string {
	f, err := os.Open(path + ".lock")
	if err != nil {
		return ""
	}
	l := &lock{f}
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		defer f.Close()
		return l.holder()
	}
	_ = l.release() // it is only asked
	return ""
}

// release unlocks before it closes: a child that another goroutine is starting
// has a copy of the descriptor until its exec, and would keep the lock.
func (l *lock) release() error {
	return errors.Join(unix.Flock(int(l.file.Fd()), unix.LOCK_UN), l.file.Close())
}
