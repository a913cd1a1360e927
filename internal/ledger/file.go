package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// resolve returns the path of the file itself, absolute and without symbolic
// links: SQLite keeps its -wal there, and two names of one ledger must find one
// lock.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return path, err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return path, &Refusal{Path: path, Reason: ErrNoDirectory}
	}
	if err != nil {
		return path, err
	}
	path = filepath.Join(dir, filepath.Base(path))
	if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return path, ignoreAbsent(err)
	}
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, &Refusal{Path: path, Reason: ErrDangling}
	}
	return target, err
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// inspect reports whether there is a file at path that SQLite may be let at. It
// never lets SQLite judge what SQLite takes for new: an empty file, or none
// beside a write-ahead log. access is what the caller will want of the file.
func inspect(path string, access int) (present bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, inspectAbsent(path)
	}
	switch {
	case err != nil:
		return false, err
	case info.IsDir():
		return false, &Refusal{Path: path, Reason: ErrDirectory}
	case !info.Mode().IsRegular():
		return false, &Refusal{Path: path, Reason: ErrNotLedger, Cause: errors.New("not a regular file")}
	case info.Size() == 0:
		return false, &Refusal{Path: path, Reason: ErrEmpty}
	}
	return true, inspectHead(path, access)
}

// inspectAbsent tells a ledger that never was from one that was taken away: SQLite
// would begin a new file and drop the log that is left.
func inspectAbsent(path string) error {
	_, err := os.Stat(path + "-wal")
	if err == nil {
		return &Refusal{Path: path, Reason: ErrStray}
	}
	return ignoreAbsent(err)
}

// headSize is the length of the head of SQLite's file format, section 1.3 of
// https://www.sqlite.org/fileformat2.html.
const headSize = 100

// inspectHead looks for SQLite's mark. The file must not be open in this
// process yet: closing it here would drop the locks that SQLite has on it.
func inspectHead(path string, access int) error {
	f, err := os.OpenFile(path, access, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	mark := []byte("SQLite format 3\x00")
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	switch {
	case !bytes.HasPrefix(head, mark):
		return &Refusal{Path: path, Reason: ErrNotLedger, Cause: errors.New("not a SQLite file")}
	case err == io.ErrUnexpectedEOF:
		return &Refusal{Path: path, Reason: ErrDamaged, Cause: fmt.Errorf("it ends after %d bytes", n)}
	}
	return err
}

// create makes a ledger at path that is whole as soon as it has its name: it is
// built under another one, made durable, and renamed. So a crash leaves no
// ledger, which is new, and never a part of one.
func create(ctx context.Context, path string, o Options) error {
	draft := path + ".new"
	for _, left := range []string{draft, draft + "-journal"} { // by a crash
		if err := ignoreAbsent(os.Remove(left)); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Close(), build(ctx, draft, o)); err != nil {
		return errors.Join(err, ignoreAbsent(os.Remove(draft)))
	}
	if err := os.Rename(draft, path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// build fills an empty file with the schema and the account.
func build(ctx context.Context, path string, o Options) error {
	db, conn, err := connect(ctx, path)
	if err != nil {
		return err
	}
	l := newLedger(path, o, db, conn)
	return errors.Join(l.fill(ctx), l.disconnect())
}

func (l *Ledger) fill(ctx context.Context) error {
	if err := setPragmas(ctx, l.conn, "synchronous = FULL"); err != nil {
		return err
	}
	steps, err := steps()
	if err != nil {
		return err
	}
	if err := migrate(ctx, l.conn, 0, steps); err != nil {
		return err
	}
	return l.write(ctx, func() error { return l.putAccount(ctx, 0) })
}

// syncDirectory makes a rename in dir durable. Until then a crash may leave the
// directory without the ledger, though the ledger itself is on the disk.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
