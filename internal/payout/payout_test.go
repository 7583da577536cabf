package payout_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/tilltest"
)

type body map[string]any

// shows checks strings of data, given in pairs of name and value.
func shows(t *testing.T, a tilltest.Answer, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := fmt.Sprint(a.At("data", pairs[i])); got != pairs[i+1] {
			t.Errorf("%s is %s, want %s: %s", pairs[i], got, pairs[i+1], a.Raw)
		}
	}
}

// ask asks for a payout in US dollars.
func ask(till *tilltest.Till, amount string, more ...string) tilltest.Answer {
	till.T.Helper()
	b := body{"amount": amount, "currency": "USD"}
	for i := 0; i < len(more); i += 2 {
		b[more[i]] = more[i+1]
	}
	return till.Post("/v1/payouts", b)
}

// at waits until till shows a payout with a status; the clock goes on, by seconds, for the webhooks that Stripe still has to send.
func at(t *testing.T, till *tilltest.Till, payout, status string) tilltest.Answer {
	t.Helper()
	var now tilltest.Answer
	tilltest.Until(t, payout+" to be "+status, func() bool {
		now = till.Get("/v1/payouts/" + payout).Want(200)
		if now.String("data", "status") == status {
			return true
		}
		till.Clock.Advance(time.Second)
		return false
	})
	return now
}

// automatic waits for a payout that till knows of by Stripe's word alone, the newest.
func automatic(t *testing.T, till *tilltest.Till, status string) tilltest.Answer {
	t.Helper()
	var found string
	tilltest.Until(t, "a payout to be known that is "+status, func() bool {
		found = till.Get("/v1/payouts?limit=1&automatic=true&status="+status).Want(200).String("data", 0, "id")
		return found != ""
	})
	return till.Get("/v1/payouts/" + found).Want(200)
}

// foretold are the movements of payouts in till's expected book, as lines of kind, source, amount and fee; the sums of each.
func foretold(t *testing.T, till *tilltest.Till) []string {
	t.Helper()
	if err := ledger.Check(t.Context(), till.DB, till.Shop.Scope); err != nil {
		t.Error(err)
	}
	all, err := db.All(t.Context(), till.DB, func(r db.Row) (string, error) {
		var kind, source, currency string
		var amount, fee int64
		err := r.Scan(&kind, &source, &currency, &amount, &fee)
		return fmt.Sprint(kind, " ", source, " ", currency, " ", amount, " ", fee), err
	}, `select kind, source, currency, cast(sum(amount) as bigint), cast(sum(fee) as bigint) from movements where merchant = $1 and mode = $2 and kind in ('payout', 'payout_reversal')
		group by kind, source, currency`, till.Shop.Merchant, till.Shop.Mode)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// told are the same of Stripe's balance transactions.
func told(t *testing.T, till *tilltest.Till) (all []string) {
	t.Helper()
	page := till.Stripe(till.Shop).Do("GET", "/v1/balance_transactions", "limit=100").Want(200)
	for i := range page.Len() {
		kind := page.String("data", i, "reporting_category")
		if kind != "payout" && kind != "payout_reversal" {
			continue
		}
		all = append(all, fmt.Sprintf("%s %s %s %.0f %.0f", kind, page.String("data", i, "source"), strings.ToUpper(page.String("data", i, "currency")), page.At("data", i, "amount"), page.At("data", i, "fee")))
	}
	slices.Sort(all)
	return all
}

// balanced ends where what till foretells of payouts is what Stripe's balance did, to the cent, of so many sums.
func balanced(t *testing.T, till *tilltest.Till, n int) {
	t.Helper()
	polls := 0
	tilltest.Until(t, "Stripe's webhooks", func() bool {
		if polls++; polls%100 == 0 { // one that came too late for its signature, when a day was leapt over, is sent again as time goes on
			till.Clock.Advance(10 * time.Minute)
		}
		return till.Stripe(till.Shop).Outstanding() == 0
	})
	f, s := foretold(t, till), told(t, till)
	if !slices.Equal(f, s) || len(f) != n {
		t.Errorf("till foretells\n%s\nand Stripe's balance did\n%s", strings.Join(f, "\n"), strings.Join(s, "\n"))
	}
}

// A payout by hand goes out once, however often it is asked for, and the merchant is told of each step.
func TestByHand(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		schedule(till, "manual")
		earn(till, "100.00")
		key, b := id.New(), body{"amount": "60.00", "currency": "usd", "statement_descriptor": "SHOP", "description": "Friday"}
		first := till.As(till.Shop).With("Idempotency-Key", key).Do("POST", "/v1/payouts", b).Want(201)
		shows(t, first, "status", "pending", "amount", "60.00", "currency", "USD", "fee", "0.00", "method", "standard", "automatic", "false", "origin", "till", "statement_descriptor", "SHOP",
			"description", "Friday", "idempotency_key", key, "arrival_date", "2026-11-25T00:00:00Z", "attempts", "1", "failure", "<nil>")
		again := till.As(till.Shop).With("Idempotency-Key", key).Do("POST", "/v1/payouts", b).Want(201)
		if again.ID() != first.ID() || again.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("the same key again: %s", again.Raw)
		}
		b["amount"] = "61.00"
		till.As(till.Shop).With("Idempotency-Key", key).Do("POST", "/v1/payouts", b).Refused(422, "idempotency_key_reused", "Idempotency-Key")
		at(t, till, first.ID(), "in_transit")
		paid := at(t, till, first.ID(), "paid")
		if paid.String("data", "paid_at") == "" || paid.At("data", "returned_at") != nil {
			t.Errorf("when it was paid: %s", paid.Raw)
		}
		till.Shop.Hears.Await("payout.created", first.ID())
		till.Shop.Hears.Await("payout.paid", first.ID())
		if n := till.Stripe(till.Shop).Do("GET", "/v1/payouts", "").Want(200).Len(); n != 1 {
			t.Errorf("Stripe made %d payouts", n)
		}
		balanced(t, till, 1)
	})
}

