package sandbox

import (
	"regexp"
	"strings"
)

// What Stripe's test mode finds when it looks into what an account says is decided by the values themselves
// (docs.stripe.com/connect/testing, 2025). What no table below names is right, but for dates of birth.

// finding is what was found.
type finding struct {
	Code    string // of the requirement's error; empty where all is right
	Fields  string // that are asked for again, within what was looked into
	Does    class  // what the account cannot do until then
	Instant bool   // found at once, and not after a while
	Listed  bool   // on a list of sanctions
	Paused  bool   // the account's methods of payment are paused
}

// wrong makes a finding that stops everything.
func wrong(code, fields string) finding {
	return finding{Code: code, Fields: fields, Does: everything}
}

// births are dates of birth. Others fail: a document is asked for.
var births = map[string]finding{
	"1901-01-01": {},
	"1902-01-01": {Instant: true},
	"1900-01-01": {Listed: true},
}

// idNumbers are the numbers of persons, whole or the last four digits.
var idNumbers = map[string]finding{
	"222222222": {Instant: true},
	"111111111": wrong("verification_failed_id_number_match", "id_number verification.document"),
	"1111":      wrong("verification_failed_id_number_match", "id_number verification.document"),
}

// streets are the first lines of addresses: of persons, and in Does what an account cannot do whose business has it.
var streets = map[string]finding{
	"address_full_match":         {},
	"address_no_match":           {Code: "verification_failed_address_match", Fields: "address.line1", Does: takesPayouts},
	"address_zip_no_match":       {Code: "verification_failed_address_match", Fields: "address.postal_code", Does: takesPayouts},
	"address_line1_no_match":     wrong("verification_failed_address_match", "address.line1"),
	"address_line1_zip_no_match": wrong("verification_failed_address_match", "address.line1 address.postal_code"),
}

// papers are documents of the test mode. A file that was uploaded is right, unless its name says failure; that is the sandbox's own rule.
var papers = map[string]finding{
	"file_identity_document_success": {Instant: true}, // recorded
	"file_identity_document_failure": wrong("verification_document_failed_other", ""),
}

var taxIDs = map[string]finding{
	"000000000": {}, "000000001": {},
	"222222222": {Instant: true},
	"111111111": wrong("verification_failed_tax_id_match", "company.tax_id"),
	"111111112": wrong("verification_failed_tax_id_not_issued", "company.tax_id"),
}

var companyNames = map[string]finding{
	"match_name_relationships": {},
	"match_name_only":          wrong("verification_failed_representative_authority", "company.verification.document"),
	"mismatch_business_name":   wrong("verification_failed_name_match", "company.name"),
	"disallowed_name":          wrong("invalid_company_name_denylisted", "company.name"),
}

var businessNames = map[string]finding{
	"disallowed_dba": wrong("invalid_business_profile_name_denylisted", "business_profile.name"),
	"invalid_dba":    wrong("invalid_business_profile_name", "business_profile.name"),
}

var directorNames = map[string]finding{
	"mismatch_director":   wrong("verification_directors_mismatch", "first_name"),
	"missing_director":    wrong("verification_missing_directors", "relationship.director"),
	"extraneous_director": wrong("verification_extraneous_directors", "relationship.director"),
}

var descriptors = map[string]finding{
	"mismatch":   wrong("invalid_statement_descriptor_business_mismatch", "settings.payments.statement_descriptor"),
	"disallowed": wrong("invalid_statement_descriptor_denylisted", "settings.payments.statement_descriptor"),
}

var descriptorPrefixes = map[string]finding{
	"mismatch":   wrong("invalid_statement_descriptor_prefix_mismatch", "settings.card_payments.statement_descriptor_prefix"),
	"disallowed": wrong("invalid_statement_descriptor_prefix_denylisted", "settings.card_payments.statement_descriptor_prefix"),
}

// sites are websites, by their name before .stripe.com.
var sites = map[string]finding{
	"accessible":        {},
	"disallowed":        wrong("invalid_url_denylisted", "business_profile.url"),
	"geoblocked":        wrong("invalid_url_website_inaccessible_geoblocked", "business_profile.url"),
	"problem":           wrong("invalid_url_website_other", "business_profile.url"),
	"missing":           wrong("invalid_url_website_incomplete", "business_profile.url"),
	"mismatch":          wrong("invalid_url_website_business_information_mismatch", "business_profile.url"),
	"passwordprotected": wrong("invalid_url_website_inaccessible_password_protected", "business_profile.url"),
	"underconstruction": wrong("invalid_url_website_incomplete_under_construction", "business_profile.url"),
	"inaccessible":      wrong("invalid_url_website_inaccessible", "business_profile.url"),
	"inactivity":        {Paused: true},
}

var descriptions = map[string]finding{
	"require_url": wrong("invalid_url_web_presence_detected", "business_profile.url"),
}

// owners are numbers of bank accounts whose owner is looked into.
var bankOwners = map[string]finding{
	"000999999992": {Code: "verification_failed_other", Fields: "documents.bank_account_ownership_verification.files", Does: takesPayouts},
}

var testSite = regexp.MustCompile(`^https?://([a-z]+)\.stripe\.com/?$`)

// looksInto is what is found of each thing that is looked into, by its name.
var looksInto = map[string]func(said string) finding{
	"identity":            findIdentity,
	"address":             findAddress,
	"document":            findDocument("verification.document"),
	"additional_document": findDocument("verification.additional_document"),
	"director":            func(said string) finding { return directorNames[said] },
	"company.tax_id":      func(said string) finding { return taxIDs[said] },
	"company.name":        func(said string) finding { return companyNames[said] },
	"company.address":     findBusinessAddress,
	"company.document":    findDocument("company.verification.document"),
	"name":                func(said string) finding { return businessNames[said] },
	"url":                 findSite,
	"description":         func(said string) finding { return descriptions[said] },
	"descriptor":          func(said string) finding { return descriptors[strings.ToLower(said)] },
	"prefix":              func(said string) finding { return descriptorPrefixes[strings.ToLower(said)] },
	"bank":                func(said string) finding { return bankOwners[said] },
}

// findIdentity looks into a date of birth and a number, which may be missing, with a blank between them.
func findIdentity(said string) finding {
	birth, number, _ := strings.Cut(said, " ")
	by, known := births[birth]
	switch {
	case !known:
		return wrong("verification_failed_keyed_identity", "verification.document")
	case by.Listed:
		return by
	}
	of := idNumbers[number]
	of.Instant = of.Code == "" && (of.Instant || by.Instant)
	return of
}

// findAddress looks into the address of a person. One that is not found is proved by a document.
func findAddress(said string) finding {
	of := streets[said]
	if of.Code != "" {
		of.Fields = "verification.additional_document"
	}
	return of
}

func findBusinessAddress(said string) finding {
	of := streets[said]
	of.Fields = strings.ReplaceAll(of.Fields, "address.", "company.address.")
	return of
}

// findDocument looks into a document: the id of its file, and the file's name.
func findDocument(field string) func(string) finding {
	return func(said string) finding {
		_, name, _ := strings.Cut(said, " ")
		of := papers[name]
		if strings.Contains(strings.ToLower(name), "failure") {
			of = papers["file_identity_document_failure"]
		}
		if of.Code != "" {
			of.Fields = field
		}
		return of
	}
}

// findSite looks into a website.
func findSite(said string) finding {
	if parts := testSite.FindStringSubmatch(strings.ToLower(said)); parts != nil {
		return sites[parts[1]]
	}
	return finding{}
}
