package app_test

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/tilltest"
	"github.com/till-pay/till/sandbox"
)

// Eleven webhooks are lost: the list of missed events is exactly those, and however often and at once it is repaired, each is brought once, each payment is completed once, and the shop is told once.
func TestElevenLostEvents(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		box := sandbox.Open(t, till.StripeURL, till.Shop.StripeKey)
		order := func() (id string, authenticate func()) {
			p := till.Post("/v1/payments", body{"amount": "20.00", "currency": "EUR", "provider": "stripe", "payment_method": "pm_card_threeDSecure2Required",
				"return_url": "https://shop.example/"}).Want(201)
			return p.ID(), func() { till.Stripe(till.Shop).Authenticate(p.String("data", "next_action", "url"), "complete") }
		}
		for range 3 {
			id, authenticate := order()
			authenticate()
			till.Shop.Hears.Await("payment.completed", id)
		}
		var lost, orders []string
		var late []func()
		for range 11 {
			id, authenticate := order()
			orders, late = append(orders, id), append(late, authenticate)
		}
		rest(t, till, till.Shop)
		box.Fault(sandbox.Fault{Kind: sandbox.Lost, Event: "payment_intent.succeeded", Every: 1})
		for _, authenticate := range late {
			authenticate()
		}
		box.ClearFaults()
		for _, e := range box.Events("payment_intent.succeeded")[3:] {
			lost = append(lost, e.ID)
		}
		slices.Sort(lost)
		ids := func(a tilltest.Answer) (all []string) {
			missed, _ := a.At("data", "missed").([]any)
			for n := range missed {
				all = append(all, a.String("data", "missed", n, "id"))
			}
			slices.Sort(all)
			return all
		}
		before := till.Get("/v1/stripe/events/missed").Want(200)
		if got := ids(before); !slices.Equal(got, lost) || len(lost) != 11 || before.At("data", "complete") != true {
			t.Fatalf("missed are %v, lost were %v: %s", got, lost, before.Raw)
		}
		answers := make([]tilltest.Answer, 6)
		var all sync.WaitGroup
		for n := range answers {
			all.Go(func() {
				a, err := till.As(till.Shop).Try("POST", "/v1/stripe/events/repair", body{"since": "72h"})
				if err != nil || a.Status != 200 {
					t.Errorf("%v %d %s", err, a.Status, a.Raw)
				}
				answers[n] = a
			})
		}
		all.Wait()
		var brought []string
		for _, a := range answers {
			brought = append(brought, ids(a)...)
			if n := fmt.Sprint(a.At("data", "brought")); n != fmt.Sprint(len(ids(a))) || a.At("data", "applied") != a.At("data", "brought") {
				t.Errorf("it says %s", a.Raw)
			}
		}
		if slices.Sort(brought); !slices.Equal(brought, lost) {
			t.Errorf("brought %v", brought)
		}
		again := till.As(till.Shop).Want(200, "POST", "/v1/stripe/events/repair", body{"since": "72h"})
		if again.At("data", "brought") != 0.0 || len(ids(again)) != 0 || again.At("data", "kept") != again.At("data", "at_stripe") {
			t.Errorf("a repeat: %s", again.Raw)
		}
		rest(t, till, till.Shop)
		seen, path := map[string]bool{}, "/v1/stripe/events?limit=4"
		for next := path; next != ""; {
			page := till.Get(next).Want(200)
			for n := range page.Len() {
				if id := page.String("data", n, "id"); seen[id] {
					t.Errorf("%s is on two pages", id)
				} else {
					seen[id] = true
				}
			}
			if next = ""; page.String("page", "next") != "" {
				next = path + "&cursor=" + page.String("page", "next")
			}
		}
		if fmt.Sprint(len(seen)) != fmt.Sprint(again.At("data", "kept")) {
			t.Errorf("the pages have %d events, kept are %v", len(seen), again.At("data", "kept"))
		}
		for _, id := range orders {
			if got := till.Shop.Hears.About(id); !slices.Equal(got, []string{"payment.requires_action", "payment.completed"}) && !slices.Equal(got, []string{"payment.completed", "payment.requires_action"}) {
				t.Errorf("the shop heard %v of %s", got, id)
			}
		}
	})
}

