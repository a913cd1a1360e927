package ledger

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// LastingStorage reports whether a ledger at path would outlive its machine or
// container, and otherwise the kind of file system that would not keep it. It
// looks at the directory only; where that cannot be looked at, it reports true,
// since Open has more to say about it.
func LastingStorage(path string) (lasting bool, fileSystem string) {
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &fs); err != nil {
		return true, ""
	}
	name := fleeting(int64(fs.Type))
	return name == "", name
}

// fleeting names the file systems that live in memory or in a container's own
// layer; the numbers are those of statfs(2).
func fleeting(magic int64) string {
	switch magic {
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.RAMFS_MAGIC:
		return "ramfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay"
	}
	return ""
}
