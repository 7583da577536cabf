//go:build !race

package judge_test

import (
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"

	"github.com/till-pay/till/internal/clock"
)

// seller connects an account in the United States that may do everything, and is not paid out by itself.
func (w *world) seller(t *testing.T, held *clock.Fake) *string {
	t.Helper()
	yes := &stripe.AccountCreateCapabilitiesCardPaymentsParams{Requested: stripe.Bool(true)}
	made := must[*stripe.Account](t)(w.V1Accounts.Create(t.Context(), &stripe.AccountCreateParams{
		Type: str("custom"), Country: str("US"), BusinessType: str("individual"), Email: str("seller@example.com"),
		Capabilities:    &stripe.AccountCreateCapabilitiesParams{CardPayments: yes, Transfers: &stripe.AccountCreateCapabilitiesTransfersParams{Requested: stripe.Bool(true)}},
		BusinessProfile: &stripe.AccountCreateBusinessProfileParams{MCC: str("5734"), URL: str("https://accessible.stripe.com")},
		ExternalAccount: &stripe.AccountExternalAccountParams{AccountNumber: str("000123456789"), RoutingNumber: str("110000000"), Country: str("US"), Currency: str("usd")},
		TOSAcceptance:   &stripe.AccountCreateTOSAcceptanceParams{Date: stripe.Int64(1767614400), IP: str("127.0.0.1")},
		Individual: &stripe.PersonParams{
			FirstName: str("Jenny"), LastName: str("Rosen"), Email: str("jenny@example.com"), Phone: str("0000000000"), IDNumber: str("222222222"), SSNLast4: str("0000"),
			DOB:     &stripe.PersonDOBParams{Day: stripe.Int64(1), Month: stripe.Int64(1), Year: stripe.Int64(1902)},
			Address: &stripe.AddressParams{Line1: str("address_full_match"), City: str("Berkeley"), State: str("CA"), PostalCode: str("94704")},
		},
		Settings: &stripe.AccountCreateSettingsParams{Payouts: &stripe.AccountCreateSettingsPayoutsParams{Schedule: &stripe.AccountCreateSettingsPayoutsScheduleParams{Interval: str("manual")}}},
	}))
	held.Advance(time.Minute)
	if got := must[*stripe.Account](t)(w.V1Accounts.GetByID(t.Context(), made.ID, nil)); !got.ChargesEnabled || !got.PayoutsEnabled || got.Capabilities.Transfers != stripe.AccountCapabilityStatusActive {
		t.Fatalf("the seller may not: %+v", got.Requirements)
	}
	return &made.ID
}

// market is a frozen world whose platform keeps its money, with a seller.
func market(t *testing.T) (*world, *clock.Fake, *string) {
	w, held := frozen(t)
	must[*stripe.BalanceSettings](t)(w.V1BalanceSettings.Update(t.Context(), &stripe.BalanceSettingsUpdateParams{Payments: &stripe.BalanceSettingsUpdatePaymentsParams{
		Payouts: &stripe.BalanceSettingsUpdatePaymentsPayoutsParams{Schedule: &stripe.BalanceSettingsUpdatePaymentsPayoutsScheduleParams{Interval: str("manual")}},
	}}))
	return w, held, w.seller(t, held)
}

// has is what an account has in dollars: available, pending and reserved for others.
func (w *world) has(t *testing.T, account *string) [3]int64 {
	t.Helper()
	got := must[*stripe.Balance](t)(w.V1Balance.Retrieve(t.Context(), &stripe.BalanceRetrieveParams{Params: stripe.Params{StripeAccount: account}}))
	return [3]int64{got.Available[0].Amount, got.Pending[0].Amount, got.ConnectReserved[0].Amount}
}

// payment is one of a card whose money is there at once.
func payment(amount int64, more func(*stripe.PaymentIntentCreateParams)) *stripe.PaymentIntentCreateParams {
	p := &stripe.PaymentIntentCreateParams{Amount: &amount, Currency: str("usd"), PaymentMethod: str("pm_card_bypassPending"), PaymentMethodTypes: strs("card"),
		CaptureMethod: str("automatic"), Confirm: stripe.Bool(true)}
	more(p)
	return p
}

// thirds are three refunds that make up ten dollars.
var thirds = []int64{3_33, 3_33, 3_34}

