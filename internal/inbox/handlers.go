package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/till-pay/till/internal/stripe"
)

// handlers is the table: what is done with each type of event. Any other type is kept, and changes nothing.
var handlers = map[string]func(context.Context, *Inbox, Event) error{
	"payment_intent.succeeded":                 paymentIntent,
	"payment_intent.payment_failed":            paymentIntent,
	"payment_intent.requires_action":           paymentIntent,
	"payment_intent.processing":                paymentIntent,
	"payment_intent.canceled":                  paymentIntent,
	"payment_intent.amount_capturable_updated": paymentIntent,
	"charge.updated":                           charge, // the fee, where Stripe learns it late
	"charge.refunded":                          refunded,
	"charge.expired":                           charge,
	"refund.created":                           refund,
	"refund.updated":                           refund,
	"refund.failed":                            refund,
	"charge.refund.updated":                    refund,
	"charge.dispute.created":                   dispute,
	"charge.dispute.updated":                   dispute,
	"charge.dispute.closed":                    dispute,
	"charge.dispute.funds_withdrawn":           dispute,
	"charge.dispute.funds_reinstated":          dispute,
	"payout.created":                           payout,
	"payout.updated":                           payout,
	"payout.paid":                              payout,
	"payout.failed":                            payout, // after payout.paid too: a bank may send back what it had taken
	"payout.canceled":                          payout,
	"payout.reconciliation_completed":          payout,
	"payment_method.automatically_updated":     card, // its bank has replaced it
	"payment_method.updated":                   card,
	"payment_method.detached":                  card,
	"customer.source.updated":                  card, // the same, of a card in its older form
}

// Events are the types to register for at Stripe.
func Events() []string {
	var types []string
	for t := range handlers {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}

// object is the event's data.object, decoded.
func object[T any](e Event) (T, error) {
	var o T
	seen, err := stripe.ParseEvent([]byte(e.Payload))
	if err == nil {
		err = json.Unmarshal(seen.Object, &o)
	}
	if err != nil {
		err = fmt.Errorf("the event's object cannot be read: %w", err)
	}
	return o, err
}

// atItsWord says whether an event's payload may be taken for what its object was: it is proved, and in the version of Stripe's API that we
// read. A webhook endpoint has its own version, the list of events the account's, which may be an old one: then the object is fetched.
func (e Event) atItsWord() bool {
	if !e.Verified || e.Source == FromWebhook {
		return e.Verified
	}
	seen, err := stripe.ParseEvent([]byte(e.Payload))
	return err == nil && seen.SameRelease()
}

func paymentIntent(ctx context.Context, i *Inbox, e Event) error {
	if !e.atItsWord() {
		return i.refetch(ctx, e, e.Object)
	}
	seen, err := object[stripe.PaymentIntent](e)
	if err != nil {
		return err
	}
	return i.Handlers.PaymentIntent(ctx, e.Scope, e.Generation, seen)
}

func charge(ctx context.Context, i *Inbox, e Event) error {
	seen, err := object[stripe.Charge](e)
	if err != nil {
		return err
	}
	return i.refetch(ctx, e, seen.PaymentIntent.ID)
}

func (i *Inbox) refetch(ctx context.Context, e Event, intent string) error {
	if !idForm.MatchString(intent) {
		return nil // no payment of ours
	}
	return i.Handlers.RefetchPayment(ctx, e.Scope, e.Generation, intent)
}

// refunded: the charge says that money went back, not by which refund.
func refunded(ctx context.Context, i *Inbox, e Event) error {
	seen, err := object[stripe.Charge](e)
	if err != nil || !idForm.MatchString(seen.PaymentIntent.ID) {
		return err
	}
	return i.Handlers.RefetchRefunds(ctx, e.Scope, e.Generation, seen.PaymentIntent.ID)
}

// card is only ever asked for: what an event says of it may be older than what is known.
func card(ctx context.Context, i *Inbox, e Event) error {
	if e.Object == "" {
		return nil
	}
	return i.Handlers.RefetchCard(ctx, e.Scope, e.Generation, e.Object)
}

// refund of a hint is fetched from Stripe, for its payload is not trusted.
func refund(ctx context.Context, i *Inbox, e Event) error {
	if e.atItsWord() {
		seen, err := object[stripe.Refund](e)
		if err != nil {
			return err
		}
		return i.Handlers.Refund(ctx, e.Scope, e.Generation, seen)
	}
	if e.Object == "" {
		return nil
	}
	client, err := i.Merchants.Client(ctx, e.Scope, e.Generation)
	if err != nil {
		return err
	}
	seen, err := client.Refund(ctx, e.Object)
	if stripe.Absent(err) {
		return nil // there is no such refund: the hint was wrong
	}
	if err != nil {
		return err
	}
	return i.Handlers.Refund(ctx, e.Scope, e.Generation, seen)
}

// dispute hands on what the event's type says of the money too, where that is proved: the object's form may be old, the event happened.
func dispute(ctx context.Context, i *Inbox, e Event) error {
	moved := ""
	if e.Verified && (e.Type == stripe.FundsWithdrawn || e.Type == stripe.FundsReinstated) {
		moved = e.Type
	}
	if !e.atItsWord() {
		if !idForm.MatchString(e.Object) {
			return nil
		}
		return i.Handlers.RefetchDispute(ctx, e.Scope, e.Generation, e.Object, moved)
	}
	seen, err := object[stripe.Dispute](e)
	if err != nil {
		return err
	}
	return i.Handlers.Dispute(ctx, e.Scope, e.Generation, seen, moved)
}

// payout of a hint is fetched from Stripe, for its payload is not trusted.
func payout(ctx context.Context, i *Inbox, e Event) error {
	if e.atItsWord() {
		seen, err := object[stripe.Payout](e)
		if err != nil {
			return err
		}
		return i.Handlers.Payout(ctx, e.Scope, e.Generation, seen)
	}
	if !idForm.MatchString(e.Object) {
		return nil
	}
	return i.Handlers.RefetchPayout(ctx, e.Scope, e.Generation, e.Object)
}
