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
}

// The claims of the test cards (docs.stripe.com/testing#disputes). Fraudulent ones of Visa carry the old code 83 in test mode; a dispute
// that Visa's compelling evidence 3.0 can answer is one of code 10.4. The cards of networks' prevention programmes, for which this account
// is not enrolled, raise a plain dispute, and so does that of Smart Disputes, which are not switched on.
var (
	fraudClaim           = []claim{{reason: "fraudulent", kind: "chargeback", code: "83"}}
	mastercardFraudClaim = []claim{{reason: "fraudulent", kind: "chargeback", code: "4837"}}
	notReceivedClaim     = []claim{{reason: "product_not_received", kind: "chargeback", code: "13.1"}}
	inquiryClaim         = []claim{{reason: "fraudulent", kind: "inquiry", code: "83"}}
	twoClaims            = []claim{{reason: "fraudulent", kind: "chargeback", code: "83", half: true}, {reason: "fraudulent", kind: "chargeback", code: "83", half: true}}
	compellingClaim      = []claim{{reason: "fraudulent", kind: "chargeback", code: "10.4", enhanced: "visa_compelling_evidence_3"}}
	complianceClaim      = []claim{{reason: "noncompliant", kind: "compliance", code: "C028", enhanced: "visa_compliance"}}
	mastercardCompliance = []claim{{reason: "noncompliant", kind: "compliance", enhanced: "mastercard_compliance"}}
)

// disputeFee is what Stripe takes for a dispute, in the minor unit of the account's currency.
type disputeFee struct {
	country   string // of the account
	from      string // date since which the row holds
	received  int64  // for every dispute that withdraws money
	kept      bool   // the received fee is kept whatever becomes of the dispute
	countered int64  // for answering with evidence, given back if the dispute is won
}

// disputeFees are by country, newest first. A fee of 15.00 was given back in a recording of 2023 and kept in one of December 2024; when
// that changed is not known. Since June 2025, of which the day is not known, a second fee is taken for countering, of the same amount:
// docs.stripe.com/disputes/how-disputes-work, May 2026, and stripe.com/pricing for the amounts. Those of other countries are from price
// lists of 2025 that were not read again.
var disputeFees = []disputeFee{
	{country: "US", from: "2025-06-01", received: 15_00, kept: true, countered: 15_00},
	{country: "US", from: "2024-01-01", received: 15_00, kept: true},
	{country: "US", from: "2011-09-29", received: 15_00},
	{country: "CA", from: "2025-06-01", received: 15_00, kept: true, countered: 15_00},
	{country: "GB", from: "2025-06-01", received: 20_00, kept: true, countered: 20_00},
	{country: "AU", from: "2025-06-01", received: 25_00, kept: true, countered: 25_00},
	{country: "SG", from: "2025-06-01", received: 15_00, kept: true, countered: 15_00},
	{country: "JP", from: "2025-06-01", received: 1_300, kept: true},
	{country: "MX", from: "2025-06-01", received: 300_00},
	{country: "", from: "", received: 20_00, kept: true, countered: 20_00}, // the countries of the euro, and all others
}

// disputeFeeIn is the row that holds in a country at a time.
func disputeFeeIn(country string, at time.Time) disputeFee {
	day := at.UTC().Format(time.DateOnly)
	for _, row := range disputeFees {
		if (row.country == country || row.country == "") && row.from <= day {
			return row
		}
	}
	return disputeFees[len(disputeFees)-1]
}
