package inbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/inbox"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/sandbox"
)

const (
	intent = "pi_3TillTest00000000000001"
	money  = "re_3TillTest00000000000001"
	method = "pm_1TillTest00000000000001"
	bank   = "po_1TillTest00000000000001"
	source = "card_1TillTest00000000000001"
	claim  = "du_3TillTest00000000000001"
)

// want is what each event leads to: when its signature was verified, and when it is only a hint.
var want = map[string]struct{ verified, hint call }{
	"payment_intent.succeeded":                 {call{room: "payment", object: intent, status: "succeeded"}, call{room: "refetch", object: intent}},
	"payment_intent.payment_failed":            {call{room: "payment", object: intent, status: "requires_payment_method"}, call{room: "refetch", object: intent}},
	"payment_intent.requires_action":           {call{room: "payment", object: intent, status: "requires_action"}, call{room: "refetch", object: intent}},
	"payment_intent.processing":                {call{room: "payment", object: intent, status: "processing"}, call{room: "refetch", object: intent}},
	"payment_intent.canceled":                  {call{room: "payment", object: intent, status: "canceled"}, call{room: "refetch", object: intent}},
	"payment_intent.amount_capturable_updated": {call{room: "payment", object: intent, status: "requires_capture"}, call{room: "refetch", object: intent}},
	"charge.updated":                           {call{room: "refetch", object: intent}, call{room: "refetch", object: intent}},
	"charge.expired":                           {call{room: "refetch", object: intent}, call{room: "refetch", object: intent}},
	"charge.refunded":                          {call{room: "refunds", object: intent}, call{room: "refunds", object: intent}},
	"refund.created":                           {call{room: "refund", object: money, status: "succeeded"}, call{}}, // hints of refunds: see below
	"refund.updated":                           {call{room: "refund", object: money, status: "succeeded"}, call{}},
	"refund.failed":                            {call{room: "refund", object: money, status: "failed"}, call{}},
	"charge.refund.updated":                    {call{room: "refund", object: money, status: "failed"}, call{}},
	"payout.created":                           {call{room: "payout", object: bank, status: "pending"}, call{room: "refetch payout", object: bank}},
	"payout.updated":                           {call{room: "payout", object: bank, status: "in_transit"}, call{room: "refetch payout", object: bank}},
	"payout.paid":                              {call{room: "payout", object: bank, status: "paid"}, call{room: "refetch payout", object: bank}},
	"payout.failed":                            {call{room: "payout", object: bank, status: "failed"}, call{room: "refetch payout", object: bank}},
	"payout.canceled":                          {call{room: "payout", object: bank, status: "canceled"}, call{room: "refetch payout", object: bank}},
	"payout.reconciliation_completed":          {call{room: "payout", object: bank, status: "paid"}, call{room: "refetch payout", object: bank}},
	"charge.dispute.created":                   {call{room: "dispute", object: claim, status: "needs_response"}, call{room: "dispute", object: claim}},
	"charge.dispute.updated":                   {call{room: "dispute", object: claim, status: "under_review"}, call{room: "dispute", object: claim}},
	"charge.dispute.closed":                    {call{room: "dispute", object: claim, status: "won"}, call{room: "dispute", object: claim}},
	"charge.dispute.funds_withdrawn":           {call{room: "dispute", object: claim, status: "needs_response charge.dispute.funds_withdrawn"}, call{room: "dispute", object: claim}},
	"charge.dispute.funds_reinstated":          {call{room: "dispute", object: claim, status: "won charge.dispute.funds_reinstated"}, call{room: "dispute", object: claim}},
	"payment_method.automatically_updated":     {call{room: "card", object: method}, call{room: "card", object: method}},
	"payment_method.updated":                   {call{room: "card", object: method}, call{room: "card", object: method}},
	"payment_method.detached":                  {call{room: "card", object: method}, call{room: "card", object: method}},
	"customer.source.updated":                  {call{room: "card", object: source}, call{room: "card", object: source}},
}

