package dispute

import (
	"context"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
)

const columns = `merchant, mode, id, version, generation, payment, status, currency, amount, reason, network_code, case_type, provider_ref, withdrawn, reinstated,
	fee_received, fee_countered, fee_returned, answered, inquired, due_by, past_due, evidence_given, submissions, opened_at, created_at, updated_at`

func scan(r db.Row) (d Dispute, err error) {
	err = r.Scan(&d.scope.Merchant, &d.scope.Mode, &d.ID, &d.version, &d.generation, &d.PaymentID, &d.Status, &d.Currency, &d.Amount.Minor, &d.Reason, &d.NetworkCode,
		&d.CaseType, &d.ProviderRef, &d.Withdrawn.Minor, &d.Reinstated.Minor, &d.received, &d.countered, &d.returned, &d.answered, &d.inquired, db.MaybeAt(&d.Evidence.DueBy),
		&d.Evidence.PastDue, &d.Evidence.Given, &d.Evidence.Submissions, db.At(&d.OpenedAt), db.At(&d.CreatedAt), db.At(&d.UpdatedAt))
	d.Amount.Currency, d.Withdrawn.Currency, d.Reinstated.Currency, d.Fee.Currency = d.Currency, d.Currency, d.Currency, d.Currency
	d.Livemode = d.scope.Mode == "live"
	d.Fee.Minor, d.Discrepancy = d.received+d.countered-d.returned, discrepancy(d)
	return d, err
}

// write is the row of a dispute: a new one where there was none, else under the version that was read.
func write(was, now Dispute) db.Change {
	args := []any{now.scope.Merchant, now.scope.Mode, now.ID, string(now.Status), now.Amount.Minor, now.Reason, now.NetworkCode, now.CaseType, now.Withdrawn.Minor,
		now.Reinstated.Minor, now.received, now.countered, now.returned, now.answered, now.inquired, db.MaybeMicros(now.Evidence.DueBy), now.Evidence.PastDue, now.Evidence.Given,
		now.Evidence.Submissions, db.Micros(now.UpdatedAt)}
	if was.version == 0 {
		return db.Change{
			SQL: `insert into disputes (` + columns + `) values ($1, $2, $3, 1, $21, $22, $4, $23, $5, $6, $7, $8, $24, $9, $10,
				$11, $12, $13, $14, $15, $16, $17, $18, $19, $25, $26, $20) on conflict do nothing`,
			Args: append(args, now.generation, now.PaymentID, string(now.Currency), now.ProviderRef, db.Micros(now.OpenedAt), db.Micros(now.CreatedAt)), Rows: 1,
		}
	}
	return db.Change{
		SQL: `update disputes set version = version + 1, status = $4, amount = $5, reason = $6, network_code = $7, case_type = $8, withdrawn = $9, reinstated = $10,
			fee_received = $11, fee_countered = $12, fee_returned = $13, answered = $14, inquired = $15, due_by = $16, past_due = $17, evidence_given = $18,
			submissions = $19, updated_at = $20
			where merchant = $1 and mode = $2 and id = $3 and version = $21`,
		Args: append(args, was.version), Rows: 1,
	}
}

func (s *Disputes) find(ctx context.Context, scope db.Scope, id string) (Dispute, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from disputes where merchant = $1 and mode = $2 and id = $3`, scope.Merchant, scope.Mode, id)
}

func (s *Disputes) byProviderRef(ctx context.Context, scope db.Scope, ref string) (Dispute, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from disputes where merchant = $1 and mode = $2 and provider_ref = $3`, scope.Merchant, scope.Mode, ref)
}

// Get is one dispute of the merchant.
func (s *Disputes) Get(ctx context.Context, scope db.Scope, dispute string) (Dispute, error) {
	return api.Get(ctx, scope, dispute, "dispute", s.find)
}

// ListInput filters the list of disputes.
type ListInput struct {
	api.PageInput
	api.Between
	PaymentID   string    `query:"payment_id" maxLength:"36"`
	Status      string    `query:"status" enum:"warning_needs_response,warning_under_review,warning_closed,needs_response,under_review,won,lost,prevented"`
	ProviderRef string    `query:"provider_ref" maxLength:"255" doc:"The one behind a dispute of Stripe's."`
	DueBefore   time.Time `query:"due_before" doc:"Those that still wait for an answer, and take it no later than this (RFC 3339)."`
}

// List is a page of disputes, newest first.
func (s *Disputes) List(ctx context.Context, scope db.Scope, in ListInput) (api.Page[Dispute], error) {
	b := api.Select(columns, "disputes", scope)
	api.Filter(b, "payment", in.PaymentID)
	api.Filter(b, "status", in.Status)
	api.Filter(b, "provider_ref", in.ProviderRef)
	if !in.DueBefore.IsZero() {
		b.Where(b.In("status", string(NeedsResponse), string(InquiryOpen)), b.LessThan("due_by", db.Micros(in.DueBefore)))
	}
	return api.Find(ctx, s.DB, b, in.PageInput, in.Between, scan, func(d Dispute) api.Position { return api.Position{At: d.CreatedAt, ID: d.ID} })
}
