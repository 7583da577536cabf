// Package clock tells the time, so that tests can hold it still and move it, and so that till can live in the time of a sandbox's world.
//
// There are two times. The clock's own is what the books are kept in and what a merchant or Stripe can name: when something happened,
// until when it is tried, when the next webhook is due. The machine's is what programs owe each other, and goes on however the clock leaps:
//
//	the clock's      created_at and every other time that is shown; resolve_by, and with it how long a call may be sent; the due times
//	                 of payments, refunds and webhook deliveries
//	the machine's    leases of calls, deliveries, events and tasks; the pauses before a call or an event is tried again; how long a caller
//	                 waits; when a call was last sent, for what may still be under way; time-outs; what is remembered for a moment;
//	                 the timestamp in the signature of an outgoing webhook, which the receiver holds against a clock of its own
//
// So a clock that leaps a month ahead ends no lease of work that is under way, and one that is frozen holds up no second try. On Real and
// on a Fake both times are one.
package clock

import (
	"sync"
	"time"
)

// Clock is where a room asks for the time. Real time passes by itself; a Fake's only when it is moved.
type Clock interface {
	// Now is the present in UTC, cut to microseconds: the precision that both databases keep.
	Now() time.Time
	// After delivers once d has passed on this clock, or on the machine's where that is faster. The channel holds one value, so nobody
	// must be reading.
	After(d time.Duration) <-chan time.Time
	// Machine is the machine's time; the clock itself where the two are one.
	Machine() Clock
}

// Leaps says whether a clock has a time of its own, which may leap while something is under way.
func Leaps(c Clock) bool { return c.Machine() != c }

// Real is the machine's own clock.
type Real struct{}

// Now implements Clock.
func (Real) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// After implements Clock.
func (Real) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Machine implements Clock.
func (r Real) Machine() Clock { return r }

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

// Machine implements Clock: a test that moves the time moves all of it.
func (f *Fake) Machine() Clock { return f }

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