// Each line of the table has its event in testdata and its expectation here, and the other way round.
func TestEveryHandlerHasItsEvent(t *testing.T) {
	t.Parallel()
	var files, expected []string
	found, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		files = append(files, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	for kind := range want {
		expected = append(expected, kind)
	}
	slices.Sort(files)
	slices.Sort(expected)
	if types := inbox.Events(); !slices.Equal(types, files) || !slices.Equal(types, expected) || !slices.IsSorted(types) {
		t.Errorf("handled %v\nin testdata %v\nexpected %v", types, files, expected)
	}
}

func TestVerifiedEventsReachTheirRooms(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		shop := n.shop(secret())
		for kind, c := range want {
			before := len(n.heard())
			if got := n.tell(shop, sample(t, kind)); !got.received() {
				t.Fatalf("%s: %d %s", kind, got.status, got.text)
			}
			c.verified.scope, c.verified.generation = shop.Scope, 1
			if calls := n.heard()[before:]; len(calls) != 1 || calls[0] != c.verified {
				t.Errorf("%s led to %+v, not to %+v", kind, calls, c.verified)
			}
		}
		for _, k := range n.kept() {
			if k.applied.IsZero() || !k.verified || k.failure != "" {
				t.Errorf("%+v", k)
			}
		}
	})
}

// Without a secret the payload is not trusted: nothing of it reaches a room but an id to ask Stripe for.
func TestHintsAreOnlyIds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		shop := n.shop("")
		own := shared + "/" + shop.Merchant + "/" + shop.token
		for kind, c := range want {
			if c.hint == (call{}) {
				continue
			}
			before := len(n.heard())
			if got := n.post(own, "-", sample(t, kind)); !got.received() {
				t.Fatalf("%s: %d %s", kind, got.status, got.text)
			}
			n.Wait()
			c.hint.scope, c.hint.generation = shop.Scope, 1
			if calls := n.heard()[before:]; len(calls) != 1 || calls[0] != c.hint {
				t.Errorf("%s led to %+v, not to %+v", kind, calls, c.hint)
			}
		}
		for _, k := range n.kept() {
			if k.applied.IsZero() || k.verified {
				t.Errorf("%+v", k)
			}
		}
		before := len(n.kept())
		body := sample(t, "payment_intent.succeeded")
		if got := n.post(shared, "-", body); got.status != 400 || got.code != "webhook_signature_invalid" {
			t.Errorf("a hint on the shared URL: %d %s", got.status, got.text)
		}
		if got := n.post(own, "-", strings.ReplaceAll(body, `"livemode":false`, `"livemode":true`)); got.status != 400 {
			t.Errorf("a hint of the other mode: %d %s", got.status, got.text)
		}
		signing := n.shop(secret())
		if got := n.post(shared+"/"+signing.Merchant+"/"+signing.token, "-", body); got.status != 400 || got.code != "webhook_signature_invalid" {
			t.Errorf("a hint to a merchant with a secret: %d %s", got.status, got.text)
		}
		// An account with and without a secret behind one URL: nobody signs with no secret.
		bare := n.provide(account{merchant.InboundSecret{Scope: signing.Scope, Generation: 2}, signing.token}, "acct_2")
		if got := n.post(shared+"/"+bare.Merchant+"/"+bare.token, signed("", n.clock.Now(), body), body); got.status != 400 || got.code != "webhook_signature_invalid" {
			t.Errorf("signed with an empty secret: %d %s", got.status, got.text)
		}
		if len(n.kept()) != before {
			t.Error("something was written")
		}
	})
}

