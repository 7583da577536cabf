package diagnose_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/diagnose"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/tilltest"
	"github.com/till-pay/till/sandbox"
)

// world is a till in the present, beside Stripe as Stripe's own client for Go sees it. Nothing of it is staged by package scenario.
type world struct {
	*tilltest.Till
	t      *testing.T
	stripe *stripe.Client
	box    *sandbox.World
	client *client.Client
}

func each(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		till := tilltest.Follow(t, url)
		backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{URL: stripe.String(till.StripeURL)})
		test(t, &world{till, t, stripe.NewClient(till.Shop.StripeKey, stripe.WithBackends(backends)), sandbox.Open(t, till.StripeURL, till.Shop.StripeKey),
			client.New(till.URL, till.Shop.Key)})
	})
}

// pay takes a payment by HTTP, as a shop does, under a new key.
func (w *world) pay(amount, customer string, more map[string]string) (payment, intent string) {
	w.t.Helper()
	card := "pm_card_visa"
	if more["card"] != "" {
		card = more["card"]
	}
	a := w.Post("/v1/payments", map[string]any{"amount": amount, "currency": "EUR", "provider": "stripe", "payment_method": card,
		"customer": map[string]string{"reference": customer}, "metadata": map[string]string{"booking": more["booking"] + "-", "order": customer}}).Want(201)
	return a.ID(), a.String("data", "provider_ref")
}

// told waits until Stripe has no webhook under way.
func (w *world) told() {
	w.t.Helper()
	tilltest.Until(w.t, "Stripe's webhooks", func() bool { return w.Till.Stripe(w.Shop).Outstanding() == 0 })
}

func euros(s string) money.Money {
	m, err := money.Parse(s, "EUR")
	if err != nil {
		panic(err)
	}
	return m
}

// What a shop believes is held against the money, and what till heard against what Stripe's own client says that Stripe has told.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		_, back := w.pay("10.00", "back", nil)
		_, sound := w.pay("20.00", "sound", nil)
		_, unmarked := w.pay("30.00", "unmarked", nil)
		_, cheap := w.pay("40.00", "cheap", nil)
		_, declined := w.pay("50.00", "declined", map[string]string{"card": "pm_card_visa_chargeDeclined"})
		w.told()
		w.box.Fault(sandbox.Fault{Kind: "lost", Every: 1})
		if _, err := w.stripe.V1Refunds.Create(t.Context(), &stripe.RefundCreateParams{PaymentIntent: &back}); err != nil {
			t.Fatal(err)
		}
		w.box.Advance(2 * time.Second) // the network's reference of the refund is news as well: it comes before the look, not in the middle of it
		w.told()
		orders := []diagnose.Order{{Order: "back", Intent: back, Amount: euros("10.00"), Paid: true}, {Order: "sound", Intent: sound, Amount: euros("20.00"), Paid: true},
			{Order: "shared", Intent: sound, Amount: euros("20.00"), Paid: true}, {Order: "unmarked", Intent: unmarked, Amount: euros("30.00")},
			{Order: "amount", Intent: cheap, Amount: euros("400.00"), Paid: true}, {Order: "not_taken", Intent: declined, Amount: euros("50.00"), Paid: true},
			{Order: "no_payment", Intent: "pi_3" + id.Hex(11), Amount: euros("60.00"), Paid: true}, {Order: "open", Amount: euros("70.00")}}
		before := w.check(orders)
		want := w.lost()
		if got := ids(before.Missed); len(want) == 0 || !slices.Equal(got, want) || !before.Complete {
			t.Errorf("missed are %v, and Stripe's client says %v", got, want)
		}
		if got := names(before.Unfounded); got != "shared amount not_taken no_payment" {
			t.Errorf("unfounded: %s", got)
		}
		if names(before.Overlooked) != "" || names(before.Unsure) != "unmarked" {
			t.Errorf("overlooked: %s, unsure: %s", names(before.Overlooked), names(before.Unsure))
		}
		for _, o := range before.Unfounded {
			if o.Reason != o.Order {
				t.Errorf("%s is found for %s: %s", o.Order, o.Reason, o.Why)
			}
		}
		w.As(w.Shop).Want(200, "POST", "/v1/stripe/events/repair", map[string]string{"since": "1h"})
		after := w.check(orders)
		if names(after.Unfounded) != "back shared amount not_taken no_payment" || names(after.Overlooked) != "unmarked" || names(after.Unsure) != "" {
			t.Errorf("after the repair: %+v", after)
		}
		for _, m := range after.Missed {
			if m.FoundBy != "repair" {
				t.Errorf("%s was found by %q", m.ID, m.FoundBy)
			}
		}
		var out bytes.Buffer
		before.Write(&out)
		for _, says := range []string{"There is no payment pi_3", "Only 40.00 EUR were taken.", want[0], "till events repair --since 1h"} {
			if !strings.Contains(out.String(), says) {
				t.Errorf("it does not say %q:\n%s", says, &out)
			}
		}
	})
}

