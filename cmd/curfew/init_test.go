package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"curfew/apiclient"
	"curfew/internal/config"
	"curfew/policy"
)

// kitFirst is a first file with something of everything.
func kitFirst() firstFile {
	return firstFile{
		endpoint: "https://cloud-intl.emqx.com/public_api/v1", zone: "Europe/Berlin", zoneFrom: "/etc/timezone", listed: true,
		deployments: nameable([]apiclient.Deployment{
			{ID: "w41b11c0", Name: "dev-eu", Status: "running", Type: "dedicated", Platform: "aws", Region: "eu-central-1"},
			{ID: "b1f77113", Name: "dev-us", Status: "stopped", Type: "dedicated", Platform: "gcp", Region: "us-east1"},
			{ID: "b7d0c1e2", Name: "prod-eu", Status: "running"},
			{ID: "null", Name: "bridge (live)", Status: "running", Platform: "azure"},
			{ID: "s3c0'#", Name: "staging", Status: "pending"},
		}),
	}
}

var (
	commented = regexp.MustCompile(`(?m)^( *)# ( *(?:- |[a-z_]+:).*)$`)
	inForce   = regexp.MustCompile(`(?m)^policies: \[\]$`)
)

// takenIn is a first file, or a part of one, in which a person took the examples
// in.
func takenIn(text string) string {
	return commented.ReplaceAllString(text, "$1$2")
}

// readBack is what a first file says. There must be nothing wrong with it.
func readBack(t *testing.T, text string) *config.Config {
	t.Helper()
	file, problems := config.Parse("curfew.yaml", []byte(text), config.Env{})
	if len(problems) > 0 {
		t.Fatalf("%s\nin\n%s", config.Render(problems, file.Text), text)
	}
	return file
}

