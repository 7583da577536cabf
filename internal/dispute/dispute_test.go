package dispute_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/tilltest"
	"github.com/till-pay/till/sandbox"
)

type body map[string]any

const day = 24 * time.Hour

// pay pays with a test card by its name, such as createDispute.
func pay(till *tilltest.Till, card, amount, currency string) tilltest.Answer {
	till.T.Helper()
	return till.Post("/v1/payments", body{"amount": amount, "currency": currency, "provider": "stripe", "payment_method": "pm_card_" + card}).Want(201)
}

// rest lets time pass at Stripe, and waits until till has taken in all that it tells.
func rest(till *tilltest.Till, d time.Duration) {
	till.T.Helper()
	till.Clock.Advance(d)
	till.Clock.Advance(time.Second) // for the webhooks of what has just happened
	at := till.Stripe(till.Shop)
	tilltest.Until(till.T, "everything that Stripe tells to be taken in", func() bool {
		open, err := db.One(till.T.Context(), till.DB, db.Value[int64], `select (select count(*) from stripe_events where due_at is not null) + (select count(*) from calls where state = 'open')`)
		if err != nil {
			till.T.Fatal(err)
		}
		return at.Outstanding() == 0 && open == 0
	})
}

// disputes are those of a payment, oldest first.
func disputes(till *tilltest.Till, payment string) (all []tilltest.Answer) {
	till.T.Helper()
	list := till.Get("/v1/disputes?payment_id=" + payment).Want(200)
	for i := range list.Len() {
		all = append(all, till.Get("/v1/disputes/"+list.String("data", i, "id")).Want(200))
	}
	slices.Reverse(all)
	return all
}

// evidence sends evidence to Stripe for a dispute.
func evidence(till *tilltest.Till, d tilltest.Answer, text string) {
	till.T.Helper()
	till.Stripe(till.Shop).Do("POST", "/v1/disputes/"+d.String("data", "provider_ref"), "evidence[uncategorized_text]="+text).Want(200)
}

// shows checks strings of data, given in pairs of name and value.
func shows(t testing.TB, a tilltest.Answer, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := fmt.Sprint(a.At("data", pairs[i])); got != pairs[i+1] {
			t.Errorf("%s is %q, want %q: %s", pairs[i], got, pairs[i+1], a.Raw)
		}
	}
}

// foretold are the movements of the expected book of everything that a dispute is the source of, by kind and currency.
func foretold(till *tilltest.Till) map[string]string {
	till.T.Helper()
	type sum struct {
		key         string
		amount, fee int64
	}
	rows, err := db.All(till.T.Context(), till.DB, func(r db.Row) (s sum, err error) {
		var source, kind, currency string
		err = r.Scan(&source, &kind, &currency, &s.amount, &s.fee)
		s.key = source + " " + kind + " " + strings.ToLower(currency)
		return s, err
	}, `select source, kind, currency, cast(sum(amount) as bigint), cast(sum(fee) as bigint) from movements where merchant = $1 and mode = $2
		and kind in ('dispute', 'dispute_reversal') group by source, kind, currency`, till.Shop.Merchant, till.Shop.Mode)
	if err != nil {
		till.T.Fatal(err)
	}
	all := map[string]string{}
	for _, r := range rows {
		all[r.key] = fmt.Sprintf("%d, fee %d", r.amount, r.fee)
	}
	return all
}

// moved is the same as Stripe's balance transactions have it.
func moved(till *tilltest.Till) map[string]string {
	till.T.Helper()
	sums := map[string][2]int64{}
	for after := ""; ; {
		list := till.Stripe(till.Shop).Do("GET", "/v1/balance_transactions", "limit=100&type=adjustment"+after).Want(200)
		for i := range list.Len() {
			key := list.String("data", i, "source") + " " + list.String("data", i, "reporting_category") + " " + list.String("data", i, "currency")
			sum := sums[key]
			sums[key] = [2]int64{sum[0] + int64(list.At("data", i, "amount").(float64)), sum[1] + int64(list.At("data", i, "fee").(float64))}
			after = "&starting_after=" + list.String("data", i, "id")
		}
		if list.At("has_more") != true {
			break
		}
	}
	all := map[string]string{}
	for key, sum := range sums {
		all[key] = fmt.Sprintf("%d, fee %d", sum[0], sum[1])
	}
	return all
}

// agrees checks that the expected book says of all disputes what Stripe's balance transactions say, to the cent, and that it sums to zero.
func agrees(t *testing.T, till *tilltest.Till, atLeast int) {
	t.Helper()
	want, got := moved(till), foretold(till)
	if !maps.Equal(want, got) || len(got) < atLeast {
		t.Errorf("foretold %v\nmoved %v", got, want)
	}
	if err := ledger.Check(t.Context(), till.DB, till.Shop.Scope); err != nil {
		t.Error(err)
	}
}

