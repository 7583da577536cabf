package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// customerBalance is paying with the money that Stripe holds for a customer: what there is of it, and what comes by bank transfer
// (docs.stripe.com/payments/bank-transfers). The prices are those of bank transfers as published in 2024.
var customerBalance = methodKind{
	name:       "customer_balance",
	currencies: []string{"usd", "eur", "gbp", "jpy", "mxn"},
	bare:       true,
	price: []methodPrice{
		{since: "2024-01-01", currency: "eur", share: 50, most: 500, source: publishedPrice},
		{country: "US", since: "2024-01-01", currency: "usd", share: 50, most: 500, source: publishedPrice},
		{country: "JP", since: "2024-01-01", currency: "jpy", share: 150, source: publishedPrice},
	},
	refunds: refundTerms{asks: true, within: 180, to: "customer_cash_balance", source: "docs.stripe.com/payments/customer-balance/refunding"},
	read:    func(*call, *record, *spec.Params) error { return nil },
	check:   checkCash,
	pay:     payByCash,
	option:  func(*spec.Object) {},
}

// cashWait is what a payment that waits for a bank transfer has of the customer's money so far.
type cashWait struct {
	Customer, Currency string
	Amount             int64 // applied so far
}

// checkCash refuses to confirm a payment that nobody can send money for.
func checkCash(c *call, r, _ *record) error {
	o := r.object()
	customer := o.String("customer")
	if customer == "" {
		return invalid("parameter_missing", "customer", "You must provide a `customer` when confirming a PaymentIntent with the payment method type customer_balance.")
	}
	options := c.params.Sub("payment_method_options", "customer_balance")
	kind, _ := o.At("payment_method_options", "customer_balance", "funding_type").(string)
	if kind == "" {
		if c.cashFor(customer, o.String("currency")) >= o.Int("amount") {
			return nil
		}
		return invalid("parameter_missing", "payment_method_options[customer_balance][funding_type]",
			"The customer's cash balance does not cover the payment. Provide `payment_method_options[customer_balance][funding_type]` to have the customer send the rest.")
	}
	const param = "payment_method_options[customer_balance][bank_transfer]"
	if _, _, err := readTransfer(options.Sub("bank_transfer"), param, o.String("currency")); err != nil {
		return err
	}
	if given, _ := o.At("payment_method_options", "customer_balance", "bank_transfer", "type").(string); given == "" {
		return invalid("parameter_missing", param+"[type]", "Missing required param: %s[type].", param)
	}
	return nil
}

// cashFor is how much of a customer's money a payment gets at once: none where the merchant applies it by hand.
func (c *call) cashFor(customer, currency string) int64 {
	r := c.find("cash_balance", cashID(customer))
	if r == nil || r.object().Sub("settings").String("reconciliation_mode") == "manual" {
		return 0
	}
	return known[purse](r).Available[currency]
}

// payByCash takes what there is, and waits for the rest.
func payByCash(c *call, r, _ *record) error {
	o := r.object()
	customer, currency := o.String("customer"), o.String("currency")
	private[intent](r).Cash = &cashWait{Customer: customer, Currency: currency}
	there := min(c.cashFor(customer, currency), o.Int("amount"))
	if there < o.Int("amount") {
		o.Set("status", requiresAction).Set("next_action", c.transferAction(r))
		c.emit("payment_intent.requires_action", r)
	}
	if there > 0 {
		return c.applyCash(r, there)
	}
	return nil
}

// transferAction tells the customer where to send how much.
func (c *call) transferAction(r *record) *spec.Object {
	o := r.object()
	currency := o.String("currency")
	t := transferIn(currency)
	country, _ := o.At("payment_method_options", "customer_balance", "bank_transfer", "eu_bank_transfer", "country").(string)
	if country == "" || t.kind != "eu_bank_transfer" {
		country = t.country
	}
	asked, _ := o.At("payment_method_options", "customer_balance", "bank_transfer", "requested_address_types").([]string)
	of := spec.New("payment_intent_next_action_display_bank_transfer_instructions").Set("amount_remaining", o.Int("amount")).Set("currency", currency).
		Set("financial_addresses", c.financialAddresses(o.String("customer"), t, country, asked)).Set("hosted_instructions_url", c.openPage(r, hostedPath)).
		Set("reference", upper(c.letters(12))).Set("type", t.kind)
	return spec.New("payment_intent_next_action").Set("type", "display_bank_transfer_instructions").Set("display_bank_transfer_instructions", of)
}

// transferShown are the instructions that an intent shows; nil where it waits for no transfer.
func transferShown(r *record) *spec.Object {
	next := r.object().Sub("next_action")
	if next == nil {
		return nil
	}
	return next.Sub("display_bank_transfer_instructions")
}

