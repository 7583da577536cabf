package payout_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/payout"
	"github.com/till-pay/till/internal/stripe"
)

// monday is when the worlds of the table below are looked at.
var monday = time.Date(2026, 10, 5, 9, 0, 0, 0, time.UTC)

// fine is a world in which nothing is wrong: an account in Germany that is paid out daily, with 470 euros at hand.
func fine() payout.Facts {
	yes := true
	account := stripe.AccountStanding{ID: "acct_1", PayoutsEnabled: &yes, Requirements: &stripe.RequirementsList{}}
	account.Settings = &struct {
		Payouts *struct {
			Schedule stripe.PayoutSchedule `json:"schedule"`
		} `json:"payouts"`
	}{&struct {
		Schedule stripe.PayoutSchedule `json:"schedule"`
	}{stripe.PayoutSchedule{Interval: "daily"}}}
	f := payout.Facts{At: monday, AccountID: "acct_1"}
	f.Account.Value = account
	f.Banks.Value = []stripe.ExternalAccount{{ID: "ba_1", Object: "bank_account", BankName: "BANK", Last4: "3000", Currency: "eur", Status: "new", DefaultForCurrency: true}}
	f.Balance.Value = stripe.Balance{Object: "balance", Available: []stripe.BalanceAmount{{Amount: 47000, Currency: "eur"}}, Pending: []stripe.BalanceAmount{{Amount: 0, Currency: "eur"}}}
	f.Payouts.Value = []stripe.Payout{made("po_1", "paid", 3)}
	return f
}

// made is an automatic payout that was made so many days ago.
func made(id, status string, ago int) stripe.Payout {
	return stripe.Payout{ID: id, Status: status, Amount: 10000, Currency: "eur", Automatic: true, Method: "standard", Created: monday.AddDate(0, 0, -ago).Unix(),
		ArrivalDate: monday.AddDate(0, 0, 1-ago).Unix(), Destination: stripe.Ref[struct{}]{ID: "ba_1"}}
}

// failed is one that failed an hour after it was made.
func failed(id, code string, ago int) stripe.Payout {
	p := made(id, "failed", ago)
	p.FailureCode = code
	p.FailureBalanceTransaction.Object = &stripe.Moment{Created: p.Created + 3600}
	return p
}

