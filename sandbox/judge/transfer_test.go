//go:build !race

package judge_test

import (
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// TestCashBalance: a bank transfer that nothing uses is held for the customer, and goes to the account in the end.
func TestCashBalance(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	owner := must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Email: str("jenny@example.com")})).ID
	where := must[*stripe.FundingInstructions](t)(w.V1Customers.CreateFundingInstructions(ctx, owner, &stripe.CustomerCreateFundingInstructionsParams{
		Currency: str("usd"), FundingType: str("bank_transfer"), BankTransfer: &stripe.CustomerCreateFundingInstructionsBankTransferParams{Type: str("us_bank_transfer")},
	}))
	if n := len(where.BankTransfer.FinancialAddresses); n != 2 {
		t.Errorf("there are %d addresses", n)
	}
	funded := must[*stripe.CustomerCashBalanceTransaction](t)(w.V1TestHelpersCustomers.FundCashBalance(ctx, owner, &stripe.TestHelpersCustomerFundCashBalanceParams{Amount: stripe.Int64(50_00), Currency: str("usd")}))
	if held := must[*stripe.CashBalance](t)(w.V1CashBalances.Retrieve(ctx, &stripe.CashBalanceRetrieveParams{Customer: &owner})); held.Available["usd"] != 50_00 {
		t.Errorf("%s has left %v", funded.ID, held.Available)
	}
	w.steer(t, "clock/advance", `{"seconds":7776000}`)
	moves := all(t, w.V1CustomerCashBalanceTransactions.List(ctx, &stripe.CustomerCashBalanceTransactionListParams{Customer: &owner}).All(ctx))
	if len(moves) != 2 || moves[0].Type != stripe.CustomerCashBalanceTransactionTypeTransferredToBalance || moves[0].EndingBalance != 0 {
		t.Errorf("the movements are %+v", moves)
	}
}

// TestBankTransfers: a payment waits for its transfer, is funded in part and then in full; what was too much pays the next, and a refund
// asks its customer where to.
func TestBankTransfers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	owner := must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Email: str("jenny@example.com")})).ID
	owe := func(amount int64) *stripe.PaymentIntent {
		t.Helper()
		return must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
			Amount: &amount, Currency: str("usd"), Customer: &owner, Confirm: stripe.Bool(true), PaymentMethodTypes: strs("customer_balance"),
			PaymentMethodData: &stripe.PaymentIntentCreatePaymentMethodDataParams{Type: str("customer_balance")},
			PaymentMethodOptions: &stripe.PaymentIntentCreatePaymentMethodOptionsParams{CustomerBalance: &stripe.PaymentIntentCreatePaymentMethodOptionsCustomerBalanceParams{
				FundingType: str("bank_transfer"), BankTransfer: &stripe.PaymentIntentCreatePaymentMethodOptionsCustomerBalanceBankTransferParams{Type: str("us_bank_transfer")},
			}},
		}))
	}
	send := func(amount int64) {
		t.Helper()
		must[*stripe.CustomerCashBalanceTransaction](t)(w.V1TestHelpersCustomers.FundCashBalance(ctx, owner, &stripe.TestHelpersCustomerFundCashBalanceParams{Amount: &amount, Currency: str("usd")}))
	}
	intent := owe(50_00)
	if to := intent.NextAction.DisplayBankTransferInstructions; to.AmountRemaining != 50_00 || len(to.FinancialAddresses) != 2 || to.Reference == "" {
		t.Errorf("the customer is told %+v", to)
	}
	send(20_00)
	if is := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(ctx, intent.ID, nil)); is.NextAction.DisplayBankTransferInstructions.AmountRemaining != 30_00 {
		t.Errorf("the intent is %+v", is)
	}
	send(40_00)
	paid := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(ctx, intent.ID, &stripe.PaymentIntentRetrieveParams{Expand: strs("latest_charge.balance_transaction")}))
	if paid.Status != stripe.PaymentIntentStatusSucceeded || paid.LatestCharge.PaymentMethodDetails.CustomerBalance == nil {
		t.Errorf("the intent is %+v", paid)
	}
	must[*stripe.CashBalance](t)(w.V1CashBalances.Update(ctx, &stripe.CashBalanceUpdateParams{Customer: &owner, Settings: &stripe.CashBalanceUpdateSettingsParams{ReconciliationMode: str("manual")}}))
	second := owe(15_00)
	second = must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.ApplyCustomerBalance(ctx, second.ID, nil))
	if left := second.NextAction.DisplayBankTransferInstructions.AmountRemaining; left != 5_00 {
		t.Errorf("%d are left", left)
	}
	must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Cancel(ctx, second.ID, nil))
	refund := must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{PaymentIntent: &intent.ID, Amount: stripe.Int64(10_00)}))
	if refund.Status != stripe.RefundStatusRequiresAction || refund.NextAction.DisplayDetails.EmailSent.EmailSentTo != "jenny@example.com" {
		t.Errorf("the refund is %+v", refund)
	}
	must[*stripe.Refund](t)(w.V1TestHelpersRefunds.Expire(ctx, refund.ID, nil))
	back := must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{Origin: str("customer_balance"), Customer: &owner, Currency: str("usd"), Amount: stripe.Int64(10_00)}))
	must[*stripe.Refund](t)(w.V1Refunds.Cancel(ctx, back.ID, nil))
	all(t, w.V1CustomerCashBalanceTransactions.List(ctx, &stripe.CustomerCashBalanceTransactionListParams{Customer: &owner}).All(ctx))
	w.holdEvents(t, "payment_intent.requires_action", "payment_intent.partially_funded", "payment_intent.succeeded", "cash_balance.funds_available",
		"customer_cash_balance_transaction.created", "refund.created", "refund.failed", "refund.updated")
}
