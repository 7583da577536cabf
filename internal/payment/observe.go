package payment

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

// Outcome is what a word of Stripe's makes of a payment.
type Outcome struct {
	Now     Payment
	Entries []ledger.Transaction
	Events  []event.Event
}

// Observe takes in what Stripe says of a payment. It is the only way a payment changes by Stripe's word: the answer to a call, a webhook
// and the sweep all come through here, in any order and more than once.
func Observe(was Payment, seen stripe.PaymentIntent, at time.Time) Outcome {
	return outcome(was, merge(was, seen), at)
}

// Answered is Observe for the answer to a call of ours, which was sent so often; 0 where no call of ours was the source.
func Answered(was Payment, seen stripe.PaymentIntent, attempts int64, at time.Time) Outcome {
	known := was
	known.Attempts = max(was.Attempts, attempts)
	return Observe(known, seen, at)
}

// Refused takes in that Stripe certainly did not take a payment. One that Stripe has been heard of by then, by a webhook, is left to that word.
func Refused(was Payment, why *stripe.Error, attempts int64, at time.Time) Outcome {
	now := was
	now.Attempts = attempts
	if was.Status == Pending && was.ProviderRef == "" {
		now.Status, now.Failure, now.dueAt = Failed, refusalOf(why), never
	}
	return outcome(was, now, at)
}

// Ended takes in that a capture or a cancellation, by the name of its call, is no longer on its way, and the intent as Stripe showed it then, if
// it did.
func Ended(was Payment, call string, seen *stripe.PaymentIntent, at time.Time) Outcome {
	now := was
	switch call {
	case captureCall:
		now.capturing = 0
	case cancelCall:
		now.cancelling = false
	}
	if seen == nil {
		return Outcome{Now: now}
	}
	return Observe(now, *seen, at)
}

func outcome(was, now Payment, at time.Time) Outcome {
	return Outcome{Now: now, Entries: entries(was, now, at), Events: events(was, now, at)}
}

// merge joins what we know with what Stripe says. It only ever learns: a word of a stage that the intent has left moves nothing, and money
// moves everything.
func merge(was Payment, seen stripe.PaymentIntent) Payment {
	if was.ProviderRef != "" && was.ProviderRef != seen.ID {
		return was
	}
	now := was
	if was.ProviderRef == "" { // from now on there is an intent, and it must be ended
		now.ProviderRef, now.dueAt = seen.ID, was.ResolveBy
	}
	if seen.AmountReceived > was.Captured.Minor {
		now.Captured.Minor = seen.AmountReceived
	}
	learnFee(&now, seen)
	if stage(seen.Status, declined(seen)) >= stage(was.providerStatus, was.Status == Failed) {
		advance(&now, seen)
	}
	learnCharge(&now, seen)
	if now.Captured.Positive() {
		now.Status = Completed
	}
	settle(&now)
	return now
}

// stages orders Stripe's words as an intent's life goes, for events come in any order. A word that is not here moves nothing.
var stages = map[string]int{
	"": 0, stripe.RequiresPaymentMethod: 1, stripe.RequiresConfirmation: 1, stripe.RequiresAction: 2, stripe.Processing: 3,
	stripe.RequiresCapture: 5, stripe.Canceled: 6, stripe.Succeeded: 7,
}

// stage is where an intent stands. A declined one may begin anew in the payer's browser: that is no new stage, for what counts then is whether
// a hold or money follows.
func stage(word string, declined bool) int {
	s, known := stages[word]
	switch {
	case !known:
		return -1
	case declined:
		return max(s, 4)
	}
	return s
}

// declined says that the last try of an intent failed and that no other has begun.
func declined(seen stripe.PaymentIntent) bool {
	return seen.Status == stripe.RequiresPaymentMethod && seen.LastPaymentError != nil
}

// advance follows an intent to the stage that it has reached, or has reached before.
func advance(now *Payment, seen stripe.PaymentIntent) {
	was := now.Status
	now.providerStatus = seen.Status
	if id := seen.LatestCharge.ID; id != "" && id != now.chargeRef { // another charge, of which nothing is known yet
		now.chargeRef, now.Card, now.Outcome = id, nil, nil
	}
	switch {
	case seen.Status == stripe.RequiresCapture && (was == Pending || was == Failed):
		now.Status = Authorized
	case was == Pending && (declined(seen) || seen.Status == stripe.Canceled && seen.LastPaymentError != nil):
		now.Status = Failed
	case seen.Status == stripe.Canceled && (was == Pending || was == Authorized):
		now.Status = Cancelled
	}
	now.NextAction = actionOf(seen)
	if seen.LastPaymentError != nil {
		now.Failure = failureOf(seen.LastPaymentError)
	}
}

