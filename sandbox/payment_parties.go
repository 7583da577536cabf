package sandbox

import (
	"github.com/till-pay/till/sandbox/spec"
)

// A payment on a platform may be shared: with the account that it is transferred to, with the platform that takes a fee of it, and it may
// be one on behalf of an account, which is then its merchant.

// noFee refuses a fee where there is nobody to take it of.
const noFee = "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`)."

// chooseParties checks and stores who shares a new payment.
func (c *call) chooseParties(o *spec.Object) error {
	p := c.params
	if !p.Has("application_fee_amount") && !p.Has("transfer_data") && !p.Has("on_behalf_of") {
		return nil
	}
	if id := p.String("on_behalf_of"); id != "" {
		if to := c.realmOf(id); to == nil || !c.isPlatform() || to.isPlatform() || !to.standing().granted() {
			return missingIn("on_behalf_of", "on_behalf_of", id)
		}
		o.Set("on_behalf_of", id)
	}
	if id := p.String("transfer_data", "destination"); id != "" {
		to, err := c.receiver("transfer_data[destination]", id)
		if err != nil {
			return err
		}
		if err := c.reachable(to.realm); err != nil && o.String("on_behalf_of") != id {
			return err
		}
		o.Set("transfer_data", spec.New("transfer_data").Set("destination", id))
	}
	return c.adjustShares(o)
}

// chooseChargeParties is chooseParties of a charge of the older kind, which has older names for them too.
func (c *call) chooseChargeParties(o *spec.Object) error {
	p := c.params
	if p.Has("destination") {
		id, hash := p.String("destination"), p.Sub("destination") != nil
		if hash {
			id = p.String("destination", "account")
		}
		to, err := c.receiver("destination", id)
		if err != nil {
			return err
		}
		if err := c.reachable(to.realm); err != nil && p.String("on_behalf_of") != id {
			return err
		}
		data := spec.New("transfer_data").Set("destination", id)
		if p.Has("destination", "amount") {
			data.Set("amount", p.Int("destination", "amount"))
		}
		o.Set("transfer_data", data)
	}
	if p.Has("application_fee") {
		o.Set("application_fee_amount", p.Int("application_fee"))
	}
	if err := c.chooseParties(o); err != nil {
		return err
	}
	return c.checkShares(o, o.Int("amount"))
}

// adjustShares checks and stores how much each gets, of a new payment or at a change.
func (c *call) adjustShares(o *spec.Object) error {
	p, data := c.params, o.Sub("transfer_data")
	if p.Has("transfer_data") {
		if data == nil {
			return invalid("parameter_missing", "transfer_data[destination]", "Missing required param: transfer_data[destination].")
		}
		data = data.Clone()
		for _, name := range []string{"amount", "description"} {
			if p.Has("transfer_data", name) {
				set(data, name, p.Sub("transfer_data"))
			}
		}
		if metadata, ok := p.Map("transfer_data", "metadata"); ok {
			data.Set("metadata", metadata)
		}
		if p.Has("transfer_data", "payment_data") {
			return unbuilt("the parameter transfer_data[payment_data] of %s", c.op)
		}
		o.Set("transfer_data", data)
	}
	switch {
	case p.Unset("application_fee_amount"):
		o.Set("application_fee_amount", nil)
	case p.Has("application_fee_amount"):
		o.Set("application_fee_amount", p.Int("application_fee_amount"))
	}
	return c.checkShares(o, o.Int("amount"))
}

