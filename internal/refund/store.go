package refund

import (
	"context"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
)

const columns = `merchant, mode, id, version, generation, payment, status, currency, amount, reason, provider_ref, failure, attempts, idempotency_key, origin,
	created_at, updated_at, due_at, left_balance`

func scan(r db.Row) (x Refund, err error) {
	err = r.Scan(&x.scope.Merchant, &x.scope.Mode, &x.ID, &x.version, &x.generation, &x.PaymentID, &x.Status, &x.Currency, &x.Amount.Minor, &x.Reason, &x.ProviderRef,
		db.Document(&x.Failure), &x.Attempts, &x.IdempotencyKey, &x.Origin, db.At(&x.CreatedAt), db.At(&x.UpdatedAt), db.At(&x.dueAt), &x.left)
	x.Amount.Currency, x.Livemode = x.Currency, x.scope.Mode == "live"
	return x, err
}

func insert(r Refund) db.Change {
	return db.Change{
		SQL: `insert into refunds (` + columns + `) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', 0, $12, $13, $14, $14, $15, false) on conflict do nothing`,
		Args: []any{r.scope.Merchant, r.scope.Mode, r.ID, r.version, r.generation, r.PaymentID, string(r.Status), string(r.Currency), r.Amount.Minor, r.Reason,
			r.ProviderRef, r.IdempotencyKey, r.Origin, db.Micros(r.CreatedAt), db.Micros(r.dueAt)}, Rows: 1,
	}
}

// update writes a refund under the version that was read.
func update(was, now Refund) db.Change {
	failure := ""
	if now.Failure != nil {
		failure = db.JSON(now.Failure)
	}
	return db.Change{
		SQL: `update refunds set version = version + 1, status = $5, provider_ref = $6, failure = $7, attempts = $8, updated_at = $9, due_at = $10, left_balance = $11
			where merchant = $1 and mode = $2 and id = $3 and version = $4`,
		Args: []any{now.scope.Merchant, now.scope.Mode, now.ID, was.version, string(now.Status), now.ProviderRef, failure, now.Attempts, db.Micros(now.UpdatedAt),
			db.Micros(now.dueAt), now.left}, Rows: 1,
	}
}

func (s *Refunds) find(ctx context.Context, scope db.Scope, id string) (Refund, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from refunds where merchant = $1 and mode = $2 and id = $3`, scope.Merchant, scope.Mode, id)
}

func (s *Refunds) byProviderRef(ctx context.Context, scope db.Scope, ref string) (Refund, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from refunds where merchant = $1 and mode = $2 and provider_ref = $3`, scope.Merchant, scope.Mode, ref)
}

func (s *Refunds) dueNow(ctx context.Context, limit int) ([]Refund, error) {
	return db.All(ctx, s.DB, scan, `select `+columns+` from refunds where due_at <= $1 order by due_at limit $2`, db.Micros(s.Clock.Now()), limit)
}

func postpone(r Refund, until time.Time) db.Change {
	return db.Change{
		SQL:  `update refunds set due_at = $4 where merchant = $1 and mode = $2 and id = $3 and due_at is not null`,
		Args: []any{r.scope.Merchant, r.scope.Mode, r.ID, db.Micros(until)}, Rows: db.Any,
	}
}

// Get is one refund of the merchant.
func (s *Refunds) Get(ctx context.Context, scope db.Scope, refund string) (Refund, error) {
	return api.Get(ctx, scope, refund, "refund", s.find)
}

// ListInput filters the list of refunds.
type ListInput struct {
	api.PageInput
	api.Between
	PaymentID string `query:"payment_id" maxLength:"36"`
	Status    string `query:"status" enum:"pending,completed,failed"`
}

// List is a page of refunds, newest first.
func (s *Refunds) List(ctx context.Context, scope db.Scope, in ListInput) (api.Page[Refund], error) {
	b := api.Select(columns, "refunds", scope)
	api.Filter(b, "payment", in.PaymentID)
	api.Filter(b, "status", in.Status)
	return api.Find(ctx, s.DB, b, in.PageInput, in.Between, scan, func(r Refund) api.Position { return api.Position{At: r.CreatedAt, ID: r.ID} })
}
