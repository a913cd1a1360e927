package ledger

import (
	"os"
	"testing"
)

func TestFleeting(t *testing.T) {
	t.Parallel()
	for magic, want := range map[int64]string{0x01021994: "tmpfs", 0x858458f6: "ramfs", 0x794c7630: "overlay", 0xef53: ""} {
		if got := fleeting(magic); got != want {
			t.Errorf("file system %#x is %q, want %q", magic, got, want)
		}
	}
	if lasting, name := LastingStorage("/proc/none/curfew.db"); !lasting || name != "" {
		t.Errorf("a directory that is not there: %v %q", lasting, name)
	}
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		if lasting, name := LastingStorage("/dev/shm/curfew.db"); lasting || name != "tmpfs" {
			t.Errorf("/dev/shm: %v %q, want tmpfs, which does not last", lasting, name)
		}
	}
}
