//go:build unix

package sandbox

import (
	"os"
	"syscall"
)

// lockFile takes the lock of a folder, or fails at once.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// unlockFile gives it free. To close the file is not enough at once: a process that is being started has it open until it runs its own program.
func unlockFile(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
