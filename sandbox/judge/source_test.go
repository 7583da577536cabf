//go:build !race

package judge_test

import (
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// TestRedirectSource: an owner authorizes a source on its page, it is charged once, and the money goes back.
func TestRedirectSource(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	params := &stripe.SourceCreateParams{Type: str("ideal"), Amount: stripe.Int64(15_00), Currency: str("eur"),
		Owner: &stripe.SourceCreateOwnerParams{Name: str("Ada Lovelace")}, Redirect: &stripe.SourceCreateRedirectParams{ReturnURL: str("https://shop.example/back")}}
	params.AddExtra("ideal[bank]", "ing")
	made := must[*stripe.Source](t)(w.V1Sources.Create(ctx, params))
	if made.Status != stripe.SourceStatusPending || made.Flow != stripe.SourceFlowRedirect || made.Usage != stripe.SourceUsageSingleUse {
		t.Fatalf("the source is %+v", made)
	}
	pay := &stripe.ChargeCreateParams{Amount: stripe.Int64(15_00), Currency: str("eur"), Source: source(made.ID)}
	if why := refused(t, second(w.V1Charges.Create(ctx, pay))); why.HTTPStatusCode != 400 {
		t.Errorf("a pending source is refused with %+v", why)
	}
	if back := w.authenticate(t, made.Redirect.URL, "authorize"); back.Query().Get("source") != made.ID {
		t.Errorf("the owner is sent back to %s", back)
	}
	charge := must[*stripe.Charge](t)(w.V1Charges.Create(ctx, pay))
	if charge.Status != stripe.ChargeStatusSucceeded || charge.PaymentMethodDetails.IDEAL.Bank != "ing" {
		t.Errorf("the charge is %+v", charge)
	}
	if is := must[*stripe.Source](t)(w.V1Sources.Retrieve(ctx, made.ID, nil)); is.Status != stripe.SourceStatusConsumed {
		t.Errorf("the source is %s", is.Status)
	}
	must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{Charge: &charge.ID, Amount: stripe.Int64(5_00)}))
	w.holdEvents(t, "source.chargeable", "charge.succeeded")
}

// second is the error of a call, of which the object does not matter.
func second[T any](_ T, err error) error { return err }

// TestCustomersBank: a customer's bank account is verified, pays by default, and its debit is known later.
func TestCustomersBank(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	token := must[*stripe.Token](t)(w.V1Tokens.Create(ctx, &stripe.TokenCreateParams{BankAccount: &stripe.BankAccountParams{
		Country: str("US"), Currency: str("usd"), RoutingNumber: str("110000000"), AccountNumber: str("000222222227"), AccountHolderName: str("Ada"), AccountHolderType: str("individual")}}))
	owner := must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Source: &token.ID, Expand: strs("sources")}))
	bank := owner.Sources.Data[0].BankAccount
	if bank == nil || bank.Status != stripe.BankAccountStatusNew || owner.DefaultSource.ID != bank.ID {
		t.Fatalf("the customer is %+v", owner)
	}
	pay := &stripe.ChargeCreateParams{Amount: stripe.Int64(7_00), Currency: str("usd"), Customer: &owner.ID}
	if why := refused(t, second(w.V1Charges.Create(ctx, pay))); why.Code != stripe.ErrorCodeBankAccountUnverified {
		t.Errorf("an unverified bank account is refused with %+v", why)
	}
	verify := func(one, other int64) (*stripe.BankAccount, error) {
		got, err := w.V1PaymentSources.Verify(ctx, bank.ID, &stripe.PaymentSourceVerifyParams{Customer: &owner.ID, Amounts: [2]int64{one, other}})
		if err != nil {
			return nil, err
		}
		return got.BankAccount, nil
	}
	if why := refused(t, second(verify(1, 2))); why.Code != stripe.ErrorCodeBankAccountVerificationFailed || why.HTTPStatusCode != 402 {
		t.Errorf("wrong amounts are refused with %+v", why)
	}
	if is := must[*stripe.BankAccount](t)(verify(32, 45)); is.Status != stripe.BankAccountStatusVerified {
		t.Errorf("the bank account is %s", is.Status)
	}
	charge := must[*stripe.Charge](t)(w.V1Charges.Create(ctx, pay))
	if charge.Status != stripe.ChargeStatusPending || charge.PaymentMethodDetails.ACHDebit.Last4 != "2227" {
		t.Errorf("the charge is %+v", charge)
	}
	w.steer(t, "clock/advance", `{"seconds":60}`)
	if is := must[*stripe.Charge](t)(w.V1Charges.Retrieve(ctx, charge.ID, nil)); is.Status != stripe.ChargeStatusFailed || is.FailureCode != "insufficient_funds" {
		t.Errorf("a minute later the charge is %s, %s", is.Status, is.FailureCode)
	}
}

