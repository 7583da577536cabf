//go:build prove

// Package crash marks the places where a proof may kill the process: this is the build that does.
package crash

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// TILL_CRASH is "NAME:N": the N-th passing (from 1) of the mark NAME, "*" for any, kills the process as kill -9 would.
// TILL_CRASH_LOG names a file that gets a line for each passing: the dry run that counts them.
var (
	name, nth = target(os.Getenv("TILL_CRASH"))
	log       = open(os.Getenv("TILL_CRASH_LOG"))
	passed    atomic.Int64
)

func target(s string) (string, int64) {
	name, n, ok := strings.Cut(s, ":")
	if !ok {
		return "", 0
	}
	nth, err := strconv.ParseInt(n, 10, 64)
	if err != nil {
		panic("TILL_CRASH is not NAME:N: " + s)
	}
	return name, nth
}

func open(path string) *os.File {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	return f
}

// Here marks a boundary by name.
func Here(at string) {
	if log != nil {
		fmt.Fprintln(log, at)
	}
	if name != "*" && name != at {
		return
	}
	if passed.Add(1) == nth {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way; nothing more may happen here
	}
}
