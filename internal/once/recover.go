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

// recover takes what is due and drives it in the background, a bounded number at a time, whatever else runs.
func (o *Once) recover(ctx context.Context) (more bool, err error) {
	const most = 32
	now := o.machine.Now()
	found, err := due(ctx, o.db, now, most)
	if err != nil {
		return false, err
	}
	taken := 0
	for _, f := range found {
		c := f.Call
		if !o.free(c, most) {
			continue
		}
		switch err := o.db.Write(ctx, take(c, now.Add(lease), now)); {
		case db.IsMoved(err):
			continue
		case err != nil:
			return false, err
		}
		taken++
		c.takes++
		o.log.LogAttrs(ctx, slog.LevelInfo, "call taken up", slog.String("call", c.Name), slog.String("row", c.Row), slog.Int64("attempts", c.Attempts), slog.Bool("unsure", c.Unsure))
		o.begin(c)
	}
	return taken == most, nil
}

// free says whether this node may take a call: it has room, and is not at work on that very call, which happens where it could not
// keep its lease.
func (o *Once) free(c Call, most int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.closing && o.taken < most && o.running[c.id()] == nil
}

// release leaves a call for later, with what is known of it. The next take waits longer each time, but a look-up goes on soon.
func (o *Once) release(c Call, why error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	reason := why.Error()
	if len(reason) > 500 {
		reason = reason[:500]
	}
	n := int(c.Attempts/sends) + 1
	if c.Position != "" {
		n = 1
	}
	if err := o.db.Write(ctx, append(c.trail.changes(c), released(c, o.machine.Now().Add(pause(n)), reason))...); err != nil {
		o.log.LogAttrs(ctx, slog.LevelWarn, "call not released; its lease will end", slog.String("call", c.Name), slog.String("row", c.Row), slog.Any("error", err))
	}
}
