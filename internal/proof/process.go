package proof

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Program builds till into a folder: as it is shipped, or with points.
func Program(dir string, points bool) (string, error) {
	path, flags := filepath.Join(dir, "till"), []string{"build", "-trimpath"}
	if points {
		path, flags = path+"-points", append(flags, "-tags", "prove")
	}
	c := exec.Command("go", append(flags, "-o", path, "github.com/till-pay/till/cmd/till")...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build till: %w\n%s", err, out)
	}
	return path, nil
}

// process is a till that was started.
type process struct {
	cmd   *exec.Cmd
	api   string        // its address, once it is ready
	ended chan struct{} // closed when it has ended
	mu    sync.Mutex
	log   strings.Builder
}

// launch runs till with the given arguments and environment, and returns when it is ready or has ended. It dies with the thread that
// started it, whatever ends that.
func launch(binary string, env []string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(binary, args...), ended: make(chan struct{})}
	p.cmd.Env = append([]string{"HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH")}, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	go func() {
		defer close(p.ended)
		lines := bufio.NewScanner(said)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.hear(lines.Text(), ready)
		}
		_ = p.cmd.Wait()
	}()
	select {
	case p.api = <-ready:
	case <-p.ended:
	case <-time.After(time.Minute):
		p.kill()
		return p, fmt.Errorf("till was not ready within a minute:\n%s", p.said())
	}
	return p, nil
}

// start runs a till that must be ready, or die by its own point. Nothing of it outlives the test.
func start(t T, binary string, env []string, args ...string) *process {
	t.Helper()
	p, err := launch(binary, env, args...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the log of process %d:\n%s", p.cmd.Process.Pid, p.said())
		}
	})
	if p.api == "" && !p.dead() {
		t.Fatalf("till ended at its start:\n%s", p.said())
	}
	return p
}

// hear keeps a line of the log, and finds the one that says where the API is.
func (p *process) hear(line string, ready chan<- string) {
	p.mu.Lock()
	p.log.WriteString(line + "\n")
	p.mu.Unlock()
	var l struct{ Msg, API string }
	if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "till is ready" {
		ready <- strings.TrimPrefix(l.API, "http://")
	}
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// kill ends it as kill -9 does, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop ends it as an operator does, and says whether it is gone within a minute.
func (p *process) stop() bool {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return true
	case <-time.After(time.Minute):
		return false
	}
}

// over says whether it has ended, in whatever way.
func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// dead says whether it has been killed.
func (p *process) dead() bool {
	if !p.over() {
		return false
	}
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
