package sandbox

import "time"

// The times of a dispute. In test mode a dispute is there within two seconds of its charge, is due at the end of the ninth day after its
// own, and evidence with one of the magic words is decided within seconds: recordings of test mode, 2023 to 2025. Issuers take 60 to 75
// days for other evidence, and an inquiry that nothing follows ends after 120 (docs.stripe.com/disputes/how-disputes-work, May 2026).
const (
	disputedAfter   = time.Second
	withdrawnAfter  = time.Second // from there to the event of the withdrawal
	dueDays         = 9
	magicAfter      = 3 * time.Second
	evidenceAfter   = 60 * 24 * time.Hour
	inquiryLifetime = 120 * 24 * time.Hour
)

// claim is one dispute that the holder of a test card, or its issuer, raises over each of its charges.
type claim struct {
	reason   string
	kind     string // case_type: chargeback, inquiry or compliance
	code     string // network_reason_code; empty is null
	enhanced string // of enhanced_eligibility_types; empty is none
	half     bool   // over a half of the charge only
	final    bool   // lost from the beginning: there is nobody to answer to

	prevented string // case_type that it has, instead of becoming a dispute, for an account enrolled in prevention; empty is none
}

// The claims of the test cards (docs.stripe.com/testing#disputes). Fraudulent ones of Visa carry the old code 83 in test mode; a dispute
// that Visa's compelling evidence 3.0 can answer is one of code 10.4. The cards of networks' prevention programmes raise a plain dispute
// unless the account is enrolled, and so does that of Smart Disputes, which are not switched on.
var (
	fraudClaim           = []claim{{reason: "fraudulent", kind: "chargeback", code: "83"}}
	resolvableClaim      = []claim{{reason: "fraudulent", kind: "chargeback", code: "83", prevented: "resolution"}}
	blockableClaim       = []claim{{reason: "fraudulent", kind: "chargeback", code: "83", prevented: "block"}}
	alertedClaim         = []claim{{reason: "fraudulent", kind: "chargeback", code: "4837", prevented: "resolution"}}
	notReceivedClaim     = []claim{{reason: "product_not_received", kind: "chargeback", code: "13.1"}}
	inquiryClaim         = []claim{{reason: "fraudulent", kind: "inquiry", code: "83"}}
	twoClaims            = []claim{{reason: "fraudulent", kind: "chargeback", code: "83", half: true}, {reason: "fraudulent", kind: "chargeback", code: "83", half: true}}
	compellingClaim      = []claim{{reason: "fraudulent", kind: "chargeback", code: "10.4", enhanced: "visa_compelling_evidence_3"}}
	complianceClaim      = []claim{{reason: "noncompliant", kind: "compliance", code: "C028", enhanced: "visa_compliance"}}
	mastercardCompliance = []claim{{reason: "noncompliant", kind: "compliance", enhanced: "mastercard_compliance"}}
)

// How Stripe's prices for disputes have changed. The fee for receiving one was given back with a dispute that was won in a recording of
// 2023, and kept in one of December 2024; when that changed is not known, and the row begins with the year. Since June 2025, of which the
// day is not known, countering one has a price of its own, the same amount, which is given back with a dispute that is won
// (docs.stripe.com/disputes/how-disputes-work, May 2026).
const (
	receivedKeptSince = "2024-01-01" // but not in Mexico
	counteredSince    = "2025-06-01" // but not in Mexico and Japan
)

// receivedKept says whether the fee for a dispute that came on a day is kept although the dispute is won.
func receivedKept(country string, at time.Time) bool {
	return country != "MX" && at.UTC().Format(time.DateOnly) >= receivedKeptSince
}

// counteringCosts says whether there is a fee for answering a dispute on a day.
func counteringCosts(country string, at time.Time) bool {
	return country != "MX" && country != "JP" && at.UTC().Format(time.DateOnly) >= counteredSince
}
