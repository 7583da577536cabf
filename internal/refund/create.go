package refund

import (
	"context"
	"log/slog"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/stripe"
)

// CreateInput is a refund as it is asked for.
type CreateInput struct {
	Key  string `header:"Idempotency-Key" minLength:"1" maxLength:"255" example:"refund-1042" doc:"Names this refund: the same key again is the same refund, for ever. Required, unless key_parts is there."`
	Body struct {
		KeyParts  map[string]string `json:"key_parts,omitempty" doc:"Names the call in place of the Idempotency-Key header, by what it is for: 2 to 10 parts, such as agency, booking and action. The key is the parts sorted by name, percent-encoded and joined: action=charge&agency=A1&booking=B77."`
		PaymentID string            `json:"payment_id" minLength:"1" maxLength:"36"`
		Amount    api.Amount        `json:"amount,omitempty" doc:"All that is left where it is left out."`
		Reason    string            `json:"reason,omitempty" enum:"duplicate,fraudulent,requested_by_customer" doc:"fraudulent also blocks the card and the e-mail at Stripe."`
	}
}

const createCall = "refund.create"

// Create sends money back once, however often it is asked to. replayed says that the key was used before.
func (s *Refunds) Create(ctx context.Context, scope db.Scope, in CreateInput) (Refund, bool, error) {
	var err error
	if in.Key, err = once.Named(in.Key, in.Body.KeyParts); err != nil {
		return Refund{}, false, err
	}
	p, err := s.Payments.Get(ctx, scope, in.Body.PaymentID)
	if err != nil {
		return Refund{}, false, fault.About(err, "payment_id")
	}
	amount, err := s.amount(p, in.Body.Amount)
	if err != nil {
		return Refund{}, false, err
	}
	now := s.Clock.Now()
	r := Refund{
		ID: id.New(), PaymentID: p.ID, Status: Pending, Amount: amount, Currency: p.Currency, Reason: in.Body.Reason, CreatedAt: now, UpdatedAt: now,
		IdempotencyKey: in.Key, Origin: "till", scope: scope, version: 1, generation: p.Generation(), dueAt: now.Add(firstLook),
	}
	row, replayed, err := s.Once.Run(ctx, once.Call{
		Scope: scope, Name: createCall, Key: once.MerchantKey(in.Key), Input: []any{"POST /v1/refunds", p.ID, asked(in, amount), in.Body.Reason}, Row: r.ID,
		Generation: r.generation, ProviderKey: "till-" + r.ID + "-create",
	}, payment.Refunding(scope, p.ID, amount.Minor, now.UnixMicro()), insert(r), event.Insert(event.New(scope, "refund.created", r.ID, r, now)))
	if db.IsMoved(err) {
		return Refund{}, false, s.against(ctx, scope, p.ID, amount)
	}
	if err != nil {
		return Refund{}, false, once.Asked(err, in.Body.KeyParts)
	}
	r, err = s.Get(ctx, scope, row)
	return r, replayed, err
}

// asked tells a refund of all that is left from one of an amount: what is left changes, the request does not.
func asked(in CreateInput, amount money.Money) any {
	if in.Body.Amount == "" {
		return "rest"
	}
	return amount.Minor
}

// amount is what the caller asks for: all that is left where nothing is said. Nothing left is left to the claim's guard, since a key that was
// used before must find its refund first.
func (s *Refunds) amount(p payment.Payment, wanted api.Amount) (money.Money, error) {
	if wanted == "" {
		return money.FromMinor(p.Captured.Minor-p.Refunded.Minor-p.Refunding.Minor, p.Currency), nil
	}
	m, err := money.Parse(string(wanted), p.Currency)
	if err != nil {
		return money.Money{}, fault.About(err, "amount")
	}
	if !m.Positive() {
		return money.Money{}, fault.New(fault.AmountInvalid, "amount", "The amount must be more than zero.")
	}
	return m, nil
}

