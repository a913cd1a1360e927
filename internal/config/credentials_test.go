package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"curfew/internal/secret"
	"curfew/policy"

	"github.com/google/go-cmp/cmp"
)

// write makes files in a fresh directory, readable by their owner alone, and
// returns the directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestCredentialOrder asks which place wins, for each half by itself.
func TestCredentialOrder(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"k": "file-key\n", "s": "file-secret\r\n\n", "emqx-key": "systemd-key", "emqx-secret": "systemd-secret\n"})
	const files = "api: {key_file: k, secret_file: s}\n"
	env := map[string]string{envKey: "env-key", envSecret: "env-secret"}
	systemd := map[string]string{"CREDENTIALS_DIRECTORY": dir}
	both := map[string]string{envSecret: "env-secret\n", "CREDENTIALS_DIRECTORY": dir}
	for _, test := range []struct {
		name, api   string
		env         map[string]string
		key, secret string
		files       string
	}{
		{"files", files, nil, "file-key", "file-secret", "k s"},
		{"files go before the environment", files, env, "file-key", "file-secret", "k s"},
		{"environment", "", env, "env-key", "env-secret", ""},
		{"systemd", "", systemd, "systemd-key", "systemd-secret", "emqx-key emqx-secret"},
		{"environment goes before systemd", "", both, "systemd-key", "env-secret", "emqx-key"},
		{"a half each", "api: {key_file: k}\n", env, "file-key", "env-secret", "k"},
	} {
		c := parse(t, test.api+"policies: []\n", Env{Dir: dir})
		creds, problems := c.Credentials(vars(test.env))
		var names []string
		for _, f := range creds.Files() {
			names = append(names, filepath.Base(f.Path))
		}
		got := fmt.Sprintln(creds.Key.Reveal(), creds.Secret.Reveal(), names, problems)
		if want := fmt.Sprintln(test.key, test.secret, "["+test.files+"]", "[]"); got != want {
			t.Errorf("%s: got %s, want %s", test.name, got, want)
		}
	}
}

// TestBadCredentials asks for the first line of each problem, and that none of
// them says what it is about.
func TestBadCredentials(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"good": "hunter2", "empty": "\n", "colon": "hunter2:hunter2", "lines": "hunter2\nhunter2\n", "blank": "hunter2 hunter2",
		"long": strings.Repeat("hunter2", 1000),
	})
	for _, test := range []struct{ name, api, want string }{
		{"none at all", "", "curfew.yaml: there is no API key|curfew.yaml: there is no API secret"},
		{"one of two", "key_file: good", "curfew.yaml: there is no API secret"},
		{"empty files", "key_file: empty, secret_file: empty", "curfew.yaml:1:17: the API key of DIR/empty is empty|curfew.yaml:1:37: the API secret of DIR/empty is empty"},
		{"not there", "key_file: gone, secret_file: good", "curfew.yaml:1:17: the file that api.key_file names is not there"},
		{"the secret itself", "key_file: good, secret_file: hunter2", "curfew.yaml:1:36: the file that api.secret_file names is not there"},
		{"the secret itself, a long one", "key_file: good, secret_file: " + strings.Repeat("hunter2", 40), "curfew.yaml:1:36: read API secret: file name too long"},
		{"a directory", "key_file: ., secret_file: good", "curfew.yaml:1:17: read API key: is a directory"},
		{"key and secret in one", "key_file: colon, secret_file: colon", "curfew.yaml:1:17: the API key of DIR/colon has a colon in it, which basic authentication cannot carry"},
		{"two lines", "key_file: good, secret_file: lines", "curfew.yaml:1:36: the API secret of DIR/lines has a blank, a line break or a control character in it"},
		{"blank", "key_file: blank, secret_file: good", "curfew.yaml:1:17: the API key of DIR/blank has a blank, a line break or a control character in it"},
		{"another file", "key_file: long, secret_file: good", "curfew.yaml:1:17: the API key of DIR/long is longer than 4 KiB"},
	} {
		c := parse(t, "api: {"+test.api+"}\npolicies: []\n", Env{Dir: dir})
		_, problems := c.Credentials(nil)
		var got []string
		for _, p := range problems {
			got = append(got, strings.ReplaceAll(p.Pos.String()+": "+p.Text, dir, "DIR"))
			if p.Hint == "" || p.Warning {
				t.Errorf("%s: no hint, or only a warning: %v", test.name, p)
			}
		}
		if diff := cmp.Diff(strings.Split(test.want, "|"), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if out := Render(problems, c.Text); strings.Contains(out, "hunter2") {
			t.Errorf("%s: a secret is shown:\n%s", test.name, out)
		}
	}
}

