package scenario

import "syscall"

// bound ends a child with us, whichever way we end.
func bound() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
