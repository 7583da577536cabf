package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/cli"
	"github.com/till-pay/till/internal/id"
)

// TestSandboxDataRefused: a sandbox that cannot keep its worlds does not say that it is there.
func TestSandboxDataRefused(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status := cli.Main([]string{"sandbox", "--addr", "127.0.0.1:0", "--data", folder}, &out, &errs)
	if status != 1 || !strings.HasPrefix(errs.String(), "till: --data: ") || strings.Contains(out.String()+errs.String(), "http://") {
		t.Errorf("%d %s%s", status, &out, &errs)
	}
}

// The last line of the table is its totals, and the JSON says the same.
func TestSandboxCoverage(t *testing.T) {
	t.Parallel()
	run := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if status := cli.Main(append([]string{"sandbox", "coverage"}, args...), &out, &errs); status != 0 {
			t.Fatalf("till sandbox coverage %v: %d %s", args, status, &errs)
		}
		return out.String()
	}
	lines := strings.Split(strings.TrimSpace(run()), "\n")
	last := strings.Fields(lines[len(lines)-1])
	var all struct {
		Families []struct{ Family string }
		Totals   struct{ Operations, Built, Implemented int }
	}
	if err := json.Unmarshal([]byte(run("--json")), &all); err != nil || len(all.Families) != len(lines)-2 {
		t.Fatalf("%d families in %d lines: %v", len(all.Families), len(lines), err)
	}
	if want := []string{"total", "594", fmt.Sprint(all.Totals.Built), fmt.Sprint(all.Totals.Implemented)}; all.Totals.Operations != 594 || !slices.Equal(last[:4], want) {
		t.Errorf("the last line is %q, the totals are %+v", last, all.Totals)
	}
	if one := run("refunds"); !strings.Contains(one, "POST /v1/refunds ") || !strings.Contains(one, "refund.created") {
		t.Errorf("the refunds are %s", one)
	}
	var out, errs bytes.Buffer
	if status := cli.Main([]string{"sandbox", "coverage", "nothing"}, &out, &errs); status != 1 || !strings.Contains(errs.String(), "shows the families") {
		t.Errorf("a family that is none: %d %s", status, &errs)
	}
}

// Two sandboxes with one seed and a frozen clock are one story: the same requests have the same answers in both.
func TestSandboxSeed(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	key := "sk_test_" + id.Hex(8)
	tell := func(seed string) (story string) {
		c := exec.Command(path, "sandbox", "--addr", "127.0.0.1:0", "--seed", seed, "--clock", "frozen", "--at", "2026-01-05T12:00:00Z", "--rate-limits")
		said, err := c.StderrPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
		line, _ := bufio.NewReader(said).ReadString('\n')
		_, rest, _ := strings.Cut(line, "http://")
		addr, _, _ := strings.Cut(rest, " ")
		for i := range 26 { // one more than Stripe takes at once
			r, err := http.NewRequest([]string{"POST", "GET"}[min(i, 1)], "http://"+addr+"/v1/customers", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+key)
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			story += answer.Status + " " + answer.Header.Get("Request-Id") + " " + string(body) + "\n"
		}
		return story
	}
	one, again, other := tell("7"), tell("7"), tell("8")
	if one != again || one == other || !strings.Contains(one, `"created":1767614400`) || strings.Count(one, "429 ") != 1 {
		t.Errorf("seed 7 tells %s and %s, seed 8 %s", one, again, other)
	}
}

// The sandbox answers within 40 ms of being started: tests of other projects start one each.
func TestSandboxStartsFast(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	best := time.Hour
	for range 5 {
		best = min(best, firstAnswer(t, path))
	}
	t.Logf("first answer after %s", best)
	if best > 40*time.Millisecond {
		t.Errorf("the sandbox needed %s to its first answer, more than 40 ms", best)
	}
}

func firstAnswer(t *testing.T, path string) time.Duration {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	r, err := http.NewRequest("GET", "http://"+addr+"/v1/balance", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer sk_test_"+id.Hex(8))
	c := exec.Command(path, "sandbox", "--addr", addr)
	began := time.Now()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	for time.Since(began) < 5*time.Second {
		reply, err := http.DefaultClient.Do(r)
		if err == nil {
			reply.Body.Close()
			if reply.StatusCode != 200 {
				t.Fatalf("the first answer is %d", reply.StatusCode)
			}
			return time.Since(began)
		}
		time.Sleep(200 * time.Microsecond) // between two tries to connect to a process that is starting
	}
	t.Fatal("no answer within 5 s")
	return 0
}
