package payment_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/tilltest"
)

func TestSameKeySameInput(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		c := till.As(till.Shop).With("Idempotency-Key", "agency-7/booking-9/charge")
		first := c.Want(201, "POST", "/v1/payments", order("pm_card_visa"))
		if first.Header.Get("Idempotent-Replayed") != "" {
			t.Error("the first is no repeat")
		}
		const rest = `,"currency":"USD","provider":"stripe","payment_method":"pm_card_visa"`
		for _, same := range []string{
			`{"amount":"50.00"` + rest + `}`, `{"amount":50.00` + rest + `}`, `{"amount":50` + rest + `}`, `{"amount":"50"` + rest + `}`, `{"amount":"50.0"` + rest + `}`,
			`{"amount":50.0` + rest + `,"capture_method":"automatic"}`, `{"payment_method":"pm_card_visa","provider":"stripe","currency":"usd","amount":"50.00"}`,
			`{"amount":"50.00"` + rest + `,"metadata":{}}`, `{"amount":"50.00"` + rest + `,"customer":{}}`,
		} {
			again := c.Want(201, "POST", "/v1/payments", same)
			if again.ID() != first.ID() || again.Header.Get("Idempotent-Replayed") != "true" || again.String("data", "status") != "completed" {
				t.Errorf("%s is another payment: %s", same, again.Raw)
			}
		}
		// The repeat shows the payment as it stands now.
		till.Post("/v1/refunds", body{"payment_id": first.ID()}).Want(201)
		fields(t, c.Want(201, "POST", "/v1/payments", order("pm_card_visa")), "id", first.ID(), "status", "refunded", "refunded", "50.00")
		if n := asked(till, "POST /v1/payment_intents"); n != 1 {
			t.Errorf("Stripe was asked %d times", n)
		}
		once(t, till, "payment.completed", first.ID())
	})
}

func TestSameKeyOtherInput(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		c := till.As(till.Shop).With("Idempotency-Key", "k")
		full := order("pm_card_visa").with("description", "a", "statement_descriptor_suffix", "A1", "metadata", body{"a": "1"}, "return_url", "https://shop.example/a",
			"customer", body{"email": "jane@example.com", "reference": "c1"})
		first := c.Want(201, "POST", "/v1/payments", full)
		for field, other := range map[string]any{
			"amount": "50.01", "currency": "EUR", "payment_method": "pm_card_mastercard", "description": "b", "statement_descriptor_suffix": "A2", "metadata": body{"a": "2"},
			"return_url": "https://shop.example/b", "customer": body{"email": "jane@example.com", "reference": "c2"}, "capture_method": "manual",
		} {
			no := c.Do("POST", "/v1/payments", full.with(field, other)).Refused(422, "idempotency_key_reused", "Idempotency-Key")
			if !strings.Contains(no.String("error", "message"), first.ID()) {
				t.Errorf("it does not say what the key was used for: %s", no.Raw)
			}
		}
		c.Do("POST", "/v1/payments", full.with("customer", body{"email": "JANE@example.com", "reference": "c1"})).Want(201) // e-mail has no case
		// A key is one of all operations of the merchant.
		c.Do("POST", "/v1/refunds", body{"payment_id": first.ID()}).Refused(422, "idempotency_key_reused", "Idempotency-Key")
		if n := asked(till, "POST /v1/payment_intents"); n != 1 || asked(till, "POST /v1/refunds") != 0 {
			t.Errorf("Stripe was asked %d times", n)
		}
		// A request that was refused has not used its key.
		k := till.As(till.Shop).With("Idempotency-Key", "k2")
		k.Do("POST", "/v1/payments", full.with("amount", "0")).Refused(400, "amount_invalid", "amount")
		k.Do("POST", "/v1/payments", full).Want(201)
	})
}

func TestKeysOfEveryForm(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		for _, path := range []string{"/v1/payments", "/v1/refunds"} {
			till.As(till.Shop).Do("POST", path, order("pm_card_visa")).Refused(400, "idempotency_key_required", "Idempotency-Key")
			till.As(till.Shop).With("Idempotency-Key", strings.Repeat("k", 256)).Do("POST", path, order("pm_card_visa")).Refused(400, "idempotency_key_too_long", "Idempotency-Key")
		}
		seen := map[string]bool{}
		for _, key := range []string{strings.Repeat("k", 255), "ключ", "'; drop table payments; --", "a b", "create", "merchant:k", "A", "a"} {
			paid := till.As(till.Shop).With("Idempotency-Key", key).Want(201, "POST", "/v1/payments", order("pm_card_visa"))
			fields(t, paid, "idempotency_key", key)
			seen[paid.ID()] = true
		}
		if len(seen) != 8 {
			t.Errorf("%d payments of 8 keys", len(seen))
		}
	})
}

