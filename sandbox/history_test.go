package sandbox_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/sandbox"
)

// TestBooks lives through a long random history, in which the books are held against each other after each request, and drawn up anew
// now and then. TILL_HISTORY sets how many steps it has, and TILL_SEED which history it is: one that failed says both.
func TestBooks(t *testing.T) {
	t.Parallel()
	steps, seed := setting("TILL_HISTORY", 3000), uint64(setting("TILL_SEED", 0))
	if seed == 0 {
		seed = rand.Uint64N(1_000_000) + 1
	}
	l := newLife(t, seed)
	for l.done = range steps {
		l.step()
		if l.done%5000 == 4999 {
			l.audit()
		}
	}
	l.audit()
	t.Logf("%d steps of seed %d: %v", steps, seed, l.counts)
	for _, kind := range []string{"charge", "debit", "refund", "payout", "topup", "dispute"} {
		if l.counts[kind] == 0 {
			t.Errorf("no %s in %d steps of seed %d", kind, steps, seed)
		}
	}
}

func setting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// life is a world that random things happen to.
type life struct {
	t      *testing.T
	server *sandbox.Server
	key    string
	random *rand.Rand
	seed   uint64
	done   int
	last   string // what was asked for last
	on     string // on whose behalf, where that is a connected account

	account                   string
	payments, payouts, topups []string
	refunds, accounts, debits []string
	counts                    map[string]int
}

func newLife(t *testing.T, seed uint64) *life {
	s := sandbox.NewServer(sandbox.WithClock(clock.NewFake(start)), sandbox.WithSeed(seed))
	t.Cleanup(s.Close)
	l := &life{t: t, server: s, key: "seed_" + strconv.FormatUint(seed, 10), random: rand.New(rand.NewPCG(seed, 1)), seed: seed, counts: map[string]int{}}
	l.account = text(l.ask("GET", "/v1/account", ""), "id")
	return l
}

// ask sends a request and gives the answer; nothing may fail within the sandbox.
func (l *life) ask(method, path, body string) map[string]any {
	l.last = l.on + " " + method + " " + path + " " + body
	target := path
	if method == http.MethodGet && body != "" {
		target += "?" + body
	}
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "127.0.0.1"
	r.Header.Set("Authorization", "Bearer sk_"+"test_"+l.key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if l.on != "" {
		r.Header.Set("Stripe-Account", l.on)
	}
	w := httptest.NewRecorder()
	l.server.ServeHTTP(w, r)
	if w.Code >= 500 {
		l.fail(w.Body.String())
	}
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		l.fail(err.Error())
	}
	return got
}

func (l *life) fail(wrong string) {
	l.t.Helper()
	l.t.Fatalf("TILL_SEED=%d TILL_HISTORY=%d fails at %s: %s", l.seed, l.done+1, l.last, wrong)
}

func (l *life) audit() {
	if wrong := sandbox.Audit(l.server, l.key); len(wrong) > 0 {
		l.fail(fmt.Sprintf("%d things are wrong: %s", len(wrong), wrong[0]))
	}
}

func text(of map[string]any, field string) string {
	s, _ := of[field].(string)
	return s
}

// one is any of the words.
func (l *life) one(of ...string) string { return of[l.random.IntN(len(of))] }

// any is any of the latest of a list, or an id that there is not.
func (l *life) any(of []string) string {
	if len(of) == 0 {
		return "none"
	}
	return of[len(of)-1-l.random.IntN(min(len(of), 200))]
}

// keep notes the id of what was made.
func (l *life) keep(list *[]string, made map[string]any) {
	if id := text(made, "id"); id != "" {
		*list = append(*list, id)
		l.counts[text(made, "object")]++
	}
}

