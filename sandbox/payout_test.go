package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/sandbox"
)

// atOnce is a payment whose money is available at once.
const atOnce = "amount=10000&currency=usd&confirm=true&payment_method_types[]=card&capture_method=automatic&payment_method=pm_card_bypassPending"

func (a *api) advance(to string) {
	a.t.Helper()
	if got := a.control(http.MethodPost, "/_sandbox/clock/advance", `{"to":"`+to+`"}`); got.status != http.StatusOK {
		a.t.Fatal(got.body)
	}
}

// TestSchedules: when automatic payouts are made, from a Monday in January 2026.
func TestSchedules(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		name, schedule, from, want string
	}{
		{"daily, before the hour", `"daily"`, "2026-01-06T05:59:58Z", "2026-01-06"},
		{"daily, after it", `"daily"`, "2026-01-05T12:00:00Z", "2026-01-06"},
		{"daily, before a weekend", `"daily"`, "2026-01-09T12:00:00Z", "2026-01-12"},
		{"daily, before Martin Luther King Day", `"daily"`, "2026-01-16T12:00:00Z", "2026-01-20"},
		{"weekly", `"weekly","weekly_payout_days":["tuesday","friday"]`, "2026-01-06T12:00:00Z", "2026-01-09"},
		{"weekly, on a holiday", `"weekly","weekly_payout_days":["monday"]`, "2026-01-16T12:00:00Z", "2026-01-20"},
		{"monthly", `"monthly","monthly_payout_days":[15]`, "2026-01-05T12:00:00Z", "2026-01-15"},
		{"monthly, on a day that the month lacks", `"monthly","monthly_payout_days":[31]`, "2026-02-05T12:00:00Z", "2026-03-02"}, // the 28th is a Saturday
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			a.advance(one.from)
			if got := a.control(http.MethodPost, "/_sandbox/account", `{"payout_interval":`+one.schedule+`}`); got.status != http.StatusOK {
				t.Fatal(got.body)
			}
			a.must("/v1/payment_intents", atOnce)
			day, err := time.Parse(time.DateOnly, one.want)
			if err != nil {
				t.Fatal(err)
			}
			due := day.Add(6 * time.Hour)
			a.advance(due.Add(-time.Second).Format(time.RFC3339))
			if early := a.get("/v1/payouts", "").list("data"); len(early) != 0 {
				t.Fatalf("paid out before %s: %v", due, early)
			}
			a.advance(due.Format(time.RFC3339))
			a.get("/v1/payouts", "").wants(t, http.StatusOK, map[string]any{"data.0.automatic": true, "data.0.amount": "9680", "data.0.status": "pending", "data.0.reconciliation_status": "in_progress"})
		})
	}
}

// TestManualScheduleLeavesTheBalance: nothing is paid out by itself.
func TestManualScheduleLeavesTheBalance(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.must("/v1/balance_settings", "payments[payouts][schedule][interval]=manual")
	a.must("/v1/payment_intents", atOnce)
	a.advance("2026-02-05T12:00:00Z")
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "9680", "instant_available.0.amount": "9680"})
}

// TestFailedPayoutStopsTheNext: a bank account to which a payout has failed gets no more until it is updated.
func TestFailedPayoutStopsTheNext(t *testing.T) {
	t.Parallel()
	a := bare(t)
	own := a.get("/v1/account", "").text("id")
	bad := a.must("/v1/accounts/"+own+"/external_accounts", "external_account=btok_us_verified_accountClosed&default_for_currency=true").text("id")
	a.must("/v1/payment_intents", atOnce)
	a.advance("2026-01-06T07:00:00Z")
	payout := a.get("/v1/payouts", "expand[]=data.failure_balance_transaction")
	payout.wants(t, http.StatusOK, map[string]any{"data.0.status": "failed", "data.0.failure_code": "account_closed", "data.0.failure_message": "The bank account has been closed.",
		"data.0.failure_balance_transaction.type": "payout_failure", "data.0.failure_balance_transaction.net": "9680", "data.0.failure_balance_transaction.reporting_category": "payout_reversal"})
	a.get("/v1/accounts/"+own+"/external_accounts/"+bad, "").wants(t, http.StatusOK, map[string]any{"status": "errored"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "9680"})
	a.advance("2026-01-09T12:00:00Z")
	if all := a.get("/v1/payouts", "").list("data"); len(all) != 1 {
		t.Errorf("%d payouts, although the bank account does not take any", len(all))
	}
	types := a.types()
	for _, want := range []string{"payout.failed", "account.external_account.updated", "payout.reconciliation_completed"} {
		if !slices.Contains(types, want) {
			t.Errorf("no %s among %v", want, types)
		}
	}
	a.must("/v1/accounts/"+own+"/external_accounts/"+bad, "metadata[checked]=true").wants(t, http.StatusOK, map[string]any{"status": "new"})
	a.advance("2026-01-12T06:00:00Z")
	a.get("/v1/payouts", "").wants(t, http.StatusOK, map[string]any{"data.0.status": "pending", "data.0.amount": "9680"})
}

