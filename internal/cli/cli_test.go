package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/till-pay/till/internal/cli"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/tilltest"
)

// binary is till as a user runs it: built once, without the race detector.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "till-cli-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "till")
	out, err := exec.Command("go", "build", "-o", path, "github.com/till-pay/till/cmd/till").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(status)
}

// process is a running till; it is told to stop when the test ends.
type process struct {
	*exec.Cmd
	out    *bufio.Reader
	errors *tilltest.Log
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startAt(t, t.TempDir(), args...)
}

func startAt(t *testing.T, home string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(path, args...), errors: &tilltest.Log{}}
	p.Env = append(os.Environ(), "TILL_DB=", "HOME="+home, "XDG_CONFIG_HOME=", "TMPDIR="+home)
	p.Dir, p.Stderr = t.TempDir(), p.errors
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Signal(syscall.SIGTERM)
		_, _ = io.Copy(io.Discard, p.out)
		_ = p.Wait()
	})
	return p
}

// ready is the line of till up --json.
type ready struct {
	API, Sandbox  string
	APIKey        string `json:"api_key"`
	MerchantID    string `json:"merchant_id"`
	WebhookSecret string `json:"webhook_secret"`
	SandboxKey    string `json:"sandbox_key"`
	ReadyMS       int64  `json:"ready_ms"`
}

func up(t *testing.T, more ...string) (*process, ready) {
	t.Helper()
	p := start(t, append([]string{"up", "--json", "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0"}, more...)...)
	return p, p.ready(t)
}

// ready waits for the line.
func (p *process) ready(t *testing.T) ready {
	t.Helper()
	line, err := p.out.ReadBytes('\n')
	var r ready
	if err == nil {
		err = json.Unmarshal(line, &r)
	}
	if err != nil {
		t.Fatalf("till up --json: %v: %q\n%s", err, line, p.errors)
	}
	return r
}

func ask(t *testing.T, method, url, key, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-API-Key", key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", id.New())
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]any{}
	_ = json.Unmarshal(raw, &said)
	return reply.StatusCode, said
}

const visa = `{"amount":"12.50","currency":"EUR","provider":"stripe","payment_method":"pm_card_visa"}`

// refused runs a command that must fail, and returns its one line.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, path, args...)
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), "TILL_DB=")
	var errs bytes.Buffer
	c.Stderr = &errs
	if err := c.Run(); err == nil || ctx.Err() != nil {
		t.Fatalf("till %s ended with %v (%v)\n%s", strings.Join(args, " "), err, ctx.Err(), &errs)
	}
	line := strings.TrimSpace(errs.String())
	if strings.Contains(line, "\n") || len(line) > 400 || !strings.HasPrefix(line, "till: ") {
		t.Errorf("till %s: not one clear line:\n%s", strings.Join(args, " "), line)
	}
	return line
}

