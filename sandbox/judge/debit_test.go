//go:build !race

package judge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
)

// TestDebitThatFailsAfterFourDays: a payment from an American bank account is processing on Monday, and fails on Friday. Its money was
// in the balance, pending, and is out of it again before it could be paid out; what the failure costs stays.
func TestDebitThatFailsAfterFourDays(t *testing.T) {
	t.Parallel()
	w, held := frozen(t) // Monday, noon
	ctx := t.Context()
	w.steer(t, "account", `{"bank_debits":"real"}`)
	paid := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(200_00), Currency: str("usd"), PaymentMethodTypes: strs("us_bank_account"), PaymentMethod: str("pm_usBankAccount_insufficientFunds"), Confirm: stripe.Bool(true),
		MandateData: &stripe.PaymentIntentCreateMandateDataParams{CustomerAcceptance: &stripe.PaymentIntentCreateMandateDataCustomerAcceptanceParams{
			Type: str("online"), Online: &stripe.PaymentIntentCreateMandateDataCustomerAcceptanceOnlineParams{IPAddress: str("192.0.2.7"), UserAgent: str("Firefox")},
		}},
		Expand: strs("latest_charge.balance_transaction"),
	}))
	charge := paid.LatestCharge
	if paid.Status != stripe.PaymentIntentStatusProcessing || charge.Status != stripe.ChargeStatusPending || charge.Paid || !strings.HasPrefix(charge.ID, "py_") {
		t.Fatalf("at first the payment is %+v with %+v", paid.Status, charge)
	}
	if txn := charge.BalanceTransaction; txn.Type != "payment" || txn.ReportingCategory != "charge" || txn.Fee != 1_60 || txn.AvailableOn != time.Date(2026, 1, 12, 0, 0, 0, 0, time.UTC).Unix() {
		t.Errorf("it is booked as %+v", txn)
	}
	mandate := must[*stripe.Mandate](t)(w.V1Mandates.Retrieve(ctx, charge.PaymentMethodDetails.USBankAccount.Mandate.ID, nil))
	if mandate.Status != stripe.MandateStatusActive || mandate.SingleUse.Amount != 200_00 || mandate.CustomerAcceptance.Online.IPAddress != "192.0.2.7" {
		t.Errorf("the mandate is %+v", mandate)
	}
	held.Advance(4*24*time.Hour - time.Second)
	if is := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(ctx, paid.ID, nil)); is.Status != stripe.PaymentIntentStatusProcessing {
		t.Fatalf("a second before four days are over it is %s", is.Status)
	}
	held.Advance(time.Second)
	failed := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(ctx, paid.ID, &stripe.PaymentIntentRetrieveParams{Expand: strs("latest_charge.failure_balance_transaction")}))
	if failed.Status != stripe.PaymentIntentStatusRequiresPaymentMethod || failed.LastPaymentError.Code != "payment_intent_payment_attempt_failed" || failed.LatestCharge.FailureCode != "insufficient_funds" {
		t.Errorf("after four days it is %s: %+v", failed.Status, failed.LastPaymentError)
	}
	if txn := failed.LatestCharge.FailureBalanceTransaction; txn.Type != "payment_failure_refund" || txn.ReportingCategory != "charge_failure" || txn.Amount != -200_00 || txn.Net != -202_40 {
		t.Errorf("it is booked back as %+v", txn)
	}
	if got, want := w.happened(t), []string{"payment_intent.created", "charge.pending", "payment_intent.processing", "mandate.updated", "charge.failed", "payment_intent.payment_failed"}; !slices.Equal(got, want) {
		t.Errorf("announced are %v", got)
	}
	held.Advance(7 * 24 * time.Hour)
	sum := int64(0)
	for _, txn := range all(t, w.V1BalanceTransactions.List(ctx, &stripe.BalanceTransactionListParams{}).All(ctx)) {
		if txn.Type == "payout" && txn.Amount < 0 {
			t.Errorf("money has been paid out: %+v", txn)
		}
		sum += txn.Net
	}
	balance := must[*stripe.Balance](t)(w.V1Balance.Retrieve(ctx, nil))
	if balance.Available[0].Amount+balance.Pending[0].Amount != sum {
		t.Errorf("the balance is %+v, its transactions add up to %d", balance, sum)
	}
}

// happened is the types of all events of money and mandates, the oldest first.
func (w *world) happened(t *testing.T) (types []string) {
	t.Helper()
	for _, e := range all(t, w.V1Events.List(t.Context(), &stripe.EventListParams{}).All(t.Context())) {
		types = append(types, string(e.Type))
	}
	slices.Reverse(types)
	return types
}

