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
