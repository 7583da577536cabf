package payout_test

import (
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/tilltest"
)

// Bank accounts of the sandbox, by their tokens.
const (
	bankClosed = "btok_us_verified_accountClosed"
	bankFine   = "btok_us_verified"
)

// bank makes an external account the default one of the shop's account at Stripe.
func bank(till *tilltest.Till, token string) {
	till.T.Helper()
	s := till.Stripe(till.Shop)
	account := s.Do("GET", "/v1/account", "").Want(200).String("id")
	s.Do("POST", "/v1/accounts/"+account+"/external_accounts", "external_account="+token+"&default_for_currency=true").Want(200)
}

// earn is a payment whose money is available at once.
func earn(till *tilltest.Till, amount string) {
	till.T.Helper()
	till.Post("/v1/payments", `{"amount":"`+amount+`","currency":"USD","provider":"stripe","payment_method":"pm_card_bypassPending"}`).Want(201)
	till.Clock.Advance(3 * time.Second) // Stripe books it in two
}

// schedule says when the account is paid out.
func schedule(till *tilltest.Till, interval string) {
	till.T.Helper()
	till.Stripe(till.Shop).Do("POST", "/v1/balance_settings", "payments[payouts][schedule][interval]="+interval).Want(200)
}

// days lets time pass until after the hour of automatic payouts, which is six in the morning, on so many days from now.
func days(till *tilltest.Till, n int) {
	till.T.Helper()
	now := till.Clock.Now()
	at := now.Truncate(24 * time.Hour).Add(time.Duration(n)*24*time.Hour + 6*time.Hour + 10*time.Minute)
	till.Clock.Advance(at.Sub(now))
}

func diagnosed(t *testing.T, till *tilltest.Till, verdict, cause string) tilltest.Answer {
	t.Helper()
	a := till.Get("/v1/payouts/diagnosis").Want(200)
	if a.String("data", "verdict") != verdict || a.String("data", "cause") != cause {
		t.Fatalf("%s, %s; want %s, %s: %s", a.String("data", "verdict"), a.String("data", "cause"), verdict, cause, a.Raw)
	}
	return a
}

// money is a figure of the only currency there is.
func money(a tilltest.Answer, where string) string { return a.String("data", "money", 0, where) }

// An account that sells, and whose bank account takes what it gets: nothing is wrong, before a payout, on its way and after it.
func TestNothingIsWrong(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		diagnosed(t, till, "none", "no_money")
		till.Post("/v1/payments", `{"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}`).Want(201)
		till.Clock.Advance(3 * time.Second)
		a := diagnosed(t, till, "none", "all_pending")
		if money(a, "pending") != "48.25" || a.String("data", "money", 0, "pending_by_day", 0, "amount") != "48.25" || a.String("data", "money", 0, "pending_by_day", 0, "day") != "2026-11-27" ||
			money(a, "pending_undated") != "0.00" || !strings.HasPrefix(a.String("data", "action", "expected_on"), "2026-11-27") { // Thursday is Thanksgiving
			t.Errorf("50.00 that is pending until Friday: %s", a.Raw)
		}
		schedule(till, "manual")
		till.Clock.Advance(72 * time.Hour)
		schedule(till, "daily")
		diagnosed(t, till, "none", "healthy")
		days(till, 3) // over the weekend
		a = diagnosed(t, till, "none", "no_money")
		if a.String("data", "attempts", 0, "status") != "paid" || a.String("data", "attempts", 0, "amount") != "48.25" || a.At("data", "attempts", 0, "automatic") != true {
			t.Errorf("the payout was not listed: %s", a.Raw)
		}
	})
}

