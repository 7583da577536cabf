package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The commands that are measured. Every one listens on loopback, at ports that the kernel gives, and says where.
func mockCommand(s settings) []string {
	return []string{s.mock, "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0"}
}

func sandboxCommand(s settings) []string {
	return []string{s.till, "sandbox", "--addr", "127.0.0.1:0"}
}

// besideStripeMock compares the sandbox with stripe-mock in all that both do.
func besideStripeMock(ctx context.Context, s settings, r *report) error {
	mock, err := buildinfo.ReadFile(s.mock)
	if err != nil {
		return fmt.Errorf("%w (make bench-sandbox builds it)", err)
	}
	r.add(table{title: "Machine", columns: []string{"", "this run"}, rows: [][]string{
		{"date", time.Now().UTC().Format(time.DateOnly)}, {"processors", fmt.Sprint(runtime.NumCPU())}, {"load average at the beginning", loadAverage()},
		{"Go", runtime.Version()}, {"stripe-mock", mock.Main.Version + ", built with " + mock.GoVersion}}})
	for _, part := range parts {
		if s.only == "" || s.only == "sandbox" || s.only == part.name {
			if err := part.measure(ctx, s, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// parts are what is compared.
var parts = []struct {
	name    string
	measure func(context.Context, settings, *report) error
}{{"start", starts}, {"speed", speed}, {"memory", memory}, {"growth", growth}, {"journal", journal}}

// loadAverage is how busy the machine was in the last minute; unknown where it does not say.
func loadAverage() string {
	all, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return unknown
	}
	first, _, _ := strings.Cut(string(all), " ")
	return first
}

// How often each program is started.
const timesStarted = 10

// starts compares the time from starting the program to its first answer, which makes a customer, and the memory then.
func starts(ctx context.Context, s settings, r *report) error {
	commands := [][]string{mockCommand(s), sandboxCommand(s)}
	took, memory := make([][]time.Duration, 2), make([][]int64, 2)
	for range timesStarted {
		for i, command := range commands {
			after, bytes, err := firstAnswer(ctx, command)
			if err != nil {
				return err
			}
			took[i], memory[i] = append(took[i], after), append(memory[i], bytes)
		}
	}
	figures := table{title: "Start", before: fmt.Sprintf("%d starts each, in turn; medians.", timesStarted),
		columns: []string{"", "first answer ms", "fastest, slowest ms", "memory then MB"}}
	for i, name := range []string{"stripe-mock", "sandbox"} {
		figures.rows = append(figures.rows, []string{name, ms(median(took[i])), ms(slices.Min(took[i])) + ", " + ms(slices.Max(took[i])), megabytes(median(memory[i]))})
	}
	r.add(table{title: "Start, beside stripe-mock", columns: against, rows: [][]string{
		goal{most: 1.0 / 20}.row("start to first answer", float64(median(took[1]))/float64(median(took[0]))),
		goal{}.row("memory after it", float64(median(memory[1]))/float64(median(memory[0])))}})
	r.add(figures)
	return nil
}

// firstAnswer starts a program, waits for its first answer and ends it.
func firstAnswer(ctx context.Context, command []string) (took time.Duration, memory int64, err error) {
	began := time.Now()
	one, err := launch(ctx, command...)
	if err != nil {
		return 0, 0, err
	}
	defer one.stop()
	if _, err := ask(one.addr, post(one.addr, "/v1/customers", customerBody)); err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	memory, _ = one.resident()
	return took, memory, nil
}
