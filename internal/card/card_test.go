package card_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/tilltest"
)

type body map[string]any

// save asks for a card to be saved. It needs no Idempotency-Key.
func save(till *tilltest.Till, method, email string) tilltest.Answer {
	till.T.Helper()
	return till.As(till.Shop).Do("POST", "/v1/payments/cards", body{"payment_method_id": method, "customer_email": email, "customer_name": "Jane Doe"})
}

// shows checks strings of data, given in pairs of name and value.
func shows(t *testing.T, a tilltest.Answer, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := fmt.Sprint(a.At("data", pairs[i])); got != pairs[i+1] {
			t.Errorf("%s is %s, want %s: %s", pairs[i], got, pairs[i+1], a.Raw)
		}
	}
}

// of lists a customer's cards: their ids, newest first, the default one with a star.
func of(till *tilltest.Till, email string) (all []string) {
	till.T.Helper()
	list := till.Get("/v1/payments/cards?customer_email=" + url.QueryEscape(email)).Want(200)
	for i := range list.Len() {
		id := list.String("data", i, "id")
		if list.At("data", i, "is_default") == true {
			id += "*"
		}
		all = append(all, id)
	}
	return all
}

func TestSave(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		c := save(till, "pm_card_visa", "Jane@Example.com").Want(201)
		shows(t, c, "provider", "stripe", "brand", "visa", "last4", "4242", "exp_month", "11", "exp_year", "2027", "is_default", "true", "livemode", "false",
			"created_at", tilltest.Start.Format(time.RFC3339))
		if c.String("data", "customer", "email") != "jane@example.com" || c.String("data", "customer", "id") == "" {
			t.Errorf("whose card is it? %s", c.Raw)
		}
		stripe := till.Stripe(till.Shop)
		method := stripe.Do("GET", "/v1/payment_methods/"+c.String("data", "payment_method"), "").Want(200)
		owner := stripe.Do("GET", "/v1/customers/"+method.String("customer"), "").Want(200)
		if owner.String("email") != "jane@example.com" || owner.String("name") != "Jane Doe" || owner.String("metadata", "till_id") != c.String("data", "customer", "id") {
			t.Errorf("Stripe has the customer %s", owner.Raw)
		}
		till.Shop.Hears.Await("card.saved", c.ID())

		again := save(till, "pm_card_visa", "jane@example.com").Want(201)
		if again.ID() != c.ID() || again.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("saved twice: %s", again.Raw)
		}
		if n := stripe.Do("GET", "/v1/customers", "").Want(200).Len(); n != 1 {
			t.Errorf("Stripe has %d customers", n)
		}
	})
}

func TestCardsOfACustomer(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		visa := save(till, "pm_card_visa", "jane@example.com").Want(201).ID()
		till.Clock.Advance(time.Second)
		master := save(till, "pm_card_mastercard", "JANE@example.com").Want(201)
		shows(t, master, "is_default", "false", "brand", "mastercard", "last4", "4444")
		till.Clock.Advance(time.Second)
		amex := save(till, "pm_card_amex", "jane@example.com").Want(201).ID()
		joes := save(till, "pm_card_visa", "joe@example.com").Want(201)
		shows(t, joes, "is_default", "true")
		want := func(email string, ids ...string) {
			t.Helper()
			if got := of(till, email); !slices.Equal(got, ids) {
				t.Errorf("cards of %s: %v, want %v", email, got, ids)
			}
		}
		want("jane@example.com", amex, master.ID(), visa+"*")
		want("Joe@Example.com", joes.ID()+"*")
		want("nobody@example.com")
		if n := till.Get("/v1/payments/cards?customer_id=" + joes.String("data", "customer", "id")).Want(200).Len(); n != 1 {
			t.Errorf("%d cards by the customer's id", n)
		}
		// The default is the first that is still there.
		till.Delete("/v1/payments/cards/" + master.ID()).Want(200)
		want("jane@example.com", amex, visa+"*")
		till.Delete("/v1/payments/cards/" + visa).Want(200)
		want("jane@example.com", amex+"*")
		till.Clock.Advance(time.Second)
		anew := save(till, "pm_card_visa", "jane@example.com").Want(201)
		shows(t, anew, "is_default", "false")
		want("jane@example.com", anew.ID(), amex+"*")
		till.Delete("/v1/payments/cards/" + amex).Want(200)
		want("jane@example.com", anew.ID()+"*")
	})
}

