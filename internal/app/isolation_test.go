package app_test

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/tilltest"
)

type body map[string]any

// things are what the first merchant has: an object of every kind, in every state that can be acted upon.
type things struct {
	paid, held, waiting, failed, refund, dispute, payout, message, card, delivery, endpoint, doubted string
	payments                                                                                         []string
	customer, method, line                                                                           string
	orderKey, refundKey, payoutKey                                                                   string
	order, back                                                                                      body
}

func furnish(t *testing.T, till *tilltest.Till) (o things) {
	t.Helper()
	pay := func(key, method, capture string) tilltest.Answer {
		o.order = body{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": method, "capture_method": capture,
			"customer": body{"email": "jane@example.com"}, "metadata": body{"order": "1"}}
		return till.As(till.Shop).With("Idempotency-Key", key).Want(201, "POST", "/v1/payments", o.order)
	}
	o.held, o.waiting = pay(id.New(), "pm_card_visa", "manual").ID(), pay(id.New(), "pm_card_threeDSecure2Required", "automatic").ID()
	o.failed = pay(id.New(), "pm_card_chargeDeclined", "automatic").ID()
	o.orderKey, o.refundKey = "order 1", "refund 1"
	pay(id.New(), "pm_card_createDispute", "automatic")
	o.paid = pay(o.orderKey, "pm_card_visa", "automatic").ID()
	o.payments = []string{o.paid, o.held, o.waiting, o.failed}
	c := till.As(till.Shop).Want(201, "POST", "/v1/payments/cards", body{"payment_method_id": "pm_card_visa", "customer_email": "jane@example.com"})
	o.card, o.customer, o.method = c.ID(), c.String("data", "customer", "id"), c.String("data", "payment_method")
	o.back = body{"payment_id": o.paid, "amount": "10.00"}
	o.refund = till.As(till.Shop).With("Idempotency-Key", o.refundKey).Want(201, "POST", "/v1/refunds", o.back).ID()
	o.message = till.As(till.Shop).Want(201, "POST", "/v1/messages", body{"payment_id": o.failed, "template": "another_card"}).ID()
	till.As(till.Shop).Want(200, "PUT", "/v1/merchant/settings", body{"duplicate_guard": body{"enabled": true, "minutes": 1440}, "local_currencies": body{"enabled": true}})
	again := body{"amount": "7.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa"}
	till.Post("/v1/payments", again).Want(201)
	if o.doubted = till.Post("/v1/payments", again).Want(201).ID(); till.Get("/v1/payments/"+o.doubted).String("data", "status") != "held" {
		t.Fatal("a duplicate is not held")
	}
	till.Shop.Hears.Await("refund.completed", o.refund)
	o.payoutKey = "payout 1"
	o.payout = till.As(till.Shop).With("Idempotency-Key", o.payoutKey).Want(201, "POST", "/v1/payouts", payoutOrder).ID()
	till.Clock.Advance(time.Minute) // what Stripe sends later
	rest(t, till, till.Shop)
	till.Post("/v1/reconciliation/runs", body{}).Want(200)
	o.dispute = till.Get("/v1/disputes").Want(200).String("data", 0, "id")
	o.line = till.Get("/v1/reconciliation/lines").Want(200).String("data", 0, "id")
	o.delivery = till.Get("/v1/webhooks/deliveries").Want(200).String("data", 0, "id")
	o.endpoint = till.Get("/v1/webhooks/endpoints").Want(200).String("data", 0, "id")
	if o.delivery == "" || o.endpoint == "" || o.dispute == "" {
		t.Fatal("nothing was delivered, or nothing disputed")
	}
	return o
}

// payoutOrder is a payout as it is asked for. Nothing is available to be paid out: it is refused.
var payoutOrder = body{"amount": "1.00", "currency": "USD"}

// visitor is who comes to every endpoint with the first merchant's ids and keys: a stranger has nothing of his own, a twin has equal ids and
// keys, and a live key of the same merchant must not meet test money.
type visitor struct {
	*testing.T
	till *tilltest.Till
	shop tilltest.Shop
	kind string
	o    things
}

const (
	stranger = "stranger"
	twinned  = "twin"
	live     = "live key"
)

