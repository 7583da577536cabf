package inbox

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of applying.
const (
	places    = 8                // events applied at once by one node
	patience  = 30 * time.Second // for one event
	lease     = time.Minute      // longer than patience and the write after it: then its node is taken for dead
	mostTries = 20               // over a day and a half; then an event is left, with its error, and the sweeps of the rooms find what it told
)

// backoff is the wait after so many tries: 1 s, 2 s, 4 s … at most six hours, and up to a tenth more by chance.
func backoff(tries int64) time.Duration {
	wait := min(time.Second<<min(tries-1, 15), 6*time.Hour)
	return wait + rand.N(wait/10)
}

// desk is what this node applies at the moment.
type desk struct {
	busy   atomic.Int64
	behind atomic.Bool // something was left to the task for want of a place
	ended  sync.WaitGroup
}

// reserve takes up to n free places and says how many.
func (d *desk) reserve(n int64) int64 {
	for {
		busy := d.busy.Load()
		n := min(n, places-busy)
		if n <= 0 || d.busy.CompareAndSwap(busy, busy+n) {
			return max(n, 0)
		}
	}
}

func (d *desk) release(n int64) { d.busy.Add(-n) }

// apply is the task: it takes what is due, as much as there are free places, and does not wait for its end.
func (i *Inbox) apply(ctx context.Context) (more bool, err error) {
	if any, err := i.anyDue(ctx); err != nil || !any {
		return false, err
	}
	free := i.desk.reserve(places)
	if free == 0 {
		i.desk.behind.Store(true)
		return false, nil
	}
	due, err := i.claim(ctx, int(free))
	i.desk.release(free - int64(len(due)))
	if int64(len(due)) == free {
		i.desk.behind.Store(true)
	}
	for _, e := range due {
		i.start(ctx, e)
	}
	return false, err
}

// start applies an event in the background, in a place that is reserved. The request that brought it is answered by then: its context
// must not cut the work.
func (i *Inbox) start(ctx context.Context, e Event) {
	ctx = context.WithoutCancel(ctx)
	i.desk.ended.Go(func() {
		_ = i.try(ctx, e) // it is written down
		i.desk.release(1)
		if i.desk.behind.Swap(false) {
			i.wake()
		}
	})
}

// try hands one event to its room and writes down how that went.
func (i *Inbox) try(ctx context.Context, e Event) (failed error) {
	bounded, cancel := context.WithTimeout(ctx, patience)
	failed = i.hand(bounded, e)
	cancel()
	if failed != nil {
		i.Log.LogAttrs(ctx, slog.LevelWarn, "event not applied", slog.String("event", e.ID), slog.String("type", e.Type), slog.Int64("attempts", e.Attempts), slog.Any("error", failed))
	}
	if err := i.conclude(ctx, e, failed); err != nil {
		i.Log.LogAttrs(ctx, slog.LevelWarn, "event's end not written; it will be applied again, which changes nothing", slog.String("event", e.ID), slog.Any("error", err))
	}
	return failed
}

// hand gives an event to its room. A panic is a failure of this event only.
func (i *Inbox) hand(ctx context.Context, e Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	handle, ok := handlers[e.Type]
	if !ok {
		return nil // kept by an earlier build that knew the type
	}
	return handle(ctx, i, e)
}

// Hand gives an event to its room by the table, and writes nothing of it down: for the proofs, which hear events in every order.
func (i *Inbox) Hand(ctx context.Context, e Event) error { return i.hand(ctx, e) }
