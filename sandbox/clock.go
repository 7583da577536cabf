package sandbox

import (
	"cmp"
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
	maxRate         = 86_400                     // a day a second
)

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now().UTC() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// timeline is a world's time, and what falls due on it. Its clock showed base when the sandbox's clock showed anchor, and goes on from
// there at a rate: 0 is frozen, 1 is real time, more is faster.
type timeline struct {
	base    time.Time
	anchor  time.Time
	rate    int64
	latest  time.Time // the latest time that now has given: a clock never goes back
	present time.Time // while something that fell due happens: when it was due
	agenda  agenda
	order   uint64

	kick    chan struct{} // tells the alarm that the next appointment has changed
	alarmed bool
	version uint64        // how often the clock was set or advanced
	changed chan struct{} // closed at the next of that
}

// appointment is something that happens at a time, under the world's lock. It is plain data: what is to happen has a name.
type appointment struct {
	At      time.Time
	Order   uint64 // of its making: what is due at the same time happens in this order
	What    string // "charge.book" is the entry book of the resource charge's Due
	Account string `json:",omitempty"` // in whose realm, where that is not the world's own
	About   string // the id of the record that it is about, or empty
	Detail  string
}

// now is the world's present, in UTC.
func (w *world) now() time.Time {
	if !w.present.IsZero() {
		return w.present
	}
	now := w.base
	if w.rate > 0 {
		passed := max(w.sandbox.clock.Now().Sub(w.anchor), 0) // less than nothing where the machine's clock was set back between two processes
		now = now.Add(min(passed, maxAhead/time.Duration(w.rate)) * time.Duration(w.rate))
	}
	if now.Before(w.latest) {
		return w.latest
	}
	w.latest = now
	return now
}

// in makes an appointment about a record, which may be nil. A full agenda drops it: the bound is far above what the other bounds let a
// world need.
func (w *realm) in(d time.Duration, what string, about *record, detail ...string) {
	w.at(w.now().Add(d), what, about, detail...)
}

func (w *realm) at(when time.Time, what string, about *record, detail ...string) {
	w.order++
	a := appointment{At: when, Order: w.order, What: what, Account: w.name()}
	if about != nil {
		a.About = about.id
	}
	if len(detail) > 0 {
		a.Detail = detail[0]
	}
	w.arrange(a)
}

// arrange puts an appointment on the agenda.
func (w *world) arrange(a appointment) {
	if due[a.What] == nil {
		panic("sandbox: nothing is named " + a.What)
	}
	if len(w.agenda) >= maxAppointments {
		return
	}
	heap.Push(&w.agenda, a)
	if w.journal != nil {
		w.journal.line.Due = append(w.journal.line.Due, a)
	}
	w.wake(w.agenda[0].Order == a.Order)
}

// wake starts the alarm, and tells it when what comes next has changed.
func (w *world) wake(changed bool) {
	if !w.alarmed {
		w.alarmed = true
		go w.alarm()
	}
	if changed {
		select {
		case w.kick <- struct{}{}:
		default:
		}
	}
}

// step runs one step in the life of the world: under its lock, once everything has happened that is due. It returns when what has
// changed is in the journal, or could not be written there and must not be acknowledged.
func (w *world) step(do func()) error {
	j, line := w.locked(do)
	if line > 0 {
		j.write(line)
	}
	return j.failure()
}

func (w *world) locked(do func()) (j *journal, line uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() {
		w.commit()
		if j = w.journal; j != nil {
			line = j.add(w)
		}
		if checked != nil {
			checked(w)
		}
	}()
	w.settle()
	do()
	return nil, 0
}

// checked is called at the end of each step. Tests hold the books against each other in it; otherwise it is nil.
var checked func(*world)

// settle lets everything happen that is due, each at its own time. The lock is held.
func (w *world) settle() {
	now := w.now()
	for len(w.agenda) > 0 && !w.agenda[0].At.After(now) {
		next := heap.Pop(&w.agenda).(appointment)
		if w.journal != nil {
			w.journal.line.Done = append(w.journal.line.Done, next.Order)
		}
		w.present = next.At
		w.happen(next)
		w.commit()
		w.journal.part(w)
	}
	w.present = time.Time{}
	w.home.dropOldEvents() // of other accounts they are when somebody looks
}

