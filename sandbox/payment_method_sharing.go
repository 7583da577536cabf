package sandbox

// platformOwned is what a refusal adds where an account is asked to pay with a payment method of its platform (recorded).
const platformOwned = "; OAuth key or Stripe-Account header was used but API request was provided with a platform-owned payment method ID. Please ensure that the provided payment method matches the specified account."

// whereElse says where a payment method might be that this account does not have.
func (w *realm) whereElse(id string) string {
	if !w.isPlatform() && w.home.find("payment_method", id) != nil {
		return platformOwned
	}
	return elsewhere
}

// shareMethod makes a payment method of this account out of one of its platform's, so that a customer of the platform can pay here
// (docs.stripe.com/connect/direct-charges-multiple-accounts). It belongs to nobody yet.
func (c *call) shareMethod(r *record) error {
	if c.browser {
		return secretRequired()
	}
	id, customer := c.params.String("payment_method"), c.params.String("customer")
	p := c.platform()
	switch method := p.find("payment_method", id); {
	case c.isPlatform():
		return invalid("", "payment_method", "A PaymentMethod can be shared with a connected account only: use the Stripe-Account header.")
	case id == "":
		return invalid("parameter_missing", "payment_method", "Missing required param: payment_method.")
	case customer != "" && p.find("customer", customer) == nil:
		return missingIn("customer", "customer", customer)
	case method == nil:
		return invalid("resource_missing", "payment_method", "No such PaymentMethod: '%s'%s", id, elsewhere)
	case method.text("customer") != customer:
		return invalid("", "customer", "The PaymentMethod %s does not belong to the Customer '%s'.", id, customer)
	case customer == "" && known[instrument](method).Used:
		return method.reusable()
	default:
		c.copyMethod(r, method)
		return nil
	}
}

// copyMethod fills a new payment method in as another account's. One that belongs to no customer is spent by that.
func (c *call) copyMethod(r, method *record) {
	in := *known[instrument](method)
	in.Used, in.Detached = false, false
	r.replace(method.look().Clone().Set("id", r.id).Set("created", r.created).Set("customer", nil).Set("metadata", map[string]string{}))
	r.hidden = &in
	if method.text("customer") == "" {
		private[instrument](method).Used = true
	}
}
