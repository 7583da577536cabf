package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

var customers = &resource{
	Object: "customer",
	Path:   "/v1/customers",
	Prefix: "cus_",
	NewID:  func(w *realm, _ *spec.Params) string { return w.newShortID("cus_") },
	Plain:  []string{"address", "balance", "business_name", "description", "email", "individual_name", "invoice_prefix", "invoice_settings", "name", "next_invoice_sequence", "phone", "preferred_locales", "shipping", "tax_exempt"},
	Takes: []string{"payment_method", "validate", "bank_account", "card", "default_alipay_account", "default_bank_account", "default_card", "default_source", "source",
		"cash_balance", "tax"}, // the latter is shown nowhere but in automatic tax, which is not built
	Create:    createCustomer,
	Made:      attachFirst,
	Update:    updateCustomer,
	Delete:    deleteCustomer,
	Announces: []string{"created", "updated", "deleted"},
	Others:    sourceOperations,
	Until:     map[string]string{"sources": withSources, "subscriptions": withSources, "tax_ids": withSources},
	Stub:      true,
	Filters:   []string{"email"},
	Search:    []string{"email", "name", "phone"},
	Expands: map[string]func(*call, *record) *spec.Object{
		"sources": func(c *call, r *record) *spec.Object { return c.sourcePage(r) }, "subscriptions": emptyList("subscriptions"), "tax_ids": emptyList("tax_ids"),
		"cash_balance": func(c *call, r *record) *spec.Object { return c.cashBalance(r.id).object().Clone() },
	},
	Includes: map[string]func(*call, *record) any{
		"tax":                    func(*call, *record) any { return untaxed() },
		"invoice_credit_balance": func(*call, *record) any { return map[string]int64{} }, // there are no invoices here
	},
}

// untaxed is what Stripe Tax knows of a customer whom it cannot place: it is not built here.
func untaxed() *spec.Object {
	return spec.New("customer_tax").Set("automatic_tax", "unrecognized_location").Set("provider", "stripe")
}

// checkEmail refuses what can be no address.
func (c *call) checkEmail(param string) error {
	given := c.params.String(param)
	at := strings.LastIndexByte(given, '@')
	if given == "" || at > 0 && at < len(given)-1 && !strings.ContainsAny(given, " \t\r\n") {
		return nil
	}
	return invalid("email_invalid", param, "Invalid email address: %s", given)
}

// checkDefaultMethod refuses a payment method as the customer's default that is not the customer's.
func (c *call) checkDefaultMethod(r *record) error {
	id := c.params.String("invoice_settings", "default_payment_method")
	if id == "" {
		return nil
	}
	method := c.find("payment_method", id)
	switch {
	case method == nil:
		return invalid("resource_missing", "invoice_settings[default_payment_method]", "No such PaymentMethod: '%s'%s", id, elsewhere)
	case method.object().String("customer") != r.id:
		return invalid("resource_missing", "invoice_settings[default_payment_method]", "The customer does not have a payment method with the ID %s. The payment method must be attached to the customer.", id)
	}
	return nil
}

func createCustomer(c *call, r *record) error {
	if err := c.checkEmail("email"); err != nil {
		return err
	}
	if err := c.checkDefaultMethod(r); err != nil {
		return err
	}
	o := r.object().Set("delinquent", false)
	if o.String("invoice_prefix") == "" {
		o.Set("invoice_prefix", upper(c.letters(8)))
	}
	if o.Int("next_invoice_sequence") == 0 {
		o.Set("next_invoice_sequence", 1)
	}
	if o.Get("preferred_locales") == nil {
		o.Set("preferred_locales", []string{})
	}
	if o.String("tax_exempt") == "" {
		o.Set("tax_exempt", "none")
	}
	if name := c.sourceParam(); c.params.Has(name) {
		source, err := c.newSource(r, name)
		if err != nil {
			return err
		}
		c.source = source
		o.Set("default_source", source.id)
	}
	if !c.params.Has("payment_method") {
		return nil
	}
	method, err := c.paymentMethod(c.params.String("payment_method"))
	if err != nil {
		return err
	}
	if method.object().String("customer") != "" {
		return refused("", "", "The payment method you provided has already been attached to a customer.")
	}
	if err := method.reusable(); err != nil {
		return err
	}
	return c.validateCard(method)
}

// attachFirst attaches the payment method that a customer was created with.
func attachFirst(c *call, r *record) error {
	c.setReconciliation(r.id, "cash_balance")
	if c.source != nil {
		c.keepSource(r, c.source, true)
	}
	if !c.params.Has("payment_method") {
		return nil
	}
	method, err := c.paymentMethod(c.params.String("payment_method"))
	if err == nil {
		c.attach(method, r.id)
	}
	return err
}

func updateCustomer(c *call, r *record) error {
	if err := c.checkEmail("email"); err != nil {
		return err
	}
	if err := c.checkDefaultMethod(r); err != nil {
		return err
	}
	for _, name := range []string{"default_source", "default_card", "default_bank_account", "default_alipay_account"} {
		id := c.params.String(name)
		if id == "" {
			continue
		}
		if c.sourceOf(r, id) == nil {
			return missingIn(name, "source", id)
		}
		r.object().Set("default_source", id)
	}
	if name := c.sourceParam(); c.params.Has(name) {
		source, err := c.newSource(r, name)
		if err != nil {
			return err
		}
		if was := c.sourceByID(r.object().String("default_source")); was != nil {
			c.dropSource(was)
		}
		c.keepSource(r, source, true)
	}
	c.setReconciliation(r.id, "cash_balance")
	return nil
}

// deleteCustomer detaches what belonged to the customer. Stripe keeps whoever still has money with it.
func deleteCustomer(c *call, r *record) error {
	if c.holdsCash(r.id) {
		return refused("", "", "You cannot delete a customer with a positive cash balance. Use the funds for a payment or refund them first.")
	}
	for _, method := range c.having("payment_method", "customer", r.id) {
		method.object().Set("customer", nil)
		private[instrument](method).Detached = true
	}
	for _, bank := range slices.Clone(c.having("bank_account", "customer", r.id)) {
		c.remove(bank)
	}
	for _, source := range slices.Clone(c.having("source", "customer", r.id)) {
		c.detachSource(source)
	}
	return nil
}

func emptyList(name string) func(*call, *record) *spec.Object {
	return func(_ *call, r *record) *spec.Object {
		return spec.New("list").Set("url", r.resource.Path+"/"+r.id+"/"+name)
	}
}

// upper is the text in capitals and digits.
func upper(text string) string {
	b := []byte(text)
	for i, ch := range b {
		if ch >= 'a' && ch <= 'z' {
			b[i] = ch - 'a' + 'A'
		}
	}
	return string(b)
}
