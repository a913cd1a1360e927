package config

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"curfew/internal/secret"
	"curfew/policy"
)

// maxCredential is how large a file with a key may be, in bytes.
const maxCredential = 4 << 10

// A credentialFile is api.key_file or api.secret_file.
type credentialFile struct {
	path string
	pos  policy.Pos
}

func (r *reader) credential(dst *credentialFile) func(*node) {
	return func(n *node) {
		r.path(&dst.path)(n)
		dst.pos = r.pos(n)
	}
}

// Credentials are what the platform knows us by. They print as [redacted].
type Credentials struct {
	Key, Secret secret.String
	files       []File
}

// Format prints [redacted] for every verb. The fields' own methods would not
// do: fmt does not call those of unexported fields, nor of what is in them.
func (c Credentials) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// Files returns the files from which the credentials were read, or should have
// been, for Watch.
func (c Credentials) Files() []File { return c.files }

// Credentials reads the API key and its secret. Each comes from the first place
// that has it: the file that api.key_file or api.secret_file names, then
// EMQXCLOUD_PLATFORM_API_KEY or _API_SECRET, then emqx-key or emqx-secret in
// systemd's $CREDENTIALS_DIRECTORY. A place that is named and cannot be used is
// a problem, never a reason to go on to the next. Line breaks at the end are
// not part of a key. That there is none is a problem too, so call this where a
// call is going to be made, not where a file is only checked.
func (c *Config) Credentials(env Lookup) (Credentials, []policy.Problem) {
	var creds Credentials
	var problems []policy.Problem
	for _, h := range []half{
		{what: "key", key: "api.key_file", file: c.key, variable: envKey, credential: "emqx-key", dst: &creds.Key},
		{what: "secret", key: "api.secret_file", file: c.secret, variable: envSecret, credential: "emqx-secret", dst: &creds.Secret},
	} {
		file, found := h.find(c.Source, env)
		if file.Path != "" {
			creds.files = append(creds.files, file)
		}
		problems = append(problems, found...)
	}
	return creds, problems
}

// half is one of the two, with the places where it can be.
type half struct {
	what, key            string
	file                 credentialFile
	variable, credential string
	dst                  *secret.String
}

func (h half) find(source string, env Lookup) (File, []policy.Problem) {
	if h.file.path != "" {
		return h.read(h.file.path, h.file.pos)
	}
	if value := env.get(h.variable); value != "" {
		return File{}, h.take(value, "$"+h.variable, policy.Pos{File: "$" + h.variable})
	}
	if dir := env.get("CREDENTIALS_DIRECTORY"); dir != "" {
		path := filepath.Join(dir, h.credential)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return h.read(path, policy.Pos{File: path})
		}
	}
	return File{}, []policy.Problem{{
		Pos:  policy.Pos{File: source},
		Text: "there is no API " + h.what,
		Hint: fmt.Sprintf("name its file in %s, set %s, or give systemd's credential %s", h.key, h.variable, h.credential),
	}}
}

// read takes the half from a file.
func (h half) read(path string, pos policy.Pos) (File, []policy.Problem) {
	data, mode, err := readUpTo(path, maxCredential+1)
	if err != nil {
		return File{Path: path}, []policy.Problem{h.unreadable(pos, err)}
	}
	problems := h.take(string(data), path, pos)
	if mode.Perm()&0o006 != 0 {
		problems = append(problems, policy.Problem{
			Pos: pos, Warning: true,
			Text: fmt.Sprintf("everybody on this machine can read or write %s (mode %04o)", path, mode.Perm()),
			Hint: "chmod 0400, or 0440 with a group of its own; in Kubernetes defaultMode: 0400",
		})
	}
	return File{Path: path, sum: sum(data)}, problems
}

// unreadable is the problem of a file that cannot be read. It names the key and
// not the path: what stands there may be the secret itself, pasted where its
// file belongs, and this goes to the log.
func (h half) unreadable(pos policy.Pos, err error) policy.Problem {
	if errors.Is(err, fs.ErrNotExist) {
		return policy.Problem{
			Pos: pos, Text: fmt.Sprintf("the file that %s names is not there", h.key),
			Hint: fmt.Sprintf("give the path of a file that holds the %s, never the %s itself; is its volume mounted?", h.what, h.what),
		}
	}
	return policy.Problem{
		Pos: pos, Text: fmt.Sprintf("read API %s: %v", h.what, reason(err)),
		Hint: fmt.Sprintf("%s takes the path of a file that this user may read", h.key),
	}
}

// take checks a value for what would only show as a puzzling 401. It says
// nothing of the value itself.
func (h half) take(value, from string, pos policy.Pos) []policy.Problem {
	value = strings.TrimRight(value, "\r\n")
	text, hint := "", "it must hold the bare "+h.what+" and nothing else"
	switch {
	case len(value) > maxCredential:
		text = fmt.Sprintf("is longer than %d KiB", maxCredential>>10)
	case strings.TrimSpace(value) == "":
		text = "is empty"
	case strings.ContainsFunc(value, func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) }):
		text = "has a blank, a line break or a control character in it"
	case h.what == "key" && strings.Contains(value, ":"):
		text = "has a colon in it, which basic authentication cannot carry"
	default:
		*h.dst = secret.New(value)
		return nil
	}
	return []policy.Problem{{Pos: pos, Text: fmt.Sprintf("the API %s of %s %s", h.what, from, text), Hint: hint}}
}

// A Salt makes the KeyIDs of one process. It is random and nowhere stored, so
// that an id says nothing to anybody who would try keys against it.
type Salt struct{ b [32]byte }

// NewSalt returns a fresh Salt. Take one when the program starts.
func NewSalt() Salt {
	var s Salt
	rand.Read(s.b[:]) // never fails: crypto/rand ends the program first
	return s
}

// KeyID returns a text that is the same as long as the endpoint and the
// credentials are, and tells nothing about them. It may be logged. It means
// nothing to another process.
func (s Salt) KeyID(endpoint string, c Credentials) string {
	h := hmac.New(sha256.New, s.b[:])
	for _, part := range []string{endpoint, c.Key.Reveal(), c.Secret.Reveal()} {
		fmt.Fprintf(h, "%d:%s", len(part), part) // lengths, so that no two triples read alike
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
