package search

import (
	"strconv"
	"time"

	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/stripe"
)

// bank is Stripe, as far as one payment and one refund of it go: what it does when asked, what it has stored under each idempotency key, and the
// events that it tells. It is the model's own; everything on our side of the line is production's.
type bank struct {
	made    bool
	status  string // of the intent
	err     string // the code of its last payment error
	got     int64  // received, in minor units
	charges int    // how often money or a hold was taken from the card
	refund  string // the status of the refund; "" where there is none
	back    int64  // refunded
	twice   bool   // two refunds were made
	keys    [calls]stored
	events  []told
}

// stored is what is kept under the idempotency key of a call.
type stored struct {
	kept bool
	at   time.Time
	answer
}

// answer is what a request brought: an object, or an error.
type answer struct {
	pi  *stripe.PaymentIntent
	re  *stripe.Refund
	err *stripe.Error
}

func (a answer) error() error {
	if a.err == nil {
		return nil
	}
	return a.err
}

// key adds what tells one answer from another.
func (a answer) key(k []byte) []byte {
	switch {
	case a.err != nil:
		k = append(strconv.AppendInt(append(k, 'e'), int64(a.err.Status), 10), a.err.Code...)
		if a.err.PaymentIntent != nil {
			k = append(k, a.err.PaymentIntent.Status...)
		}
		return append(k, flag(a.err.Replayed))
	case a.pi != nil:
		return append(strconv.AppendInt(append(k, 'p'), a.pi.AmountReceived, 10), a.pi.Status...)
	case a.re != nil:
		return append(append(k, 'r'), a.re.Status...)
	}
	return append(k, '-')
}

// told is an event: its type, and the object as it was then.
type told struct {
	kind string
	answer
}

const (
	amount = 5000
	back   = 2000
	fee    = 175
	// remembers is how long Stripe keeps an idempotency key (docs.stripe.com/api/idempotent_requests: at least 24 hours).
	remembers = 24 * time.Hour
)

// intent is the intent as it stands, as a reply shows it (with its charge, and that with its balance transaction) or as an event and a decline do.
func (b *bank) intent(reply bool) *stripe.PaymentIntent {
	pi := &stripe.PaymentIntent{ID: "pi_1", Status: b.status, Amount: amount, AmountReceived: b.got, Currency: "usd", Metadata: map[string]string{stripe.Tag: "p"}}
	if b.charges > 0 || b.err != "" {
		pi.LatestCharge.ID = "ch_1"
	}
	if pi.LatestCharge.ID != "" && reply {
		pi.LatestCharge.Object = b.charged()
	}
	if b.err != "" {
		pi.LastPaymentError = &stripe.PaymentError{Code: b.err}
	}
	if b.status == stripe.RequiresAction {
		pi.NextAction = &stripe.NextAction{Type: "use_stripe_sdk"}
	}
	return pi
}

// charged is the charge, with what the issuer made of it.
func (b *bank) charged() *stripe.Charge {
	ch := &stripe.Charge{ID: "ch_1", Outcome: &stripe.ChargeOutcome{Type: "authorized", NetworkStatus: "approved_by_network"}}
	if b.err != "" {
		ch.Outcome = &stripe.ChargeOutcome{Type: "issuer_declined", NetworkStatus: "declined_by_network"}
	}
	if b.got > 0 {
		ch.BalanceTransaction = stripe.Ref[stripe.BalanceTransaction]{ID: "txn_1", Object: &stripe.BalanceTransaction{Fee: fee, Net: b.got - fee, Currency: "usd"}}
	}
	return ch
}

func (b *bank) refundNow() *stripe.Refund {
	re := &stripe.Refund{ID: "re_1", Status: b.refund, Amount: back, Currency: "usd", Metadata: map[string]string{stripe.Tag: "r"}}
	re.PaymentIntent.ID = "pi_1"
	if b.refund == "failed" {
		re.FailureReason = "declined"
	}
	return re
}

