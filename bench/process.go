package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// server is a program that answers HTTP on loopback, at a port that the kernel gave it.
type server struct {
	process *exec.Cmd
	addr    string
}

// ready bounds how long a program may take to say where it listens.
const ready = time.Minute

var loopback = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// launch starts a program and waits until it says at which port of 127.0.0.1 it listens. It ends with ctx at the latest.
func launch(ctx context.Context, command ...string) (*server, error) {
	s := &server{process: exec.CommandContext(ctx, command[0], command[1:]...)}
	s.process.WaitDelay = 10 * time.Second
	out, into, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.process.Stdout, s.process.Stderr = into, into
	err = s.process.Start()
	into.Close()
	if err != nil {
		out.Close()
		return nil, err
	}
	if err := s.listens(out); err != nil {
		out.Close()
		s.stop()
		return nil, fmt.Errorf("%s: %w", command[0], err)
	}
	return s, nil
}

// listens reads the address off the first lines that the program prints, and lets the rest go by.
func (s *server) listens(out *os.File) error {
	if err := out.SetReadDeadline(time.Now().Add(ready)); err != nil {
		return err
	}
	var said bytes.Buffer
	lines := bufio.NewReader(out)
	for range 100 {
		line, err := lines.ReadString('\n')
		said.WriteString(line)
		if addr := loopback.FindString(line); addr != "" {
			s.addr = addr
			_ = out.SetReadDeadline(time.Time{})
			go func() {
				defer out.Close()
				_, _ = io.Copy(io.Discard, lines) // until it ends
			}()
			return nil
		}
		if err != nil {
			return fmt.Errorf("it did not say where it listens: %w: %s", err, said.Bytes())
		}
	}
	return fmt.Errorf("it did not say where it listens: %s", said.Bytes())
}

// stop asks the program to end, and makes it end after ten seconds.
func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	end := time.AfterFunc(10*time.Second, func() { _ = s.process.Process.Kill() })
	defer end.Stop()
	_ = s.process.Wait()
}

// resident is the program's memory: now, and at most, in bytes. It is read from /proc; 0 where there is none.
func (s *server) resident() (now, peak int64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		return 0, 0
	}
	return kilobytes(status, "VmRSS:"), kilobytes(status, "VmHWM:")
}

// kilobytes finds a line like "VmRSS:   1234 kB" and gives its bytes.
func kilobytes(status []byte, name string) int64 {
	_, rest, _ := bytes.Cut(status, []byte("\n"+name))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) != 2 {
		return 0
	}
	n, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return n << 10
}

// tick is the unit of the times in /proc/PID/stat.
const tick = 10 * time.Millisecond

// busy is the processor time that the program has used, its children's not counted; 0 where there is no /proc.
func (s *server) busy() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // the name before may hold spaces
	fields := bytes.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(string(fields[11]), 10, 64)
	system, _ := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * tick
}

// rest waits until the program has nothing left to do, such as garbage of the last load to collect: it would slow down what is measured next.
func (s *server) rest(ctx context.Context) {
	for range 60 {
		before := s.busy()
		time.Sleep(3 * tick)
		if s.busy() == before || ctx.Err() != nil {
			return
		}
	}
}
