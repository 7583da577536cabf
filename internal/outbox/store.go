package outbox

import (
	"context"
	"encoding/json"
	"time"

	"github.com/huandu/go-sqlbuilder"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
)

const columns = `merchant, mode, endpoint, seq, id, event, type, status, attempts, retries, created_at, ended_at, due_at`

func scan(r db.Row) (d Delivery, err error) {
	err = r.Scan(&d.Merchant, &d.Mode, &d.endpoint, &d.Sequence, &d.ID, &d.EventID, &d.Type, &d.Status, &d.Attempts, &d.Retries,
		db.At(&d.CreatedAt), db.MaybeAt(&d.EndedAt), db.MaybeAt(&d.NextAttemptAt))
	return d, err
}

// number gives events the next numbers of an endpoint, in one list: the guard on next_seq is what keeps them without gaps. The chain moves
// on with them, unless it has older deliveries to take in first (link). due is when the next checkpoint is owed.
func number(was merchant.Endpoint, events []event.Event, due, now time.Time) []db.Change {
	is := was
	is.NextSeq += int64(len(events))
	if was.ChainSeq == was.NextSeq-1 {
		for _, e := range events {
			is.Chain, is.ChainSeq = chain(is.Chain, e.ID), is.ChainSeq+1
		}
	}
	changes := []db.Change{{
		SQL: `update endpoints set next_seq = $1, chain = $2, chain_seq = $3, checkpoint_due = $4
			where merchant = $5 and mode = $6 and id = $7 and next_seq = $8 and chain_seq = $9 and checkpoint_seq = $10`,
		Args: []any{is.NextSeq, is.Chain, is.ChainSeq, db.Micros(due), was.Merchant, was.Mode, was.ID, was.NextSeq, was.ChainSeq, was.Checkpoint.Sequence}, Rows: 1,
	}}
	for i, e := range events {
		changes = append(changes, db.Change{
			SQL: `insert into deliveries (merchant, mode, endpoint, seq, id, event, type, status, attempts, retries, created_at, due_at, lease_until)
				values ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $9, 0)`,
			Args: []any{was.Merchant, was.Mode, was.ID, was.NextSeq + int64(i), id.New(), e.ID, e.Type, Pending, db.Micros(now)}, Rows: 1,
		})
	}
	return changes
}

// link takes deliveries that were numbered before there was a chain into it: a step of those that follow chain_seq.
func link(was merchant.Endpoint, events []string) db.Change {
	is := was
	for _, e := range events {
		is.Chain, is.ChainSeq = chain(is.Chain, e), is.ChainSeq+1
	}
	return db.Change{
		SQL:  `update endpoints set chain = $1, chain_seq = $2 where merchant = $3 and mode = $4 and id = $5 and chain_seq = $6`,
		Args: []any{is.Chain, is.ChainSeq, was.Merchant, was.Mode, was.ID, was.ChainSeq}, Rows: 1,
	}
}

// unlinked are the events of the deliveries that follow the chain, in order.
func unlinked(ctx context.Context, q db.Querier, e merchant.Endpoint, limit int) ([]string, error) {
	return db.All(ctx, q, db.Value[string], `select event from deliveries where merchant = $1 and mode = $2 and endpoint = $3 and seq > $4 order by seq limit $5`,
		e.Merchant, e.Mode, e.ID, e.ChainSeq, limit)
}

// owing are the scopes whose endpoint owes a checkpoint by now, those that owe it longest first.
func owing(ctx context.Context, q db.Querier, now time.Time, limit int) ([]db.Scope, error) {
	return db.All(ctx, q, func(r db.Row) (s db.Scope, err error) { return s, r.Scan(&s.Merchant, &s.Mode) },
		`select merchant, mode from endpoints where checkpoint_due <= $1 order by checkpoint_due limit $2`, db.Micros(now), limit)
}

// state is the change that keeps a checkpoint as told. Its guards are what it states and what was told before: of two nodes one tells it.
func state(was merchant.Endpoint, now time.Time) db.Change {
	return db.Change{
		SQL: `update endpoints set checkpoint_seq = $1, checkpoint_hash = $2, checkpoint_at = $3, checkpoint_due = null
			where merchant = $4 and mode = $5 and id = $6 and next_seq = $7 and chain_seq = $1 and checkpoint_seq = $8`,
		Args: []any{was.ChainSeq, was.Chain, db.Micros(now), was.Merchant, was.Mode, was.ID, was.NextSeq, was.Checkpoint.Sequence}, Rows: 1,
	}
}

// told are the messages of an endpoint after a number, in order, as they were or will be sent.
func told(ctx context.Context, q db.Querier, e merchant.Endpoint, after int64, limit int) ([]message, error) {
	return db.All(ctx, q, func(r db.Row) (m message, err error) {
		var data string
		err = r.Scan(&m.Type, db.At(&m.Timestamp), &m.ID, &m.Sequence, &data)
		m.Data = json.RawMessage(data)
		return m, err
	}, `select e.type, e.created_at, e.id, d.seq, e.data from deliveries d join events e on e.merchant = d.merchant and e.mode = d.mode and e.id = d.event
		where d.merchant = $1 and d.mode = $2 and d.endpoint = $3 and d.seq > $4 order by d.seq limit $5`, e.Merchant, e.Mode, e.ID, after, limit)
}

// placesPerTurn bounds the endpoints that one turn looks at. It is above places, so that endpoints without room cannot hide the others.
const placesPerTurn = 256

