package sandbox

var customerChanges = []*change{
	{
		Version: withSources, Name: "customer.sources", Objects: []string{"customer"}, down: withList("customer", "sources"),
		What:   "customers show their `sources` unasked",
		Source: changelog(withSources, "deprecates-auto-expansion-customer-sources"),
	},
	{
		Version: withSources, Name: "customer.subscriptions", Objects: []string{"customer"}, down: withList("customer", "subscriptions"),
		What:   "customers show their `subscriptions` unasked",
		Source: "docs.stripe.com/changelog/2020-08-27",
	},
	{
		Version: withSources, Name: "customer.tax_ids", Objects: []string{"customer"}, down: withList("customer", "tax_ids"),
		What:   "customers show their `tax_ids` unasked",
		Source: "docs.stripe.com/changelog/2020-08-27",
	},
	{
		Version: "2019-10-17", Name: "customer.balance", Objects: []string{"customer"},
		down:   func(_ *view, t *tree) { t.rename("balance", "account_balance") },
		Params: []olderParam{{"/v1/customers", "account_balance", "balance"}},
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
