package main

import (
	"context"
	"errors"
)

// memoryConnections is over how many connections the memory's load comes.
const memoryConnections = 16

// footprint is what a server took of the machine's memory, in bytes.
type footprint struct{ before, after, peak, objects int64 }

// each is what the memory has grown by for each object: with all that the garbage collector keeps in reserve.
func (f footprint) each() float64 { return float64(f.after-f.before) / float64(max(f.objects, 1)) }

// memory compares the resident memory of the sandbox and of stripe-mock after the same number of the same requests. The sandbox keeps
// what it is told, so its memory is two figures: what it has before the load, and what each stored object adds.
func memory(ctx context.Context, s settings, r *report) error {
	var mock, box footprint
	for _, one := range []struct {
		*footprint
		command []string
		keeps   bool
	}{{&mock, mockCommand(s), false}, {&box, sandboxCommand(s), true}} {
		if err := one.measure(ctx, s, one.command, one.keeps); err != nil {
			return err
		}
	}
	if mock.after == 0 {
		return errors.New("this system does not say how much memory a process has")
	}
	r.add(table{title: "Memory, beside stripe-mock", columns: against, rows: [][]string{
		goal{most: 1.0 / 3}.row("sandbox before the load, stripe-mock after it", float64(box.before)/float64(mock.after)),
		goal{}.row("both after it", float64(box.after)/float64(mock.after))}})
	r.add(table{title: "Memory", before: "Before and after " + thousands(s.requests) + " of the payments above.",
		columns: []string{"", "before MB", "after MB", "at most MB", "objects stored", "bytes an object"},
		rows: [][]string{{"stripe-mock", megabytes(mock.before), megabytes(mock.after), megabytes(mock.peak), "", ""},
			{"sandbox", megabytes(box.before), megabytes(box.after), megabytes(box.peak), thousands(box.objects), thousands(int64(box.each()))}}})
	return nil
}

func (f *footprint) measure(ctx context.Context, s settings, command []string, keeps bool) error {
	one, err := launch(ctx, command...)
	if err != nil {
		return err
	}
	defer one.stop()
	if _, err := ask(one.addr, post(one.addr, "/v1/customers", customerBody)); err != nil {
		return err
	}
	f.before, _ = one.resident()
	if _, err := load(ctx, one.addr, pay(one.addr), loading{connections: memoryConnections, count: s.requests}); err != nil {
		return err
	}
	f.after, f.peak = one.resident()
	if !keeps {
		return nil
	}
	if f.objects, err = total(one.addr); err != nil {
		return err
	}
	return holds(one.addr, "payment_intent", s.requests)
}

// total counts all that a sandbox holds.
func total(addr string) (n int64, err error) {
	all, err := objects(addr)
	for _, of := range all {
		n += of
	}
	return n, err
}
