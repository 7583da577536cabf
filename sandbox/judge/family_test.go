//go:build !race

package judge_test

import (
	"net/http"
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// TestClientIsRefused: Stripe's client for Go understands a refusal by each family whose journey goes without one.
func TestClientIsRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	review := w.paid(t, "riskLevelElevated").Review.ID
	must[*stripe.Review](t)(w.V1Reviews.Approve(ctx, review, nil))
	for name, c := range map[string]struct {
		ask    func() error
		status int
		code   stripe.ErrorCode
	}{
		"account":             {func() error { _, err := w.V1Accounts.GetByID(ctx, "acct_1234567890123456", nil); return err }, http.StatusForbidden, "account_invalid"},
		"apple pay":           {func() error { _, err := w.V1ApplePayDomains.Delete(ctx, "apwc_none", nil); return err }, http.StatusNotFound, stripe.ErrorCodeResourceMissing},
		"balance transaction": {func() error { _, err := w.V1BalanceTransactions.Retrieve(ctx, "txn_none", nil); return err }, http.StatusNotFound, stripe.ErrorCodeResourceMissing},
		"balance settings": {func() error {
			_, err := w.V1BalanceSettings.Update(ctx, &stripe.BalanceSettingsUpdateParams{Payments: &stripe.BalanceSettingsUpdatePaymentsParams{
				SettlementTiming: &stripe.BalanceSettingsUpdatePaymentsSettlementTimingParams{DelayDaysOverride: stripe.Int64(1)},
			}})
			return err
		}, http.StatusBadRequest, stripe.ErrorCodeParameterInvalidInteger},
		"configuration": {func() error { _, err := w.V1PaymentMethodConfigurations.Retrieve(ctx, "pmc_none", nil); return err }, http.StatusNotFound, stripe.ErrorCodeResourceMissing},
		"ephemeral key": {func() error {
			_, err := w.V1EphemeralKeys.Create(ctx, &stripe.EphemeralKeyCreateParams{Customer: str("cus_none"), StripeVersion: str(stripe.APIVersion)})
			return err
		}, http.StatusBadRequest, stripe.ErrorCodeResourceMissing},
		"event":     {func() error { _, err := w.V1Events.Retrieve(ctx, "evt_none", nil); return err }, http.StatusNotFound, stripe.ErrorCodeResourceMissing},
		"file link": {func() error { _, err := w.V1FileLinks.Retrieve(ctx, "link_none", nil); return err }, http.StatusNotFound, stripe.ErrorCodeResourceMissing},
		"review":    {func() error { _, err := w.V1Reviews.Approve(ctx, review, nil); return err }, http.StatusBadRequest, ""},
		"setup attempt": {func() error {
			return listError(w.V1SetupAttempts.List(ctx, &stripe.SetupAttemptListParams{SetupIntent: str("seti_none")}).All(ctx))
		}, http.StatusBadRequest, stripe.ErrorCodeResourceMissing},
		"setup intent": {func() error { _, err := w.V1SetupIntents.Cancel(ctx, "seti_none", nil); return err }, http.StatusNotFound, stripe.ErrorCodeResourceMissing},
		"top-up":       {func() error { _, err := w.V1Topups.Cancel(ctx, "tu_none", nil); return err }, http.StatusNotFound, stripe.ErrorCodeResourceMissing},
		"warning":      {func() error { _, err := w.V1RadarEarlyFraudWarnings.Retrieve(ctx, "issfr_none", nil); return err }, http.StatusNotFound, stripe.ErrorCodeResourceMissing},
		"webhook endpoint": {func() error {
			_, err := w.V1WebhookEndpoints.Create(ctx, &stripe.WebhookEndpointCreateParams{URL: str("shop.example.com"), EnabledEvents: strs("*")})
			return err
		}, http.StatusBadRequest, "url_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if why := refused(t, c.ask()); why.HTTPStatusCode != c.status || why.Code != c.code || why.Msg == "" || why.RequestID == "" {
				t.Errorf("refused with %d %s %s", why.HTTPStatusCode, why.Code, why.Msg)
			}
		})
	}
}

// TestCardsOfAccount: an account takes payouts on a debit card, and only on such a card.
func TestCardsOfAccount(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	own := must[*stripe.Account](t)(w.V1Accounts.Retrieve(ctx, nil)).ID
	card := must[*stripe.Card](t)(w.V1Cards.Create(ctx, &stripe.CardCreateParams{Account: &own, Token: str("tok_visa_debit_us_transferSuccess")}))
	must[*stripe.Card](t)(w.V1Cards.Update(ctx, card.ID, &stripe.CardUpdateParams{Account: &own, Name: str("Ada")}))
	if is := must[*stripe.Card](t)(w.V1Cards.Retrieve(ctx, card.ID, &stripe.CardRetrieveParams{Account: &own})); is.Funding != stripe.CardFundingDebit || is.Name != "Ada" {
		t.Errorf("the card is %+v", is)
	}
	_, err := w.V1Cards.Create(ctx, &stripe.CardCreateParams{Account: &own, Token: str("tok_visa")})
	if why := refused(t, err); why.Code != stripe.ErrorCodeInvalidCardType {
		t.Errorf("a credit card is refused with %+v", why)
	}
	if gone := must[*stripe.Card](t)(w.V1Cards.Delete(ctx, card.ID, &stripe.CardDeleteParams{Account: &own})); !gone.Deleted {
		t.Errorf("deleted is %+v", gone)
	}
}