// TestConfirmationToken: what a customer has entered confirms one payment.
func TestConfirmationToken(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	made := must[*stripe.ConfirmationToken](t)(w.V1TestHelpersConfirmationTokens.Create(ctx, &stripe.TestHelpersConfirmationTokenCreateParams{
		PaymentMethod: str("pm_card_visa"), ReturnURL: str("https://shop.example/back"), SetupFutureUsage: str("off_session")}))
	if made.PaymentMethodPreview.Card.Last4 != "4242" || made.ExpiresAt-made.Created != 12*60*60 {
		t.Errorf("the token is %+v", made)
	}
	open := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{Amount: stripe.Int64(9_00), Currency: str("usd")}))
	paid := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Confirm(ctx, open.ID, &stripe.PaymentIntentConfirmParams{ConfirmationToken: &made.ID}))
	if paid.Status != stripe.PaymentIntentStatusSucceeded || paid.SetupFutureUsage != stripe.PaymentIntentSetupFutureUsageOffSession {
		t.Errorf("the intent is %+v", paid)
	}
	if is := must[*stripe.ConfirmationToken](t)(w.V1ConfirmationTokens.Retrieve(ctx, made.ID, nil)); is.PaymentIntent != paid.ID {
		t.Errorf("the token has confirmed %q", is.PaymentIntent)
	}
	again := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{Amount: stripe.Int64(9_00), Currency: str("usd")}))
	refused(t, second(w.V1PaymentIntents.Confirm(ctx, again.ID, &stripe.PaymentIntentConfirmParams{ConfirmationToken: &made.ID})))
}

// TestCountries: what accounts of a country have to tell is the same for everybody.
func TestCountries(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	us := must[*stripe.CountrySpec](t)(w.V1CountrySpecs.Retrieve(ctx, "US", nil))
	if us.DefaultCurrency != "usd" || len(us.SupportedPaymentCurrencies) < 100 || len(us.VerificationFields["individual"].Minimum) == 0 {
		t.Errorf("the United States are %+v", us)
	}
	seen := map[string]bool{}
	for _, one := range all(t, w.V1CountrySpecs.List(ctx, &stripe.CountrySpecListParams{}).All(ctx)) {
		seen[one.ID] = true
	}
	if len(seen) < 40 || !seen["DE"] || !seen["PL"] {
		t.Errorf("there are %d countries", len(seen))
	}
	refused(t, second(w.V1CountrySpecs.Retrieve(ctx, "XX", nil)))
}

// TestCustomerSession: a session opens what was asked for, for half an hour.
func TestCustomerSession(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	owner := must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{}))
	made := must[*stripe.CustomerSession](t)(w.V1CustomerSessions.Create(ctx, &stripe.CustomerSessionCreateParams{Customer: &owner.ID,
		Components: &stripe.CustomerSessionCreateComponentsParams{PricingTable: &stripe.CustomerSessionCreateComponentsPricingTableParams{Enabled: stripe.Bool(true)}}}))
	if made.Customer.ID != owner.ID || !made.Components.PricingTable.Enabled || made.Components.BuyButton.Enabled || made.ExpiresAt-made.Created != 30*60 || made.ClientSecret == "" {
		t.Errorf("the session is %+v", made)
	}
}
