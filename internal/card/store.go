package card

import (
	"context"
	"strings"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
)

const stored = `merchant, mode, id, version, generation, customer, customer_email, asked_method, payment_method, status, brand, last4, exp_month, exp_year,
	fingerprint, failure, created_at`

// columns has the default beside what is stored: it follows from the other cards, and so is always one of them where there are any.
const columns = stored + `, status = 'active' and not exists (select 1 from cards o where o.merchant = cards.merchant and o.mode = cards.mode
	and o.customer = cards.customer and o.status = 'active' and (o.created_at, o.id) < (cards.created_at, cards.id))`

func scan(r db.Row) (c Card, err error) {
	err = r.Scan(&c.scope.Merchant, &c.scope.Mode, &c.ID, &c.version, &c.generation, &c.Customer.ID, &c.Customer.Email, &c.asked, &c.PaymentMethod, &c.status,
		&c.Brand, &c.Last4, &c.ExpMonth, &c.ExpYear, &c.fingerprint, db.Document(&c.failure), db.At(&c.CreatedAt), &c.IsDefault)
	c.Provider, c.Livemode = "stripe", c.scope.Mode == "live"
	return c, err
}

func insert(c Card) db.Change {
	return db.Change{
		SQL: `insert into cards (` + stored + `, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '', 0, 0, '', '', $11, $11)`,
		Args: []any{c.scope.Merchant, c.scope.Mode, c.ID, c.version, c.generation, c.Customer.ID, c.Customer.Email, c.asked, c.PaymentMethod, c.status,
			db.Micros(c.CreatedAt)}, Rows: 1,
	}
}

// update writes a card under the version that was read.
func update(was, now Card, at time.Time) db.Change {
	failure := ""
	if now.failure != nil {
		failure = db.JSON(now.failure)
	}
	return db.Change{
		SQL: `update cards set version = version + 1, status = $5, payment_method = $6, brand = $7, last4 = $8, exp_month = $9, exp_year = $10, fingerprint = $11,
			failure = $12, updated_at = $13 where merchant = $1 and mode = $2 and id = $3 and version = $4`,
		Args: []any{now.scope.Merchant, now.scope.Mode, now.ID, was.version, now.status, now.PaymentMethod, now.Brand, now.Last4, now.ExpMonth, now.ExpYear,
			now.fingerprint, failure, db.Micros(at)}, Rows: 1,
	}
}

// Charging is the change that misses where a card may not be charged: it stands in the claim of a payment.
func Charging(scope db.Scope, id string) db.Change {
	return db.Change{SQL: `update cards set version = version where merchant = $1 and mode = $2 and id = $3 and status = 'active'`,
		Args: []any{scope.Merchant, scope.Mode, id}, Rows: 1}
}

func (s *Cards) find(ctx context.Context, scope db.Scope, id string) (Card, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from cards where merchant = $1 and mode = $2 and id = $3`, scope.Merchant, scope.Mode, id)
}

// byMethod are the cards of a payment method that may change by Stripe's word: one, or none; more only where it is saved for a second time.
func (s *Cards) byMethod(ctx context.Context, scope db.Scope, method string) ([]Card, error) {
	return db.All(ctx, s.DB, scan, `select `+columns+` from cards where merchant = $1 and mode = $2 and payment_method = $3 and status in ('saving', 'active')
		order by created_at, id limit 10`, scope.Merchant, scope.Mode, method)
}

// older counts the active cards of the same customer that were saved before this one.
func (s *Cards) older(ctx context.Context, c Card) (int64, error) {
	return db.One(ctx, s.DB, db.Value[int64], `select count(*) from cards where merchant = $1 and mode = $2 and customer = $3 and status = 'active'
		and (created_at, id) < ($4, $5)`, c.scope.Merchant, c.scope.Mode, c.Customer.ID, db.Micros(c.CreatedAt), c.ID)
}

// endedBefore counts how often this payment method was saved for this customer and then deleted or refused: each time it may be saved anew.
func (s *Cards) endedBefore(ctx context.Context, scope db.Scope, customer, method string) (int64, error) {
	return db.One(ctx, s.DB, db.Value[int64], `select count(*) from cards where merchant = $1 and mode = $2 and customer = $3 and asked_method = $4
		and status in ('deleted', 'failed')`, scope.Merchant, scope.Mode, customer, method)
}

// ListInput filters the list of cards.
type ListInput struct {
	api.PageInput
	CustomerEmail string `query:"customer_email" maxLength:"320"`
	CustomerID    string `query:"customer_id" maxLength:"36"`
}

// List is a page of active cards, newest first.
func (s *Cards) List(ctx context.Context, scope db.Scope, in ListInput) (api.Page[Card], error) {
	b := api.Select(columns, "cards", scope)
	api.Filter(b, "status", active)
	api.Filter(b, "customer_email", strings.ToLower(in.CustomerEmail))
	api.Filter(b, "customer", in.CustomerID)
	return api.Find(ctx, s.DB, b, in.PageInput, api.Between{}, scan, func(c Card) api.Position { return api.Position{At: c.CreatedAt, ID: c.ID} })
}