func (v visitor) do(method, path string, body any) tilltest.Answer {
	v.Helper()
	return v.till.As(v.shop).With("Idempotency-Key", id.New()).Do(method, path, body)
}

// missing asks for an object by the first merchant's id: there is none, or it is the twin's own.
func (v visitor) missing(method, path string, body any, param string) {
	v.Helper()
	a := v.do(method, path, body)
	if v.kind != twinned {
		a.Refused(404, "resource_missing", param)
	} else if a.Status >= 500 || a.Status == 404 {
		v.Errorf("%s %s of a twin answered %d: %s", method, path, a.Status, a.Raw)
	} else if owner := a.String("data", "merchant_id"); owner != "" && owner != v.shop.Merchant {
		v.Errorf("%s %s shows an object of %s", method, path, owner)
	}
}

// empty asks for a list: there is nothing in it, or only what is the twin's own.
func (v visitor) empty(path string) {
	v.Helper()
	a := v.do("GET", path, nil).Want(200)
	if v.kind != twinned && a.Len() != 0 || v.kind == twinned && a.Len() == 0 {
		v.Errorf("%s of a %s has %d: %s", path, v.kind, a.Len(), a.Raw)
	}
	for i := range a.Len() {
		if owner := a.String("data", i, "merchant_id"); owner != "" && owner != v.shop.Merchant {
			v.Errorf("%s shows an object of %s", path, owner)
		}
	}
}

// table asks for a CSV file: it has a header alone, or also what is the twin's own.
func (v visitor) table(path string) {
	v.Helper()
	if a := v.do("GET", path, nil).Want(200); (strings.Count(string(a.Raw), "\r\n") > 1) != (v.kind == twinned) {
		v.Errorf("%s of a %s: %s", path, v.kind, a.Raw)
	}
}

// tell sends a webhook about an object of the first merchant's, with the visitor's own good signature.
func (v visitor) tell(kind string, object body) {
	v.Helper()
	v.till.Stripe(v.shop).Tell(tilltest.Event(kind, object)).Want(200)
}

