//go:build !race

package judge_test

import (
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
)

// TestMoneyOnItsWay: a payment in another currency settles, is paid out by itself, and the list of the payout adds up; a second payout,
// by hand, fails at the bank and comes back.
func TestMoneyOnItsWay(t *testing.T) {
	t.Parallel()
	w, held := frozen(t)
	ctx := t.Context()
	paid := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(100_00), Currency: str("eur"), PaymentMethod: str("pm_card_de"), Confirm: stripe.Bool(true), PaymentMethodTypes: strs("card"),
		CaptureMethod: str("automatic"), Expand: strs("latest_charge.balance_transaction"),
	}))
	txn := paid.LatestCharge.BalanceTransaction
	if txn.Currency != "usd" || txn.ExchangeRate != 1.01812 || txn.Amount != 101_81 || txn.Fee != 4_78 || txn.Status != stripe.BalanceTransactionStatusPending {
		t.Errorf("the payment is booked as %+v", txn)
	}
	held.Advance(42 * time.Hour) // to Wednesday, 6:00
	payouts := all(t, w.V1Payouts.List(ctx, &stripe.PayoutListParams{Expand: strs("data.destination", "data.balance_transaction")}).All(ctx))
	if len(payouts) != 1 || !payouts[0].Automatic || payouts[0].Amount != 97_03 || payouts[0].Destination.BankAccount.Last4 != "6789" || payouts[0].BalanceTransaction.Net != -97_03 {
		t.Fatalf("payouts are %+v", payouts)
	}
	first := payouts[0].ID
	if e := refused(t, listError(w.V1BalanceTransactions.List(ctx, &stripe.BalanceTransactionListParams{Payout: &first}).All(ctx))); e.Code != "payout_reconciliation_not_ready" {
		t.Errorf("the list of a payout that is not reconciled is refused by %v", e)
	}
	held.Advance(5 * time.Minute)
	if got := must[*stripe.Payout](t)(w.V1Payouts.Retrieve(ctx, first, nil)); got.Status != stripe.PayoutStatusPaid || got.ReconciliationStatus != stripe.PayoutReconciliationStatusCompleted {
		t.Errorf("the payout is %+v", got)
	}
	sum := int64(0)
	for _, one := range all(t, w.V1BalanceTransactions.List(ctx, &stripe.BalanceTransactionListParams{Payout: &first}).All(ctx)) {
		sum += one.Net
	}
	if sum != 0 {
		t.Errorf("what was paid out and the payout differ by %d", sum)
	}
}

// listError is how a list ends.
func listError[T any](list func(func(T, error) bool)) (last error) {
	for _, err := range list {
		last = err
	}
	return last
}

// TestPayoutsByHand: a top-up, payouts by hand to accounts that take them and one that does not, and what the account chooses.
func TestPayoutsByHand(t *testing.T) {
	t.Parallel()
	w, held := frozen(t)
	ctx := t.Context()
	settings := must[*stripe.BalanceSettings](t)(w.V1BalanceSettings.Update(ctx, &stripe.BalanceSettingsUpdateParams{Payments: &stripe.BalanceSettingsUpdatePaymentsParams{
		DebitNegativeBalances: stripe.Bool(false), SettlementTiming: &stripe.BalanceSettingsUpdatePaymentsSettlementTimingParams{DelayDaysOverride: stripe.Int64(4)},
		Payouts: &stripe.BalanceSettingsUpdatePaymentsPayoutsParams{
			Schedule:                 &stripe.BalanceSettingsUpdatePaymentsPayoutsScheduleParams{Interval: str("manual")},
			MinimumBalanceByCurrency: map[string]*int64{"usd": stripe.Int64(500)}, StatementDescriptor: str("TEA"),
		},
	}}))
	if settings.Payments.Payouts.Schedule.Interval != "manual" || settings.Payments.SettlementTiming.DelayDays != 4 || settings.Payments.Payouts.MinimumBalanceByCurrency["usd"] != 500 {
		t.Errorf("the settings are %+v", settings.Payments)
	}
	topup := must[*stripe.Topup](t)(w.V1Topups.Create(ctx, &stripe.TopupCreateParams{Amount: stripe.Int64(500_00), Currency: str("usd"), Source: str("btok_us_verified")}))
	held.Advance(time.Minute)
	if got := must[*stripe.Topup](t)(w.V1Topups.Retrieve(ctx, topup.ID, nil)); got.Status != stripe.TopupStatusSucceeded {
		t.Errorf("the top-up is %s", got.Status)
	}
	own := must[*stripe.Account](t)(w.V1Accounts.Retrieve(ctx, nil)).ID
	closed := must[*stripe.BankAccount](t)(w.V1BankAccounts.Create(ctx, &stripe.BankAccountCreateParams{Account: &own, Token: str("btok_us_verified_accountClosed")}))
	failing := must[*stripe.Payout](t)(w.V1Payouts.Create(ctx, &stripe.PayoutCreateParams{Amount: stripe.Int64(100_00), Currency: str("usd"), Destination: &closed.ID}))
	instant := must[*stripe.Payout](t)(w.V1Payouts.Create(ctx, &stripe.PayoutCreateParams{Amount: stripe.Int64(200_00), Currency: str("usd"), Method: str("instant"), Expand: strs("balance_transaction")}))
	if instant.ArrivalDate != instant.Created || instant.BalanceTransaction.Fee != 3_00 || instant.StatementDescriptor != "TEA" {
		t.Errorf("the instant payout is %+v", instant)
	}
	_, err := w.V1Payouts.Create(ctx, &stripe.PayoutCreateParams{Amount: stripe.Int64(300_00), Currency: str("usd")})
	if e := refused(t, err); e.Code != stripe.ErrorCodeBalanceInsufficient {
		t.Errorf("too much is refused by %v", e)
	}
	held.Advance(2 * time.Minute)
	if got := must[*stripe.Payout](t)(w.V1Payouts.Retrieve(ctx, failing.ID, nil)); got.Status != stripe.PayoutStatusFailed || got.FailureCode != stripe.PayoutFailureCodeAccountClosed || got.FailureBalanceTransaction == nil {
		t.Errorf("the failing payout is %+v", got)
	}
	balance := must[*stripe.Balance](t)(w.V1Balance.Retrieve(ctx, nil))
	if balance.Available[0].Amount != 500_00-203_00 || balance.InstantAvailable[0].Amount != 500_00-203_00 {
		t.Errorf("the balance is %+v", balance.Available[0])
	}
	reversed := must[*stripe.Payout](t)(w.V1Payouts.Reverse(ctx, instant.ID, nil))
	if reversed.Amount != -200_00 || reversed.OriginalPayout.ID != instant.ID {
		t.Errorf("the reversal is %+v", reversed)
	}
	accounts := all(t, w.V1BankAccounts.List(ctx, &stripe.BankAccountListParams{Account: &own}).All(ctx))
	if len(accounts) != 2 || accounts[0].Status != stripe.BankAccountStatusErrored {
		t.Errorf("the bank accounts are %+v", accounts)
	}
	if gone := must[*stripe.BankAccount](t)(w.V1BankAccounts.Delete(ctx, closed.ID, &stripe.BankAccountDeleteParams{Account: &own})); !gone.Deleted {
		t.Error("the bank account is not deleted")
	}
}
