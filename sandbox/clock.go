package sandbox

import (
	"container/heap"
	"log/slog"
	"runtime/debug"
	"time"
)

// Bounds of a world's timeline.
const (
	maxAppointments = 4_000_000                  // outstanding at once
	maxAdvance      = 10 * 366 * 24 * time.Hour  // of one call
	maxAhead        = 100 * 366 * 24 * time.Hour // of all together
)

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now().UTC() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// timeline is a world's time: the sandbox's clock plus what the world has been advanced by, and what falls due on it.
type timeline struct {
	ahead   time.Duration
	present time.Time // while something that fell due happens: when it was due
	agenda  agenda
	order   uint64
	kick    chan struct{} // tells the alarm that the next appointment has changed
	alarmed bool
}

// appointment is something that happens at a time, under the world's lock.
type appointment struct {
	at    time.Time
	order uint64 // of its making: what is due at the same time happens in this order
	do    func()
}

// now is the world's present, in UTC.
func (w *world) now() time.Time {
	if !w.present.IsZero() {
		return w.present
	}
	return w.sandbox.clock.Now().UTC().Add(w.ahead)
}

// in makes an appointment. A full agenda drops it: the bound is far above what the other bounds let a world need.
func (w *world) in(d time.Duration, do func()) { w.at(w.now().Add(d), do) }

func (w *world) at(when time.Time, do func()) {
	if len(w.agenda) >= maxAppointments {
		return
	}
	w.order++
	heap.Push(&w.agenda, appointment{when, w.order, do})
	if !w.alarmed {
		w.alarmed = true
		go w.alarm()
	}
	if w.agenda[0].order == w.order {
		select {
		case w.kick <- struct{}{}:
		default:
		}
	}
}

// settle lets everything happen that is due, each at its own time. The lock is held.
func (w *world) settle() {
	now := w.now()
	for len(w.agenda) > 0 && !w.agenda[0].at.After(now) {
		next := heap.Pop(&w.agenda).(appointment)
		w.present = next.at
		next.run()
	}
	w.present = time.Time{}
	w.dropOldEvents()
}

// run does what was arranged. A failure in it is logged and ends here: nobody is waiting for it who could be told.
func (a appointment) run() {
	defer func() {
		if cause := recover(); cause != nil {
			slog.Error("sandbox: something that fell due failed in the sandbox itself", "due", a.at, "cause", cause, "stack", string(debug.Stack()))
		}
	}()
	a.do()
}

// advance moves the world's clock forward by what the caller wants of its present, and lets happen what falls due on the way. It
// refuses to go back, and to leap out of bounds.
func (w *world) advance(by func(now time.Time) time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settle()
	d := by(w.now())
	if d < 0 || d > maxAdvance {
		return badControl("The clock goes forward, by at most ten years at once.")
	}
	if w.ahead+d > maxAhead {
		return badControl("The clock is at most a hundred years ahead.")
	}
	w.ahead += d
	w.settle()
	select {
	case w.kick <- struct{}{}:
	default:
	}
	return nil
}

// alarm settles when the next appointment is due, until the sandbox is closed.
func (w *world) alarm() {
	for {
		var due <-chan time.Time
		w.mu.Lock()
		w.settle()
		if len(w.agenda) > 0 {
			due = w.sandbox.clock.After(w.agenda[0].at.Sub(w.now()))
		}
		w.mu.Unlock()
		select {
		case <-due:
		case <-w.kick:
		case <-w.sandbox.live.Done():
			return
		}
	}
}

// agenda is a heap by time, then order.
type agenda []appointment

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].order < a[j].order
	}
	return a[i].at.Before(a[j].at)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(appointment)) }
func (a *agenda) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = appointment{} // let go of what it refers to
	*a = old[:len(old)-1]
	return last
}