// TestOpenFile warns of a secret that everybody can read, and uses it.
func TestOpenFile(t *testing.T) {
	t.Parallel()
	for mode, warned := range map[os.FileMode]bool{0o400: false, 0o440: false, 0o660: false, 0o644: true, 0o602: true} {
		dir := write(t, map[string]string{"k": "key", "s": "hunter2"})
		if err := os.Chmod(filepath.Join(dir, "s"), mode); err != nil {
			t.Fatal(err)
		}
		c := parse(t, "api: {key_file: k, secret_file: s}\npolicies: []\n", Env{Dir: dir})
		creds, problems := c.Credentials(nil)
		if warned != (len(problems) == 1) || Failed(problems) || creds.Secret.Reveal() != "hunter2" {
			t.Errorf("mode %o: problems %v, secret read: %v; want a warning: %v", mode, problems, !creds.Secret.Empty(), warned)
		}
	}
}

// TestCredentialsPrint prints what holds secrets, and their sums, in every way.
func TestCredentialsPrint(t *testing.T) {
	t.Parallel()
	file := File{Path: "/run/key", sum: sum([]byte("hunter2"))}
	creds := Credentials{Key: secret.New("AKID"), Secret: secret.New("hunter2"), files: []File{file}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(verb, creds); got != "[redacted]" {
			t.Errorf("%s of credentials is %s", verb, got)
		}
		if got := fmt.Sprintf(verb, file); got != "/run/key" {
			t.Errorf("%s of a file is %s", verb, got)
		}
	}
}

func TestKeyID(t *testing.T) {
	t.Parallel()
	creds := func(key, sec string) Credentials { return Credentials{Key: secret.New(key), Secret: secret.New(sec)} }
	salt := NewSalt()
	id := salt.KeyID("https://a", creds("k", "s"))
	if again := salt.KeyID("https://a", creds("k", "s")); again != id || len(id) != 16 {
		t.Errorf("the same twice: %q and %q, want one text of 16 digits", id, again)
	}
	for what, other := range map[string]string{
		"another endpoint":    salt.KeyID("https://b", creds("k", "s")),
		"another key":         salt.KeyID("https://a", creds("l", "s")),
		"another secret":      salt.KeyID("https://a", creds("k", "t")),
		"the border moved":    salt.KeyID("https://a", creds("ks", "")),
		"another process":     NewSalt().KeyID("https://a", creds("k", "s")),
		"the parts' own text": salt.KeyID("https://a1:k", creds("", "s")),
	} {
		if other == id {
			t.Errorf("%s has the same id", what)
		}
	}
}

// TestParseReadsNoKey parses a file whose keys are not there: that is a matter
// for whoever makes calls.
func TestParseReadsNoKey(t *testing.T) {
	t.Parallel()
	c := parse(t, "api: {key_file: /nowhere/key, secret_file: /nowhere/secret}\npolicies: []\n", Env{})
	creds, problems := c.Credentials(nil)
	if !Failed(problems) || len(creds.Files()) != 2 {
		t.Errorf("problems %v, files %v; want two errors, and both files to wait for", problems, creds.Files())
	}
	if got, want := problems[0].Pos, (policy.Pos{File: "curfew.yaml", Line: 1, Col: 17}); got != want {
		t.Errorf("at %v, want %v", got, want)
	}
}
