package payment

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// claimed is a payment of 50.00 USD as its claim writes it.
func claimed() Payment {
	usd := func(minor int64) money.Money { return money.FromMinor(minor, "USD") }
	by := noon.Add(resolveWithin)
	return Payment{ID: "p", scope: db.Scope{Merchant: "m", Mode: "test"}, Amount: usd(5000), Captured: usd(0), Refunding: usd(0), Refunded: usd(0), Currency: "USD",
		Status: Pending, CreatedAt: noon, ResolveBy: by, dueAt: by}
}

// life is what Stripe says of one intent from its beginning on.
type life struct {
	words []stripe.PaymentIntent
	// certain says that the words in any order leave one row. Not so where an intent was declined and a later word does not show it: then it
	// may be called failed or cancelled, whichever was heard first; nor where it was declined twice, and either reason may be heard last.
	certain bool
	again   bool // a try followed a decline
}

// say adds a word: the intent as it stands now.
func (l *life) say(status string, with func(*stripe.PaymentIntent)) {
	pi := stripe.PaymentIntent{ID: "pi_1", Amount: 5000, Currency: "usd", Status: status, ClientSecret: "s"}
	if n := len(l.words); n > 0 {
		pi.LatestCharge.ID = l.words[n-1].LatestCharge.ID
	}
	if with != nil {
		with(&pi)
	}
	l.words = append(l.words, pi)
}

// drawLife is any life of an intent: tries that the bank declines, challenges, holds, money or an early end.
func drawLife(r *rapid.T) *life {
	l := &life{certain: true}
	yes := func(name string) bool { return rapid.Bool().Draw(r, name) }
	if yes("heard of its making") {
		l.say(stripe.RequiresConfirmation, nil)
	}
	manual := yes("manual capture")
	for try := range 3 {
		if yes("challenge") {
			l.say(stripe.RequiresAction, func(pi *stripe.PaymentIntent) { pi.NextAction = &stripe.NextAction{Type: "use_stripe_sdk"} })
			if yes("given up at the challenge") {
				l.end(r, try > 0)
				return l
			}
		}
		if yes("processing") {
			l.say(stripe.Processing, nil)
		}
		charge := fmt.Sprintf("ch_%d", try)
		if yes("declined") {
			declined := func(pi *stripe.PaymentIntent) {
				pi.LatestCharge.ID = charge
				pi.LastPaymentError = &stripe.PaymentError{Code: "card_declined", DeclineCode: fmt.Sprint("try ", try)}
			}
			l.say(stripe.RequiresPaymentMethod, declined)
			if yes("charge seen") {
				l.say(stripe.RequiresPaymentMethod, func(pi *stripe.PaymentIntent) {
					declined(pi)
					pi.LatestCharge.Object = described(charge, "issuer_declined")
				})
			}
			l.certain = l.certain && try == 0
			if yes("no other try") {
				l.end(r, true)
				return l
			}
			l.again = true
			continue
		}
		if manual {
			l.certain = true
			l.say(stripe.RequiresCapture, func(pi *stripe.PaymentIntent) { pi.LatestCharge.ID, pi.AmountCapturable = charge, 5000 })
			if yes("not captured") {
				l.end(r, try > 0)
				return l
			}
		}
		l.pay(r, charge, manual)
		return l
	}
	return l
}

// end cancels the intent, or leaves it as it is.
func (l *life) end(r *rapid.T, declined bool) {
	if !rapid.Bool().Draw(r, "cancelled") {
		return
	}
	last := l.words[len(l.words)-1]
	kept := last.LastPaymentError
	if kept != nil && rapid.Bool().Draw(r, "error cleared") {
		kept = nil
	}
	l.certain = l.certain && (!declined || kept != nil)
	l.say(stripe.Canceled, func(pi *stripe.PaymentIntent) { pi.LastPaymentError = kept })
}

