package sandbox

import (
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// hidden are fields of intents that a publishable key does not see.
var hidden = []string{"amount_capturable", "amount_received", "application", "application_fee_amount", "customer", "latest_charge", "latest_attempt", "metadata",
	"on_behalf_of", "review", "statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group", "customer_account", "mandate", "single_use_mandate"}

// browserView is an object as a publishable key sees it: an intent without what is between the merchant and Stripe.
func browserView(r *record) *spec.Object {
	if len(r.resource.Browser) == 0 {
		return r.object
	}
	o := r.object.Clone()
	for _, f := range spec.Fields(o.Shape()) {
		if f.Optional && slices.Contains(hidden, f.Name) {
			o.Set(f.Name, spec.Absent)
		}
	}
	return o
}
