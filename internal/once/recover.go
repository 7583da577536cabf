package once

import (
	"context"
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/task"
)

// Recovery is the task that takes up calls whose process died or gave up for the moment.
func (o *Once) Recovery() task.Task {
	return task.Task{Name: "once.recover", Every: time.Second, Run: o.recover}
}

// recover takes what is due and drives it in the background, a bounded number at a time.
func (o *Once) recover(ctx context.Context) (more bool, err error) {
	const most = 32
	o.mu.Lock()
	free := most - len(o.running)
	o.mu.Unlock()
	if free <= 0 {
		return false, nil
	}
	now := o.clock.Now()
	found, err := due(ctx, o.db, now, free)
	if err != nil {
		return false, err
	}
	for _, f := range found {
		c := f.Call
		switch err := o.db.Write(ctx, take(c, now.Add(lease), now)); {
		case db.IsMoved(err):
			continue
		case err != nil:
			return false, err
		}
		if c.Attempts == 0 && c.Unsure {
			c.Attempts = 1 // it was claimed and then its process died: whether it was sent nobody knows
		}
		o.log.LogAttrs(ctx, slog.LevelInfo, "call taken up", slog.String("call", c.Name), slog.String("row", c.Row), slog.Int64("attempts", c.Attempts), slog.Bool("unsure", c.Unsure))
		o.begin(c)
	}
	return len(found) == free, nil
}

// release leaves a call for later, with what is known of it. The next take waits longer each time.
func (o *Once) release(c Call, why error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	reason := why.Error()
	if len(reason) > 500 {
		reason = reason[:500]
	}
	if err := o.db.Write(ctx, released(c, o.clock.Now().Add(pause(int(c.Attempts/sends)+1)), reason)); err != nil {
		o.log.LogAttrs(ctx, slog.LevelWarn, "call not released; its lease will end", slog.String("call", c.Name), slog.String("row", c.Row), slog.Any("error", err))
	}
}
