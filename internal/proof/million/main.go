// Million measures how till reads a long balance: a till process reads so many of Stripe's balance transactions from a stand-in for Stripe that works
// them out as they are asked for, is killed in the middle (kill -9), goes on in a new process, and reads some that came on top.
//
//	go run ./internal/proof/million [-lines 1000000] [-fresh 1000] [-engine sqlite|postgres]
//
// Each line was foretold (but Stripe's own fees), as the rooms post it, so that all of the work is done: read, booked, matched, payouts to their lines.
// Afterwards the books are held against the list: each line once, with its money, and nothing left but the cents that were planted. It prints the
// table of docs/benchmarks.md. The stand-in, this program and the database share the machine with till.
//
// What it leaves out: Stripe's own time for an answer (the stand-in's is within a millisecond, Stripe's some hundred), the network, conversions, and
// what a shop does meanwhile. The payments themselves are not in the database, only what was foretold of them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/till-pay/till/internal/db/dbtest/cluster"
	"github.com/till-pay/till/internal/proof"
)

func main() {
	lines := flag.Int64("lines", 1_000_000, "balance transactions that Stripe has")
	fresh := flag.Int64("fresh", 1000, "that come on top of them afterwards")
	engine := flag.String("engine", "", "sqlite or postgres; both where it is not given")
	till := flag.String("till", "", "the program to measure; built anew where it is not given")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *engine, *till, *lines, *fresh); err != nil {
		fmt.Fprintln(os.Stderr, "million:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only, binary string, lines, fresh int64) (err error) {
	folder, err := os.MkdirTemp("", "till-million-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if binary == "" {
		if binary, err = proof.Program(folder, false); err != nil {
			return err
		}
	}
	fmt.Print("| | lines | lines/s | µs a line, first tenth | last tenth | till's processor µs a line | pages asked again | most memory MB | new on top | ms | memory MB then |\n|" + repeat("---|", 11) + "\n")
	for _, engine := range []string{"sqlite", "postgres"} {
		if only != "" && only != engine {
			continue
		}
		f, err := on(ctx, engine, folder, binary, lines, fresh)
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		f.print()
	}
	return nil
}

// on tries one engine on an empty database.
func on(ctx context.Context, engine, folder, binary string, lines, fresh int64) (figures, error) {
	folder = filepath.Join(folder, engine)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return figures{}, err
	}
	defer os.RemoveAll(folder)
	url := "sqlite:" + filepath.Join(folder, "data", "till.db")
	if engine == "postgres" {
		dir, err := os.MkdirTemp("", "till-postgres-")
		if err != nil {
			return figures{}, err
		}
		defer os.RemoveAll(dir)
		server, err := cluster.Start(dir)
		if err != nil {
			return figures{}, err
		}
		defer server.Stop()
		url = server.URL
	}
	return trial(ctx, engine, url, folder, binary, lines, fresh)
}

func (f figures) print() {
	micros := func(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }
	megabytes := func(n int64) string { return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) }
	fmt.Printf("| %s | %d | %.0f | %s | %s | %s | %d | %s | %d | %d | %s |\n", f.engine, f.lines, float64(f.lines)/f.took.Seconds(), micros(f.first), micros(f.last),
		micros(f.busy), f.again, megabytes(f.peak), f.fresh, f.freshTook.Milliseconds(), megabytes(f.freshPeak))
}

func repeat(s string, n int) (all string) {
	for range n {
		all += s
	}
	return all
}
