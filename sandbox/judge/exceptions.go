package judge

import (
	"slices"
	"strings"
)

// fault is what would be complained of.
type fault string

const (
	undeclared fault = "undeclared" // a field that the document does not declare
	missing    fault = "missing"    // a field that the fixtures show
	unseen     fault = "unseen"     // a field that the fixtures show and a publishable key must not see
)

// exception is a field that Stripe has, or has not, other than the document and the fixtures say.
type exception struct {
	fault        fault
	shape, field string
	reason       string
}

var exceptions = append([]exception{
	{missing, "account", "external_accounts", "By its description it is returned only to a platform that controls the account, and so not to an account that asks for itself."},
	{missing, "account_capabilities", "card_payments", "An account shows the capabilities that were requested for it and no others."},
	{missing, "account_capabilities", "transfers", "As card_payments."},
	{missing, "person", "additional_tos_acceptances", "Recorded on the persons of companies; the person that an account is has none (October 2026)."},
	{missing, "source", "ach_credit_transfer", "The fixture is a source of that type; one of another type has the field of its own type."},
	{missing, "source", "receiver", "As ach_credit_transfer: only sources that money is pushed to have one."},
	{missing, "payment_method", "card", "The fixture is a card; a payment method has the field of its own type."},
	{missing, "payment_method_details", "card", "As payment_method."},
	{missing, "refund_destination_details", "card", "As payment_method: a refund goes to where the payment came from."},
	{missing, "source_transaction", "ach_credit_transfer", "As source."},
	{missing, "refund", "destination_details", "The fixture is of a card; the refund of a payment that was a transfer goes to no card or bank, but to the account that sent it (unconfirmed)."},
	{missing, "token", "card", "The fixture is a token of a card; others have no card."},
	{missing, "confirmation_tokens_resource_payment_method_preview", "us_bank_account", "The fixture is of a bank account; another payment method has the field of its own type."},
	{missing, "customer_cash_balance_transaction", "funded", "The fixture is one of that type; one of another type has the field of its own."},
	{missing, cashTransfer, "eu_bank_transfer", "The fixture is a European one; one of another sort has the field of its own."},
	{missing, "setup_attempt_payment_method_details", "card", "As payment_method."},
	{missing, "customer_acceptance", "online", "The fixture was accepted online; one that was accepted offline says offline."},
	{missing, "mandate", "multi_use", "The fixture is for more than one payment; one for a single payment has single_use."},
	{missing, "mandate_payment_method_details", "sepa_debit", "The fixture is of a SEPA debit; a mandate has the field of its own type."},
	{missing, "dispute", "payment_method_details", "Of all kinds of payment methods only four have any, and bank debits are not among them."},
	{missing, "charge", "refunds", "The fixture is of an old version: since 2022-11-15 a charge's refunds are there only when they are expanded."},
}, append(
	hidden("payment_intent", "amount_capturable amount_received application application_fee_amount customer customer_account latest_charge metadata on_behalf_of"+
		" payment_method_options review statement_descriptor statement_descriptor_suffix transfer_data transfer_group"),
	hidden("setup_intent", "application customer latest_attempt mandate metadata on_behalf_of payment_method_options single_use_mandate")...)...)

const cashTransfer = "customer_balance_resource_cash_balance_transaction_resource_funded_transaction_resource_bank_transfer"

// words are what Stripe says where its document allows other words alone.
var words = []struct {
	shape, field string
	also         []any
	reason       string
}{
	{"funding_instructions_bank_transfer", "type", []any{"gb_bank_transfer", "mx_bank_transfer", "us_bank_transfer"},
		"The parameter of the same operation takes them, and the live API has been seen to answer with us_bank_transfer (github.com/gburgyan/aat-stripe)."},
}

// hidden are the fields of an intent that Stripe.js does not get: what is between the merchant and Stripe.
func hidden(shape, fields string) (all []exception) {
	for _, field := range strings.Fields(fields) {
		all = append(all, exception{unseen, shape, field, "The API reference marks what is retrievable with a publishable key; this field is not."})
	}
	return all
}

// excepted is the number of an exception, -1 where there is none.
func excepted(f fault, shape, field string) int {
	return slices.IndexFunc(exceptions, func(e exception) bool { return e.fault == f && e.shape == shape && e.field == field })
}

// excuse tells whether an exception is made.
func (j *Judge) excuse(f fault, shape, field string) bool {
	i := excepted(f, shape, field)
	if i >= 0 {
		j.used[i].Store(true)
	}
	return i >= 0
}

// Unneeded lists the exceptions that no reply has needed so far.
func (j *Judge) Unneeded() []string {
	var all []string
	for i, e := range exceptions {
		if !j.used[i].Load() {
			all = append(all, string(e.fault)+" "+e.shape+"."+e.field)
		}
	}
	return all
}
