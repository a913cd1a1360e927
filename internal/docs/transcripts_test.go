package docs

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What stands on a page between these marks is made by the tests: a file of the
// page's directory, or a transcript of commands with what the program answers. The
// commands are the page's own, so that its author writes a command and reads the
// answer.
var (
	quotedFile = regexp.MustCompile("(?s)(<!-- file ([^ \n]+) -->\n).*?(<!-- /file -->)")
	transcript = regexp.MustCompile("(?s)(<!-- run( today)? -->\n```console\n)(.*?)(```\n<!-- /run -->)")
	toPicture  = regexp.MustCompile(` >([a-z-]+\.svg)$`)
)

// transcriptPages are the pages with such marks, and where their files are.
func transcriptPages() map[string]string {
	return map[string]string{
		"docs/cookbook.md":         "docs/cookbook",
		"docs/windows-and-cron.md": "internal/docs/testdata/windows",
		"docs/what-is-proved.md":   "docs/cookbook",
	}
}

// build makes the program that the pages are about.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "curfew")
	if out, err := exec.Command("go", "build", "-o", program, "curfew/cmd/curfew").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// TestProgram holds what is told of the program to the program itself, built once.
func TestProgram(t *testing.T) {
	program := build(t)
	for _, test := range []struct {
		name string
		hold func(t *testing.T, program string)
	}{
		{"Transcripts", holdTranscripts}, {"Cookbook", holdCookbook}, {"QuotaOfTheKey", holdQuotaOfTheKey},
		{"GithubActions", holdGithubActions}, {"GitlabCI", holdGitlabCI},
	} {
		t.Run(test.name, func(t *testing.T) { test.hold(t, program) })
	}
}

// holdTranscripts: each file that a page quotes is as it is quoted, and each command
// is answered as the page says.
func holdTranscripts(t *testing.T, program string) {
	for page, dir := range transcriptPages() {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text := quotedFile.ReplaceAllStringFunc(read(t, page), func(block string) string {
				m := quotedFile.FindStringSubmatch(block)
				return m[1] + quote(m[2], read(t, filepath.Join(dir, m[2]))) + m[3]
			})
			text = transcript.ReplaceAllStringFunc(text, func(block string) string {
				m := transcript.FindStringSubmatch(block)
				return m[1] + answered(t, program, dir, m[3], m[2] != "") + m[4]
			})
			if made := len(quotedFile.FindAllString(text, -1)) + len(transcript.FindAllString(text, -1)); made != marks(text) {
				t.Errorf("%s has %d marks of files and transcripts, and %d that are whole", page, marks(text), made)
			}
			hold(t, page, text)
		})
	}
}

// quote is a file as a block of code. The language is not "yaml", which stands for
// what other tests take as it is, with no file beside it.
func quote(name, text string) string {
	language := map[string]string{".yaml": "yml", ".yml": "yml"}[filepath.Ext(name)]
	return "```" + language + "\n" + strings.ReplaceAll(text, "\r\n", "\n") + "```\n"
}

func marks(page string) int {
	return strings.Count(page, "<!-- file ") + strings.Count(page, "<!-- run ")
}

// answered runs the commands of a transcript. Those that answer by the day on which
// they are asked keep their text as long as only dates and numbers differ.
func answered(t *testing.T, program, dir, text string, today bool) string {
	t.Helper()
	var b strings.Builder
	for _, part := range strings.SplitAfter(text, "\n") {
		line, isCommand := strings.CutPrefix(strings.TrimSuffix(part, "\n"), "$ curfew ")
		if !isCommand {
			continue
		}
		b.WriteString(part)
		if m := toPicture.FindStringSubmatch(line); m != nil {
			hold(t, "docs/img/"+m[1], answer(t, program, dir, strings.TrimSuffix(line, m[0])))
			continue
		}
		b.WriteString(answer(t, program, dir, line))
	}
	if b.Len() == 0 {
		t.Errorf("a transcript without a command:\n%s", text)
	}
	if today && shape(b.String()) == shape(text) {
		return text
	}
	return b.String()
}

// answer is what curfew prints for a line of arguments, on whichever stream. What
// it refuses to do at all is no example.
func answer(t *testing.T, program, dir, line string) string {
	t.Helper()
	args, err := words(line)
	if err != nil {
		t.Fatalf("curfew %s: %v", line, err)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = filepath.Join(root, dir), bareEnv()
	out, err := cmd.CombinedOutput()
	exit := new(exec.ExitError)
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Fatalf("curfew %s: %v\n%s", line, err, out)
	}
	return string(out)
}

// bareEnv has nothing in it that is about curfew, or that colours its answers.
func bareEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "NO_COLOR=1", "TERM=dumb"}
}

// words splits a line as a shell does that knows blanks and double quotes alone.
func words(line string) ([]string, error) {
	var all []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			all = append(all, part)
			continue
		}
		all = append(all, strings.Fields(part)...)
	}
	switch {
	case strings.Count(line, `"`)%2 == 1:
		return nil, errors.New("a quote is open")
	case strings.ContainsAny(line, "'|;<>&$`\\"):
		return nil, errors.New("only double quotes are understood here, and one picture behind >")
	}
	return all, nil
}

var (
	zoneData  = regexp.MustCompile(`tzdata [^\n]*`)
	weekdays  = regexp.MustCompile(`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b`)
	months    = regexp.MustCompile(`\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b`)
	anyNumber = regexp.MustCompile(`[0-9]+`)
)

// shape is a text without its dates and numbers, and without what the machine's
// zone data are called.
func shape(text string) string {
	text = zoneData.ReplaceAllString(text, "tzdata")
	text = months.ReplaceAllString(weekdays.ReplaceAllString(text, "Day"), "Month")
	return anyNumber.ReplaceAllString(text, "0")
}

// TestShape: what differs by the day has one shape, another sentence has not.
func TestShape(t *testing.T) {
	t.Parallel()
	const page = "572 starts, the first on Wed 25 Nov 2026 08:00; tzdata 2025b from /usr/share/zoneinfo\n"
	for text, same := range map[string]bool{
		"571 starts, the first on Mon 1 Mar 2027 08:00; tzdata 2026a, embedded\n":             true,
		"571 stops, the first on Mon 1 Mar 2027 08:00; tzdata 2026a, embedded\n":              false,
		"571 starts, the first on Mon 1 Mar 2027 08:00; tzdata 2026a, embedded\nand a line\n": false,
	} {
		if got := shape(text) == shape(page); got != same {
			t.Errorf("%q has the shape of %q: %v, want %v", text, page, got, same)
		}
	}
}