func balance(f *payout.Facts, available, pending int64) {
	f.Balance.Value.Available[0].Amount, f.Balance.Value.Pending[0].Amount = available, pending
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	no := false
	for name, w := range map[string]struct {
		change  func(*payout.Facts)
		verdict payout.Side
		cause   string
		says    string // in the summary or the action
		on      string // the day expected
	}{
		"nothing is wrong":       {func(*payout.Facts) {}, payout.None, "healthy", "470.00 EUR are at Stripe", "2026-10-06"},
		"friday, then a weekend": {func(f *payout.Facts) { f.At = monday.AddDate(0, 0, 4) }, payout.None, "healthy", "", "2026-10-12"},
		"all is pending": {func(f *payout.Facts) {
			balance(f, 0, 5000)
			f.Pending.Value = []stripe.PendingFunds{{Net: 5000, Currency: "eur", AvailableOn: monday.AddDate(0, 0, 2).Unix()}}
		}, payout.None, "all_pending", "7 October 2026", "2026-10-07"},
		"all is pending until nobody knows when": {func(f *payout.Facts) { balance(f, 0, 5000); f.Pending.Unread = "x" }, payout.None, "all_pending", "becomes available", ""},
		"on its way": {func(f *payout.Facts) {
			balance(f, 0, 0)
			f.Payouts.Value = []stripe.Payout{made("po_2", "in_transit", 0)}
		}, payout.None, "in_transit", "6 October 2026", ""},
		"no money": {func(f *payout.Facts) { balance(f, 0, 0) }, payout.None, "no_money", "", ""},

		"stripe wants papers": {func(f *payout.Facts) {
			f.Account.Value.PayoutsEnabled = &no
			f.Account.Value.Requirements = &stripe.RequirementsList{DisabledReason: "requirements.past_due", PastDue: []string{"individual.verification.document"}, CurrentlyDue: []string{"individual.verification.document"},
				Errors: []stripe.RequirementError{{Requirement: "individual.verification.document", Reason: "The document has expired."}}}
		}, payout.StripeSide, "payouts_disabled", "of the owner: an identity document (passport, identity card or driving licence) (individual.verification.document). Stripe says: The document has expired.", ""},
		"stripe is checking": {func(f *payout.Facts) {
			f.Account.Value.PayoutsEnabled = &no
			f.Account.Value.Requirements.DisabledReason = "requirements.pending_verification"
		}, payout.StripeSide, "payouts_disabled", "Wait", ""},
		"stripe has rejected": {func(f *payout.Facts) {
			f.Account.Value.PayoutsEnabled = &no
			f.Account.Value.Requirements.DisabledReason = "rejected.fraud"
		}, payout.StripeSide, "payouts_disabled", "rejected.fraud", ""},
		"stripe has a reason of tomorrow": {func(f *payout.Facts) {
			f.Account.Value.PayoutsEnabled = &no
			f.Account.Value.Requirements.DisabledReason = "moonphase"
		}, payout.StripeSide, "payouts_disabled", `"moonphase"`, ""},
		"stripe and the bank": {func(f *payout.Facts) {
			f.Account.Value.PayoutsEnabled = &no
			f.Payouts.Value = []stripe.Payout{failed("po_2", "no_account", 1)}
		}, payout.StripeSide, "payouts_disabled", "", ""},

		"the bank has closed the account": {func(f *payout.Facts) {
			f.Banks.Value[0].Status = "errored"
			f.Payouts.Value = []stripe.Payout{failed("po_3", "account_closed", 1), failed("po_2", "account_closed", 3), made("po_1", "paid", 4)}
		}, payout.BankSide, "bank_refuses", "The last 2 payouts have failed, the first on Friday, 2 October 2026. The bank account has been closed.", "2026-10-06"},
		"a code of tomorrow": {func(f *payout.Facts) {
			f.Banks.Value[0].Status = "errored"
			f.Payouts.Value = []stripe.Payout{failed("po_2", "sunspots", 1)}
		}, payout.BankSide, "bank_refuses", "till does not know", "2026-10-06"},
		"no failure was read": {func(f *payout.Facts) {
			f.Banks.Value[0].Status = "errored"
			f.Payouts = payout.Read[[]stripe.Payout]{Unread: "x"}
		}, payout.BankSide, "bank_account_errored", "BANK ···· 3000", "2026-10-06"},
		"it cannot be verified": {func(f *payout.Facts) { f.Banks.Value[0].Status = "verification_failed" }, payout.BankSide, "bank_account_errored", "could not verify", "2026-10-06"},
		"a cancelled one between": {func(f *payout.Facts) {
			f.Banks.Value[0].Status = "errored"
			f.Payouts.Value = []stripe.Payout{made("po_3", "canceled", 1), failed("po_2", "no_account", 2)}
		}, payout.BankSide, "bank_refuses", "The last payout has failed", "2026-10-06"},
		"paid, and sent back later": {func(f *payout.Facts) {
			f.Banks.Value[0].Status = "errored"
			f.Payouts.Value = []stripe.Payout{failed("po_2", "no_account", 5), made("po_1", "paid", 6)}
		}, payout.BankSide, "bank_refuses", "", "2026-10-06"},
		"another bank account since": {func(f *payout.Facts) {
			f.Banks.Value[0].Status, f.Banks.Value[0].DefaultForCurrency = "errored", false
			f.Banks.Value = append(f.Banks.Value, stripe.ExternalAccount{ID: "ba_2", Object: "bank_account", Currency: "eur", Status: "new", DefaultForCurrency: true})
			f.Payouts.Value = []stripe.Payout{failed("po_2", "no_account", 2)}
		}, payout.None, "repaired", "", "2026-10-06"},
		"updated since": {func(f *payout.Facts) { f.Payouts.Value = []stripe.Payout{failed("po_2", "no_account", 2)} }, payout.None, "repaired", "", "2026-10-06"},
		"a card tells no status": {func(f *payout.Facts) {
			f.Banks.Value[0].Object, f.Banks.Value[0].Status = "card", ""
			f.Payouts.Value = []stripe.Payout{failed("po_2", "unsupported_card", 2)}
		}, payout.BankSide, "bank_refuses", "debit card", "2026-10-06"},

		"more than there was": {func(f *payout.Facts) {
			f.Banks.Value[0].Status = "errored"
			f.Payouts.Value = []stripe.Payout{failed("po_2", "insufficient_funds", 1)}
		}, payout.SystemSide, "insufficient_funds", "less in the Stripe balance", "2026-10-06"},
		"no bank account in euros":          {func(f *payout.Facts) { f.Banks.Value[0].Currency = "usd" }, payout.SystemSide, "no_bank_account", "Add a bank account in EUR", "2026-10-06"},
		"no bank account at all":            {func(f *payout.Facts) { f.Banks.Value = nil }, payout.SystemSide, "no_bank_account", "Add a bank account in EUR", "2026-10-06"},
		"the settings keep all of it":       {func(f *payout.Facts) { f.Minimum.Value = map[string]int64{"eur": 100000} }, payout.SystemSide, "minimum_balance", "a minimum of 1000.00 EUR in the balance, and 470.00 EUR are available", "2026-10-06"},
		"the settings keep what is to stay": {func(f *payout.Facts) { f.Minimum.Value = map[string]int64{"eur": 47000} }, payout.None, "healthy", "", "2026-10-06"},
		"the settings keep it since yesterday": {func(f *payout.Facts) {
			f.Minimum.Value = map[string]int64{"eur": 100000}
			f.Payouts.Value = []stripe.Payout{made("po_1", "paid", 1)}
		}, payout.None, "healthy", "", "2026-10-06"},
		"the settings keep another currency": {func(f *payout.Facts) { f.Minimum.Value = map[string]int64{"usd": 100000} }, payout.None, "healthy", "", "2026-10-06"},
		"Stripe did not tell the settings":   {func(f *payout.Facts) { f.Minimum = payout.Read[map[string]int64]{Unread: "x"} }, payout.None, "healthy", "", "2026-10-06"},
		"refunds beyond the sales":           {func(f *payout.Facts) { balance(f, -3000, 1000) }, payout.SystemSide, "balance_negative", "30.00 EUR below nothing", ""},
		"disputes keep the money": {func(f *payout.Facts) {
			balance(f, -3000, 9000)
			f.Disputes.Value = []stripe.DisputedFunds{{ID: "du_1", Status: "needs_response", Amount: 5000, Currency: "eur"}}
			f.Pending.Value = []stripe.PendingFunds{{Net: 3000, Currency: "eur", AvailableOn: monday.AddDate(0, 0, 1).Unix()}, {Net: 6000, Currency: "eur", AvailableOn: monday.AddDate(0, 0, 2).Unix()}}
		}, payout.SystemSide, "disputes_hold_funds", "keep 50.00 EUR", "2026-10-07"},
		"manual, and nobody asks": {func(f *payout.Facts) { f.Account.Value.Settings.Payouts.Schedule.Interval = "manual" }, payout.SystemSide, "schedule_manual", "POST /v1/payouts", "2026-10-05"},
		"manual, and somebody does": {func(f *payout.Facts) {
			f.Account.Value.Settings.Payouts.Schedule.Interval = "manual"
			f.Payouts.Value = []stripe.Payout{made("po_1", "paid", 1)}
		}, payout.None, "healthy", "", "2026-10-05"},
		"weekly, on thursdays": {func(f *payout.Facts) {
			f.Account.Value.Settings.Payouts.Schedule = stripe.PayoutSchedule{Interval: "weekly", WeeklyAnchor: "thursday"}
		}, payout.None, "healthy", "", "2026-10-08"},
		"monthly, on the 31st": {func(f *payout.Facts) {
			f.At = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
			f.Account.Value.Settings.Payouts.Schedule = stripe.PayoutSchedule{Interval: "monthly", MonthlyAnchor: 31}
		}, payout.None, "healthy", "", "2026-11-30"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fine()
			w.change(&f)
			d := payout.Diagnose(f)
			if d.Verdict != w.verdict || d.Cause != w.cause {
				t.Fatalf("%s, %s: %s", d.Verdict, d.Cause, d.Summary)
			}
			all := d.Summary + " " + d.Action.Text + " " + d.Action.Expected
			if !strings.Contains(all, w.says) || d.Summary == "" || d.Action.Text == "" || d.Action.Expected == "" || d.Action.Who == "" {
				t.Errorf("it does not say %q: %s", w.says, all)
			}
			if on := d.Action.ExpectedOn; (on == nil) != (w.on == "") || on != nil && on.Format(time.DateOnly) != w.on {
				t.Errorf("expected on %v, not %s", on, w.on)
			}
			if len(d.Checks) != 5 {
				t.Errorf("%d checks", len(d.Checks))
			}
		})
	}
}