// TestSEPAIsSavedAndDisputed: a customer sets an IBAN up, is debited while away, and disputes it for good.
func TestSEPAIsSavedAndDisputed(t *testing.T) {
	t.Parallel()
	w, held := frozen(t)
	ctx := t.Context()
	customer := must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{}))
	method := must[*stripe.PaymentMethod](t)(w.V1PaymentMethods.Create(ctx, &stripe.PaymentMethodCreateParams{
		Type: str("sepa_debit"), SEPADebit: &stripe.PaymentMethodCreateSEPADebitParams{IBAN: str("DE35 3704 0044 0532 0130 02")},
		BillingDetails: &stripe.PaymentMethodCreateBillingDetailsParams{Name: str("Ada Lovelace"), Email: str("ada@example.com")},
	}))
	if of := method.SEPADebit; of.BankCode != "37040044" || of.Country != "DE" || of.Last4 != "3002" || of.Fingerprint == "" {
		t.Errorf("the account is %+v", of)
	}
	set := must[*stripe.SetupIntent](t)(w.V1SetupIntents.Create(ctx, &stripe.SetupIntentCreateParams{
		Customer: &customer.ID, PaymentMethod: &method.ID, PaymentMethodTypes: strs("sepa_debit"), Confirm: stripe.Bool(true),
		MandateData: &stripe.SetupIntentCreateMandateDataParams{CustomerAcceptance: &stripe.SetupIntentCreateMandateDataCustomerAcceptanceParams{Type: str("offline")}},
		Expand:      strs("mandate"),
	}))
	if set.Status != stripe.SetupIntentStatusSucceeded || set.Mandate.MultiUse == nil || set.Mandate.PaymentMethodDetails.SEPADebit.Reference == "" {
		t.Fatalf("set up is %+v", set)
	}
	paid := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(80_00), Currency: str("eur"), Customer: &customer.ID, PaymentMethod: &method.ID, PaymentMethodTypes: strs("sepa_debit"),
		Confirm: stripe.Bool(true), OffSession: stripe.Bool(true), Expand: strs("latest_charge"),
	}))
	if paid.LatestCharge.PaymentMethodDetails.SEPADebit.Mandate != set.Mandate.ID {
		t.Errorf("it is debited under the mandate %s", paid.LatestCharge.PaymentMethodDetails.SEPADebit.Mandate)
	}
	held.Advance(5 * time.Second)
	lost := w.dispute(t, paid.LatestCharge.ID)
	if lost.Status != stripe.DisputeStatusLost || lost.Reason != "debit_not_authorized" || len(lost.BalanceTransactions) != 1 {
		t.Errorf("the dispute is %+v", lost)
	}
	_, err := w.V1Disputes.Update(ctx, lost.ID, &stripe.DisputeUpdateParams{Evidence: &stripe.DisputeUpdateEvidenceParams{UncategorizedText: str("winning_evidence")}})
	refused(t, err)
	if is := must[*stripe.Mandate](t)(w.V1Mandates.Retrieve(ctx, set.Mandate.ID, nil)); is.Status != stripe.MandateStatusInactive {
		t.Errorf("the mandate is %s after the dispute", is.Status)
	}
	got := w.happened(t)
	if tail := got[len(got)-6:]; !slices.Equal(tail, []string{"charge.succeeded", "payment_intent.succeeded", "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed", "mandate.updated"}) {
		t.Errorf("announced at the end are %v", tail)
	}
}

// TestBacs: the network accepts a mandate some time after it was given; a debit of it is refunded.
func TestBacs(t *testing.T) {
	t.Parallel()
	w, held := frozen(t)
	ctx := t.Context()
	w.steer(t, "account", `{"country":"GB"}`)
	paid := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(50_00), Currency: str("gbp"), PaymentMethodTypes: strs("bacs_debit"), PaymentMethod: str("pm_bacsDebit_success"), Confirm: stripe.Bool(true),
		MandateData: &stripe.PaymentIntentCreateMandateDataParams{CustomerAcceptance: &stripe.PaymentIntentCreateMandateDataCustomerAcceptanceParams{Type: str("offline")}},
		Expand:      strs("latest_charge.balance_transaction"),
	}))
	id := paid.LatestCharge.PaymentMethodDetails.BACSDebit.Mandate
	if is := must[*stripe.Mandate](t)(w.V1Mandates.Retrieve(ctx, id, nil)); is.Status != stripe.MandateStatusPending || is.PaymentMethodDetails.BACSDebit.NetworkStatus != "pending" {
		t.Errorf("the mandate begins as %+v", is)
	}
	if txn := paid.LatestCharge.BalanceTransaction; txn.Currency != "gbp" || txn.Fee != 50 {
		t.Errorf("it is booked as %+v", txn)
	}
	held.Advance(5 * time.Second)
	refund := must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{PaymentIntent: &paid.ID, Amount: stripe.Int64(20_00), Expand: strs("balance_transaction")}))
	if refund.Status != stripe.RefundStatusPending || refund.BalanceTransaction.Type != "payment_refund" || !strings.HasPrefix(refund.ID, "pyr_") || refund.DestinationDetails.Type != "gb_bank_transfer" {
		t.Errorf("the refund is %+v", refund)
	}
	held.Advance(10 * time.Second)
	if is := must[*stripe.Refund](t)(w.V1Refunds.Retrieve(ctx, refund.ID, nil)); is.Status != stripe.RefundStatusSucceeded {
		t.Errorf("the refund ends as %+v", is)
	}
}

