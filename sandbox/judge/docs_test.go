//go:build !race

package judge_test

import (
	"context"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

// TestDocumentedNode runs the snippet in JavaScript of docs/sandbox.md, with the address of a sandbox in place of the usual one, and
// holds what it prints against its comments. TestNode installs Stripe's client.
func TestDocumentedNode(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	page := string(must[[]byte](t)(os.ReadFile("../../docs/sandbox.md")))
	_, rest, _ := strings.Cut(page, "```js\n")
	snippet, _, found := strings.Cut(rest, "```")
	if !found || strings.Count(snippet, "12111") != 1 {
		t.Fatalf("docs/sandbox.md has no snippet in JavaScript, or its address is elsewhere:\n%s", snippet)
	}
	j, err := court()
	if err != nil {
		t.Fatal(err)
	}
	s := sandbox.NewServer()
	server := httptest.NewServer(judged(t, j, s))
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install(ctx, t)
	port := must[*url.URL](t)(url.Parse(server.URL)).Port()
	cmd := exec.CommandContext(ctx, "node", "--input-type=module", "--eval", strings.ReplaceAll(snippet, "12111", port))
	cmd.Dir, cmd.WaitDelay = "node", 5*time.Second
	said, err := cmd.CombinedOutput()
	if want := "requires_capture\ncanceled\n"; err != nil || string(said) != want {
		t.Errorf("the snippet prints %q, not %q: %v", said, want, err)
	}
}