// happen does what was arranged; what was arranged about a record that is gone is not done. A failure in it is logged and ends here:
// nobody is waiting for it who could be told.
func (w *world) happen(a appointment) {
	defer func() {
		if cause := recover(); cause != nil {
			slog.Error("sandbox: something that fell due failed in the sandbox itself", "what", a.What, "about", a.About, "due", a.At, "cause", cause, "stack", string(debug.Stack()))
		}
	}()
	of := w.realmOf(a.Account)
	if of == nil {
		return // the account was deleted
	}
	var about *record
	if a.About != "" {
		if about = of.byID[a.About]; about == nil || about.gone {
			return
		}
	}
	due[a.What](of.own(), about, a.Detail)
}

// advance moves the world's clock forward by what the caller wants of its present, and lets happen what falls due on the way. It
// refuses to go back, and to leap out of bounds.
func (w *world) advance(by func(now time.Time) time.Duration) error {
	var err error
	unwritten := w.step(func() {
		d := by(w.now())
		switch {
		case d < 0 || d > maxAdvance:
			err = badControl("The clock goes forward, by at most ten years at once.")
		case w.now().Add(d).After(w.sandbox.clock.Now().Add(maxAhead)):
			err = badControl("The clock is at most a hundred years ahead.")
		default:
			w.base = w.base.Add(d)
			w.clockChanged()
			w.settle()
		}
	})
	return cmp.Or(err, unwritten)
}

// setClock gives the clock another rate, and lets it go on from a time that is not before its present. Only the clock of a world in
// which nothing has happened yet may be set back.
func (w *world) setClock(rate int64, to time.Time) error {
	var err error
	unwritten := w.step(func() {
		now := w.now()
		switch {
		case to.IsZero():
			to = now
		case to.Before(now) && w.last > w.born:
			err = badControl("The clock goes forward: only that of a world that holds no objects yet can be set back.")
			return
		case to.After(w.sandbox.clock.Now().Add(maxAhead)) || to.Year() < 2000:
			err = badControl("The clock shows a time from the year 2000 to a hundred years ahead.")
			return
		}
		w.base, w.anchor, w.rate, w.latest = to.UTC(), w.sandbox.clock.Now(), rate, to.UTC()
		w.clockChanged()
		w.settle()
	})
	return cmp.Or(err, unwritten)
}

// clockChanged tells the alarm, and whoever follows the clock.
func (w *world) clockChanged() {
	w.version++
	if w.journal != nil {
		w.journal.line.Clock = w.clockState()
	}
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
	w.wake(true)
}

// alarmEvery is how often at most the alarm settles in real time: what falls due in between happens at its own time all the same.
const alarmEvery = 5 * time.Millisecond

// alarm settles when the next appointment is due, until the sandbox is closed.
func (w *world) alarm() {
	for {
		var timer <-chan time.Time
		_ = w.step(func() { // the next request tells of a failure
			if len(w.agenda) > 0 && w.rate > 0 {
				rate := time.Duration(w.rate)
				timer = w.sandbox.clock.After(w.sandbox.pause((w.agenda[0].At.Sub(w.now()) + rate - 1) / rate))
			}
		})
		select {
		case <-timer:
		case <-w.kick:
		case <-w.sandbox.live.Done():
			return
		}
	}
}

// pause is how long the alarm sleeps when the next appointment is due after d.
func (s *Server) pause(d time.Duration) time.Duration {
	if _, machine := s.clock.(realClock); machine {
		return max(d, alarmEvery)
	}
	return d
}

// agenda is a heap by time, then order.
type agenda []appointment

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if a[i].At.Equal(a[j].At) {
		return a[i].Order < a[j].Order
	}
	return a[i].At.Before(a[j].At)
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
