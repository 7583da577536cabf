//go:build !race

package judge_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/sandbox"
)

// paid pays 20 dollars with a test card and gives the charge.
func (w *world) paid(t *testing.T, card string) *stripe.Charge {
	t.Helper()
	return must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(t.Context(), &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(20_00), Currency: str("usd"), PaymentMethod: str("pm_card_" + card), Confirm: stripe.Bool(true), PaymentMethodTypes: strs("card"), Expand: strs("latest_charge"),
	})).LatestCharge
}

// frozen is a world whose clock is moved by the test.
func frozen(t *testing.T) (*world, *clock.Fake) {
	held := clock.NewFake(time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC))
	return setup(t, sandbox.WithClock(held)), held
}

// dispute is the only dispute over a charge.
func (w *world) dispute(t *testing.T, charge string) *stripe.Dispute {
	t.Helper()
	found := all(t, w.V1Disputes.List(t.Context(), &stripe.DisputeListParams{Charge: &charge, Expand: strs("data.charge", "data.payment_intent")}).All(t.Context()))
	if len(found) != 1 {
		t.Fatalf("%d disputes over %s", len(found), charge)
	}
	return found[0]
}

func (w *world) upload(t *testing.T, purpose, name, content string) *stripe.File {
	t.Helper()
	return must[*stripe.File](t)(w.V1Files.Create(t.Context(), &stripe.FileCreateParams{
		Purpose: &purpose, FileReader: strings.NewReader(content), Filename: &name, FileLinkData: &stripe.FileCreateFileLinkDataParams{Create: stripe.Bool(true)},
	}))
}

// TestDisputeWithEvidence: a charge is disputed, countered with a letter that was uploaded, and won.
func TestDisputeWithEvidence(t *testing.T) {
	t.Parallel()
	w, held := frozen(t)
	ctx := t.Context()
	charge := w.paid(t, "createDispute")
	held.Advance(2 * time.Second)
	d := w.dispute(t, charge.ID)
	if d.Status != stripe.DisputeStatusNeedsResponse || d.Reason != stripe.DisputeReasonFraudulent || d.Charge.ID != charge.ID || d.Amount != 20_00 || d.EvidenceDetails.DueBy == 0 ||
		len(d.BalanceTransactions) != 1 || d.BalanceTransactions[0].Net != -35_00 || d.PaymentMethodDetails.Card.NetworkReasonCode != "83" {
		t.Fatalf("the dispute is %+v", d)
	}
	_, err := w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{Charge: &charge.ID})
	if why := refused(t, err); why.Code != stripe.ErrorCodeChargeDisputed {
		t.Errorf("a refund is refused with %+v", why)
	}
	letter := w.upload(t, "dispute_evidence", "letter.pdf", "%PDF-1.7 Dear issuer,")
	if letter.Filename != "letter.pdf" || letter.Type != "pdf" || len(letter.Links.Data) != 1 || letter.ExpiresAt == 0 {
		t.Errorf("the file is %+v", letter)
	}
	must[*stripe.File](t)(w.V1Files.Retrieve(ctx, letter.ID, nil))
	staged := must[*stripe.Dispute](t)(w.V1Disputes.Update(ctx, d.ID, &stripe.DisputeUpdateParams{
		Submit: stripe.Bool(false), Evidence: &stripe.DisputeUpdateEvidenceParams{CustomerCommunication: &letter.ID, CustomerName: str("Jenny Rosen")},
		Metadata: map[string]string{"case": "7"}, Expand: strs("evidence.customer_communication"),
	}))
	if staged.Status != stripe.DisputeStatusNeedsResponse || staged.Evidence.CustomerCommunication.Size != letter.Size || staged.EvidenceDetails.SubmissionCount != 0 {
		t.Errorf("with evidence kept, the dispute is %+v", staged)
	}
	sent := must[*stripe.Dispute](t)(w.V1Disputes.Update(ctx, d.ID, &stripe.DisputeUpdateParams{Evidence: &stripe.DisputeUpdateEvidenceParams{UncategorizedText: str("winning_evidence")}}))
	if sent.Status != stripe.DisputeStatusUnderReview || sent.EvidenceDetails.SubmissionCount != 1 {
		t.Errorf("with evidence sent, the dispute is %+v", sent)
	}
	held.Advance(3 * time.Second)
	end := must[*stripe.Dispute](t)(w.V1Disputes.Retrieve(ctx, d.ID, nil))
	if end.Status != stripe.DisputeStatusWon || len(end.BalanceTransactions) != 2 || !end.IsChargeRefundable {
		t.Errorf("in the end the dispute is %+v", end)
	}
	must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{Charge: &charge.ID}))
	w.holdEvents(t, "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.updated", "charge.dispute.closed", "charge.dispute.funds_reinstated", "file.created")
}

