package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/tilltest"
)

// TestEveryCent lives through a random history of money: payments of several currencies and cards, refunds by till and in the dashboard, some of
// which fail later, disputes won and lost, payouts of every sort, failing bank accounts, money that comes and goes by itself. After each step,
// once the events have been taken in, every line that Stripe has is matched or explained, and nothing is left in any currency.
//
// It takes TILL_HISTORY steps of the seed TILL_SEED: make cents STEPS=20000 SEED=7.
func TestEveryCent(t *testing.T) {
	t.Parallel()
	steps, seed := number("TILL_HISTORY", 120), uint64(number("TILL_SEED", int(time.Now().UnixNano()%1_000_000)))
	dbtest.EachURL(t, func(t *testing.T, url string) {
		till := tilltest.Open(t, url)
		h := &history{t: t, till: till, stripe: till.Stripe(till.Shop), random: rand.New(rand.NewPCG(seed, 1)), counts: map[string]int{}}
		began := time.Now()
		for n := 1; n <= steps && !t.Failed(); n++ {
			h.step()
			if n <= 500 || n%100 == 0 || n == steps { // all of a long history at each of its steps would take days
				balanced(t, till)
			}
			if n%1000 == 0 {
				t.Logf("%d steps in %s", n, time.Since(began).Round(time.Second))
			}
		}
		t.Logf("seed %d: %v", seed, h.counts)
	})
}

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// history is a random one.
type history struct {
	t        *testing.T
	till     *tilltest.Till
	stripe   *tilltest.Stripe
	random   *rand.Rand
	payments []paid
	counts   map[string]int
	last     string
	bankID   string // where money is paid out to, once it was changed
}

// paid is a payment of the history.
type paid struct {
	id, intent string
	left       int64 // that was not refunded, in minor units, as far as the history knows
	scale      int64 // minor units of a unit
}

func (h *history) step() {
	h.t.Helper()
	do := []struct {
		name   string
		weight int
		do     func()
	}{
		{"payment", 40, h.pay}, {"capture", 6, h.capture}, {"refund", 14, h.refund}, {"dashboard charge", 3, h.dashboardCharge}, {"dashboard refund", 6, h.dashboardRefund},
		{"topup", 2, h.topup}, {"payout", 4, h.payout}, {"dispute", 6, h.dispute}, {"evidence", 4, h.evidence}, {"bank", 3, h.bank}, {"day", 10, h.day},
	}
	all := 0
	for _, one := range do {
		all += one.weight
	}
	n := h.random.IntN(all)
	for _, one := range do {
		if n -= one.weight; n < 0 {
			h.last = one.name
			h.counts[one.name]++
			one.do()
			break
		}
	}
	settle(h.till)
	found := reconciled(h.t, h.till, false)
	nothingLeft(h.t, found)
	if h.t.Failed() {
		h.t.Logf("after %q, step %v", h.last, h.counts)
	}
}

func (h *history) pick(all ...string) string { return all[h.random.IntN(len(all))] }

func (h *history) pay() {
	h.charge(h.pick("pm_card_visa", "pm_card_visa", "pm_card_gb", "pm_card_de", "pm_card_refundFail", "pm_card_pendingRefund", "pm_card_chargeDeclined", "pm_card_bypassPending"), "automatic")
}

// charge pays, and says which payment was made; the zero value is one that was declined.
func (h *history) charge(card, capture string) (p paid) {
	currency, scale, digits := "USD", int64(100), 2
	switch h.random.IntN(8) {
	case 0, 1:
		currency = "EUR"
	case 2:
		currency, scale, digits = "JPY", 1, 0
	case 3:
		currency, scale, digits = "KWD", 1000, 3
	}
	minor := 500*scale/100 + h.random.Int64N(20_000)*scale/100
	if currency == "JPY" {
		minor = 500 + h.random.Int64N(20_000)
	}
	if currency == "KWD" {
		minor = minor / 10 * 10
	}
	amount := fmt.Sprintf("%d.%0*d", minor/scale, digits, minor%scale)
	if digits == 0 {
		amount = strconv.FormatInt(minor, 10)
	}
	a := h.till.Post("/v1/payments", map[string]any{"amount": amount, "currency": currency, "provider": "stripe", "payment_method": card, "capture_method": capture}).Want(201)
	p = paid{a.ID(), a.String("data", "provider_ref"), minor, scale}
	if status := a.String("data", "status"); status == "completed" {
		h.payments = append(h.payments, p)
	}
	return p
}

