package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a till that serves, in a process of its own.
type process struct {
	cmd *exec.Cmd
	api string
	key string
}

// start returns when till is ready. It dies with this process, whatever ends that.
func (s *shop) start(binary string) (*process, error) {
	p := &process{key: s.key, cmd: exec.Command(binary, "serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--db", s.url,
		"--master-key-file", s.masterKey, "--stripe-url", s.stripe.URL, "--log-format", "json")}
	p.cmd.Env = []string{"HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH")}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		var l struct{ Msg, API string }
		if json.Unmarshal(lines.Bytes(), &l) == nil && l.Msg == "till is ready" {
			p.api = l.API
			go func() { _, _ = io.Copy(io.Discard, said) }()
			return p, nil
		}
	}
	p.kill()
	return nil, errors.New("till ended at its start")
}

// kill ends it as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// stop ends it as an operator does.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	end := time.AfterFunc(30*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer end.Stop()
	_ = p.cmd.Wait()
}

// cost is the processor time that till has used, and the most memory that it had at once; nothing where there is no /proc.
func (p *process) cost() (busy time.Duration, peak int64) {
	const tick = 10 * time.Millisecond
	folder := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	stat, _ := os.ReadFile(folder + "stat")
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // the name before may hold spaces
	if fields := bytes.Fields(rest); len(fields) > 12 {
		user, _ := strconv.ParseInt(string(fields[11]), 10, 64)
		system, _ := strconv.ParseInt(string(fields[12]), 10, 64)
		busy = time.Duration(user+system) * tick
	}
	status, _ := os.ReadFile(folder + "status")
	_, rest, _ = bytes.Cut(status, []byte("\nVmHWM:"))
	if fields := bytes.Fields(rest); len(fields) > 0 {
		peak, _ = strconv.ParseInt(string(fields[0]), 10, 64)
	}
	return busy, peak << 10
}

// ask sends one request and reads the data of the answer.
func (p *process) ask(ctx context.Context, method, path, body string, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, p.api+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-API-Key", p.key)
	r.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(reply.Body, 8<<20))
	if err == nil && reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", method, path, reply.StatusCode, raw)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, &struct{ Data any }{into})
}

// reconcile has till read until it says that all was read.
func (p *process) reconcile(ctx context.Context) error {
	for ctx.Err() == nil {
		var run struct {
			Done     bool
			Accounts []struct{ Busy bool }
		}
		if err := p.ask(ctx, "POST", "/v1/reconciliation/runs", "{}", &run); err != nil || run.Done {
			return err
		}
		if len(run.Accounts) > 0 && run.Accounts[0].Busy { // till reads by itself too, or the one that was killed holds the lease
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
	return ctx.Err()
}
