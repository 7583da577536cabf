package sandbox

var customerChanges = []*change{
	{
		Version: undocumented, Name: "ephemeral_key.associated_objects", Objects: []string{"ephemeral_key"}, down: associatedObjects,
		What:   "ephemeral keys have `associated_objects`",
		Source: "recorded: sandbox/testdata/traffic at 2023-10-16; the published document has not",
	},
	{
		Version: "2022-08-01", Name: "customer.default_currency", Objects: []string{"customer"}, down: defaultCurrency,
		What:   "customers have `default_currency` beside `currency`",
		Source: "recorded: sandbox/testdata/traffic has it at 2020-08-27 and no more at 2023-10-16; with which version between it went is not published",
	},
	{
		Version: withSources, Name: "payment_method.automatically_updated",
		Types:  map[string]string{"payment_method.automatically_updated": "payment_method.card_automatically_updated"},
		What:   "the event `payment_method.automatically_updated` is `payment_method.card_automatically_updated`",
		Source: changelog(withSources, "renames-automatically-updated-event-type"),
	},
	{
		Version: "2019-12-03", Name: "customer.tax_info", Objects: []string{"customer"}, down: taxInfo,
		What:   "customers have `tax_info` and `tax_info_verification`, which are empty here",
		Source: changelog("2019-12-03", "removes-deprecated-tax-information-fields"),
	},
	{
		Version: withSources, Name: "customer.sources", Objects: []string{"customer"}, down: withList("customer", "sources"),
		What:   "customers show their `sources` unasked",
		Source: changelog(withSources, "deprecates-auto-expansion-customer-sources"),
	},
	{
		Version: withSources, Name: "customer.subscriptions", Objects: []string{"customer"}, down: withList("customer", "subscriptions"),
		What:   "customers show their `subscriptions` unasked",
		Source: changelog(withSources, "deprecates-auto-expansion-customer-subscriptions"),
	},
	{
		Version: withSources, Name: "customer.tax_ids", Objects: []string{"customer"}, down: withList("customer", "tax_ids"),
		What:   "customers show their `tax_ids` unasked",
		Source: "docs.stripe.com/changelog/2020-08-27",
	},
	{
		Version: "2019-10-17", Name: "customer.balance", Objects: []string{"customer"},
		down:   func(_ *view, t *tree) { t.rename("balance", "account_balance") },
		Params: []olderParam{{path: "/v1/customers", old: "account_balance", new: "balance"}},
		What:   "`balance` of customers is `account_balance`",
		Source: changelog("2019-10-17", "renames-account-balance-customer-object"),
	},
	{
		Version: "2016-02-19", Name: "bank_account.account_holder_name", Objects: []string{"bank_account"},
		down:   func(_ *view, t *tree) { t.rename("account_holder_name", "name") },
		What:   "`account_holder_name` of bank accounts is `name`",
		Source: changelog("2016-02-19", "renames-name-field-bank-accounts-account-holder-name"),
	},
	{
		Version: "2015-02-18", Name: "customer.cards", Objects: []string{"customer"}, down: cardsOfCustomer,
		Types: map[string]string{
			"customer.source.created": "customer.card.created", "customer.source.updated": "customer.card.updated", "customer.source.deleted": "customer.card.deleted",
		},
		What:   "customers have `cards` and `default_card` beside `sources` and `default_source`, and events of cards are `customer.card.…`",
		Source: changelog("2015-02-18", "customers-have-source-field-accepts-source-card"),
	},
	{
		Version: "2014-12-22", Name: "card.checks", Objects: []string{"card"}, down: noChecks,
		What:   "checks of a card that are `unchecked` or `unavailable` are null",
		Source: changelog("2014-12-22", "cards-use-unchecked-unavailable-address-cvc-checks"),
	},
	{
		Version: "2014-06-13", Name: "card.brand", Objects: []string{"card"},
		down:   func(_ *view, t *tree) { t.rename("brand", "type") },
		What:   "`brand` of cards is `type`",
		Source: changelog("2014-06-13", "renames-type-field-cards-brand"),
	},
}

// associatedObjects is what a key is for, which its creation names.
func associatedObjects(v *view, key *tree) {
	all := &tree{kind: '['}
	if v.call != nil && v.call.params.String("customer") != "" {
		one := &tree{kind: '{'}
		one.set("id", quoted(v.call.params.String("customer")))
		one.set("type", quoted("customer"))
		all.values = append(all.values, one)
	}
	key.set("associated_objects", all)
}

func defaultCurrency(_ *view, customer *tree) {
	currency := customer.get("currency")
	if currency == nil {
		currency = null()
	}
	customer.set("default_currency", currency.clone())
}

func taxInfo(_ *view, customer *tree) {
	customer.set("tax_info", null())
	customer.set("tax_info_verification", null())
}

func noChecks(_ *view, card *tree) {
	for _, name := range []string{"address_line1_check", "address_zip_check", "cvc_check"} {
		if check := card.string(name); check == "unchecked" || check == "unavailable" {
			card.set(name, null())
		}
	}
}

func cardsOfCustomer(_ *view, customer *tree) {
	list := &tree{kind: '{'}
	sources := customer.get("sources")
	if sources != nil {
		list = sources.clone()
	}
	data := &tree{kind: '['}
	for _, source := range sources.elements() {
		if source.string("object") == "card" {
			data.values = append(data.values, source.clone())
		}
	}
	list.set("object", quoted("list"))
	list.set("data", data)
	list.set("url", quoted("/v1/customers/"+customer.string("id")+"/cards"))
	customer.set("cards", list)
	chosen := null()
	if id := customer.get("default_source"); id != nil {
		chosen = id.clone()
	}
	if chosen.kind == '{' {
		chosen = asCardOnly(chosen)
	}
	customer.set("default_card", chosen)
}

// elements are those of a list of the API, none where there is no list.
func (t *tree) elements() []*tree {
	if data := t.get("data"); data != nil && data.kind == '[' {
		return data.values
	}
	return nil
}
