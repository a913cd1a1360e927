package main

import (
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"curfew/internal/simplatform"
)

// A person is one at a terminal, with curfew init at its other end.
type person struct {
	t      *testing.T
	cmd    *exec.Cmd
	screen *os.File // the person's end: what is typed goes in, what is shown comes out
	tty    *os.File
	seen   strings.Builder
}

// sitDown starts curfew init in a directory of its own, on a terminal, with
// nothing of an account in its environment but env.
func sitDown(t *testing.T, env ...string) *person {
	t.Helper()
	screen, tty := terminalPair(t)
	cmd := exec.CommandContext(t.Context(), "curfew", "init")
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TZ=UTC"}, env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // so that ^C reaches it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &person{t: t, cmd: cmd, screen: screen, tty: tty}
}

// terminalPair opens both ends of a pseudo-terminal: see pty(7).
func terminalPair(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this machine has no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	fd := int(screen.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)); err != nil {
		t.Fatal(err)
	}
	err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 160})
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return screen, tty
}

// waitsFor reads the screen until it shows text.
func (p *person) waitsFor(text string) {
	p.t.Helper()
	b := make([]byte, 1)
	for !strings.HasSuffix(p.seen.String(), text) {
		if _, err := p.screen.Read(b); err != nil {
			p.t.Fatalf("waiting for %q: %v; the screen shows\n%s", text, err, p.seen.String())
		}
		p.seen.Write(b)
	}
}

func (p *person) types(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.screen, text); err != nil {
		p.t.Fatal(err)
	}
}

// echoes reports whether the terminal shows what is typed.
func (p *person) echoes() bool {
	p.t.Helper()
	state, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	if err != nil {
		p.t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// ends waits for the end, shows the rest of the screen, and returns the exit code.
func (p *person) ends() int {
	p.t.Helper()
	err := p.cmd.Wait()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	if !p.echoes() {
		p.t.Error("the terminal is left without echo")
	}
	p.types("end\n") // is shown: what comes before it is all that there was
	p.waitsFor("end\r\n")
	return p.cmd.ProcessState.ExitCode()
}

// platformForAsking is a simulated platform that knows the story's key.
func platformForAsking(t *testing.T) string {
	t.Helper()
	world := simplatform.New(simplatform.Config{})
	if err := world.Add(time.Now(), simplatform.Deployment{ID: "w1", Name: "dev-eu"}, simplatform.Timing{}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(simplatform.NewHandler(world, time.Now, simplatform.HandlerConfig{Key: storyKey, Secret: storySecret}))
	t.Cleanup(server.Close)
	return server.URL + "/public_api/v1"
}

// TestInitAsks: the endpoint is shown as it is typed, the key and the secret are
// not, and none of the two is in the file.
func TestInitAsks(t *testing.T) {
	t.Parallel()
	endpoint := platformForAsking(t)
	p := sitDown(t)
	p.waitsFor("Endpoint [https://cloud-intl.emqx.com/public_api/v1]: ")
	p.types(endpoint + "\n")
	p.waitsFor("API key: ")
	if p.echoes() {
		t.Error("the terminal shows what is typed, and the key is asked for")
	}
	p.types(" " + storyKey + " \n") // with blanks, as they come with a paste
	p.waitsFor("API secret: ")
	p.types(storySecret + "\n")
	if code := p.ends(); code != exitFine {
		t.Errorf("exit code %d, want 0", code)
	}
	text, err := os.ReadFile(filepath.Join(p.cmd.Dir, "curfew.yaml"))
	if err != nil || !strings.Contains(string(text), "- w1 # dev-eu") || !strings.Contains(string(text), "endpoint: "+endpoint) {
		t.Errorf("the file (%v):\n%s", err, text)
	}
	for _, s := range []string{storyKey, storySecret} {
		if strings.Contains(p.seen.String()+string(text), s) {
			t.Errorf("%q is shown, or written:\n%s\n%s", s, p.seen.String(), text)
		}
	}
	if !strings.Contains(p.seen.String(), "]: "+endpoint) {
		t.Errorf("the endpoint is not shown as it is typed:\n%s", p.seen.String())
	}
}

// TestInitAsksForTheRest: what the environment has is not asked for.
func TestInitAsksForTheRest(t *testing.T) {
	t.Parallel()
	p := sitDown(t, endpointVariable+"="+platformForAsking(t), keyVariable+"="+storyKey)
	p.waitsFor("API secret: ")
	p.types(storySecret + "\n")
	if code := p.ends(); code != exitFine || strings.Contains(p.seen.String(), "Endpoint [") || strings.Contains(p.seen.String(), "API key: ") {
		t.Errorf("exit code %d, and the screen shows\n%s", code, p.seen.String())
	}
}

// TestInitInterrupted: ^C at a question ends it, with the terminal as it was and
// without a file.
func TestInitInterrupted(t *testing.T) {
	t.Parallel()
	p := sitDown(t, endpointVariable+"="+platformForAsking(t))
	p.waitsFor("API key: ")
	p.types("half a ke\x03")
	if code := p.ends(); code != exitError || !strings.Contains(p.seen.String(), "curfew: interrupted: nothing is written") {
		t.Errorf("exit code %d, and the screen shows\n%s", code, p.seen.String())
	}
	if strings.Contains(p.seen.String(), "half a ke") {
		t.Errorf("the key is shown:\n%s", p.seen.String())
	}
	if entries, err := os.ReadDir(p.cmd.Dir); err != nil || len(entries) > 0 {
		t.Errorf("there is something in the directory: %v, %v", entries, err)
	}
}

// TestInitTerminated: so does a signal from elsewhere, though nobody presses a key.
func TestInitTerminated(t *testing.T) {
	t.Parallel()
	p := sitDown(t)
	p.waitsFor("/v1]: ")
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.ends(); code != exitError || !strings.Contains(p.seen.String(), "curfew: interrupted: nothing is written") {
		t.Errorf("exit code %d, and the screen shows\n%s", code, p.seen.String())
	}
}

// TestInitBadAnswers: what cannot be right is told at once, and never repeated.
func TestInitBadAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, endpoint, key, want string }{
		{"endpoint", "ftp://u:hunter2@example.com", "", "curfew: the endpoint is neither https nor http ("},
		{"no key", "", "", "curfew: no API key was given"},
		{"key with a blank", "", "two words", "curfew: the API key has a blank, a line break or a control character in it ("},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := sitDown(t, secretVariable+"="+storySecret)
			p.waitsFor("/v1]: ")
			p.types(c.endpoint + "\n")
			if c.endpoint == "" {
				p.waitsFor("API key: ")
				p.types(c.key + "\n")
			}
			if code := p.ends(); code != exitError || !strings.Contains(p.seen.String(), c.want) {
				t.Errorf("exit code %d, want 1 and %q; the screen shows\n%s", code, c.want, p.seen.String())
			}
			if c.key != "" && strings.Contains(p.seen.String(), c.key) {
				t.Errorf("the key is shown:\n%s", p.seen.String())
			}
		})
	}
}
