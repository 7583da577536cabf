package sandbox

import (
	"strings"
)

// legalEntities is the version before which accounts have a legal entity.
const legalEntities = "2019-02-19"

var accountChanges = []*change{
	{
		Version: "2019-10-08", Name: "person.representative", Objects: []string{"person"}, down: accountOpener,
		Params: []olderParam{{path: "/v1/accounts/", old: "relationship[account_opener]", new: "relationship[representative]"}},
		What:   "the `representative` among a person's relationships is `account_opener`",
		Source: "stripe-go's CHANGELOG.md for 65.0.0, docs.stripe.com/changelog/2019-10-08",
	},
	{
		Version: "2019-08-14", Name: "account.capabilities.transfers", Objects: []string{"account"}, down: platformPayments,
		What:   "the capability `transfers` is `platform_payments`",
		Source: "stripe-go's CHANGELOG.md for 62.0.0, docs.stripe.com/changelog/2019-08-14",
	},
	{
		Version: legalEntities, Name: "account.settings", Objects: []string{"account"}, down: noSettings, Params: oldSettings(),
		What:   "accounts have on top what is now in `settings` and `business_profile`, such as `payout_schedule`, `statement_descriptor`, `business_name` and `support_email`",
		Source: changelog(legalEntities, "several-fields-accounts-refactored") + ", docs.stripe.com/connect/required-updates/accounts-arguments",
	},
	{
		Version: legalEntities, Name: "account.verification", Objects: []string{"account"}, down: fieldsNeeded,
		What:   "accounts have `verification` with `fields_needed`, `due_by` and `disabled_reason` in place of `requirements`",
		Source: changelog(legalEntities, "several-fields-accounts-refactored"),
	},
	{
		Version: legalEntities, Name: "account.legal_entity", Objects: []string{"account"}, down: legalEntity, Params: oldEntity(), Moved: companyEntity,
		What:   "accounts have `legal_entity` in place of `business_type`, `individual` and `company`",
		Source: changelog(legalEntities, "several-fields-accounts-refactored") + ", docs.stripe.com/connect/required-updates/accounts-arguments",
	},
	{
		Version: wholeLists, Name: "account.managed", Objects: []string{"account"}, down: managedAccount, Moved: managedType,
		What:   "accounts that are not of the type `standard` or `express` are `managed`, and that is asked for by `managed`",
		Source: "docs.stripe.com/changelog/2017-05-25",
	},
	{
		Version: beforePayouts, Name: "account.payouts_enabled", Objects: []string{"account"}, down: transfersEnabled,
		Params: []olderParam{{path: "/v1/accounts", old: "transfer_schedule", new: "payout_schedule"}, {path: "/v1/accounts", old: "transfer_statement_descriptor", new: "payout_statement_descriptor"}},
		What:   "what accounts say of payouts they say of transfers: `transfers_enabled`, `transfer_schedule`, `transfer_statement_descriptor`",
		Source: "docs.stripe.com/transfer-payout-split",
	},
	{
		Version: "2015-10-01", Name: "account.external_accounts", Objects: []string{"account"},
		down:   func(_ *view, t *tree) { t.rename("external_accounts", "bank_accounts") },
		What:   "`external_accounts` of accounts are `bank_accounts`",
		Source: changelog("2015-10-01", "accounts-include-external-accounts-field"),
	},
}

// settingsBefore are the fields that accounts had on top, with the path to where they are since 2019-02-19.
var settingsBefore = map[string][]string{
	"business_logo":               {"settings", "branding", "icon"},
	"business_logo_large":         {"settings", "branding", "logo"},
	"business_name":               {"business_profile", "name"},
	"business_primary_color":      {"settings", "branding", "primary_color"},
	"business_url":                {"business_profile", "url"},
	"debit_negative_balances":     {"settings", "payouts", "debit_negative_balances"},
	"decline_charge_on":           {"settings", "card_payments", "decline_on"},
	"display_name":                {"settings", "dashboard", "display_name"},
	"payout_schedule":             {"settings", "payouts", "schedule"},
	"payout_statement_descriptor": {"settings", "payouts", "statement_descriptor"},
	"product_description":         {"business_profile", "product_description"},
	"statement_descriptor":        {"settings", "payments", "statement_descriptor"},
	"support_email":               {"business_profile", "support_email"},
	"support_phone":               {"business_profile", "support_phone"},
	"support_url":                 {"business_profile", "support_url"},
	"timezone":                    {"settings", "dashboard", "timezone"},
}

// oldSettings are the parameters of these names. What only answers show is none.
func oldSettings() (all []olderParam) {
	for was, path := range settingsBefore {
		if was != "display_name" && was != "timezone" {
			all = append(all, olderParam{path: "/v1/accounts", old: was, new: path[0] + "[" + strings.Join(path[1:], "][") + "]"})
		}
	}
	return all
}