// remaining is how much a payment still needs.
func remaining(r *record) int64 {
	return r.object().Int("amount") - known[intent](r).Cash.Amount
}

// applyCash puts money of the customer's towards a payment. What covers it all is a charge; what does not is kept for it.
func (c *call) applyCash(r *record, amount int64) error {
	state := private[intent](r)
	state.Cash.Amount += amount
	c.moveCash(state.Cash.Customer, state.Cash.Currency, "applied_to_payment", -amount, func(txn *record) {
		txn.object().Set("applied_to_payment", spec.New("customer_balance_resource_cash_balance_transaction_resource_applied_to_payment_transaction").Set("payment_intent", r.id))
	})
	if left := remaining(r); left > 0 {
		transferShown(r).Set("amount_remaining", left)
		c.emit("payment_intent.partially_funded", r)
		return nil
	}
	all := state.Cash
	state.Cash = nil
	c.endChallenge(state)
	err := c.charge(r, c.find("payment_method", r.object().String("payment_method")), nil)
	if err != nil { // Radar stops it
		c.giveBack(r, all)
	}
	return err
}

// giveBack returns what was put towards a payment to the customer's cash balance.
func (c *call) giveBack(r *record, was *cashWait) {
	if was.Amount == 0 {
		return
	}
	c.moveCash(was.Customer, was.Currency, "unapplied_from_payment", was.Amount, func(txn *record) {
		txn.object().Set("unapplied_from_payment", spec.New("customer_balance_resource_cash_balance_transaction_resource_unapplied_from_payment_transaction").Set("payment_intent", r.id))
	})
}

// returnCash gives a payment's money back when it is given up, or paid otherwise. Other payments may get it.
func (c *call) returnCash(r *record) {
	state := private[intent](r)
	was := state.Cash
	if was == nil {
		return
	}
	state.Cash = nil
	c.giveBack(r, was)
	c.useCash(was.Customer, was.Currency, "")
}

// resumeTransfer lets a payment go on waiting for its transfer when no more than its amount has changed. What it had goes back first, and
// then wherever it is due (docs.stripe.com/payments/bank-transfers/accept-a-payment).
func (c *call) resumeTransfer(r *record) bool {
	state := private[intent](r)
	was, shown := state.Cash, transferShown(r)
	others := []string{"customer", "currency", "payment_method", "payment_method_data", "payment_method_types", "payment_method_options", "capture_method"}
	if was == nil || shown == nil || slices.ContainsFunc(others, func(name string) bool { return c.params.Has(name) }) {
		return false
	}
	state.Cash = &cashWait{Customer: was.Customer, Currency: was.Currency}
	shown.Set("amount_remaining", r.object().Int("amount"))
	c.giveBack(r, was)
	c.useCash(was.Customer, was.Currency, "")
	return true
}

// applyCustomerBalance puts money towards a payment by hand. The refusals are those of the live API in 2026
// (github.com/gburgyan/aat-stripe, plans/cash-balance); their words are unconfirmed.
func applyCustomerBalance(c *call, r *record) error {
	o, state := r.object(), private[intent](r)
	switch {
	case o.String("status") != requiresAction && strings.Contains(strings.Join(r.methodTypes(), " "), "customer_balance"):
		return c.unexpected(r, "You cannot apply the customer's balance to this PaymentIntent because it has a status of "+o.String("status")+".")
	case state.Cash == nil:
		return refused("", "", "The customer's balance can be applied only to a PaymentIntent that waits with the payment method type customer_balance.")
	}
	if given := c.params.String("currency"); given != "" && given != o.String("currency") {
		return refused("", "", "The currency (%s) is not the one of the PaymentIntent (%s).", given, o.String("currency"))
	}
	left, currency := remaining(r), currencyOf(o)
	amount := left
	if c.params.Has("amount") {
		amount = c.params.Int("amount")
	}
	held := known[purse](c.cashBalance(state.Cash.Customer)).Available[state.Cash.Currency]
	switch {
	case amount < 1:
		return invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	case amount > left:
		return refused("", "", "The amount (%s) is greater than what remains to be paid (%s).", display(amount, currency), display(left, currency))
	case c.params.Has("amount") && amount > held, held == 0:
		return refused("", "", "The customer's cash balance (%s) does not cover the amount (%s).", display(held, currency), display(amount, currency))
	}
	return c.applyCash(r, min(amount, held))
}

// sendRest plays the customer who sends what a payment still needs, from its page. Where the merchant applies it by hand, the page stays.
func (c *call) sendRest(r *record) string {
	state := private[intent](r)
	c.receiveTransfer(state.Cash.Customer, transferIn(state.Cash.Currency), remaining(r), transferShown(r).String("reference"))
	if state.Cash == nil {
		return "succeeded"
	}
	state.Challenge.Ended, state.Challenge.Answered = false, false
	return "pending"
}
