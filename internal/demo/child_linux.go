package demo

import "syscall"

// diesWithParent ends a child whose parent was killed: a demonstration must not
// leave a daemon behind.
func diesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