// Each failure code that Stripe documents has its words; the list is that of Stripe's SDK.
func TestEveryFailureCodeHasItsWords(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"account_closed", "account_frozen", "bank_account_restricted", "bank_ownership_changed", "could_not_process", "debit_not_authorized", "declined",
		"insufficient_funds", "invalid_account_number", "incorrect_account_holder_name", "incorrect_account_holder_address", "incorrect_account_holder_tax_id", "invalid_currency",
		"no_account", "unsupported_card"} {
		f := fine()
		f.Banks.Value[0].Status = "errored"
		f.Payouts.Value = []stripe.Payout{failed("po_2", code, 1)}
		d := payout.Diagnose(f)
		if d.Attempts[0].FailureText == "" || strings.Contains(d.Attempts[0].FailureText, "does not know") || !slices.Equal(d.Failing.Codes, []string{code}) || d.Verdict == payout.None || d.Action.Text == "" {
			t.Errorf("%s: %+v", code, d)
		}
	}
}

// The last ten are listed, and the run of failures counts those that were read beyond.
func TestTheRunIsLongerThanTheList(t *testing.T) {
	t.Parallel()
	f := fine()
	f.Banks.Value[0].Status, f.Payouts.Value, f.Payouts.More = "errored", nil, true
	for i := range 14 {
		f.Payouts.Value = append(f.Payouts.Value, failed("po_x", []string{"declined", "no_account"}[i%2], i+1))
	}
	d := payout.Diagnose(f)
	if len(d.Attempts) != 10 || d.Failing.Attempts != 14 || !d.Failing.AtLeast || d.Failing.Since.Format(time.DateOnly) != "2026-09-21" || !slices.Equal(d.Failing.Codes, []string{"declined", "no_account"}) {
		t.Errorf("%d listed; %+v", len(d.Attempts), d.Failing)
	}
}

// What is pending by day and what is undated are together what Stripe says is pending, whatever was read.
func TestPendingAddsUp(t *testing.T) {
	t.Parallel()
	f := fine()
	balance(&f, 100, 9000)
	for _, p := range []stripe.PendingFunds{{Net: 1000, AvailableOn: monday.AddDate(0, 0, 3).Unix()}, {Net: -200, AvailableOn: monday.AddDate(0, 0, 1).Unix()}, {Net: 500, AvailableOn: monday.AddDate(0, 0, 3).Unix() + 1}} {
		p.Currency = "eur"
		f.Pending.Value = append(f.Pending.Value, p)
	}
	m := payout.Diagnose(f).Money[0]
	if len(m.PendingByDay) != 2 || m.PendingByDay[0].Day != "2026-10-06" || m.PendingByDay[0].Amount.Minor != -200 || m.PendingByDay[1].Amount.Minor != 1500 || m.Undated.Minor != 9000-1300 || m.AtStripe.Minor != 9100 {
		t.Errorf("%+v", m)
	}
}
