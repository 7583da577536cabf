package dispute

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/stripe"
)

// Heard takes in a dispute that an event brought; moved is the event's type where it told of the money. One of what is no payment of ours
// changes nothing.
func (s *Disputes) Heard(ctx context.Context, scope db.Scope, generation int64, seen stripe.Dispute, moved string) error {
	if seen.ID == "" {
		return nil
	}
	if !Status(seen.Status).isKnown() {
		return fmt.Errorf("dispute: %s is %q, which is no status that we know", seen.ID, seen.Status)
	}
	d, err := s.byProviderRef(ctx, scope, seen.ID)
	if errors.Is(err, db.ErrNone) {
		d, err = s.begin(ctx, scope, generation, seen)
	}
	if err != nil || d.ID == "" {
		return err
	}
	if ours, err := s.Merchants.SameAccount(ctx, scope, d.generation, generation); err != nil || !ours {
		return err
	}
	return s.DB.Decide(ctx, s.takeIn(d, Word{seen, moved}))
}

// Refetch asks Stripe for a dispute as it is now, and takes that in.
func (s *Disputes) Refetch(ctx context.Context, scope db.Scope, generation int64, dispute, moved string) error {
	client, err := s.Merchants.Client(ctx, scope, generation)
	if err != nil {
		return err
	}
	seen, err := client.Dispute(ctx, dispute)
	if stripe.Absent(err) {
		return nil // not a dispute of this account: nobody's news
	}
	if err != nil {
		return err
	}
	return s.Heard(ctx, scope, generation, seen, moved)
}

// begin is a dispute that is new to us, of a payment of ours; the zero Dispute is of none. Its id follows from Stripe's, so that two reports
// at once make one row.
func (s *Disputes) begin(ctx context.Context, scope db.Scope, generation int64, seen stripe.Dispute) (Dispute, error) {
	p, err := s.disputed(ctx, scope, generation, seen)
	if err != nil || p.ID == "" {
		return Dispute{}, err
	}
	if !strings.EqualFold(seen.Currency, string(p.Currency)) {
		return Dispute{}, fmt.Errorf("dispute: %s is in %q, and its payment %s in %s", seen.ID, seen.Currency, p.ID, p.Currency)
	}
	row := id.From(scope.Merchant, scope.Mode, seen.ID)
	return New(p, row, seen.ID, time.Unix(seen.Created, 0).UTC(), s.Clock.Now()), nil
}

// New is a dispute of a payment before anything was heard of it but that it is there.
func New(p payment.Payment, row, ref string, opened, at time.Time) Dispute {
	none := money.FromMinor(0, p.Currency)
	return Dispute{ID: row, PaymentID: p.ID, ProviderRef: ref, Amount: none, Currency: p.Currency, Withdrawn: none, Reinstated: none, Fee: none,
		OpenedAt: opened, CreatedAt: at, UpdatedAt: at, Livemode: p.Livemode, scope: p.Scope(), generation: p.Generation(), inquired: unknown}
}

// disputed is the payment that a dispute is of; the zero Payment where it is none of ours. One that Stripe has not been heard of yet is asked
// for: its dispute may be heard first.
func (s *Disputes) disputed(ctx context.Context, scope db.Scope, generation int64, seen stripe.Dispute) (payment.Payment, error) {
	intent := seen.PaymentIntent.ID
	if intent == "" && seen.Charge.ID != "" {
		found, err := s.intentOf(ctx, scope, generation, seen.Charge.ID)
		if err != nil {
			return payment.Payment{}, err
		}
		intent = found
	}
	p, err := s.Payments.OfIntent(ctx, scope, generation, intent)
	if err != nil || p.ID != "" || intent == "" {
		return p, err
	}
	if err := s.Payments.Refetch(ctx, scope, generation, intent); err != nil {
		return payment.Payment{}, err
	}
	return s.Payments.OfIntent(ctx, scope, generation, intent)
}

// intentOf asks Stripe of which intent a charge is: "" is of none.
func (s *Disputes) intentOf(ctx context.Context, scope db.Scope, generation int64, charge string) (string, error) {
	client, err := s.Merchants.Client(ctx, scope, generation)
	if err != nil {
		return "", err
	}
	seen, err := client.Charge(ctx, charge)
	if stripe.Absent(err) {
		return "", nil
	}
	return seen.PaymentIntent.ID, err
}

// takeIn decides what Stripe's word makes of a dispute's row as it stands; where there is none yet, of one that begins.
func (s *Disputes) takeIn(begun Dispute, seen Word) func(context.Context) ([]db.Change, error) {
	return func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, begun.scope, begun.ID)
		if errors.Is(err, db.ErrNone) {
			was, err = begun, nil
			was.version = 0
		}
		if err != nil {
			return nil, err
		}
		p, err := s.Payments.Get(ctx, was.scope, was.PaymentID)
		if err != nil {
			return nil, err
		}
		return changes(was, Observe(was, seen, p.AccountCountry(), s.Clock.Now()), p)
	}
}

// changes writes an outcome: the row under the version that was read, what the dispute holds of the payment, the books, the events.
func changes(was Dispute, o Outcome, p payment.Payment) ([]db.Change, error) {
	if unchanged(was, o.Now) {
		return nil, nil
	}
	list := []db.Change{write(was, o.Now)}
	if o.Holds != 0 {
		list = append(list, p.Contested(o.Holds, o.Now.UpdatedAt.UnixMicro()))
	}
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