func TestUnhappyEnds(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() }) // the cases run in parallel, after this function
	port := taken.Addr().String()
	dir := t.TempDir()
	full := filepath.Join(dir, "a-file")
	if err := os.WriteFile(full, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	config := func(content string) string {
		path := filepath.Join(t.TempDir(), "till.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		args []string
		says []string
	}{
		"port of the API taken":        {[]string{"up", "--addr", port, "--sandbox-addr", "127.0.0.1:0"}, []string{port, "in use"}},
		"port of the sandbox taken":    {[]string{"up", "--addr", "127.0.0.1:0", "--sandbox-addr", port}, []string{port, "in use"}},
		"port of the service taken":    {[]string{"serve", "--addr", port}, []string{port, "in use", "--addr"}},
		"port of the admin taken":      {[]string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", port}, []string{port, "in use", "--admin-addr"}},
		"address without a port":       {[]string{"serve", "--addr", "localhost"}, []string{"--addr must be HOST:PORT"}},
		"port out of range":            {[]string{"serve", "--addr", "127.0.0.1:70000"}, []string{"--addr", "invalid port"}},
		"clock of no sandbox":          {[]string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--clock", "sandbox"}, []string{"--clock sandbox", "--stripe-url"}},
		"clock of another machine":     {[]string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--clock", "sandbox", "--stripe-url", "http://10.1.2.3"}, []string{"--clock sandbox", "this machine"}},
		"Stripe at no address":         {[]string{"serve", "--stripe-url", "sandbox"}, []string{"--stripe-url must be a whole http or https URL"}},
		"public URL without a scheme":  {[]string{"serve", "--public-url", "pay.example.com"}, []string{"--public-url must be a whole http or https URL"}},
		"public URL with a password":   {[]string{"serve", "--public-url", "https://u:hidden@pay.example.com"}, []string{"--public-url"}},
		"SQLite without a file":        {[]string{"migrate", "--db", "sqlite:"}, []string{"sqlite:PATH"}},
		"setting with an underscore":   {[]string{"serve", "--config", config(`{"admin_addr":"127.0.0.1:0"}`)}, []string{`"admin-addr"`}},
		"setting that nobody knows":    {[]string{"serve", "--config", config(`{"colour":"red"}`)}, []string{`"colour" is not a flag`}},
		"setting that is a number":     {[]string{"serve", "--config", config(`{"addr":8080}`)}, []string{`"addr" must be a string`}},
		"setting that is not a list":   {[]string{"serve", "--config", config(`{"allow-webhook-to":[1]}`)}, []string{"a list of strings"}},
		"not loopback":                 {[]string{"up", "--addr", "0.0.0.0:0"}, []string{"loopback"}},
		"sandbox not loopback":         {[]string{"sandbox", "--addr", "0.0.0.0:0"}, []string{"loopback"}},
		"country without prices":       {[]string{"sandbox", "--country", "ZZ"}, []string{"--country is one of AT, AU", "ZZ"}},
		"clock that is none":           {[]string{"sandbox", "--clock", "stopped"}, []string{"--clock is real, frozen, or faster:N"}},
		"clock that is too fast":       {[]string{"sandbox", "--clock", "faster:90000"}, []string{"2 to 86400"}},
		"time too long ago":            {[]string{"sandbox", "--at", "1999-12-31T00:00:00Z"}, []string{"--at is a time from the year 2000"}},
		"database unreachable":         {[]string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--db", "postgres://u:hidden@127.0.0.1:1/till?sslmode=disable"}, []string{"cannot reach PostgreSQL", "127.0.0.1:1"}},
		"database of no kind":          {[]string{"migrate", "--db", "oracle://x"}, []string{"postgres://", "sqlite:"}},
		"data folder is a file":        {[]string{"migrate", "--db", "sqlite:" + full + "/till.db", "--master-key-file", filepath.Join(t.TempDir(), "k")}, []string{"SQLite"}},
		"master key in the data":       {[]string{"migrate", "--data", dir, "--master-key-file", filepath.Join(dir, "master.key")}, []string{"master key"}},
		"unknown configuration":        {[]string{"serve", "--config", full}, []string{"configuration file"}},
		"no such configuration":        {[]string{"serve", "--config", filepath.Join(dir, "none")}, []string{"configuration file"}},
		"no such merchant":             {[]string{"key", "list", "--merchant", "nobody", "--data", filepath.Join(t.TempDir(), "d")}, []string{"nobody"}},
		"no such scope":                {[]string{"key", "create", "--merchant", "m", "--scopes", "everything", "--data", filepath.Join(t.TempDir(), "d")}, []string{"everything"}},
		"webhooks to nowhere sensible": {[]string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--allow-webhook-to", "everywhere"}, []string{"everywhere", "--allow-webhook-to"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line := refused(t, c.args...)
			for _, s := range c.says {
				if !strings.Contains(line, s) {
					t.Errorf("%q does not say %q", line, s)
				}
			}
			if strings.Contains(line, "hidden") {
				t.Errorf("a password is in %q", line)
			}
		})
	}
}

func TestWrongMasterKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	database, key := "sqlite:"+filepath.Join(dir, "data", "till.db"), filepath.Join(dir, "right.key")
	var out, errs bytes.Buffer
	if status := cli.Main([]string{"migrate", "--db", database, "--master-key-file", key}, &out, &errs); status != 0 {
		t.Fatalf("migrate: %d %s", status, &errs)
	}
	line := refused(t, "serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--db", database, "--master-key-file", filepath.Join(dir, "wrong.key"))
	if !strings.Contains(line, "there is no master key file at "+filepath.Join(dir, "wrong.key")) {
		t.Error(line)
	}
	if _, err := os.Stat(filepath.Join(dir, "wrong.key")); !os.IsNotExist(err) {
		t.Errorf("a key that opens nothing was left behind: %v", err)
	}
	if status := cli.Main([]string{"migrate", "--db", "sqlite:" + filepath.Join(dir, "other", "till.db"), "--master-key-file", filepath.Join(dir, "wrong.key")}, &out, &errs); status != 0 {
		t.Fatalf("migrate: %d %s", status, &errs)
	}
	if line := refused(t, "migrate", "--db", database, "--master-key-file", filepath.Join(dir, "wrong.key")); !strings.Contains(line, "is not the one that this database was written with") {
		t.Errorf("another database's key: %s", line)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if line := refused(t, "migrate", "--db", database, "--master-key-file", key); !strings.Contains(line, "600") {
		t.Errorf("a key that others can read: %s", line)
	}
}

// A disk that is full: the file size limit of the process makes every further write fail, as a full disk does.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := exec.Command("bash", "-c", fmt.Sprintf("ulimit -f 64; trap '' XFSZ; exec %s migrate --db sqlite:%s/data/till.db --master-key-file %s/k", path, dir, dir))
	c.Env = append(os.Environ(), "TILL_DB=")
	out, err := c.CombinedOutput()
	line := strings.TrimSpace(string(out))
	if err == nil || strings.Contains(line, "\n") || !strings.HasPrefix(line, "till: ") || !strings.Contains(line, "full") && !strings.Contains(line, "disk") {
		t.Errorf("a full disk: %v: %s", err, line)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	run := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		status := cli.Main(append(args, "--data", dir), &out, &errs)
		return status, out.String(), errs.String()
	}
	status, key, errs := run("key", "create", "--merchant", "My shop", "--mode", "test", "--scopes", "payments:read,payments:write")
	if status != 0 || !strings.HasPrefix(key, "till_test_") || strings.Count(key, "\n") != 1 {
		t.Fatalf("key create: %d %q %s", status, key, errs)
	}
	status, list, _ := run("key", "list", "--merchant", "My shop", "--json")
	var shown struct{ Merchant, ID string }
	if err := json.Unmarshal([]byte(list), &shown); status != 0 || err != nil || strings.Contains(list, strings.TrimSpace(key)) {
		t.Fatalf("key list: %d %v %s", status, err, list)
	}
	if _, _, errs := run("key", "create", "--merchant", "Their shop"); !strings.Contains(errs, "New merchant Their shop") || !strings.Contains(errs, dir) {
		t.Errorf("a new merchant is not told, or not where: %s", errs)
	}
	if status, all, errs := run("key", "list"); status != 0 || !strings.Contains(all, "My shop") || !strings.Contains(all, "Their shop") {
		t.Errorf("the list of all: %d %s %s", status, all, errs)
	}
	if status, out, errs := run("key", "revoke", "--merchant", "My shop", shown.ID); status != 0 || !strings.Contains(out, "Revoked") {
		t.Errorf("key revoke: %d %s %s", status, out, errs)
	}
	if _, list, _ := run("key", "list", "--merchant", "My shop"); !strings.Contains(list, shown.ID) || strings.Contains(list, " -\n") {
		t.Errorf("the list does not show the revocation:\n%s", list)
	}
}

func TestHelpHasExamples(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"up"}, {"serve"}, {"sandbox"}, {"sandbox", "run"}, {"sandbox", "coverage"}, {"migrate"}, {"key", "create"}, {"key", "list"}, {"key", "revoke"}} {
		var out, errs bytes.Buffer
		if status := cli.Main(append(command, "--help"), &out, &errs); status != 0 || !strings.Contains(out.String(), "xample") && !strings.Contains(out.String(), "curl") {
			t.Errorf("till %s --help: %d\n%s%s", strings.Join(command, " "), status, &out, &errs)
		}
	}
	var out, errs bytes.Buffer
	if cli.Main([]string{"sandbox", "--help"}, &out, &errs); !strings.Contains(out.String(), "--clock") || !strings.Contains(out.String(), "till sandbox coverage") {
		t.Errorf("till sandbox --help does not show its flags:\n%s", &out)
	}
	if status := cli.Main([]string{"uppp"}, &out, &errs); status != 2 || !strings.Contains(errs.String(), "till --help") {
		t.Errorf("an unknown command: %d %s", status, &errs)
	}
}

// The order is flag, environment, file. kong's own is not: this is what config.go is for.
func TestFlagBeforeEnvironmentBeforeFile(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	taken := func() (string, func() error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l.Addr().String(), l.Close
	}
	flag, closeFlag := taken()
	env, closeEnv := taken()
	file, closeFile := taken()
	defer closeFlag()
	defer closeEnv()
	defer closeFile()
	config := filepath.Join(t.TempDir(), "till.json")
	if err := os.WriteFile(config, []byte(`{"addr":"`+file+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		env  string
		args []string
	}{
		{file, "", nil}, {env, env, nil}, {flag, env, []string{"--addr", flag}}, {flag, "", []string{"--addr", flag}},
	} {
		cmd := exec.Command(path, append([]string{"sandbox", "--config", config}, c.args...)...)
		if c.env != "" {
			cmd.Env = append(os.Environ(), "TILL_SANDBOX_ADDR="+c.env)
		}
		out, _ := cmd.CombinedOutput()
		if !strings.Contains(string(out), c.want) {
			t.Errorf("with environment %q and %v the address should be %s: %s", c.env, c.args, c.want, out)
		}
	}
}
