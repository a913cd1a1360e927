package torture

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var (
	seed    = flag.Uint64("seed", 1, "deal out the troubles by this seed")
	long    = flag.Duration("for", 20*time.Second, "let the troubles last so long, in real time")
	overlay = flag.String("overlay", "", "build the program with this overlay of the go command")
)

// insideEnv says that this process is alone with its mounts, and names the program.
const insideEnv = "CURFEW_TORTURE_PROGRAM"

// TestTorture is one run. It goes on in a process of its own that may mount a
// small disk, where the kernel lets it.
func TestTorture(t *testing.T) {
	t.Parallel()
	if program := os.Getenv(insideEnv); program != "" {
		torture(t, program)
		return
	}
	dependOnSources(t)
	out, err := apart(build(t, *overlay), "^TestTorture$")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// apart runs a test of this binary again, in namespaces of its own, or without
// them where that is not allowed.
func apart(program, test string, more ...string) (out []byte, err error) {
	args := []string{"-test.run=" + test, "-test.v", "-test.count=1"}
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "seed" || f.Name == "for" || f.Name == "test.timeout" {
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	for _, private := range []bool{true, false} {
		var b bytes.Buffer
		cmd := exec.Command(os.Args[0], append(args, more...)...)
		cmd.Env = append(os.Environ(), insideEnv+"="+program)
		cmd.Stdout, cmd.Stderr = &b, &b
		if private {
			cmd.SysProcAttr = namespaces()
		}
		if err = cmd.Start(); err == nil {
			err = cmd.Wait()
			return b.Bytes(), err
		}
	}
	return nil, err
}

// namespaces are a user's and a mount's of one's own.
func namespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
}

// newSite is a site with a disk of its own, if that can be had.
func newSite(t *testing.T, program string) *site {
	t.Helper()
	s := &site{
		dir: t.TempDir(), disk: t.TempDir(), program: program,
		dice: rand.New(rand.NewPCG(*seed, 0)), serial: map[string]*sync.Mutex{}, highest: map[string]float64{},
	}
	for _, k := range kinds() {
		s.serial[k.name] = &sync.Mutex{}
	}
	t.Cleanup(s.close)
	if err := unix.Mount("tmpfs", s.disk, "tmpfs", 0, "size=48m"); err != nil {
		t.Logf("no small disk can be mounted here, so none is full: %v", err)
		return s
	}
	s.small = true
	t.Cleanup(func() {
		s.close()
		if err := unix.Unmount(s.disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return s
}

// fairTime is how long, in the lapse, the weather is fair in the end: an edge of
// each power, and the time for what was open before.
const fairTime = 4*time.Minute + 30*time.Second

// torture lives through one run and judges it.
func torture(t *testing.T, program string) {
	s := newSite(t, program)
	span := factor**long + fairTime
	s.law = newLaw(span, 6)
	defer func() {
		if t.Failed() {
			t.Log(s.dump())
		}
	}()
	if err := s.open(span, 2); err != nil {
		t.Fatal(err)
	}
	ctx, stopSampling := context.WithCancel(t.Context())
	var sampling sync.WaitGroup
	sampling.Go(func() { s.sample(ctx) })
	troubles := deal(s.dice, time.Until(s.real(s.law.end.Add(-fairTime))), s.small)
	if err := errors.Join(s.suffer(troubles), s.calm()); err != nil {
		t.Fatal(err)
	}
	s.tell("fair weather")
	err := s.await("end", s.reached)
	stopSampling()
	sampling.Wait()
	if err != nil {
		t.Error(err)
	}
	s.conclude(t)
}

// reached is nil where the law is at its end, and every deployment is as it wants
// it, and the daemon knows.
func (s *site) reached() error {
	if left := time.Until(s.real(s.law.end)); left > 0 {
		return fmt.Errorf("the law ends in %v", left)
	}
	var state struct {
		Deployments []struct{ DeploymentID, Status string }
	}
	if err := s.sim("GET", "/_sim/state", nil, &state); err != nil {
		return err
	}
	got := map[string]string{}
	for _, d := range state.Deployments {
		got[d.DeploymentID] = d.Status
	}
	var errs []error
	for i := range s.law.rules {
		edges := s.law.edges(&s.law.rules[i])
		want := map[string]string{start: "running", stop: "stopped"}[edges[len(edges)-1].power]
		for _, id := range s.law.rules[i].ids {
			if got[id] != want {
				errs = append(errs, fmt.Errorf("not reached: %s is %s, and %s is wanted", id, got[id], want))
			}
		}
	}
	return errors.Join(append(errs, s.nothingDue())...)
}

// nothingDue is nil where the daemon that works owes nothing, and has the file as
// it was left.
func (s *site) nothingDue() error {
	for _, k := range s.daemons {
		if status, _, err := s.ask(k, "/readyz"); err != nil || status != 200 {
			continue
		}
		_, body, err := s.ask(k, "/metrics")
		switch {
		case err != nil:
			return err
		case strings.Contains(body, "\ncurfew_transition_due_since_timestamp_seconds{"):
			return fmt.Errorf("not reached: %s says that something is due", k.name)
		case !strings.Contains(body, "\ncurfew_config_last_reload_successful{account=\"default\"} 1"):
			return fmt.Errorf("not reached: %s does not say that the file in force is the last", k.name)
		}
		return nil
	}
	return s.ready()
}

// conclude ends the processes in good order and judges what they left.
func (s *site) conclude(t *testing.T) {
	metrics := map[string]string{}
	for _, k := range s.daemons {
		_, body, err := s.ask(k, "/metrics")
		if err != nil {
			t.Error(err)
		}
		metrics["the metrics of "+k.name] = body
	}
	var log []entry
	if err := s.sim("GET", "/_sim/log", nil, &log); err != nil {
		t.Fatal(err)
	}
	for _, k := range s.daemons {
		if err := k.end(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if lives := k.ended(); lives[len(lives)-1].how != "exit status 0" {
			t.Errorf("ended: %s, told to end in fair weather: %s", k.name, lives[len(lives)-1].how)
		}
	}
	if err := s.platform.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	outcomes, err := s.outcomes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := append(s.judge(log, outcomes), s.judgeSecrets(metrics)...)
	for _, text := range append(v, s.judgeGauges()...) {
		t.Error(text)
	}
	if t.Failed() {
		t.Log(posts(log))
	}
	t.Log(s.summary(len(outcomes), v))
}

// posts is the platform's log but for the looks.
func posts(log []entry) string {
	var b strings.Builder
	b.WriteString("what the platform saw, looks left out:\n")
	for _, e := range log {
		if e.Method != "get" {
			fmt.Fprintln(&b, " ", e)
		}
	}
	return b.String()
}

// summary is what a run was.
func (s *site) summary(outcomes int, v verdict) string {
	lives := 0
	for _, k := range s.daemons {
		lives += len(k.ended())
	}
	return fmt.Sprintf("seed %d: %d things happened, %d processes, %d outcomes; %s; at most %.0f goroutines, %.0f descriptors, %.0f MB; %d complaints",
		*seed, len(s.told), lives, outcomes, strings.TrimSpace(s.platform.text()[strings.LastIndex(strings.TrimSpace(s.platform.text()), "\n")+1:]),
		s.highest["go_goroutines"], s.highest["process_open_fds"], s.highest["process_resident_memory_bytes"]/1e6, len(v))
}
