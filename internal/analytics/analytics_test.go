package analytics_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/tilltest"
	"github.com/till-pay/till/sandbox"
)

type body = map[string]any

// london is a shop whose Stripe account is in London, with bank accounts in pounds and dollars.
func london(till *tilltest.Till) tilltest.Shop {
	till.T.Helper()
	shop := till.Bare(merchant.Test)
	shop.StripeKey = "sk_test_" + id.Hex(12)
	sandbox.Open(till.T, till.StripeURL, shop.StripeKey).Control("POST", "/_sandbox/account", body{"country": "GB", "settlement_currencies": []string{"gbp", "usd"}, "payout_interval": "manual"}, nil)
	till.As(shop).Want(200, "PUT", "/v1/merchant/providers", body{"provider": "stripe", "register": true, "stripe": body{"secret_key": shop.StripeKey}})
	return shop
}

// sell takes payments, one for each card.
func sell(till *tilltest.Till, shop tilltest.Shop, amount, currency string, cards ...string) {
	till.T.Helper()
	for _, card := range cards {
		till.As(shop).With("Idempotency-Key", id.New()).Want(201, "POST", "/v1/payments",
			body{"amount": amount, "currency": currency, "provider": "stripe", "payment_method": card})
	}
}

// booked lets Stripe book what it books late, and has all of it read.
func booked(till *tilltest.Till, shop tilltest.Shop) {
	till.T.Helper()
	till.Clock.Advance(5 * time.Minute)
	stripe := till.Stripe(shop)
	stripe.Now()
	tilltest.Until(till.T, "events to be taken in", func() bool {
		due, err := db.One(till.T.Context(), till.DB, db.Value[int64], `select count(*) from stripe_events where applied_at is null and due_at is not null`)
		if err != nil {
			till.T.Fatal(err)
		}
		return stripe.Outstanding() == 0 && due == 0
	})
	tilltest.Until(till.T, "the reading to end", func() bool { // till may be reading by itself
		return till.As(shop).Want(200, "POST", "/v1/reconciliation/runs", body{}).At("data", "done") == true
	})
}

// lines are the objects of a list in the answer, some of their fields each.
func lines(a tilltest.Answer, list string, fields ...string) (all []string) {
	rows, _ := a.At("data", list).([]any)
	for i := range rows {
		var line []string
		for _, f := range fields {
			path := []any{"data", list, i}
			for _, part := range strings.Split(f, ".") {
				path = append(path, part)
			}
			line = append(line, fmt.Sprint(a.At(path...)))
		}
		all = append(all, strings.Join(line, " | "))
	}
	return all
}