// TestNegativeBalanceIsDebited: what a refund has taken too much comes from the bank account.
func TestNegativeBalanceIsDebited(t *testing.T) {
	t.Parallel()
	a := bare(t)
	paid := a.must("/v1/payment_intents", atOnce).text("id")
	a.advance("2026-01-06T12:00:00Z")
	a.must("/v1/refunds", "payment_intent="+paid).wants(t, http.StatusOK, map[string]any{"status": "succeeded"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "-10000", "instant_available.0.amount": "0"})
	a.advance("2026-01-07T06:00:00Z")
	a.get("/v1/payouts", "").wants(t, http.StatusOK, map[string]any{"data.0.automatic": true, "data.0.amount": "-10000"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "0"})
}

// TestRefundWaitsForFunds: an account that must not be debited refunds when it has the money.
func TestRefundWaitsForFunds(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.must("/v1/balance_settings", "payments[debit_negative_balances]=false")
	paid := a.must("/v1/payment_intents", atOnce).text("id")
	a.advance("2026-01-06T12:00:00Z")
	first := a.must("/v1/refunds", "amount=6000&payment_intent="+paid)
	first.wants(t, http.StatusOK, map[string]any{"status": "pending", "pending_reason": "insufficient_funds", "balance_transaction": nil})
	second := a.must("/v1/refunds", "amount=100&payment_intent="+paid)
	second.wants(t, http.StatusOK, map[string]any{"status": "pending", "pending_reason": "insufficient_funds"})
	a.get("/v1/charges", "payment_intent="+paid).wants(t, http.StatusOK, map[string]any{"data.0.amount_refunded": "6100"})
	a.must("/v1/topups", "amount=5999&currency=usd")
	a.advance("2026-01-06T12:02:00Z")
	a.get("/v1/refunds/"+first.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "pending"})
	a.must("/v1/topups", "amount=50&currency=usd")
	a.advance("2026-01-06T12:04:00Z")
	a.get("/v1/refunds/"+first.text("id"), "expand[]=balance_transaction").wants(t, http.StatusOK, map[string]any{"status": "succeeded", "balance_transaction.net": "-6000", "pending_reason": nil})
	a.get("/v1/refunds/"+second.text("id"), "").wants(t, http.StatusOK, map[string]any{"status": "pending"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "49"})
	a.must("/v1/balance_settings", "payments[debit_negative_balances]=true")
}

// TestInstantPayoutBringsItsFeeBack: one that fails costs nothing.
func TestInstantPayoutBringsItsFeeBack(t *testing.T) {
	t.Parallel()
	a := bare(t)
	own := a.get("/v1/account", "").text("id")
	bad := a.must("/v1/accounts/"+own+"/external_accounts", "external_account[object]=bank_account&external_account[country]=US&external_account[currency]=usd&external_account[routing_number]=110000000&external_account[account_number]=000888888883").text("id")
	a.must("/v1/payment_intents", atOnce)
	a.must("/v1/payouts", "amount=5000&currency=usd&method=instant&destination="+bad+"&expand[]=balance_transaction").wants(t, http.StatusOK, map[string]any{"balance_transaction.fee": "75"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "4605"})
	a.advance("2026-01-05T12:02:00Z")
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "9680"})
	a.post("/v1/payouts", "amount=1000000&currency=usd&method=instant").wants(t, http.StatusBadRequest, map[string]any{
		"error.code": "instant_payouts_limit_exceeded", "error.message": "Instant Payouts to bank accounts are only supported for amounts less than or equal to $9,999.00"})
}

// TestMinimumBalance: what the account keeps goes from payout to payout.
func TestMinimumBalance(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.must("/v1/balance_settings", "payments[payouts][minimum_balance_by_currency][usd]=1680")
	a.must("/v1/payment_intents", atOnce)
	a.advance("2026-01-06T06:05:00Z")
	first := a.get("/v1/payouts", "")
	first.wants(t, http.StatusOK, map[string]any{"data.0.amount": "8000"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "1680"})
	if all := a.get("/v1/balance_transactions", "payout="+first.text("data.0.id")).list("data"); len(all) != 3 {
		t.Errorf("%d transactions rather than the charge, the payout and what is held back: %v", len(all), all)
	}
	a.must("/v1/balance_settings", "payments[payouts][minimum_balance_by_currency][usd]=")
	a.advance("2026-01-07T06:00:00Z")
	a.get("/v1/payouts", "").wants(t, http.StatusOK, map[string]any{"data.0.amount": "1680"})
}

