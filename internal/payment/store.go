package payment

import (
	"context"
	"slices"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/ledger"
)

const columns = `merchant, mode, id, version, generation, status, currency, amount, capturing, captured, refunding, refunded, disputed, fee, provider, provider_ref,
	provider_status, charge_ref, payment_method, saved_card, customer, customer_email, customer_ref, provider_customer, description, suffix, capture_method, return_url,
	metadata, failure, next_action, cancelling, attempts, idempotency_key, created_at, updated_at, resolve_by, due_at,
	likeness, card_fingerprint, held, account_country,
	card_brand, card_country, card_funding, card_last4, three_d_secure, outcome_type, outcome_network_status, outcome_reason, risk_level`

func scan(r db.Row) (Payment, error) {
	var p Payment
	var fee *int64
	var card Card
	var outcome Verdict
	err := r.Scan(&p.scope.Merchant, &p.scope.Mode, &p.ID, &p.version, &p.generation, &p.Status, &p.Currency, &p.Amount.Minor, &p.capturing, &p.Captured.Minor,
		&p.Refunding.Minor, &p.Refunded.Minor, &p.Disputed.Minor, &fee, &p.Provider, &p.ProviderRef, &p.providerStatus, &p.chargeRef, &p.PaymentMethod, &p.SavedCardID,
		&p.Customer.ID, &p.Customer.Email, &p.Customer.Reference, &p.providerCustomer, &p.Description, &p.Suffix, &p.CaptureMethod, &p.ReturnURL,
		db.Document(&p.Metadata), db.Document(&p.Failure), db.Document(&p.NextAction), &p.cancelling, &p.Attempts, &p.IdempotencyKey,
		db.At(&p.CreatedAt), db.At(&p.UpdatedAt), db.At(&p.ResolveBy), db.At(&p.dueAt),
		&p.likeness, &p.cardFingerprint, db.Document(&p.Held), &p.accountCountry,
		&card.Brand, &card.Country, &card.Funding, &card.Last4, &card.ThreeDSecure, &outcome.Type, &outcome.NetworkStatus, &outcome.Reason, &outcome.RiskLevel)
	p.setCharge(card, outcome)
	p.MerchantID, p.Livemode = p.scope.Merchant, p.scope.Mode == "live"
	p.Amount.Currency, p.Captured.Currency, p.Refunding.Currency, p.Refunded.Currency, p.Disputed.Currency = p.Currency, p.Currency, p.Currency, p.Currency, p.Currency
	if fee != nil {
		p.setFee(*fee)
	}
	return p, err
}

// insert is the claim's part: the row, and its metadata by key for the filters. Where the Stripe account is, the account's own row says.
func insert(p Payment) []db.Change {
	changes := []db.Change{{
		SQL: `insert into payments (` + columns + `) values ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, 0, null, $9, '', '', '', $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
			$20, '', '', false, 0, $21, $22, $22, $23, $24, $25, $26, $27,
			coalesce((select country from providers where merchant = $1 and mode = $2 and generation = $5), ''), '', '', '', '', '', '', '', '', '')`,
		Args: []any{p.scope.Merchant, p.scope.Mode, p.ID, p.version, p.generation, string(p.Status), string(p.Currency), p.Amount.Minor, p.Provider, p.PaymentMethod,
			p.SavedCardID, p.Customer.ID, p.Customer.Email, p.Customer.Reference, p.providerCustomer, p.Description, p.Suffix, p.CaptureMethod, p.ReturnURL,
			db.JSON(p.Metadata), p.IdempotencyKey, db.Micros(p.CreatedAt), db.Micros(p.ResolveBy), db.Micros(p.dueAt),
			p.likeness, p.cardFingerprint, document(p.Held)}, Rows: 1,
	}}
	for k, v := range p.Metadata {
		changes = append(changes, db.Change{SQL: `insert into payment_metadata (merchant, mode, payment, key, value) values ($1, $2, $3, $4, $5)`,
			Args: []any{p.scope.Merchant, p.scope.Mode, p.ID, k, v}, Rows: 1})
	}
	return changes
}