// A shop in London sells in pounds and dollars, and then in the customers' currencies: the report says what was accepted, what was taken and
// what the conversion cost, and what of it is in pounds.
func TestCurrencies(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		shop := london(till)
		sell(till, shop, "49.00", "GBP", "pm_card_gb", "pm_card_pl", "pm_card_chargeDeclined", "pm_card_jp")
		sell(till, shop, "61.39", "USD", "pm_card_us", "pm_card_visa_chargeDeclinedInsufficientFunds")
		till.Clock.Advance(time.Hour)
		till.As(shop).Want(200, "PUT", "/v1/merchant/settings", body{"local_currencies": body{"enabled": true}})
		sell(till, shop, "252.63", "PLN", "pm_card_pl")
		sell(till, shop, "9636", "JPY", "pm_card_jp", "pm_card_jp")
		sell(till, shop, "7938.15", "KES", "pm_card_us")
		sell(till, shop, "18.930", "KWD", "pm_card_us")
		sell(till, shop, "225927", "UGX", "pm_card_us")
		sell(till, shop, "61.39", "USD", "pm_card_us")
		sell(till, shop, "49.00", "GBP", "pm_card_authenticationRequired") // whose payer has not been at the bank yet
		till.Clock.Advance(time.Second)
		unread, charges := till.As(shop).Want(200, "GET", "/v1/reports/currencies", nil), 0
		for _, n := range lines(unread, "pairs", "charges") {
			charges += int(n[0] - '0')
		}
		if left, _ := unread.At("data", "charges_not_booked").(float64); int(left)+charges != 11 { // till may have read some of them by itself
			t.Errorf("%v of 11 charges are not booked, and %d are: %s", left, charges, unread.Raw)
		}
		booked(till, shop)
		a := till.As(shop).Want(200, "GET", "/v1/reports/currencies", nil)
		if a.String("data", "changed_at") != "2026-11-24T13:00:00Z" || a.String("data", "default_currency") != "GBP" || a.At("data", "charges_not_booked") != 0.0 {
			t.Errorf("%s", a.Raw)
		}
		for _, c := range []struct {
			list   string
			fields string
			want   []string
		}{
			{"regions", "region before.accepted before.declined before.acceptance after.accepted after.declined after.undecided after.acceptance change", []string{
				"Asia and the Pacific | 1 | 0 | 100.00 | 2 | 0 | 0 | 100.00 | 0.00",
				"European Economic Area | 1 | 0 | 100.00 | 1 | 0 | 0 | 100.00 | 0.00",
				"North America | 1 | 2 | 33.33 | 4 | 0 | 0 | 100.00 | 66.67",
				"United Kingdom | 1 | 0 | 100.00 | 0 | 0 | 0 |  | ",
				"unknown | 0 | 0 |  | 0 | 0 | 1 |  | ",
			}},
			{"pairs", "from to charges charged settled fees fee_percent spread.rate spread.middle spread.percent spread.cost total_cost", []string{
				"GBP | GBP | 3 | 147.00 | 147.00 | 4.16 | 2.83 | <nil> | <nil> | <nil> | <nil> | 4.16",
				"JPY | GBP | 2 | 19272 | 96.04 | 3.52 | 3.67 | 0.0049834 | 0.00508512 | 2.00 | 1.96 | 5.48",
				"KES | GBP | 1 | 7938.15 | 48.02 | 1.76 | 3.67 | 0.00604927 | 0.00617273 | 2.00 | 0.98 | 2.74",
				"KWD | GBP | 1 | 18.930 | 48.03 | 1.76 | 3.66 | 2.53724 | 2.58882 | 1.99 | 0.98 | 2.74",
				"PLN | GBP | 1 | 252.63 | 48.02 | 1.40 | 2.92 | 0.19008 | 0.19396 | 2.00 | 0.98 | 2.38",
				"UGX | GBP | 1 | 225927 | 48.02 | 1.76 | 3.67 | 0.000212547 | 0.000216884 | 2.00 | 0.98 | 2.74",
				"USD | USD | 2 | 122.78 | 122.78 | 4.50 | 3.67 | <nil> | <nil> | <nil> | <nil> | 4.50",
			}},
			{"balances", "currency available pending", []string{"GBP | 0.00 | 420.77", "USD | 0.00 | 118.28"}},
		} {
			if diff := cmp.Diff(c.want, lines(a, c.list, strings.Fields(c.fields)...)); diff != "" {
				t.Errorf("%s: %s", c.list, diff)
			}
		}
		if diff := cmp.Diff([]string{"PLN | GBP | European Economic Area | 1 | 48.02 | 1.40 | 2.92"}, lines(a, "fees", "currency", "settled_in", "region", "charges", "gross", "fees", "percent")[6:7]); diff != "" {
			t.Errorf("fees: %s", diff)
		}
		consolidated(t, till, shop)
	})
}

// consolidated: what of it is in pounds.
func consolidated(t *testing.T, till *tilltest.Till, shop tilltest.Shop) {
	t.Helper()
	q := "/v1/reports/consolidation?since=2026-11-23T00:00:00Z&until=2026-12-14T00:00:00Z"
	a := till.As(shop).Want(200, "GET", q, nil)
	if diff := cmp.Diff([]string{"2026-11-30T00:00:00Z | 420.77 | 92.52 | 513.29"}, lines(a, "weeks", "from", "settled", "would_be_converted", "total")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"GBP | <nil> | 420.77", "USD | estimated | 92.52"}, lines(a, "held", "currency", "exchange.basis", "in_target")); diff != "" {
		t.Error(diff)
	}
	legs, _ := a.At("data", "weeks", 0, "legs").([]any)
	if len(legs) != 7 || a.String("data", "weeks", 0, "legs", 1, "exchange", "basis") != "applied" || a.String("data", "weeks", 0, "legs", 6, "exchange", "basis") != "estimated" {
		t.Errorf("%v", legs)
	}
	till.As(shop).Do("GET", q+"&currency=XYZ", nil).Refused(400, "currency_unknown", "currency")
	if a := till.As(shop).Want(200, "GET", q+"&currency=usd", nil); a.String("data", "weeks", 0, "settled") != "118.28" {
		t.Errorf("in dollars: %s", a.Raw)
	}
}

// A report is about a time that is bounded, and begins before it ends.
func TestSpans(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	for _, path := range []string{"/v1/reports/currencies", "/v1/reports/consolidation"} {
		till.Get(path+"?since=2026-11-24T00:00:00Z&until=2026-11-24T00:00:00Z").Refused(400, "parameter_invalid", "since")
		till.Get(path+"?since=2024-11-24T00:00:00Z").Refused(400, "parameter_invalid", "since")
		till.Get(path+"?last=month").Refused(400, "parameter_invalid", "last")
		till.Get(path+"?last=24h&since=2026-11-24T00:00:00Z").Refused(400, "parameter_invalid", "last")
		if a := till.Get(path + "?last=24h").Want(200); a.String("data", "since") != "2026-11-23T12:00:00Z" {
			t.Errorf("%s", a.Raw)
		}
		if a := till.Get(path).Want(200); a.String("data", "since") != "2026-10-25T12:00:00Z" || a.String("data", "until") != "2026-11-24T12:00:00Z" {
			t.Errorf("%s", a.Raw)
		}
	}
}