// An instant payout costs a fee, which comes back where the payout does.
func TestInstant(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		schedule(till, "manual")
		earn(till, "500.00")
		p := ask(till, "100.00", "method", "instant").Want(201)
		shows(t, p, "method", "instant", "fee", "1.50", "status", "pending")
		at(t, till, p.ID(), "paid")
		shows(t, ask(till, "1.00", "method", "instant").Want(201), "fee", "0.50")
		bank(till, "tok_visa_debit_us_transferFail")
		failed := at(t, till, ask(till, "200.00", "method", "instant").Want(201).ID(), "failed")
		shows(t, failed, "fee", "3.00")
		if failed.String("data", "failure", "code") != "could_not_process" {
			t.Errorf("%s", failed.Raw)
		}
		till.Clock.Advance(3 * time.Minute)
		balanced(t, till, 4)
	})
}

// What Stripe refuses to pay out has Stripe's words and what to do, and nothing is booked.
func TestRefusedByStripe(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		schedule(till, "manual")
		earn(till, "100.00")
		refused := func(code, words string, a tilltest.Answer) {
			t.Helper()
			shows(t, a.Want(201), "status", "failed", "provider_ref", "")
			if a.String("data", "failure", "code") != code || !strings.Contains(a.String("data", "failure", "message"), words) || a.String("data", "failure", "action") == "" ||
				strings.Contains(a.String("data", "failure", "action"), "Do as Stripe's message says") {
				t.Errorf("want %s: %s", code, a.Raw)
			}
			till.Shop.Hears.Await("payout.failed", a.ID())
		}
		refused("balance_insufficient", "insufficient funds", ask(till, "96.81"))
		refused("balance_insufficient", "insufficient funds", ask(till, "96.00", "method", "instant")) // its fee is on top
		refused("resource_missing", "No such external account", ask(till, "1.00", "destination", "ba_nowhere"))
		bank(till, "tok_visa_debit_us_instantPayoutUnsupported")
		refused("instant_payouts_unsupported", "not eligible", ask(till, "10.00", "method", "instant"))
		bank(till, bankClosed)
		at(t, till, ask(till, "10.00").Want(201).ID(), "failed")
		refused("bank_account_unusable", "different bank account", ask(till, "10.00"))
		till.Stripe(till.Shop).Control("POST", "/_sandbox/account", body{"payouts": "under_review"})
		refused("payouts_not_allowed", "disabled", ask(till, "10.00"))
		balanced(t, till, 2)
		ask(till, "-1.00").Refused(400, "amount_invalid", "amount")
		ask(till, "0").Refused(400, "amount_invalid", "amount")
		ask(till, "1.001").Refused(400, "amount_too_precise", "amount")
		till.Post("/v1/payouts", body{"amount": "1.00", "currency": "QQQ"}).Refused(400, "currency_unknown", "currency")
		ask(till, "1.00", "method", "fast").Refused(400, "parameter_invalid", "method")
		ask(till, "1.00", "destination", "elsewhere").Refused(400, "parameter_invalid", "destination")
		ask(till, "1.00", "statement_descriptor", strings.Repeat("x", 23)).Refused(400, "parameter_invalid", "statement_descriptor")
		till.As(till.Shop).Do("POST", "/v1/payouts", body{"amount": "1.00", "currency": "USD"}).Refused(400, "idempotency_key_required", "Idempotency-Key")
	})
}