func TestDelete(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		c := save(till, "pm_card_visa", "jane@example.com").Want(201)
		for range 2 {
			shows(t, till.Delete("/v1/payments/cards/"+c.ID()).Want(200), "id", c.ID(), "deleted", "true")
		}
		till.Shop.Hears.Await("card.deleted", c.ID())
		stripe := till.Stripe(till.Shop)
		if owner := stripe.Do("GET", "/v1/payment_methods/"+c.String("data", "payment_method"), "").Want(200).At("customer"); owner != nil {
			t.Errorf("at Stripe it still belongs to %v", owner)
		}
		till.Post("/v1/payments", body{"amount": "5", "currency": "USD", "provider": "stripe", "saved_card_id": c.ID()}).Refused(422, "card_inactive", "saved_card_id")
		anew := save(till, "pm_card_visa", "jane@example.com").Want(201)
		if anew.ID() == c.ID() {
			t.Error("a deleted card came back under its id")
		}
		shows(t, anew, "is_default", "true")
		if n := till.Get("/v1/events?type=card.deleted").Want(200).Len(); n != 1 {
			t.Errorf("%d times card.deleted", n)
		}
		for _, id := range []string{"00000000-0000-4000-8000-000000000000", "nonsense", "%27%20or%201=1"} {
			till.Delete("/v1/payments/cards/"+id).Refused(404, "resource_missing", "id")
		}
	})
}

// Somebody detached it in Stripe's dashboard, and till has not heard of it: deleting it here finds it gone, and that is what was wanted.
func TestDeleteOfACardThatStripeHasNot(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		till.Stripe(till.Shop).BreakWebhook("lost", "payment_method.detached", 0)
		c := save(till, "pm_card_visa", "jane@example.com").Want(201)
		till.Stripe(till.Shop).Do("POST", "/v1/payment_methods/"+c.String("data", "payment_method")+"/detach", "").Want(200)
		till.Delete("/v1/payments/cards/" + c.ID()).Want(200)
		if got := of(till, "jane@example.com"); len(got) != 0 {
			t.Errorf("still saved: %v", got)
		}
	})
}

// A bank that declines the card when it is saved is a refusal: no card, and another try may do better.
func TestDeclinedSave(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		for method, message := range map[string]string{
			"pm_card_chargeDeclined": "Your card was declined.", "pm_card_visa_chargeDeclinedInsufficientFunds": "Your card has insufficient funds.",
			"pm_card_chargeDeclinedExpiredCard": "Your card has expired.", "pm_card_declined": "Your card was declined.",
		} {
			for range 2 {
				if no := save(till, method, "jane@example.com").Refused(422, "card_declined", "payment_method_id"); no.String("error", "message") != message {
					t.Errorf("%s: %s", method, no.Raw)
				}
			}
		}
		if no := save(till, "pm_nothing", "jane@example.com").Refused(422, "provider_refused", "payment_method_id"); !strings.Contains(no.String("error", "message"), "No such PaymentMethod") {
			t.Errorf("Stripe's words are not told: %s", no.Raw)
		}
		if got := of(till, "jane@example.com"); len(got) != 0 {
			t.Errorf("saved: %v", got)
		}
		list := till.Get("/v1/events?type=card.*").Want(200)
		if list.Len() != 0 {
			t.Errorf("told: %s", list.Raw)
		}
		shows(t, save(till, "pm_card_visa", "jane@example.com").Want(201), "is_default", "true")
	})
}

// A payment method belongs to one customer at Stripe.
func TestCardOfAnotherCustomer(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		method := till.Stripe(till.Shop).Do("POST", "/v1/payment_methods", "type=card&card[token]=tok_visa").Want(200).String("id")
		c := save(till, method, "jane@example.com").Want(201)
		shows(t, c, "payment_method", method)
		if again := save(till, method, "jane@example.com").Want(201); again.ID() != c.ID() {
			t.Errorf("saved twice: %s", again.Raw)
		}
		save(till, method, "joe@example.com").Refused(422, "provider_refused", "payment_method_id")
		till.Delete("/v1/payments/cards/" + c.ID()).Want(200)
		save(till, method, "jane@example.com").Refused(422, "provider_refused", "payment_method_id") // detached at Stripe is spent
	})
}

