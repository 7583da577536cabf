package proof

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/db/dbtest/cluster"
	"github.com/till-pay/till/internal/id"
)

var built string // a folder for what this run builds

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "till-proof-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// release and pointed are till as it is shipped, and till with points at which it can be told to die: each is built once, when first needed.
var (
	release = sync.OnceValues(func() (string, error) { return Program(built, false) })
	pointed = sync.OnceValues(func() (string, error) { return Program(built, true) })
)

func binary(t *testing.T, of func() (string, error)) string {
	t.Helper()
	path, err := of()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// report writes a summary into the test's log.
func report(t *testing.T, s *Summary) {
	t.Helper()
	var b strings.Builder
	s.Write(&b)
	t.Logf("seed %d, %.0f s\n%s", s.Seed, s.Seconds, b.String())
}

// The short matrix: each boundary of money, some other deaths, and each fault once, on both engines.
func TestKillMatrix(t *testing.T) {
	t.Parallel()
	if _, err := cluster.Binaries(); err != nil && os.Getenv("CI") != "" {
		t.Fatalf("in CI the PostgreSQL half must run: %v", err)
	}
	s, err := Prove(t.Context(), Config{Runs: 22, Faults: 1, Seed: rand.Uint64N(1e9), Program: binary(t, pointed)})
	if err != nil {
		t.Fatal(err)
	}
	report(t, s)
	if !s.Good() {
		t.Error("something was found")
	}
	for engine, points := range s.points {
		for _, b := range boundaries[engine] {
			if len(passings(points, b)) == 0 {
				t.Errorf("%s: the story does not pass %q", engine, b)
			}
		}
		if s.Points[engine] < 2000 {
			t.Errorf("%s: only %d points", engine, s.Points[engine])
		}
	}
	if s.Missed > s.Runs/3 {
		t.Errorf("%d of %d runs did not come to their points", s.Missed, s.Runs)
	}
}

// A test of the test: bugs of the kinds that it is for, each planted in till, are found, and called what they are.
func TestPlantedBugs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bug, verdict, run string
	}{
		{"settle_before_send", stuck, "sqlite/kill/before stripe write POST /v1/payment_intents:1@598260"},
		{"missing_guard", doubled, "sqlite/kill/after stripe write end of POST /v1/payment_intents:1@598260"},
		{"dedup_off", doubled, "sqlite/kill/after stripe write end of POST /v1/payment_intents:1@598260"},
		{"key_dropped", doubled, "sqlite/kill/after stripe write end of POST /v1/payment_intents:1@598260"},
		{"sweep_without_overlap", stuck, "sqlite/fault/no webhook of Stripe arrives@1"},
	} {
		t.Run(c.bug, func(t *testing.T) {
			t.Parallel()
			s, err := Prove(t.Context(), Config{Only: c.run, Program: binary(t, pointed), Bug: c.bug, Folder: t.TempDir(), Patience: 25 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			report(t, s)
			if n := map[string]int{doubled: s.Doubled, lost: s.Lost, stuck: s.Stuck}[c.verdict]; n == 0 || s.Broken > 0 {
				t.Errorf("%s was not found to make payments %s", c.bug, c.verdict)
			}
		})
	}
}

// The program that is shipped has no point at which it can be told to die, and no bug that can be planted; the one of these proofs has.
func TestTheReleaseHasNoPoints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   func() (string, error)
		want bool
	}{{release, false}, {pointed, true}} {
		program, err := os.ReadFile(binary(t, c.of))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"TILL_CRASH", "TILL_BUG", "with points", "master key folder sync", "whole reply to", "missing_guard", "dedup_off", "key_dropped", "settle_before_send", "sweep_without_overlap"} {
			if strings.Contains(string(program), word) != c.want {
				t.Errorf("%q in the program: want %v", word, c.want)
			}
		}
	}
	w := newWorld(t, setting{url: dbtest.SQLite(t)})
	log := filepath.Join(t.TempDir(), "points")
	p := w.till(binary(t, release), "TILL_CRASH=*:1", "TILL_CRASH_LOG="+log, "TILL_BUG=missing_guard")
	w.want(201, "POST", "/v1/payments", id.New(), purchase("automatic"))
	if _, err := os.Stat(log); err == nil || p.over() {
		t.Errorf("it obeys: dead %v, log %v", p.over(), err == nil)
	}
	began := time.Now()
	if !p.stop() || time.Since(began) > 20*time.Second {
		t.Error("it did not stop in time")
	}
}
