package clock

import (
	"sync"
	"time"
)

// MostRate is how many seconds may pass on a Followed clock while one passes on the machine's: a day.
const MostRate = 86_400

// Followed shows the time of another clock, of which somebody brings word now and then; between two words it goes on at the rate of the
// last. Until the first word it is the machine's own clock. It is safe for use by many goroutines.
type Followed struct {
	mu     sync.Mutex
	base   time.Time // what the other clock showed at since; zero before the first word
	since  time.Time // of the machine, with its monotonic reading
	rate   int64
	latest time.Time // the latest time shown since the first word: the clock never goes back
}

// Set takes in that the other clock shows now, and that rate seconds pass on it in each of the machine's; 0 is frozen. The first word
// sets the clock wherever it was. From then on it never goes back: where the other shows an earlier time it stands still until that has
// caught up, and Set says how far the other is behind.
func (f *Followed) Set(now time.Time, rate int64) (behind time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now = now.UTC()
	if !f.base.IsZero() {
		behind = max(f.now().Sub(now), 0)
	}
	f.base, f.since, f.rate = now, time.Now(), min(max(rate, 0), MostRate)
	f.now()
	return behind
}

// Now implements Clock.
func (f *Followed) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now().Truncate(time.Microsecond)
}

// furthest bounds how far the clock goes on without a word.
const furthest = 100 * 366 * 24 * time.Hour

// now is the time shown; the lock is held.
func (f *Followed) now() time.Time {
	if f.base.IsZero() {
		return time.Now().UTC()
	}
	now := f.base
	if f.rate > 0 {
		rate := time.Duration(f.rate)
		now = now.Add(min(time.Since(f.since), furthest/rate) * rate)
	}
	if now.Before(f.latest) {
		return f.latest
	}
	f.latest = now
	return now
}

// shortest is the least that After waits: who looks each second of a clock that runs a day a second must not do so all the time.
const shortest = 10 * time.Millisecond

// After implements Clock. It counts at the rate of this moment: who waits is to be told of a leap by whoever sets the clock.
func (f *Followed) After(d time.Duration) <-chan time.Time {
	f.mu.Lock()
	rate := time.Duration(max(f.rate, 1))
	f.mu.Unlock()
	if rate > 1 && d > shortest {
		d = max(d/rate, shortest)
	}
	return time.After(d)
}

// Machine implements Clock.
func (f *Followed) Machine() Clock { return Real{} }