func TestSavesAtOnce(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		methods := []string{"pm_card_visa", "pm_card_mastercard", "pm_card_amex"}
		ids := make([]string, 12)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				a, err := till.As(till.Shop).Try("POST", "/v1/payments/cards", body{"payment_method_id": methods[i%3], "customer_email": "jane@example.com"})
				if err != nil || a.Status != 201 {
					t.Errorf("%v %d %s", err, a.Status, a.Raw)
					return
				}
				ids[i] = a.ID()
			})
		}
		wg.Wait()
		for i, id := range ids {
			if id != ids[i%3] {
				t.Errorf("%s was saved as %s and %s", methods[i%3], id, ids[i%3])
			}
		}
		cards := of(till, "jane@example.com")
		if len(cards) != 3 || strings.Count(strings.Join(cards, " "), "*") != 1 {
			t.Errorf("%v", cards)
		}
		stripe := till.Stripe(till.Shop)
		if n := stripe.Do("GET", "/v1/customers", "").Want(200).Len(); n != 1 {
			t.Errorf("Stripe has %d customers", n)
		}
	})
}

func TestBadCards(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	for _, c := range []struct {
		body        any
		code, param string
	}{
		{`{}`, "parameter_missing", "customer_email"}, {body{"payment_method_id": "pm_card_visa"}, "parameter_missing", "customer_email"},
		{body{"customer_email": "jane@example.com"}, "parameter_missing", "payment_method_id"}, {body{"payment_method_id": "", "customer_email": "jane@example.com"}, "parameter_invalid", "payment_method_id"},
		{body{"payment_method_id": "pm_card_visa", "customer_email": "jane"}, "parameter_invalid", "customer_email"},
		{body{"payment_method_id": "pm_card_visa", "customer_email": "Jane <jane@example.com>"}, "parameter_invalid", "customer_email"},
		{body{"payment_method_id": "pm_card_visa", "customer_email": "jane@example.com\r\nBcc: x@example.com"}, "parameter_invalid", "customer_email"},
		{body{"payment_method_id": "pm_card_visa", "customer_email": strings.Repeat("j", 320) + "@example.com"}, "parameter_invalid", "customer_email"},
		{body{"payment_method_id": strings.Repeat("p", 256), "customer_email": "jane@example.com"}, "parameter_invalid", "payment_method_id"},
		{body{"payment_method_id": "pm_card_visa", "customer_email": "jane@example.com", "number": "4242"}, "parameter_unknown", "number"},
		{body{"payment_method_id": []string{"pm_card_visa"}, "customer_email": "jane@example.com"}, "parameter_invalid", "payment_method_id"},
	} {
		till.As(till.Shop).Do("POST", "/v1/payments/cards", c.body).Refused(400, c.code, c.param)
	}
	for query, param := range map[string]string{"limit=0": "limit", "cursor=x": "cursor", "customer_id=" + strings.Repeat("x", 37): "customer_id"} {
		till.Get("/v1/payments/cards?"+query).Refused(400, "parameter_invalid", param)
	}
	if requests := till.Stripe(till.Shop).Requests(); slices.Contains(requests, "POST /v1/customers") {
		t.Errorf("Stripe was asked: %v", requests)
	}
}

// Walking the pages with any limit and filter is the whole list, filtered: newest first.
func TestListIsTheWholeFiltered(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		type row struct{ id, email, customer string }
		var whole []row
		for i, method := range []string{"visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay"} {
			for _, email := range []string{"jane@example.com", "joe@example.com"} {
				c := save(till, "pm_card_"+method, email).Want(201)
				if i == 3 {
					till.Delete("/v1/payments/cards/" + c.ID()).Want(200)
					continue
				}
				whole = append(whole, row{c.ID(), email, c.String("data", "customer", "id")})
			}
			if i%2 == 0 {
				till.Clock.Advance(time.Minute)
			}
		}
		slices.Reverse(whole)
		rapid.Check(t, func(r *rapid.T) {
			query := url.Values{"limit": {fmt.Sprint(rapid.SampledFrom([]int{1, 5, 11, 12, 13, 100}).Draw(r, "limit"))}}
			passes := func(row) bool { return true }
			one := rapid.SampledFrom(whole).Draw(r, "one")
			switch rapid.IntRange(0, 2).Draw(r, "filter") {
			case 1:
				query.Set("customer_email", strings.ToUpper(one.email))
				passes = func(x row) bool { return x.email == one.email }
			case 2:
				query.Set("customer_id", one.customer)
				passes = func(x row) bool { return x.customer == one.customer }
			}
			var want, got []string
			for _, x := range whole {
				if passes(x) {
					want = append(want, x.id)
				}
			}
			asked := query.Encode()
			for range 20 {
				page := till.Get("/v1/payments/cards?" + query.Encode()).Want(200)
				for i := range page.Len() {
					got = append(got, page.String("data", i, "id"))
				}
				if page.At("page", "has_more") != true {
					break
				}
				query.Set("cursor", page.String("page", "next"))
			}
			if !slices.Equal(got, want) {
				r.Fatalf("%s: got %v, want %v", asked, got, want)
			}
		})
	})
}

