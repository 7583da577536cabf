package dispute_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/internal/tilltest"
	"github.com/till-pay/till/sandbox"
)

// The dispute may be heard of before the payment is: Stripe's answer is on its way still. Then Stripe is asked for the payment.
func TestDisputeBeforeItsPayment(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		sandbox.Open(t, till.StripeURL, till.Shop.StripeKey).Fault(sandbox.Fault{Kind: sandbox.Lost, Every: 1}) // no webhook comes by itself
		at, told := till.Stripe(till.Shop), false
		at.Break("hold", "POST", "/v1/payment_intents")
		order := body{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_createDispute"}
		p := tilltest.During(t, till.As(till.Shop).With("Idempotency-Key", "slow"), "POST", "/v1/payments", order, func() {
			if told || at.Held() == 0 {
				return
			}
			told = true
			if known := till.Get("/v1/payments").Want(200); known.String("data", 0, "provider_ref") != "" {
				t.Errorf("it is known already: %s", known.Raw)
			}
			at.Advance(2 * time.Second)
			list := at.Do("GET", "/v1/events", "type=charge.dispute.created").Want(200)
			at.Tell(db.JSON(list.At("data", 0))).Want(200)
			shows(t, till.Get("/v1/disputes/"+disputeOf(t, till, till.Get("/v1/payments").Want(200).String("data", 0, "id"))).Want(200), "withdrawn", "50.00")
			at.Release()
		}).Want(201)
		shows(t, p, "status", "completed", "disputed", "50.00")
		if got := disputeOf(t, till, p.ID()); story(till, got) != "opened funds_withdrawn" {
			t.Errorf("told %s", story(till, got))
		}
	})
}

// disputeOf waits for the dispute of a payment.
func disputeOf(t *testing.T, till *tilltest.Till, payment string) (id string) {
	t.Helper()
	tilltest.Until(t, "a dispute", func() bool {
		id = till.Get("/v1/disputes?payment_id="+payment).Want(200).String("data", 0, "id")
		return id != ""
	})
	return id
}

// Webhooks that never came are brought by a repair, and then the books are what they should be.
func TestRepairBringsDisputes(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		sandbox.Open(t, till.StripeURL, till.Shop.StripeKey).Fault(sandbox.Fault{Kind: sandbox.Lost, Every: 1})
		p := pay(till, "createDisputeInquiry", "50.00", "USD")
		at := till.Stripe(till.Shop)
		at.Advance(3 * time.Second)
		ref := at.Do("GET", "/v1/disputes", "").Want(200).String("data", 0, "id")
		at.Do("POST", "/v1/disputes/"+ref, "evidence[uncategorized_text]=escalate_inquiry_evidence").Want(200)
		at.Advance(5 * time.Second)
		at.Do("POST", "/v1/disputes/"+ref, "evidence[uncategorized_text]=losing_evidence").Want(200)
		at.Advance(5 * time.Second)
		if n := till.Get("/v1/disputes").Want(200).Len(); n != 0 {
			t.Fatalf("%d disputes, and nobody told of one", n)
		}
		till.As(till.Shop).Want(200, "POST", "/v1/stripe/events/repair", body{"since": "72h"})
		rest(till, time.Second)
		shows(t, disputes(till, p.ID())[0], "status", "lost", "fee", "30.00", "provider_ref", ref)
		agrees(t, till, 1)
	})
}

