package inbox

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// The bounds of applying.
const (
	atOnce   = 8                // events applied at once by one node
	patience = 30 * time.Second // for one event
	mostTry  = 20               // then an event is left, with its error; the sweeps of the rooms still find what it told
)

// begin applies an event in the background, if there is a free place; otherwise the task finds it.
func (i *Inbox) begin(e Event) {
	i.once.Do(func() { i.slots = make(chan struct{}, atOnce) })
	select {
	case i.slots <- struct{}{}:
	default:
		if i.Wake != nil {
			i.Wake(ApplyTask)
		}
		return
	}
	i.ended.Go(func() {
		defer func() { <-i.slots }()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		i.take(ctx, e)
	})
}

// apply is the task: what is due, oldest first.
func (i *Inbox) apply(ctx context.Context) (more bool, err error) {
	const batch = 50
	due, err := i.due(ctx, batch)
	if err != nil {
		return false, err
	}
	for _, e := range due {
		i.take(ctx, e)
	}
	return len(due) == batch, ctx.Err()
}

// take hands one event to its room and writes down how that went.
func (i *Inbox) take(ctx context.Context, e Event) {
	err := i.hand(ctx, e)
	if err != nil {
		i.Log.LogAttrs(ctx, slog.LevelWarn, "event not applied", slog.String("event", e.ID), slog.String("type", e.Type), slog.Int64("attempts", e.Attempts+1), slog.Any("error", err))
	}
	written, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := i.conclude(written, e, err); err != nil {
		i.Log.LogAttrs(ctx, slog.LevelWarn, "event's end not written; it will be applied again, which changes nothing", slog.String("event", e.ID), slog.Any("error", err))
	}
}

func (i *Inbox) hand(ctx context.Context, e Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	handle, ok := handlers[e.Type]
	if !ok {
		return nil // kept, and nobody's news
	}
	return handle(ctx, i, e)
}

// backoff is the wait before the next try: 1 s, 2 s, 4 s … at most an hour.
func backoff(attempts int64) time.Duration {
	return min(time.Second<<min(attempts, 12), time.Hour)
}
