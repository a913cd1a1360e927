package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	all := map[string]string{"CURFEW_CONFIG": "env.yaml", "CURFEW_CONFIG_YAML": "policies: []"}
	for _, test := range []struct {
		name, flag string
		env        map[string]string
		want, path string
	}{
		{"the flag goes first", "flag.yaml", all, "flag.yaml", "flag.yaml"},
		{"then the path in the environment", "", all, "env.yaml", "env.yaml"},
		{"then the text", "", map[string]string{"CURFEW_CONFIG": "", "CURFEW_CONFIG_YAML": "x"}, "$CURFEW_CONFIG_YAML", ""},
		{"then the usual place", "", map[string]string{"CURFEW_CONFIG_YAML": ""}, "/etc/curfew/curfew.yaml", "/etc/curfew/curfew.yaml"},
	} {
		if got := Find(test.flag, vars(test.env)); got.Name != test.want || got.Path != test.path {
			t.Errorf("%s: got %+v, want %s, path %q", test.name, got, test.want, test.path)
		}
	}
}

// TestLoadFile has paths in the file go from the file, not from the process.
func TestLoadFile(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"curfew.yaml": "ledger: c.db\napi: {key_file: ../k}\nstart: 1\npolicies: []\n"})
	path := filepath.Join(dir, "curfew.yaml")
	c, problems, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Path != path || c.Ledger != filepath.Join(dir, "c.db") || c.key.path != filepath.Join(filepath.Dir(dir), "k") {
		t.Errorf("path %s, ledger %s, key %s", c.Path, c.Ledger, c.key.path)
	}
	if len(problems) != 1 || problems[0].Pos.String() != path+":3:1" || c.Policies != nil {
		t.Errorf("problems %v, policies %v; want one problem in line 3, and no policies", problems, c.Policies)
	}
	if files := c.Files(); len(files) != 1 || files[0] != (File{Path: path, sum: sum(c.Text)}) {
		t.Errorf("files %v", files)
	}
}

func TestLoadText(t *testing.T) {
	t.Parallel()
	c, problems, err := Load("", vars(map[string]string{"CURFEW_CONFIG_YAML": "policies: 1\n"}))
	if err != nil || len(c.Files()) > 0 {
		t.Fatalf("err %v, files %v", err, c.Files())
	}
	if got := Render(problems, c.Text); !strings.HasPrefix(got, "$CURFEW_CONFIG_YAML:1:11: error: policies: want a list, got \"1\"\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "gone.yaml"): "read configuration: open " + dir + "/gone.yaml: no such file or directory (name a file with -c",
		dir:                             "read configuration: read " + dir + ": is a directory (name a file with -c",
	} {
		if _, _, err := Load(path, nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s…", err, want)
		}
	}
}

func TestLoadLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil { // a file of holes
		t.Skip("no sparse files here:", err)
	}
	c, problems, err := Load(path, nil)
	if err != nil || !Failed(problems) || len(c.Text) != MaxSize+1 {
		t.Errorf("err %v, problems %v, %d bytes read; want a problem and no more than a byte too many", err, problems, len(c.Text))
	}
}