// A forged hint says that a refund failed; Stripe says that it did not.
func TestHintOfARefundIsAskedOfStripe(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		box := sandbox.NewServer()
		stripeURL := httptest.NewServer(box)
		t.Cleanup(func() {
			stripeURL.Close()
			box.Close()
		})
		sealer, err := merchant.OpenMasterKey(filepath.Join(t.TempDir(), "key"), true)
		if err != nil {
			t.Fatal(err)
		}
		n := join(t, d, sealer, clock.NewFake(start), stripeURL.URL)
		shop := n.shop("")
		client, err := n.Merchants.Client(ctx, shop.Scope, 1)
		if err != nil {
			t.Fatal(err)
		}
		paid, err := client.CreatePaymentIntent(ctx, "p", stripe.NewPaymentIntent{Amount: 5000, Currency: "usd", PaymentMethod: "pm_card_visa", ReturnURL: "https://shop.example/"})
		if err != nil {
			t.Fatal(err)
		}
		back, err := client.CreateRefund(ctx, "r", paid.ID, 2000, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		forged := sample(t, "refund.failed")
		for _, body := range []string{strings.ReplaceAll(forged, money, back.ID), forged /* there is no such refund */} {
			if got := n.post(shared+"/"+shop.Merchant+"/"+shop.token, "-", body); !got.received() {
				t.Fatalf("%d %s", got.status, got.text)
			}
			n.Wait()
		}
		if calls := n.heard(); len(calls) != 1 || calls[0] != (call{"refund", shop.Scope, 1, back.ID, "succeeded"}) {
			t.Errorf("heard %+v", calls)
		}
		for _, k := range n.kept() {
			if k.applied.IsZero() {
				t.Errorf("%+v", k)
			}
		}
	})
}

// A key that may not read refunds, for a while: the hint is kept, and is no news of nothing. It is asked again.
func TestHintThatTheKeyMayNotAskOf(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, stripe := withArchive(t, d)
		shop := n.shop("")
		var allowed atomic.Bool
		stripe.refuse(func(w http.ResponseWriter, r *http.Request) bool {
			if !allowed.Load() {
				stripeError(w, 403, "The provided key does not have the required permissions for this endpoint.")
			} else {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"id":%q,"object":"refund","status":"failed"}`, money)
			}
			return true
		})
		if got := n.post(shared+"/"+shop.Merchant+"/"+shop.token, "-", sample(t, "refund.failed")); !got.received() {
			t.Fatalf("%d %s", got.status, got.text)
		}
		n.Wait()
		if k := n.only(); !k.applied.IsZero() || k.failure == "" {
			t.Fatalf("it counts as taken in: %+v", k)
		}
		allowed.Store(true)
		n.clock.Advance(time.Minute)
		n.work()
		if calls := n.heard(); len(calls) != 1 || calls[0] != (call{"refund", shop.Scope, 1, money, "failed"}) {
			t.Errorf("heard %+v", calls)
		}
	})
}

// What no room takes in is kept, and done with.
func TestOtherEventsAreKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		shop := n.shop(secret())
		event := sample(t, "payment_intent.succeeded")
		for name, body := range map[string]string{
			"a type that nobody knows":  strings.Replace(event, `"type":"payment_intent.succeeded"`, `"type":"payment_intent.abducted"`, 1),
			"a connected account's":     strings.Replace(sample(t, "payment_intent.succeeded"), `"object":"event"`, `"object":"event","account":"acct_1TillTest"`, 1),
			"an object without an id":   strings.Replace(strings.Replace(sample(t, "charge.updated"), `"id":"ch_`, `"no":"ch_`, 1), `"payment_intent":"`, `"no2":"`, 1),
			"a charge without a intent": strings.Replace(sample(t, "charge.refunded"), `"payment_intent":"`+intent+`"`, `"payment_intent":null`, 1),
			"a charge of something odd": strings.Replace(sample(t, "charge.expired"), `"payment_intent":"`+intent+`"`, `"payment_intent":"../customers"`, 1),
		} {
			if got := n.tell(shop, body); !got.received() {
				t.Errorf("%s: %d %s", name, got.status, got.text)
			}
		}
		n.work()
		if len(n.heard()) != 0 || len(n.kept()) != 5 {
			t.Errorf("heard %+v, kept %d", n.heard(), len(n.kept()))
		}
		for _, k := range n.kept() {
			if k.applied.IsZero() || !k.due.IsZero() {
				t.Errorf("%+v", k)
			}
		}
	})
}

// An object that cannot be read is not lost: it is kept with the reason.
func TestUnreadableObject(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		n.tell(n.shop(secret()), strings.Replace(sample(t, "payment_intent.succeeded"), `"amount":5000`, `"amount":"a lot"`, 1))
		if k := n.only(); !k.applied.IsZero() || k.due.IsZero() || !strings.HasPrefix(k.failure, "the event's object cannot be read") {
			t.Errorf("%+v", k)
		}
	})
}