func noSettings(_ *view, account *tree) {
	for was, path := range settingsBefore {
		account.set(was, account.copyOf(path...))
	}
	account.remove("settings")
	account.remove("business_profile")
}

// copyOf is a copy of what is at the end of a path, null where it breaks off.
func (t *tree) copyOf(path ...string) *tree {
	if at := t.at(path...); at != nil {
		return at.clone()
	}
	return null()
}

func fieldsNeeded(_ *view, account *tree) {
	now, was := account.remove("requirements"), &tree{kind: '{'}
	was.set("disabled_reason", now.copyOf("disabled_reason"))
	was.set("due_by", now.copyOf("current_deadline"))
	was.set("fields_needed", now.copyOf("currently_due"))
	if was.string("disabled_reason") == "requirements.past_due" {
		was.set("disabled_reason", quoted("fields_needed"))
	}
	account.set("verification", was)
}

// Fields of a legal entity, by those that an individual or a company has since 2019-02-19.
var (
	individualBefore = map[string]string{
		"address": "address", "dob": "dob", "first_name": "first_name", "gender": "gender", "id_number_provided": "personal_id_number_provided",
		"last_name": "last_name", "maiden_name": "maiden_name", "phone": "personal_phone_number", "ssn_last_4_provided": "ssn_last_4_provided", "verification": "verification",
	}
	companyBefore = map[string]string{
		"address": "address", "name": "business_name", "phone": "phone_number", "tax_id_provided": "business_tax_id_provided", "vat_id_provided": "business_vat_id_provided",
	}
)

// oldEntity are the parameters of an individual's legal entity; companyEntity makes of those of a company what they are since.
func oldEntity() []olderParam {
	all := []olderParam{{path: "/v1/accounts", old: "legal_entity[type]", new: "business_type"}, {path: "/v1/accounts", old: "legal_entity[personal_address]", new: "individual[address]"}}
	for _, name := range []string{"address", "dob", "first_name", "last_name", "gender", "maiden_name", "ssn_last_4", "verification"} {
		all = append(all, olderParam{path: "/v1/accounts", old: "legal_entity[" + name + "]", new: "individual[" + name + "]"})
	}
	for was, is := range map[string]string{"personal_phone_number": "individual[phone]", "personal_id_number": "individual[id_number]", "phone_number": "individual[phone]",
		"business_name": "company[name]", "business_tax_id": "company[tax_id]", "business_vat_id": "company[vat_id]"} {
		all = append(all, olderParam{path: "/v1/accounts", old: "legal_entity[" + was + "]", new: is})
	}
	return all
}

var ofCompany = strings.NewReplacer("legal_entity[address]", "company[address]", "legal_entity[phone_number]", "company[phone]",
	"legal_entity%5Baddress%5D", "company[address]", "legal_entity%5Bphone_number%5D", "company[phone]")

func companyEntity(_, path, form string) (newPath, newForm string) {
	company := strings.Contains(form, "legal_entity[type]=company") || strings.Contains(form, "legal_entity%5Btype%5D=company")
	if company && strings.HasPrefix(path, "/v1/accounts") {
		return path, ofCompany.Replace(form)
	}
	return path, form
}

func legalEntity(_ *view, account *tree) {
	kind, individual, company := account.remove("business_type"), account.remove("individual"), account.remove("company")
	entity := &tree{kind: '{'}
	entity.set("additional_owners", &tree{kind: '['})
	for is, was := range individualBefore {
		entity.set(was, individual.copyOf(is))
	}
	if individual == nil {
		for is, was := range companyBefore {
			entity.set(was, company.copyOf(is))
		}
	}
	entity.set("personal_address", individual.copyOf("address"))
	if kind == nil {
		kind = null()
	}
	entity.set("type", kind)
	account.set("legal_entity", entity)
}

func managedAccount(_ *view, account *tree) {
	managed := "true"
	if kind := account.string("type"); kind == "standard" || kind == "express" {
		managed = "false"
	}
	account.set("managed", plain(managed))
	account.remove("type")
}

func managedType(method, path, form string) (newPath, newForm string) {
	if method == "POST" && path == "/v1/accounts" {
		pairs := strings.Split(form, "&")
		for i, pair := range pairs {
			switch pair {
			case "managed=true":
				pairs[i] = "type=custom"
			case "managed=false":
				pairs[i] = "type=standard"
			}
		}
		form = strings.Join(pairs, "&")
	}
	return path, form
}

func transfersEnabled(_ *view, account *tree) {
	account.rename("payouts_enabled", "transfers_enabled")
	account.rename("payout_schedule", "transfer_schedule")
	account.rename("payout_statement_descriptor", "transfer_statement_descriptor")
}

func platformPayments(_ *view, account *tree) {
	if can := account.get("capabilities"); can != nil && can.kind == '{' {
		can.rename("transfers", "platform_payments")
	}
}

func accountOpener(_ *view, person *tree) {
	if is := person.get("relationship"); is != nil && is.kind == '{' {
		is.rename("representative", "account_opener")
	}
}