// The bank has closed the account (X30): the payout fails, its money is available again, Stripe's schedule stops, and what was entered anew
// with the same number fails again. Another bank account ends it.
func TestTheBankRefuses(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		bank(till, bankClosed)
		earn(till, "100.00")
		days(till, 1)
		failed := diagnosed(t, till, "bank_side", "bank_refuses")
		days(till, 1)
		days(till, 1)
		s := till.Stripe(till.Shop)
		s.Do("POST", "/v1/payouts", "amount=1000&currency=usd").Want(400)
		bank(till, bankClosed)
		s.Do("POST", "/v1/payouts", "amount=1000&currency=usd").Want(200)
		till.Clock.Advance(3 * time.Minute)
		again := diagnosed(t, till, "bank_side", "bank_refuses")
		if money(failed, "available") != "96.80" || money(failed, "pending") != "0.00" || money(again, "available") != "96.80" {
			t.Errorf("the money is not available again: %s", again.Raw)
		}
		if again.At("data", "failing", "attempts") != 2.0 || again.String("data", "failing", "since") != "2026-11-25T06:02:00Z" || again.String("data", "failing", "codes", 0) != "account_closed" ||
			again.At("data", "failing", "codes", 1) != nil || again.At("data", "failing", "last_paid") != nil {
			t.Errorf("failing since the first: %s", again.Raw)
		}
		if first := again.String("data", "attempts", 1, "failure_text"); first != "The bank account has been closed." || again.String("data", "attempts", 1, "destination") != "STRIPE TEST BANK ···· 1113" {
			t.Errorf("the attempt in words: %s", again.Raw)
		}
		if again.String("data", "checks", 2, "result") != "problem" || again.String("data", "action", "who") != "merchant" || !strings.Contains(again.String("data", "action", "text"), "another bank account") {
			t.Errorf("what is to be done: %s", again.Raw)
		}
		bank(till, bankFine)
		repaired := diagnosed(t, till, "none", "repaired")
		due := repaired.String("data", "action", "expected_on")
		days(till, 3)
		paid := diagnosed(t, till, "none", "no_money")
		if made := paid.String("data", "attempts", 0, "created_at"); made[:10] != due[:10] || paid.At("data", "failing", "attempts") != 0.0 {
			t.Errorf("the payout was to be made on %s: %s", due, paid.Raw)
		}
	})
}

// Stripe has stopped the payouts of an account, for want of its website's address.
func TestStripeHasStoppedPayouts(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		platform := till.Stripe(till.Shop)
		account := platform.Do("POST", "/v1/accounts", "type=express&country=US&email=seller@example.com").Want(200).String("id")
		platform.Control("POST", "/_sandbox/connect", map[string]any{"account": account, "action": "complete"})
		till.Clock.Advance(10 * time.Second)
		key := till.Shop.StripeKey + "_" + account
		till.As(till.Shop).Want(200, "PUT", "/v1/merchant/providers", map[string]any{"provider": "stripe", "register": true, "stripe": map[string]string{"secret_key": key}})
		diagnosed(t, till, "none", "no_money")
		platform.Control("POST", "/_sandbox/connect", map[string]any{"account": account, "action": "restrict", "requirements": []string{"business_profile.url"}})
		till.Clock.Advance(10 * time.Second)
		a := diagnosed(t, till, "stripe_side", "payouts_disabled")
		if !strings.Contains(a.String("data", "action", "text"), "the address of the website (business_profile.url)") || a.String("data", "checks", 0, "result") != "problem" ||
			a.String("data", "checks", 1, "result") != "problem" {
			t.Errorf("what is to be given: %s", a.Raw)
		}
		platform.Control("POST", "/_sandbox/connect", map[string]any{"account": account, "action": "clear"})
		till.Clock.Advance(10 * time.Second)
		diagnosed(t, till, "none", "no_money")
	})
}

// Neither Stripe nor the bank refuses: payouts are set to manual, and nobody makes one.
func TestNobodyPaysOut(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		schedule(till, "manual")
		earn(till, "100.00")
		till.Clock.Advance(72 * time.Hour)
		diagnosed(t, till, "system_side", "schedule_manual")
		till.Stripe(till.Shop).Do("POST", "/v1/payouts", "amount=5000&currency=usd").Want(200)
		diagnosed(t, till, "none", "healthy")
	})
}

// What Stripe does not tell is unknown; where the verdict hangs on it, there is none, and the caller is told to ask again.
func TestStripeTellsOnlyPart(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	s := till.Stripe(till.Shop)
	s.Break("error_500", "GET", "/v1/balance")
	refused := till.Get("/v1/payouts/diagnosis")
	refused.Refused(503, "provider_unavailable", "")
	if !strings.Contains(refused.String("error", "message"), "its balance") {
		t.Errorf("it does not name what is missing: %s", refused.Raw)
	}
	diagnosed(t, till, "none", "no_money")
	bank(till, bankClosed)
	earn(till, "100.00")
	days(till, 1)
	s.Break("error_500", "GET", "/v1/balance")
	a := diagnosed(t, till, "bank_side", "bank_refuses")
	if a.String("data", "checks", 3, "name") != "balance" || a.String("data", "checks", 3, "result") != "unknown" {
		t.Errorf("the balance was not read: %s", a.Raw)
	}
}
