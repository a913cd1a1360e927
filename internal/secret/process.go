package secret

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// HideProcess keeps the memory of this process, where secrets must be in the
// clear, from ending up elsewhere: it writes no core dump, and on Linux no other
// process of the same user may read its memory, its environment or attach to it
// (prctl(2), PR_SET_DUMPABLE; proc(5)). Root with CAP_SYS_PTRACE still may. It
// cannot be undone, and children do not inherit the second part. An error says
// what was not possible; the rest is done.
func HideProcess() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	return undumpable()
}