// tell adds an event. The slice is never written to in place: other states share it.
func (b *bank) tell(kind string) {
	e := told{kind: kind}
	switch {
	case kind == "refund.created" || kind == "refund.updated" || kind == "refund.failed":
		e.re = b.refundNow()
	default:
		e.pi = b.intent(false)
	}
	b.events = append(b.events[:len(b.events):len(b.events)], e)
}

func refusedWith(pi *stripe.PaymentIntent) answer {
	return answer{err: &stripe.Error{Status: 400, Type: "invalid_request_error", Code: "payment_intent_unexpected_state", PaymentIntent: pi}}
}

// do executes a request that has arrived, under its key; keyless is a planted bug.
func (b *bank) do(call int, s *story, now time.Time, keyless bool) answer {
	k := &b.keys[call]
	if k.kept && now.Sub(k.at) < remembers && !keyless {
		a := k.answer
		if a.err != nil { // Stripe says that it repeats itself
			replayed := *a.err
			replayed.Replayed = true
			a.err = &replayed
		}
		return a
	}
	a := b.act(call, s)
	*k = stored{true, now, a}
	return a
}

// act does what a call asks for.
func (b *bank) act(call int, s *story) answer {
	switch call {
	case create:
		return b.create(s)
	case capture:
		if b.status != stripe.RequiresCapture {
			return refusedWith(b.intent(true))
		}
		b.status, b.got = stripe.Succeeded, amount
		b.tell("payment_intent.succeeded")
		return answer{pi: b.intent(true)}
	case cancel:
		if b.status == stripe.Succeeded || b.status == stripe.Canceled {
			return refusedWith(b.intent(true))
		}
		b.status = stripe.Canceled
		b.tell("payment_intent.canceled")
		return answer{pi: b.intent(true)}
	}
	return b.giveBack(s)
}

func (b *bank) create(s *story) answer {
	if b.made { // a second intent: another charge
		b.charges++
		return answer{pi: b.intent(true)}
	}
	b.made = true
	switch {
	case s.declined:
		b.status, b.err = stripe.RequiresPaymentMethod, "card_declined"
		b.tell("payment_intent.payment_failed")
		return answer{pi: b.intent(false)}
	case s.challenge:
		b.status = stripe.RequiresAction
		b.tell("payment_intent.requires_action")
	default:
		b.charge(s)
	}
	return answer{pi: b.intent(true)}
}

// charge takes the money, or holds it.
func (b *bank) charge(s *story) {
	b.charges++
	b.err = ""
	if s.manual {
		b.status = stripe.RequiresCapture
		b.tell("payment_intent.amount_capturable_updated")
		return
	}
	b.status, b.got = stripe.Succeeded, amount
	b.tell("payment_intent.succeeded")
	b.tell("charge.updated")
}

func (b *bank) giveBack(s *story) answer {
	switch {
	case s.disputed:
		return answer{err: &stripe.Error{Status: 400, Type: "invalid_request_error", Code: "charge_disputed"}}
	case b.refund != "":
		b.twice = true
		b.back += back
		return answer{re: b.refundNow()}
	}
	b.refund, b.back = "succeeded", back
	if s.slow {
		b.refund = "pending"
	}
	b.tell("refund.created")
	b.tell("charge.refunded")
	return answer{re: b.refundNow()}
}

// find is a look-up: what Stripe has of a call, or nil.
func (b *bank) find(call int) (a answer, there bool) {
	switch call {
	case create:
		return answer{pi: b.intent(true)}, b.made
	case capture, cancel:
		return answer{pi: b.intent(true)}, payment.Happened(callNames[call], b.status)
	}
	return answer{re: b.refundNow()}, b.refund != ""
}

// key adds all of Stripe that decides what follows.
func (b *bank) key(k []byte) []byte {
	k = append(append(append(k, '|'), b.status...), b.err...)
	k = append(k, byte('0'+b.charges), flag(b.got > 0), flag(b.back > 0))
	k = append(k, b.refund...)
	for _, e := range b.events {
		k = e.answer.key(append(append(k, '|'), e.kind...))
	}
	return k
}

func minor(n int64) money.Money { return money.FromMinor(n, "USD") }