// Payouts of Stripe's schedule are known by Stripe's word alone: that they were made, paid, and that what they paid out is listed.
func TestAutomatic(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		earn(till, "100.00")
		days(till, 1)
		p := automatic(t, till, "paid")
		shows(t, p, "amount", "96.80", "origin", "outside", "automatic", "true", "idempotency_key", "", "created_at", "2026-11-25T06:00:00Z", "attempts", "0", "method", "standard")
		till.Shop.Hears.Await("payout.created", p.ID())
		till.Shop.Hears.Await("payout.paid", p.ID())
		tilltest.Until(t, "the payout to be reconciled", func() bool { return till.Get("/v1/payouts/"+p.ID()).Want(200).At("data", "reconciled") == true })
		till.Post("/v1/payouts/"+p.ID()+"/cancel", nil).Refused(422, "payout_status", "")
		balanced(t, till, 1)
		for query, n := range map[string]int{"": 1, "automatic=false": 0, "currency=usd": 1, "currency=EUR": 0, "status=paid": 1, "status=failed": 0, "method=instant": 0, "since=2026-11-25T06:00:00Z": 1,
			"until=2026-11-25T06:00:00Z": 0, "provider_ref=" + p.String("data", "provider_ref"): 1, "destination=" + p.String("data", "destination"): 1, "destination=ba_x": 0} {
			if got := till.Get("/v1/payouts?" + query).Want(200).Len(); got != n {
				t.Errorf("%s finds %d", query, got)
			}
		}
		till.Get("/v1/payouts?status=sent").Refused(400, "parameter_invalid", "status")
		till.Get("/v1/payouts?currency=QQQ").Refused(400, "currency_unknown", "currency")
		till.Get("/v1/payouts/"+id.New()).Refused(404, "resource_missing", "id")
	})
}

// A balance below nothing is taken from the bank account: a payout of a negative amount.
func TestTheBankAccountIsDebited(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		earn(till, "100.00")
		paid := till.Get("/v1/payments?limit=1").Want(200).String("data", 0, "id")
		days(till, 1)
		automatic(t, till, "paid")
		till.Post("/v1/refunds", body{"payment_id": paid}).Want(201)
		days(till, 2)
		tilltest.Until(t, "two payouts to be paid", func() bool { return till.Get("/v1/payouts?status=paid").Want(200).Len() == 2 })
		shows(t, automatic(t, till, "paid"), "amount", "-100.00", "status", "paid")
		balanced(t, till, 2)
	})
}

// The bank sends payouts back, for each of its reasons: they have its code in words, and their money is in the balance again.
func TestTheBankSendsThemBack(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		schedule(till, "manual")
		earn(till, "100.00")
		n := 0
		for code, token := range map[string]string{"no_account": "btok_us_verified_noAccount", "account_closed": bankClosed, "insufficient_funds": "btok_us_verified_insufficientFunds",
			"debit_not_authorized": "btok_us_verified_debitNotAuthorized", "invalid_currency": "btok_us_verified_invalidCurrency", "could_not_process": "tok_visa_debit_us_transferFail"} {
			bank(till, token)
			n++
			p := ask(till, "90.00").Want(201)
			failed := at(t, till, p.ID(), "failed")
			if failed.String("data", "failure", "code") != code || failed.String("data", "failure", "message") == "" || failed.String("data", "failure", "meaning") == "" ||
				failed.String("data", "failure", "action") == "" || failed.String("data", "returned_at") == "" {
				t.Errorf("%s: %s", code, failed.Raw)
			}
			heard := till.Shop.Hears.Await("payout.failed", p.ID())
			if why, _ := heard.Data["failure"].(map[string]any); why["code"] != code {
				t.Errorf("the merchant heard %v", heard)
			}
		}
		balanced(t, till, 2*n)
	})
}

// A bank sends back what was paid, days later: the payout failed after all, and its money is in the balance again. Old news of before
// undoes nothing.
func TestPaidAndThenSentBack(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		earn(till, "100.00")
		days(till, 1)
		p := automatic(t, till, "paid")
		balanced(t, till, 1)
		till.Clock.Advance(36 * time.Hour)
		s, ref := till.Stripe(till.Shop), p.String("data", "provider_ref")
		old := s.Do("GET", "/v1/payouts/"+ref, "").Want(200).JSON
		s.Control("POST", "/_sandbox/payouts/return", body{"payout": ref, "failure_code": "account_closed"})
		failed := at(t, till, p.ID(), "failed")
		if failed.String("data", "paid_at") == "" || failed.String("data", "returned_at") == "" || failed.String("data", "failure", "code") != "account_closed" {
			t.Errorf("%s", failed.Raw)
		}
		till.Shop.Hears.Await("payout.failed", p.ID())
		s.Tell(tilltest.Event("payout.paid", old.(map[string]any))).Want(200)
		balanced(t, till, 2)
		shows(t, till.Get("/v1/payouts/"+p.ID()).Want(200), "status", "failed")
		diagnosed(t, till, "bank_side", "bank_refuses")
		bank(till, bankFine)
		days(till, 1)
		tilltest.Until(t, "the payout to go out again", func() bool { return till.Get("/v1/payouts?status=paid").Want(200).Len() == 1 })
		balanced(t, till, 3)
	})
}

