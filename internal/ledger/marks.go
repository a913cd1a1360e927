package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// marks is a small file beside the ledger that says which claims' calls were
// about to be sent. A claim is made durable some milliseconds before its call; a
// process that is killed in between leaves one that nobody used, and that would
// cost a quota of an hour all the same. The mark is eight bytes in the page
// cache, which outlives the process and not the host: marks of another boot mean
// nothing, and what they do not rule out may have been sent.
//
// A claim's slot is its number modulo their count and holds that number. Numbers
// only grow, so a greater one in the slot means that the mark was overwritten.
type marks struct {
	file  *os.File
	first uint64 // claims up to it were made when there was no such file
}

// The layout: a magic word, a digest of boot and account, the number of the
// last claim before the file, then the slots. There are several times as many
// slots as calls can be claimed or in flight at once.
const (
	markMagic  = "curfew marks 1\n\n"
	markHeader = len(markMagic) + sha256.Size + 8
	markSlots  = 1 << 13
)

func markPath(ledger string) string { return ledger + ".sent" }

// openMarks takes up the marks of this boot, or begins new ones. last is the
// highest claim in the ledger.
func openMarks(ledger string, o Options, last uint64) (*marks, error) {
	head := append([]byte(markMagic), markDigest(o)...)
	f, err := os.OpenFile(markPath(ledger), os.O_RDWR, 0)
	if err == nil {
		if first, ok := readMarks(f, head); ok {
			return &marks{f, first}, nil
		}
		_ = f.Close() // of another boot, or cut short: made anew
	}
	head = binary.LittleEndian.AppendUint64(head, last)
	if err := replaceMarks(ledger, append(head, make([]byte, 8*markSlots)...)); err != nil {
		return nil, err
	}
	f, err = os.OpenFile(markPath(ledger), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &marks{f, last}, nil
}

// readableMarks returns the marks of this boot for somebody who only reads, nil
// where there are none that can be read.
func readableMarks(ledger string, o Options) *marks {
	f, err := os.Open(markPath(ledger))
	if err != nil {
		return nil
	}
	first, ok := readMarks(f, append([]byte(markMagic), markDigest(o)...))
	if !ok {
		_ = f.Close()
		return nil
	}
	return &marks{f, first}
}

func markDigest(o Options) []byte {
	d := sha256.Sum256([]byte(o.Boot + "\x00" + o.Account + "\x00" + o.Endpoint))
	return d[:]
}

// readMarks reads the header of marks that are whole and of this boot.
func readMarks(f *os.File, head []byte) (first uint64, ok bool) {
	info, err := f.Stat()
	if err != nil || info.Size() != int64(markHeader+8*markSlots) {
		return 0, false
	}
	got := make([]byte, markHeader)
	if _, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got[:len(head)], head) {
		return 0, false
	}
	return binary.LittleEndian.Uint64(got[len(head):]), true
}

// replaceMarks puts a new file in the place of the old one, whole.
func replaceMarks(ledger string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(ledger), filepath.Base(ledger)+".sent-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), markPath(ledger))
}

func markOffset(id uint64) int64 { return int64(markHeader) + 8*int64(id%markSlots) }

// set marks a claim.
func (m *marks) set(id uint64) error {
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], id)
	_, err := m.file.WriteAt(word[:], markOffset(id))
	return err
}

// unsent reports whether the call of a claim of this boot certainly never began.
func (m *marks) unsent(id uint64) bool {
	if m == nil || id <= m.first {
		return false
	}
	var word [8]byte
	if n, _ := m.file.ReadAt(word[:], markOffset(id)); n < len(word) {
		return false // a file that was cut says nothing
	}
	return binary.LittleEndian.Uint64(word[:]) < id
}

func (m *marks) close() error {
	if m == nil {
		return nil
	}
	return m.file.Close()
}

// Mark says that the call of a claim is about to begin: from now on nobody can
// be sure that nothing of it was sent. It costs about a microsecond and may be
// called from any goroutine. After an error the call must not be made.
func (l *Ledger) Mark(claim uint64) error {
	if l.marks == nil {
		return nil // then every claim without an answer counts as sent
	}
	if err := l.marks.set(claim); err != nil {
		return fmt.Errorf("mark claim %d in %s: %w", claim, markPath(l.path), err)
	}
	return nil
}
