package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestLogReaderGone: whoever collects the log may go away at any time. The
// daemon's work matters more than its words: it goes on, and ends in good order.
func TestLogReaderGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "curfew.yaml")
	if err := os.WriteFile(file, []byte("ledger: curfew.db\npolicies: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "curfew", "run", "-c", file, "--listen", "127.0.0.1:0", "--log-format", "json")
	cmd.Env = append(os.Environ(), "EMQXCLOUD_PLATFORM_API_KEY="+storyKey, "EMQXCLOUD_PLATFORM_API_SECRET="+storySecret)
	cmd.Stderr = writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close() // the daemon has its own
	line, err := bufio.NewReader(reader).ReadBytes('\n')
	if err != nil || !bytes.Contains(line, []byte("curfew starts")) {
		t.Fatalf("first line %q: %v, want that curfew starts", line, err)
	}
	reader.Close() // from here on each line that it logs meets a broken pipe
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after its log's reader was gone and SIGTERM: %v, want exit 0", err)
	}
}
