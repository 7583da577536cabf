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
	"testing"
	"time"
)

var built string // a folder for what this run builds

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "till-proof-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// release and prove are till as it is shipped, and till with the marks at which a proof kills it: each is built once, when first needed.
var (
	release = sync.OnceValues(func() (string, error) { return build("till") })
	prove   = sync.OnceValues(func() (string, error) { return build("till-prove", "-tags", "prove") })
)

func build(name string, flags ...string) (string, error) {
	path := filepath.Join(built, name)
	c := exec.Command("go", append(append([]string{"build", "-trimpath", "-o", path}, flags...), "../../cmd/till")...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return path, nil
}

func binary(t testing.TB, of func() (string, error)) string {
	t.Helper()
	path, err := of()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// process is a running till.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	api   string        // its address
	ended chan struct{} // closed when it has ended
	mu    sync.Mutex
	log   strings.Builder
}

// start runs till with the given arguments and environment, and returns when it is ready, or was killed by its own mark. Nothing of it
// outlives the test.
func start(t testing.TB, binary string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(binary, args...), ended: make(chan struct{})}
	p.cmd.Env = append([]string{"HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH")}, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(said); lines.Scan(); {
			p.hear(lines.Text(), ready)
		}
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the log of process %d:\n%s", p.cmd.Process.Pid, p.said())
		}
	})
	select {
	case p.api = <-ready:
	case <-p.ended:
		if !p.dead() {
			t.Fatalf("till ended at its start:\n%s", p.said())
		}
	case <-time.After(time.Minute):
		t.Fatalf("till was not ready within a minute:\n%s", p.said())
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

// stop ends it as an operator does, and waits until it is gone.
func (p *process) stop() {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		p.t.Error("till did not stop within a minute")
	}
}

// dead says whether it has been killed.
func (p *process) dead() bool {
	select {
	case <-p.ended:
		status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
		return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
	default:
		return false
	}
}