// story are the types of what was told of an object, oldest first.
func story(till *tilltest.Till, object string) string {
	till.T.Helper()
	list := till.Get("/v1/events?limit=100&object_id=" + object).Want(200)
	var all []string
	for i := range list.Len() {
		all = append(all, strings.TrimPrefix(list.String("data", i, "type"), "dispute."))
	}
	slices.Reverse(all)
	return strings.Join(all, " ")
}

func TestChargebackThatIsWon(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := pay(till, "createDisputeProductNotReceived", "50.00", "USD")
		shows(t, p, "disputed", "0.00")
		rest(till, 5*time.Second)
		d := disputes(till, p.ID())[0]
		shows(t, d, "payment_id", p.ID(), "status", "needs_response", "amount", "50.00", "currency", "USD", "reason", "product_not_received", "network_reason_code", "13.1",
			"case_type", "chargeback", "withdrawn", "50.00", "reinstated", "0.00", "fee", "15.00", "discrepancy", "", "livemode", "false", "opened_at", "2026-11-24T12:00:01Z")
		if d.String("data", "evidence", "due_by") != "2026-12-03T23:59:59Z" || d.At("data", "evidence", "given") != false || d.At("data", "evidence", "submissions") != 0.0 {
			t.Errorf("evidence %s", d.Raw)
		}
		shows(t, till.Get("/v1/payments/"+p.ID()).Want(200), "status", "completed", "disputed", "50.00")
		agrees(t, till, 1)

		refused := till.Post("/v1/refunds", body{"payment_id": p.ID(), "amount": "1.00"}).Refused(422, "payment_disputed", "payment_id")
		if !strings.Contains(refused.String("error", "message"), "50.00 USD") {
			t.Errorf("%s", refused.Raw)
		}
		evidence(till, d, "winning_evidence")
		till.Shop.Hears.Await("dispute.updated", d.ID())
		agrees(t, till, 1)
		rest(till, 5*time.Second)
		won := till.Shop.Hears.Await("dispute.won", d.ID())
		if won.Data["payment_id"] != p.ID() || won.Data["fee"] != "15.00" {
			t.Errorf("the merchant heard %v", won)
		}
		shows(t, disputes(till, p.ID())[0], "status", "won", "withdrawn", "50.00", "reinstated", "50.00", "fee", "15.00", "discrepancy", "")
		shows(t, till.Get("/v1/payments/"+p.ID()).Want(200), "disputed", "0.00")
		if got := story(till, d.ID()); got != "opened funds_withdrawn updated funds_reinstated won" {
			t.Errorf("told %s", got)
		}
		agrees(t, till, 2)
		shows(t, till.Post("/v1/refunds", body{"payment_id": p.ID()}).Want(201), "status", "completed", "amount", "50.00")
	})
}

