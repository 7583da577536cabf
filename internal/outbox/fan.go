package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
)

// How much one turn takes: a commit stays small enough not to hold up SQLite's one writer.
const (
	scopesPerTurn   = 256
	eventsPerCommit = 100
)

// Fan numbers events that have no delivery yet and makes their deliveries. It says whether more may be waiting.
// Trouble with one merchant's events does not stop the others'.
func (o *Outbox) Fan(ctx context.Context) (more bool, err error) {
	scopes, err := event.UnfannedScopes(ctx, o.DB, scopesPerTurn)
	if err != nil {
		return false, err
	}
	var trouble []error
	for _, scope := range scopes {
		n, err := o.fan(ctx, scope)
		if err != nil {
			trouble = append(trouble, err)
		}
		more = more || n == eventsPerCommit
	}
	if len(scopes) > len(trouble) {
		o.wake(DeliverTask)
	}
	return more || len(scopes) == scopesPerTurn, errors.Join(trouble...)
}

// fan takes the oldest events of a scope, at most a commit's worth, and says how many. Where another node was first, it reads again.
//
// Events are read before the endpoint: an event that was written after the endpoint is then never taken for one without.
func (o *Outbox) fan(ctx context.Context, scope db.Scope) (n int, err error) {
	now, due := o.Clock.Now(), time.Time{}
	err = o.DB.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
		events, err := event.Unfanned(ctx, o.DB, scope, eventsPerCommit)
		n = len(events)
		if err != nil || n == 0 {
			return nil, err
		}
		var changes []db.Change
		for _, e := range events { // first of all: where another node has taken them, this guard says so
			changes = append(changes, event.Fanned(e))
		}
		endpoint, err := o.Merchants.Endpoint(ctx, scope)
		switch {
		case errors.Is(err, db.ErrNone): // nobody listens: nothing will be delivered
		case err != nil:
			return nil, err
		default:
			due = owed(endpoint, events, now)
			changes = append(changes, number(endpoint, events, due, now)...)
		}
		return changes, nil
	})
	if err == nil && !due.IsZero() && !due.After(now) {
		o.wake(CheckpointTask)
	}
	return n, err
}
