package payment

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

// What the statements do to a payment's row is what the twin does to its own, misses included, on both engines: through histories in which words
// of Stripe's, claims and refunds are decided from rows that may have moved since.
func TestTheTwinIsTheTable(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		hits, misses := map[string]int{}, map[string]int{}
		for seed := range uint64(80) {
			h := history{t: t, s: &Payments{DB: d, Clock: clock.NewFake(noon)}, chance: rand.New(rand.NewPCG(seed, 2))}
			h.live(hits, misses)
		}
		for _, kind := range []string{"word", "refused", "ended", "capturing", "cancelling", "set aside", "moved", "contested"} {
			if hits[kind] == 0 || misses[kind] == 0 {
				t.Errorf("%s: %d written, %d missed: the histories say nothing of one", kind, hits[kind], misses[kind])
			}
		}
	})
}

type history struct {
	t      *testing.T
	s      *Payments
	chance *rand.Rand
	twin   Payment
	seen   Payment // as somebody read it, perhaps long ago
}

func (h *history) live(hits, misses map[string]int) {
	h.t.Helper()
	h.twin = Claimed(db.Scope{Merchant: "m", Mode: "test"}, id.New(), money.FromMinor(5000, "USD"), "manual", noon)
	if err := h.s.DB.Write(h.t.Context(), insert(h.twin)...); err != nil {
		h.t.Fatal(err)
	}
	for range 16 {
		if h.chance.IntN(3) > 0 || h.seen.ID == "" {
			h.seen = h.read()
		}
		kind, changes, next, hit := h.anything()
		err := h.s.DB.Write(h.t.Context(), changes...)
		if err != nil && !db.IsMoved(err) {
			h.t.Fatal(err)
		}
		if len(changes) > 0 && db.IsMoved(err) == hit {
			h.t.Fatalf("%s: the table missed: %v, the twin hit: %v", kind, db.IsMoved(err), hit)
		}
		if hit && len(changes) > 0 {
			hits[kind]++
		} else if !hit {
			misses[kind]++
		}
		h.twin = next
		if diff := cmp.Diff(h.twin, h.read(), cmp.AllowUnexported(Payment{}, money.Money{}), cmpopts.IgnoreFields(Payment{}, "UpdatedAt")); diff != "" {
			h.t.Fatalf("after %s, the twin (-) and the table (+):\n%s", kind, diff)
		}
	}
}

func (h *history) read() Payment {
	h.t.Helper()
	p, err := h.s.find(h.t.Context(), h.twin.scope, h.twin.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// anything is one decision with its statements, and what the twin makes of it.
func (h *history) anything() (kind string, changes []db.Change, next Payment, hit bool) {
	minor := int64(h.chance.IntN(3000))
	switch h.chance.IntN(10) {
	case 0, 1, 2, 3:
		return h.decided("word", Answered(h.seen, h.word(), int64(h.chance.IntN(3)), noon))
	case 4:
		return h.decided("refused", Refused(h.seen, &stripe.Error{Status: 400, Code: "c"}, 1, noon))
	case 5:
		word := h.word()
		return h.decided("ended", Ended(h.seen, []string{captureCall, cancelCall}[h.chance.IntN(2)], []*stripe.PaymentIntent{nil, &word}[h.chance.IntN(2)], noon))
	case 6:
		next, hit = h.twin.Capturing(minor)
		return "capturing", []db.Change{capturing(h.twin.scope, h.twin.ID, minor, 1)}, next, hit
	case 7:
		next, hit = h.twin.Cancelling()
		return "cancelling", []db.Change{cancelling(h.twin.scope, h.twin.ID, 1)}, next, hit
	case 8:
		by := int64(h.chance.IntN(100) - 70)
		next, hit = h.twin.ContestedBy(h.seen, by)
		return "contested", []db.Change{h.seen.Contested(by, 1)}, next, hit
	}
	if h.chance.IntN(2) == 0 {
		next, hit = h.twin.SetAside(minor)
		return "set aside", []db.Change{Refunding(h.twin.scope, h.twin.ID, minor, 1)}, next, hit
	}
	refunding, refunded := int64(h.chance.IntN(3000)-1500), int64(h.chance.IntN(3000)-1500)
	next, hit = h.twin.MovedBy(h.seen, refunding, refunded)
	return "moved", []db.Change{h.seen.Moved(refunding, refunded, 1)}, next, hit
}

func (h *history) decided(kind string, o Outcome) (string, []db.Change, Payment, bool) {
	h.t.Helper()
	changes, err := h.s.changes(h.seen, o)
	if err != nil {
		h.t.Fatal(err)
	}
	next, hit := h.twin.Written(h.seen, o)
	return kind, changes, next, hit
}

// word is one of Stripe's, of an intent at any stage.
func (h *history) word() stripe.PaymentIntent {
	status := []string{stripe.RequiresPaymentMethod, stripe.RequiresAction, stripe.Processing, stripe.RequiresCapture, stripe.RequiresCapture, stripe.Canceled, stripe.Succeeded}[h.chance.IntN(7)]
	pi := stripe.PaymentIntent{ID: "pi_1", Amount: 5000, Currency: "usd", Status: status}
	pi.LatestCharge.ID = []string{"", "ch_1"}[h.chance.IntN(2)]
	switch status {
	case stripe.Succeeded:
		pi.AmountReceived = 5000
		if h.chance.IntN(2) == 0 {
			pi.LatestCharge.Object = described("ch_1", "authorized")
			pi.LatestCharge.Object.BalanceTransaction = stripe.Ref[stripe.BalanceTransaction]{Object: &stripe.BalanceTransaction{Fee: 175, Currency: "usd"}}
		}
	case stripe.RequiresPaymentMethod:
		pi.LastPaymentError = &stripe.PaymentError{Code: "card_declined"}
	case stripe.RequiresAction:
		pi.NextAction = &stripe.NextAction{Type: "use_stripe_sdk"}
	}
	return pi
}
