package search

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// most bounds the states of one search.
const most = 4_000_000

var stories = []story{
	{name: "payment"},
	{name: "payment, declined", declined: true},
	{name: "payment, declined, tried again", declined: true, again: true},
	{name: "payment, 3-D Secure", challenge: true},
	{name: "payment, captured or cancelled later", manual: true},
	{name: "refund", paid: true, refunds: true},
	{name: "refund, pending first", paid: true, refunds: true, slow: true},
	{name: "refund, returned by the bank", paid: true, refunds: true, returned: true},
	{name: "refund, refused for a dispute", paid: true, refunds: true, disputed: true},
}

// Report is what one search has shown.
type Report struct {
	Story  string
	Faults int // at most
	Found
	Took time.Duration
}

// String is a line of the report.
func (r Report) String() string {
	return fmt.Sprintf("%-40s %d faults %9d states %10d moves, %d deep, %d good ends, %v", r.Story, r.Faults, r.States, r.Found.Moves, r.Depth, r.Ends, r.Took.Round(time.Millisecond))
}

// Run searches every story with so many faults at most, at any points, as many at a time as there are processors; it stops at the first flaw.
// tell hears of each search as it ends.
func Run(faults int, tell func(Report)) error {
	names := []string{delivery}
	for _, s := range stories {
		names = append(names, s.name)
	}
	var mu sync.Mutex
	var flaws []error
	todo := make(chan string, len(names))
	for _, name := range names {
		todo <- name
	}
	close(todo)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for name := range todo {
				err := one(name, "", faults, func(r Report) { mu.Lock(); tell(r); mu.Unlock() })
				if err != nil {
					mu.Lock()
					flaws = append(flaws, err)
					mu.Unlock()
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(flaws...)
}

// delivery is the name of the second machine's search.
const delivery = "webhooks out"

// one searches a story, with a bug planted if one is named.
func one(name, bug string, faults int, tell func(Report)) error {
	if name == delivery {
		return explore(name, faults, &post{bug: bug, left: faults, now: noon, next: 1}, tell)
	}
	for _, s := range stories {
		if s.name != name {
			continue
		}
		s.bug = bug
		return explore(name, faults, begin(&s, faults), tell)
	}
	return fmt.Errorf("there is no story %q", name)
}

func explore(name string, faults int, first State, tell func(Report)) error {
	began := time.Now()
	found, err := Explore(first, most)
	tell(Report{name, faults, found, time.Since(began)})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
