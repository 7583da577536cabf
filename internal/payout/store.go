package payout

import (
	"context"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

const columns = `merchant, mode, id, version, generation, provider_ref, status, currency, amount, fee, automatic, method, destination, description, descriptor, arrival_date,
	trace_id, reconciled, original_payout, reversed_by, failure, attempts, idempotency_key, origin, created_at, updated_at, paid_at, returned_at, due_at`

func scan(r db.Row) (p Payout, err error) {
	err = r.Scan(&p.scope.Merchant, &p.scope.Mode, &p.ID, &p.version, &p.generation, &p.ProviderRef, &p.Status, &p.Currency, &p.Amount.Minor, &p.Fee.Minor, &p.Automatic,
		&p.Method, &p.Destination, &p.Description, &p.Descriptor, db.MaybeAt(&p.ArrivalDate), &p.TraceID, &p.Reconciled, &p.OriginalPayout, &p.ReversedBy, db.Document(&p.Failure),
		&p.Attempts, &p.IdempotencyKey, &p.Origin, db.At(&p.CreatedAt), db.At(&p.UpdatedAt), db.MaybeAt(&p.PaidAt), db.MaybeAt(&p.ReturnedAt), db.At(&p.dueAt))
	p.Amount.Currency, p.Fee.Currency, p.Livemode = p.Currency, p.Currency, p.scope.Mode == "live"
	return p, err
}

func insert(p Payout) db.Change {
	return db.Change{
		SQL: `insert into payouts (` + columns + `) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, '', $21, $22, $23, $24, $25,
			$26, $27, $28) on conflict do nothing`,
		Args: []any{p.scope.Merchant, p.scope.Mode, p.ID, p.version, p.generation, p.ProviderRef, string(p.Status), string(p.Currency), p.Amount.Minor, p.Fee.Minor, p.Automatic,
			p.Method, p.Destination, p.Description, p.Descriptor, db.MaybeMicros(p.ArrivalDate), p.TraceID, p.Reconciled, p.OriginalPayout, p.ReversedBy, p.Attempts,
			p.IdempotencyKey, p.Origin, db.Micros(p.CreatedAt), db.Micros(p.UpdatedAt), db.MaybeMicros(p.PaidAt), db.MaybeMicros(p.ReturnedAt), db.Micros(p.dueAt)}, Rows: 1,
	}
}

// update writes a payout under the version that was read.
func update(was, now Payout) db.Change {
	failure := ""
	if now.Failure != nil {
		failure = db.JSON(now.Failure)
	}
	return db.Change{
		SQL: `update payouts set version = version + 1, provider_ref = $5, status = $6, automatic = $7, method = $8, destination = $9, description = $10, descriptor = $11,
			arrival_date = $12, trace_id = $13, reconciled = $14, original_payout = $15, reversed_by = $16, failure = $17, attempts = $18, updated_at = $19, paid_at = $20,
			returned_at = $21, due_at = $22, fee = $23 where merchant = $1 and mode = $2 and id = $3 and version = $4`,
		Args: []any{now.scope.Merchant, now.scope.Mode, now.ID, was.version, now.ProviderRef, string(now.Status), now.Automatic, now.Method, now.Destination, now.Description,
			now.Descriptor, db.MaybeMicros(now.ArrivalDate), now.TraceID, now.Reconciled, now.OriginalPayout, now.ReversedBy, failure, now.Attempts, db.Micros(now.UpdatedAt),
			db.MaybeMicros(now.PaidAt), db.MaybeMicros(now.ReturnedAt), db.Micros(now.dueAt), now.Fee.Minor}, Rows: 1,
	}
}

func (s *Payouts) find(ctx context.Context, scope db.Scope, id string) (Payout, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from payouts where merchant = $1 and mode = $2 and id = $3`, scope.Merchant, scope.Mode, id)
}

func (s *Payouts) byProviderRef(ctx context.Context, scope db.Scope, ref string) (Payout, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from payouts where merchant = $1 and mode = $2 and provider_ref = $3 and provider_ref <> ''`, scope.Merchant, scope.Mode, ref)
}

func (s *Payouts) dueNow(ctx context.Context, limit int) ([]Payout, error) {
	return db.All(ctx, s.DB, scan, `select `+columns+` from payouts where due_at <= $1 order by due_at limit $2`, db.Micros(s.Clock.Now()), limit)
}

func postpone(p Payout, until time.Time) db.Change {
	return db.Change{
		SQL:  `update payouts set due_at = $4 where merchant = $1 and mode = $2 and id = $3 and due_at is not null`,
		Args: []any{p.scope.Merchant, p.scope.Mode, p.ID, db.Micros(until)}, Rows: db.Any,
	}
}

// Get is one payout of the merchant.
func (s *Payouts) Get(ctx context.Context, scope db.Scope, payout string) (Payout, error) {
	return api.Get(ctx, scope, payout, "payout", s.find)
}

// ListInput filters the list of payouts.
type ListInput struct {
	api.PageInput
	api.Between
	Status      string `query:"status" enum:"pending,in_transit,paid,failed,cancelled"`
	Currency    string `query:"currency" maxLength:"3"`
	Automatic   string `query:"automatic" enum:"true,false" doc:"Only those of Stripe's schedule, or only the others."`
	Method      string `query:"method" enum:"standard,instant"`
	Destination string `query:"destination" maxLength:"255" doc:"To this bank account or card at Stripe."`
	ProviderRef string `query:"provider_ref" maxLength:"255" doc:"The payout that Stripe calls so."`
}

// List is a page of payouts, newest first.
func (s *Payouts) List(ctx context.Context, scope db.Scope, in ListInput) (api.Page[Payout], error) {
	b := api.Select(columns, "payouts", scope)
	api.Filter(b, "status", in.Status)
	api.Filter(b, "method", in.Method)
	api.Filter(b, "destination", in.Destination)
	api.Filter(b, "provider_ref", in.ProviderRef)
	if in.Automatic != "" {
		b.Where(b.Equal("automatic", in.Automatic == "true"))
	}
	if in.Currency != "" {
		c, err := money.ParseCurrency(in.Currency)
		if err != nil {
			return api.Page[Payout]{}, fault.About(err, "currency")
		}
		api.Filter(b, "currency", string(c))
	}
	return api.Find(ctx, s.DB, b, in.PageInput, in.Between, scan, func(p Payout) api.Position { return api.Position{At: p.CreatedAt, ID: p.ID} })
}
