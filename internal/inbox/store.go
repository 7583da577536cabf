package inbox

import (
	"context"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
)

// state is how an event stands when it is first kept.
type state int

const (
	waiting state = iota // for the task
	leased               // its own request applies it
	settled              // there is nothing to apply
)

// insert keeps an event; fresh is false where it was kept before.
func (i *Inbox) insert(ctx context.Context, e Event, as state) (fresh bool, err error) {
	now, due, applied := i.Clock.Now(), i.machine(), time.Time{}
	switch as {
	case leased:
		due = due.Add(lease)
	case settled:
		due, applied = time.Time{}, now
	}
	err = i.DB.Write(ctx, db.Change{
		SQL: `insert into stripe_events (merchant, mode, id, generation, type, object, payload, verified, received_at, applied_at, attempts, due_at, error)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '') on conflict do nothing`,
		Args: []any{e.Merchant, e.Mode, e.ID, e.Generation, e.Type, e.Object, e.Payload, e.Verified, db.Micros(now), db.Micros(applied), e.Attempts, db.Micros(due)}, Rows: 1,
	})
	if db.IsMoved(err) {
		return false, nil
	}
	return err == nil, err
}

// claim leases the events that are longest due, at most n, of all merchants. Two nodes never get the same one while its lease lasts: the
// condition stands outside the inner query too, where the database checks it again after waiting for the other.
func (i *Inbox) claim(ctx context.Context, n int) (due []Event, err error) {
	now := i.machine()
	err = i.DB.Tx(ctx, func(tx db.Tx) (err error) {
		due, err = db.All(ctx, tx, func(r db.Row) (e Event, err error) {
			return e, r.Scan(&e.Merchant, &e.Mode, &e.ID, &e.Generation, &e.Type, &e.Object, &e.Payload, &e.Verified, &e.Attempts)
		}, `update stripe_events set due_at = $1, attempts = attempts + 1
			where due_at <= $2 and (merchant, mode, id) in (select merchant, mode, id from stripe_events where due_at <= $2 order by due_at limit $3)
			returning merchant, mode, id, generation, type, object, payload, verified, attempts`,
			db.Micros(now.Add(lease)), db.Micros(now), n)
		return err
	})
	return due, err
}

// anyDue says whether the task has work, without asking for the right to write.
func (i *Inbox) anyDue(ctx context.Context) (bool, error) {
	found, err := db.All(ctx, i.DB, db.Value[string], `select id from stripe_events where due_at <= $1 limit 1`, db.Micros(i.machine()))
	return len(found) > 0, err
}

// conclude writes how an attempt ended: applied, to be tried again, or given up. A success counts whoever made it; a failure only where no
// other attempt has begun since.
func (i *Inbox) conclude(ctx context.Context, e Event, failed error) error {
	if failed == nil {
		return i.DB.Write(ctx, db.Change{
			SQL:  `update stripe_events set applied_at = $4, due_at = null, error = '' where merchant = $1 and mode = $2 and id = $3 and applied_at is null`,
			Args: []any{e.Merchant, e.Mode, e.ID, db.Micros(i.Clock.Now())}, Rows: db.Any,
		})
	}
	var due time.Time
	if e.Attempts < mostTries {
		due = i.machine().Add(backoff(e.Attempts))
	}
	return i.DB.Write(ctx, db.Change{
		SQL:  `update stripe_events set due_at = $5, error = $6 where merchant = $1 and mode = $2 and id = $3 and attempts = $4 and applied_at is null`,
		Args: []any{e.Merchant, e.Mode, e.ID, e.Attempts, db.Micros(due), reason(failed)}, Rows: db.Any,
	})
}

// reason is an error as a text column can hold it.
func reason(err error) string {
	const most = 1000
	s := strings.ReplaceAll(err.Error(), "\x00", "")
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
