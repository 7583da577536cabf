package sandbox

import (
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// hidden are fields of intents that a publishable key does not see.
var hidden = []string{"amount_capturable", "amount_received", "application", "application_fee_amount", "customer", "customer_account", "latest_attempt",
	"latest_charge", "mandate", "metadata", "on_behalf_of", "payment_method_options", "review", "single_use_mandate", "statement_descriptor",
	"statement_descriptor_suffix", "transfer_data", "transfer_group"}

// browserView is an object as a publishable key sees it: an intent without what is between the merchant and Stripe.
func browserView(r *record) *spec.Object {
	if len(r.resource.Browser) == 0 {
		return r.object()
	}
	o := r.object().Clone()
	for _, f := range spec.Fields(o.Shape()) {
		if f.Optional && slices.Contains(hidden, f.Name) {
			o.Set(f.Name, spec.Absent)
		}
	}
	return o
}