// Many at once under one key, and some under others: one charge for each key.
func TestOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		var wg sync.WaitGroup
		ids := make([]string, 24)
		for i := range ids {
			wg.Go(func() {
				a, err := till.As(till.Shop).With("Idempotency-Key", fmt.Sprint("key ", i%3)).Try("POST", "/v1/payments", order("pm_card_visa"))
				if err != nil || a.Status != 201 || a.String("data", "status") != "completed" {
					t.Errorf("%v %s", err, a.Raw)
					return
				}
				ids[i] = a.ID()
			})
		}
		wg.Wait()
		for i, id := range ids {
			if id != ids[i%3] {
				t.Errorf("one key, two payments: %s and %s", id, ids[i%3])
			}
		}
		if n := asked(till, "POST /v1/payment_intents"); n != 3 {
			t.Errorf("Stripe was asked %d times for 3 payments", n)
		}
	})
}

// What the merchant says of a payment is shown again, and reaches Stripe.
func TestWhatAPaymentCarries(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		unusual := "ünï \"quotes\" <b> &amp; \u202e \U0001f4b3 \r\n;--"
		paid := till.Post("/v1/payments", order("pm_card_visa").with("description", unusual, "statement_descriptor_suffix", "ORDER 7",
			"metadata", body{"order": "7", "note": unusual, "ключ": "значение"}, "customer", body{"email": "Jane.Doe@Example.com", "reference": "c-1"})).Want(201)
		fields(t, paid, "status", "completed", "description", unusual, "statement_descriptor_suffix", "ORDER 7", "metadata.order", "7", "metadata.note", unusual,
			"metadata.ключ", "значение", "customer.email", "jane.doe@example.com", "customer.reference", "c-1", "customer.id", "")
		intent := till.Stripe(till.Shop).Do("GET", "/v1/payment_intents/"+paid.String("data", "provider_ref"), "").Want(200)
		if intent.String("description") != unusual || intent.String("metadata", "note") != unusual || intent.String("metadata", "till_id") != paid.ID() ||
			intent.String("statement_descriptor_suffix") != "ORDER 7" || intent.String("confirmation_method") != "automatic" {
			t.Errorf("Stripe has %s", intent.Raw)
		}
	})
}