// An order whose money came unheard is found as such whether or not the news of it has been fetched since, while news of refunds is still out.
func TestFetchedWhileRefundsAreOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		_, back := w.pay("10.00", "back", nil)
		late := w.Post("/v1/payments", map[string]any{"amount": "20.00", "currency": "EUR", "provider": "stripe", "payment_method": "pm_card_visa", "capture_method": "manual"}).Want(201).String("data", "provider_ref")
		w.told()
		w.box.Fault(sandbox.Fault{Kind: "lost", Every: 1})
		if _, err := w.stripe.V1Refunds.Create(t.Context(), &stripe.RefundCreateParams{PaymentIntent: &back}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.stripe.V1PaymentIntents.Capture(t.Context(), late, nil); err != nil {
			t.Fatal(err)
		}
		w.told()
		orders := []diagnose.Order{{Order: "back", Intent: back, Amount: euros("10.00")}, {Order: "late", Intent: late, Amount: euros("20.00")}}
		look := func(when string) (succeeded string) {
			t.Helper()
			found := w.check(orders)
			if names(found.Overlooked) != "late" || names(found.Unsure) != "back" {
				t.Errorf("%s: overlooked: %s, unsure: %s", when, names(found.Overlooked), names(found.Unsure))
			}
			for _, m := range found.Missed {
				if m.Type == "payment_intent.succeeded" && m.Object == late {
					succeeded = m.ID
				}
			}
			return succeeded
		}
		event := look("before")
		w.As(w.Shop).Want(200, "POST", "/v1/stripe/events/"+event+"/resend", nil)
		look("once the news of it is in")
	})
}

func (w *world) check(orders []diagnose.Order) *diagnose.Webhooks {
	w.t.Helper()
	found, err := diagnose.CheckWebhooks(w.t.Context(), w.client, diagnose.WebhooksInput{Since: time.Hour, Orders: orders})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// lost are the events that till asked for and that were lost: by Stripe's list, those that came after the fault.
func (w *world) lost() (all []string) {
	w.t.Helper()
	for endpoint, err := range w.stripe.V1WebhookEndpoints.List(w.t.Context(), nil).All(w.t.Context()) {
		if err != nil {
			w.t.Fatal(err)
		}
		for event, err := range w.stripe.V1Events.List(w.t.Context(), nil).All(w.t.Context()) {
			if err != nil {
				w.t.Fatal(err)
			}
			if slices.Contains(endpoint.EnabledEvents, string(event.Type)) && strings.Contains(string(event.Type), "refund") {
				all = append(all, event.ID)
			}
		}
	}
	slices.Sort(all)
	return all
}

func ids(all []diagnose.Missed) (ids []string) {
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

func names(all []diagnose.Unfounded) string {
	var names []string
	for _, o := range all {
		names = append(names, o.Order)
	}
	return strings.Join(names, " ")
}

// An account in which nothing happened has nothing wrong with it.
func TestNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		found := w.check(nil)
		if len(found.Unfounded)+len(found.Overlooked)+len(found.Missed) > 0 || !strings.Contains(found.Cause, "No event of Stripe's is missing.") {
			t.Errorf("%+v", found)
		}
		twice, err := diagnose.FindDuplicates(t.Context(), w.client, diagnose.DuplicatesInput{Since: time.Hour, Within: time.Hour})
		if err != nil || len(twice.Groups) > 0 || twice.Cause != "Nothing was charged twice." || len(twice.Confirm(t.Context(), w.client)) > 0 {
			t.Errorf("%+v, %v", twice, err)
		}
		if _, err := diagnose.Gather(t.Context(), w.client, 400*24*time.Hour); err == nil {
			t.Error("more than a year was looked back on")
		}
		if _, err := diagnose.Gather(t.Context(), client.New(w.URL, "none"), time.Hour); !client.Is(err, "api_key_invalid") {
			t.Errorf("a key that is none: %v", err)
		}
	})
}