func (h *history) capture() {
	p := h.charge("pm_card_visa", "manual")
	body := map[string]any{}
	if h.random.IntN(2) == 0 {
		a := h.till.Post("/v1/payments/"+p.id+"/capture", body).Want(200)
		if a.String("data", "status") == "completed" {
			h.payments = append(h.payments, p)
		}
		return
	}
	h.till.Post("/v1/payments/"+p.id+"/cancel", body).Want(200)
}

// some is a payment of which something is left, and a part of that; nil where there is none.
func (h *history) some() (*paid, int64) {
	if len(h.payments) == 0 {
		return nil, 0
	}
	p := &h.payments[h.random.IntN(len(h.payments))]
	if p.left <= 0 {
		return nil, 0
	}
	part := 1 + h.random.Int64N(p.left)
	if p.scale == 1000 {
		if part = part / 10 * 10; part == 0 {
			return nil, 0
		}
	}
	return p, part
}

func (h *history) refund() {
	p, part := h.some()
	if p == nil {
		return
	}
	amount := fmt.Sprintf("%d", part)
	if p.scale > 1 {
		amount = fmt.Sprintf("%d.%0*d", part/p.scale, len(strconv.FormatInt(p.scale, 10))-1, part%p.scale)
	}
	a := h.till.Post("/v1/refunds", map[string]any{"payment_id": p.id, "amount": amount})
	if a.Status == 201 {
		p.left -= part
	}
}

func (h *history) dashboardRefund() {
	p, part := h.some()
	if p == nil {
		return
	}
	if a := h.stripe.Do("POST", "/v1/refunds", fmt.Sprintf("payment_intent=%s&amount=%d", p.intent, part)); a.Status == 200 {
		p.left -= part
	}
}

// dashboardCharge is one that till has no part in.
func (h *history) dashboardCharge() {
	h.stripe.Do("POST", "/v1/payment_intents", "amount="+strconv.Itoa(500+h.random.IntN(5000))+"&currency=usd&confirm=true&payment_method=pm_card_visa&payment_method_types[]=card").Want(200)
	h.till.Clock.Advance(2 * time.Minute)
	reconciled(h.t, h.till, true) // Stripe says that it is none of till's
}

func (h *history) topup() {
	h.stripe.Do("POST", "/v1/topups", "amount=10000&currency=usd&description=cash").Want(200)
}

// payout is one by hand.
func (h *history) payout() {
	method := h.pick("standard", "standard", "instant")
	if h.random.IntN(2) == 0 { // in the dashboard
		h.stripe.Do("POST", "/v1/payouts", "amount="+strconv.Itoa(1000+h.random.IntN(3000))+"&currency=usd&method="+method)
		return
	}
	h.till.Post("/v1/payouts", map[string]any{"amount": strconv.Itoa(10+h.random.IntN(30)) + ".00", "currency": "USD", "method": method})
}

// bank changes the account that money is paid out to, for one that sends payouts back or for a good one.
func (h *history) bank() {
	account := h.stripe.Do("GET", "/v1/account", "").Want(200).String("id")
	at := "/v1/accounts/" + account + "/external_accounts"
	next := h.stripe.Do("POST", at, "default_for_currency=true&external_account="+h.pick("btok_us_verified", "btok_us_verified_accountClosed", "btok_us_verified_noAccount")).Want(200).String("id")
	if h.bankID != "" { // an account has 200 of them at the most
		h.stripe.Do("DELETE", at+"/"+h.bankID, "").Want(200)
	}
	h.bankID = next
}

func (h *history) dispute() {
	h.charge(h.pick("pm_card_createDispute", "pm_card_createDisputeProductNotReceived", "pm_card_createDisputeInquiry"), "automatic")
}

// evidence answers a dispute, or gives it up; one that is past its due date takes none.
func (h *history) evidence() {
	open := h.stripe.Do("GET", "/v1/disputes?limit=100", "").Want(200)
	for i := range open.Len() {
		status := open.String("data", i, "status")
		if status != "needs_response" && status != "warning_needs_response" {
			continue
		}
		id := open.String("data", i, "id")
		switch h.random.IntN(3) {
		case 0:
			h.stripe.Do("POST", "/v1/disputes/"+id, "evidence[uncategorized_text]=winning_evidence")
		case 1:
			h.stripe.Do("POST", "/v1/disputes/"+id, "evidence[uncategorized_text]=losing_evidence")
		default:
			h.stripe.Do("POST", "/v1/disputes/"+id+"/close", "")
		}
		return
	}
}

func (h *history) day() { h.till.Clock.Advance(time.Duration(12+h.random.IntN(60)) * time.Hour) }