// TestDirectChargeToTheLastCent: a direct charge with a fee is refunded in three parts, and the fee with it.
func TestDirectChargeToTheLastCent(t *testing.T) {
	t.Parallel()
	w, _, seller := market(t)
	ctx := t.Context()
	paid := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, payment(10_00, func(p *stripe.PaymentIntentCreateParams) {
		p.StripeAccount, p.ApplicationFeeAmount, p.Expand = seller, stripe.Int64(1_23), strs("latest_charge.balance_transaction")
	})))
	if txn := paid.LatestCharge.BalanceTransaction; txn.Net != 8_18 || len(txn.FeeDetails) != 2 || txn.FeeDetails[1].Type != "application_fee" {
		t.Errorf("the charge is booked as %+v", txn)
	}
	if platform, its := w.has(t, nil), w.has(t, seller); platform != ([3]int64{1_23}) || its != ([3]int64{8_18}) {
		t.Errorf("the platform has %v, the seller %v", platform, its)
	}
	for _, amount := range thirds {
		must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{Params: stripe.Params{StripeAccount: seller}, Charge: &paid.LatestCharge.ID, Amount: &amount, RefundApplicationFee: stripe.Bool(true)}))
	}
	fees := all(t, w.V1ApplicationFees.List(ctx, &stripe.ApplicationFeeListParams{Charge: &paid.LatestCharge.ID}).All(ctx))
	if len(fees) != 1 || !fees[0].Refunded || len(fees[0].Refunds.Data) != 3 || fees[0].Account.ID != *seller {
		t.Errorf("the fees are %+v", fees)
	}
	// Stripe's own fee is gone, and the platform keeps as much for the seller.
	if platform, its := w.has(t, nil), w.has(t, seller); platform != ([3]int64{-59, 0, 59}) || its != ([3]int64{-59}) {
		t.Errorf("at the end the platform has %v, the seller %v", platform, its)
	}
}

// TestDestinationChargeToTheLastCent: a charge with a destination and a fee is refunded in three parts, with the transfer and the fee.
func TestDestinationChargeToTheLastCent(t *testing.T) {
	t.Parallel()
	w, _, seller := market(t)
	ctx := t.Context()
	paid := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, payment(10_00, func(p *stripe.PaymentIntentCreateParams) {
		p.TransferData, p.ApplicationFeeAmount = &stripe.PaymentIntentCreateTransferDataParams{Destination: seller}, stripe.Int64(1_23)
		p.Expand = strs("latest_charge.transfer.destination_payment")
	})))
	if tr := paid.LatestCharge.Transfer; tr.Amount != 10_00 || tr.Destination.ID != *seller || tr.DestinationPayment.ApplicationFeeAmount != 1_23 || tr.TransferGroup != "group_"+paid.ID {
		t.Errorf("the transfer is %+v", tr)
	}
	if platform, its := w.has(t, nil), w.has(t, seller); platform != ([3]int64{64}) || its != ([3]int64{8_77}) {
		t.Errorf("the platform has %v, the seller %v", platform, its)
	}
	for _, amount := range thirds {
		got := must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{PaymentIntent: &paid.ID, Amount: &amount, ReverseTransfer: stripe.Bool(true), RefundApplicationFee: stripe.Bool(true), Expand: strs("transfer_reversal")}))
		if got.TransferReversal.Amount != amount || got.TransferReversal.DestinationPaymentRefund == nil {
			t.Errorf("the refund is %+v", got)
		}
	}
	if platform, its := w.has(t, nil), w.has(t, seller); platform != ([3]int64{-59}) || its != ([3]int64{}) {
		t.Errorf("at the end the platform has %v, the seller %v", platform, its)
	}
	_, err := w.V1TransferReversals.Create(ctx, &stripe.TransferReversalCreateParams{ID: &paid.LatestCharge.Transfer.ID})
	if e := refused(t, err); e.Msg != "The transfer "+paid.LatestCharge.Transfer.ID+" is already fully reversed." {
		t.Errorf("one more reversal is refused by %v", e)
	}
}

// TestSeparateTransfersToTheLastCent: two sellers get parts of one charge whose money is on its way, and give them back.
func TestSeparateTransfersToTheLastCent(t *testing.T) {
	t.Parallel()
	w, held, one := market(t)
	two := w.seller(t, held)
	ctx := t.Context()
	paid := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, payment(100_00, func(p *stripe.PaymentIntentCreateParams) {
		p.PaymentMethod, p.TransferGroup = str("pm_card_visa"), str("ORDER")
	})))
	transfer := func(to *string, amount int64) (*stripe.Transfer, error) {
		return w.V1Transfers.Create(ctx, &stripe.TransferCreateParams{Amount: &amount, Currency: str("usd"), Destination: to, SourceTransaction: &paid.LatestCharge.ID})
	}
	first := must[*stripe.Transfer](t)(transfer(one, 60_01))
	second := must[*stripe.Transfer](t)(transfer(two, 30_00))
	_, err := transfer(two, 10_00)
	if e := refused(t, err); e.Msg != "Transfers using this transaction as a source must not exceed the source amount of $100.00. (There is already a transfer using this source, amounting to $90.01.)" {
		t.Errorf("too much is refused by %v", e)
	}
	if its := w.has(t, one); its != ([3]int64{0, 60_01}) {
		t.Errorf("the first seller has %v", its)
	}
	held.Advance(72 * time.Hour)
	if platform, its, others := w.has(t, nil), w.has(t, one), w.has(t, two); platform != ([3]int64{6_79}) || its != ([3]int64{60_01}) || others != ([3]int64{30_00}) {
		t.Errorf("the platform has %v, the sellers %v and %v", platform, its, others)
	}
	for _, amount := range []int64{20_00, 40_00, 1} {
		must[*stripe.TransferReversal](t)(w.V1TransferReversals.Create(ctx, &stripe.TransferReversalCreateParams{ID: &first.ID, Amount: &amount}))
	}
	must[*stripe.TransferReversal](t)(w.V1TransferReversals.Create(ctx, &stripe.TransferReversalCreateParams{ID: &second.ID}))
	must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{PaymentIntent: &paid.ID}))
	if platform, its, others := w.has(t, nil), w.has(t, one), w.has(t, two); platform != ([3]int64{-3_20}) || its != ([3]int64{}) || others != ([3]int64{}) {
		t.Errorf("at the end the platform has %v, the sellers %v and %v", platform, its, others)
	}
	for _, got := range all(t, w.V1Transfers.List(ctx, &stripe.TransferListParams{TransferGroup: str("ORDER")}).All(ctx)) {
		if !got.Reversed || got.AmountReversed != got.Amount {
			t.Errorf("a transfer is %+v", got)
		}
	}
}

