package torture

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A keeper keeps one process up, as systemd or Kubernetes would: when it ends it
// is started again.
type keeper struct {
	name    string
	command func() *exec.Cmd
	out     *os.File // of all its processes, one behind the other

	mu      sync.Mutex
	process *os.Process
	began   time.Time
	sent    map[syscall.Signal]bool // to the process that runs
	done    bool                    // it is not to be started again
	lives   []life
	left    chan struct{} // closed when the last process has ended
}

// A life is one process from its start to its end.
type life struct {
	pid         int
	began, over time.Time
	how         string // "exit status 1", "signal: killed"
	sent        map[syscall.Signal]bool
}

// respawn is the pause before a process is started again.
const respawn = 100 * time.Millisecond

// keep starts it, and goes on doing so.
func keep(name, out string, command func() *exec.Cmd) (*keeper, error) {
	f, err := os.OpenFile(out, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	k := &keeper{name: name, command: command, out: f, left: make(chan struct{})}
	cmd, err := k.start()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	go func() {
		defer close(k.left)
		defer f.Close()
		for cmd != nil {
			k.wait(cmd)
			time.Sleep(respawn)
			if cmd, err = k.start(); err != nil {
				fmt.Fprintln(f, "torture: start it again:", err)
			}
		}
	}()
	return k, nil
}

// start starts a process, nil where none is to be.
func (k *keeper) start() (*exec.Cmd, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done {
		return nil, nil
	}
	cmd := k.command()
	cmd.Stderr = k.out
	if cmd.Stdout == nil {
		cmd.Stdout = k.out
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	k.process, k.began, k.sent = cmd.Process, time.Now(), map[syscall.Signal]bool{}
	return cmd, nil
}

// wait waits for the end of a process and takes it down.
func (k *keeper) wait(cmd *exec.Cmd) {
	_ = cmd.Wait() // how it ended is in its state
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lives = append(k.lives, life{cmd.Process.Pid, k.began, time.Now(), cmd.ProcessState.String(), k.sent})
	k.process = nil
}

// signal sends to the process that runs now, and returns its number, 0 where there
// is none. The lock keeps it from being reaped meanwhile, and another one from
// having its number.
func (k *keeper) signal(s syscall.Signal) (pid int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.process == nil || k.process.Signal(s) != nil {
		return 0
	}
	k.sent[s] = true
	return k.process.Pid
}

// pid is the process that runs now, 0 where there is none.
func (k *keeper) pid() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.process == nil {
		return 0
	}
	return k.process.Pid
}

// age is for how long the process has been running.
func (k *keeper) age() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.process == nil {
		return 0
	}
	return time.Since(k.began)
}

// end asks the process to end and starts no other. One that does not end is
// killed, which is an error.
func (k *keeper) end(s syscall.Signal) error {
	k.mu.Lock()
	k.done = true
	k.mu.Unlock()
	k.signal(syscall.SIGCONT)
	k.signal(s)
	select {
	case <-k.left:
		return nil
	case <-time.After(patience):
	}
	k.signal(syscall.SIGKILL)
	<-k.left
	return fmt.Errorf("%s: %v did not end it in %v", k.name, s, patience)
}

// ended are the lives that are over.
func (k *keeper) ended() []life {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]life(nil), k.lives...)
}

// text is all that its processes have written.
func (k *keeper) text() string {
	b, err := os.ReadFile(k.out.Name())
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// lastOf finds the last match of a pattern's first group in what was written.
func (k *keeper) lastOf(pattern *regexp.Regexp) string {
	all := pattern.FindAllStringSubmatch(k.text(), -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}

// lockHolder is the process that last had the ledger: it writes its number into
// the lock's file. 0 where that cannot be read.
func lockHolder(ledger string) int {
	b, err := os.ReadFile(ledger + ".lock")
	if err != nil {
		return 0
	}
	word, _, _ := strings.Cut(strings.TrimPrefix(string(b), "process "), ",")
	pid, _ := strconv.Atoi(word)
	return pid
}