func textOf(t *testing.T, f firstFile) string {
	t.Helper()
	text, err := f.text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestFirstFile holds the file, and the one with all that it suggests, against
// testdata: package config's tests hold both against the schema. After a change,
// CURFEW_UPDATE=1 writes them anew; read the difference.
func TestFirstFile(t *testing.T) {
	t.Parallel()
	first := textOf(t, kitFirst())
	all := inForce.ReplaceAllString(takenIn(first), "policies:")
	for name, text := range map[string]string{"testdata/init.yaml": first, "testdata/init-taken-in.yaml": all} {
		if os.Getenv("CURFEW_UPDATE") != "" {
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		readBack(t, text)
	}
}

// TestFirstFileStopsNothing: no policy is in force before a person acts, whatever
// the account has.
func TestFirstFileStopsNothing(t *testing.T) {
	t.Parallel()
	unlisted, empty, onlyProduction := kitFirst(), kitFirst(), kitFirst()
	unlisted.listed, unlisted.deployments = false, nil
	empty.deployments = nil
	onlyProduction.deployments = onlyProduction.deployments[3:4]
	for name, f := range map[string]firstFile{"kit": kitFirst(), "unlisted": unlisted, "empty": empty, "production": onlyProduction} {
		text := textOf(t, f)
		if file := readBack(t, text); len(file.Policies.Policies) != 0 || len(file.Protect) != 0 {
			t.Errorf("%s: %d policies are in force", name, len(file.Policies.Policies))
		}
		if all := readBack(t, inForce.ReplaceAllString(takenIn(text), "policies:")); len(all.Policies.Policies) != 2 {
			t.Errorf("%s: %d policies with all examples taken in, want 2", name, len(all.Policies.Policies))
		}
	}
}

// TestFirstFileExamples takes each example in, alone.
func TestFirstFileExamples(t *testing.T) {
	t.Parallel()
	text := textOf(t, kitFirst())
	blocks, taken := strings.Split(text, "\n\n"), 0
	for i, block := range blocks {
		one := takenIn(block)
		if one == block {
			continue
		}
		taken++
		with := slices.Clone(blocks)
		with[i] = one
		changed := strings.Join(with, "\n\n")
		if strings.Contains(one, "- name:") {
			changed = inForce.ReplaceAllString(changed, "policies:")
		}
		if file := readBack(t, changed); strings.Contains(one, "- name:") != (len(file.Policies.Policies) == 1) {
			t.Errorf("%d policies with this one taken in:\n%s", len(file.Policies.Policies), one)
		}
	}
	if taken != 5 {
		t.Errorf("there are %d examples, want 5: key files, protect, two policies, prices", taken)
	}
}

// membersOf are the deployments that the examples of a first file name.
func membersOf(t *testing.T, text string) (protected, stopped []string) {
	t.Helper()
	file := readBack(t, inForce.ReplaceAllString(takenIn(text), "policies:"))
	for _, p := range file.Protect {
		protected = append(protected, p.Text)
	}
	for _, p := range file.Policies.Policies {
		for _, m := range p.Members() {
			stopped = append(stopped, string(m.ID))
		}
	}
	return protected, stopped
}

// TestFirstFileSuggestions: what looks like production is protected and in no
// policy, everything else is in one.
func TestFirstFileSuggestions(t *testing.T) {
	t.Parallel()
	protected, stopped := membersOf(t, textOf(t, kitFirst()))
	if diff := cmp.Diff([]string{"prod*", "null", "b7d0c1e2"}, protected); diff != "" {
		t.Errorf("protected (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"w41b11c0", "b1f77113", "s3c0'#"}, stopped); diff != "" {
		t.Errorf("in a policy (-want +got):\n%s", diff)
	}
	for name, want := range map[string]bool{
		"prod": true, "Prod-EU": true, "eu-prod": true, "production": true, "eu_prd_1": true, "live": true, "products": true,
		"dev": false, "reproduction-rig": false, "deliver": false, "olive-test": false, "": false,
	} {
		if production(name) != want {
			t.Errorf("%q looks like production: %v, want %v", name, !want, want)
		}
	}
}

// FuzzFirstFile: whatever a deployment is called, the file says the same, and the
// examples name its id and nothing else.
func FuzzFirstFile(f *testing.F) {
	for _, s := range []string{
		"dev", "a\npolicies:\n  - name: x", "a # b", "\u202eprod", "a\r- w9", "\u2028timezone: UTC", "\x85x: 1", "\x00\x1b[2J",
		"\xff\xfe", strings.Repeat("long ", 100), "{", "'", `"`, "\ufeff", "prod\n- w9", " ", "",
	} {
		f.Add("w1", s, "running", "eu")
		f.Add(s, "dev", s, s)
	}
	want := membersWant()
	f.Fuzz(func(t *testing.T, id, name, status, region string) {
		first := kitFirst()
		first.zone = "UTC" // which is not on the disk, so that the fuzzer is fast
		first.deployments = nameable([]apiclient.Deployment{
			{ID: "w0", Name: "dev", Status: "running"},
			{ID: id, Name: name, Status: status, Type: status, Platform: region, Region: region},
		})
		text := textOf(t, first)
		if got := saysWhat(readBack(t, text)); got != want {
			t.Fatalf("the file says\n%s, want\n%s", got, want)
		}
		protected, stopped := membersOf(t, text)
		for _, d := range first.deployments {
			in, out := stopped, protected
			if production(d.Name) {
				in, out = protected, stopped
			}
			if !slices.Contains(in, d.ID) || slices.Contains(out, d.ID) {
				t.Fatalf("%q, called %q: protected %q, in a policy %q", d.ID, d.Name, protected, stopped)
			}
		}
		if n := len(protected) + len(stopped); n != len(first.deployments)+1 { // and prod*
			t.Fatalf("%d deployments, and the examples name %d: %q, %q", len(first.deployments), n-1, protected, stopped)
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Fatalf("byte %d of the file cannot be seen: %q", i, text)
		}
	})
}

func membersWant() string {
	f := kitFirst()
	f.zone, f.deployments = "UTC", nil
	text, err := f.text()
	if err != nil {
		panic(err)
	}
	file, _ := config.Parse("curfew.yaml", []byte(text), config.Env{})
	return saysWhat(file)
}

// saysWhat is what a file says, as far as curfew init has to do with it.
func saysWhat(c *config.Config) string {
	return fmt.Sprintln(c.Name, c.Endpoint, c.Quotas, c.Ledger, c.Listen, c.ObserveEvery, c.Timezone, c.DryRun, c.TrustClock,
		c.PerDeployment, c.ObserveList, len(c.Calendars), len(c.Protect), c.Prices.Currency(), len(c.Policies.Policies))
}

// TestFirstFileEndpoint: an endpoint with signs that YAML knows stays what it is.
func TestFirstFileEndpoint(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{
		"http://127.0.0.1:1/v1", "https://[::1]:8443/a", "https://h.example/a:", `https://h.example/"q'`, "https://h.example/\u2028timezone:UTC",
		"https://h.example/{a}", "https://h.example/日本",
	} {
		f := kitFirst()
		f.endpoint = endpoint
		if got := readBack(t, textOf(t, f)).Endpoint; got != endpoint {
			t.Errorf("endpoint %q is read back as %q", endpoint, got)
		}
	}
}

// TestNameable: an id that no file can name, or that is there twice, is left out.
func TestNameable(t *testing.T) {
	t.Parallel()
	var all []apiclient.Deployment
	for _, id := range []string{"b", "a", "b", "", ".", "..", "a/b", "a b", "é", "a\nb", strings.Repeat("x", 129), "c"} {
		all = append(all, apiclient.Deployment{ID: id})
	}
	var got []string
	for _, d := range nameable(all) {
		got = append(got, d.ID)
		if _, problems := policy.Compile([]policy.Spec{{Name: "p", Zone: "", Deployments: []policy.Member{{ID: policy.DeploymentID(d.ID)}}}}, policy.Env{}); len(problems) != 1 { // that there are no times
			t.Errorf("%q is no id for a policy: %v", d.ID, problems)
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMachineZone: the first place that names a zone of the database counts.
func TestMachineZone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ tz, timezone, localtime, zone, from string }{
		{"Asia/Kolkata", "Europe/Berlin\n", "/usr/share/zoneinfo/UTC", "Asia/Kolkata", "$TZ"},
		{":Asia/Kolkata", "", "", "Asia/Kolkata", "$TZ"},
		{":/usr/share/zoneinfo/posix/Asia/Kolkata", "", "", "Asia/Kolkata", "$TZ"},
		{"CET-1CEST", "Europe/Berlin\n", "", "Europe/Berlin", "/etc/timezone"},
		{"", "Europe/Berlin\n", "../usr/share/zoneinfo/Asia/Kolkata", "Europe/Berlin", "/etc/timezone"},
		{"", "", "../usr/share/zoneinfo/Asia/Kolkata", "Asia/Kolkata", "/etc/localtime"},
		{"", "Local\n", "/nix/store/x-tzdata/share/zoneinfo/America/New_York", "America/New_York", "/etc/localtime"},
		{"", "Nowhere/At/All\n", "somewhere else", "UTC", ""},
		{"../../etc/passwd", "UTC # x: 1\n", "", "UTC", ""},
		{"", "", "", "UTC", ""},
	} {
		root := t.TempDir()
		if err := os.Mkdir(filepath.Join(root, "etc"), 0o700); err != nil {
			t.Fatal(err)
		}
		var err error
		if c.timezone != "" {
			err = os.WriteFile(filepath.Join(root, "etc/timezone"), []byte(c.timezone), 0o600)
		}
		if c.localtime != "" {
			err = errors.Join(err, os.Symlink(c.localtime, filepath.Join(root, "etc/localtime")))
		}
		if err != nil {
			t.Fatal(err)
		}
		zone, from := machineZone(func(name string) (string, bool) { return c.tz, name == "TZ" }, root)
		if zone != c.zone || from != c.from {
			t.Errorf("TZ %q, timezone %q, localtime %q: %s by %q, want %s by %q", c.tz, c.timezone, c.localtime, zone, from, c.zone, c.from)
		}
	}
}

// TestInitWrites: a new file is whole and may be read by all; one that came
// meanwhile stays; --force goes where a link leads. Nothing else is left behind.
func TestInitWrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "curfew.yaml")
	if err := (initOptions{path: path}).write("one\n"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v; want 0644", info.Mode(), err)
	}
	if err := (initOptions{path: path}).write("two\n"); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("writing over a file: %v", err)
	}
	holds(t, path, "one\n")
	link := filepath.Join(dir, "link.yaml")
	if err := os.Symlink("curfew.yaml", link); err != nil {
		t.Fatal(err)
	}
	if err := (initOptions{path: link}).write("two\n"); err == nil {
		t.Error("a link is taken for nothing")
	}
	if err := (initOptions{path: link, force: true}).write("three\n"); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "three\n")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q, want %q (%v)", path, got, want, err)
	}
}

// TestShellWord: what is printed can be typed.
func TestShellWord(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"curfew.yaml": "curfew.yaml", "/etc/curfew/a-b_1.yaml": "/etc/curfew/a-b_1.yaml", "my file": "'my file'", "it's": `'it'\''s'`, "$HOME": "'$HOME'",
	} {
		if got := shellWord(path); got != want {
			t.Errorf("%q is typed as %s, want %s", path, got, want)
		}
	}
}
