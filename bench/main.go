// Bench measures, each time side by side in one run: the sandbox beside stripe-mock and beside what net/http allows, and payments
// through till's API beside the same calls made directly. The load shares the machine with what it measures, so only the ratios of
// one run mean something.
//
//	go run ./bench [-only sandbox|start|speed|memory|growth|journal|payments] [-till bin/till] [-mock bin/stripe-mock] [-seconds 0.5] [-rounds 5] [-json]
//	go run ./bench -profile DIR
//
// It prints the tables of docs/benchmarks.md. It talks to 127.0.0.1 only, ends by itself, and ends what it started. With
// TILL_TEST_POSTGRES set (make bench does) payments are measured on PostgreSQL too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings are what a run is told.
type settings struct {
	only, till, mock string
	profile          string
	length           time.Duration
	rounds           int
	clients          int
	requests         int64 // before the memory is compared
	customers        int64 // in the large world
	json             bool
}

// limit bounds a whole run.
const limit = 20 * time.Minute

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		exit(serve(os.Args[2:]))
	}
	var s settings
	flag.StringVar(&s.only, "only", "", "one of "+strings.Join(choices(), ", ")+"; without it, all")
	flag.StringVar(&s.till, "till", "bin/till", "the program to measure")
	flag.StringVar(&s.mock, "mock", "bin/stripe-mock", "the program to measure the sandbox beside")
	flag.StringVar(&s.profile, "profile", "", "measure nothing: write profiles of the sandbox under load into this folder")
	seconds := flag.Float64("seconds", 0.5, "length of one measurement")
	flag.IntVar(&s.rounds, "rounds", 5, "how often each measurement is taken, interleaved; medians are printed")
	flag.IntVar(&s.clients, "clients", 16, "payments under way at once")
	flag.Int64Var(&s.requests, "requests", 50_000, "payments made before the memory of the sandbox and of stripe-mock is compared")
	flag.Int64Var(&s.customers, "customers", 1_000_000, "customers of the world that is compared with one of a thousand")
	flag.BoolVar(&s.json, "json", false, "print one line of JSON for each figure instead of tables")
	flag.Parse()
	s.length = time.Duration(*seconds * float64(time.Second))
	exit(run(s))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(s settings) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if s.profile != "" {
		return profile(ctx, s)
	}
	var r report
	defer func() { r.print(os.Stdout, s.json) }()
	if err := s.measure(ctx, &r); ctx.Err() == nil {
		return err
	}
	return errors.New("stopped before the end")
}

func (s settings) measure(ctx context.Context, r *report) error {
	if s.only != "" && !slices.Contains(choices(), s.only) {
		return fmt.Errorf("-only takes one of %s", strings.Join(choices(), ", "))
	}
	if s.only != "payments" {
		if err := besideStripeMock(ctx, s, r); err != nil {
			return err
		}
	}
	if s.only == "" || s.only == "payments" {
		return payments(ctx, s, r)
	}
	return nil
}

// choices are what may be measured alone.
func choices() []string {
	all := []string{"payments", "sandbox"}
	for _, part := range parts {
		all = append(all, part.name)
	}
	return all
}