// TestSellerBelowNothing: a seller's disputed sale takes more than it has; the platform keeps a reserve, debits and transfers.
func TestSellerBelowNothing(t *testing.T) {
	t.Parallel()
	w, held, seller := market(t)
	ctx := t.Context()
	must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, payment(200_00, func(*stripe.PaymentIntentCreateParams) {}))) // 193.90
	sale := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, payment(10_00, func(p *stripe.PaymentIntentCreateParams) { p.StripeAccount = seller })))
	must[*stripe.Payout](t)(w.V1Payouts.Create(ctx, &stripe.PayoutCreateParams{Params: stripe.Params{StripeAccount: seller}, Amount: stripe.Int64(9_41), Currency: str("usd")}))
	must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{Params: stripe.Params{StripeAccount: seller}, PaymentIntent: &sale.ID}))
	if platform, its := w.has(t, nil), w.has(t, seller); platform != ([3]int64{183_90, 0, 10_00}) || its != ([3]int64{-10_00}) {
		t.Errorf("the platform has %v, the seller %v", platform, its)
	}
	kept := all(t, w.V1BalanceTransactions.List(ctx, &stripe.BalanceTransactionListParams{Type: str("reserve_transaction")}).All(ctx))
	if len(kept) != 1 || kept[0].Net != -10_00 || kept[0].ReportingCategory != "connect_reserved_funds" {
		t.Errorf("the reserve is %+v", kept)
	}
	must[*stripe.Transfer](t)(w.V1Transfers.Create(ctx, &stripe.TransferCreateParams{Amount: stripe.Int64(25_00), Currency: str("usd"), Destination: seller}))
	must[*stripe.Charge](t)(w.V1Charges.Create(ctx, &stripe.ChargeCreateParams{Amount: stripe.Int64(5_00), Currency: str("usd"), Source: &stripe.PaymentSourceSourceParams{Token: seller}}))
	if platform, its := w.has(t, nil), w.has(t, seller); platform != ([3]int64{173_90}) || its != ([3]int64{10_00}) {
		t.Errorf("the platform has %v, the seller %v", platform, its)
	}
	held.Advance(time.Second)
}

// TestSellerCannotBePaidOut: a payout fails at the seller's bank: its money is back, and the account gets no more.
func TestSellerCannotBePaidOut(t *testing.T) {
	t.Parallel()
	w, held, seller := market(t)
	ctx := t.Context()
	must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, payment(50_00, func(p *stripe.PaymentIntentCreateParams) {
		p.TransferData = &stripe.PaymentIntentCreateTransferDataParams{Destination: seller, Amount: stripe.Int64(40_00)}
	})))
	closed := must[*stripe.BankAccount](t)(w.V1BankAccounts.Create(ctx, &stripe.BankAccountCreateParams{Account: seller, Token: str("btok_us_verified_accountClosed")}))
	payOut := func() (*stripe.Payout, error) {
		return w.V1Payouts.Create(ctx, &stripe.PayoutCreateParams{Params: stripe.Params{StripeAccount: seller}, Amount: stripe.Int64(30_00), Currency: str("usd"), Destination: &closed.ID})
	}
	failing := must[*stripe.Payout](t)(payOut())
	if its := w.has(t, seller); its != ([3]int64{10_00}) {
		t.Errorf("while it is on its way the seller has %v", its)
	}
	held.Advance(3 * time.Minute)
	got := must[*stripe.Payout](t)(w.V1Payouts.Retrieve(ctx, failing.ID, &stripe.PayoutRetrieveParams{Params: stripe.Params{StripeAccount: seller}}))
	if got.Status != stripe.PayoutStatusFailed || got.FailureCode != stripe.PayoutFailureCodeAccountClosed || w.has(t, seller) != ([3]int64{40_00}) {
		t.Errorf("the payout is %+v, the seller has %v", got, w.has(t, seller))
	}
	_, err := payOut()
	if e := refused(t, err); e.Code != stripe.ErrorCodeBankAccountUnusable {
		t.Errorf("another payout is refused by %v", e)
	}
}
