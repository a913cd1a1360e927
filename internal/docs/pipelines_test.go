package docs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/internal/needtool"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// A workflow is what is read of docs/cookbook/github-actions.yml.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct{ Steps []step }
}

type step struct {
	Name, Uses, Run, If string
	With                map[string]any
	Env                 map[string]string
}

// A gitlabJob is what is read of docs/cookbook/gitlab-ci.yml.
type gitlabJob struct {
	Variables map[string]string
	Script    []string
	Artifacts struct{ Paths []string }
}

// parsed reads a file of the cookbook as YAML.
func parsed[T any](t *testing.T, name string) T {
	t.Helper()
	var v T
	if err := yaml.Unmarshal([]byte(read(t, "docs/cookbook/"+name)), &v); err != nil {
		t.Fatalf("docs/cookbook/%s: %v", name, err)
	}
	return v
}

// atNoon is a zone in which it is about noon now: no call of the day is so near
// that a test would see another difference a minute later.
func atNoon() string {
	ahead := 12 - time.Now().UTC().Hour() // of UTC
	return fmt.Sprintf("Etc/GMT%+d", -ahead)
}

// deployment is all that the account has.
const deployment = `[{"deploymentID": "w41b11c0", "deploymentName": "dev-eu"}]`

// officeHours is a policy in a zone that stops at a time.
func officeHours(zone, stop string) string {
	return fmt.Sprintf("timezone: %s\npolicies:\n  - name: office-hours\n    deployments: [w41b11c0]\n    running: Mon-Fri 08:00-%s\n", zone, stop)
}

// A change is a repository in which somebody asks for one: the work tree is the
// merge that a pull request would make, as GitHub checks it out.
type change struct {
	dir  string
	base string // the commit at which the branch began
	env  []string
}

// newChange makes that repository by the real git. An empty text is no file.
func newChange(t *testing.T, before, after string) *change {
	t.Helper()
	needtool.Path(t, "curl", "curl")
	c := &change{dir: t.TempDir()}
	home := t.TempDir()
	c.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "NO_COLOR=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
	}
	c.git(t, "init", "-q", "-b", "main")
	c.write(t, "deployments.json", deployment)
	c.write(t, "curfew.yaml", before)
	c.git(t, "add", ".")
	c.git(t, "commit", "-q", "-m", "before")
	c.base = strings.TrimSpace(c.git(t, "rev-parse", "HEAD"))
	c.git(t, "checkout", "-q", "-b", "change")
	c.write(t, "curfew.yaml", after)
	c.git(t, "add", ".")
	c.git(t, "commit", "-q", "--allow-empty", "-m", "after")
	c.git(t, "checkout", "-q", "main")
	c.git(t, "commit", "-q", "--allow-empty", "-m", "meanwhile, on main")
	c.git(t, "merge", "-q", "--no-ff", "--no-edit", "change")
	return c
}

