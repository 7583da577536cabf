package card_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/till-pay/till/internal/tilltest"
	"github.com/till-pay/till/sandbox"
)

// told counts a card's events by the API.
func told(till *tilltest.Till, kind, id string) int {
	till.T.Helper()
	return till.Get("/v1/events?type=" + kind + "&object_id=" + id).Want(200).Len()
}

// listed is a card as the list shows it.
func listed(till *tilltest.Till, email string) tilltest.Answer {
	till.T.Helper()
	return till.Get("/v1/payments/cards?customer_email=" + url.QueryEscape(email)).Want(200)
}

// The bank replaces a card: its number and date change here too, the shop is told once, and it is charged as before.
func TestCardReplacedByItsBank(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		box := sandbox.Open(t, till.StripeURL, till.Shop.StripeKey)
		c := save(till, "pm_card_visa", "jane@example.com").Want(201)
		method := c.String("data", "payment_method")
		box.UpdateCard(method, sandbox.CardUpdate{ExpYear: 2031, Last4: "9999"})
		news := till.Shop.Hears.Await("card.updated", c.ID())
		if news.Data["last4"] != "9999" || news.Data["exp_year"] != 2031.0 || news.Data["exp_month"] != 11.0 || news.Data["brand"] != "visa" || news.Data["is_default"] != true {
			t.Errorf("told: %v", news.Data)
		}
		now := listed(till, "jane@example.com")
		if now.Len() != 1 || now.At("data", 0, "exp_year") != 2031.0 || now.String("data", 0, "last4") != "9999" || now.String("data", 0, "id") != c.ID() {
			t.Errorf("listed: %s", now.Raw)
		}
		event := box.Event("payment_method.automatically_updated", 1, time.Minute)
		for range 2 { // the same news again
			box.Resend(event.ID)
			till.As(till.Shop).Want(200, "POST", "/v1/stripe/events/"+event.ID+"/resend", nil)
		}
		box.Quiet()
		if n := told(till, "card.updated", c.ID()); n != 1 {
			t.Errorf("told %d times", n)
		}
		paid := till.Post("/v1/payments", body{"amount": "5", "currency": "USD", "provider": "stripe", "saved_card_id": c.ID()}).Want(201)
		shows(t, paid, "status", "completed")
	})
}

// Two replacements whose webhooks come in the wrong order, twice, or not at all: the card is as Stripe has it.
func TestCardNewsInAnyOrder(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		box := sandbox.Open(t, till.StripeURL, till.Shop.StripeKey)
		for n, fault := range []sandbox.Fault{{Kind: sandbox.Reordered}, {Kind: sandbox.Doubled, Every: 1}, {Kind: sandbox.Lost}, {Kind: sandbox.Lost, Every: 1}} {
			email := string(rune('a'+n)) + "@example.com"
			c := save(till, "pm_card_visa", email).Want(201)
			fault.Event = "payment_method.automatically_updated"
			box.Fault(fault)
			for year := range 3 {
				box.UpdateCard(c.String("data", "payment_method"), sandbox.CardUpdate{ExpYear: 2030 - year}) // a date may be put right backwards
			}
			box.ClearFaults()
			box.Quiet()
			till.As(till.Shop).Want(200, "POST", "/v1/stripe/events/repair", body{"since": "1h"})
			tilltest.Until(t, "the last news", func() bool { return listed(till, email).At("data", 0, "exp_year") == 2028.0 })
			if times := told(till, "card.updated", c.ID()); times < 1 || times > 3 {
				t.Errorf("%s: told %d times of 3 changes", fault.Kind, times)
			}
		}
	})
}

// Somebody detaches it in Stripe's dashboard: it is gone here too, and told once. When till itself deletes it, the webhook adds nothing.
func TestCardDetachedAtStripe(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		stripe, box := till.Stripe(till.Shop), sandbox.Open(t, till.StripeURL, till.Shop.StripeKey)
		theirs := save(till, "pm_card_visa", "jane@example.com").Want(201)
		till.Clock.Advance(time.Second)
		ours := save(till, "pm_card_mastercard", "jane@example.com").Want(201)
		stripe.Do("POST", "/v1/payment_methods/"+theirs.String("data", "payment_method")+"/detach", "").Want(200)
		till.Shop.Hears.Await("card.deleted", theirs.ID())
		if got := of(till, "jane@example.com"); !slices.Equal(got, []string{ours.ID() + "*"}) {
			t.Errorf("left are %v", got)
		}
		till.Post("/v1/payments", body{"amount": "5", "currency": "USD", "provider": "stripe", "saved_card_id": theirs.ID()}).Refused(422, "card_inactive", "saved_card_id")
		till.Delete("/v1/payments/cards/" + theirs.ID()).Want(200)
		till.Delete("/v1/payments/cards/" + ours.ID()).Want(200)
		till.Shop.Hears.Await("card.deleted", ours.ID())
		box.Quiet()
		till.As(till.Shop).Want(200, "POST", "/v1/stripe/events/repair", body{"since": "1h"})
		for _, c := range []tilltest.Answer{theirs, ours} {
			if n := told(till, "card.deleted", c.ID()); n != 1 {
				t.Errorf("told %d times", n)
			}
		}
		if n := told(till, "card.updated", theirs.ID()); n != 0 {
			t.Errorf("told %d updates", n)
		}
	})
}

// restricted is a way to Stripe by a key that may not read payment methods, for a while.
type restricted struct{ on atomic.Bool }

func (d *restricted) RoundTrip(r *http.Request) (*http.Response, error) {
	if !d.on.Load() || r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/v1/payment_methods/") {
		return http.DefaultTransport.RoundTrip(r)
	}
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}}, Request: r, Body: io.NopCloser(strings.NewReader(
		`{"error":{"type":"invalid_request_error","message":"The provided key does not have the required permissions for this endpoint."}}`))}, nil
}

// That Stripe does not show a payment method is not that there is none: the news waits, and is taken in when the key may read again.
func TestCardNewsThatTheKeyMayNotRead(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		door := &restricted{}
		till.Merchants.HTTP = &http.Client{Transport: door, Timeout: 30 * time.Second}
		box := sandbox.Open(t, till.StripeURL, till.Shop.StripeKey)
		c := save(till, "pm_card_visa", "jane@example.com").Want(201)
		door.on.Store(true)
		box.UpdateCard(c.String("data", "payment_method"), sandbox.CardUpdate{ExpYear: 2031, Last4: "9999"})
		news := func() tilltest.Answer {
			return till.Get("/v1/stripe/events?type=payment_method.automatically_updated").Want(200)
		}
		tilltest.Until(t, "the news to be tried", func() bool {
			return news().Len() == 1 && (news().At("data", 0, "applied_at") != nil || news().String("data", 0, "error") != "")
		})
		if told := news(); told.At("data", 0, "applied_at") != nil {
			t.Fatalf("it counts as taken in: %s", told.Raw)
		}
		door.on.Store(false)
		tilltest.Until(t, "the news to be taken in", func() bool {
			till.Clock.Advance(time.Second)
			return listed(till, "jane@example.com").String("data", 0, "last4") == "9999"
		})
	})
}
