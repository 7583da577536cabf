//go:build !race

package judge_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
)

// buys tries to pay 20 dollars with a test card.
func (w *world) buys(t *testing.T, card, email string) (*stripe.PaymentIntent, error) {
	t.Helper()
	return w.V1PaymentIntents.Create(t.Context(), &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(20_00), Currency: str("usd"), PaymentMethod: str("pm_card_" + card), PaymentMethodTypes: strs("card"), Confirm: stripe.Bool(true),
		ReceiptEmail: &email, ReturnURL: str("https://shop.example/back"), Expand: strs("latest_charge.outcome.rule"),
	})
}

// TestRulesWithLists: a shop blocks the addresses on a list of its own, sees which rule it was, and lets one go.
func TestRulesWithLists(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	list := must[*stripe.RadarValueList](t)(w.V1RadarValueLists.Create(ctx, &stripe.RadarValueListCreateParams{Alias: str("bad_addresses"), Name: str("Bad addresses"), ItemType: str("email")}))
	item := must[*stripe.RadarValueListItem](t)(w.V1RadarValueListItems.Create(ctx, &stripe.RadarValueListItemCreateParams{ValueList: &list.ID, Value: str("mallory@example.com")}))
	_, err := w.V1RadarValueListItems.Create(ctx, &stripe.RadarValueListItemCreateParams{ValueList: &list.ID, Value: str("Mallory@example.com")})
	if why := refused(t, err); why.HTTPStatusCode != http.StatusBadRequest || why.Param != "value" {
		t.Errorf("the address again is refused with %+v", why)
	}
	w.steer(t, "radar", `{"rule":"Block if :email: IN @bad_addresses"}`)

	_, err = w.buys(t, "visa", "MALLORY@example.com")
	why := refused(t, err)
	if why.Code != stripe.ErrorCodeCardDeclined || why.DeclineCode != "fraudulent" || why.PaymentIntent.Status != stripe.PaymentIntentStatusRequiresPaymentMethod {
		t.Errorf("a blocked payment is refused with %+v", why)
	}
	charge := must[*stripe.Charge](t)(w.V1Charges.Retrieve(ctx, why.ChargeID, &stripe.ChargeRetrieveParams{Expand: strs("outcome.rule")}))
	if o := charge.Outcome; o.Type != "blocked" || o.Reason != "rule" || o.NetworkStatus != "not_sent_to_network" || o.Rule.Action != "block" || o.Rule.Predicate != ":email: IN @bad_addresses" {
		t.Errorf("the outcome is %+v by %+v", o, o.Rule)
	}
	_, err = w.V1RadarValueLists.Delete(ctx, list.ID, nil)
	if why = refused(t, err); why.HTTPStatusCode != http.StatusBadRequest {
		t.Errorf("a list that a rule names is deleted: %+v", why)
	}
	must[*stripe.RadarValueListItem](t)(w.V1RadarValueListItems.Delete(ctx, item.ID, nil))
	if paid, err := w.buys(t, "visa", "mallory@example.com"); err != nil || paid.Status != stripe.PaymentIntentStatusSucceeded {
		t.Errorf("an address that is off the list is refused: %v", err)
	}
	if all := all(t, w.V1RadarValueLists.List(ctx, &stripe.RadarValueListListParams{}).All(ctx)); len(all) != 23 {
		t.Errorf("there are %d lists, not 22 and the shop's", len(all))
	}
	named := must[*stripe.RadarValueList](t)(w.V1RadarValueLists.Update(ctx, list.ID, &stripe.RadarValueListUpdateParams{Name: str("Addresses"), Metadata: map[string]string{"team": "fraud"}}))
	if got := must[*stripe.RadarValueList](t)(w.V1RadarValueLists.Retrieve(ctx, list.ID, nil)); got.Name != "Addresses" || got.Metadata["team"] != "fraud" || got.ListItems.HasMore != named.ListItems.HasMore {
		t.Errorf("the list is %+v", got)
	}
}

// TestRulesWithSecureAndReview: rules that request 3D Secure, count, and ask a person.
func TestRulesWithSecureAndReview(t *testing.T) {
	t.Parallel()
	w, held := frozen(t)
	ctx := t.Context()
	w.steer(t, "radar", `{"rule":"Request 3D Secure if :amount_in_usd: > 15"}`)
	w.steer(t, "radar", `{"rule":"Block if :total_charges_per_email_daily: >= 2"}`)
	w.steer(t, "radar", `{"rule":"Review if :is_3d_secure_authenticated:"}`)

	paid := must[*stripe.PaymentIntent](t)(w.buys(t, "threeDSecureOptional", "ada@example.com"))
	if paid.Status != stripe.PaymentIntentStatusRequiresAction {
		t.Fatalf("the payment is %s", paid.Status)
	}
	if back := w.authenticate(t, paid.NextAction.RedirectToURL.URL, "complete"); back.Query().Get("redirect_status") != "succeeded" {
		t.Errorf("the customer is sent to %s", back)
	}
	paid = must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Retrieve(ctx, paid.ID, &stripe.PaymentIntentRetrieveParams{Expand: strs("review", "latest_charge")}))
	if paid.Status != stripe.PaymentIntentStatusSucceeded || paid.Review == nil || !paid.Review.Open || paid.LatestCharge.Outcome.Type != "manual_review" || paid.LatestCharge.PaymentMethodDetails.Card.ThreeDSecure.Result != "authenticated" {
		t.Errorf("the payment is %+v, its review %+v", paid, paid.Review)
	}
	closed := must[*stripe.Review](t)(w.V1Reviews.Approve(ctx, paid.Review.ID, nil))
	if closed.Open || closed.ClosedReason != stripe.ReviewClosedReasonApproved || closed.OpenedReason != stripe.ReviewOpenedReasonRule {
		t.Errorf("the review is %+v", closed)
	}
	must[*stripe.PaymentIntent](t)(w.buys(t, "visa", "ada@example.com"))
	_, err := w.buys(t, "mastercard", "Ada@example.com")
	if why := refused(t, err); why.DeclineCode != "fraudulent" {
		t.Errorf("the third payment in a day is refused with %+v", why)
	}
	held.Advance(25 * time.Hour)
	must[*stripe.PaymentIntent](t)(w.buys(t, "mastercard", "ada@example.com"))
}

// TestPaymentEvaluation: Radar's word on a payment that another processor takes.
func TestPaymentEvaluation(t *testing.T) {
	t.Parallel()
	w := setup(t)
	evaluate := func(card string) (*stripe.RadarPaymentEvaluation, error) {
		return w.V1RadarPaymentEvaluations.Create(t.Context(), &stripe.RadarPaymentEvaluationCreateParams{
			CustomerDetails: &stripe.RadarPaymentEvaluationCreateCustomerDetailsParams{Email: str("ada@example.com")},
			PaymentDetails: &stripe.RadarPaymentEvaluationCreatePaymentDetailsParams{Amount: stripe.Int64(20_00), Currency: str("usd"),
				PaymentMethodDetails: &stripe.RadarPaymentEvaluationCreatePaymentDetailsPaymentMethodDetailsParams{PaymentMethod: &card}},
		})
	}
	if risky := must[*stripe.RadarPaymentEvaluation](t)(evaluate("pm_card_riskLevelHighest")); risky.RecommendedAction != "block" || risky.Signals.FraudulentPayment.Score < 75 {
		t.Errorf("the evaluation is %+v", risky)
	}
	_, err := evaluate("pm_none")
	if why := refused(t, err); why.Code != stripe.ErrorCodeResourceMissing {
		t.Errorf("a card that there is not is refused with %+v", why)
	}
}