// What is no dispute of a payment of ours changes nothing, and neither does what cannot be read: that is an error, and tried again.
func TestDisputesOfOthers(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		at := till.Stripe(till.Shop)
		at.Do("POST", "/v1/payment_intents", "amount=900&currency=usd&confirm=true&payment_method_types[]=card&payment_method=pm_card_createDispute").Want(200)
		p := pay(till, "visa", "50.00", "USD")
		rest(till, 5*time.Second)
		kept, err := till.Payments.Get(t.Context(), till.Shop.Scope, p.ID())
		if err != nil {
			t.Fatal(err)
		}
		theirs := at.Do("GET", "/v1/disputes", "").Want(200)
		if theirs.Len() != 1 {
			t.Fatalf("%s", theirs.Raw)
		}
		hear := func(seen stripe.Dispute, generation int64) error {
			return till.Disputes.Heard(t.Context(), till.Shop.Scope, generation, seen, "")
		}
		seen := stripe.Dispute{ID: "du_x", Status: "needs_response", Amount: 100, Currency: "usd"}
		seen.PaymentIntent.ID = "pi_none"
		charge := seen
		charge.PaymentIntent.ID, charge.Charge.ID = "", "ch_none"
		mine := seen
		mine.PaymentIntent.ID = kept.ProviderRef
		nameless := mine
		nameless.ID = ""
		for name, err := range map[string]error{"another intent": hear(seen, 1), "another charge": hear(charge, 1), "another account": hear(mine, 2), "no id": hear(nameless, 1),
			"no such dispute": till.Disputes.Refetch(t.Context(), till.Shop.Scope, 1, "du_none", "")} {
			if err != nil && name != "another account" { // whose key nobody has given
				t.Errorf("%s: %v", name, err)
			}
		}
		odd, foreign := mine, mine
		odd.Status, foreign.Currency = "reconsidered", "eur"
		for _, bad := range []stripe.Dispute{odd, foreign} {
			if err := hear(bad, 1); err == nil || !strings.Contains(err.Error(), "du_x") {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		if n := till.Get("/v1/disputes").Want(200).Len(); n != 0 || len(foretold(till)) != 0 {
			t.Errorf("%d disputes", n)
		}
		// One that names only its charge is found by that.
		of := mine
		of.PaymentIntent.ID = ""
		of.Charge.ID = at.Do("GET", "/v1/payment_intents/"+kept.ProviderRef, "").Want(200).String("latest_charge")
		if err := hear(of, 1); err != nil {
			t.Error(err)
		}
		shows(t, disputes(till, p.ID())[0], "withdrawn", "1.00")
		// What is known of it is asked for anew: Stripe has no such dispute, and nothing changes.
		if err := till.Disputes.Refetch(t.Context(), till.Shop.Scope, 1, "du_x", stripe.FundsReinstated); err != nil {
			t.Error(err)
		}
		shows(t, disputes(till, p.ID())[0], "reinstated", "0.00")
	})
}

func TestListOfDisputes(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		chargeback, inquiry := pay(till, "createDispute", "50.00", "USD").ID(), pay(till, "createDisputeInquiry", "50.00", "USD").ID()
		rest(till, 5*time.Second)
		ids := map[string]string{chargeback: disputes(till, chargeback)[0].ID(), inquiry: disputes(till, inquiry)[0].ID()}
		ref := disputes(till, inquiry)[0].String("data", "provider_ref")
		finds := func(query string, payments ...string) {
			t.Helper()
			list, got, want := till.Get("/v1/disputes?"+query).Want(200), map[string]bool{}, map[string]bool{}
			for i := range list.Len() {
				got[list.String("data", i, "id")] = true
			}
			for _, p := range payments {
				want[ids[p]] = true
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s finds %v, want %v", query, got, want)
			}
		}
		finds("", chargeback, inquiry)
		finds("status=needs_response", chargeback)
		finds("status=warning_needs_response", inquiry)
		finds("status=won")
		finds("payment_id="+inquiry, inquiry)
		finds("provider_ref="+ref, inquiry)
		finds("due_before=2026-12-03T23:59:59Z")
		finds("due_before=2026-12-04T00:00:00Z", chargeback, inquiry)
		evidence(till, disputes(till, chargeback)[0], "losing_evidence")
		rest(till, 5*time.Second)
		finds("due_before=2026-12-04T00:00:00Z", inquiry)
		for query, param := range map[string]string{"status=accepted": "status", "due_before=soon": "due_before", "limit=0": "limit"} {
			till.Get("/v1/disputes?"+query).Refused(400, "parameter_invalid", param)
		}
		till.Get("/v1/disputes/nonsense").Refused(404, "resource_missing", "id")
		till.Get("/v1/disputes/00000000-0000-4000-8000-000000000000").Refused(404, "resource_missing", "id")
	})
}