func (l *life) step() {
	switch n := l.random.IntN(100); {
	case n < 29:
		l.pay()
	case n < 35:
		l.debit()
	case n < 41:
		l.ask("POST", "/v1/payment_intents/"+l.any(l.payments)+"/"+l.one("capture", "capture", "cancel"), l.one("", "", "", "amount_to_capture=600"))
	case n < 60:
		refund := "payment_intent=" + l.any(l.payments) + l.one("", "&amount=100", "&amount=390", "&amount=2050")
		l.keep(&l.refunds, l.ask("POST", "/v1/refunds", refund))
	case n < 61:
		l.ask("POST", "/_sandbox/refunds/cancel", `{"refund":"`+l.any(l.refunds)+`"}`)
	case n < 68:
		l.contest()
	case n < 76:
		l.payOut()
	case n < 79:
		l.keep(&l.topups, l.ask("POST", "/v1/topups", "currency=usd&amount="+l.amount()+l.one("", "&source=btok_us_verified", "&source=btok_us_verified_insufficientFunds")))
	case n < 80:
		l.ask("POST", "/v1/topups/"+l.any(l.topups)+"/cancel", "")
	case n < 84:
		l.settings()
	case n < 86:
		l.bank()
	case n < 87:
		l.screen()
	default:
		seconds := l.one("1", "1", "2", "15", "60", "90", "600", "7200", "43200", "86400", "200000")
		l.ask("POST", "/_sandbox/clock/advance", `{"seconds":`+seconds+`}`)
	}
}

func (l *life) amount() string { return strconv.Itoa(100 + 10*l.random.IntN(9000)) }

func (l *life) pay() {
	card := l.one("visa", "visa", "visa", "bypassPending", "bypassPending", "de", "jp", "createDispute", "createDispute", "createDisputeInquiry",
		"createMultipleDisputes", "refundFail", "refundFail", "pendingRefund", "chargeDeclined", "bypassPendingInternational", "riskLevelElevated")
	made := l.ask("POST", "/v1/payment_intents", "confirm=true&payment_method_types[]=card&payment_method=pm_card_"+card+"&amount="+l.amount()+
		"&currency="+l.one("usd", "usd", "usd", "eur", "gbp", "jpy", "kwd", "huf", "sek")+"&capture_method="+l.one("automatic", "automatic_async", "manual"))
	l.keep(&l.payments, made)
	if text(made, "status") == "succeeded" {
		l.counts["charge"]++
	}
}

// screen changes the rules of Radar.
func (l *life) screen() {
	switch l.random.IntN(4) {
	case 0:
		l.ask("DELETE", "/_sandbox/radar", "")
	case 1:
		l.ask("POST", "/_sandbox/radar", `{"id":"`+l.one("review_if_elevated_risk", "block_if_high_risk", "block_if_cvc_check_fails")+`","enabled":`+l.one("true", "false")+`}`)
	default:
		l.ask("POST", "/_sandbox/radar", `{"rule":"`+l.one("Block if :risk_score: > 50", "Review if :amount_in_usd: > 50", "Allow if :card_country: = 'DE'", "Block if :cvc_check: = 'pass' AND :risk_score: < 10",
			"Request 3D Secure if :card_country: = 'JP'", "Block if :total_charges_per_card_number_hourly: > 5")+`"}`)
	}
}

// debit pays from a bank account, has a bank return a debit, or changes how long banks take.
func (l *life) debit() {
	if l.random.IntN(8) == 0 {
		l.ask("POST", "/_sandbox/account", `{"bank_debits":"`+l.one("test", "real")+`"}`)
		return
	}
	if l.random.IntN(4) == 0 && len(l.debits) > 0 {
		charge := text(l.ask("GET", "/v1/payment_intents/"+l.any(l.debits), ""), "latest_charge")
		l.ask("POST", "/_sandbox/debits/return", `{"charge":"`+charge+`","reason":"`+l.one("insufficient_funds", "debit_not_authorized", "bank_cannot_process", "account_closed")+`"}`)
		return
	}
	kind, currency, method := "us_bank_account", "usd", "pm_usBankAccount_"+l.one("success", "success", "insufficientFunds", "accountClosed", "dispute", "processing", "weeklyLimitExceeded", "riskLevelHighest")
	switch l.random.IntN(4) {
	case 0:
		kind, currency, method = "sepa_debit", "eur", "pm_sepaDebit_"+l.one("success", "failed", "successDelayed", "failedDelayed", "disputed", "insufficientFunds")+l.one("_de", "_fr", "_at")
	case 1:
		kind, currency, method = "bacs_debit", "gbp", "pm_bacsDebit_"+l.one("success", "debitNotAuthorized", "insufficientFundsDelayed", "dispute", "mandateRefused")
	case 2:
		kind, currency, method = "au_becs_debit", "aud", "pm_auBecsDebit_"+l.one("success", "referToCustomer", "successDelayed", "dispute", "noAccount")
	}
	made := l.ask("POST", "/v1/payment_intents", "confirm=true&payment_method_types[]="+kind+"&payment_method="+method+"&amount="+l.amount()+"&currency="+currency+offline)
	l.keep(&l.payments, made)
	if text(made, "status") == "processing" {
		l.debits = append(l.debits, text(made, "id"))
		l.counts["debit"]++
	}
}