// While Stripe is away a card cannot be saved or let go: the answers say so, and once Stripe is back both have happened, or happen when asked again.
func TestStripeDown(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		line := till.Line(time.Minute)
		passing := func() { till.Clock.Advance(300 * time.Millisecond) } // short, so that a call under way keeps its lease
		input := body{"payment_method_id": "pm_card_visa", "customer_email": "jane@example.com"}
		line.Down()
		tilltest.During(t, till.As(till.Shop), "POST", "/v1/payments/cards", input, passing).Refused(503, "provider_unavailable", "")
		line.Up()
		var c tilltest.Answer
		tilltest.Until(t, "the card to be saved", func() bool {
			passing()
			c = tilltest.During(t, till.As(till.Shop), "POST", "/v1/payments/cards", input, passing)
			return c.Status == 201
		})
		line.Down()
		shows(t, tilltest.During(t, till.As(till.Shop), "DELETE", "/v1/payments/cards/"+c.ID(), nil, passing).Want(200), "deleted", "true")
		if got := of(till, "jane@example.com"); len(got) != 0 {
			t.Errorf("a card that is being deleted is shown: %v", got)
		}
		till.Post("/v1/payments", body{"amount": "5", "currency": "USD", "provider": "stripe", "saved_card_id": c.ID()}).Refused(422, "card_inactive", "saved_card_id")
		till.As(till.Shop).Do("POST", "/v1/payments/cards", input).Refused(409, "state_conflict", "")
		line.Up()
		stripe := till.Stripe(till.Shop)
		tilltest.Until(t, "the card to be detached", func() bool {
			passing()
			return stripe.Do("GET", "/v1/payment_methods/"+c.String("data", "payment_method"), "").Want(200).At("customer") == nil
		})
		forgotten(t, till, c.ID())
		if n := stripe.Do("GET", "/v1/customers", "").Want(200).Len(); n != 1 {
			t.Errorf("Stripe has %d customers", n)
		}
	})
}

// forgotten moves the clock until a card is deleted: Stripe may have let it go, and the answer have been lost.
func forgotten(t *testing.T, till *tilltest.Till, card string) {
	t.Helper()
	tilltest.Until(t, "the card to be deleted", func() bool {
		till.Clock.Advance(300 * time.Millisecond)
		return till.Get("/v1/events?type=card.deleted&object_id="+card).Want(200).Len() == 1
	})
}

// One fault while a card is saved or let go.
func TestOneFault(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		till.Line(time.Second)
		stripe := till.Stripe(till.Shop)
		passing := func() { till.Clock.Advance(300 * time.Millisecond) } // short, so that a call under way keeps its lease
		for i, kind := range []string{"timeout_before_effect", "timeout_after_effect", "cut", "truncated", "error_429"} {
			for _, path := range []string{"/v1/customers", "/v1/payment_methods/{id}/attach"} {
				email := fmt.Sprintf("jane%d%d@example.com", i, len(path))
				stripe.Break(kind, "POST", path)
				var c tilltest.Answer
				tilltest.Until(t, "the card to be saved after "+kind, func() bool {
					passing()
					c = tilltest.During(t, till.As(till.Shop), "POST", "/v1/payments/cards", body{"payment_method_id": "pm_card_visa", "customer_email": email}, passing)
					return c.Status == 201
				})
				if got := of(till, email); !slices.Equal(got, []string{c.ID() + "*"}) {
					t.Errorf("after %s of %s: %v", kind, path, got)
				}
				if n := stripe.Do("GET", "/v1/customers", "email="+url.QueryEscape(email)).Want(200).Len(); n != 1 {
					t.Errorf("after %s of %s Stripe has %d customers", kind, path, n)
				}
				stripe.Break(kind, "POST", "/v1/payment_methods/{id}/detach")
				tilltest.During(t, till.As(till.Shop), "DELETE", "/v1/payments/cards/"+c.ID(), nil, passing).Want(200)
				tilltest.Until(t, "the card to be detached after "+kind, func() bool {
					passing()
					return stripe.Do("GET", "/v1/payment_methods/"+c.String("data", "payment_method"), "").Want(200).At("customer") == nil
				})
				forgotten(t, till, c.ID())
			}
		}
	})
}
