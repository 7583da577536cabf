package message

import (
	"context"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
)

const columns = `merchant, mode, id, payment, template, recipient, subject, body, figures, state, attempts, error, created_at, sent_at, due_at`

func scan(r db.Row) (m Message, err error) {
	err = r.Scan(&m.scope.Merchant, &m.scope.Mode, &m.ID, &m.PaymentID, &m.Template, &m.To, &m.Subject, &m.Body, db.Document(&m.Figures), &m.State, &m.Attempts, &m.Error,
		db.At(&m.CreatedAt), db.MaybeAt(&m.SentAt), db.At(&m.dueAt))
	return m, err
}

// insert misses where this message was written before.
func insert(m Message) db.Change {
	return db.Change{
		SQL:  `insert into messages (` + columns + `, lease_until) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '', $11, null, $11, 0) on conflict do nothing`,
		Args: []any{m.scope.Merchant, m.scope.Mode, m.ID, m.PaymentID, m.Template, m.To, m.Subject, m.Body, db.JSON(m.Figures), string(m.State), db.Micros(m.CreatedAt)},
		Rows: 1,
	}
}

func (s *Messages) find(ctx context.Context, scope db.Scope, id string) (Message, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from messages where merchant = $1 and mode = $2 and id = $3`, scope.Merchant, scope.Mode, id)
}

func (s *Messages) of(ctx context.Context, scope db.Scope, payment, template string) (Message, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from messages where merchant = $1 and mode = $2 and payment = $3 and template = $4`,
		scope.Merchant, scope.Mode, payment, template)
}

// List is a page of messages, newest first.
func (s *Messages) List(ctx context.Context, scope db.Scope, in ListInput) (api.Page[Message], error) {
	b := api.Select(columns, "messages", scope)
	api.Filter(b, "state", in.State)
	api.Filter(b, "template", in.Template)
	api.Filter(b, "recipient", in.To)
	api.Filter(b, "payment", in.PaymentID)
	return api.Find(ctx, s.DB, b, in.PageInput, in.Between, scan, func(m Message) api.Position { return api.Position{At: m.CreatedAt, ID: m.ID} })
}

// due are messages of every merchant that may be sent now, or whose node has left them while it was at them.
func (s *Messages) due(ctx context.Context) ([]Message, error) {
	return db.All(ctx, s.DB, scan, `select `+columns+` from messages where due_at <= $1 and lease_until <= $2 order by due_at limit $3`,
		db.Micros(s.Clock.Now()), db.Micros(s.Clock.Machine().Now()), batch)
}

// claim takes a message for this node, before the first byte leaves. It misses where another was first.
func claim(m Message, until time.Time) db.Change {
	return db.Change{
		SQL: `update messages set state = 'sending', attempts = attempts + 1, lease_until = $5
			where merchant = $1 and mode = $2 and id = $3 and state = 'queued' and attempts = $4`,
		Args: []any{m.scope.Merchant, m.scope.Mode, m.ID, m.Attempts, db.Micros(until)}, Rows: 1,
	}
}

// settle writes down what became of a message that was in a state, after so many attempts.
func settle(m Message, was State, attempts int64) db.Change {
	return db.Change{
		SQL: `update messages set state = $6, error = $7, sent_at = $8, due_at = $9, lease_until = 0
			where merchant = $1 and mode = $2 and id = $3 and state = $4 and attempts = $5`,
		Args: []any{m.scope.Merchant, m.scope.Mode, m.ID, string(was), attempts, string(m.State), m.Error, db.MaybeMicros(m.SentAt), db.Micros(m.dueAt)}, Rows: 1,
	}
}
