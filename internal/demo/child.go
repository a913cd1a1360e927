package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"curfew/internal/simplatform"
)

// lapse is how many times faster time passes in the evening.
const lapse = 50

// A stage is a platform on a random port, and a daemon beside it.
type stage struct {
	film
	dir                    string
	now                    func() time.Time
	flags                  []string
	env                    []string
	handler                *simplatform.Handler
	server                 *http.Server
	served                 sync.WaitGroup
	platformURL, daemonURL string
	daemon                 *exec.Cmd
	said                   *bytes.Buffer // the daemon's log, for the case that it fails
}

// setUp builds a stage in a temporary directory.
func setUp(t film, o Options) (*stage, error) {
	dir, err := os.MkdirTemp("", "curfew-demo-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the demonstration: %w", err)
	}
	st := &stage{film: t, dir: dir, said: &bytes.Buffer{}}
	st.flags, st.now = o.Lapse(lapse, t.from)
	key, secret := rand.Text(), rand.Text()
	st.env = append(o.Env, "EMQXCLOUD_PLATFORM_API_KEY="+key, "EMQXCLOUD_PLATFORM_API_SECRET="+secret)
	w, err := t.world()
	if err != nil {
		return st, err
	}
	st.handler = simplatform.NewHandler(w, st.now, simplatform.HandlerConfig{Key: key, Secret: secret, Wait: waitLapsed})
	if err := st.serve(); err != nil {
		return st, err
	}
	port, err := freePort()
	if err != nil {
		return st, err
	}
	st.daemonURL = "http://" + port
	text := "api:\n  endpoint: " + st.platformURL + "/public_api/v1\nlisten: " + port + "\nledger: curfew.db\n" + t.file
	if err := os.WriteFile(filepath.Join(dir, fileName), []byte(text), 0o600); err != nil {
		return st, fmt.Errorf("write the demonstration's file: %w", err)
	}
	return st, nil
}

// waitLapsed waits for a span of the evening.
func waitLapsed(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d / lapse):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serve puts the platform on a random port.
func (st *stage) serve() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the simulated platform: %w", err)
	}
	st.platformURL = "http://" + ln.Addr().String()
	st.server = &http.Server{Handler: st.handler, ReadHeaderTimeout: 5 * time.Second}
	st.served.Go(func() { _ = st.server.Serve(ln) }) // returns when end closes it
	return nil
}

// freePort finds a port for the daemon, whose file has to name one.
func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port for the daemon: %w", err)
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// start starts the daemon, with the ledger that is there. It does so where the
// file is, so that whatever the daemon says of it has a short name: a person can
// do nothing with the path of a directory that is gone in half a minute.
func (st *stage) start(o Options) error {
	st.daemon = exec.Command(o.Binary, append([]string{"run", "-c", fileName, "--log-format", "json"}, st.flags...)...)
	st.daemon.Dir = st.dir
	st.daemon.Env = st.env
	st.daemon.SysProcAttr = diesWithParent()
	st.said.Reset()
	st.daemon.Stderr = st.said
	if err := st.daemon.Start(); err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	return nil
}

// kill ends the daemon as a power cut would.
func (st *stage) kill() error {
	if err := st.daemon.Process.Kill(); err != nil {
		return fmt.Errorf("kill the daemon: %w", err)
	}
	_ = st.daemon.Wait() // its exit status says that it was killed
	return nil
}

// stop asks the daemon to end, and expects exit 0.
func (st *stage) stop() error {
	if err := st.daemon.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the daemon: %w", err)
	}
	err := st.daemon.Wait()
	st.daemon = nil
	if err != nil {
		return fmt.Errorf("the daemon did not end well: %w\n%s", err, st.said)
	}
	return nil
}

// waits counts the transitions that are due by the daemon's own metrics; it
// reports false while the daemon is not ready.
func (st *stage) waits(ctx context.Context) (int, bool) {
	if _, err := get(ctx, st.daemonURL+"/readyz"); err != nil {
		return 0, false
	}
	text, err := get(ctx, st.daemonURL+"/metrics")
	if err != nil {
		return 0, false
	}
	return strings.Count("\n"+text, "\ncurfew_transition_due_since_timestamp_seconds{"), true
}

var errNotReady = errors.New("not ready")

func get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", errNotReady
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	return string(text), err
}

// end takes the stage down, whatever is still up.
func (st *stage) end() {
	if st == nil {
		return
	}
	if st.daemon != nil && st.daemon.Process != nil {
		_ = st.daemon.Process.Kill()
		_ = st.daemon.Wait()
	}
	if st.server != nil {
		_ = st.server.Close()
		st.served.Wait()
	}
	_ = os.RemoveAll(st.dir)
}
