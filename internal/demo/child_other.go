//go:build !linux

package demo

import "syscall"

// diesWithParent is Linux's; elsewhere a demonstration that is killed leaves its
// daemon to be stopped by hand.
func diesWithParent() *syscall.SysProcAttr { return nil }
