package app_test

import (
	"regexp"
	"testing"

	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/tilltest"
)

// The forms of what the source's samples show.
const (
	uuid   = `^"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"$`
	moment = `^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"$`
	number = `^\d+$`
)

// sample is a request of the source, as it is printed there, and the fields that its answer must have: each by its name, with the form of its JSON.
type sample struct {
	method, path, key, body string
	status                  int
	fields                  map[string]string
	names                   string // what {…} of a later sample stands for: data.id of this one
}

// source are its samples: requirements A7, A8, B2, B3, B5, B6, C1, C2, C3, C4, D1 and D2. What till adds to these answers is in tilltest's transcripts;
// that nothing of these is ever lost is here.
var source = []sample{
	{"PUT", "/v1/merchant/providers", "", `{"provider": "stripe", "stripe": {"secret_key": "{stripe}", "webhook_secret": "{signing}"}}`, 200, map[string]string{"provider": `^"stripe"$`}, ""},
	{"PUT", "/v1/merchant/webhook", "", `{"webhook_url": "{shop}"}`, 200, nil, ""},
	{"POST", "/v1/payments", "order-1", `{"amount": 50.00, "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa", "return_url": "https://shop.example/done"}`, 201, map[string]string{
		"id": uuid, "merchant_id": uuid, "amount": `^"50.00"$`, "currency": `^"USD"$`, "provider": `^"stripe"$`, "status": `^"completed"$`, "provider_ref": `^"pi_\w+"$`,
		"idempotency_key": `^"order-1"$`, "created_at": moment}, "payment"},
	{"POST", "/v1/payments", "order-2", `{"amount": 1500.00, "currency": "KES", "provider": "stripe", "payment_method": "pm_card_mastercard"}`, 201, map[string]string{
		"amount": `^"1500.00"$`, "currency": `^"KES"$`, "status": `^"completed"$`}, ""},
	{"POST", "/v1/payments", "order-3", `{"amount": 50.00, "currency": "USD", "provider": "stripe", "payment_method": "pm_card_declined"}`, 201, map[string]string{
		"status": `^"failed"$`, "provider_ref": `^"pi_\w+"$`}, ""},
	{"POST", "/v1/payments/cards", "", `{"payment_method_id": "pm_card_visa", "customer_email": "customer@example.com", "customer_name": "John Doe"}`, 201, map[string]string{
		"id": uuid, "provider": `^"stripe"$`, "brand": `^"visa"$`, "last4": `^"4242"$`, "exp_month": number, "exp_year": number, "is_default": `^true$`, "created_at": moment}, "card"},
	{"POST", "/v1/payments", "subscription-may-2025", `{"amount": 29.99, "currency": "USD", "provider": "stripe", "saved_card_id": "{card}"}`, 201, map[string]string{
		"id": uuid, "amount": `^"29.99"$`, "status": `^"completed"$`, "idempotency_key": `^"subscription-may-2025"$`}, ""},
	{"DELETE", "/v1/payments/cards/{card}", "", ``, 200, nil, ""},
	{"POST", "/v1/refunds", "refund-1", `{"payment_id": "{payment}", "amount": 25.00}`, 201, map[string]string{
		"id": uuid, "payment_id": `^"{payment}"$`, "status": `^"completed"$`, "provider_ref": `^"re_\w+"$`, "amount": `^"25.00"$`, "created_at": moment}, ""},
	{"POST", "/v1/refunds", "refund-2", `{"payment_id": "{payment}"}`, 201, map[string]string{"status": `^"completed"$`, "amount": `^"25.00"$`}, ""},
	{"GET", "/v1/payments?provider=stripe&status=completed&min_amount=10&currency=USD&since=2025-01-01T00:00:00Z", "", ``, 200, nil, ""},
}

func TestSamplesOfTheSource(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		known := map[string]string{"stripe": till.Shop.StripeKey, "signing": "whsec_" + id.Hex(16), "shop": till.Shop.Hears.URL}
		fill := func(s string) string {
			return regexp.MustCompile(`{[a-z]+}`).ReplaceAllStringFunc(s, func(name string) string { return known[name[1:len(name)-1]] })
		}
		for _, s := range source {
			c := till.As(till.Shop)
			if s.key != "" {
				c = c.With("Idempotency-Key", s.key)
			}
			var body any
			if s.body != "" {
				body = fill(s.body)
			}
			a := c.Want(s.status, s.method, fill(s.path), body)
			if a.At("success") != true || a.At("data") == nil {
				t.Errorf("%s %s is not in its envelope: %s", s.method, s.path, a.Raw)
			}
			for name, form := range s.fields {
				raw := regexp.MustCompile(`"` + name + `":("[^"]*"|[^,}]+)`).FindSubmatch(a.Raw)
				if raw == nil || !regexp.MustCompile(fill(form)).Match(raw[1]) {
					t.Errorf("%s %s: %s is not of the form %s: %s", s.method, s.path, name, form, a.Raw)
				}
			}
			if s.names != "" {
				known[s.names] = a.ID()
			}
		}
		if list := till.As(till.Shop).Want(200, "GET", source[len(source)-1].path, nil); list.Len() != 1 { // the first is refunded, the third failed, the second in KES
			t.Errorf("%d payments: %s", list.Len(), list.Raw)
		}
	})
}