// TestAccountControl: the account can be another before money moves.
func TestAccountControl(t *testing.T) {
	t.Parallel()
	a := bare(t)
	const german = `{"country":"DE","settlement_currencies":["eur","usd"],"debit_negative_balances":false,"payout_interval":"manual"}`
	if got := a.control(http.MethodPost, "/_sandbox/account", german); got.status != http.StatusOK || got.text("default_currency") != "eur" || len(got.list("settlement_currencies")) != 2 {
		t.Fatal(got.body)
	}
	a.get("/v1/account", "").wants(t, http.StatusOK, map[string]any{"country": "DE", "default_currency": "eur", "settings.payouts.schedule.interval": "manual",
		"settings.payouts.schedule.delay_days": "7", "settings.payouts.debit_negative_balances": false})
	const form = "amount=10000&confirm=true&payment_method_types[]=card&capture_method=automatic&payment_method=pm_card_fr&expand[]=latest_charge.balance_transaction&currency="
	const txn = "latest_charge.balance_transaction."
	a.must("/v1/payment_intents", form+"eur").wants(t, http.StatusOK, map[string]any{txn + "fee": "175", txn + "currency": "eur", txn + "available_on": "1768176000"})
	a.must("/v1/payment_intents", form+"usd").wants(t, http.StatusOK, map[string]any{txn + "currency": "usd", txn + "exchange_rate": nil})
	a.must("/v1/payment_intents", form+"gbp").wants(t, http.StatusOK, map[string]any{txn + "currency": "eur", txn + "exchange_rate": "1.18189"})
	for _, wrong := range []string{`{"country":"US"}`, `{"country":"ZZ"}`, `{"settlement_currencies":["EUR"]}`, `{"payout_interval":"weekly"}`, `{"payout_interval":"daily","monthly_payout_days":[1]}`, `{"color":"red"}`, `x`} {
		if got := a.control(http.MethodPost, "/_sandbox/account", wrong); got.status != http.StatusBadRequest || got.text("error.message") == "" {
			t.Errorf("%s: %d %v", wrong, got.status, got.body)
		}
	}
	if got := a.control(http.MethodGet, "/_sandbox/account", ""); got.text("country") != "DE" || got.text("payout_interval") != "manual" {
		t.Error(got.body)
	}
}

// TestWithAccount: the accounts of a sandbox may be those of another country from the beginning.
func TestWithAccount(t *testing.T) {
	t.Parallel()
	server, _, key := setup(t, sandbox.WithClock(clock.NewFake(start)), sandbox.WithAccount("JP"))
	a := &api{t: t, server: server, key: key}
	a.get("/v1/account", "").wants(t, http.StatusOK, map[string]any{"country": "JP", "default_currency": "jpy"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.currency": "jpy"})
	a.get("/v1/balance_settings", "").wants(t, http.StatusOK, map[string]any{"payments.payouts.schedule.interval": "weekly", "payments.settlement_timing.delay_days": "7"})
	a.post("/v1/balance_settings", "payments[payouts][schedule][interval]=daily").wants(t, http.StatusBadRequest, map[string]any{"error.param": "payments[payouts][schedule][interval]"})
}

// TestCanceledReversalLeavesThePayout: a payout whose reversal does not come about is not reversed.
func TestCanceledReversalLeavesThePayout(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.must("/v1/balance_settings", "payments[payouts][schedule][interval]=manual")
	a.must("/v1/payment_intents", atOnce)
	first := a.must("/v1/payouts", "amount=5000&currency=usd").text("id")
	a.advance("2026-01-05T12:02:00Z")
	back := a.must("/v1/payouts/"+first+"/reverse", "").text("id")
	a.get("/v1/payouts/"+first, "").wants(t, http.StatusOK, map[string]any{"reversed_by": back})
	a.must("/v1/payouts/"+back+"/cancel", "")
	a.get("/v1/payouts/"+first, "").wants(t, http.StatusOK, map[string]any{"reversed_by": nil, "status": "paid"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "4680"})
}

// TestMoneySurvivesARestart: the account, its balance and what is due to them are in the journal.
func TestMoneySurvivesARestart(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	open := func() (*api, func()) {
		s := sandbox.NewServer(sandbox.WithClock(held))
		if err := s.Keep(folder); err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(s)
		return &api{t: t, server: server, key: key}, func() { server.Close(); s.Close() }
	}
	a, stop := open()
	if got := a.control(http.MethodPost, "/_sandbox/account", `{"country":"DE","payout_interval":"weekly","weekly_payout_days":["thursday"]}`); got.status != http.StatusOK {
		t.Fatal(got.body)
	}
	a.must("/v1/payment_intents", "amount=10000&currency=eur&confirm=true&payment_method_types[]=card&capture_method=automatic&payment_method=pm_card_de")
	stop()
	a, stop = open()
	defer stop()
	a.get("/v1/account", "").wants(t, http.StatusOK, map[string]any{"country": "DE", "default_currency": "eur", "settings.payouts.schedule.weekly_anchor": "thursday"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"pending.0.amount": "9825", "pending.0.currency": "eur"})
	a.advance("2026-01-15T06:00:00Z")
	a.get("/v1/payouts", "").wants(t, http.StatusOK, map[string]any{"data.0.amount": "9825", "data.0.currency": "eur", "data.0.automatic": true})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "0", "pending.0.amount": "0"})
}