// One booking under several keys is found, with its money; what only looks alike is not. What is confirmed goes back once.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		b := func(name string) map[string]string { return map[string]string{"booking": name} }
		first, _ := w.pay("31.00", "anna", b("one"))
		second, _ := w.pay("31.00", "anna", b("one"))
		third, _ := w.pay("31.00", "anna", b("one"))
		w.pay("31.00", "anna", b("another"))                                                                    // two trips for one price
		w.pay("31.00", "ben", b("third"))                                                                       // another customer
		w.pay("11.00", "cleo", b("deposit"))                                                                    // a deposit …
		w.pay("12.00", "cleo", b("deposit"))                                                                    // … and the rest
		w.pay("13.00", "dana", map[string]string{"booking": "declined", "card": "pm_card_visa_chargeDeclined"}) // no money
		w.pay("13.00", "dana", b("declined"))
		w.pay("31.00", "emil", b("other-card"))
		w.pay("31.00", "emil", map[string]string{"booking": "other-card-2", "card": "pm_card_mastercard"})
		w.told()
		found := w.duplicates("booking", time.Hour)
		if len(found.Groups) != 1 || found.Total["EUR"] != "62.00" || len(found.Total) != 1 {
			t.Fatalf("%+v", found)
		}
		g := found.Groups[0]
		if g.Object != "one-" || g.Keys != 3 || g.Keep != first || g.Excess != "62.00" || g.Cause != "one booking, three keys: a new key on every attempt" || g.Payments[0].Requests != 1 {
			t.Errorf("%+v", g)
		}
		if len(g.Proposals) != 2 || g.Proposals[0].PaymentID != second || g.Proposals[1].PaymentID != third || g.Proposals[0].IdempotencyKey != "duplicate-"+second {
			t.Errorf("%+v", g.Proposals)
		}
		// Without a booking to go by, customer and card must do: the second trip of anna's counts as one more.
		if by := w.duplicates("boking", time.Hour); !strings.Contains(by.Cause, `none of the payments has "boking"`) {
			t.Errorf("a key that nothing has is not a clean bill: %s", by.Cause)
		}
		if by := w.duplicates("", time.Hour); len(by.Groups) != 1 || by.Groups[0].Object != "anna" || by.Total["EUR"] != "93.00" {
			t.Errorf("by customer and card: %+v", by)
		}
		if apart := w.duplicates("booking", time.Nanosecond); len(apart.Groups) != 0 {
			t.Errorf("payments that do not follow each other within a nanosecond: %+v", apart.Groups)
		}
		w.confirmed(found)
	})
}

func (w *world) duplicates(by string, within time.Duration) *diagnose.Duplicates {
	w.t.Helper()
	found, err := diagnose.FindDuplicates(w.t.Context(), w.client, diagnose.DuplicatesInput{Since: time.Hour, By: by, Within: within})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// confirmed: to look moves nothing; to confirm, twice, moves each refund once, as Stripe's own client sees it.
func (w *world) confirmed(found *diagnose.Duplicates) {
	w.t.Helper()
	refunds := func() (all []int64) {
		for r, err := range w.stripe.V1Refunds.List(w.t.Context(), nil).All(w.t.Context()) {
			if err != nil {
				w.t.Fatal(err)
			}
			all = append(all, r.Amount)
		}
		return all
	}
	if moved := refunds(); len(moved) > 0 {
		w.t.Fatalf("looking has moved %v", moved)
	}
	for n := range 2 { // the same findings, confirmed by two people at once
		for _, r := range found.Confirm(w.t.Context(), w.client) {
			if r.Error != "" || r.ID == "" {
				w.t.Errorf("confirmation %d: %+v", n+1, r)
			}
		}
	}
	if moved := refunds(); fmt.Sprint(moved) != "[3100 3100]" {
		w.t.Errorf("refunds at Stripe: %v", moved)
	}
	w.told()
	again := w.duplicates("booking", time.Hour)
	if len(again.Proposals()) > 0 || again.Returned["EUR"] != "62.00" || len(again.Total) > 0 {
		w.t.Errorf("once refunded: %+v", again)
	}
	broken := *found
	broken.Groups = []diagnose.Group{{Proposals: []diagnose.Refund{{PaymentID: found.Groups[0].Keep, Amount: "99.00", Currency: "EUR", IdempotencyKey: "too-much"}}}}
	if r := broken.Confirm(w.t.Context(), w.client); len(r) != 1 || r[0].Error == "" {
		w.t.Errorf("a refund of more than there is: %+v", r)
	}
}

// What the guard held and a person released was meant: it must not be sent back. What came unheld after it is a duplicate like any other.
func TestReleasedIsNoDuplicate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		guard := func(on bool) {
			w.As(w.Shop).Want(200, "PUT", "/v1/merchant/settings", map[string]any{"duplicate_guard": map[string]any{"enabled": on}})
		}
		guard(true)
		first, _ := w.pay("31.00", "anna", nil)
		meant, _ := w.pay("31.00", "anna", nil)
		if a := w.As(w.Shop).Want(200, "POST", "/v1/payments/"+meant+"/release", nil); a.String("data", "status") != "completed" {
			t.Fatalf("released: %s", a.String("data", "status"))
		}
		for _, by := range []string{"booking", ""} {
			if found := w.duplicates(by, time.Hour); len(found.Groups) > 0 {
				t.Errorf("by %q: %+v", by, found.Groups)
			}
		}
		guard(false)
		third, _ := w.pay("31.00", "anna", nil)
		if found := w.duplicates("booking", time.Hour); len(found.Groups) != 1 || found.Groups[0].Keep != first || found.Proposals()[0].PaymentID != third {
			t.Errorf("%+v", found)
		}
	})
}

