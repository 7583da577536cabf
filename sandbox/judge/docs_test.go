//go:build !race

package judge_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
)

// TestDocumentedSnippets runs the snippets of docs/sandbox.md in other languages than Go, with the address of a sandbox in place of the
// usual one, and holds what they print against their comments. Where a language or Stripe's client for it is not installed its snippet
// is skipped, but not where CI says that all is to be tested.
func TestDocumentedSnippets(t *testing.T) {
	page := string(must[[]byte](t)(os.ReadFile("../../docs/sandbox.md")))
	for language, c := range map[string]struct {
		ready func(context.Context, *testing.T) error
		run   []string // runs the text that follows
	}{
		"js":     {nodeClient, []string{"node", "--input-type=module", "--eval"}},
		"python": {pythonClient, []string{python, "-c"}},
	} {
		t.Run(language, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if err := c.ready(ctx, t); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			_, rest, _ := strings.Cut(page, "```"+language+"\n")
			snippet, _, found := strings.Cut(rest, "```")
			if !found || strings.Count(snippet, "12111") != 1 {
				t.Fatalf("docs/sandbox.md has no such snippet, or its address is elsewhere:\n%s", snippet)
			}
			port := must[*url.URL](t)(url.Parse(sandboxForSnippets(t))).Port()
			cmd := exec.CommandContext(ctx, c.run[0], append(c.run[1:], strings.ReplaceAll(snippet, "12111", port))...)
			cmd.Dir, cmd.WaitDelay = "node", 5*time.Second
			said, err := cmd.CombinedOutput()
			if want := "requires_capture\ncanceled\n"; err != nil || string(said) != want {
				t.Errorf("the snippet prints %q, not %q: %v", said, want, err)
			}
		})
	}
}

// nodeClient installs Stripe's client for Node at the version of node/package.json.
func nodeClient(ctx context.Context, t *testing.T) error {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return err
		}
	}
	install(ctx, t)
	return nil
}

// python is the interpreter that Debian's package of Stripe's client is for.
const python = "/usr/bin/python3"

func pythonClient(ctx context.Context, _ *testing.T) error {
	if said, err := exec.CommandContext(ctx, python, "-c", "import stripe").CombinedOutput(); err != nil {
		return fmt.Errorf("the snippet needs Stripe's client for Python (apt-get install python3-stripe): %w %s", err, said)
	}
	return nil
}

// sandboxForSnippets is the address of a sandbox whose replies are judged.
func sandboxForSnippets(t *testing.T) string {
	t.Helper()
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
	return server.URL
}