// TestPayoutsFailAbroad: numbers of banks outside the United States to which payouts fail, in the account's own currency.
func TestPayoutsFailAbroad(t *testing.T) {
	t.Parallel()
	for number, bank := range map[string]struct{ country, currency, code string }{
		"DE62370400440532013001": {"DE", "eur", "no_account"},
		"DE89370400440532013002": {"DE", "eur", "account_closed"},
		"DE89370400440532013003": {"DE", "eur", "insufficient_funds"},
		"DE89370400440532013004": {"DE", "eur", "debit_not_authorized"},
		"DE89370400440532013005": {"DE", "eur", "invalid_currency"},
		"11111116":               {"GB", "gbp", "no_account"},
		"22222227":               {"GB", "gbp", "insufficient_funds"},
		"111111113":              {"AU", "aud", "account_closed"},
		"333333335":              {"AU", "aud", "debit_not_authorized"},
	} {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			a := bare(t)
			a.control(http.MethodPost, "/_sandbox/account", `{"country":"`+bank.country+`","payout_interval":"manual"}`)
			own := a.get("/v1/account", "").text("id")
			to := a.must("/v1/accounts/"+own+"/external_accounts", "external_account[object]=bank_account&external_account[country]="+bank.country+"&external_account[currency]="+bank.currency+"&external_account[account_number]="+number).text("id")
			a.must("/v1/payment_intents", "amount=5000&confirm=true&payment_method_types[]=card&payment_method=pm_card_bypassPending&capture_method=automatic&currency="+bank.currency)
			payout := a.must("/v1/payouts", "amount=100&currency="+bank.currency+"&destination="+to).text("id")
			a.advance("2026-01-05T12:02:00Z")
			a.get("/v1/payouts/"+payout, "").wants(t, http.StatusOK, map[string]any{"status": "failed", "failure_code": bank.code, "amount": "100"})
		})
	}
}

// A bank sends back what was paid: its money is in the balance again, once, fee and all, and its bank account gets no more.
func TestAPayoutComesBackAfterItWasPaid(t *testing.T) {
	t.Parallel()
	a := bare(t)
	a.must("/v1/balance_settings", "payments[payouts][schedule][interval]=manual")
	a.must("/v1/payment_intents", atOnce)
	a.pass(60)
	id := a.must("/v1/payouts", "amount=5000&currency=usd&method=instant").text("id")
	back := func(payout, code string, status int) {
		t.Helper()
		if got := a.control(http.MethodPost, "/_sandbox/payouts/return", `{"payout":"`+payout+`","failure_code":"`+code+`"}`); got.status != status {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	a.pass(3600)
	a.get("/v1/payouts/"+id, "").wants(t, http.StatusOK, map[string]any{"status": "paid"})
	back("po_none", "declined", http.StatusNotFound)
	back(id, "moonshine", http.StatusBadRequest)
	back(id, "declined", http.StatusOK)
	back(id, "declined", http.StatusBadRequest)
	a.get("/v1/payouts/"+id, "expand[]=failure_balance_transaction").wants(t, http.StatusOK, map[string]any{"status": "failed", "failure_code": "declined",
		"failure_balance_transaction.amount": "5000", "failure_balance_transaction.fee": "-75", "failure_balance_transaction.reporting_category": "payout_reversal"})
	a.get("/v1/balance", "").wants(t, http.StatusOK, map[string]any{"available.0.amount": "9680"})
	a.post("/v1/payouts", "amount=5000&currency=usd").wants(t, http.StatusBadRequest, map[string]any{"error.code": "bank_account_unusable"})
}