// What Stripe tells without what a payout must have is not taken in, and is named; nothing of it is booked.
func TestHalfAPayout(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		s := till.Stripe(till.Shop)
		for _, lacks := range []string{"currency", "created", "status"} {
			object := body{"id": "po_" + lacks, "object": "payout", "amount": 100, "currency": "usd", "created": tilltest.Start.Unix(), "status": "pending"}
			delete(object, lacks)
			s.Tell(tilltest.Event("payout.created", object)).Want(200)
		}
		tilltest.Until(t, "the three events to be looked at", func() bool {
			return strings.Count(till.Log.String(), "without its currency, its time or a status") >= 3
		})
		if f := foretold(t, till); len(f) != 0 || till.Get("/v1/payouts").Want(200).Len() != 0 {
			t.Errorf("booked: %v", f)
		}
	})
}

// What has not left yet can be cancelled, once; what has left cannot.
func TestCancel(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		schedule(till, "manual")
		earn(till, "100.00")
		p := ask(till, "90.00", "method", "instant").Want(201).ID()
		cancelled := till.Post("/v1/payouts/"+p+"/cancel", nil).Want(200)
		shows(t, cancelled, "status", "cancelled", "failure", "<nil>")
		again := till.Post("/v1/payouts/"+p+"/cancel", nil).Want(200)
		if again.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("cancelled anew: %s", again.Raw)
		}
		till.Shop.Hears.Await("payout.cancelled", p)
		balanced(t, till, 2)
		gone := ask(till, "90.00").Want(201).ID()
		at(t, till, gone, "in_transit")
		till.Post("/v1/payouts/"+gone+"/cancel", nil).Refused(422, "payout_status", "")
		at(t, till, gone, "paid")
		balanced(t, till, 3)
	})
}

// A payout that has left, which till has not heard of: Stripe refuses to cancel it, and till learns where it is.
func TestCancelTooLate(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		schedule(till, "manual")
		earn(till, "100.00")
		till.Stripe(till.Shop).BreakWebhook("lost", "payout.updated", 0)
		p := ask(till, "90.00").Want(201).ID()
		till.Clock.Advance(61 * time.Second)
		shows(t, till.Get("/v1/payouts/"+p).Want(200), "status", "pending")
		till.Post("/v1/payouts/"+p+"/cancel", nil).Refused(422, "provider_refused", "")
		shows(t, till.Get("/v1/payouts/"+p).Want(200), "status", "in_transit")
	})
}

// The webhooks are lost: the sweep asks Stripe.
func TestTheSweepLearnsOfIt(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		schedule(till, "manual")
		earn(till, "100.00")
		s := till.Stripe(till.Shop)
		s.BreakWebhook("lost", "payout.updated", 0)
		s.BreakWebhook("lost", "payout.paid", 0)
		p := ask(till, "90.00").Want(201).ID()
		till.Clock.Advance(11 * time.Minute)
		at(t, till, p, "paid")
		balanced(t, till, 1)
	})
}

// Whatever becomes of the request, the money goes out once or not at all.
func TestOneFault(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		till.Line(time.Second)
		schedule(till, "manual")
		earn(till, "1000.00")
		s := till.Stripe(till.Shop)
		made := 0
		for kind, end := range map[string]string{"timeout_before_effect": "paid", "timeout_after_effect": "paid", "cut": "paid", "truncated": "paid", "error_429": "paid", "error_500": "failed"} {
			s.Break(kind, "POST", "/v1/payouts")
			step := func() { till.Clock.Advance(300 * time.Millisecond) }
			p := tilltest.During(t, till.As(till.Shop).With("Idempotency-Key", id.New()), "POST", "/v1/payouts", body{"amount": "10.00", "currency": "USD"}, step).Want(201)
			at(t, till, p.ID(), end)
			if end == "paid" {
				made++
			}
			if n := s.Do("GET", "/v1/payouts", "limit=100").Want(200).Len(); n != made {
				t.Errorf("after %s Stripe has %d payouts, want %d", kind, n, made)
			}
		}
		balanced(t, till, made)
	})
}
