package reconcile

import (
	"context"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/refund"
)

func (s *Reconcile) exportPayments(scope db.Scope, in ExportInput) (api.CSV, error) {
	p, err := in.period()
	if err != nil {
		return api.CSV{}, err
	}
	header := append([]string{p.title("day"), p.title("time"), "payment_id", "status", "currency", "amount", "captured", "refunded"}, settledTitles(p)...)
	header = append(header, "payment_intent", "charge", "card_brand", "card_country", "customer_email", "customer_reference", "idempotency_key", "description")
	return api.CSV{Name: "till-payments-" + p.name, Header: header, Rows: func(ctx context.Context, write func(...string) error) error {
		return walk(ctx, func(page api.PageInput) (api.Page[payment.Payment], error) {
			return s.Payments.List(ctx, scope, payment.ListInput{PageInput: page, Between: p.Between})
		}, func(all []payment.Payment) error {
			sources := make([]string, len(all))
			for i, one := range all {
				sources[i] = one.Charge()
			}
			by, err := s.settledOf(ctx, scope, sources, "charge")
			for i := 0; err == nil && i < len(all); i++ {
				err = write(paymentRow(all[i], by[all[i].Charge()], p)...)
			}
			return err
		})
	}}, nil
}

func paymentRow(one payment.Payment, t settled, p period) []string {
	paid := t.cells(p)
	if len(t.lines) == 0 && one.Fee != nil {
		paid[0], paid[1], paid[2], paid[3] = string(one.Currency), one.Captured.String(), one.Fee.String(), one.Net.String()
	}
	brand, country := "", ""
	if one.Card != nil {
		brand, country = one.Card.Brand, one.Card.Country
	}
	row := append([]string{p.day(one.CreatedAt), p.moment(one.CreatedAt), one.ID, string(one.Status), string(one.Currency), one.Amount.String(), one.Captured.String(), one.Refunded.String()}, paid...)
	return append(row, one.ProviderRef, one.Charge(), brand, country, one.Customer.Email, one.Customer.Reference, one.IdempotencyKey, one.Description)
}

func (s *Reconcile) exportRefunds(scope db.Scope, in ExportInput) (api.CSV, error) {
	p, err := in.period()
	if err != nil {
		return api.CSV{}, err
	}
	header := append([]string{p.title("day"), p.title("time"), "refund_id", "payment_id", "status", "currency", "amount", "reason", "origin"}, settledTitles(p)...)
	header = append(header, "refund", "idempotency_key", "failure")
	return api.CSV{Name: "till-refunds-" + p.name, Header: header, Rows: func(ctx context.Context, write func(...string) error) error {
		return walk(ctx, func(page api.PageInput) (api.Page[refund.Refund], error) {
			return s.Refunds.List(ctx, scope, refund.ListInput{PageInput: page, Between: p.Between})
		}, func(all []refund.Refund) error {
			sources := make([]string, len(all))
			for i, one := range all {
				sources[i] = one.ProviderRef
			}
			by, err := s.settledOf(ctx, scope, sources, "refund", "refund_failure")
			for i := 0; err == nil && i < len(all); i++ {
				err = write(refundRow(all[i], by[all[i].ProviderRef], p)...)
			}
			return err
		})
	}}, nil
}

func refundRow(one refund.Refund, t settled, p period) []string {
	failure := ""
	if one.Failure != nil {
		failure = one.Failure.Code
	}
	row := append([]string{p.day(one.CreatedAt), p.moment(one.CreatedAt), one.ID, one.PaymentID, string(one.Status), string(one.Currency), one.Amount.String(), one.Reason, one.Origin}, t.cells(p)...)
	return append(row, one.ProviderRef, one.IdempotencyKey, failure)
}

func (s *Reconcile) exportPayoutLines(scope db.Scope, in ExportInput) (api.CSV, error) {
	p, err := in.period()
	if err != nil {
		return api.CSV{}, err
	}
	header := []string{"payout", p.title("day"), p.title("time"), "balance_transaction", "kind", "type", "currency", "gross", "fee", "net", "source_currency", "source_amount", "exchange_rate",
		p.title("available_on"), "source", "payment_id", "state", "difference", "description",
		"accepted", "accepted_note", p.title("accepted_at")}
	return api.CSV{Name: "till-payout-lines-" + p.name, Header: header, Rows: func(ctx context.Context, write func(...string) error) error {
		return walk(ctx, func(page api.PageInput) (api.Page[Line], error) {
			b := api.Select(columns, "balance_transactions", scope)
			b.Where("payout <> ''")
			return api.Find(ctx, s.DB, b, page, p.Between, scan, func(l Line) api.Position { return api.Position{At: l.CreatedAt, ID: l.ID} })
		}, func(all []Line) error {
			for _, l := range all {
				row := []string{paidBy(l), p.day(l.CreatedAt), p.moment(l.CreatedAt), l.ID, l.Kind, l.Type, string(l.Currency), l.Amount.String(), l.Fee.String(), l.Net.String(),
					string(l.SourceCurrency), l.SourceAmount.String(), l.ExchangeRate, p.day(l.AvailableOn), l.Source, l.Payment, string(l.State), l.Difference.String(), l.Description}
				if err := write(append(row, l.acceptedCells(p)...)...); err != nil {
					return err
				}
			}
			return nil
		})
	}}, nil
}