// pay takes the money; the reply to a call shows the fee, a webhook does not.
func (l *life) pay(r *rapid.T, charge string, manual bool) {
	l.certain = true
	amount := int64(5000)
	if manual {
		amount = rapid.Int64Range(1, 5000).Draw(r, "captured")
	}
	paid := func(pi *stripe.PaymentIntent) { pi.LatestCharge.ID, pi.AmountReceived = charge, amount }
	l.say(stripe.Succeeded, paid)
	if rapid.Bool().Draw(r, "fee seen") {
		l.say(stripe.Succeeded, func(pi *stripe.PaymentIntent) {
			paid(pi)
			pi.LatestCharge.Object = described(charge, "authorized")
			pi.LatestCharge.Object.BalanceTransaction.Object = &stripe.BalanceTransaction{Fee: 175, Currency: "usd"}
		})
	}
}

// described is a charge as Stripe shows it whole. The last digits are those of its try.
func described(id, outcome string) *stripe.Charge {
	ch := &stripe.Charge{ID: id, Outcome: &stripe.ChargeOutcome{Type: outcome, RiskLevel: "normal"}}
	ch.PaymentMethodDetails.Card = &stripe.ChargedCard{Brand: "visa", Country: "DE", Last4: id, ThreeDSecure: &stripe.ThreeDSecure{Authenticated: true}}
	return ch
}

// told is what comes of hearing words in their order: the payment in the end, what the book holds, and the events.
type told struct {
	Now    Payment
	Booked int64
	Events []string
}

func hear(t interface{ Fatalf(string, ...any) }, words []stripe.PaymentIntent) told {
	end := told{Now: claimed()}
	for _, w := range words {
		o := Observe(end.Now, w, noon)
		again := Observe(o.Now, w, noon)
		if !unchanged(o.Now, again.Now) || len(again.Entries)+len(again.Events) > 0 {
			t.Fatalf("the same word twice changes something: %+v", w)
		}
		if unchanged(end.Now, o.Now) && len(o.Entries)+len(o.Events) > 0 {
			t.Fatalf("events or entries without a change, which would not be written: %+v", w)
		}
		for _, e := range o.Entries {
			for _, line := range e.Lines {
				if line.Account == ledger.StripeBalance {
					end.Booked += line.Money.Minor
				}
			}
		}
		for _, e := range o.Events {
			end.Events = append(end.Events, e.Type)
		}
		end.Now = o.Now
	}
	return end
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// Events come in any order and more than once, and the reply to a call comes among them: the payment ends the same.
func TestAnyOrderOfWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := drawLife(r)
		inOrder := hear(r, l.words)
		heard := append(slices.Clone(l.words), rapid.SliceOfN(rapid.SampledFrom(append(l.words, l.words[:min(1, len(l.words))]...)), 0, 4).Draw(r, "twice")...)
		heard = rapid.Permutation(heard).Draw(r, "heard")
		got := hear(r, heard)

		money := got.Now.Captured.Minor
		if money != inOrder.Now.Captured.Minor || got.Booked != money || inOrder.Booked != money || !same(got.Now.Fee, inOrder.Now.Fee) {
			r.Fatalf("money differs: %+v, in order %+v", got, inOrder)
		}
		if n := count(got.Events, "payment.completed"); n != 0 && money == 0 || n != 1 && money > 0 || (got.Now.Status == Completed) != (money > 0) {
			r.Fatalf("%d completions of %d: %+v", n, money, got)
		}
		for _, kind := range EventTypes {
			if count(got.Events, kind) > 1 {
				r.Fatalf("%s is told twice: %v", kind, got.Events)
			}
		}
		if n := len(got.Events); n > 0 && got.Now.Status != Pending && got.Events[n-1] != "payment."+string(got.Now.Status) {
			r.Fatalf("the last event is not of the end: %v, %s", got.Events, got.Now.Status)
		}
		if c := got.Now.Card; c != nil && c.Last4 != got.Now.chargeRef {
			r.Fatalf("the card of %s is shown for %s", c.Last4, got.Now.chargeRef)
		}
		if l.certain {
			if d := cmp.Diff(inOrder.Now, got.Now, cmp.AllowUnexported(Payment{})); d != "" {
				r.Fatalf("in order, and as heard: %s", d)
			}
		}
		if l.certain && !l.again {
			for _, e := range got.Events {
				if !slices.Contains(inOrder.Events, e) {
					r.Fatalf("%s is told, and never was: %v, in order %v", e, got.Events, inOrder.Events)
				}
			}
		}
		unpaid := []Status{Failed, Cancelled}
		if got.Now.Status != inOrder.Now.Status && !(slices.Contains(unpaid, got.Now.Status) && slices.Contains(unpaid, inOrder.Now.Status)) {
			r.Fatalf("%s, in order %s", got.Now.Status, inOrder.Now.Status)
		}
	})
}

