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

// TestDocumentedSnippets runs the snippets of docs/sandbox.md in other languages than Go, with the address of a sandbox in place of the
// usual one, and holds what they print against their comments. Where a language or Stripe's client for it is not installed its snippet
// is skipped; but for Node not where CI says that all is to be tested.
func TestDocumentedSnippets(t *testing.T) {
	page := string(must[[]byte](t)(os.ReadFile("../../docs/sandbox.md")))
	for language, c := range map[string]struct {
		probe []string // succeeds where the snippet can be run; nil where that is seen to
		run   []string // runs the text that follows
	}{
		"js":     {nil, []string{"node", "--input-type=module", "--eval"}},
		"python": {[]string{"python3", "-c", "import stripe"}, []string{"python3", "-c"}},
		"ruby":   {[]string{"ruby", "-e", `require "stripe"`}, []string{"ruby", "-e"}},
	} {
		t.Run(language, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if _, err := exec.LookPath(c.run[0]); err != nil {
				if c.probe == nil && os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			if c.probe != nil {
				if said, err := exec.CommandContext(ctx, c.probe[0], c.probe[1:]...).CombinedOutput(); err != nil {
					t.Skipf("Stripe's client is not installed: %v %s", err, said)
				}
			} else {
				install(ctx, t)
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
