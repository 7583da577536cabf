package sandbox

import (
	"strings"
)

// A platform may take money out of the balance of an account for whose losses it is liable: by a charge whose source is the account, or by
// a transfer that it makes as the account, to itself. Both are a transfer there and a payment here (docs.stripe.com/connect/account-debits).

// debits says whether a charge is to be taken out of an account's balance.
func (c *call) debits() bool { return strings.HasPrefix(c.params.String("source"), "acct_") }

// debitAccount answers POST /v1/charges where the source is an account.
func (c *call) debitAccount() (appender, error) {
	for _, name := range []string{"amount", "currency"} {
		if !c.params.Has(name) {
			return nil, invalid("parameter_missing", name, "Missing required param: %s.", name)
		}
	}
	for _, name := range []string{"application_fee_amount", "application_fee", "capture", "customer", "destination", "on_behalf_of", "transfer_data"} {
		if c.params.Has(name) {
			return nil, invalid("", name, "You cannot use %s in a charge whose source is an account.", name)
		}
	}
	currency, err := readCurrency(c.params.String("currency"))
	if err != nil {
		return nil, err
	}
	amount, id := c.params.Int("amount"), c.params.String("source")
	if err := c.checkAmount(amount, currency); err != nil {
		return nil, err
	}
	from := c.realmOf(id)
	if from == nil || from == c.realm || !c.isPlatform() || !from.standing().granted() {
		return nil, missingIn("source", "source", id)
	}
	if err := from.mayDebit(amount, currency.Lower()); err != nil {
		return nil, err
	}
	return c.takeFrom(c.of(id), amount, currency.Lower())
}

// takeFrom moves money out of another account's balance into this one.
func (c *call) takeFrom(from *call, amount int64, currency string) (appender, error) {
	tr := from.record("transfer", from.newID("tr_"))
	o := tr.object().Set("amount", amount).Set("currency", currency).Set("destination", c.account).Set("metadata", map[string]string{})
	for _, name := range []string{"description", "transfer_group"} {
		if c.params.Has(name) {
			o.Set(name, c.params.String(name))
		}
	}
	from.send(tr, c, nil, c.now())
	from.insert(tr)
	from.emit("transfer.created", tr)
	r := c.byID[o.String("destination_payment")]
	if err := c.fillMetadata(r.object()); err != nil {
		return nil, err
	}
	c.emit("charge.succeeded", r)
	return c.show(r)
}

// mayDebit refuses to take money out of this account's balance for its platform. The balance may go below nothing where there is a bank
// account to make up for it, and the platform's reserve stands in until then.
func (w *realm) mayDebit(amount int64, currency string) error {
	here, there := w.standing().Country, w.home.standing().Country
	switch {
	case !w.backed():
		return refused("", "", "The account %s cannot be debited: your platform is not liable for its negative balances.", w.account)
	case here != there && (!inEconomicArea(here) || !inEconomicArea(there)):
		return refused("", "", "The account %s cannot be debited: it is not in the region of your platform.", w.account)
	case currency != w.standing().Currency:
		return refused("", "currency", "The currency must be the default currency of the account that is debited (%s).", w.standing().Currency)
	case amount > w.books().in(currency).Available && w.payoutAccount(currency) == nil:
		return insufficientBalance()
	}
	return nil
}
