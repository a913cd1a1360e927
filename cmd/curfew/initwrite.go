package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// free reports whether the file may be written, before anybody is asked for
// anything.
func (o initOptions) free() error {
	if o.path == "" {
		return usagef("-o wants a file, or - for stdout")
	}
	if info, err := os.Stat(o.path); err == nil && info.IsDir() && o.path != "-" {
		return fmt.Errorf("%s is a directory: name a file in it, such as %s", o.path, filepath.Join(o.path, "curfew.yaml"))
	}
	if o.path == "-" || o.force {
		return nil
	}
	if _, err := os.Lstat(o.path); !errors.Is(err, fs.ErrNotExist) {
		return o.taken(err)
	}
	return nil
}

// taken is why a path cannot be had; err is nil where something is there.
func (o initOptions) taken(err error) error {
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return fmt.Errorf("%s is there already: name another file with -o, or replace it with --force", o.path)
}

// write puts the whole text at the path, or nothing: it is written beside it, and
// then takes its name. Everybody may read it, since it holds no secret.
func (o initOptions) write(text string) (err error) {
	path := o.path
	if real, err := filepath.EvalSymlinks(path); err == nil && o.force {
		path = real // where a link leads, not the link, is what is replaced
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".curfew-init-*")
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	defer os.Remove(f.Name()) // it is gone where all went well
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	if o.force {
		if err := os.Rename(f.Name(), path); err != nil {
			return fmt.Errorf("write the configuration: %w", err)
		}
		return nil
	}
	return o.claim(f.Name())
}

// claim gives the file at temporary its name, if nobody has that meanwhile. A
// rename alone would not ask.
func (o initOptions) claim(temporary string) error {
	f, err := os.OpenFile(o.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return o.taken(err)
	}
	if err := errors.Join(f.Close(), os.Rename(temporary, o.path)); err != nil {
		return fmt.Errorf("write the configuration: %w", errors.Join(err, os.Remove(o.path)))
	}
	return nil
}

// plainWord needs no quotes in a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9._/~+:@-]+$`)

// shellWord is a path as it is typed.
func shellWord(path string) string {
	if plainWord.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
