package app_test

import (
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/tilltest"
)

// Whatever happens, and whatever goes wrong, no secret reaches the log, nor anything of a customer; and none is in the database as it is.
func TestSecretsStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		line, stripe := till.Line(3*time.Second), till.Stripe(till.Shop)
		passing := func() { till.Clock.Advance(300 * time.Millisecond) } // short, so that a call under way keeps its lease
		post := func(path string, b any) tilltest.Answer { return till.Post(path, b) }
		inTrouble := func(b body) {
			tilltest.During(t, till.As(till.Shop).With("Idempotency-Key", id.New()), "POST", "/v1/payments", b, passing).Want(201)
		}
		order := body{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa", "description": marker,
			"customer": body{"email": marker + "@example.com", "reference": marker}, "metadata": body{"note": marker}}
		with := func(name string, value any) body {
			b := body{name: value}
			for k, v := range order {
				if b[k] == nil {
					b[k] = v
				}
			}
			return b
		}
		clientSecrets := []string{}
		for _, method := range []string{"pm_card_visa", "pm_card_chargeDeclined", "pm_card_threeDSecure2Required", "pm_card_authenticationRequired", "pm_nothing" + marker} {
			p := post("/v1/payments", with("payment_method", method)).Want(201)
			clientSecrets = append(clientSecrets, p.String("data", "next_action", "client_secret"))
			post("/v1/refunds", body{"payment_id": p.ID()})
			post("/v1/payments/"+p.ID()+"/cancel", nil)
		}
		card := post("/v1/payments/cards", body{"payment_method_id": "pm_card_visa", "customer_email": marker + "@example.com", "customer_name": marker}).Want(201)
		till.Delete("/v1/payments/cards/" + card.ID()).Want(200)
		post("/v1/payments/cards", body{"payment_method_id": "pm_card_declined", "customer_email": marker + "@example.com"}).Want(422)

		for _, kind := range []string{"timeout_after_effect", "cut", "truncated", "error_500", "error_429"} {
			stripe.Break(kind, "POST", "/v1/payment_intents")
			inTrouble(order)
		}
		line.Down()
		inTrouble(order)
		till.As(till.Shop).Do("PUT", "/v1/merchant/providers", body{"provider": "stripe", "stripe": body{"secret_key": till.Shop.StripeKey}}).Want(503)
		line.Up()
		for _, key := range []string{till.Shop.StripeKey, till.Shop.Key + "x", marker} {
			till.As(tilltest.Shop{Key: key}).Do("GET", "/v1/payments", nil).Want(401)
		}
		till.As(till.Shop).Do("PUT", "/v1/merchant/providers", body{"provider": "stripe", "stripe": body{"secret_key": till.Shop.StripeKey + "!"}}).Want(400)
		own, err := url.Parse(till.Get("/v1/merchant").Want(200).String("data", "provider", "webhook_url"))
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []string{"/v1/webhooks/stripe", own.Path} {
			stripe.TellAt(at, "{"+marker, stripe.Secret()).Want(400)
			stripe.TellAt(at, tilltest.Event("payment_intent.succeeded", body{"id": marker, "client_secret": marker}), "whsec_"+marker).Want(400)
			stripe.TellAt(at, tilltest.Event("payment_intent.succeeded", body{"id": marker, "status": 7}), stripe.Secret()).Want(200) // good signature, bad object
		}
		till.As(till.Shop).Want(202, "POST", "/v1/merchant/webhook/test", nil)
		tilltest.Until(t, "the last payment to be made and told", func() bool {
			passing()
			told, err := db.One(t.Context(), till.DB, db.Value[int64], `select (select count(*) from events where not fanned) + (select count(*) from deliveries where status = 'pending')
				+ (select count(*) from calls where state = 'open')`)
			if err != nil {
				t.Fatal(err)
			}
			return told == 0 && till.Get("/v1/payments?status=pending").Want(200).Len() == 0
		})
		rotate := func() string {
			return till.As(till.Shop).Want(200, "PUT", "/v1/merchant/webhook", body{"rotate_secret": true}).String("data", "secret")
		}
		before, outbound := rotate(), rotate()

		secrets := map[string]string{"the API key": till.Shop.Key, "Stripe's key": till.Shop.StripeKey, "the secret of Stripe's webhooks": stripe.Secret(), "the secret of our webhooks": outbound,
			"the secret before, which still signs": before}
		for what, secret := range secrets {
			if len(secret) < 20 {
				t.Fatalf("%s is %q", what, secret)
			}
			for _, row := range rows(t, till, nil) {
				if strings.Contains(row, secret) {
					t.Errorf("the database holds %s: %.100s", what, row)
				}
			}
		}
		secrets["the token of the webhook URL"], secrets["what a merchant or a customer said"] = path.Base(own.Path), marker
		log := till.Log.String()
		for _, s := range clientSecrets {
			if s != "" {
				secrets["the client secret of "+s[:27]] = s
			}
		}
		if len(secrets) != 9 {
			t.Fatalf("no client secrets: %v", clientSecrets)
		}
		for what, secret := range secrets {
			if i := strings.Index(log, secret); i >= 0 {
				t.Errorf("the log holds %s: %s", what, log[max(0, i-300):i])
			}
		}
		if !strings.Contains(log, "level=WARN") || strings.Contains(log, "panic") {
			t.Error("these journeys should have warned, and panicked nowhere")
		}
	})
}
