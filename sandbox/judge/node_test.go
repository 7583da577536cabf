//go:build !race

package judge_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/sandbox"
	"github.com/till-pay/till/sandbox/judge"
)

// TestNode drives the sandbox with Stripe's client for Node, and judges the replies to it. Without Node it is skipped, but not where
// CI says that all is to be tested.
func TestNode(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("the journey with Stripe's client for Node needs %s: %v", program, err)
			}
			t.Skipf("the journey with Stripe's client for Node needs %s: %v", program, err)
		}
	}
	journeys, err := filepath.Glob("node/*.mjs")
	if err != nil || len(journeys) == 0 {
		t.Fatalf("there are no journeys: %v", err)
	}
	for _, name := range append(journeys, "node/package-lock.json") { // So that go test knows what its cached result hangs on.
		if _, err := os.Stat(name); err != nil {
			t.Fatal(err)
		}
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
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	install(ctx, t)
	run(ctx, t, server.URL, "node", "--test")
}

var installing sync.Mutex

// install gets Stripe's clients for Node, today's and older ones, where they are not there yet.
func install(ctx context.Context, t *testing.T) {
	t.Helper()
	installing.Lock()
	defer installing.Unlock()
	for _, client := range []string{"stripe", "stripe-2015", "stripe-2020", "stripe-2022"} {
		if _, err := os.Stat("node/node_modules/" + client); err == nil {
			continue
		}
		run(ctx, t, "", "npm", "ci", "--no-audit", "--no-fund")
		return
	}
}

// run runs a program in the folder of the journey and fails with what it says.
func run(ctx context.Context, t *testing.T, sandboxURL, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.WaitDelay = "node", 5*time.Second
	cmd.Env = append(os.Environ(), "STRIPE_SANDBOX_URL="+sandboxURL)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, said)
	}
}

// described is the oldest version of Stripe's API of which the sandbox's objects are as the document says.
const described = "2026-03-25"

// judged is a handler whose replies to the API are held against Stripe's document, but for those in older versions, which it does not
// describe: they are held against the newest by sandbox.TestVersionsAreInvertible.
func judged(t *testing.T, j *judge.Judge, of http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply := httptest.NewRecorder()
		of.ServeHTTP(reply, r)
		if judge.Judges(r.URL.Path) && reply.Header().Get("Stripe-Version") >= described {
			if err := j.Check(r.Method, r.URL.EscapedPath(), reply.Code, reply.Body.Bytes()); err != nil {
				t.Errorf("%v\n%.3000s", err, reply.Body)
			}
		}
		for name, values := range reply.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(reply.Code)
		if _, err := w.Write(reply.Body.Bytes()); err != nil {
			t.Logf("the client has gone: %v", err)
		}
	})
}
