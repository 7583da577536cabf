package scenario

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The bounds of processes.
const (
	readyWithin = time.Minute
	endsWithin  = 20 * time.Second
	commandEnds = 2 * time.Minute
	mostLog     = 64 << 10 // bytes kept of what a process says
)

// process is the same program, running another command as a child of ours.
type process struct {
	what  string
	cmd   *exec.Cmd
	ended chan struct{}
	mu    sync.Mutex
	log   []byte // the last of it
}

// start runs a command that goes on until it is told to stop, and returns when a line of its standard error says that it is ready: address
// reads it.
func start(ctx context.Context, program, dir string, env []string, address func(line string) string, args ...string) (*process, string, error) {
	p := &process{what: "till " + args[0], cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir, p.cmd.SysProcAttr = append(plainEnvironment(dir), env...), dir, bound()
	said, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, "", err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("start %s: %w", p.what, err)
	}
	ready := make(chan string, 1)
	go p.hear(said, address, ready)
	select {
	case at := <-ready:
		return p, at, nil
	case <-p.ended:
		err = fmt.Errorf("%s ended at its start: %s", p.what, p.last())
	case <-time.After(readyWithin):
		err = fmt.Errorf("%s was not ready within %s: %s", p.what, readyWithin, p.last())
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.kill()
	return nil, "", err
}

// plainEnvironment is all that a child gets of ours, so that no TILL_… variable of the caller's leads it to another place.
func plainEnvironment(dir string) []string {
	return []string{"HOME=" + dir, "TMPDIR=" + dir, "PATH=" + os.Getenv("PATH")}
}

// hear keeps what a process says, and finds the line that it is ready. It goes on reading to the end, for a full pipe would hold the process.
func (p *process) hear(said io.Reader, address func(string) string, ready chan<- string) {
	defer close(p.ended)
	lines := bufio.NewReader(said)
	for {
		line, err := lines.ReadString('\n')
		p.mu.Lock()
		p.log = append(p.log, line...)
		p.log = p.log[max(len(p.log)-mostLog, 0):]
		p.mu.Unlock()
		if at := address(line); at != "" {
			select {
			case ready <- at:
			default:
			}
		}
		if err != nil {
			break
		}
	}
	_ = p.cmd.Wait()
}

// last is the last line that it said.
func (p *process) last() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(p.log)), "\n")
	return lines[len(lines)-1]
}

// kill ends it as kill -9 does, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop ends it as an operator does; one that does not go is killed.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(endsWithin):
		p.kill()
	}
}

// command runs the program to its end. Its exit status is an error that carries what it said.
func command(ctx context.Context, program, dir string, env []string, args ...string) (out string, err error) {
	ctx, cancel := context.WithTimeout(ctx, commandEnds)
	defer cancel()
	c := exec.CommandContext(ctx, program, args...)
	var stdout, stderr bytes.Buffer
	c.Env, c.Dir, c.Stdout, c.Stderr, c.SysProcAttr = env, dir, &stdout, &stderr, bound()
	err = c.Run()
	var status *exec.ExitError
	if errors.As(err, &status) {
		err = fmt.Errorf("till %s: exit status %d: %s", strings.Join(args[:min(len(args), 2)], " "), status.ExitCode(), strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), err
}