// settle leaves of a payment's state what goes with its status.
func settle(now *Payment) {
	if now.Status != Pending {
		now.NextAction = nil
	}
	if now.Status != Failed {
		now.Failure = nil
	}
	over := now.providerStatus == stripe.Canceled || now.Status == Completed
	if over {
		now.capturing, now.cancelling = 0, false
	}
	if over || now.Status == Authorized { // anything else stays payable at Stripe, and is ended there by resolve_by
		now.dueAt = never
	}
}

func actionOf(seen stripe.PaymentIntent) *NextAction {
	if seen.Status != stripe.RequiresAction || seen.NextAction == nil {
		return nil
	}
	a := &NextAction{Type: seen.NextAction.Type, ClientSecret: seen.ClientSecret}
	if seen.NextAction.RedirectToURL != nil {
		a.URL = seen.NextAction.RedirectToURL.URL
	}
	return a
}

func failureOf(e *stripe.PaymentError) *Failure {
	return &Failure{Code: e.Code, DeclineCode: e.DeclineCode, Message: e.Message, Advice: e.AdviceCode}
}

// learnFee takes the fee from the charge's balance transaction, where Stripe settles in the payment's own currency.
func learnFee(now *Payment, seen stripe.PaymentIntent) {
	charge := seen.LatestCharge.Object
	if now.Fee != nil || charge == nil || charge.BalanceTransaction.Object == nil || seen.AmountReceived == 0 {
		return
	}
	t := charge.BalanceTransaction.Object
	if !strings.EqualFold(t.Currency, string(now.Currency)) {
		return
	}
	now.setFee(t.Fee)
}

// setFee fills Fee and Net.
func (p *Payment) setFee(minor int64) {
	fee, net := money.FromMinor(minor, p.Currency), money.FromMinor(p.Captured.Minor-minor, p.Currency)
	p.Fee, p.Net = &fee, &net
}

// entries books what was newly captured, and the fee that Stripe is expected to take for it, which is outstanding until the card is known. The
// keys hold the total, so that a total is booked once.
func entries(was, now Payment, at time.Time) (booked []ledger.Transaction) {
	if more := now.Captured.Minor - was.Captured.Minor; more > 0 {
		booked = append(booked, ledger.Charge(now.fact(at), now.Captured.Minor, money.FromMinor(more, now.Currency)))
	}
	if more := now.foretoldFee() - was.foretoldFee(); more != 0 {
		booked = append(booked, ledger.ChargeFee(now.fact(at), now.Captured.Minor, money.FromMinor(more, now.Currency)))
	}
	return booked
}

// foretoldFee is what Stripe is expected to take of what was captured; 0 where that is not known yet.
func (p Payment) foretoldFee() int64 {
	if p.Card == nil || !p.Captured.Positive() {
		return 0
	}
	fee, _ := ledger.CardFee(p.accountCountry, p.Card.Country, p.Captured, p.CreatedAt)
	return fee.Minor
}

// fact is the payment as the ledger books it: Stripe's charge moves its money.
func (p Payment) fact(at time.Time) ledger.Fact {
	return ledger.Fact{Scope: p.scope, Generation: p.generation, Payment: p.ID, Source: p.chargeRef, At: at}
}

// events tells each change of status once, and the first time that the payer must act.
func events(was, now Payment, at time.Time) []event.Event {
	now.UpdatedAt = at
	switch {
	case now.Status != was.Status:
		return []event.Event{event.New(now.scope, "payment."+string(now.Status), now.ID, now.Shown(), at)}
	case now.NextAction != nil && was.NextAction == nil:
		return []event.Event{event.New(now.scope, "payment.requires_action", now.ID, now.Shown(), at)}
	}
	return nil
}

// EventTypes are the types of event that this room tells.
var EventTypes = []string{"payment.authorized", "payment.cancelled", "payment.completed", "payment.failed", "payment.held", "payment.refunded", "payment.requires_action"}

// takeIn decides what Stripe's word makes of a payment's row as it stands. attempts is how often a call was sent; 0 where no call of ours was the source.
func (s *Payments) takeIn(scope db.Scope, row string, seen stripe.PaymentIntent, attempts int64) once.Decide {
	return func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, scope, row)
		if err != nil {
			return nil, err
		}
		return s.changes(was, Answered(was, seen, attempts, s.Clock.Now()))
	}
}

