package payout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

// Heard takes in a payout that Stripe told of: by a webhook, by a look-up, or in a list. One that nobody knows yet gets a row.
func (s *Payouts) Heard(ctx context.Context, scope db.Scope, generation int64, seen stripe.Payout) error {
	if seen.ID == "" { // ours have no id of Stripe's until Stripe has answered: none may be found by that
		return nil
	}
	p, err := s.known(ctx, scope, seen)
	if errors.Is(err, db.ErrNone) {
		return s.adopt(ctx, scope, generation, seen)
	}
	if err != nil {
		return err
	}
	if ours, err := s.Merchants.SameAccount(ctx, scope, p.generation, generation); err != nil || !ours {
		return err
	}
	return s.DB.Decide(ctx, s.takeIn(scope, p.ID, seen, 0))
}

// Refetch asks Stripe for a payout as it is now, and takes it in. One that Stripe does not know changes nothing.
func (s *Payouts) Refetch(ctx context.Context, scope db.Scope, generation int64, ref string) error {
	client, err := s.Merchants.Client(ctx, scope, generation)
	if err != nil {
		return err
	}
	seen, err := client.Payout(ctx, ref)
	if stripe.Absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Heard(ctx, scope, generation, seen)
}

// takeIn decides what Stripe's word makes of a payout's row as it stands.
func (s *Payouts) takeIn(scope db.Scope, row string, seen stripe.Payout, attempts int64) once.Decide {
	return func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, scope, row)
		if err != nil {
			return nil, err
		}
		return changes(was, Observe(was, seen, attempts, s.Clock.Now()))
	}
}

// known is the payout of ours that Stripe speaks of: by Stripe's id, else by our id in its metadata, which may be a copy.
func (s *Payouts) known(ctx context.Context, scope db.Scope, seen stripe.Payout) (Payout, error) {
	p, err := s.byProviderRef(ctx, scope, seen.ID)
	tag := seen.Metadata[stripe.Tag]
	if !errors.Is(err, db.ErrNone) || tag == "" {
		return p, err
	}
	p, err = s.find(ctx, scope, tag)
	if err == nil && (p.ProviderRef != "" || p.Amount.Minor != seen.Amount || p.Currency.Lower() != seen.Currency) {
		return Payout{}, db.ErrNone
	}
	return p, err
}

// adopt makes a row for a payout that was made elsewhere: by Stripe's schedule, most often. Its id follows from Stripe's, so that two
// reports at once make one row. An answer that lacks what a payout must have is an error: it is asked for again.
func (s *Payouts) adopt(ctx context.Context, scope db.Scope, generation int64, seen stripe.Payout) error {
	c, err := money.ParseCurrency(seen.Currency)
	if err != nil || seen.Created <= 0 || heard(seen.Status) == "" {
		return fmt.Errorf("payout %.64s: Stripe told of it without its currency, its time or a status that is known", seen.ID)
	}
	return s.DB.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
		if _, err := s.known(ctx, scope, seen); err == nil {
			return nil, s.Heard(ctx, scope, generation, seen)
		} else if !errors.Is(err, db.ErrNone) {
			return nil, err
		}
		return adopted(scope, generation, seen, c, s.Clock.Now())
	})
}

// adopted is the row of a payout that was made elsewhere, with all that has become of it.
func adopted(scope db.Scope, generation int64, seen stripe.Payout, c money.Currency, at time.Time) ([]db.Change, error) {
	amount := money.FromMinor(seen.Amount, c)
	row := Payout{ID: id.From(scope.Merchant, scope.Mode, seen.ID), Status: Pending, Amount: amount, Currency: c,
		Fee: fee(amount, seen.Method), Method: "standard", CreatedAt: time.Unix(seen.Created, 0).UTC(), UpdatedAt: at, Origin: "outside", Livemode: scope.Mode == "live",
		scope: scope, version: 1, generation: generation}
	o := Observe(row, seen, 0, at)
	first := row.described(seen)
	first.ProviderRef = seen.ID
	list := []db.Change{insert(row), event.Insert(event.New(scope, "payout.created", row.ID, first, at)), update(row, o.Now)}
	for _, e := range o.Events {
		list = append(list, event.Insert(e))
	}
	booked, err := ledger.Post(o.Entries...)
	return append(list, booked...), err
}
