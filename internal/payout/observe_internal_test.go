package payout

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func claimed(minor int64, method string) Payout {
	m := money.FromMinor(minor, "USD")
	return Payout{ID: "p", Status: Pending, Amount: m, Currency: "USD", Fee: fee(m, method), Method: method, scope: db.Scope{Merchant: "m", Mode: "test"}, version: 1, generation: 1,
		dueAt: noon.Add(firstLook)}
}

// stories are the lives that a payout may have at Stripe.
var stories = [][]string{{"pending", "in_transit", "paid"}, {"pending", "in_transit", "failed"}, {"pending", "failed"}, {"pending", "in_transit", "paid", "failed"}, {"pending", "canceled"}}

func said(status string) stripe.Payout {
	p := stripe.Payout{ID: "po_1", Status: status, Amount: 5000, Currency: "usd", Method: "instant", ArrivalDate: noon.Unix(), Created: noon.Unix()}
	if status == "failed" {
		p.FailureCode, p.FailureMessage = "no_account", "words"
	}
	return p
}

// Whatever of a payout's life is heard, in any order and more than once, and whether a call of ours was thought refused: once the end was
// heard, the payout stands as Stripe has it, its money has left once, and has come back once or not at all, and each thing was told once.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		story := rapid.SampledFrom(stories).Draw(t, "story")
		words := slices.Concat(story, rapid.SliceOf(rapid.SampledFrom(story)).Draw(t, "repeats"))
		words = rapid.Permutation(words).Draw(t, "order")
		p := claimed(5000, "instant")
		moved, fees, events := int64(0), int64(0), map[string]int{}
		take := func(o Outcome) {
			if ranks[o.Now.Status] < ranks[p.Status] && p.ProviderRef != "" {
				t.Fatalf("from %s back to %s", p.Status, o.Now.Status)
			}
			for _, tx := range o.Entries {
				moved, fees = moved+tx.Moves.Amount.Minor, fees+tx.Moves.Fee.Minor
			}
			for _, e := range o.Events {
				events[e.Type]++
			}
			p = o.Now
		}
		thoughtRefused := rapid.Bool().Draw(t, "thought refused")
		if thoughtRefused { // which was told as failed
			take(Refused(p, &stripe.Error{Status: 500}, 1, noon))
			events = map[string]int{}
		}
		for i, w := range words {
			take(Observe(p, said(w), int64(i), noon.Add(time.Duration(i)*time.Minute)))
		}
		end := heard(story[len(story)-1])
		wantMoved, wantFees, wantFailure := int64(-5000), p.Fee.Minor, "<nil>"
		if end != Paid {
			wantMoved, wantFees = 0, 0
		}
		if end == Failed {
			wantFailure = "no_account"
		}
		failure := "<nil>"
		if p.Failure != nil {
			failure = p.Failure.Code
		}
		if p.Status != end || moved != wantMoved || fees != wantFees || failure != wantFailure || p.ProviderRef != "po_1" {
			t.Fatalf("%v: %s, moved %d, fees %d, failure %s", words, p.Status, moved, fees, failure)
		}
		if n := events["payout."+string(end)]; n > 1 || n == 0 && !(thoughtRefused && end == Failed) || events["payout.paid"] > 1 || !p.dueAt.IsZero() && end != Paid {
			t.Fatalf("%v: told %v, due %v", words, events, p.dueAt)
		}
	})
}

// What is said of no payout, of another one, or in a word that is not known changes nothing.
func TestSaidOfNothing(t *testing.T) {
	t.Parallel()
	p := Observe(claimed(5000, "standard"), said("pending"), 1, noon).Now
	for name, seen := range map[string]stripe.Payout{"no id": {Status: "paid"}, "another id": {ID: "po_2", Status: "paid"}, "a word of tomorrow": {ID: "po_1", Status: "teleported"}, "no word": {ID: "po_1"}} {
		if o := Observe(p, seen, 0, noon.Add(time.Hour)); o.Now.Status != Pending || len(o.Entries)+len(o.Events) != 0 || !unchanged(p, o.Now) {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if o := Refused(p, &stripe.Error{Status: 400, Code: "x"}, 1, noon); o.Now.Status != Pending {
		t.Errorf("a payout that Stripe has made was refused: %+v", o)
	}
}

// A paid payout is looked at until no bank can send it back any more; one that is open for ever; one that has come back never.
func TestWhenStripeIsAskedNext(t *testing.T) {
	t.Parallel()
	p := Observe(claimed(5000, "standard"), said("pending"), 1, noon).Now
	if got := p.after(noon.Add(1000 * day)); !got.Equal(noon.Add(1000*day + again)) {
		t.Errorf("open: %v", got)
	}
	p = Observe(p, said("paid"), 0, noon).Now
	looks := 0
	for next := p.dueAt; !next.IsZero(); next = p.after(next) {
		if looks++; looks > 100 {
			t.Fatal("it is looked at for ever")
		}
	}
	if want := int(returns / daily); looks != want {
		t.Errorf("%d looks, not %d", looks, want)
	}
	if back := Observe(p, said("failed"), 0, noon.Add(day)).Now; !back.dueAt.IsZero() || !back.after(noon).IsZero() {
		t.Errorf("it came back, and is looked at: %v", back.dueAt)
	}
}

// Every refusal that has words of its own has all of them; any other is told in Stripe's.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for code := range refusals {
		f := refusal(&stripe.Error{Status: 400, Type: "invalid_request_error", Code: code, Message: "M"})
		if f.Code != code || f.Message != "M" || f.Meaning == "" || f.Action == "" || f.Who == "" || f.Side == "" {
			t.Errorf("%s: %+v", code, f)
		}
	}
	for want, why := range map[string]stripe.Error{"provider_credentials": {Status: 401, Type: "invalid_request_error"}, "provider_unavailable": {Status: 500, Type: "api_error"},
		"provider_refused": {Status: 400, Type: "invalid_request_error"}, "new_code": {Status: 400, Type: "invalid_request_error", Code: "new_code"}} {
		if f := refusal(&why); f.Code != want || f.Meaning == "" || f.Action == "" {
			t.Errorf("%s: %s", want, fmt.Sprint(f))
		}
	}
}