// TestDisputeIsAccepted: a dispute is closed without an answer, and an inquiry by a refund.
func TestDisputeIsAccepted(t *testing.T) {
	t.Parallel()
	w, held := frozen(t)
	ctx := t.Context()
	for _, card := range []string{"createDisputeProductNotReceived", "createComplianceDispute", "createCe3EligibleDispute"} {
		charge := w.paid(t, card)
		held.Advance(2 * time.Second)
		if d := must[*stripe.Dispute](t)(w.V1Disputes.Close(ctx, w.dispute(t, charge.ID).ID, nil)); d.Status != stripe.DisputeStatusLost || d.IsChargeRefundable {
			t.Errorf("%s: %+v", card, d)
		}
	}
	charge := w.paid(t, "createDisputeInquiry")
	held.Advance(2 * time.Second)
	must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{Charge: &charge.ID}))
	if d := w.dispute(t, charge.ID); d.Status != stripe.DisputeStatusWarningClosed || len(d.BalanceTransactions) != 0 {
		t.Errorf("the inquiry is %+v", d)
	}
	_, err := w.V1Disputes.Close(ctx, "dp_none", nil)
	if why := refused(t, err); why.HTTPStatusCode != http.StatusNotFound || why.Code != stripe.ErrorCodeResourceMissing {
		t.Errorf("%+v", why)
	}
}

// TestFileLinks: a link shows a file to whoever has it, until it is ended.
func TestFileLinks(t *testing.T) {
	t.Parallel()
	w, _ := frozen(t)
	ctx := t.Context()
	file := w.upload(t, "customer_signature", "signature.png", "\x89PNG\r\n\x1a\nJenny")
	link := must[*stripe.FileLink](t)(w.V1FileLinks.Create(ctx, &stripe.FileLinkCreateParams{File: &file.ID, Metadata: map[string]string{"a": "1"}}))
	shown := func() (int, string) {
		reply := must[*http.Response](t)(w.plain.Get(link.URL))
		defer reply.Body.Close()
		return reply.StatusCode, string(must[[]byte](t)(io.ReadAll(reply.Body)))
	}
	if status, content := shown(); status != http.StatusOK || content != "\x89PNG\r\n\x1a\nJenny" {
		t.Errorf("the link answers %d %q", status, content)
	}
	if n := len(all(t, w.V1FileLinks.List(ctx, &stripe.FileLinkListParams{File: &file.ID, Expired: stripe.Bool(false)}).All(ctx))); n != 2 {
		t.Errorf("%d links", n)
	}
	ended := must[*stripe.FileLink](t)(w.V1FileLinks.Update(ctx, link.ID, &stripe.FileLinkUpdateParams{ExpiresAtNow: stripe.Bool(true)}))
	if status, _ := shown(); status != http.StatusNotFound || !ended.Expired {
		t.Errorf("the link answers %d once it is %+v", status, ended)
	}
	must[*stripe.FileLink](t)(w.V1FileLinks.Retrieve(ctx, link.ID, &stripe.FileLinkRetrieveParams{Expand: strs("file")}))
	all(t, w.V1Files.List(ctx, &stripe.FileListParams{Purpose: str("customer_signature")}).All(ctx))
	_, err := w.V1Files.Create(ctx, &stripe.FileCreateParams{Purpose: str("dispute_evidence"), FileReader: strings.NewReader("plain"), Filename: str("a.pdf")})
	if why := refused(t, err); why.Param != "file" {
		t.Errorf("%+v", why)
	}
}