// contest answers a dispute.
func (l *life) contest() {
	all, _ := l.ask("GET", "/v1/disputes", "limit=5")["data"].([]any)
	if len(all) == 0 {
		return
	}
	l.counts["dispute"]++
	id := text(all[l.random.IntN(len(all))].(map[string]any), "id")
	if l.random.IntN(4) == 0 {
		l.ask("POST", "/v1/disputes/"+id+"/close", "")
		return
	}
	l.ask("POST", "/v1/disputes/"+id, "evidence[uncategorized_text]="+l.one("winning_evidence", "losing_evidence", "escalate_inquiry_evidence", "letter"))
}

func (l *life) payOut() {
	switch l.random.IntN(6) {
	case 0:
		l.ask("POST", "/v1/payouts/"+l.any(l.payouts)+"/cancel", "")
	case 2:
		l.ask("POST", "/_sandbox/payouts/return", `{"payout":"`+l.any(l.payouts)+`","failure_code":"`+l.one("no_account", "declined")+`"}`)
	case 1:
		l.keep(&l.payouts, l.ask("POST", "/v1/payouts/"+l.any(l.payouts)+"/reverse", ""))
	default:
		form := "currency=" + l.one("usd", "usd", "usd", "eur", "huf") + "&amount=" + l.amount() + l.one("", "", "&method=instant")
		if l.random.IntN(3) == 0 {
			form += "&destination=" + l.any(l.accounts)
		}
		l.keep(&l.payouts, l.ask("POST", "/v1/payouts", form))
	}
}

func (l *life) settings() {
	l.ask("POST", "/v1/balance_settings", l.one(
		"payments[payouts][schedule][interval]=daily", "payments[payouts][schedule][interval]=daily", "payments[payouts][schedule][interval]=manual",
		"payments[payouts][schedule][interval]=weekly&payments[payouts][schedule][weekly_payout_days][]=friday",
		"payments[payouts][schedule][interval]=monthly&payments[payouts][schedule][monthly_payout_days][]=31",
		"payments[debit_negative_balances]=false", "payments[debit_negative_balances]=false", "payments[debit_negative_balances]=true",
		"payments[payouts][minimum_balance_by_currency][usd]=5000", "payments[payouts][minimum_balance_by_currency]=",
		"payments[settlement_timing][delay_days_override]=9", "payments[settlement_timing][delay_days_override]="))
}

// bank adds an external account, makes one the default, or removes one.
func (l *life) bank() {
	path := "/v1/accounts/" + l.account + "/external_accounts"
	switch l.random.IntN(4) {
	case 0:
		if len(l.accounts) < 40 {
			l.keep(&l.accounts, l.ask("POST", path, "external_account="+l.one("btok_us_verified", "btok_us_verified_accountClosed", "tok_visa_debit_us_transferFail", "tok_visa_debit_us_transferSuccess")))
		}
	case 1:
		if len(l.accounts) < 40 {
			l.keep(&l.accounts, l.ask("POST", path, "external_account[object]=bank_account&external_account[country]=DE&external_account[account_number]=DE89370400440532013000&external_account[currency]="+l.one("eur", "huf")))
		}
	case 2:
		l.ask("POST", path+"/"+l.any(l.accounts), l.one("default_for_currency=true", "metadata[a]=b"))
	case 3:
		l.ask("DELETE", path+"/"+l.any(l.accounts), "")
	}
}
