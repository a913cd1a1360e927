package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
)

// ErrExists says that a backup would take the place of another file.
var ErrExists = errors.New("there is a file of that name")

// Why Backup or Restore refuses a file of that name whatever is asked.
var errOwn = errors.New("it is the ledger itself, or one of the files that belong to it")

// A Copy says how a ledger is copied.
type Copy struct {
	Replace  bool                  // another file of that name may go
	Progress func(done, total int) // of pages, and done is total at the end; may be nil
}

// Backup copies the ledger at s.Path to the file at path, beside a running daemon as
// Read does, and returns what Examine found in the copy. The file has its name
// as soon as it is whole, examined and on the disk, and never before; only its
// owner can read it. It holds what was committed before the copying began, all of
// it, in one file without a log.
//
// A ledger that a daemon would not start with is a *Refusal, as a copy of it would
// be; one whose history alone is damaged is copied as it is.
func Backup(ctx context.Context, s Source, path string, how Copy) (*Findings, error) {
	f, err := backup(ctx, s, path, how)
	if err != nil {
		return nil, fmt.Errorf("back up ledger %s to %s: %w", s.Path, path, err)
	}
	f.Path = path
	return f, nil
}

func backup(ctx context.Context, s Source, path string, how Copy) (*Findings, error) {
	if err := free(path, s.Path, how.Replace); err != nil {
		return nil, err
	}
	d, err := newDraft(path)
	if err != nil {
		return nil, advised(err)
	}
	f, err := d.fill(ctx, s, how)
	if err == nil {
		err = d.publish(path, how.Replace)
	}
	if err != nil {
		return nil, errors.Join(advised(err), d.discard())
	}
	return f, nil
}

// advised is explained, where an error has no next step yet.
func advised(err error) error {
	if errors.As(err, new(*Refusal)) {
		return err
	}
	return explained(err)
}

// free makes sure that path may be written, whose directory is there. A ledger's
// own files may never.
func free(path, ledger string, replace bool) error {
	own, err := resolve(ledger)
	if err != nil {
		return err
	}
	for _, end := range []string{"", "-wal", "-shm", ".lock", ".sent"} {
		if same(path, own+end) {
			return errOwn
		}
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0:
		return errors.New("it is not a file")
	case !replace:
		return ErrExists
	}
	return nil
}

// same reports whether two names lead to one file, or will.
func same(a, b string) bool {
	if x, err := os.Stat(a); err == nil {
		y, err := os.Stat(b)
		return err == nil && os.SameFile(x, y)
	}
	x, err := filepath.Abs(a)
	if err != nil {
		return false
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(x)); err == nil {
		x = filepath.Join(dir, filepath.Base(x))
	}
	return x == b
}

// A draft is a copy in the making, beside the file that it will be.
type draft string

// newDraft makes an empty one, which nobody else can read.
func newDraft(path string) (draft, error) {
	path, err := filepath.Abs(path) // SQLite's URI would take a relative one for a host
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*")
	if err != nil {
		return "", err
	}
	return draft(f.Name()), f.Close()
}

// fill copies the ledger into the draft and examines the copy.
func (d draft) fill(ctx context.Context, s Source, how Copy) (*Findings, error) {
	err := Read(ctx, s, func(r *Reader) error {
		if _, err := r.Load(ctx); err != nil {
			return err
		}
		if err := os.Truncate(string(d), 0); err != nil { // by the picture before, if there was one
			return err
		}
		return r.copyTo(ctx, string(d), how.Progress)
	})
	if err != nil {
		return nil, err
	}
	return d.examined(ctx, s)
}

// examined reads the copy, of which nothing but its history may be damaged.
func (d draft) examined(ctx context.Context, s Source) (*Findings, error) {
	s.Path = string(d)
	f, err := Examine(ctx, s)
	if err != nil {
		return nil, err
	}
	return f, f.unsound()
}

// unsound is what is wrong with a ledger beside its history.
func (f *Findings) unsound() error {
	switch {
	case f.Refused != nil:
		return f.Refused
	case len(f.Problems) > 0:
		return &Refusal{Path: f.Path, Reason: ErrDamaged, Cause: errors.New(f.Problems[0])}
	}
	return nil
}

// publish gives the draft its name. What is there already is kept by the kernel
// itself where its file system can, for it may have come meanwhile.
func (d draft) publish(path string, replace bool) error {
	if !replace {
		err := os.Link(string(d), path)
		if errors.Is(err, fs.ErrExist) {
			return ErrExists
		}
		if err == nil {
			return errors.Join(d.discard(), syncDirectory(filepath.Dir(path)))
		}
	}
	if err := os.Rename(string(d), path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// discard removes the draft, and what SQLite may have left beside it.
func (d draft) discard() error {
	var errs []error
	for _, end := range [...]string{"", "-journal", "-wal", "-shm"} {
		errs = append(errs, ignoreAbsent(os.Remove(string(d)+end)))
	}
	return errors.Join(errs...)
}

// pagesAtOnce is how much is copied between two looks at the context: 4 MB.
const pagesAtOnce = 1024

// copyTo copies the picture page by page into an empty file, and returns when it is
// on the disk. The picture's own transaction holds it still: SQLite begins none of
// its own, as it would for each step otherwise, and so need not begin anew when a
// daemon commits meanwhile. A daemon's commits do not wait for it. Its log is not
// reset before the end, and grows.
func (r *Reader) copyTo(ctx context.Context, path string, progress func(done, total int)) error {
	return r.conn.Raw(func(c any) error {
		from, ok := c.(interface {
			NewBackup(to string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.New("this SQLite makes no copies")
		}
		b, err := from.NewBackup(location(path, "mode=rw&_pragma=synchronous(full)"))
		if err != nil {
			return err
		}
		return errors.Join(turns(ctx, b, progress), b.Finish())
	})
}

// turns copies some pages at a time, so that it can be called off.
func turns(ctx context.Context, b *sqlite.Backup, progress func(done, total int)) error {
	for more := true; more; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var err error
		if more, err = b.Step(pagesAtOnce); err != nil {
			return err
		}
		if total := b.PageCount(); progress != nil {
			progress(total-b.Remaining(), total)
		}
	}
	return nil
}
