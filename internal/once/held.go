package once

import (
	"context"
	"errors"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
)

// The states of a call that waits for a word of its merchant, beside those in end.go. The recovery leaves both alone.
const (
	held    = "held"    // claimed, and nothing was sent
	dropped = "dropped" // held once, and never sent
)

// Hold claims a call as Run does, and sends nothing until Open. A key that was used before is answered as by Run.
func (o *Once) Hold(ctx context.Context, c Call, claim ...db.Change) (row string, replayed bool, err error) {
	first := entry{id: id.New(), Attempt: Attempt{At: o.clock.Now(), Kind: "request", Answer: "held", RequestID: api.RequestID(ctx)}}
	return o.claim(ctx, &c, held, append(claim, first.keep(c)))
}

// Open makes a held call, once, with the changes that belong to that, and waits for it as Run does. From its commit on the call is like any
// other: where the process dies, the recovery takes it up. replayed says that it had been opened before, or dropped; then nothing of the list
// is written. A *db.Moved error says that one of the list's own guards missed (At counts from 0 in changes), and the call is held as before.
func (o *Once) Open(ctx context.Context, scope db.Scope, key string, changes ...db.Change) (replayed bool, err error) {
	found, err := load(ctx, o.db, scope, key)
	if err != nil {
		return false, err
	}
	if found.state != held {
		if found.state == open {
			o.wait(ctx, found.Call, nil)
		}
		return true, nil
	}
	c := found.Call
	c.begins(o.clock.Now(), o.machine.Now())
	let := entry{id: id.New(), Attempt: Attempt{At: c.ClaimedAt, Kind: "release", Answer: "sent", RequestID: api.RequestID(ctx)}}
	err = o.db.Write(ctx, append(append([]db.Change{opened(c)}, changes...), let.keep(c))...)
	var moved *db.Moved
	switch {
	case errors.As(err, &moved) && moved.At == 0: // another request was first
		return o.Open(ctx, scope, key, changes...)
	case errors.As(err, &moved):
		return false, &db.Moved{At: moved.At - 1}
	case err != nil:
		return false, err
	}
	o.wait(ctx, c, o.begin(c))
	return false, nil
}

// opened makes a held call an open one whose first send follows at once, as insert does; it misses where the call is held no more.
func opened(c Call) db.Change {
	return db.Change{
		SQL: `update calls set state = 'open', unsure = true, attempts = 1, claimed_at = $4, sent_at = $5, lease_until = $6, resolve_by = $7
			where merchant = $1 and mode = $2 and key = $3 and state = 'held'`,
		Args: []any{c.Merchant, c.Mode, c.Key, db.Micros(c.ClaimedAt), db.Micros(c.SentAt), db.Micros(c.lease), db.Micros(c.ResolveBy)}, Rows: 1,
	}
}

// Dropped is the change that ends a held call without a send, for good: its key stays used. It misses where the call is held no more.
func Dropped(scope db.Scope, key string, at time.Time) db.Change {
	return db.Change{SQL: `update calls set state = '` + dropped + `', closed_at = $4 where merchant = $1 and mode = $2 and key = $3 and state = '` + held + `'`,
		Args: []any{scope.Merchant, scope.Mode, key, db.Micros(at)}, Rows: 1}
}
