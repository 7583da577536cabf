// Package clock tells the time, so that tests and the sandbox can hold it still and move it.
package clock

import (
	"sync"
	"time"
)

// Clock is where a room asks for the time. Real time passes by itself; a Fake's only when it is moved.
type Clock interface {
	// Now is the present in UTC, cut to microseconds: the precision that both databases keep.
	Now() time.Time
	// After delivers once d has passed on this clock. The channel holds one value, so nobody must be reading.
	After(d time.Duration) <-chan time.Time
}

// Real is the machine's own clock.
type Real struct{}

// Now implements Clock.
func (Real) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// After implements Clock.
func (Real) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Fake stands still until Advance moves it. It is safe for use by many goroutines.
type Fake struct {
	mu     sync.Mutex
	now    time.Time
	alarms []alarm
}

type alarm struct {
	at time.Time
	c  chan time.Time
}

// NewFake is a clock that stands at the given time.
func NewFake(at time.Time) *Fake { return &Fake{now: at.UTC().Truncate(time.Microsecond)} }

// Now implements Clock.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// After implements Clock: the alarm rings in the Advance that reaches it.
func (f *Fake) After(d time.Duration) <-chan time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(chan time.Time, 1)
	if d <= 0 {
		c <- f.now
		return c
	}
	f.alarms = append(f.alarms, alarm{f.now.Add(d), c})
	return c
}

// Advance moves the clock forward and rings every alarm on the way. A clock never goes back: a negative d is ignored.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d < 0 {
		return
	}
	f.now = f.now.Add(d)
	waiting := f.alarms[:0]
	for _, a := range f.alarms {
		if a.at.After(f.now) {
			waiting = append(waiting, a)
			continue
		}
		a.c <- f.now
	}
	f.alarms = waiting
}
