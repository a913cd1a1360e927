package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"curfew/policy"
)

// DefaultPath is where the file is if nobody says otherwise.
const DefaultPath = "/etc/curfew/curfew.yaml"

const (
	envPath = "CURFEW_CONFIG"
	envText = "CURFEW_CONFIG_YAML"
)

// A Source is where a configuration comes from.
type Source struct {
	Name string // for positions
	Path string // of the file, or empty
	text string // where there is no file
}

// Find returns the source: the file at path (a flag's value), else the one that
// $CURFEW_CONFIG names, else the text in $CURFEW_CONFIG_YAML, else DefaultPath.
// It does not look whether the file is there.
func Find(path string, env Lookup) Source {
	if path == "" {
		path = env.get(envPath)
	}
	if path != "" {
		return Source{Name: path, Path: path}
	}
	if text := env.get(envText); text != "" {
		return Source{Name: "$" + envText, text: text}
	}
	return Source{Name: DefaultPath, Path: DefaultPath}
}

// Read returns the text. One that is too large is cut behind MaxSize, which
// Parse refuses.
func (s Source) Read() ([]byte, error) {
	if s.Path == "" {
		return []byte(s.text), nil
	}
	text, _, err := readUpTo(s.Path, MaxSize+1)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w (name a file with -c or $%s, or put the text into $%s)", err, envPath, envText)
	}
	return text, nil
}

// readUpTo reads a file, but no more of it than the given number of bytes.
func readUpTo(path string, most int64) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	return text, info.Mode(), err
}

// Load finds, reads and parses the configuration. The error says that there is
// no text to judge; whatever is wrong with the text is in the problems, and
// then, as with Parse, the Config is there for its Text and its Files.
func Load(path string, env Lookup) (*Config, []policy.Problem, error) {
	src := Find(path, env)
	text, err := src.Read()
	if err != nil {
		return nil, nil, err
	}
	dir := ""
	if src.Path != "" {
		dir = filepath.Dir(src.Path)
	}
	c, problems := Parse(src.Name, text, Env{Dir: dir, Lookup: env})
	c.Path = src.Path
	return c, problems, nil
}

// readRegular is readUpTo for a file alone: a pipe or a device might never end.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errNoFile
	}
	if err != nil {
		return nil, err
	}
	text, _, err := readUpTo(path, MaxSize+1)
	return text, err
}

// errNoFile is the cause where a directory, a pipe or a device stands in the
// place of a file.
var errNoFile = errors.New("it is not a file")

// reason is the cause of an error without its path, which stands beside it.
func reason(err error) error {
	if bare := new(fs.PathError); errors.As(err, &bare) {
		return bare.Err
	}
	return err
}

// Files returns the configuration file and its iCalendar files as they were
// read, for Watch; without the first where the text came from the environment.
// The files with keys are those of the Credentials.
func (c *Config) Files() []File {
	if c.Path == "" {
		return slices.Clone(c.icals)
	}
	return append([]File{{Path: c.Path, sum: sum(c.Text)}}, c.icals...)
}
