package sandbox

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/till-pay/till/sandbox/spec"
)

// Bounds of evidence: of all its texts together, in characters, and of all its files together, in bytes (the parameter evidence of
// POST /v1/disputes/{dispute}, and docs.stripe.com/disputes/responding).
const (
	maxEvidenceText  = 150_000
	maxEvidenceFiles = 9 << 19
)

// What uncategorized_text decides in test mode (docs.stripe.com/testing#evidence).
const (
	winningEvidence  = "winning_evidence"
	losingEvidence   = "losing_evidence"
	escalateEvidence = "escalate_inquiry_evidence"
)

// updateDispute takes evidence in. It is sent to the issuer at once unless submit is false, which only keeps it.
func updateDispute(c *call, r *record) error {
	given := c.params.Has("evidence")
	submits := given
	if c.params.Has("submit") {
		submits = c.params.Bool("submit")
	}
	if !given && !submits {
		return nil
	}
	if status := r.object().String("status"); status != needsResponse && status != inquiryOpen {
		return r.settledDispute()
	}
	if r.object().Sub("evidence_details").Bool("past_due") {
		return refused("", "evidence", "The dispute %s is past its due date, so that no more evidence can be submitted for it.", r.id)
	}
	evidence := r.object().Sub("evidence").Clone()
	if err := c.readEvidence(evidence); err != nil {
		return err
	}
	r.object().Set("evidence", evidence)
	r.object().Sub("evidence_details").Set("has_evidence", gives(evidence))
	showEligibility(c, r.object())
	if !submits {
		return nil
	}
	return c.submit(r, evidence)
}

// readEvidence writes the evidence of a request into that which is there. What has been given can be replaced, but not taken out.
func (c *call) readEvidence(evidence *spec.Object) error {
	given := c.params.Sub("evidence")
	for _, name := range given.Names() {
		if name == "enhanced_evidence" {
			if err := c.readEnhanced(evidence, given); err != nil {
				return err
			}
			continue
		}
		set(evidence, name, given)
	}
	return c.checkEvidence(evidence)
}

// checkEvidence holds evidence against the bounds, and its files against what has been uploaded.
func (c *call) checkEvidence(evidence *spec.Object) error {
	text, size := 0, int64(0)
	for _, field := range spec.Fields("dispute_evidence") {
		value := evidence.String(field.Name)
		if value == "" {
			continue
		}
		if !field.Expandable {
			text += utf8.RuneCountInString(value)
			continue
		}
		param := "evidence[" + field.Name + "]"
		file := c.find("file", value)
		if file == nil {
			return missingIn(param, "file upload", value)
		}
		if purpose := file.object().String("purpose"); purpose != "dispute_evidence" {
			return invalid("", param, "The file %s was uploaded with the purpose %s, and evidence takes files with the purpose dispute_evidence only.", value, purpose)
		}
		size += file.object().Int("size")
	}
	switch {
	case text > maxEvidenceText:
		return invalid("", "evidence", "The combined character count of all evidence is limited to 150,000; this is %d.", text)
	case size > maxEvidenceFiles:
		return invalid("", "evidence", "The combined size of all evidence files is limited to 4.5 MB; this is %d bytes.", size)
	}
	return nil
}

// gives says whether there is anything in evidence.
func gives(evidence *spec.Object) bool {
	for _, field := range spec.Fields("dispute_evidence") {
		if evidence.String(field.Name) != "" {
			return true
		}
	}
	enhanced := evidence.Sub("enhanced_evidence")
	return enhanced.Sub("visa_compelling_evidence_3") != nil || enhanced.Sub("visa_compliance").Bool("fee_acknowledged") || enhanced.Sub("mastercard_compliance").Bool("fee_acknowledged")
}