// Nobody repairs anything: till finds what it missed by itself, and its figures say so.
func TestSweepByItself(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		wait := func(holds func() bool) {
			t.Helper()
			tilltest.Until(t, "the sweep", func() bool {
				till.Clock.Advance(11 * time.Second)
				return holds()
			})
		}
		wait(func() bool {
			looked, err := db.One(t.Context(), till.DB, db.Value[int64], `select count(*) from event_sweeps`)
			return err == nil && looked == 1
		})
		p := till.Post("/v1/payments", body{"amount": "20.00", "currency": "EUR", "provider": "stripe", "payment_method": "pm_card_threeDSecure2Required",
			"return_url": "https://shop.example/"}).Want(201)
		rest(t, till, till.Shop)
		sandbox.Open(t, till.StripeURL, till.Shop.StripeKey).Fault(sandbox.Fault{Kind: sandbox.Lost, Event: "*", Every: 1})
		till.Stripe(till.Shop).Authenticate(p.String("data", "next_action", "url"), "complete")
		wait(func() bool { return slices.Contains(till.Shop.Hears.About(p.ID()), "payment.completed") })
		list := till.Get("/v1/stripe/events?source=sweep&type=payment_intent.succeeded").Want(200)
		if list.Len() != 1 || list.String("data", 0, "object_id") != p.String("data", "provider_ref") {
			t.Errorf("found: %s", list.Raw)
		}
		figures := metrics(t, till)
		if lag, err := strconv.Atoi(figures["till_stripe_sweep_lag_seconds"]); err != nil || lag < 0 || lag > 600 {
			t.Errorf("the lag is %q", figures["till_stripe_sweep_lag_seconds"])
		}
		if missed, err := strconv.Atoi(figures["till_stripe_events_missed_total"]); err != nil || missed < 1 {
			t.Errorf("missed are %q", figures["till_stripe_events_missed_total"])
		}
	})
}

// Till lives in the time of a sandbox's world: the sweep follows a leap of it at once, and a day that is leapt over hides nothing.
func TestSweepFollowsALeap(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		till := tilltest.Follow(t, url, sandbox.WithStart(tilltest.Start))
		stripe := till.Stripe(till.Shop)
		stripe.SetClock("frozen", 0)
		tilltest.Until(t, "the account to be looked at", func() bool {
			stripe.Advance(11 * time.Second)
			looked, err := db.One(t.Context(), till.DB, db.Value[int64], `select count(*) from event_sweeps`)
			return err == nil && looked == 1
		})
		p := till.Post("/v1/payments", body{"amount": "20.00", "currency": "EUR", "provider": "stripe", "payment_method": "pm_card_threeDSecure2Required",
			"return_url": "https://shop.example/"}).Want(201)
		sandbox.Open(t, till.StripeURL, till.Shop.StripeKey).Fault(sandbox.Fault{Kind: sandbox.Lost, Event: "*", Every: 1})
		stripe.Authenticate(p.String("data", "next_action", "url"), "complete")
		leapt := time.Now()
		stripe.Advance(20 * time.Hour)
		till.Shop.Hears.Await("payment.completed", p.ID())
		if took := time.Since(leapt); took > 45*time.Second {
			t.Errorf("it took %v of the machine's time", took)
		}
		tilltest.Until(t, "the sweep to find the event too", func() bool { // the payment may have been looked up first
			return till.Get("/v1/stripe/events?source=sweep&type=payment_intent.succeeded").Want(200).Len() == 1
		})
	})
}

// Refused webhooks are counted by the check that they failed, and nothing is written for them.
func TestRefusedWebhooksAreCounted(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		stripe := till.Stripe(till.Shop)
		rest(t, till, till.Shop)
		was := rows(t, till, nil)
		event := tilltest.Event("payment_intent.succeeded", body{"id": "pi_x", "object": "payment_intent"})
		for range 3 {
			stripe.TellAt("/v1/webhooks/stripe", event, "whsec_another").Refused(400, "webhook_signature_invalid", "Stripe-Signature")
		}
		stripe.TellAt("/v1/webhooks/stripe", "{}", stripe.Secret()).Refused(400, "body_invalid", "")
		till.As(tilltest.Shop{}).Do("POST", "/v1/webhooks/stripe", event).Refused(400, "webhook_signature_invalid", "Stripe-Signature")
		figures := metrics(t, till)
		for check, want := range map[string]string{"signature": "3", "body": "1", "header": "1", "mode": ""} {
			if got := figures[`till_stripe_webhooks_refused_total{check="`+check+`"}`]; got != want {
				t.Errorf("%s: %q, not %s", check, got, want)
			}
		}
		if d := difference(was, rows(t, till, nil)); d != "" {
			t.Errorf("something was written:\n%s", d)
		}
	})
}