// TestBECS: an Australian account is closed, and the same payment goes on with another.
func TestBECS(t *testing.T) {
	t.Parallel()
	w, held := frozen(t)
	ctx := t.Context()
	agreed := &stripe.PaymentIntentMandateDataParams{CustomerAcceptance: &stripe.PaymentIntentMandateDataCustomerAcceptanceParams{Type: str("offline")}}
	intent := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(70_00), Currency: str("aud"), PaymentMethodTypes: strs("au_becs_debit"),
	}))
	for _, try := range []struct {
		method string
		ends   stripe.PaymentIntentStatus
	}{{"pm_auBecsDebit_accountClosed", stripe.PaymentIntentStatusRequiresPaymentMethod}, {"pm_auBecsDebit_success", stripe.PaymentIntentStatusSucceeded}} {
		is := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Confirm(ctx, intent.ID, &stripe.PaymentIntentConfirmParams{PaymentMethod: &try.method, MandateData: agreed}))
		if is.Status != stripe.PaymentIntentStatusProcessing {
			t.Fatalf("%s makes it %s", try.method, is.Status)
		}
		held.Advance(3 * time.Second)
		if is = must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(ctx, intent.ID, nil)); is.Status != try.ends {
			t.Errorf("%s ends as %s", try.method, is.Status)
		}
	}
	if charges := all(t, w.V1Charges.List(ctx, &stripe.ChargeListParams{PaymentIntent: &intent.ID}).All(ctx)); len(charges) != 2 || charges[1].FailureCode != "account_closed" {
		t.Errorf("the charges are %+v", charges)
	}
}

// TestMicrodeposits: an account that was given by its number is debited once its holder has told what it was sent.
func TestMicrodeposits(t *testing.T) {
	t.Parallel()
	w, held := frozen(t)
	ctx := t.Context()
	open := func() *stripe.SetupIntent {
		return must[*stripe.SetupIntent](t)(w.V1SetupIntents.Create(ctx, &stripe.SetupIntentCreateParams{
			PaymentMethodTypes: strs("us_bank_account"), Confirm: stripe.Bool(true),
			PaymentMethodData: &stripe.SetupIntentCreatePaymentMethodDataParams{
				Type:           str("us_bank_account"),
				USBankAccount:  &stripe.SetupIntentCreatePaymentMethodDataUSBankAccountParams{AccountHolderType: str("individual"), AccountNumber: str("000123456789"), RoutingNumber: str("110000000")},
				BillingDetails: &stripe.SetupIntentCreatePaymentMethodDataBillingDetailsParams{Name: str("Ada Lovelace")},
			},
			MandateData: &stripe.SetupIntentCreateMandateDataParams{CustomerAcceptance: &stripe.SetupIntentCreateMandateDataCustomerAcceptanceParams{Type: str("offline")}},
		}))
	}
	set := open()
	if next := set.NextAction.VerifyWithMicrodeposits; set.Status != stripe.SetupIntentStatusRequiresAction || next.ArrivalDate != time.Date(2026, 1, 7, 0, 0, 0, 0, time.UTC).Unix() {
		t.Fatalf("the account asks for %+v", set)
	}
	for left := 9; left > 0; left-- {
		_, err := w.V1SetupIntents.VerifyMicrodeposits(ctx, set.ID, &stripe.SetupIntentVerifyMicrodepositsParams{DescriptorCode: str("SM99ZZ")})
		if e := refused(t, err); e.Code != "payment_method_microdeposit_verification_descriptor_code_mismatch" {
			t.Fatalf("with %d attempts left a wrong code is refused with %v", left, e)
		}
	}
	_, err := w.V1SetupIntents.VerifyMicrodeposits(ctx, set.ID, &stripe.SetupIntentVerifyMicrodepositsParams{DescriptorCode: str("SM99ZZ")})
	if e := refused(t, err); e.Code != "payment_method_microdeposit_verification_attempts_exceeded" || e.SetupIntent.Status != stripe.SetupIntentStatusRequiresPaymentMethod {
		t.Fatalf("the tenth is refused with %v", e)
	}
	set = open()
	held.Advance(10 * 24 * time.Hour)
	if is := must[*stripe.SetupIntent](t)(w.V1SetupIntents.Retrieve(ctx, set.ID, nil)); is.LastSetupError.Code != "payment_method_microdeposit_verification_timeout" {
		t.Errorf("after ten days it is %+v", is)
	}
	set = open()
	verified := must[*stripe.SetupIntent](t)(w.V1SetupIntents.VerifyMicrodeposits(ctx, set.ID, &stripe.SetupIntentVerifyMicrodepositsParams{Amounts: []*int64{stripe.Int64(32), stripe.Int64(45)}, Expand: strs("mandate")}))
	if verified.Status != stripe.SetupIntentStatusSucceeded || verified.Mandate.Status != stripe.MandateStatusActive {
		t.Errorf("verified it is %+v", verified)
	}
}