// visits is what a visitor does at each operation of the OpenAPI document.
var visits = map[string]func(visitor){
	"GET /v1/payments": func(v visitor) {
		for _, query := range []string{"", "?status=pending", "?customer_email=jane@example.com", "?metadata[order]=1", "?currency=USD&min_amount=50", "?idempotency_key=" + url.QueryEscape(v.o.orderKey), "?status=held"} {
			v.empty("/v1/payments" + query)
		}
	},
	"GET /v1/payments/{id}": func(v visitor) {
		for _, p := range v.o.payments {
			v.missing("GET", "/v1/payments/"+p, nil, "id")
			v.missing("GET", "/v1/payments/"+p+"?refresh=true", nil, "id")
		}
	},
	"POST /v1/payments": func(v visitor) {
		again := v.till.As(v.shop).With("Idempotency-Key", v.o.orderKey).Do("POST", "/v1/payments", v.o.order)
		switch v.kind {
		case live:
			again.Refused(422, "provider_unset", "")
		case twinned: // the key is his own, and so is the payment that it names
			if again.Want(201); again.ID() != v.o.paid || again.String("data", "merchant_id") != v.shop.Merchant {
				v.Errorf("a twin's key: %s", again.Raw)
			}
		default:
			if again.Want(201); again.ID() == v.o.paid || again.Header.Get("Idempotent-Replayed") != "" || again.String("data", "status") != "completed" {
				v.Errorf("the key of another merchant counted: %s", again.Raw)
			}
		}
		v.missing("POST", "/v1/payments", body{"amount": "1.00", "currency": "USD", "provider": "stripe", "saved_card_id": v.o.card}, "saved_card_id")
		if v.kind == stranger {
			v.missing("POST", "/v1/payments", body{"amount": "1.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa", "customer": body{"id": v.o.customer}}, "customer.id")
			a := v.do("POST", "/v1/payments", body{"amount": "1.00", "currency": "USD", "provider": "stripe", "payment_method": v.o.method}).Want(201)
			if a.String("data", "status") != "failed" || a.String("data", "failure", "code") != "resource_missing" {
				v.Errorf("another merchant's payment method pays: %s", a.Raw)
			}
		}
	},
	"POST /v1/payments/{id}/capture": func(v visitor) {
		for _, p := range []string{v.o.held, v.o.paid} {
			a := v.do("POST", "/v1/payments/"+p+"/capture", nil)
			if v.kind != twinned {
				a.Refused(404, "resource_missing", "id")
			} else if p == v.o.held { // sent to the twin's own Stripe account, which knows no such intent
				a.Refused(422, "provider_refused", "")
			}
		}
	},
	"POST /v1/payments/{id}/cancel": func(v visitor) {
		for _, p := range v.o.payments {
			v.missing("POST", "/v1/payments/"+p+"/cancel", nil, "id")
		}
	},
	"GET /v1/payments/{id}/attempts": func(v visitor) {
		for _, p := range append(v.o.payments, v.o.doubted) {
			v.missing("GET", "/v1/payments/"+p+"/attempts", nil, "id")
		}
	},
	"GET /v1/refunds/{id}/attempts": func(v visitor) { v.missing("GET", "/v1/refunds/"+v.o.refund+"/attempts", nil, "id") },
	"POST /v1/payments/{id}/release": func(v visitor) {
		for _, p := range append(v.o.payments, v.o.doubted) {
			v.missing("POST", "/v1/payments/"+p+"/release", nil, "id")
		}
	},
	"GET /v1/merchant/settings": func(v visitor) {
		// The first merchant's guard is on; whoever is not its twin has chosen nothing.
		if a := v.do("GET", "/v1/merchant/settings", nil).Want(200); a.At("data", "duplicate_guard", "enabled") != (v.kind == twinned) {
			v.Errorf("%s", a.Raw)
		}
	},
	"PUT /v1/merchant/settings": func(v visitor) {
		v.do("PUT", "/v1/merchant/settings", body{"duplicate_guard": body{"enabled": false}}).Want(200)
	},
	"PUT /v1/payouts/schedule": func(v visitor) { // whose own account's it is
		if a := v.do("PUT", "/v1/payouts/schedule", body{"interval": "daily"}); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else {
			a.Want(200)
		}
	},
	"GET /v1/reports/currencies": func(v visitor) {
		if a := v.do("GET", "/v1/reports/currencies", nil); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else if seen := len(a.Want(200).At("data", "regions").([]any)); (seen > 0) != (v.kind == twinned) {
			v.Errorf("%s", a.Raw)
		}
	},
	"GET /v1/reports/consolidation": func(v visitor) {
		if a := v.do("GET", "/v1/reports/consolidation", nil); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else if seen := len(a.Want(200).At("data", "weeks").([]any)); seen > 0 && v.kind != twinned {
			v.Errorf("%s", a.Raw)
		}
	},
	"GET /v1/local_price": func(v visitor) {
		if a := v.do("GET", "/v1/local_price?country=DE&amount=1.00&currency=USD", nil); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else if a.Want(200); (a.String("data", "reason") == "local_currency") != (v.kind == twinned) { // the first merchant's are on
			v.Errorf("%s", a.Raw)
		}
	},
	"GET /v1/payments/cards": func(v visitor) {
		for _, query := range []string{"", "?customer_email=jane@example.com", "?customer_id=" + v.o.customer} {
			v.empty("/v1/payments/cards" + query)
		}
	},
	"POST /v1/payments/cards": func(v visitor) {
		a := v.do("POST", "/v1/payments/cards", body{"payment_method_id": "pm_card_visa", "customer_email": "jane@example.com"})
		switch v.kind {
		case live:
			a.Refused(422, "provider_unset", "")
		case stranger:
			if a.Want(201); a.ID() == v.o.card || a.String("data", "customer", "id") == v.o.customer {
				v.Errorf("another merchant's card: %s", a.Raw)
			}
			v.do("DELETE", "/v1/payments/cards/"+a.ID(), nil).Want(200)
			v.do("POST", "/v1/payments/cards", body{"payment_method_id": v.o.method, "customer_email": "jane@example.com"}).Refused(422, "provider_refused", "payment_method_id")
		}
	},
	"DELETE /v1/payments/cards/{id}": func(v visitor) { v.missing("DELETE", "/v1/payments/cards/"+v.o.card, nil, "id") },
	"GET /v1/refunds": func(v visitor) {
		v.empty("/v1/refunds")
		v.empty("/v1/refunds?payment_id=" + v.o.paid)
	},
	"GET /v1/disputes": func(v visitor) {
		v.empty("/v1/disputes")
		v.empty("/v1/disputes?status=needs_response")
	},
	"GET /v1/disputes/{id}": func(v visitor) { v.missing("GET", "/v1/disputes/"+v.o.dispute, nil, "id") },
	"GET /v1/refunds/{id}":  func(v visitor) { v.missing("GET", "/v1/refunds/"+v.o.refund, nil, "id") },
	"POST /v1/refunds": func(v visitor) {
		again := v.till.As(v.shop).With("Idempotency-Key", v.o.refundKey).Do("POST", "/v1/refunds", v.o.back)
		if v.kind != twinned {
			again.Refused(404, "resource_missing", "payment_id")
		} else if again.Want(201); again.ID() != v.o.refund {
			v.Errorf("a twin's key: %s", again.Raw)
		}
		v.missing("POST", "/v1/refunds", body{"payment_id": v.o.paid}, "payment_id")
	},
	"GET /v1/messages": func(v visitor) {
		v.empty("/v1/messages")
		v.empty("/v1/messages?payment_id=" + v.o.failed)
	},
	"GET /v1/messages/{id}": func(v visitor) { v.missing("GET", "/v1/messages/"+v.o.message, nil, "id") },
	"POST /v1/messages": func(v visitor) {
		v.missing("POST", "/v1/messages", body{"payment_id": v.o.failed, "template": "another_card"}, "payment_id")
	},
	"GET /v1/events": func(v visitor) {
		for _, query := range []string{"", "?type=payment.*", "?object_id=" + v.o.paid} {
			v.empty("/v1/events" + query)
		}
	},
	"GET /v1/webhooks/deliveries": func(v visitor) { v.empty("/v1/webhooks/deliveries") },
	"GET /v1/webhooks/endpoints": func(v visitor) {
		if a := v.do("GET", "/v1/webhooks/endpoints", nil).Want(200); a.Len() != 0 { // endpoints are not copied for the twin
			v.Errorf("%s", a.Raw)
		}
	},
	"GET /v1/webhooks/endpoints/{id}/events": func(v visitor) {
		v.do("GET", "/v1/webhooks/endpoints/"+v.o.endpoint+"/events", nil).Refused(404, "resource_missing", "id")
	},
	"POST /v1/webhooks/deliveries/{id}/redeliver": func(v visitor) {
		a := v.do("POST", "/v1/webhooks/deliveries/"+v.o.delivery+"/redeliver", nil)
		if v.kind == stranger && a.Status != 404 || a.Status < 400 && v.kind != twinned || a.Status >= 500 {
			v.Errorf("%d %s", a.Status, a.Raw)
		}
	},
	"GET /v1/merchant": func(v visitor) {
		if a := v.do("GET", "/v1/merchant", nil).Want(200); a.ID() != v.shop.Merchant || v.kind == live && (a.At("data", "provider") != nil || a.At("data", "webhook") != nil) {
			v.Errorf("%s", a.Raw)
		}
	},
	"GET /v1/config": func(v visitor) {
		firsts := v.till.Get("/v1/config").Want(200).String("data", "account")
		if a := v.do("GET", "/v1/config", nil); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else if account := a.Want(200).String("data", "account"); account == firsts || account == "" {
			v.Errorf("the account is %q, the first merchant's %q", account, firsts)
		}
	},
	"GET /v1/balance": func(v visitor) {
		if a := v.do("GET", "/v1/balance", nil); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else if a.Want(200); len(a.At("data", "items").([]any)) > 0 && v.kind != twinned {
			v.Errorf("%s", a.Raw)
		}
	},
	"GET /v1/reconciliation": func(v visitor) {
		if a := v.do("GET", "/v1/reconciliation", nil).Want(200); len(a.At("data", "items").([]any)) > 0 && v.kind != twinned {
			v.Errorf("%s", a.Raw)
		}
	},
	"GET /v1/reconciliation/lines": func(v visitor) { v.empty("/v1/reconciliation/lines") },
	"POST /v1/reconciliation/lines/{id}/accept": func(v visitor) {
		if a := v.do("POST", "/v1/reconciliation/lines/"+v.o.line+"/accept", body{"note": "n"}); v.kind == twinned {
			a.Refused(422, "line_state", "id") // the twin's own, of which nothing is left
		} else {
			a.Refused(404, "resource_missing", "id")
		}
	},
	"GET /v1/reconciliation/payouts/{id}": func(v visitor) {
		v.do("GET", "/v1/reconciliation/payouts/po_1", nil).Refused(404, "resource_missing", "id")
	},
	"POST /v1/reconciliation/runs": func(v visitor) {
		if a := v.do("POST", "/v1/reconciliation/runs", body{}); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else {
			a.Want(200)
		}
	},
	"GET /v1/exports/payments":     func(v visitor) { v.table("/v1/exports/payments") },
	"GET /v1/exports/refunds":      func(v visitor) { v.table("/v1/exports/refunds") },
	"GET /v1/exports/payout_lines": func(v visitor) { v.do("GET", "/v1/exports/payout_lines", nil).Want(200) }, // nobody has any
	"GET /v1/ledger/head": func(v visitor) {
		if a := v.do("GET", "/v1/ledger/head", nil).Want(200); (a.At("data", "sequence") == 0.0) == (v.kind == twinned) {
			v.Errorf("%s", a.Raw)
		}
	},
	"GET /v1/ledger/heads": func(v visitor) { v.empty("/v1/ledger/heads") },
	"GET /v1/ledger/trial_balance": func(v visitor) {
		if a := v.do("GET", "/v1/ledger/trial_balance", nil).Want(200); (a.At("data", "accounts", 0) == nil) == (v.kind == twinned) {
			v.Errorf("%s", a.Raw)
		}
	},
	"GET /v1/ledger/verification": func(v visitor) {
		// A chain that was copied from another merchant's does not begin as a twin's own would.
		if a := v.do("GET", "/v1/ledger/verification", nil).Want(200); a.At("data", "verified") != (v.kind != twinned) {
			v.Errorf("%s", a.Raw)
		}
	},
	"POST /v1/ledger/closes": func(v visitor) {
		if a := v.do("POST", "/v1/ledger/closes", body{"through": "2026-11-23"}).Want(201); a.At("data", "balances", 0) != nil {
			v.Errorf("the day before has money: %s", a.Raw)
		}
	},
	"POST /v1/payouts": func(v visitor) {
		again := v.till.As(v.shop).With("Idempotency-Key", v.o.payoutKey).Do("POST", "/v1/payouts", payoutOrder)
		if v.kind == live {
			again.Refused(422, "provider_unset", "")
		} else if again.Want(201); v.kind == twinned != (again.ID() == v.o.payout) {
			v.Errorf("under the first merchant's key a %s meets %s", v.kind, again.Raw)
		}
	},
	"GET /v1/payouts":               func(v visitor) { v.empty("/v1/payouts") },
	"GET /v1/payouts/{id}":          func(v visitor) { v.missing("GET", "/v1/payouts/"+v.o.payout, nil, "id") },
	"GET /v1/payouts/{id}/attempts": func(v visitor) { v.missing("GET", "/v1/payouts/"+v.o.payout+"/attempts", nil, "id") },
	"POST /v1/payouts/{id}/cancel":  func(v visitor) { v.missing("POST", "/v1/payouts/"+v.o.payout+"/cancel", nil, "id") },
	"GET /v1/payouts/diagnosis": func(v visitor) {
		if a := v.do("GET", "/v1/payouts/diagnosis", nil); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else if a.Want(200).String("data", "cause") != "no_money" { // its own account, which has none
			v.Errorf("%s", a.Raw)
		}
	},
	"PUT /v1/merchant/providers": func(v visitor) {
		a := v.do("PUT", "/v1/merchant/providers", body{"provider": "stripe", "stripe": body{"secret_key": v.till.Shop.StripeKey[:8] + id.Hex(12)}})
		if v.kind == live {
			a.Refused(422, "provider_mode_mismatch", "stripe.secret_key")
		} else {
			a.Want(200)
		}
	},
	"PUT /v1/merchant/webhook": func(v visitor) {
		if a := v.do("PUT", "/v1/merchant/webhook", body{"webhook_url": "http://127.0.0.1:1/"}); a.Status >= 500 {
			v.Errorf("%d %s", a.Status, a.Raw)
		}
	},
	"POST /v1/merchant/webhook/test": func(v visitor) { v.do("POST", "/v1/merchant/webhook/test", nil).Refused(422, "webhook_unset", "") },
	"GET /v1/stripe/events":          func(v visitor) { v.empty("/v1/stripe/events") },
	"GET /v1/stripe/events/missed": func(v visitor) {
		if a := v.do("GET", "/v1/stripe/events/missed?since=72h", nil); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else if a.Want(200); v.kind == twinned && a.At("data", "at_stripe") != 0.0 { // its own account, which has had no event
			v.Errorf("%s", a.Raw)
		}
	},
	"POST /v1/stripe/events/repair": func(v visitor) {
		if a := v.do("POST", "/v1/stripe/events/repair", body{"since": "72h"}); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else {
			a.Want(200)
		}
	},
	"POST /v1/stripe/events/{id}/resend": func(v visitor) {
		told := v.till.Get("/v1/stripe/events?type=payment_intent.succeeded").Want(200).String("data", 0, "id")
		if a := v.do("POST", "/v1/stripe/events/"+told+"/resend", nil); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else {
			a.Refused(404, "resource_missing", "id")
		}
	},
	"POST /v1/stripe/signature": func(v visitor) {
		event := tilltest.Event("payment_intent.succeeded", body{"id": "pi_x", "object": "payment_intent"})
		firsts := v.till.Stripe(v.till.Shop).Sign(event)
		if a := v.do("POST", "/v1/stripe/signature", body{"payload": event, "signature": firsts}); v.kind == live {
			a.Refused(422, "provider_unset", "")
		} else if a.Want(200); a.String("data", "check") != "signature" {
			v.Errorf("another merchant's secret counts: %s", a.Raw)
		}
	},
	"POST /v1/webhooks/stripe": func(v visitor) {
		if v.kind == live {
			return // there is no secret of live mode to sign with
		}
		waiting := v.till.Get("/v1/payments/" + v.o.waiting).Want(200)
		intent := body{"id": waiting.String("data", "provider_ref"), "object": "payment_intent", "amount": 5000, "amount_received": 5000, "currency": "usd", "status": "succeeded",
			"metadata": body{"till_id": v.o.waiting}, "latest_charge": "ch_x"}
		v.tell("payment_intent.succeeded", intent)
		paid := v.till.Get("/v1/payments/"+v.o.paid).Want(200).String("data", "provider_ref")
		v.tell("refund.failed", body{"id": v.till.Get("/v1/refunds/"+v.o.refund).String("data", "provider_ref"), "object": "refund", "amount": 1000, "currency": "usd", "status": "failed",
			"payment_intent": paid, "metadata": body{"till_id": v.o.refund}})
		v.tell("payout.failed", body{"id": "po_x", "object": "payout", "amount": 100, "currency": "usd", "status": "failed", "created": tilltest.Start.Unix(), "metadata": body{"till_id": v.o.payout}})
		v.tell("refund.created", body{"id": "re_x", "object": "refund", "amount": 100, "currency": "usd", "status": "succeeded", "payment_intent": paid})
		if v.kind == twinned { // the event was good, and moved what is the twin's own
			tilltest.Until(v, "the twin's own payment to move", func() bool {
				return v.do("GET", "/v1/payments/"+v.o.waiting, nil).Want(200).String("data", "status") == "completed"
			})
			tilltest.Until(v, "the twin's own refund to move", func() bool {
				return v.do("GET", "/v1/refunds/"+v.o.refund, nil).Want(200).String("data", "status") == "failed"
			})
			return
		}
		tilltest.Until(v, "the events to be taken in", func() bool {
			for _, r := range rows(v, v.till, &v.shop.Scope) {
				if strings.HasPrefix(r, "stripe_events: ") && strings.Contains(r, " | null | 0 | ") {
					return false
				}
			}
			return true
		})
	},
	"POST /v1/webhooks/stripe/{merchant_id}/{token}": func(v visitor) {
		if v.kind == live {
			return
		}
		event := tilltest.Event("payment_intent.succeeded", body{"id": "pi_x", "object": "payment_intent", "metadata": body{"till_id": v.o.waiting}, "amount_received": 5000, "status": "succeeded"})
		at := func(shop tilltest.Shop) string {
			u, err := url.Parse(v.till.As(shop).Want(200, "GET", "/v1/merchant", nil).String("data", "provider", "webhook_url"))
			if err != nil {
				v.Fatal(err)
			}
			return u.Path
		}
		ours, theirs := v.till.Stripe(v.shop), v.till.Stripe(v.till.Shop)
		ours.TellAt(at(v.till.Shop), event, ours.Secret()).Refused(400, "webhook_signature_invalid", "Stripe-Signature")
		ours.TellAt(at(v.shop), event, theirs.Secret()).Refused(400, "webhook_signature_invalid", "Stripe-Signature")
		crossed := strings.Replace(at(v.shop), v.shop.Merchant, v.till.Shop.Merchant, 1)
		for _, secret := range []string{ours.Secret(), theirs.Secret()} {
			if a := ours.TellAt(crossed, event, secret); a.Status != 404 {
				v.Errorf("another merchant's token: %d %s", a.Status, a.Raw)
			}
		}
	},
}

