package once

import (
	"context"
	"encoding/json"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/stripe"
)

const columns = `merchant, mode, key, name, hash, row_id, provider_key, generation, unsure, attempts, claimed_at, sent_at, lease_until, resolve_by, position, takes, state`

func scan(r db.Row) (s stored, err error) {
	c := &s.Call
	err = r.Scan(&c.Merchant, &c.Mode, &c.Key, &c.Name, &c.Hash, &c.Row, &c.ProviderKey, &c.Generation, &c.Unsure, &c.Attempts,
		db.At(&c.ClaimedAt), db.At(&c.SentAt), db.At(&c.lease), db.At(&c.ResolveBy), &c.Position, &c.takes, &s.state)
	return s, err
}

type stored struct {
	Call
	state string
}

// insert takes the key. Of an open call it records the first send too, which follows at once: whoever finds the call after a crash must take
// that send for made. Of a held one nothing was sent.
func insert(c Call, state string) db.Change {
	sent := int64(1)
	if state == held {
		sent = 0
	}
	return db.Change{
		SQL: `insert into calls (merchant, mode, key, name, hash, row_id, provider_key, generation, state, unsure, attempts, claimed_at, sent_at, lease_until, resolve_by, position, takes, error)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '', $16, '') on conflict do nothing`,
		Args: []any{c.Merchant, c.Mode, c.Key, c.Name, c.Hash, c.Row, c.ProviderKey, c.Generation, state, sent > 0, sent,
			db.Micros(c.ClaimedAt), db.Micros(c.SentAt), db.Micros(c.lease), db.Micros(c.ResolveBy), c.takes}, Rows: 1,
	}
}

func find(ctx context.Context, q db.Querier, scope db.Scope, key string) (c Call, isOpen bool, err error) {
	s, err := load(ctx, q, scope, key)
	return s.Call, s.state == open, err
}

// Known says whether a key was used before.
func (o *Once) Known(ctx context.Context, scope db.Scope, key string) (bool, error) {
	n, err := db.One(ctx, o.db, db.Value[int64], `select count(*) from calls where merchant = $1 and mode = $2 and key = $3`, scope.Merchant, scope.Mode, key)
	return n > 0, err
}

func load(ctx context.Context, q db.Querier, scope db.Scope, key string) (stored, error) {
	return db.One(ctx, q, scan, `select `+columns+` from calls where merchant = $1 and mode = $2 and key = $3`, scope.Merchant, scope.Mode, key)
}

// RefusedBefore counts the calls of a name about a row that Stripe refused: a key derived from what a call does carries this number,
// so that a refused call can be tried again while a running one cannot be doubled.
func RefusedBefore(ctx context.Context, q db.Querier, scope db.Scope, row, name string) (int64, error) {
	return db.One(ctx, q, db.Value[int64], `select count(*) from calls where merchant = $1 and mode = $2 and row_id = $3 and name = $4 and state = 'refused'`,
		scope.Merchant, scope.Mode, row, name)
}

// begun records one more send before it is made.
func begun(c Call) db.Change {
	return db.Change{
		SQL:  `update calls set unsure = true, attempts = $5, sent_at = $6 where merchant = $1 and mode = $2 and key = $3 and takes = $4 and state = 'open'`,
		Args: []any{c.Merchant, c.Mode, c.Key, c.takes, c.Attempts, db.Micros(c.SentAt)}, Rows: 1,
	}
}

// extend keeps the lease of an open call; it does nothing where another node has taken the call.
func extend(c Call, until time.Time) db.Change {
	return db.Change{
		SQL:  `update calls set lease_until = $5 where merchant = $1 and mode = $2 and key = $3 and takes = $4 and state = 'open'`,
		Args: []any{c.Merchant, c.Mode, c.Key, c.takes, db.Micros(until)}, Rows: db.Any,
	}
}

// take gets a call whose lease has ended; it misses where another node was first.
func take(c Call, until, now time.Time) db.Change {
	return db.Change{
		SQL: `update calls set takes = takes + 1, lease_until = $5
			where merchant = $1 and mode = $2 and key = $3 and takes = $4 and state = 'open' and lease_until <= $6`,
		Args: []any{c.Merchant, c.Mode, c.Key, c.takes, db.Micros(until), db.Micros(now)}, Rows: 1,
	}
}

// closed ends a call: whoever knows that it was done, but only the node that has it where it was refused.
func closed(c Call, e ending, now time.Time) db.Change {
	why, holder := "", int64(0)
	if e.state == refused {
		why, holder = db.JSON(reason{e.why.Status, e.why.Type, e.why.Code, e.why.Message, e.why.Param}), c.takes
	}
	return db.Change{
		SQL: `update calls set state = $4, attempts = $5, sent_at = $6, closed_at = $7, position = '', error = $8
			where merchant = $1 and mode = $2 and key = $3 and (takes = $9 or $9 = 0) and state = 'open'`,
		Args: []any{c.Merchant, c.Mode, c.Key, e.state, c.Attempts, db.Micros(c.SentAt), db.Micros(now), why, holder}, Rows: 1,
	}
}

// reason is how a closed call remembers why Stripe did nothing: with status and type, by which stripe.Meaning tells a refused key.
type reason struct {
	Status                     int
	Type, Code, Message, Param string
}

// Refusal is why Stripe refused the call of a key, or nil where it did not, or has not ended.
func (o *Once) Refusal(ctx context.Context, scope db.Scope, key string) (*stripe.Error, error) {
	var state string
	var why reason
	_, err := db.One(ctx, o.db, func(r db.Row) (int, error) {
		var text string
		if err := r.Scan(&state, &text); err != nil || state != refused || text == "" {
			return 0, err
		}
		return 0, json.Unmarshal([]byte(text), &why)
	}, `select state, error from calls where merchant = $1 and mode = $2 and key = $3`, scope.Merchant, scope.Mode, key)
	if err != nil || state != refused {
		return nil, err
	}
	return &stripe.Error{Status: why.Status, Type: why.Type, Code: why.Code, Message: why.Message, Param: why.Param}, nil
}

// Fault is a refusal as the merchant hears it: about the field param, in a sentence that takes Stripe's own words; but a key that Stripe
// refuses is told as such, whatever was asked under it.
func Fault(why *stripe.Error, param, sentence string) error {
	if stripe.Meaning(why) == stripe.BadCredentials {
		return fault.New(fault.ProviderCredentials, "", "Stripe refuses the merchant's secret key; nothing was charged or changed. Give a good one: PUT /v1/merchant/providers.")
	}
	return fault.New(fault.ProviderRefused, param, sentence, why.Message)
}

// released leaves a call for later, with what is known of it. It does nothing where another node has taken the call.
func released(c Call, until time.Time, why string) db.Change {
	return db.Change{
		SQL: `update calls set lease_until = $5, unsure = $6, attempts = $7, sent_at = $8, position = $9, error = $10
			where merchant = $1 and mode = $2 and key = $3 and takes = $4 and state = 'open'`,
		Args: []any{c.Merchant, c.Mode, c.Key, c.takes, db.Micros(until), c.Unsure, c.Attempts, db.Micros(c.SentAt), c.Position, why}, Rows: db.Any,
	}
}

// due are open calls whose lease has ended, the longest waiting first.
func due(ctx context.Context, q db.Querier, now time.Time, limit int) ([]stored, error) {
	return db.All(ctx, q, scan, `select `+columns+` from calls where state = 'open' and lease_until <= $1 order by lease_until limit $2`, db.Micros(now), limit)
}
