package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"curfew/internal/config"
	"curfew/policy"
)

// windowsPath is a path with a drive, whose colon means no revision.
var windowsPath = regexp.MustCompile(`^[A-Za-z]:[\\/]`)

// A gitFile is a file as a revision has it. An empty revision is git's index.
type gitFile struct {
	revision, path string
	here           bool // the path goes from the working directory, not from the top of the repository
}

// String returns it in git's own words.
func (g gitFile) String() string { return g.revision + ":" + g.path }

// gitFileOf reads REV:PATH; false for the path of a file. What is there under the
// whole name is a file, whatever it looks like.
func gitFileOf(name string) (gitFile, bool) {
	if _, err := os.Stat(name); err == nil || windowsPath.MatchString(name) {
		return gitFile{}, false
	}
	braces := 0 // of HEAD@{12:00}
	for i, r := range name {
		switch {
		case r == '{':
			braces++
		case r == '}':
			braces--
		case r == ':' && braces == 0:
			path := name[i+1:]
			here := strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../")
			return gitFile{name[:i], path, here}, path != ""
		}
	}
	return gitFile{}, false
}

// loadSide reads one of the two configurations.
func loadSide(ctx context.Context, c *console, name string) (*config.Config, []policy.Problem, error) {
	g, ok := gitFileOf(name)
	if !ok {
		file, problems, err := config.Load(name, c.env)
		if bare := new(fs.PathError); errors.As(err, &bare) {
			err = fmt.Errorf("read %s: %w", name, bare.Err) // flags and variables that name files do not help here
		}
		return file, problems, err
	}
	text, err := g.read(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w%s", g, err, g.hint())
	}
	// Positions carry the revision: a problem of the old file must not send anybody
	// to a line of the new one.
	file, problems := config.Parse(name, text, config.Env{
		Dir: path.Dir(g.path), Lookup: c.env,
		ICal: func(path string) ([]byte, error) { return g.beside(path).readOrTell(ctx, c.err) },
	})
	return file, problems, nil
}

// beside is another file of the same revision, by the path that the
// configuration's directory leads to. Joined paths have lost the "./" that tells
// git to go from here.
func (g gitFile) beside(joined string) gitFile {
	joined = filepath.ToSlash(joined)
	if g.here && !filepath.IsAbs(joined) {
		joined = "./" + joined
	}
	return gitFile{g.revision, joined, g.here}
}

// read returns what the revision has, cut behind config.MaxSize, which makes a
// text that is refused. It takes the plain contents of a blob: `git show` would
// turn them into text by the attributes of whoever asks, and show a directory as
// a list.
func (g gitFile) read(ctx context.Context) ([]byte, error) {
	if strings.HasPrefix(g.revision, "-") {
		return nil, errors.New("no revision begins with a dash")
	}
	return git(ctx, "cat-file", "blob", g.String())
}

// hint says how to name a file that is here, where the top of the repository is
// elsewhere.
func (g gitFile) hint() string {
	if _, err := os.Stat(g.path); err != nil || g.here || filepath.IsAbs(g.path) {
		return ""
	}
	return fmt.Sprintf(" (paths go from the top of the repository; one from here is %s:./%s)", g.revision, g.path)
}

// readOrTell reads a calendar from the revision. One that lies outside the
// repository, or that is not kept in it, is read as it is now, which stderr says.
func (g gitFile) readOrTell(ctx context.Context, talk io.Writer) ([]byte, error) {
	if !g.outside() {
		if text, err := g.read(ctx); err == nil {
			return text, nil
		}
	}
	now, err := g.onDisk(ctx)
	if err != nil {
		return nil, err
	}
	text, err := readCalendar(now)
	if err == nil {
		_, err = fmt.Fprintf(talk, "%s is not in that revision: %s is read as it is now\n", g, now)
	}
	return text, err
}

// outside reports whether the path cannot be one of the repository. Git would
// read a path that leads out of its top as one from here.
func (g gitFile) outside() bool {
	return filepath.IsAbs(g.path) || !g.here && strings.HasPrefix(path.Clean(g.path), "..")
}

// onDisk is the place of the file in the working tree.
func (g gitFile) onDisk(ctx context.Context) (string, error) {
	if filepath.IsAbs(g.path) || g.here {
		return filepath.Clean(filepath.FromSlash(g.path)), nil
	}
	// The way up from here: it is shorter than the whole path, and its own.
	up, err := git(ctx, "rev-parse", "--show-cdup")
	return filepath.Join(strings.TrimSpace(string(up)), filepath.FromSlash(g.path)), err
}

// readCalendar reads a file as far as one is read at all. A pipe or a device
// might never end.
func readCalendar(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, config.MaxSize+1))
}

// git runs git with these arguments, without a shell, and returns what it writes.
func git(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("a file of a revision needs git, and there is none on the PATH")
	}
	if err != nil {
		return nil, fmt.Errorf("run git: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(out, config.MaxSize+1))
	if len(text) > config.MaxSize {
		cancel() // nobody reads the rest
		_ = cmd.Wait()
		return text, nil
	}
	return text, errors.Join(err, gitError(cmd.Wait(), talk.String()))
}

// gitError is what git says of its failure, in a line.
func gitError(err error, talk string) error {
	if err == nil {
		return nil
	}
	said := strings.TrimPrefix(strings.Join(strings.Fields(talk), " "), "fatal: ")
	if said == "" {
		said = err.Error()
	}
	return fmt.Errorf("git: %s", said)
}