// operations are the methods and paths of the OpenAPI document, those that only read first.
func operations(t testing.TB, till *tilltest.Till) (all []string) {
	t.Helper()
	paths, _ := till.Get("/openapi.json").Want(200).At("paths").(map[string]any)
	for path, item := range paths {
		for method := range item.(map[string]any) {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		reads := func(s string) int { return strings.Count(s, "GET ") }
		return cmp.Or(reads(b)-reads(a), cmp.Compare(a, b))
	})
	return all
}

// No merchant meets another's objects, whatever ids and keys it brings, and test mode never meets live mode.
func TestIsolation(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		all := operations(t, till)
		for operation := range visits {
			if !slices.Contains(all, operation) {
				t.Errorf("%s is not in the OpenAPI document", operation)
			}
		}
		o := furnish(t, till)
		visitors := []visitor{{t, till, till.NewShop(nil), stranger, o}, {t, till, till.NewShop(nil), twinned, o}, {t, till, liveKey(t, till), live, o}}
		twin(t, till, till.Shop.Scope, visitors[1].shop.Scope)
		was, before := rows(t, till, &till.Shop.Scope), asked(till)
		for _, v := range visitors {
			for _, operation := range all {
				visit := visits[operation]
				if visit == nil {
					t.Errorf("%s has no case here: what does it show another merchant?", operation)
					continue
				}
				visit(v)
				if d := difference(was, rows(t, till, &till.Shop.Scope)); d != "" {
					t.Fatalf("%s by a %s changed what is the first merchant's:\n%s", operation, v.kind, d)
				}
			}
		}
		if now := asked(till); len(now) != len(before) {
			t.Errorf("the first merchant's Stripe account was asked: %v", now[len(before):])
		}
	})
}

// asked are the requests to the first merchant's Stripe account, without those that the sweep makes by itself.
func asked(till *tilltest.Till) []string {
	till.T.Helper()
	return slices.DeleteFunc(till.Stripe(till.Shop).Requests(), func(r string) bool { return r == "GET /v1/events" })
}

// liveKey is the first merchant with a key of live mode.
func liveKey(t *testing.T, till *tilltest.Till) tilltest.Shop {
	t.Helper()
	_, key, err := till.Merchants.CreateKey(t.Context(), merchant.KeyInput{Merchant: till.Shop.Merchant, Mode: merchant.Live, Name: "live", Scopes: api.Scopes})
	if err != nil {
		t.Fatal(err)
	}
	shop := tilltest.Shop{Scope: till.Shop.Scope, Key: key}
	shop.Mode = merchant.Live
	return shop
}