// submit sends the evidence to the issuer, which happens once, and arranges for the verdict.
func (c *call) submit(r *record, evidence *spec.Object) error {
	if !gives(evidence) {
		return invalid("", "submit", "There is no evidence to submit for the dispute %s.", r.id)
	}
	if kind := complianceOf(r.object()); kind != "" && !evidence.Sub("enhanced_evidence").Sub(kind).Bool("fee_acknowledged") {
		return invalid("", "evidence[enhanced_evidence]["+kind+"][fee_acknowledged]", "To counter the dispute %s, acknowledge the network's fee by setting fee_acknowledged to true.", r.id)
	}
	details := r.object().Sub("evidence_details")
	details.Set("submission_count", details.Int("submission_count")+1)
	inquiry := r.object().String("status") == inquiryOpen
	r.object().Set("status", underReview)
	if inquiry {
		r.object().Set("status", inquiryReviewed)
	} else {
		c.counter(r)
	}
	verdict, after := judged(r.object(), inquiry)
	c.in(after, "dispute.decide", r, verdict)
	return nil
}

// counter takes the fee for answering a dispute.
func (c *call) counter(r *record) {
	if !counteringCosts(c.standing().Country, c.now()) {
		return
	}
	ch, fee := c.byID[r.object().String("charge")], c.disputeFee(c.settledIn(r))
	private[contest](r).Countered = fee
	c.adjust(r, ch, "dispute", "Dispute countered fee for "+ch.id, 0, fee)
}

// judged is what evidence will end in, and after how long: at a magic word soon; otherwise by whether it is complete, after the time that
// issuers take.
func judged(o *spec.Object, inquiry bool) (verdict string, after time.Duration) {
	evidence := o.Sub("evidence")
	wins := complete(o)
	after = evidenceAfter
	switch evidence.String("uncategorized_text") {
	case winningEvidence:
		wins, after = true, magicAfter
	case losingEvidence:
		wins, after = inquiry, magicAfter // an inquiry has nothing to lose
	case escalateEvidence:
		if inquiry {
			return needsResponse, magicAfter
		}
	}
	switch {
	case inquiry && wins:
		return inquiryClosed, after
	case inquiry:
		return needsResponse, after
	case wins:
		return disputeWon, after
	default:
		return disputeLost, after
	}
}

// needed is what evidence must hold to be complete, by the reason of the dispute: every field of one of the rows, which are for physical
// goods, digital goods and services where these differ. They are the fields that docs.stripe.com/disputes/reason-codes-defense-requirements
// recommended in April 2024, without those that are for everything else; of subscription_canceled the page was not at hand.
var needed = map[string][][]string{
	"credit_not_processed": {{"refund_policy", "refund_policy_disclosure", "refund_refusal_explanation", "customer_communication"}},
	"duplicate": {
		{"duplicate_charge_id", "duplicate_charge_explanation", "duplicate_charge_documentation", "customer_communication"},
	},
	"fraudulent": {
		{"customer_communication", "customer_signature", "shipping_address", "shipping_documentation", "shipping_date", "shipping_carrier", "shipping_tracking_number"},
		{"customer_purchase_ip", "customer_name", "customer_email_address", "access_activity_log"},
		{"customer_communication", "customer_signature", "service_date", "service_documentation"},
	},
	"product_not_received": {
		{"customer_communication", "customer_signature", "shipping_address", "shipping_documentation", "shipping_date", "shipping_carrier", "shipping_tracking_number"},
		{"customer_purchase_ip", "customer_name", "customer_email_address", "access_activity_log", "customer_communication"},
		{"customer_communication", "customer_signature", "service_date", "service_documentation"},
	},
	"product_unacceptable":  {{"product_description", "customer_communication", "refund_policy", "refund_policy_disclosure"}},
	"subscription_canceled": {{"cancellation_policy", "cancellation_policy_disclosure", "cancellation_rebuttal", "customer_communication"}},
	"noncompliant":          {{"uncategorized_text"}, {"uncategorized_file"}},
}

// complete says whether evidence is all that the reason of a dispute asks for. Evidence that meets Visa's rules for compelling evidence
// 3.0 wins by those rules. What has no rows of its own is answered as a fraudulent one.
func complete(o *spec.Object) bool {
	if qualifies(o) {
		return true
	}
	rows := needed[o.String("reason")]
	if rows == nil {
		rows = needed["fraudulent"]
	}
	evidence := o.Sub("evidence")
	return slices.ContainsFunc(rows, func(row []string) bool {
		return !slices.ContainsFunc(row, func(field string) bool { return evidence.String(field) == "" })
	})
}
