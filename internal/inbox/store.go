package inbox

import (
	"context"
	"time"

	"github.com/till-pay/till/internal/db"
)

// firstTry is when the task looks at an event that its own request should have applied.
const firstTry = 5 * time.Second

// insert keeps an event; fresh is false where it was kept before.
func (i *Inbox) insert(ctx context.Context, e Event) (fresh bool, err error) {
	err = i.DB.Write(ctx, db.Change{
		SQL: `insert into stripe_events (merchant, mode, id, generation, type, object, payload, verified, received_at, attempts, due_at, error)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, '') on conflict do nothing`,
		Args: []any{e.Merchant, e.Mode, e.ID, e.Generation, e.Type, e.Object, e.Payload, e.Verified, db.Micros(e.received), db.Micros(e.received.Add(firstTry))}, Rows: 1,
	})
	if db.IsMoved(err) {
		return false, nil
	}
	return err == nil, err
}

func (i *Inbox) due(ctx context.Context, limit int) ([]Event, error) {
	return db.All(ctx, i.DB, func(r db.Row) (e Event, err error) {
		return e, r.Scan(&e.Merchant, &e.Mode, &e.ID, &e.Generation, &e.Type, &e.Object, &e.Payload, &e.Verified, &e.Attempts, db.At(&e.received))
	}, `select merchant, mode, id, generation, type, object, payload, verified, attempts, received_at from stripe_events
		where due_at <= $1 order by due_at limit $2`, db.Micros(i.Clock.Now()), limit)
}

// conclude writes how an attempt ended: applied, to be tried again, or given up.
func (i *Inbox) conclude(ctx context.Context, e Event, failed error) error {
	now := i.Clock.Now()
	applied, due, reason := any(db.Micros(now)), any(nil), ""
	if failed != nil {
		applied, reason = nil, failed.Error()
		if len(reason) > 1000 {
			reason = reason[:1000]
		}
		if e.Attempts+1 < mostTry {
			due = db.Micros(now.Add(backoff(e.Attempts)))
		}
	}
	return i.DB.Write(ctx, db.Change{
		SQL: `update stripe_events set applied_at = $4, attempts = attempts + 1, due_at = $5, error = $6
			where merchant = $1 and mode = $2 and id = $3 and applied_at is null`,
		Args: []any{e.Merchant, e.Mode, e.ID, applied, due, reason}, Rows: db.Any,
	})
}