// Heard takes in a PaymentIntent that a webhook brought. One that is not this merchant's, or not till's, changes nothing. A webhook names the
// charge, which holds the card, the outcome and the fee, and does not carry it: where the payment lacks them, Stripe is asked.
func (s *Payments) Heard(ctx context.Context, scope db.Scope, generation int64, seen stripe.PaymentIntent) error {
	p, err := s.hear(ctx, scope, generation, seen)
	if err != nil || !p.Lacks() {
		return err
	}
	return s.Refetch(ctx, scope, generation, seen.ID)
}

// Refetch asks Stripe for an intent as it is now, and takes that in.
func (s *Payments) Refetch(ctx context.Context, scope db.Scope, generation int64, intent string) error {
	client, err := s.Merchants.Client(ctx, scope, generation)
	if err != nil {
		return err
	}
	seen, err := client.PaymentIntent(ctx, intent)
	if stripe.Absent(err) {
		return nil // not an intent of this account: nobody's news
	}
	if err != nil {
		return err
	}
	_, err = s.hear(ctx, scope, generation, seen)
	return err
}

// hear takes in an intent and returns the payment as it then stands; the zero Payment where it is none of ours.
func (s *Payments) hear(ctx context.Context, scope db.Scope, generation int64, seen stripe.PaymentIntent) (Payment, error) {
	p, err := s.known(ctx, scope, generation, seen)
	if err != nil || p.ID == "" {
		return p, err
	}
	if err := s.DB.Decide(ctx, s.takeIn(scope, p.ID, seen, 0)); err != nil {
		return Payment{}, err
	}
	return s.find(ctx, scope, p.ID)
}

// known finds a payment by Stripe's id, else by our id in the intent's metadata, within one account. The zero Payment is none.
func (s *Payments) known(ctx context.Context, scope db.Scope, generation int64, seen stripe.PaymentIntent) (Payment, error) {
	p, err := s.OfIntent(ctx, scope, generation, seen.ID)
	tag := seen.Metadata[stripe.Tag]
	if err != nil || p.ID != "" || seen.ID == "" || tag == "" {
		return p, err
	}
	p, err = s.find(ctx, scope, tag)
	if errors.Is(err, db.ErrNone) || err == nil && !p.mayBe(seen) {
		return Payment{}, nil
	}
	return s.within(ctx, p, generation, err)
}

// within is a payment that was found, or the zero Payment where it belongs to another Stripe account than the one that spoke.
func (s *Payments) within(ctx context.Context, p Payment, generation int64, err error) (Payment, error) {
	if err != nil {
		return Payment{}, err
	}
	ours, err := s.Merchants.SameAccount(ctx, p.scope, p.generation, generation)
	if err != nil || !ours {
		return Payment{}, err
	}
	return p, nil
}

// mayBe says whether an intent that carries a payment's id in its metadata can be that payment's: metadata is copied easily.
func (p Payment) mayBe(seen stripe.PaymentIntent) bool {
	like := p.Amount.Minor == seen.Amount && strings.EqualFold(string(p.Currency), seen.Currency)
	return p.ProviderRef == seen.ID || p.ProviderRef == "" && like && !p.unsent()
}

// OfIntent is the payment that an intent of an account belongs to; the zero Payment is none.
func (s *Payments) OfIntent(ctx context.Context, scope db.Scope, generation int64, intent string) (Payment, error) {
	if intent == "" { // a payment that Stripe has not answered for has no intent yet: it must not be found by that
		return Payment{}, nil
	}
	p, err := s.byProviderRef(ctx, scope, intent)
	if errors.Is(err, db.ErrNone) {
		return Payment{}, nil
	}
	return s.within(ctx, p, generation, err)
}

// unchanged says that an outcome leaves the row as it is.
func unchanged(was, now Payment) bool {
	return was.Status == now.Status && was.ProviderRef == now.ProviderRef && was.chargeRef == now.chargeRef && was.providerStatus == now.providerStatus &&
		was.Captured == now.Captured && was.capturing == now.capturing && was.cancelling == now.cancelling && was.Attempts == now.Attempts &&
		was.dueAt.Equal(now.dueAt) && same(was.Fee, now.Fee) && same(was.Failure, now.Failure) && same(was.NextAction, now.NextAction) &&
		same(was.Card, now.Card) && same(was.Outcome, now.Outcome)
}

func same[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}
