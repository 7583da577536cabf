package webhook_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/tilltest"
	"github.com/till-pay/till/webhook"
)

// script runs docs/examples/receiver.sh: what it says, and how it ends. In CI what it needs must be there.
func script(t *testing.T, environment []string, arguments ...string) (said string, code int) {
	t.Helper()
	for _, tool := range []string{"sh", "curl", "openssl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed: in CI the shell receiver must be tested", tool)
		} else if err != nil {
			t.Skipf("%s is not installed, and docs/examples/receiver.sh needs it: apt-get install curl openssl jq", tool)
		}
	}
	c := exec.CommandContext(t.Context(), "sh", append([]string{"../docs/examples/receiver.sh"}, arguments...)...)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir()}, environment...)
	out, err := c.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// kept writes a request to two files, as a server would.
func kept(t *testing.T, header http.Header, body string) (headers, content string) {
	t.Helper()
	dir := t.TempDir()
	headers, content = filepath.Join(dir, "headers"), filepath.Join(dir, "body")
	var b strings.Builder
	if err := header.Write(&b); err != nil { // with CR and LF, as on the wire
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(headers, []byte(b.String()), 0o600), os.WriteFile(content, []byte(body), 0o600)); err != nil {
		t.Fatal(err)
	}
	return headers, content
}

// A delivery of a real till, in an overlap of two secrets, is good with either; and each way to be bad is told.
func TestShellVerifies(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	type request struct {
		header http.Header
		body   string
	}
	came := make(chan request, 1)
	till.Shop.Hears.Hand(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		came <- request{r.Header, string(body)}
	}))
	rotate := func() string {
		return till.As(till.Shop).Want(200, "PUT", "/v1/merchant/webhook", map[string]any{"rotate_secret": true}).String("data", "secret")
	}
	before, after := rotate(), rotate()
	till.As(till.Shop).Want(202, "POST", "/v1/merchant/webhook/test", nil)
	r := <-came
	if n := len(strings.Fields(r.header.Get("Webhook-Signature"))); n != 2 {
		t.Fatalf("%d signatures in an overlap", n)
	}
	without := func(name string) http.Header {
		h := r.header.Clone()
		h.Del(name)
		return h
	}
	list := http.Header{}
	if err := webhook.Sign(list, after, "x", tilltest.Start, []byte("[]")); err != nil {
		t.Fatal(err)
	}
	at := func(d time.Duration) string { return fmt.Sprint(till.Clock.Now().Add(d).Unix()) }
	for name, c := range map[string]struct {
		header             http.Header
		body, secrets, now string
		code               int
		says               string
	}{
		"the new secret":   {r.header, r.body, after, at(0), 0, "good: message 1, webhook.test, " + r.header.Get("Webhook-Id")},
		"the old secret":   {r.header, r.body, before, at(0), 0, "good"},
		"one of two":       {r.header, r.body, secret() + " " + after, at(300 * time.Second), 0, "good"},
		"a foreign secret": {r.header, r.body, secret(), at(0), 1, "refused, signature"},
		"another body":     {r.header, r.body + " ", after, at(0), 1, "refused, signature"},
		"stale":            {r.header, r.body, after, at(301 * time.Second), 1, "refused, timestamp"},
		"ahead":            {r.header, r.body, after, at(-301 * time.Second), 1, "refused, timestamp"},
		"no id":            {without("Webhook-Id"), r.body, after, at(0), 1, "refused, header"},
		"no time":          {without("Webhook-Timestamp"), r.body, after, at(0), 1, "refused, header"},
		"no signature":     {without("Webhook-Signature"), r.body, after, at(0), 1, "refused, header"},
		"no message":       {list, "[]", after, at(0), 1, "refused, body"},
		"no secret":        {r.header, r.body, "", at(0), 2, "WEBHOOK_SECRET is not set"},
		"a bad secret":     {r.header, r.body, "whsec_", at(0), 2, "not whsec_ and base64"},
	} {
		headers, body := kept(t, c.header, c.body)
		if said, code := script(t, []string{"WEBHOOK_SECRET=" + c.secrets, "NOW=" + c.now}, "verify", headers, body); code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("%s: %d %s", name, code, said)
		}
	}
	headers, body := kept(t, r.header, r.body)
	for _, wrong := range []string{"TOLERANCE=x", "TOLERANCE=5m", "NOW=yesterday"} {
		if said, code := script(t, []string{"WEBHOOK_SECRET=" + after, wrong}, "verify", headers, body); code != 2 || !strings.Contains(said, "is a") {
			t.Errorf("%s must not let a signature of any age through: %d %s", wrong, code, said)
		}
	}
	if said, code := script(t, nil, "--help"); code != 0 || !strings.Contains(said, "receiver.sh audit RECEIVED") {
		t.Errorf("--help: %d %s", code, said)
	}
	if said, code := script(t, nil, "audit"); code != 2 || !strings.Contains(said, "receiver.sh audit RECEIVED") {
		t.Errorf("audit of nothing: %d %s", code, said)
	}
}