// What an open intent may still do at Stripe is ended there: only what holds or took money, or is cancelled there, is due no more.
func TestWhatIsDue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := drawLife(r)
		now := hear(r, rapid.Permutation(l.words).Draw(r, "heard")).Now
		payable := now.Status == Pending || now.Status == Failed && now.providerStatus != stripe.Canceled
		if payable != !now.dueAt.IsZero() {
			r.Fatalf("%s, %s at Stripe, is due at %v", now.Status, now.providerStatus, now.dueAt)
		}
	})
}

// A word that we do not know moves nothing, and money that comes with it counts.
func TestUnknownWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := drawLife(r)
		was := hear(r, l.words).Now
		word := rapid.StringMatching(`[a-z_]{3,30}`).Draw(r, "word")
		if _, known := stages[word]; known || was.ProviderRef == "" {
			return
		}
		seen := stripe.PaymentIntent{ID: "pi_1", Status: word, LastPaymentError: &stripe.PaymentError{Code: "c"}, NextAction: &stripe.NextAction{Type: "t"}}
		seen.LatestCharge.ID = "ch_9"
		if o := Observe(was, seen, noon); !unchanged(was, o.Now) || len(o.Events)+len(o.Entries) > 0 {
			r.Fatalf("%q moved %+v to %+v", word, was, o)
		}
		seen.AmountReceived = 5000
		if o := Observe(was, seen, noon); o.Now.Status != Completed || o.Now.Captured.Minor != 5000 {
			r.Fatalf("money with %q is not seen: %+v", word, o.Now)
		}
	})
}

func TestFailedThenCompleted(t *testing.T) {
	t.Parallel()
	refused := claimed() // as refuseCreate leaves it: Stripe certainly made nothing, as far as we knew
	refused.Status, refused.Failure, refused.dueAt = Failed, &Failure{Code: "provider_unavailable"}, never
	open := Observe(refused, stripe.PaymentIntent{ID: "pi_1", Status: stripe.RequiresAction}, noon).Now
	if open.Status != Failed || open.ProviderRef != "pi_1" || !open.dueAt.Equal(open.ResolveBy) {
		t.Errorf("an intent that was there after all is not ended: %+v", open)
	}
	paid := Observe(open, stripe.PaymentIntent{ID: "pi_1", Status: stripe.Succeeded, AmountReceived: 5000}, noon)
	if paid.Now.Status != Completed || paid.Now.Failure != nil || len(paid.Entries) != 1 || len(paid.Events) != 1 || paid.Events[0].Type != "payment.completed" {
		t.Errorf("%+v", paid)
	}
	if o := Observe(paid.Now, stripe.PaymentIntent{ID: "pi_2", Status: stripe.Succeeded, AmountReceived: 9999}, noon); !unchanged(paid.Now, o.Now) {
		t.Errorf("another intent moved it: %+v", o.Now)
	}
}

// A fee in another currency than the payment's is not the payment's.
func TestFeeInAnotherCurrency(t *testing.T) {
	t.Parallel()
	seen := stripe.PaymentIntent{ID: "pi_1", Status: stripe.Succeeded, AmountReceived: 5000}
	seen.LatestCharge.Object = &stripe.Charge{}
	seen.LatestCharge.Object.BalanceTransaction.Object = &stripe.BalanceTransaction{Fee: 175, Currency: "eur"}
	if p := Observe(claimed(), seen, noon).Now; p.Fee != nil || p.Net != nil || p.Status != Completed {
		t.Errorf("%+v", p)
	}
}