func (c *change) write(t *testing.T, name, text string) {
	t.Helper()
	if text == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (c *change) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// shell runs lines as a runner does, and returns what they print and how they end.
func (c *change) shell(t *testing.T, lines string, env ...string) (out string, code int) {
	t.Helper()
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-e", script)
	cmd.Dir, cmd.Env = c.dir, append(slices.Clone(c.env), env...)
	text, err := cmd.CombinedOutput()
	exit := new(exec.ExitError)
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("bash: %v", err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// fetched are the variables by which a pipeline gets the program.
func fetched(t *testing.T, program string) []string {
	t.Helper()
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"CURFEW_URL=file://" + program, fmt.Sprintf("CURFEW_SHA256=%x", sha256.Sum256(text))}
}

// comment is what the pipeline has written for the pull request.
func (c *change) comment(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, "comment.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// moved is the comment on a stop that goes from 20:00 to 19:00.
func moved(zone, before string) string {
	return fmt.Sprintf("### curfew: `%s` → `curfew.yaml`\n\n"+
		"**286 calls moved, 0 added, 0 removed**\n\nThese are calls from Tue 24 Nov 2026 12:00 to Wed 29 Dec 2027 12:00, %s.\n\n"+
		"| policy | deployments | change | call | when | times | line |\n|---|---|---|---|---|---:|---|\n"+
		"| `office-hours`<br>times in %[2]s | `w41b11c0` | moved | stop | Mon-Fri **20:00 → 19:00**, from Tue 24 Nov | 286 | line 5 |\n",
		before, zone)
}

// A github runs the steps of the workflow on a change, one after the other.
type github struct {
	*change
	path, summary, calls string // files
	env                  []string
	ran                  map[string]int // exit codes by the names of the steps
	said                 string
}

// newGithub has a gh beside it that takes down what it is called with, and lists
// one comment where there is one.
func newGithub(t *testing.T, program string, c *change, comment string) *github {
	t.Helper()
	dir := t.TempDir()
	g := &github{
		change: c, path: filepath.Join(dir, "path"), summary: filepath.Join(dir, "summary"), calls: filepath.Join(dir, "calls"),
		ran: map[string]int{},
	}
	fake := "#!/bin/sh\nprintf '%s\\n' \"$*\" >>" + g.calls + "\ncase \"$*\" in *--paginate*) echo " + comment + ";; esac\n"
	if err := os.WriteFile(filepath.Join(dir, "gh"), []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	g.env = append(fetched(t, program), "PATH="+dir+":"+os.Getenv("PATH"), "RUNNER_TEMP="+dir, "GITHUB_PATH="+g.path,
		"GITHUB_STEP_SUMMARY="+g.summary, "GITHUB_REPOSITORY=acme/brokers", "PR=7", "GH_TOKEN=t")
	return g
}

// run goes on until a step fails. What a step adds to the path is there for those
// behind it.
func (g *github) run(t *testing.T, steps []step) {
	t.Helper()
	for _, s := range steps {
		if s.Run == "" {
			continue
		}
		env := g.env
		if added, err := os.ReadFile(g.path); err == nil {
			env = append(env, "PATH="+strings.TrimSpace(string(added))+":"+os.Getenv("PATH"))
		}
		out, code := g.shell(t, s.Run, env...)
		g.said += out
		if g.ran[s.Name] = code; code != 0 {
			return
		}
	}
}

// steps are those of the only job.
func (w workflow) steps(t *testing.T) []step {
	t.Helper()
	if len(w.Jobs) != 1 {
		t.Fatalf("the workflow has %d jobs, want 1", len(w.Jobs))
	}
	for _, job := range w.Jobs {
		return job.Steps
	}
	return nil
}

// holdGithubActions runs the workflow's own lines.
func holdGithubActions(t *testing.T, program string) {
	steps := parsed[workflow](t, "github-actions.yml").steps(t)
	zone := atNoon()
	eight, seven := officeHours(zone, "20:00"), officeHours(zone, "19:00")
	wrong := strings.ReplaceAll(eight, "w41b11c0", "w41b11c1")
	const listing = "api --paginate repos/acme/brokers/issues/7/comments --jq"
	for _, test := range []struct {
		name, before, after, comment string
		ran                          map[string]int
		want                         string // in the comment; empty: there is none
		called                       string // how it was sent
		said                         string
	}{
		{
			name: "a stop moves", before: eight, after: seven,
			ran: map[string]int{"Fetch curfew": 0, "Check": 0, "Compare": 0, "Comment": 0}, want: moved(zone, "HEAD^1:curfew.yaml"),
			called: "api --silent --method POST repos/acme/brokers/issues/7/comments --field body=@comment.md",
		},
		{
			name: "it moves back", before: eight, after: eight, comment: "4711",
			ran:    map[string]int{"Fetch curfew": 0, "Check": 0, "Compare": 0, "Comment": 0},
			want:   "### curfew: `HEAD^1:curfew.yaml` → `curfew.yaml`\n\n**no call and no setting differs**\n\n",
			called: "api --silent --method PATCH repos/acme/brokers/issues/comments/4711 --field body=@comment.md",
		},
		{
			name: "an id is wrong", before: eight, after: wrong,
			ran: map[string]int{"Fetch curfew": 0, "Check": 1}, said: "::error file=curfew.yaml,line=4,col=19::",
		},
		{
			name: "the file is new", after: eight,
			ran: map[string]int{"Fetch curfew": 0, "Check": 0, "Compare": 1}, said: "read HEAD^1:curfew.yaml: git: ",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGithub(t, program, newChange(t, test.before, test.after), test.comment)
			g.run(t, steps)
			if diff := cmp.Diff(g.ran, test.ran); diff != "" {
				t.Fatalf("exit codes of the steps: got (-), want (+)\n%s%s", diff, g.said)
			}
			if !strings.Contains(g.said, test.said) {
				t.Errorf("the log lacks %q:\n%s", test.said, g.said)
			}
			if test.want != "" {
				g.holdComment(t, test.want, listing, test.called)
			}
		})
	}
}

// holdComment compares what was written and how it was sent.
func (g *github) holdComment(t *testing.T, want, listing, called string) {
	t.Helper()
	if got := g.comment(t); !strings.HasPrefix(shape(got), shape(want)) {
		t.Errorf("the comment, but for dates and numbers (-), and what it should be (+):\n%s", cmp.Diff(shape(got), shape(want)))
	}
	summary, err := os.ReadFile(g.summary)
	if err != nil || string(summary) != g.comment(t) {
		t.Errorf("the summary is %q (%v), want the comment", summary, err)
	}
	calls, err := os.ReadFile(g.calls)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(calls)), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], listing) || lines[1] != called {
		t.Errorf("gh was called with\n%s\nwant\n%s …\n%s", calls, listing, called)
	}
}

var (
	pinned = regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40}$`)
	jq     = regexp.MustCompile(`--jq '([^']+)'`)
)

