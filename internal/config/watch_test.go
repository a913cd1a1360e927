package config

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// read returns a file as it is now.
func read(t *testing.T, path string) File {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return File{Path: path, sum: sum(data)}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// watching is a run of the loop in the bubble's time, with events by hand.
type watching struct {
	events chan fsnotify.Event
	errs   chan error
	told   atomic.Int32
}

func inBubble(t *testing.T, story func(w *watching, path string)) {
	path := filepath.Join(t.TempDir(), "curfew.yaml")
	put(t, path, "one")
	file := read(t, path)
	synctest.Test(t, func(t *testing.T) {
		w := &watching{events: make(chan fsnotify.Event), errs: make(chan error)}
		state := watch{files: []File{file}, changed: func() { w.told.Add(1) }}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); state.run(ctx, w.events, w.errs, func() {}) }()
		story(w, path)
		cancel()
		<-done
	})
}

// after lets time pass in the bubble, and asks how often a change was told.
func (w *watching) after(t *testing.T, d time.Duration, want int, when string) {
	t.Helper()
	time.Sleep(d)
	synctest.Wait()
	if got := int(w.told.Load()); got != want {
		t.Errorf("%s: told %d times, want %d", when, got, want)
	}
}

func TestWatchTellsChanges(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *watching, path string) {
		w.after(t, time.Hour, 0, "nothing happened for an hour")
		put(t, path, "two")
		w.events <- fsnotify.Event{}
		w.after(t, settle, 0, "one look after the change")
		w.after(t, settle, 1, "two looks after the change")
		w.events <- fsnotify.Event{}
		put(t, path, "two")
		w.events <- fsnotify.Event{}
		w.after(t, time.Hour, 1, "written again with the same text")
		put(t, path, "three")
		w.after(t, slow+settle, 2, "a change without an event")
		put(t, path, "four")
		w.errs <- fsnotify.ErrEventOverflow
		w.after(t, 2*settle, 3, "a change whose event was lost")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		w.after(t, slow+settle, 4, "the file is gone")
		w.after(t, time.Hour, 4, "it is still gone")
		put(t, path, "four")
		w.after(t, slow+settle, 5, "it is back")
	})
}

// TestWatchWaitsForWriters has somebody write in pieces: told once, when done.
func TestWatchWaitsForWriters(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *watching, path string) {
		w.after(t, time.Minute, 0, "at the start")
		for _, text := range []string{"", "two", "two and", "two and a half"} {
			put(t, path, text)
			w.events <- fsnotify.Event{}
			w.after(t, settle-time.Millisecond, 0, "while it is written")
		}
		w.after(t, time.Hour, 1, "when it is done")
		put(t, path, "half")
		w.events <- fsnotify.Event{}
		w.after(t, settle, 1, "half of a change")
		put(t, path, "two and a half")
		w.after(t, time.Hour, 1, "that was taken back")
	})
}

// watchOnce runs Watch itself over a file that is not what was read, which is
// told first; then it makes a change and waits until that is told as well. By
// then the next slow look is further away than the deadline: an event told it.
func watchOnce(t *testing.T, path string, change func()) {
	t.Helper()
	told := make(chan struct{}, 8)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Watch(ctx, []File{{Path: path}}, func() { told <- struct{}{} })
	}()
	for _, step := range []struct {
		what string
		do   func()
	}{{"what changed between the reading and Watch", func() {}}, {"the change", change}} {
		step.do()
		select {
		case <-told:
		case <-time.After(slow * 2 / 3):
			t.Errorf("%s was not told", step.what)
		}
	}
	cancel()
	<-done
}

// TestWatchFiles changes real files in the ways of editors and of Kubernetes.
func TestWatchFiles(t *testing.T) {
	t.Parallel()
	if notifier, err := fsnotify.NewWatcher(); err != nil {
		t.Skip("this system has no watches left:", err)
	} else {
		notifier.Close()
	}
	for name, test := range map[string]struct {
		make, change func(t *testing.T, dir string)
	}{
		"written in place": {
			func(t *testing.T, dir string) { put(t, dir+"/curfew.yaml", "one") },
			func(t *testing.T, dir string) { put(t, dir+"/curfew.yaml", "two") },
		},
		"replaced by renaming": {
			func(t *testing.T, dir string) { put(t, dir+"/curfew.yaml", "one"); put(t, dir+"/.new", "two") },
			func(t *testing.T, dir string) { rename(t, dir+"/.new", dir+"/curfew.yaml") },
		},
		"a ConfigMap's link swapped": {
			func(t *testing.T, dir string) {
				for _, version := range []string{"/..1", "/..2"} {
					mkdir(t, dir+version)
					put(t, dir+version+"/curfew.yaml", "version"+version)
				}
				link(t, "..1", dir+"/..data")
				link(t, "..data/curfew.yaml", dir+"/curfew.yaml")
				link(t, "..2", dir+"/..data_tmp")
			},
			func(t *testing.T, dir string) { rename(t, dir+"/..data_tmp", dir+"/..data") },
		},
		"the file behind a link": {
			func(t *testing.T, dir string) {
				mkdir(t, dir+"/real")
				put(t, dir+"/real/c.yaml", "one")
				link(t, "real/c.yaml", dir+"/curfew.yaml")
			},
			func(t *testing.T, dir string) { put(t, dir+"/real/c.yaml", "two") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			test.make(t, dir)
			watchOnce(t, dir+"/curfew.yaml", func() { test.change(t, dir) })
		})
	}
}

// TestWatchNoDirectory watches for a file whose directory is not there: no
// event can come, and nothing breaks.
func TestWatchNoDirectory(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		Watch(ctx, []File{{Path: filepath.Join(t.TempDir(), "gone", "key")}}, func() { told <- struct{}{} })
	}()
	cancel()
	<-done
	if len(told) > 0 {
		t.Error("a file that was not there and is not there was told as changed")
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}