// Every way that a dispute can go, at once on one account: in the end, and at every stop on the way, the expected book says what Stripe's
// balance transactions say.
func TestEveryWay(t *testing.T) {
	t.Parallel()
	type way struct {
		name, card string
		steps      []string
		ends       string // status and fee of each dispute
		left       string // what they hold of the payment
	}
	ways := []way{
		{"nobody answers", "createDispute", nil, "lost 15.00", "50.00"},
		{"accepted", "createDispute", []string{"close"}, "lost 15.00", "50.00"},
		{"answered and won", "createDispute", []string{"winning_evidence"}, "won 15.00", "0.00"},
		{"answered and lost", "createDispute", []string{"losing_evidence"}, "lost 30.00", "50.00"},
		{"refunded in part before", "createDispute", []string{}, "lost 15.00", "50.00"},
		{"compliance", "createComplianceDispute", nil, "lost 15.00", "50.00"},
		{"Mastercard", "createMastercardComplianceDispute", nil, "lost 15.00", "50.00"},
		{"compelling evidence", "createCe3EligibleDispute", []string{"winning_evidence"}, "won 15.00", "0.00"},
		{"an alert", "createEthocaAlert", []string{"losing_evidence"}, "lost 30.00", "50.00"},
		{"two, both over a half", "createMultipleDisputes", []string{"winning_evidence"}, "won 15.00 lost 15.00", "25.00"},
		{"inquiry that nothing comes of", "createDisputeInquiry", nil, "warning_closed 0.00", "0.00"},
		{"inquiry that is answered", "createDisputeInquiry", []string{"winning_evidence"}, "warning_closed 0.00", "0.00"},
		{"inquiry that is refunded", "createDisputeInquiry", []string{"refund "}, "warning_closed 0.00", "0.00"},
		{"inquiry that escalates, unanswered", "createDisputeInquiry", []string{"escalate_inquiry_evidence"}, "lost 15.00", "50.00"},
		{"inquiry that escalates, answered and lost", "createDisputeInquiry", []string{"escalate_inquiry_evidence", "losing_evidence"}, "lost 30.00", "50.00"},
		{"inquiry that escalates, answered and won", "createDisputeInquiry", []string{"escalate_inquiry_evidence", "winning_evidence"}, "won 15.00", "0.00"},
		{"inquiry over less when it escalates", "createDisputeInquiry", []string{"refund 20.00", "escalate_inquiry_evidence"}, "lost 15.00", "30.00"},
	}
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		payments := make([]string, len(ways))
		for i, w := range ways {
			payments[i] = pay(till, w.card, "50.00", "USD").ID()
		}
		rest(till, 5*time.Second)
		agrees(t, till, 10)
		for step := range 2 {
			for i, w := range ways {
				if step < len(w.steps) {
					d := disputes(till, payments[i])[0]
					switch what, amount, refund := strings.Cut(w.steps[step], " "); {
					case refund && amount == "":
						till.Post("/v1/refunds", body{"payment_id": payments[i]}).Want(201)
					case refund:
						till.Post("/v1/refunds", body{"payment_id": payments[i], "amount": amount}).Want(201)
					case what == "close":
						till.Stripe(till.Shop).Do("POST", "/v1/disputes/"+d.String("data", "provider_ref")+"/close", "").Want(200)
					default:
						evidence(till, d, what)
					}
				}
			}
			rest(till, 10*time.Second)
			agrees(t, till, 10)
		}
		for i, w := range ways {
			if w.name == "inquiry over less when it escalates" { // its second step was the escalation
				shows(t, disputes(till, payments[i])[0], "status", "needs_response", "amount", "30.00")
			}
		}
		for range 14 { // in steps that webhooks can follow
			rest(till, 10*day)
		}
		agrees(t, till, len(ways))
		for i, w := range ways {
			var ends []string
			for _, d := range disputes(till, payments[i]) {
				ends = append(ends, d.String("data", "status"), d.String("data", "fee"))
				shows(t, d, "discrepancy", "")
			}
			if got := strings.Join(ends, " "); got != w.ends {
				t.Errorf("%s ends as %s, want %s", w.name, got, w.ends)
			}
			shows(t, till.Get("/v1/payments/"+payments[i]).Want(200), "disputed", w.left)
		}
	})
}

// Stripe's prices, and what of them comes back, are those of the country that the account is in.
func TestDisputesByCountry(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		for _, c := range []struct{ country, amount, currency, won, lost string }{
			{"DE", "50.00", "EUR", "20.00", "40.00"}, {"GB", "50.00", "GBP", "20.00", "40.00"}, {"JP", "5000", "JPY", "1300", "1300"}, {"MX", "500.00", "MXN", "0.00", "300.00"},
		} {
			till.Shop = till.NewShop(nil)
			sandbox.Open(t, till.StripeURL, till.Shop.StripeKey).Control("POST", "/_sandbox/account", body{"country": c.country}, nil)
			till.As(till.Shop).Want(200, "PUT", "/v1/merchant/providers", body{"provider": "stripe", "register": true, "stripe": body{"secret_key": till.Shop.StripeKey}})
			won, lost := pay(till, "createDispute", c.amount, c.currency).ID(), pay(till, "createDispute", c.amount, c.currency).ID()
			rest(till, 5*time.Second)
			evidence(till, disputes(till, won)[0], "winning_evidence")
			evidence(till, disputes(till, lost)[0], "losing_evidence")
			rest(till, 5*time.Second)
			shows(t, disputes(till, won)[0], "status", "won", "fee", c.won, "reinstated", c.amount)
			shows(t, disputes(till, lost)[0], "status", "lost", "fee", c.lost, "withdrawn", c.amount)
			agrees(t, till, 3)
		}
	})
}

// What a network's programme prevents takes nothing of the balance but the refund, which is a refund as any other.
func TestPreventedDispute(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		sandbox.Open(t, till.StripeURL, till.Shop.StripeKey).Control("POST", "/_sandbox/account", body{"dispute_prevention": true}, nil)
		resolved, blocked := pay(till, "createRapidDisputeResolutionDispute", "50.00", "USD"), pay(till, "createCe3BlockDispute", "50.00", "USD")
		rest(till, 5*time.Second)
		for _, p := range []tilltest.Answer{resolved, blocked} {
			d := disputes(till, p.ID())[0]
			shows(t, d, "status", "prevented", "withdrawn", "0.00", "fee", "0.00")
			if got := story(till, d.ID()); got != "opened closed" {
				t.Errorf("told %s", got)
			}
		}
		shows(t, till.Get("/v1/payments/"+resolved.ID()).Want(200), "status", "refunded", "disputed", "0.00")
		shows(t, till.Get("/v1/payments/"+blocked.ID()).Want(200), "status", "completed", "disputed", "0.00")
		agrees(t, till, 0)
	})
}
