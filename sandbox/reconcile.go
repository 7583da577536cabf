package sandbox

import (
	"slices"
	"strings"
)

// Bounds of the search for payments that add up to what was sent: Stripe looks for up to five; the oldest so many are looked at.
const (
	maxGroup  = 5
	maxSought = 16
)

// reconcile puts a customer's money towards the payments that wait for it, in Stripe's order: the one whose reference came with the
// transfer; the smallest group that needs exactly what there is, the older first; then the oldest, as far as it goes
// (docs.stripe.com/payments/customer-balance/reconciliation; there are no invoices here).
func (c *call) reconcile(customer, currency, reference string) {
	if reference = strings.TrimSpace(reference); reference != "" {
		for _, r := range c.awaiting(customer, currency) {
			if strings.EqualFold(transferShown(r).String("reference"), reference) {
				c.applyUpTo(r, customer, currency)
				break
			}
		}
	}
	waiting := c.awaiting(customer, currency)
	if group := exactGroup(waiting, c.cashFor(customer, currency)); group != nil {
		waiting = group
	}
	for _, r := range waiting {
		c.applyUpTo(r, customer, currency)
	}
}

// useCash reconciles, and announces what remains (docs.stripe.com/api/events/types, cash_balance.funds_available).
func (c *call) useCash(customer, currency, reference string) {
	c.reconcile(customer, currency, reference)
	if r := c.cashBalance(customer); known[purse](r).Available[currency] > 0 {
		c.emit("cash_balance.funds_available", r)
	}
}

// applyUpTo puts what a payment needs towards it, as far as there is money.
func (c *call) applyUpTo(r *record, customer, currency string) {
	if amount := min(c.cashFor(customer, currency), remaining(r)); amount > 0 {
		_ = c.applyCash(r, amount) // a refusal is the payment's, and told there
	}
}

// awaiting are the payments that wait for a customer's money in a currency, the oldest first.
func (c *call) awaiting(customer, currency string) (all []*record) {
	for _, r := range c.having("payment_intent", "customer", customer) {
		if r.text("status") != requiresAction {
			continue
		}
		if wait := known[intent](r).Cash; wait != nil && wait.Customer == customer && wait.Currency == currency {
			all = append(all, r)
		}
	}
	return all
}

// exactGroup is the smallest group of payments that need exactly an amount, of several the one with the oldest; nil is none.
func exactGroup(waiting []*record, amount int64) []*record {
	waiting = waiting[:min(len(waiting), maxSought)]
	for size := 1; size <= min(maxGroup, len(waiting)); size++ {
		if group := groupOf(waiting, size, amount); group != nil {
			return group
		}
	}
	return nil
}

// groupOf is the first group of a size that needs exactly an amount.
func groupOf(waiting []*record, size int, amount int64) []*record {
	if size == 0 {
		if amount == 0 {
			return []*record{}
		}
		return nil
	}
	for i := 0; i+size <= len(waiting); i++ {
		if rest := groupOf(waiting[i+1:], size-1, amount-remaining(waiting[i])); rest != nil {
			return slices.Concat(waiting[i:i+1], rest)
		}
	}
	return nil
}
