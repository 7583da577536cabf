package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/cli"
)

// command runs till to its end, in a folder and an environment that has nothing of ours.
func command(t *testing.T, dir string, env []string, args ...string) (out, errs string, status int) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	var o, e bytes.Buffer
	c := exec.CommandContext(t.Context(), path, args...)
	c.Dir, c.Env, c.Stdout, c.Stderr = dir, append([]string{"TMPDIR=" + dir}, env...), &o, &e
	if err := c.Run(); err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return o.String(), e.String(), c.ProcessState.ExitCode()
}

// A case is played by the command, whose last line scripts read; nothing of it stays behind, and the database that the environment names for
// serving is left alone.
func TestScenarioRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, errs, status := command(t, dir, []string{"TILL_DB=postgres://127.0.0.1:1/production"}, "scenario", "run", "11", "--seed", "5", "--json")
	var r struct {
		Scenario string
		Seed     uint64
		Cause    struct{ Found bool }
		Repaired bool
		Residual map[string]string
		Letter   string
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil || status != 0 {
		t.Fatalf("%d, %v: %s%s", status, err, out, errs)
	}
	if r.Scenario != "11" || r.Seed != 5 || !r.Cause.Found || !r.Repaired || r.Residual["EUR"] != "0.00" || !strings.HasPrefix(r.Letter, "Hello Lotte") {
		t.Errorf("%+v", r)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A case is staged beside till up, and worked by hand with the commands that it names, each with an API key and nothing else.
func TestScenarioStage(t *testing.T) {
	t.Parallel()
	_, r := up(t, "--clock", "sandbox")
	dir := t.TempDir()
	till := []string{"TILL=" + r.API, "TILL_API_KEY=" + r.APIKey}
	out, errs, status := command(t, dir, append([]string{"SANDBOX=" + r.Sandbox, "KEY=" + r.SandboxKey}, till...), "scenario", "stage", "02", "--seed", "4", "--out", "case")
	_, line, ok := strings.Cut(out, "till diagnose ")
	if status != 0 || !ok {
		t.Fatalf("%d: %s%s", status, out, errs)
	}
	line, _, _ = strings.Cut(line, "\n")
	found, errs, status := command(t, filepath.Join(dir, "case"), till, append([]string{"diagnose"}, append(strings.Fields(line), "--json")...)...)
	var w struct {
		Unfounded []any
		Missed    []struct{ ID string }
	}
	if err := json.Unmarshal([]byte(found), &w); err != nil || status != 0 || len(w.Unfounded) == 0 || len(w.Missed) == 0 {
		t.Fatalf("%d, %v: %s%s", status, err, found, errs)
	}
	if out, errs, status := command(t, dir, append([]string{"SANDBOX=" + r.Sandbox, "KEY=" + r.SandboxKey}, till...), "scenario", "stage", "02"); status != 1 || out != "" || !strings.Contains(errs, "was staged with this merchant before") {
		t.Errorf("staged again: %d %s%s", status, out, errs)
	}
	for _, file := range []string{"orders.csv", "requests.jsonl"} {
		if _, err := os.Stat(filepath.Join(dir, "case", file)); err != nil {
			t.Error(err)
		}
	}
}

// What is wrong with a command line, or with what it names, is said in one line, and nothing is started.
func TestScenarioRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"orders.csv": "order,amount\n1,2\n", "amounts.csv": "order,payment_intent,amount,currency,paid\nA,pi_1,much,EUR,true\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key := []string{"TILL=http://127.0.0.1:1", "TILL_API_KEY=none"}
	for _, c := range []struct {
		line   string
		env    []string
		status int
		says   string
	}{
		{"scenario run 99", nil, 1, "there are 0"},
		{"scenario run 02 --db sqlite:here", nil, 1, "--db is postgres://"},
		{"scenario run", nil, 2, "nr"},
		{"scenario stage 02", key, 2, "stripe-key"},
		{"scenario stage 02 --stripe-key sk_test_x --stripe-url nowhere", key, 1, "--stripe-url"},
		{"diagnose webhooks", nil, 1, "TILL_API_KEY is not set"},
		{"diagnose webhooks --since yesterday", key, 2, "72h"},
		{"diagnose webhooks --orders missing.csv", key, 1, "missing.csv"},
		{"diagnose webhooks --orders orders.csv", key, 1, "payment_intent"},
		{"diagnose webhooks --orders amounts.csv", key, 1, "amounts.csv: line 2 of the orders: \"much\" is not an amount"},
		{"diagnose duplicates --confirm", key, 1, "--refund"},
		{"diagnose signature", key, 1, "--payload"},
		{"diagnose payouts --letter --json", key, 1, "--letter"},
		{"diagnose payouts", nil, 1, "TILL_API_KEY is not set"},
		{"up --country ZZ --addr 127.0.0.1:0 --sandbox-addr 127.0.0.1:0", nil, 1, "--country is one of"},
	} {
		out, errs, status := command(t, dir, c.env, strings.Fields(c.line)...)
		if status != c.status || !strings.HasPrefix(errs, "till: ") || !strings.Contains(errs, c.says) || out != "" {
			t.Errorf("till %s: %d %s%s", c.line, status, out, errs)
		}
	}
}

func TestScenarioList(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if status := cli.Main([]string{"scenario", "list"}, &out, &errs); status != 0 || strings.Count(out.String(), "\n") < 4 || !strings.Contains(out.String(), "02  Fake and missed webhooks") {
		t.Errorf("%d: %s%s", status, &out, &errs)
	}
	out.Reset()
	if status := cli.Main([]string{"scenario", "list", "--json"}, &out, &errs); status != 0 || !strings.HasPrefix(out.String(), `{"diagnosis":"till diagnose declines`) {
		t.Errorf("%d: %s", status, &out)
	}
	for _, line := range []string{"scenario run --help", "scenario stage --help", "diagnose webhooks --help", "diagnose duplicates --help", "diagnose signature --help", "diagnose payouts --help"} {
		out.Reset()
		if status := cli.Main(strings.Fields(line), &out, &errs); status != 0 || !strings.Contains(out.String(), "xample") {
			t.Errorf("%s: %d %s", line, status, &out)
		}
	}
}