// due are endpoints with a delivery to be made now, in order, after the given one. Leases are in the machine's time.
func due(ctx context.Context, q db.Querier, now, machine time.Time, after place) ([]place, error) {
	return db.All(ctx, q, func(r db.Row) (p place, err error) { return p, r.Scan(&p.Merchant, &p.Mode, &p.endpoint) },
		`select e.merchant, e.mode, e.id from endpoints e
		where (e.merchant, e.mode, e.id) > ($2, $3, $4) and exists (select 1 from deliveries d
			where d.merchant = e.merchant and d.mode = e.mode and d.endpoint = e.id and d.due_at <= $1 and d.lease_until <= $6)
		order by e.merchant, e.mode, e.id limit $5`,
		db.Micros(now), after.Merchant, after.Mode, after.endpoint, placesPerTurn, db.Micros(machine))
}

// claim leases the deliveries of an endpoint that are longest due. Two nodes never get the same one while its lease lasts: the
// condition stands outside the inner query too, where the database checks it again after waiting for the other.
func claim(ctx context.Context, tx db.Tx, p place, n int, now, machine time.Time) ([]Delivery, error) {
	return db.All(ctx, tx, scan, `update deliveries set lease_until = $1
		where merchant = $2 and mode = $3 and endpoint = $4 and due_at <= $5 and lease_until <= $7 and seq in (
			select seq from deliveries where merchant = $2 and mode = $3 and endpoint = $4 and due_at <= $5 and lease_until <= $7
			order by due_at, seq limit $6)
		returning `+columns, db.Micros(machine.Add(lease)), p.Merchant, p.Mode, p.endpoint, db.Micros(now), n, db.Micros(machine))
}

// settle writes what an attempt changes. Its guard is the count of attempts: of two nodes that made the same one, the first counts.
func settle(was Delivery, a Attempt, now time.Time) []db.Change {
	is := was.After(a, now)
	return []db.Change{{
		SQL: `update deliveries set status = $1, ended_at = $2, due_at = $3, attempts = $4, retries = retries + 1, lease_until = 0
			where merchant = $5 and mode = $6 and id = $7 and attempts = $8 and status = $9`,
		Args: []any{is.Status, db.MaybeMicros(is.EndedAt), db.MaybeMicros(is.NextAttemptAt), is.Attempts, was.Merchant, was.Mode, was.ID, was.Attempts, Pending}, Rows: 1,
	}, {
		SQL:  `insert into delivery_attempts (merchant, mode, delivery, attempt, started_at, took_us, status_code, error) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		Args: []any{was.Merchant, was.Mode, was.ID, a.Number, db.Micros(a.StartedAt), a.took.Microseconds(), a.StatusCode, a.Error}, Rows: 1,
	}}
}

// renew makes a delivery due now. One that has ended begins the schedule anew; one that is being sent at this moment is left to it.
func renew(scope db.Scope, id string, now, machine time.Time) db.Change {
	return db.Change{
		SQL: `update deliveries set status = $1, ended_at = null, due_at = $2, retries = case when status = $1 then retries else 0 end
			where merchant = $3 and mode = $4 and id = $5 and lease_until <= $6`,
		Args: []any{Pending, db.Micros(now), scope.Merchant, scope.Mode, id, db.Micros(machine)}, Rows: db.Any,
	}
}

func (o *Outbox) find(ctx context.Context, scope db.Scope, id string) (Delivery, error) {
	return db.One(ctx, o.DB, scan, `select `+columns+` from deliveries where merchant = $1 and mode = $2 and id = $3`, scope.Merchant, scope.Mode, id)
}

// attemptsShown bounds the log of one delivery: a merchant may redeliver for ever.
const attemptsShown = 20

// withLogs fills in the last attempts of deliveries, in order.
func withLogs(ctx context.Context, q db.Querier, scope db.Scope, found []Delivery) ([]Delivery, error) {
	if len(found) == 0 {
		return found, nil
	}
	at := map[string]*Delivery{}
	ids := make([]any, len(found))
	for i := range found {
		found[i].Log = []Attempt{}
		at[found[i].ID], ids[i] = &found[i], found[i].ID
	}
	b := sqlbuilder.PostgreSQL.NewSelectBuilder()
	b.Select("a.delivery", "a.attempt", "a.started_at", "a.took_us", "a.status_code", "a.error").From("delivery_attempts a").
		Join("deliveries d", "d.merchant = a.merchant", "d.mode = a.mode", "d.id = a.delivery").
		Where(b.Equal("a.merchant", scope.Merchant), b.Equal("a.mode", scope.Mode), b.In("a.delivery", ids...),
			"a.attempt > d.attempts - "+b.Var(attemptsShown)).
		OrderBy("a.delivery", "a.attempt")
	sql, args := b.Build()
	_, err := db.All(ctx, q, func(r db.Row) (struct{}, error) {
		var of string
		var a Attempt
		var micros int64
		err := r.Scan(&of, &a.Number, db.At(&a.StartedAt), &micros, &a.StatusCode, &a.Error)
		a.took = time.Duration(micros) * time.Microsecond
		a.DurationMS = a.took.Milliseconds()
		if d := at[of]; d != nil {
			d.Log = append(d.Log, a)
			d.LastStatusCode, d.LastError = a.StatusCode, a.Error
		}
		return struct{}{}, err
	}, sql, args...)
	return found, err
}
