package inbox

import (
	"context"
	"errors"
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

// insert keeps an event, and writes what else goes with a new one; fresh is false where it was kept before.
func (i *Inbox) insert(ctx context.Context, e Event, as state, also ...db.Change) (fresh bool, err error) {
	now, due, applied := i.Clock.Now(), i.machine(), time.Time{}
	switch as {
	case leased:
		due = due.Add(lease)
	case settled:
		due, applied = time.Time{}, now
	}
	err = i.DB.Write(ctx, append([]db.Change{{
		SQL: `insert into stripe_events (merchant, mode, id, generation, type, object, payload, verified, received_at, applied_at, attempts, due_at, error, source, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', $13, $14) on conflict do nothing`,
		Args: []any{e.Merchant, e.Mode, e.ID, e.Generation, e.Type, e.Object, e.Payload, e.Verified, db.Micros(now), db.Micros(applied), e.Attempts, db.Micros(due),
			e.Source, e.CreatedAt.UnixMicro()}, Rows: 1,
	}}, also...)...)
	if db.IsMoved(err) {
		return false, nil
	}
	return err == nil, err
}

const columns = `merchant, mode, id, generation, type, object, payload, verified, attempts, source, created_at`

func scan(r db.Row, e *Event) error {
	return r.Scan(&e.Merchant, &e.Mode, &e.ID, &e.Generation, &e.Type, &e.Object, &e.Payload, &e.Verified, &e.Attempts, &e.Source, db.At(&e.CreatedAt))
}

// claim leases the events that are longest due, at most n, of all merchants. Two nodes never get the same one while its lease lasts: the
// condition stands outside the inner query too, where the database checks it again after waiting for the other.
func (i *Inbox) claim(ctx context.Context, n int) (due []Event, err error) {
	now := i.machine()
	err = i.DB.Tx(ctx, func(tx db.Tx) (err error) {
		due, err = db.All(ctx, tx, func(r db.Row) (e Event, err error) {
			return e, scan(r, &e)
		}, `update stripe_events set due_at = $1, attempts = attempts + 1
			where due_at <= $2 and (merchant, mode, id) in (select merchant, mode, id from stripe_events where due_at <= $2 order by due_at limit $3)
			returning `+columns,
			db.Micros(now.Add(lease)), db.Micros(now), n)
		return err
	})
	return due, err
}

// whatever is the number of attempts of an event that is taken up however it stands, even where it was applied.
const whatever int64 = -1

// takeUp leases an event that is kept, to be applied once more by whoever called; mine is false where another attempt has begun since it
// was seen, or it was applied.
func (i *Inbox) takeUp(ctx context.Context, e *Event, attempts int64) (mine bool, err error) {
	sql, args := `update stripe_events set due_at = $4, attempts = attempts + 1, applied_at = null, error = '' where merchant = $1 and mode = $2 and id = $3`,
		[]any{e.Merchant, e.Mode, e.ID, db.Micros(i.machine().Add(lease))}
	if attempts != whatever {
		sql, args = sql+` and applied_at is null and attempts = $5`, append(args, attempts)
	}
	err = i.DB.Tx(ctx, func(tx db.Tx) (err error) {
		e.Attempts, err = db.One(ctx, tx, db.Value[int64], sql+` returning attempts`, args...)
		return err
	})
	if errors.Is(err, db.ErrNone) {
		return false, nil
	}
	return err == nil, err
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