// against says why the payment does not allow the refund.
func (s *Refunds) against(ctx context.Context, scope db.Scope, id string, amount money.Money) error {
	p, err := s.Payments.Get(ctx, scope, id)
	if err != nil {
		return err
	}
	left := money.FromMinor(p.Captured.Minor-p.Refunded.Minor-p.Refunding.Minor, p.Currency)
	switch {
	case p.Status != payment.Completed && p.Status != payment.Refunded:
		return fault.New(fault.PaymentStatus, "payment_id", "Only a completed payment can be refunded; this one is %s.", p.Status)
	case p.Disputed.Positive():
		return fault.New(fault.PaymentDisputed, "payment_id", "A chargeback holds %s %s of the payment, and Stripe refunds nothing while it does: the cardholder has the money already. Answer the dispute at Stripe; what is won can be refunded again.", p.Disputed, p.Currency)
	case left.IsZero():
		return fault.New(fault.RefundTooLarge, "amount", "Nothing is left to refund: all %s %s went back, or is on its way.", p.Captured, p.Currency)
	}
	return fault.New(fault.RefundTooLarge, "amount", "%s %s is more than the %s %s that is left to refund.", amount, p.Currency, left, p.Currency)
}

// Register tells once how refunds are made.
func (s *Refunds) Register() {
	s.Once.Register(createCall, once.Steps{Send: s.send, Find: s.lookUp, Refuse: s.refuse})
}

func (s *Refunds) send(ctx context.Context, c once.Call) (once.Decide, error) {
	r, p, client, err := s.rows(ctx, c)
	if err != nil {
		return nil, err
	}
	seen, err := client.CreateRefund(ctx, c.ProviderKey, p.ProviderRef, r.Amount.Minor, r.Reason, map[string]string{stripe.Tag: r.ID})
	if stripe.Meaning(err) == stripe.Refused { // most often because money went back that we have not heard of
		if err := s.Refetch(ctx, c.Scope, c.Generation, p.ProviderRef); err != nil {
			s.Log.LogAttrs(ctx, slog.LevelWarn, "refunds of a payment not fetched", slog.String("payment", p.ID), slog.Any("error", err))
		}
	}
	if err != nil {
		return nil, err
	}
	return s.takeIn(c.Scope, c.Row, seen, c.Attempts), nil
}

func (s *Refunds) lookUp(ctx context.Context, c once.Call) (once.Decide, error) {
	r, p, client, err := s.rows(ctx, c)
	if err != nil {
		return nil, err
	}
	found, next, err := client.FindRefund(ctx, p.ProviderRef, r.ID, c.Position)
	if err := once.Sought(found != nil, next, err); err != nil {
		return nil, err
	}
	return s.takeIn(c.Scope, c.Row, *found, c.Attempts), nil
}

// refuse ends a refund that Stripe certainly did not make.
func (s *Refunds) refuse(c once.Call, why *stripe.Error) once.Decide {
	return func(ctx context.Context) ([]db.Change, error) {
		was, p, err := s.pair(ctx, c.Scope, c.Row)
		if err != nil {
			return nil, err
		}
		return s.changes(was, Refused(was, why, c.Attempts, p, s.Clock.Now()), p)
	}
}

func (s *Refunds) rows(ctx context.Context, c once.Call) (Refund, payment.Payment, *stripe.Client, error) {
	r, p, err := s.pair(ctx, c.Scope, c.Row)
	if err != nil {
		return Refund{}, payment.Payment{}, nil, err
	}
	client, err := s.Merchants.Client(ctx, c.Scope, c.Generation)
	return r, p, client, err
}

func (s *Refunds) pair(ctx context.Context, scope db.Scope, row string) (Refund, payment.Payment, error) {
	r, err := s.find(ctx, scope, row)
	if err != nil {
		return Refund{}, payment.Payment{}, err
	}
	p, err := s.Payments.Get(ctx, scope, r.PaymentID)
	return r, p, err
}
