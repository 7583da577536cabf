package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/tilltest"
)

// The main job, as a user and as a script meet it.
func TestUp(t *testing.T) {
	t.Parallel()
	p, r := up(t)
	if r.APIKey == "" || r.MerchantID == "" || r.WebhookSecret == "" || r.SandboxKey == "" || r.ReadyMS <= 0 {
		t.Errorf("the line of --json lacks something: API key %t, merchant %q, secret %t, sandbox key %t, %d ms", r.APIKey != "", r.MerchantID, r.WebhookSecret != "", r.SandboxKey != "", r.ReadyMS)
	}
	for _, hop := range []string{"✓ shop → till", "✓ till → Stripe", "✓ Stripe → till", "✓ till → shop", "Paid, and confirmed by webhook"} {
		tilltest.Until(t, "the story to tell: "+hop, func() bool { return strings.Contains(p.errors.String(), hop) })
	}
	if status, said := ask(t, "POST", r.API+"/v1/payments", r.APIKey, visa); status != 201 {
		t.Errorf("a second payment: %d %v", status, said)
	}
	if status, said := ask(t, "GET", r.API+"/v1/payments", r.APIKey, ""); status != 200 || len(said["data"].([]any)) != 2 {
		t.Errorf("the list: %d %v", status, said)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"} {
		if status, _ := ask(t, "GET", r.API+path, "", ""); status != 200 {
			t.Errorf("GET %s: %d", path, status)
		}
	}
}

// Books that nobody asked to keep are cleared away, and those that somebody asked for are not.
func TestUpClearsItsBooks(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	p := startAt(t, home, "up", "--json", "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0")
	p.ready(t)
	if books, _ := filepath.Glob(filepath.Join(home, "till-up-*", "data", "till.db")); len(books) != 1 {
		t.Errorf("the books are not in the temporary folder: %v", books)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("a stop by SIGTERM: %v\n%s", err, p.errors)
	}
	if left, _ := filepath.Glob(filepath.Join(home, "till-up-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The commands that till up prints are ones that work.
func TestUpPrintsHowToAddAShop(t *testing.T) {
	t.Parallel()
	p, r := up(t)
	var command string
	tilltest.Until(t, "the command for another shop", func() bool {
		_, rest, _ := strings.Cut(p.errors.String(), "Another shop:\n")
		line, _, whole := strings.Cut(rest, "\n")
		command = strings.TrimSpace(line)
		return whole
	})
	made, err := exec.Command("bash", "-c", command).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	key := strings.TrimSpace(string(made))
	if status, said := ask(t, "PUT", r.API+"/v1/merchant/providers", key, `{"provider":"stripe","register":true,"stripe":{"secret_key":"sk_test_`+id.Hex(8)+`"}}`); status != 200 {
		t.Errorf("its provider: %d %v", status, said)
	}
	if status, said := ask(t, "POST", r.API+"/v1/payments", key, visa); status != 201 {
		t.Errorf("its first payment: %d %v", status, said)
	}
}

func TestUpKeepsItsBooksWithData(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "books")
	p, first := up(t, "--data", dir)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("a stop by SIGTERM: %v\n%s", err, p.errors)
	}
	if info, err := os.Stat(dir + ".key"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the master key beside the data: %v %v", info, err)
	}
	_, second := up(t, "--data", dir)
	if second.MerchantID != first.MerchantID {
		t.Errorf("the demo merchant was %s and is %s", first.MerchantID, second.MerchantID)
	}
	if status, said := ask(t, "GET", second.API+"/v1/payments", second.APIKey, ""); status != 200 || len(said["data"].([]any)) != 2 {
		t.Errorf("both first payments should be there: %d %v", status, said)
	}
}

// With --db alone the key is kept for the next run.
func TestUpOnPostgreSQL(t *testing.T) {
	t.Parallel()
	url, home := dbtest.Postgres(t), t.TempDir()
	p := startAt(t, home, "up", "--json", "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0", "--db", url)
	first := p.ready(t)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("a stop by SIGTERM: %v\n%s", err, p.errors)
	}
	second := startAt(t, home, "up", "--json", "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0", "--db", url).ready(t)
	if first.MerchantID != second.MerchantID {
		t.Errorf("the demo merchant was %s and is %s", first.MerchantID, second.MerchantID)
	}
}
