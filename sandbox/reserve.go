package sandbox

import "time"

// The platform that is liable for the losses of its accounts keeps a reserve, out of its own balance, as great as what the available
// balances of those accounts are below nothing; it comes back with them. What has stayed below nothing for so long is made up for from
// the reserve (support.stripe.com/questions/connect-reserves-faq).
const collectedAfter = 180 * 24 * time.Hour

// backing is what a platform keeps for one balance of an account.
type backing struct {
	Amount   int64  // what the balance is below nothing
	Currency string // the platform's
	Reserved int64  // the amount in that
	Since    int64
}

// back brings the platform's reserve for this account to what its balance in a currency asks for.
func (c *call) back(currency string) {
	if c.isPlatform() {
		return
	}
	f := c.books().in(currency)
	lacks := max(-f.Available, 0)
	if lacks == 0 && f.Backed == nil || f.Backed != nil && f.Backed.Amount == lacks || f.Backed == nil && !c.backed() {
		return
	}
	p := c.platform()
	b := f.Backed
	if b == nil {
		b = &backing{Currency: p.settlesIn(currency), Since: c.now().Unix()}
		c.at(c.now().Add(collectedAfter), "balance.collect", c.byID[balanceID], currency)
	}
	reserved, _ := exchanged(lacks, currency, b.Currency, middle)
	more := reserved - b.Reserved
	if f.Backed = nil; lacks > 0 {
		f.Backed = &backing{Amount: lacks, Currency: b.Currency, Reserved: reserved, Since: b.Since}
	}
	if more != 0 {
		p.books().in(b.Currency).Reserved += more
		p.bookBare("reserve_transaction", "connect_reserved_funds", "Connect reserve for "+c.account, -more, b.Currency, p.now())
	}
}

// collectFunds makes up for what an account has been below nothing all the time since it was first backed.
func collectFunds(c *call, _ *record, currency string) {
	b := c.books().in(currency).Backed
	if b == nil || b.Since+int64(collectedAfter/time.Second) != c.now().Unix() {
		return
	}
	owed := *b
	c.bookBare("connect_collection_transfer", "connect_collection_transfer", "Connect collection transfer", owed.Amount, currency, c.now())
	c.platform().bookBare("connect_collection_transfer", "connect_collection_transfer", "Connect collection transfer to "+c.account, -owed.Reserved, owed.Currency, c.now())
}
