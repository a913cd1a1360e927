package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The paces of Watch.
const (
	settle = 200 * time.Millisecond // for a writer to finish
	slow   = 30 * time.Second       // for what no event tells: network mounts, replaced directories
)

// A File is a file with what it held when it was read.
type File struct {
	Path string
	sum  [sha256.Size]byte // zero: it could not be read
}

// Format prints the path alone: the sum of a secret is a secret, too.
func (f File) Format(s fmt.State, _ rune) { fmt.Fprint(s, f.Path) }

func sum(data []byte) [sha256.Size]byte { return sha256.Sum256(data) }

// Watch calls changed whenever one of the files holds something else than
// before, the first time something else than when it was read; so nothing is
// missed between the reading and the call to Watch, and an event that leaves
// the contents as they are tells nothing. It returns when ctx ends.
//
// It looks when the operating system tells of anything in the directories of
// the files, which covers files replaced by renaming and Kubernetes' swap of a
// symbolic link above them, and every 30 seconds whatever the system tells; so
// where there are no events at all it is slow, not deaf. A change is told once
// two looks in a row see the same, so that half a file is not loaded. changed
// must not block.
func Watch(ctx context.Context, files []File, changed func()) {
	w := &watch{files: slices.Clone(files), changed: changed}
	notifier, err := fsnotify.NewWatcher()
	if err != nil { // the system has no watches left: the slow look remains
		w.run(ctx, nil, nil, func() {})
		return
	}
	defer notifier.Close()
	w.run(ctx, notifier.Events, notifier.Errors, func() {
		for _, dir := range w.dirs() {
			_ = notifier.Add(dir) // again and again: a directory may come back as another
		}
	})
}

// A watch is the state of one call to Watch, owned by it.
type watch struct {
	files   []File
	pending []File // what the last look saw, where it was something new
	changed func()
}

// run looks when told and when it is time to. attach asks for events. An error
// means that events were lost, which is as good as an event.
func (w *watch) run(ctx context.Context, events <-chan fsnotify.Event, errs <-chan error, attach func()) {
	attach()
	timer := time.NewTimer(0) // the files may have changed since they were read
	defer timer.Stop()
	soon := true // the next look is at most settle away
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			attach()
			soon = w.look()
			timer.Reset(pace(soon))
			continue
		case <-events:
		case <-errs:
		}
		if !soon {
			soon = true
			timer.Reset(settle)
		}
	}
}

func pace(soon bool) time.Duration {
	if soon {
		return settle
	}
	return slow
}

// look compares the files with what they were. It reports whether another look
// is needed to be sure of a change.
func (w *watch) look() (again bool) {
	now := make([]File, len(w.files))
	for i, f := range w.files {
		now[i] = File{Path: f.Path}
		switch data, err := readRegular(f.Path); {
		case err == nil:
			now[i].sum = sum(data)
		case errors.Is(err, errNoFile): // a pipe or a device tells no changes
			now[i] = f
		}
	}
	switch {
	case slices.Equal(now, w.files):
		w.pending = nil
	case slices.Equal(now, w.pending):
		w.files, w.pending = now, nil
		w.changed()
	default:
		w.pending = now
		return true
	}
	return false
}

// dirs are the directories of the files, and of what they are links to.
func (w *watch) dirs() []string {
	var dirs []string
	for _, f := range w.files {
		dirs = append(dirs, filepath.Dir(f.Path))
		if target, err := filepath.EvalSymlinks(f.Path); err == nil {
			dirs = append(dirs, filepath.Dir(target))
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
