package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/cli"
	"github.com/till-pay/till/internal/tilltest"
)

// A week passes in the sandbox and in till, by the command that till up prints, in a shell that has what it says to export.
func TestUpLetsAWeekPass(t *testing.T) {
	t.Parallel()
	p, r := up(t, "--clock", "sandbox")
	status, said := ask(t, "POST", r.API+"/v1/payments", r.APIKey, strings.TrimSuffix(visa, "}")+`,"capture_method":"manual"}`)
	held, _ := said["data"].(map[string]any)
	if status != 201 || held["status"] != "authorized" {
		t.Fatalf("%d %v", status, said)
	}
	var command string
	tilltest.Until(t, "the command for a week", func() bool {
		_, rest, _ := strings.Cut(p.errors.String(), "Let a week pass, at Stripe and here:\n")
		line, _, whole := strings.Cut(rest, "\n")
		_, export, _ := strings.Cut(p.errors.String(), "export SANDBOX=")
		export, _, _ = strings.Cut(export, "\n")
		command = "export SANDBOX=" + export + "; " + strings.TrimSpace(line)
		return whole
	})
	if out, err := exec.Command("bash", "-c", command).CombinedOutput(); err != nil || !strings.Contains(string(out), `"now"`) {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	tilltest.Until(t, "the payment to lapse", func() bool {
		_, said := ask(t, "GET", r.API+"/v1/payments/"+held["id"].(string), r.APIKey, "")
		seen, _ := said["data"].(map[string]any)
		updated, _ := seen["updated_at"].(string)
		at, err := time.Parse(time.RFC3339Nano, updated)
		return seen["status"] == "cancelled" && err == nil && at.After(time.Now().Add(6*24*time.Hour))
	})
}

// Two processes do not serve from one file; a command beside one does its work; and one that was killed is not in the way of the next.
func TestOneProcessForOneFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "books")
	serve := []string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--data", dir}
	first := start(t, serve...)
	ready := func(p *process) {
		tilltest.Until(t, "till to be ready", func() bool { return strings.Contains(p.errors.String(), "till is ready") })
	}
	ready(first)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(dir, "till.db"), link); err != nil {
		t.Fatal(err)
	}
	for _, again := range [][]string{serve, {"up", "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0", "--data", dir},
		{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--db", "sqlite:" + link, "--master-key-file", dir + ".key"}} {
		if line := refused(t, again...); !strings.Contains(line, "another till serves from the SQLite file") {
			t.Errorf("till %s: %s", strings.Join(again, " "), line)
		}
	}
	var out, errs bytes.Buffer
	if status := cli.Main([]string{"key", "create", "--merchant", "My shop", "--data", dir}, &out, &errs); status != 0 {
		t.Errorf("a command beside it: %d %s", status, &errs)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ready(start(t, serve...))
}

// A line that is not understood is told from one that failed, by its status.
func TestNotUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, says string }{
		{"serve --clock moon", "--clock"}, {"up --clock", "--clock"}, {"sandbox --at yesterday", "--at"}, {"sandbox --seed -1", "--seed"},
	} {
		var out, errs bytes.Buffer
		if status := cli.Main(strings.Fields(c.line), &out, &errs); status != 2 || !strings.HasPrefix(errs.String(), "till: ") || !strings.Contains(errs.String(), c.says) {
			t.Errorf("till %s: %d %s", c.line, status, &errs)
		}
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	p := start(t, "serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--stripe-url", "http://127.0.0.1:1", "--log-format", "json")
	line := func(msg string) (said map[string]any) {
		tilltest.Until(t, "the log to say "+msg, func() bool {
			for l := range strings.Lines(p.errors.String()) {
				said = map[string]any{}
				if json.Unmarshal([]byte(l), &said) == nil && said["msg"] == msg {
					return true
				}
			}
			return false
		})
		return said
	}
	ready := line("till is ready")
	for key, want := range map[string]string{"api": "http://127.0.0.1:", "admin": "http://127.0.0.1:", "database": "sqlite:till-data/till.db", "stripe": "http://127.0.0.1:1", "version": ""} {
		if got, ok := ready[key].(string); !ok || !strings.HasPrefix(got, want) {
			t.Errorf("%s is %v, want %s…", key, ready[key], want)
		}
	}
	line("no --public-url: till cannot register its webhook endpoint at Stripe, and hears of changes there late")
	api, _ := ready["api"].(string)
	if status, said := ask(t, "GET", api+"/v1/payments", "", ""); status != 401 {
		t.Errorf("without a key: %d %v", status, said)
	}
	if took, ok := line("request")["took_ms"].(float64); !ok || took <= 0 || took > 60_000 {
		t.Errorf("a request took %v ms", took)
	}
}