// A repeat under the same key is no duplicate, and is counted among the requests.
func TestRepeatsAreNoDuplicates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		order := map[string]any{"amount": "31.00", "currency": "EUR", "provider": "stripe", "payment_method": "pm_card_visa", "metadata": map[string]string{"booking": "one"}}
		for range 3 {
			w.As(w.Shop).With("Idempotency-Key", "one").Want(201, "POST", "/v1/payments", order)
		}
		if found := w.duplicates("booking", time.Hour); len(found.Groups) > 0 {
			t.Errorf("%+v", found)
		}
		w.As(w.Shop).With("Idempotency-Key", "two").Want(201, "POST", "/v1/payments", order)
		found := w.duplicates("booking", time.Hour)
		if len(found.Groups) != 1 || found.Groups[0].Payments[0].Requests != 3 || !strings.Contains(found.Groups[0].Cause, "two repeats") {
			t.Errorf("%+v", found)
		}
	})
}

// signed is a request as Stripe's own client for Go signs it.
func signed(payload, secret string, at time.Time) diagnose.Received {
	s := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(payload), Secret: secret, Timestamp: at})
	return diagnose.Received{Payload: payload, Signature: s.Header, ReceivedAt: time.Now()}
}

// Which check fails is told of each request, as Stripe's own client signs them; and what only shows when they are held side by side.
func TestSignatures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.pay("10.00", "anna", nil)
		w.told()
		body := w.event()
		secret, other, now := w.Till.Stripe(w.Shop).Secret(), "whsec_"+id.Hex(16), time.Now()
		good := signed(body, secret, now)
		two := signed(body, other, now)
		two.Signature += "," + strings.SplitN(signed(body, secret, now).Signature, ",", 2)[1]
		tampered, anew, unsigned := good, good, good
		tampered.Payload = strings.Replace(body, `"amount":1000`, `"amount":1`, 1)
		var indented bytes.Buffer
		if err := json.Indent(&indented, []byte(body), "", " "); err != nil {
			t.Fatal(err)
		}
		anew.Payload, unsigned.Signature = indented.String(), ""
		late := signed(body, secret, now.Add(-time.Hour))
		inTime := late
		inTime.ReceivedAt = now.Add(-59 * time.Minute)
		cases := []struct {
			diagnose.Received
			check  string
			advice string
		}{
			{good, "", "Nothing."}, {two, "", "rotated"}, {good, "", "applied once"}, {signed(body, other, now), "signature", "a real one"}, {tampered, "signature", "between Stripe and you"},
			{anew, "signature", "byte for byte"}, {unsigned, "header", "Refuse"}, {late, "timestamp", "old request"}, {inTime, "", "Nothing"}, {signed("hello", secret, now), "body", "not one of Stripe's"},
			{signed(strings.ReplaceAll(body, `"livemode":false`, `"livemode":true`), secret, now), "mode", "live"},
		}
		var all []diagnose.Received
		for _, c := range cases {
			all = append(all, c.Received)
		}
		found, err := diagnose.CheckSignatures(t.Context(), w.client, all)
		if err != nil {
			t.Fatal(err)
		}
		for n, v := range found.Requests {
			if c := cases[n]; v.Check != c.check || v.Valid != (c.check == "") || !strings.Contains(v.Advice, c.advice) || v.Why == "" {
				t.Errorf("request %d, which should fail by %q: %+v", n+1, c.check, v)
			}
		}
		if v := found.Requests[4]; !slices.Equal(v.Tampered, []string{"data.object.amount from 1000 to 1"}) {
			t.Errorf("%v", v.Tampered)
		}
		if found.Requests[2].ReplayOf != 1 || !found.Requests[0].Kept || !found.Requests[5].Rewritten {
			t.Errorf("%+v", found.Requests)
		}
		if found.Good != 4 || found.Failed["signature"] != 3 {
			t.Errorf("%d good, %v", found.Good, found.Failed)
		}
	})
}

// event is the payment's event as Stripe sends it.
func (w *world) event() string {
	w.t.Helper()
	a := w.Till.Stripe(w.Shop).Do("GET", "/v1/events", "type=payment_intent.succeeded").Want(200)
	raw, err := json.Marshal(a.At("data", 0))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(raw)
}