// Amounts are exact in every currency: as people write them, in and out, and as Stripe counts them.
func TestAmounts(t *testing.T) {
	t.Parallel()
	good := []struct {
		in, currency, out string
		minor             float64
	}{
		{`"50.00"`, "USD", "50.00", 5000}, {`50.00`, "USD", "50.00", 5000}, {`50`, "usd", "50.00", 5000}, {`"0.5"`, "USD", "0.50", 50}, {`0.70`, "USD", "0.70", 70},
		{`"999999.99"`, "USD", "999999.99", 99999999}, {`1234.56`, "KES", "1234.56", 123456},
		{`500`, "JPY", "500", 500}, {`"99999999"`, "JPY", "99999999", 99999999},
		{`"1.230"`, "KWD", "1.230", 1230}, {`1.23`, "KWD", "1.230", 1230}, {`"12"`, "BHD", "12.000", 12000},
		{`"5000"`, "UGX", "5000", 500000}, {`1000`, "ISK", "1000", 100000},
		{`"9999999999.99"`, "IDR", "9999999999.99", 999999999999},
	}
	bad := []struct{ in, currency, code, param string }{
		{`"0"`, "USD", "amount_invalid", "amount"}, {`0`, "USD", "amount_invalid", "amount"}, {`0.00`, "USD", "amount_invalid", "amount"}, {`-1`, "USD", "amount_invalid", "amount"},
		{`"-0.01"`, "USD", "amount_invalid", "amount"}, {`1e2`, "USD", "amount_invalid", "amount"}, {`"1e2"`, "USD", "amount_invalid", "amount"},
		{`50.001`, "USD", "amount_too_precise", "amount"}, {`"50.000"`, "USD", "amount_too_precise", "amount"}, {`500.0`, "JPY", "amount_too_precise", "amount"},
		{`"1.234"`, "KWD", "amount_too_precise", "amount"}, {`"1.5"`, "UGX", "amount_too_precise", "amount"}, {`"1.00"`, "ISK", "amount_too_precise", "amount"},
		{`"1000000"`, "USD", "amount_too_large", "amount"}, {`100000000`, "JPY", "amount_too_large", "amount"}, {`"99999999999999999999"`, "USD", "amount_too_large", "amount"},
		{`"1,000"`, "USD", "amount_invalid", "amount"}, {`" 1"`, "USD", "amount_invalid", "amount"}, {`"1."`, "USD", "amount_invalid", "amount"}, {`".5"`, "USD", "amount_invalid", "amount"},
		{`"$5"`, "USD", "amount_invalid", "amount"}, {`"٥"`, "USD", "amount_invalid", "amount"}, {`"NaN"`, "USD", "amount_invalid", "amount"}, {`"Infinity"`, "USD", "amount_invalid", "amount"},
		{`""`, "USD", "parameter_invalid", "amount"}, {`null`, "USD", "parameter_invalid", "amount"}, {`[]`, "USD", "parameter_invalid", "amount"}, {`true`, "USD", "parameter_invalid", "amount"},
		{`{}`, "USD", "parameter_invalid", "amount"}, {`1e309`, "USD", "parameter_invalid", "amount"}, {`-1e309`, "USD", "parameter_invalid", "amount"},
		{`"` + strings.Repeat("9", 25) + `"`, "USD", "parameter_invalid", "amount"}, {`NaN`, "USD", "body_invalid", ""}, {`0x10`, "USD", "body_invalid", ""}, {`01`, "USD", "body_invalid", ""},
		{`"1"`, "XYZ", "currency_unknown", "currency"}, {`"1"`, "US$", "currency_unknown", "currency"}, {`"1"`, "US", "parameter_invalid", "currency"},
		{`"1"`, "USDT", "parameter_invalid", "currency"}, {`"1"`, "ußd", "currency_unknown", "currency"}, {`"1"`, "", "parameter_invalid", "currency"},
	}
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		send := func(in, currency string) tilltest.Answer {
			return till.Post("/v1/payments", `{"amount":`+in+`,"currency":"`+currency+`","provider":"stripe","payment_method":"pm_card_visa"}`)
		}
		for _, c := range good {
			paid := send(c.in, c.currency).Want(201)
			fields(t, paid, "status", "completed", "amount", c.out, "captured", c.out, "currency", strings.ToUpper(c.currency))
			intent := till.Stripe(till.Shop).Do("GET", "/v1/payment_intents/"+paid.String("data", "provider_ref"), "").Want(200)
			if intent.At("amount") != c.minor || intent.String("currency") != strings.ToLower(c.currency) {
				t.Errorf("%s %s is at Stripe %v %v", c.in, c.currency, intent.At("amount"), intent.At("currency"))
			}
			balanced(t, till, paid.ID(), int64(c.minor))
		}
		before := till.Get("/v1/payments?limit=100").Want(200).Len()
		for _, c := range bad {
			send(c.in, c.currency).Refused(400, c.code, c.param)
		}
		if after := till.Get("/v1/payments?limit=100").Want(200).Len(); after != before {
			t.Errorf("%d payments were written by refused requests", after-before)
		}
	})
}

// G5: Stripe's webhook may be faster than Stripe's reply. The merchant hears once, and the reply changes nothing but adds what it knows.
func TestWebhookBeforeTheReply(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		stripe := till.Stripe(till.Shop)
		stripe.Break("hold", "POST", "/v1/payment_intents")
		var heard tilltest.Told
		key := id.New()
		paid := tilltest.During(t, till.As(till.Shop).With("Idempotency-Key", key), "POST", "/v1/payments", order("pm_card_visa"), func() {
			if heard.ID != "" || stripe.Held() == 0 {
				return
			}
			list := till.Get("/v1/payments").Want(200)
			heard = till.Shop.Hears.Await("payment.completed", list.String("data", 0, "id"))
			fields(t, till.Get("/v1/payments/"+list.String("data", 0, "id")), "status", "completed", "captured", "50.00")
			stripe.Release()
		})
		fields(t, paid.Want(201), "status", "completed", "fee", "1.75", "attempts", "1")
		if heard.Data["id"] != paid.ID() {
			t.Fatalf("the merchant heard %v while the reply was held", heard)
		}
		once(t, till, "payment.completed", paid.ID())
		balanced(t, till, paid.ID(), 5000)
	})
}

// The reply is first, and Stripe sends its webhook twice, or later.
func TestReplyBeforeTheWebhook(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		stripe := till.Stripe(till.Shop)
		for _, kind := range []string{"doubled", "delayed", "lost"} {
			seconds := 0
			if kind == "delayed" {
				seconds = 60
			}
			stripe.BreakWebhook(kind, "payment_intent.succeeded", seconds)
			paid := till.Post("/v1/payments", order("pm_card_visa")).Want(201)
			fields(t, paid, "status", "completed")
			tilltest.Until(t, "every webhook to be taken in", func() bool {
				if kind == "delayed" {
					till.Clock.Advance(10 * time.Second)
				}
				return stripe.Outstanding() == 0
			})
			told(t, till, "payment.completed", paid.ID())
			balanced(t, till, paid.ID(), 5000)
		}
	})
}