// changes writes an outcome: the row under the version that was read, the ledger, the events. An outcome that changes nothing writes nothing.
// The amounts of refunds are the refund room's: they move by Refunding and Moved, which bump the version too. What is disputed is the dispute
// room's, by Contested.
func (s *Payments) changes(was Payment, o Outcome) ([]db.Change, error) {
	if unchanged(was, o.Now) {
		return nil, nil
	}
	now := o.Now
	card, outcome := now.ofCharge()
	var fee any
	if now.Fee != nil {
		fee = now.Fee.Minor
	}
	list := []db.Change{{
		SQL: `update payments set version = version + 1, status = $5, capturing = $6, captured = $7, fee = $8, provider_ref = $9, provider_status = $10, charge_ref = $11,
			failure = $12, next_action = $13, cancelling = $14, attempts = $15, updated_at = $16, due_at = $17,
			card_brand = $18, card_country = $19, card_funding = $20, card_last4 = $21, three_d_secure = $22,
			outcome_type = $23, outcome_network_status = $24, outcome_reason = $25, risk_level = $26
			where merchant = $1 and mode = $2 and id = $3 and version = $4`,
		Args: []any{now.scope.Merchant, now.scope.Mode, now.ID, was.version, string(now.Status), now.capturing, now.Captured.Minor, fee, now.ProviderRef, now.providerStatus,
			now.chargeRef, document(now.Failure), document(now.NextAction), now.cancelling, now.Attempts, db.Micros(s.Clock.Now()), db.Micros(now.dueAt),
			card.Brand, card.Country, card.Funding, card.Last4, card.ThreeDSecure, outcome.Type, outcome.NetworkStatus, outcome.Reason, outcome.RiskLevel}, Rows: 1,
	}}
	entries, err := ledger.Post(o.Entries...)
	if err != nil {
		return nil, err
	}
	list = append(list, entries...)
	for _, e := range o.Events {
		list = append(list, event.Insert(e))
	}
	return list, nil
}

func document[T any](v *T) string {
	if v == nil {
		return ""
	}
	return db.JSON(v)
}

// find is one payment as it is kept, or db.ErrNone.
func (s *Payments) find(ctx context.Context, scope db.Scope, id string) (Payment, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from payments where merchant = $1 and mode = $2 and id = $3`, scope.Merchant, scope.Mode, id)
}

func (s *Payments) byProviderRef(ctx context.Context, scope db.Scope, ref string) (Payment, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from payments where merchant = $1 and mode = $2 and provider_ref = $3`, scope.Merchant, scope.Mode, ref)
}

// Refunding is the change that sets money of a payment aside for a refund; it misses where too little is left, and while a chargeback holds
// any of it: Stripe refunds nothing then.
func Refunding(scope db.Scope, id string, minor, now int64) db.Change {
	return db.Change{
		SQL: `update payments set refunding = refunding + $4, version = version + 1, updated_at = $5
			where merchant = $1 and mode = $2 and id = $3 and status = 'completed' and disputed = 0 and $4 > 0 and refunded + refunding + $4 <= captured`,
		Args: []any{scope.Merchant, scope.Mode, id, minor, now}, Rows: 1,
	}
}

// Moved is the change that ends a refund's hold, or undoes a refund: both amounts move by a difference, and neither may leave its bounds.
// It misses where the payment is no longer at the version that was read.
func (p Payment) Moved(refunding, refunded, now int64) db.Change {
	return db.Change{
		SQL: `update payments set refunding = refunding + $5, refunded = refunded + $6, version = version + 1, updated_at = $7
			where merchant = $1 and mode = $2 and id = $3 and version = $4 and refunding + $5 >= 0 and refunded + $6 >= 0`,
		Args: []any{p.scope.Merchant, p.scope.Mode, p.ID, p.version, refunding, refunded, now}, Rows: 1,
	}
}

// Contested is the change by which a dispute holds more of a payment, or less where by is negative. It misses where the payment is no longer
// at the version that was read.
func (p Payment) Contested(by, now int64) db.Change {
	return db.Change{
		SQL: `update payments set disputed = disputed + $5, version = version + 1, updated_at = $6
			where merchant = $1 and mode = $2 and id = $3 and version = $4 and disputed + $5 >= 0`,
		Args: []any{p.scope.Merchant, p.scope.Mode, p.ID, p.version, by, now}, Rows: 1,
	}
}

// dueNow are the payments that the sweep must look at, of every merchant.
func (s *Payments) dueNow(ctx context.Context, limit int) ([]Payment, error) {
	return db.All(ctx, s.DB, scan, `select `+columns+` from payments where due_at <= $1 order by due_at limit $2`, db.Micros(s.Clock.Now()), limit)
}

// List is a page of payments, newest first.
func (s *Payments) List(ctx context.Context, scope db.Scope, in ListInput) (api.Page[Payment], error) {
	b := api.Select(columns, "payments", scope)
	if err := in.filter(b); err != nil {
		return api.Page[Payment]{}, err
	}
	shown := func(r db.Row) (Payment, error) {
		p, err := scan(r)
		return p.Shown(), err
	}
	return api.Find(ctx, s.DB, b, in.PageInput, in.Between, shown, func(p Payment) api.Position { return api.Position{At: p.CreatedAt, ID: p.ID} })
}

var statuses = []Status{Pending, Held, Authorized, Completed, Failed, Cancelled, Refunded}

func knownStatus(s string) bool { return slices.Contains(statuses, Status(s)) }