// TestFraud: a warning that a refund answers, and reviews that are approved or end with a refund.
func TestFraud(t *testing.T) {
	t.Parallel()
	w, held := frozen(t)
	ctx := t.Context()
	charge := w.paid(t, "createIssuerFraudRecord")
	held.Advance(time.Second)
	warnings := all(t, w.V1RadarEarlyFraudWarnings.List(ctx, &stripe.RadarEarlyFraudWarningListParams{Charge: &charge.ID}).All(ctx))
	if len(warnings) != 1 || !warnings[0].Actionable || warnings[0].FraudType != "made_with_stolen_card" {
		t.Fatalf("the warnings are %+v", warnings)
	}
	must[*stripe.Refund](t)(w.V1Refunds.Create(ctx, &stripe.RefundCreateParams{Charge: &charge.ID, Reason: str("fraudulent")}))
	warning := must[*stripe.RadarEarlyFraudWarning](t)(w.V1RadarEarlyFraudWarnings.Retrieve(ctx, warnings[0].ID, &stripe.RadarEarlyFraudWarningRetrieveParams{Expand: strs("charge")}))
	if warning.Actionable || !warning.Charge.Refunded {
		t.Errorf("the warning is %+v", warning)
	}
	charge = w.paid(t, "riskLevelElevated")
	review := must[*stripe.Review](t)(w.V1Reviews.Approve(ctx, charge.Review.ID, &stripe.ReviewApproveParams{Expand: strs("payment_intent")}))
	if review.Open || review.ClosedReason != stripe.ReviewClosedReasonApproved || charge.Outcome.Type != "manual_review" {
		t.Errorf("the review is %+v", review)
	}
	w.paid(t, "riskLevelElevated")
	if open := all(t, w.V1Reviews.List(ctx, &stripe.ReviewListParams{}).All(ctx)); len(open) != 1 || open[0].Reason != "rule" {
		t.Errorf("open are %+v", open)
	}
	must[*stripe.Charge](t)(w.V1Charges.Update(ctx, charge.ID, &stripe.ChargeUpdateParams{FraudDetails: &stripe.ChargeUpdateFraudDetailsParams{UserReport: str("safe")}}))
	w.holdEvents(t, "radar.early_fraud_warning.created", "radar.early_fraud_warning.updated", "review.opened", "review.closed")
}

// TestCardUpdater: the network replaces a saved card, and the next payment is made with the new one.
func TestCardUpdater(t *testing.T) {
	t.Parallel()
	w, held := frozen(t)
	ctx := t.Context()
	customer := must[*stripe.Customer](t)(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{}))
	card := must[*stripe.PaymentMethod](t)(w.V1PaymentMethods.Create(ctx, &stripe.PaymentMethodCreateParams{
		Type: str("card"), Card: &stripe.PaymentMethodCreateCardParams{Number: str("4242424242424242"), ExpMonth: stripe.Int64(1), ExpYear: stripe.Int64(2026)},
	}))
	must[*stripe.PaymentMethod](t)(w.V1PaymentMethods.Attach(ctx, card.ID, &stripe.PaymentMethodAttachParams{Customer: &customer.ID}))
	held.Advance(27 * 24 * time.Hour) // into February
	pi := must[*stripe.PaymentIntent](t)(w.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(5_00), Currency: str("usd"), Customer: &customer.ID, PaymentMethod: &card.ID, Confirm: stripe.Bool(true), OffSession: stripe.Bool(true), Expand: strs("latest_charge"),
	}))
	if paid := pi.LatestCharge.PaymentMethodDetails.Card; paid.ExpYear != 2030 || paid.Last4 != "4242" {
		t.Errorf("it was paid with %+v", paid)
	}
	w.holdEvents(t, "payment_method.automatically_updated")
}
