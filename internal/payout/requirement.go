package payout

import (
	"slices"
	"strings"

	"github.com/till-pay/till/internal/stripe"
)

// requirementWords are what Stripe asks for, by the ends of its fields' names, the longest first that fits (docs.stripe.com/api/accounts/object,
// and docs.stripe.com/connect/required-verification-information, November 2026).
var requirementWords = []struct{ end, words string }{
	{"verification.additional_document", "a second identity document, such as a utility bill with the home address"},
	{"verification.document", "an identity document (passport, identity card or driving licence)"},
	{"verification.proof_of_liveness", "a selfie beside the identity document"},
	{"documents.bank_account_ownership_verification.files", "a document that shows who owns the bank account, such as a bank statement"},
	{"documents.company_registration_verification.files", "the company's entry in the register"},
	{"documents.proof_of_registration.files", "the company's entry in the register"},
	{"external_account", "a bank account to pay out to"},
	{"tos_acceptance.date", "acceptance of Stripe's terms of service"},
	{"tos_acceptance.ip", "acceptance of Stripe's terms of service"},
	{"business_profile.url", "the address of the website"},
	{"business_profile.mcc", "what the business sells (its category)"},
	{"business_profile.product_description", "a description of what is sold"},
	{"business_profile.support_phone", "a telephone number for customers"},
	{"business_profile.estimated_worker_count", "how many people work for the business"},
	{"business_profile.annual_revenue", "the yearly revenue"},
	{"business_type", "the legal form of the business"},
	{"company.tax_id", "the company's tax number"},
	{"company.vat_id", "the company's VAT number"},
	{"company.name", "the company's registered name"},
	{"company.owners_provided", "confirmation that all owners are named"},
	{"company.directors_provided", "confirmation that all directors are named"},
	{"company.executives_provided", "confirmation that all executives are named"},
	{"representative", "a person who represents the company"},
	{"owners", "the people who own a quarter of the company or more"},
	{"directors", "the directors of the company"},
	{"executives", "the executives of the company"},
	{"id_number", "a personal tax or identity number"},
	{"ssn_last_4", "the last four digits of the social security number"},
	{"dob.day", "the date of birth"}, {"dob.month", "the date of birth"}, {"dob.year", "the date of birth"},
	{"first_name", "the first name"}, {"last_name", "the last name"},
	{"email", "the e-mail address"}, {"phone", "the telephone number"},
	{"address.line1", "the address"}, {"address.city", "the address"}, {"address.postal_code", "the address"}, {"address.state", "the address"},
	{"relationship.title", "the position in the company"},
	{"relationship.percent_ownership", "the share of the company that is owned"},
}

// inWords says a requirement of Stripe's in plain words, with Stripe's name of it behind.
func inWords(field string) string {
	for _, r := range requirementWords {
		if field == r.end || strings.HasSuffix(field, "."+r.end) {
			return whose(field) + r.words + " (" + field + ")"
		}
	}
	return strings.NewReplacer("_", " ", ".", ", ").Replace(field) + " (" + field + ")"
}

// whose says whom a requirement is about, where that is not the account itself.
func whose(field string) string {
	switch first, _, _ := strings.Cut(field, "."); {
	case strings.HasPrefix(first, "person_"):
		return "of the person " + first + ": "
	case first == "individual":
		return "of the owner: "
	case first == "representative" && field != first, first == "owners" && field != first, first == "directors" && field != first:
		return "of the " + strings.TrimSuffix(first, "s") + ": "
	}
	return ""
}

// wanted are all that Stripe waits for from the merchant, each once: what is overdue first. With what Stripe says is wrong with it.
func wanted(r *stripe.RequirementsList) (all []string) {
	if r == nil {
		return nil
	}
	for _, field := range append(slices.Clone(r.PastDue), r.CurrentlyDue...) {
		line := inWords(field)
		for _, e := range r.Errors {
			if e.Requirement == field && e.Reason != "" {
				line += ". Stripe says: " + e.Reason
			}
		}
		if !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	return all
}

// disabledReasons are why Stripe has stopped payouts (docs.stripe.com/api/accounts/object#account_object-requirements-disabled_reason).
var disabledReasons = map[string]struct{ words, who, action, expected string }{
	"requirements.past_due": {"Stripe has stopped payouts because it has not got what it asked for", Merchant,
		"Give Stripe what it asks for, in the Stripe Dashboard (Settings, Business, Account status).",
		"Stripe looks at most of it within minutes, and at documents within one or two business days; then payouts are switched on again by themselves."},
	"action_required.requested_capabilities": {"Stripe has stopped payouts because the account's capabilities need something more", Merchant,
		"Give Stripe what it asks for, in the Stripe Dashboard (Settings, Business, Account status).",
		"Stripe looks at most of it within minutes, and at documents within one or two business days; then payouts are switched on again by themselves."},
	"requirements.pending_verification": {"Stripe is checking what it was given, and pays out when that is done", Stripe,
		"Wait: Stripe is checking. If it takes longer than two business days, ask Stripe's support.", "Checks end within minutes, those of documents within one or two business days."},
	"under_review": {"Stripe has the account under review", Stripe,
		"Answer the e-mails that Stripe sends, and ask Stripe's support how far the review is.", "A review has no fixed end; Stripe's support can say."},
	"listed": {"Stripe may not pay out because the account might be on a list of prohibited persons or companies", Stripe,
		"Ask Stripe's support, and have the papers ready that show who the owners are.", "Stripe decides; its support can say when."},
	"platform_paused": {"The platform that the account is connected to has paused its payouts", Merchant,
		"Ask the platform that the account is connected to.", "As soon as the platform lifts the pause."},
}

// stopped is why payouts are off, and what ends that.
func stopped(r *stripe.RequirementsList) (words string, do Action) {
	reason := ""
	if r != nil {
		reason = r.DisabledReason
	}
	if strings.HasPrefix(reason, "rejected.") {
		return "Stripe has rejected the account (" + reason + ")", Action{Who: Stripe, Text: "Write to Stripe's support about the rejection. Money that is left is paid out only as Stripe decides.", Expected: "Stripe decides; its support can say when."}
	}
	if d, known := disabledReasons[reason]; known {
		return d.words, Action{Who: d.who, Text: d.action, Expected: d.expected}
	}
	if len(wanted(r)) > 0 {
		d := disabledReasons["requirements.past_due"]
		return d.words, Action{Who: d.who, Text: d.action, Expected: d.expected}
	}
	return "Stripe has stopped payouts, for a reason that it gives as " + quoted(reason), Action{Who: Stripe, Text: "Ask Stripe's support why payouts are off.", Expected: "Stripe's support can say."}
}

func quoted(reason string) string {
	if reason == "" {
		return "none"
	}
	return `"` + reason + `"`
}
