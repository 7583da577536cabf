// Prove searches the model, then runs the kill matrix: it stages a merchant's orders again and again, kills till in the midst of them, and looks whether any payment
// was lost, doubled or stuck. `make prove` runs it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/till-pay/till/internal/proof"
	"github.com/till-pay/till/internal/proof/search"
)

type flags struct {
	Runs     int      `default:"20" help:"How many times a process dies, on each engine: spread over all points, with the boundaries of money first."`
	Faults   int      `default:"2" help:"How many times each other fault is tried, on each engine."`
	Model    int      `default:"1" help:"How many faults the model searches, at any points: 1 takes half a minute, 2 some minutes; 0 leaves it out, and the orders of events too."`
	Seed     uint64   `help:"Of all that is left to chance; drawn, and told, where it is 0."`
	Only     string   `placeholder:"RUN" help:"Repeat one run, by the name that a summary gave it."`
	Engines  []string `enum:"sqlite,postgres" placeholder:"sqlite,postgres" help:"Both where it is not given."`
	Parallel int      `default:"24" help:"How many runs at a time: they mostly wait."`
	Program  string   `placeholder:"FILE" help:"A till that was built with -tags prove; built anew where it is not given."`
	Folder   string   `placeholder:"DIR" help:"Where runs that fail leave their logs."`
	Keep     bool     `help:"Keep the logs of all runs, not only of those that fail."`
	JSON     bool     `name:"json" help:"The summary as JSON on stdout, in place of the table."`
	Bug      string   `hidden:""`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("prove"), kong.Description("Kill till before and after each of its reads and writes, break what it stands on, and look whether a payment was doubled, lost or stuck.\n\n"+
		"Examples:\n\n  make prove RUNS=20\n  make prove RUNS=1000 SEED=7\n  make prove ONLY='sqlite/kill/after stripe write POST /v1/refunds:1@42'\n\n"+
		"The status is 0 where nothing was found."))
	if f.Seed == 0 {
		f.Seed = rand.Uint64N(1e9) + 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if f.Model > 0 && f.Only == "" {
		if err := model(ctx, f.Model, f.JSON); err != nil {
			fmt.Fprintln(os.Stderr, "prove:", err)
			os.Exit(1)
		}
	}
	fmt.Fprintf(os.Stderr, "seed %d\n", f.Seed)
	s, err := proof.Prove(ctx, proof.Config{Runs: f.Runs, Faults: f.Faults, Seed: f.Seed, Only: f.Only, Engines: f.Engines, Parallel: f.Parallel, Program: f.Program,
		Bug: f.Bug, Folder: f.Folder, Keep: f.Keep, Progress: progress()})
	if s != nil && s.Runs > 0 {
		fmt.Fprintln(os.Stderr)
		show(s, f.JSON)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
	}
	if err != nil || !s.Good() {
		os.Exit(1)
	}
}

// model searches the machines and the orders of events, and prints what that has shown.
func model(ctx context.Context, faults int, asJSON bool) error {
	out := os.Stdout
	if asJSON {
		out = os.Stderr
	}
	fmt.Fprintf(out, "Every order of what may happen, with at most %d faults:\n\n", faults)
	var states, moves int
	err := search.Run(faults, func(r search.Report) {
		states, moves = states+r.States, moves+r.Found.Moves
		fmt.Fprintf(out, "  %s\n", r)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nmodel: %d states, %d moves, nothing doubled, lost or stuck\n\nEvery order of what Stripe says, each word once or twice:\n\n", states, moves)
	orders := new(big.Int)
	err = search.Orders(ctx, func(c search.Convergence) {
		orders.Add(orders, c.Orders)
		fmt.Fprintf(out, "  %s\n", c)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\norders: %v, each story ends alike in all of its own\n\n", orders)
	return nil
}

func show(s *proof.Summary, asJSON bool) {
	if !asJSON {
		s.Write(os.Stdout)
		return
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	_ = out.Encode(s)
}

// progress writes one line that changes, on a terminal; elsewhere a line now and then.
func progress() func(string) {
	terminal := false
	if info, err := os.Stderr.Stat(); err == nil {
		terminal = info.Mode()&os.ModeCharDevice != 0
	}
	const sparse = 10 * time.Second
	var mu sync.Mutex
	var last time.Time
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		running := strings.Contains(line, " runs: ")
		switch {
		case terminal && running:
			fmt.Fprintf(os.Stderr, "\r\033[K%s", line)
		case terminal:
			fmt.Fprintf(os.Stderr, "\r\033[K%s\n", line)
		case !running || time.Since(last) > sparse:
			last = time.Now()
			fmt.Fprintln(os.Stderr, line)
		}
	}
}