// checkShares holds the shares of a payment against its amount.
func (c *call) checkShares(o *spec.Object, amount int64) error {
	currency, data := currencyOf(o), o.Sub("transfer_data")
	fee, taken := o.Get("application_fee_amount").(int64)
	part, partial := data.Get("amount").(int64)
	switch {
	case taken && data == nil && c.isPlatform():
		return invalid("parameter_missing", "transfer_data[destination]", noFee)
	case taken && partial:
		return exclusive("application_fee_amount", "application_fee_amount", "transfer_data[amount]")
	case taken && fee < 1:
		return invalid("parameter_invalid_integer", "application_fee_amount", "This value must be greater than or equal to 1.")
	case partial && part < 1:
		return invalid("parameter_invalid_integer", "transfer_data[amount]", "This value must be greater than or equal to 1.")
	case taken && fee > amount:
		return invalid("amount_too_large", "application_fee_amount", "The application fee (%s) cannot be greater than the amount of the payment (%s).", display(fee, currency), display(amount, currency))
	case partial && part > amount:
		return invalid("amount_too_large", "transfer_data[amount]", "The amount to transfer (%s) cannot be greater than the amount of the payment (%s).", display(part, currency), display(amount, currency))
	}
	return nil
}

// captureShares reads what a capture changes of the shares. What it does not change is capped at what is captured.
func (c *call) captureShares(o *spec.Object, captured int64) error {
	p, data := c.params, o.Sub("transfer_data")
	if p.Has("application_fee") { // as older captures say it
		if o.Set("application_fee_amount", p.Int("application_fee")); p.Int("application_fee") > captured {
			return c.checkShares(o, captured)
		}
	}
	if p.Has("application_fee_amount") || p.Has("transfer_data") {
		if err := c.adjustShares(o); err != nil {
			return err
		}
		if p.Has("application_fee_amount") && p.Int("application_fee_amount") > captured || p.Has("transfer_data", "amount") && p.Int("transfer_data", "amount") > captured {
			return c.checkShares(o, captured)
		}
		data = o.Sub("transfer_data")
	}
	if fee, taken := o.Get("application_fee_amount").(int64); taken && fee > captured {
		o.Set("application_fee_amount", captured)
	}
	if part, partial := data.Get("amount").(int64); partial && part > captured {
		o.Set("transfer_data", data.Clone().Set("amount", captured))
	}
	return nil
}

// shareCharge says in a new charge who shares it, as its payment does. A payment with a destination is a group of transfers.
func (c *call) shareCharge(from *record, ch *spec.Object) {
	if len(c.connected) == 0 {
		return
	}
	o := from.object()
	if !c.isPlatform() {
		ch.Set("application", c.clientID())
	}
	if data := o.Sub("transfer_data"); data != nil && o.String("transfer_group") == "" {
		group := "group_" + from.id
		if from.id == "" { // a charge without an intent
			group = "group_" + ch.String("id")
		}
		o.Set("transfer_group", group)
		ch.Set("transfer_group", group)
	}
	c.showShares(o, ch)
}

// showShares writes into a charge what its payment says of the shares.
func (c *call) showShares(from, ch *spec.Object) {
	for _, name := range []string{"application_fee_amount", "on_behalf_of"} {
		if value := from.Get(name); value != nil {
			ch.Set(name, value)
		}
	}
	if data := from.Sub("transfer_data"); data != nil {
		ch.Set("transfer_data", spec.New("charge_transfer_data").Set("destination", data.String("destination")).Set("amount", data.Get("amount")))
	}
}

// merchantOf is the account that a charge is a sale of: the one that it was made on, or on behalf of. Its country says what the charge
// costs and when it settles, and its currency in which.
func (c *call) merchantOf(ch *record) *realm {
	if len(c.connected) == 0 {
		return c.realm
	}
	if of := c.realmOf(ch.text("on_behalf_of")); of != nil && ch.text("on_behalf_of") != "" {
		return of
	}
	return c.realm
}

// maySell refuses a payment whose merchant may take none, or whose destination gets nothing.
func (c *call) maySell(r *record) error {
	if len(c.connected) == 0 {
		return nil
	}
	if of := c.merchantOf(r); !of.mayCharge() {
		return noCharges(of.account)
	}
	if data := r.object().Sub("transfer_data"); data != nil {
		_, err := c.receiver("transfer_data[destination]", data.String("destination"))
		return err
	}
	return nil
}
