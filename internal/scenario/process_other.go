//go:build !linux

package scenario

import "syscall"

// bound is nothing here: a child ends when we end it, or by the same Ctrl-C.
func bound() *syscall.SysProcAttr { return nil }