// Its HMAC is that of Go, for keys up to a block and bodies of any bytes.
func TestShellHMAC(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 24, 63, 64} {
		key, noise := make([]byte, n), make([]byte, 1000*n)
		_, _ = rand.Read(key)
		_, _ = rand.Read(noise)
		s := "whsec_" + base64.StdEncoding.EncodeToString(key)
		header := signed(t, s, "x", now, string(noise))
		headers, body := kept(t, header, string(noise))
		if said, code := script(t, []string{"WEBHOOK_SECRET=" + s, fmt.Sprint("NOW=", now.Unix())}, "verify", headers, body); code != 1 || !strings.Contains(said, "refused, body") { // only after the signature
			t.Errorf("a key of %d bytes: %d %s", n, code, said)
		}
	}
}

func TestShellAudits(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	key := []string{"TILL=" + till.URL, "TILL_API_KEY=" + till.Shop.Key}
	file := filepath.Join(t.TempDir(), "received")
	audit := func(received []string, more ...string) (string, int) {
		t.Helper()
		if err := os.WriteFile(file, []byte(strings.Join(received, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return script(t, key, append([]string{"audit", file}, more...)...)
	}
	if said, code := audit(nil); code != 0 || said != "0 sent, 0 missing\n" {
		t.Errorf("before the first: %d %s", code, said)
	}
	at := told(t, till, 110) // more than a page
	var all, ids []string
	if err := webhook.Pull(t.Context(), client.New(till.URL, till.Shop.Key), at.ID, 0, func(m webhook.Message) error {
		all, ids = append(all, fmt.Sprintf("%d %s", m.Sequence, m.ID)), append(ids, m.ID)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	holds := fmt.Sprintf("checkpoint %d %s holds\n", at.Checkpoint.Sequence, at.Checkpoint.Hash)
	sent := fmt.Sprintf("%d sent, ", len(all))
	mixed := append(append([]string{"9999 not-numbered-yet"}, all[50:]...), all...)
	if said, code := audit(mixed); code != 0 || said != holds+sent+"0 missing\n" {
		t.Errorf("all, some twice and out of order: %d %s", code, said)
	}
	some := append([]string{"105 forged", "0 strange"}, all[7:100]...)
	said, code := audit(append(some, all[100:104]...))
	for seq := 1; seq <= len(all); seq++ {
		if lost := seq <= 7 || seq > 105; strings.Contains(said, fmt.Sprintf("missing %d %s webhook.", seq, ids[seq-1])) != lost {
			t.Errorf("%d is missing: %v, and not so in: %s", seq, lost, said)
		}
	}
	if code != 1 || !strings.Contains(said, "differs 105 forged, till sent "+ids[104]+"\n") || !strings.HasSuffix(said, holds+sent+fmt.Sprintf("%d missing\n", 7+len(all)-105)) {
		t.Errorf("some lost, one forged: %d %s", code, said)
	}
	if said, code := audit(all[60:], "60", over(ids[:60])); code != 0 || said != holds+fmt.Sprintf("%d sent, 0 missing\n", len(all)-60) {
		t.Errorf("above a checkpoint: %d %s", code, said)
	}
	if said, code := audit(all[60:], "60", over(ids[:59])); code != 1 || !strings.Contains(said, "does not hold") {
		t.Errorf("above a checkpoint that is none: %d %s", code, said)
	}
	key[1] += "x"
	if said, code := audit(all); code != 2 || !strings.Contains(said, "till refused: ") {
		t.Errorf("with a key that is none: %d %s", code, said)
	}
	key[0] = "TILL=http://127.0.0.1:1"
	if said, code := audit(all); code != 2 || !strings.Contains(said, "till does not answer") {
		t.Errorf("with no till: %d %s", code, said)
	}
}
