//go:build prove

// Package crash stands between till and what it reads and writes: this is the build that counts, and dies where it was told to.
//
// A point is a place before or after a call, by name: "after stripe write POST /v1/refunds". Three variables of the environment steer it:
//
//	TILL_CRASH=NAME:N    the N-th passing (from 1) of the point NAME, "*" for any, kills the process as kill -9 would
//	TILL_CRASH_LOG=FILE  gets a line NAME:N for each passing, and "died NAME:N" for the last: a dry run counts by it
//	TILL_BUG=NAME        plants a bug, which the proof has to find
package crash

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

var (
	target, nth = aim(os.Getenv("TILL_CRASH"))
	log         = open(os.Getenv("TILL_CRASH_LOG"))
	planted     = os.Getenv("TILL_BUG")

	mu     sync.Mutex
	passed = map[string]int{} // by name, and "*" for all
)

func aim(s string) (name string, n int) {
	if s == "" {
		return "", 0
	}
	colon := strings.LastIndexByte(s, ':')
	n, err := strconv.Atoi(s[colon+1:])
	if colon < 0 || err != nil {
		panic("TILL_CRASH is not NAME:N: " + s)
	}
	return s[:colon], n
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

// Bug says whether a bug is planted.
func Bug(name string) bool { return name == planted }

// Step does a step, with a point before and one after it.
func Step(name string, do func() error) error {
	at("before " + name)
	defer at("after " + name)
	return do()
}

// at is a point. Nothing happens beside the death of the process: not even another point is passed.
func at(name string) {
	mu.Lock()
	defer mu.Unlock()
	passed[name]++
	passed["*"]++
	line := fmt.Sprintf("%s:%d\n", name, passed[name])
	if (target == name || target == "*") && passed[target] == nth {
		if log != nil {
			fmt.Fprint(log, "died "+line)
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	}
	if log != nil {
		fmt.Fprint(log, line)
	}
}
