//go:build !race

package judge_test

import (
	"net/http"
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// source names a token or a card as what is charged or kept.
func source(name string) *stripe.PaymentSourceSourceParams {
	return &stripe.PaymentSourceSourceParams{Token: &name}
}

// token makes a token of a card.
func (w *world) token(t *testing.T, number string) (*stripe.Token, error) {
	t.Helper()
	return w.V1Tokens.Create(t.Context(), &stripe.TokenCreateParams{
		Card: &stripe.CardParams{Number: &number, ExpMonth: str("12"), ExpYear: str("2040"), CVC: str("314"), Name: str("Ada Lovelace")},
	})
}

// TestTokens: a token is spent once.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	token := must[*stripe.Token](t)(w.token(t, "4242424242424242"))
	if token.Used || token.Card.Last4 != "4242" || token.Card.Name != "Ada Lovelace" {
		t.Errorf("the token is %+v of %+v", token, token.Card)
	}
	must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Source: &token.ID}))
	if spent := must[*stripe.Token](t)(w.V1Tokens.Retrieve(ctx, token.ID, nil)); !spent.Used {
		t.Errorf("a token that was spent is %+v", spent)
	}
	_, err := w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Source: &token.ID})
	if why := refused(t, err); why.Code != stripe.ErrorCodeTokenAlreadyUsed {
		t.Errorf("to spend it twice is refused with %+v", why)
	}
	_, err = w.token(t, "4242424242424241")
	if why := refused(t, err); why.Code != stripe.ErrorCodeIncorrectNumber || why.HTTPStatusCode != http.StatusPaymentRequired {
		t.Errorf("a wrong number is refused with %+v", why)
	}
}

// TestCardsOfCustomer: a customer keeps cards in the older way, is charged on the default one, and gives one up.
func TestCardsOfCustomer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	owner := must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{Source: str("tok_visa")})).ID
	card := must[*stripe.PaymentSource](t)(w.V1PaymentSources.Create(ctx, &stripe.PaymentSourceCreateParams{Customer: &owner, Source: source("tok_mastercard")})).Card
	must[*stripe.PaymentSource](t)(w.V1PaymentSources.Update(ctx, card.ID, &stripe.PaymentSourceUpdateParams{Customer: &owner, Name: str("Ada"), ExpYear: str("2041")}))
	if is := must[*stripe.PaymentSource](t)(w.V1PaymentSources.Retrieve(ctx, card.ID, &stripe.PaymentSourceRetrieveParams{Customer: &owner})).Card; is.ExpYear != 2041 || is.Name != "Ada" {
		t.Errorf("the card is %+v", is)
	}
	must[*stripe.Customer](t)(w.V1Customers.Update(ctx, owner, &stripe.CustomerUpdateParams{DefaultSource: &card.ID}))
	charge := must[*stripe.Charge](t)(w.V1Charges.Create(ctx, &stripe.ChargeCreateParams{Amount: stripe.Int64(7_00), Currency: str("usd"), Customer: &owner}))
	if charge.PaymentMethod != card.ID || charge.PaymentMethodDetails.Card.Brand != "mastercard" {
		t.Errorf("charged is %s", charge.PaymentMethod)
	}
	if gone := must[*stripe.PaymentSource](t)(w.V1PaymentSources.Delete(ctx, card.ID, &stripe.PaymentSourceDeleteParams{Customer: &owner})); !gone.Deleted {
		t.Errorf("deleted is %+v", gone)
	}
	if left := all(t, w.V1PaymentSources.List(ctx, &stripe.PaymentSourceListParams{Customer: &owner, Object: str("card")}).All(ctx)); len(left) != 1 {
		t.Errorf("left are %d cards", len(left))
	}
	_, err := w.V1PaymentSources.Create(ctx, &stripe.PaymentSourceCreateParams{Customer: &owner, Source: source("tok_chargeDeclined")})
	if why := refused(t, err); why.Code != stripe.ErrorCodeCardDeclined {
		t.Errorf("a card that is declined is refused with %+v", why)
	}
	_, err = w.V1PaymentSources.Delete(ctx, card.ID, &stripe.PaymentSourceDeleteParams{Customer: &owner})
	if why := refused(t, err); why.HTTPStatusCode != http.StatusNotFound || why.Code != stripe.ErrorCodeResourceMissing {
		t.Errorf("to delete it twice is refused with %+v", why)
	}
}

// TestChargesWithoutIntent: a token is authorized, captured in part, found, and refunded.
func TestChargesWithoutIntent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	held := must[*stripe.Charge](t)(w.V1Charges.Create(ctx, &stripe.ChargeCreateParams{
		Amount: stripe.Int64(20_00), Currency: str("usd"), Source: source("tok_visa"), Capture: stripe.Bool(false), Metadata: map[string]string{"order": "7"},
	}))
	if held.Captured || held.PaymentIntent != nil || held.BalanceTransaction != nil {
		t.Errorf("authorized is %+v", held)
	}
	_, err := w.V1Charges.Capture(ctx, held.ID, &stripe.ChargeCaptureParams{Amount: stripe.Int64(20_01)})
	if why := refused(t, err); why.HTTPStatusCode != http.StatusBadRequest {
		t.Errorf("too much is refused with %+v", why)
	}
	charge := must[*stripe.Charge](t)(w.V1Charges.Capture(ctx, held.ID, &stripe.ChargeCaptureParams{Amount: stripe.Int64(15_00), Expand: strs("balance_transaction")}))
	if !charge.Captured || charge.AmountCaptured != 15_00 || charge.BalanceTransaction.Amount != 15_00 {
		t.Errorf("captured is %+v", charge)
	}
	found := all(t, w.V1Charges.Search(ctx, &stripe.ChargeSearchParams{SearchParams: stripe.SearchParams{Query: `metadata["order"]:"7"`}}).All(ctx))
	if len(found) != 1 || found[0].ID != charge.ID {
		t.Errorf("found are %+v", found)
	}
	refund := must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{Charge: &charge.ID, Amount: stripe.Int64(10_00)}))
	if is := must[*stripe.Refund](t)(w.V1Refunds.Retrieve(ctx, refund.ID, nil)); is.Amount != 10_00 || is.PaymentIntent != nil {
		t.Errorf("the refund is %+v", is)
	}
	if n := len(all(t, w.V1Refunds.List(ctx, &stripe.RefundListParams{Charge: &charge.ID}).All(ctx))); n != 1 {
		t.Errorf("there are %d refunds", n)
	}
	_, err = w.V1Refunds.Cancel(ctx, refund.ID, nil)
	if why := refused(t, err); why.HTTPStatusCode != http.StatusBadRequest {
		t.Errorf("a refund that is done is canceled with %+v", why)
	}
	_, err = w.V1Charges.Create(ctx, &stripe.ChargeCreateParams{Amount: stripe.Int64(20_00), Currency: str("usd"), Source: source("tok_chargeDeclined")})
	if why := refused(t, err); why.HTTPStatusCode != http.StatusPaymentRequired || why.ChargeID == "" {
		t.Errorf("declined is %+v", why)
	}
}
