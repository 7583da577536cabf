package payment

import (
	"context"
	"fmt"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

const captureCall = "payment.capture"

// CaptureInput is a capture as it is asked for.
type CaptureInput struct {
	ID   string `path:"id" maxLength:"36"`
	Body *CaptureBody
}

// CaptureBody is the body of a capture; it may be left out.
type CaptureBody struct {
	Amount api.Amount `json:"amount,omitempty" doc:"All that was authorized where it is left out. The rest is released."`
}

// Capture takes an authorized amount, once for each amount.
func (s *Payments) Capture(ctx context.Context, scope db.Scope, in CaptureInput) (Payment, bool, error) {
	p, err := s.Get(ctx, scope, in.ID)
	if err != nil {
		return Payment{}, false, err
	}
	amount := p.Amount
	if in.Body != nil && in.Body.Amount != "" {
		if amount, err = parseAmount(in.Body.Amount, string(p.Currency)); err != nil {
			return Payment{}, false, err
		}
	}
	if amount.Minor > p.Amount.Minor {
		return Payment{}, false, fault.New(fault.CaptureTooLarge, "amount", "The payment authorized %s %s.", p.Amount, p.Currency)
	}
	n, err := once.RefusedBefore(ctx, s.DB, scope, p.ID, captureCall)
	if err != nil {
		return Payment{}, false, err
	}
	c := once.Call{
		Scope: scope, Name: captureCall, Key: fmt.Sprintf("capture:%s:%d:%d", p.ID, amount.Minor, n), Input: []any{p.ID, amount.Minor}, Row: p.ID,
		Generation: p.generation, ProviderKey: fmt.Sprintf("till-%s-capture-%d-%d", p.ID, amount.Minor, n),
	}
	return s.run(ctx, c, capturing(scope, p.ID, amount.Minor, s.now()), func(now Payment) error {
		if now.capturing > 0 {
			return fault.New(fault.StateConflict, "", "A capture of %s %s is on its way.", money.FromMinor(now.capturing, now.Currency), now.Currency)
		}
		return fault.New(fault.PaymentStatus, "", "Only an authorized payment can be captured; this one is %s.", now.Shown().Status)
	})
}

// capturing is the claim of a capture: the amount is written before Stripe is asked, for the send starts from the row.
func capturing(scope db.Scope, id string, minor, now int64) db.Change {
	return db.Change{
		SQL: `update payments set capturing = $4, version = version + 1, updated_at = $5
			where merchant = $1 and mode = $2 and id = $3 and status = 'authorized' and capturing = 0 and not cancelling`,
		Args: []any{scope.Merchant, scope.Mode, id, minor, now}, Rows: 1,
	}
}

// run makes a call about an existing payment, and tells what stood against it: the payment's state, or Stripe's refusal.
func (s *Payments) run(ctx context.Context, c once.Call, claim db.Change, against func(Payment) error) (Payment, bool, error) {
	_, replayed, err := s.Once.Run(ctx, c, claim)
	if err != nil && !db.IsMoved(err) {
		return Payment{}, false, err
	}
	now, lookup := s.Get(ctx, c.Scope, c.Row)
	if lookup != nil {
		return Payment{}, false, lookup
	}
	if err != nil {
		return Payment{}, false, against(now)
	}
	why, err := s.Once.Refusal(ctx, c.Scope, c.Key)
	if err == nil && why != nil {
		err = once.Fault(why, "", "Stripe refused: %s")
	}
	return now, replayed, err
}

func (s *Payments) registerCapture() {
	s.Once.Register(captureCall, once.Steps{Send: s.sendCapture, Find: s.findCapture, Refuse: s.refused})
}

func (s *Payments) sendCapture(ctx context.Context, c once.Call) (once.Decide, error) {
	p, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	if p.capturing == 0 { // a webhook told us of the capture before this send: the intent as it is now says the rest
		return s.findCapture(ctx, c)
	}
	seen, err := client.Capture(ctx, c.ProviderKey, p.ProviderRef, p.capturing)
	if err != nil {
		return nil, err
	}
	return s.ended(c, &seen), nil
}

// findCapture looks at the intent itself: a capture has happened if it no longer waits for one.
func (s *Payments) findCapture(ctx context.Context, c once.Call) (once.Decide, error) {
	p, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	seen, err := client.PaymentIntent(ctx, p.ProviderRef)
	switch {
	case err != nil:
		return nil, err
	case !Happened(c.Name, seen.Status):
		return nil, once.ErrAbsent
	}
	return s.ended(c, &seen), nil
}

// Happened says whether an intent in a status shows that a capture or a cancellation, by the name of its call, has been executed, or has
// nothing left to do: it no longer waits for a capture; it has come to an end.
func Happened(call, status string) bool {
	if call == captureCall {
		return status != stripe.RequiresCapture
	}
	return status == stripe.Canceled || status == stripe.Succeeded
}

// refused takes back the claim of a call that Stripe refused. Where Stripe shows the intent that stood against it, that is taken in.
func (s *Payments) refused(c once.Call, why *stripe.Error) once.Decide {
	return s.ended(c, why.PaymentIntent)
}

// ended takes in that a capture or a cancellation is no longer on its way, and the intent as Stripe showed it then, if it did.
func (s *Payments) ended(c once.Call, seen *stripe.PaymentIntent) once.Decide {
	return func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, c.Scope, c.Row)
		if err != nil {
			return nil, err
		}
		return s.changes(was, Ended(was, c.Name, seen, s.Clock.Now()))
	}
}