// TestGithubRights: the workflow may do what it needs and no more, nobody can
// move what it uses, and a fork's change gets no comment by the token of this
// repository.
func TestGithubRights(t *testing.T) {
	t.Parallel()
	w := parsed[workflow](t, "github-actions.yml")
	if diff := cmp.Diff(w.Permissions, map[string]string{"contents": "read", "pull-requests": "write"}); diff != "" {
		t.Errorf("permissions (-), want (+):\n%s", diff)
	}
	for _, s := range w.steps(t) {
		switch {
		case s.Uses != "" && !pinned.MatchString(s.Uses):
			t.Errorf("%s is not pinned by its commit", s.Uses)
		case s.Uses != "" && (s.With["persist-credentials"] != false || s.With["fetch-depth"] != 2):
			t.Errorf("%s: with %v, want two commits and no token left behind", s.Uses, s.With)
		case strings.Contains(s.Run, "${{"):
			t.Errorf("step %q has an expression in its lines: put it into env, where nobody's text becomes a command", s.Name)
		case s.Name == "Comment" && s.If != "github.event.pull_request.head.repo.full_name == github.repository":
			t.Errorf("the comment is made if %q", s.If)
		}
	}
}

// TestGithubFindsItsComment: of all comments on a pull request, the workflow
// edits its own.
func TestGithubFindsItsComment(t *testing.T) {
	t.Parallel()
	program := needtool.Path(t, "jq", "jq")
	m := jq.FindStringSubmatch(read(t, "docs/cookbook/github-actions.yml"))
	if m == nil {
		t.Fatal("the workflow has no --jq")
	}
	cmd := exec.Command(program, "-r", m[1])
	cmd.Stdin = strings.NewReader(`[
		{"id": 1, "user": {"type": "User"}, "body": "### curfew: is that right?"},
		{"id": 2, "user": {"type": "Bot"}, "body": "coverage 80 %"},
		{"id": 3, "user": {"type": "Bot"}, "body": "### curfew: ` + "`a` → `b`" + `"}]`)
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "3\n" {
		t.Errorf("jq answers %q (%v), want 3", out, err)
	}
}

// A notes is GitLab's API, as far as a note needs it.
type notes struct {
	path, token, body string
	n                 int
}

func (n *notes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	*n = notes{r.Method + " " + r.URL.Path, r.Header.Get("PRIVATE-TOKEN"), r.PostForm.Get("body"), n.n + 1}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, "{}")
}

// holdGitlabCI runs the job's own lines.
func holdGitlabCI(t *testing.T, program string) {
	job := parsed[map[string]gitlabJob](t, "gitlab-ci.yml")["curfew"]
	if diff := cmp.Diff(job.Artifacts.Paths, []string{"comment.md"}); diff != "" || job.Variables["GIT_DEPTH"] != "0" {
		t.Errorf("artifacts (-), want (+):\n%s\ndepth %q, want 0", diff, job.Variables["GIT_DEPTH"])
	}
	zone := atNoon()
	eight, seven := officeHours(zone, "20:00"), officeHours(zone, "19:00")
	for _, test := range []struct {
		name, after, token string
		code               int
		said               string
	}{
		{"a stop moves", seven, "secret", 0, ""},
		{"nobody may write notes", seven, "", 0, ""},
		{"nothing differs", eight, "secret", 0, ""},
		{"an id is wrong", strings.ReplaceAll(eight, "w41b11c0", "w41b11c1"), "secret", 1, `curfew.yaml:4:19: error: `},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, api := newChange(t, eight, test.after), &notes{}
			server := httptest.NewServer(api)
			defer server.Close()
			env := append(fetched(t, program), "CI_MERGE_REQUEST_DIFF_BASE_SHA="+c.base, "CURFEW_NOTE_TOKEN="+test.token,
				"CI_API_V4_URL="+server.URL+"/api/v4", "CI_MERGE_REQUEST_PROJECT_ID=12", "CI_MERGE_REQUEST_IID=7", "TMPDIR="+t.TempDir())
			out, code := c.shell(t, strings.Join(job.Script, "\n"), env...)
			if code != test.code || !strings.Contains(out, test.said) {
				t.Fatalf("exit code %d, want %d, with %q:\n%s", code, test.code, test.said, out)
			}
			if test.code != 0 || test.token == "" {
				if api.n != 0 {
					t.Errorf("%d notes were sent, want none", api.n)
				}
				return
			}
			c.holdNote(t, api, test.after == seven, zone)
		})
	}
}

// holdNote compares the note with the comment that is kept, and that with what
// was changed.
func (c *change) holdNote(t *testing.T, api *notes, differs bool, zone string) {
	t.Helper()
	want := notes{"POST /api/v4/projects/12/merge_requests/7/notes", "secret", c.comment(t), 1}
	if diff := cmp.Diff(*api, want, cmp.AllowUnexported(notes{})); diff != "" {
		t.Errorf("the note that was sent (-), want (+):\n%s", diff)
	}
	if is := shape(api.body) == shape(moved(zone, c.base+":curfew.yaml")); is != differs {
		t.Errorf("the note says that the stop moved: %v, want %v\n%s", is, differs, api.body)
	}
}
