package sandbox

import (
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// What money may do between a platform and the accounts that are connected to it hangs on what those accounts are and may, as their
// objects say.

// look is a record's object, for a glance that does not count as a change.
func (r *record) look() *spec.Object {
	if r.working != nil {
		return r.working
	}
	return r.made()
}

// said is a text in the account's object. The platform's own object is made when it is shown, and says nothing.
func (w *realm) said(path ...string) string {
	text, _ := w.accountRecord().look().At(path...).(string)
	return text
}

// mayCharge says whether the account may take payments: the platform may.
func (w *realm) mayCharge() bool {
	return w.isPlatform() || w.accountRecord().flag("charges_enabled") && w.said("capabilities", "card_payments") == "active"
}

// mayPayOut says whether the account may be paid out. The platform may, unless it has been stopped.
func (w *realm) mayPayOut() bool {
	if w.isPlatform() {
		return w.standing().Stop == nil
	}
	return w.accountRecord().flag("payouts_enabled")
}

// receiving are the capabilities of which one lets an account receive transfers, in the order in which Stripe's refusal names them.
var receiving = []string{"transfers", "crypto_transfers", "legacy_payments"}

// mayReceive says whether the account may receive transfers.
func (w *realm) mayReceive() bool {
	if w.isPlatform() {
		return true
	}
	for _, capability := range receiving {
		if w.said("capabilities", capability) == "active" {
			return true
		}
	}
	return false
}

// backed says whether the platform is liable for the account's losses, and keeps a reserve for it.
func (w *realm) backed() bool {
	return !w.isPlatform() && w.said("controller", "losses", "payments") == "application"
}

// platformPays says whether Stripe takes its fees of the account's own payments and disputes from the platform. Of the four payers only
// application does so (docs.stripe.com/connect/direct-charges-fee-payer-behavior).
func (w *realm) platformPays() bool {
	return !w.isPlatform() && w.said("controller", "fees", "payer") == "application"
}

// platformPaysInstant is the same of instant payouts, for which only the payer account pays itself.
func (w *realm) platformPaysInstant() bool {
	return !w.isPlatform() && strings.HasPrefix(w.said("controller", "fees", "payer"), "application")
}

// noCharges refuses a payment of an account that may take none.
func noCharges(account string) error {
	return refused("", "", "Your account cannot currently make charges. To find out why charges are currently disabled, look at the `requirements.disabled_reason` property on the account (/v1/accounts/%s).", account)
}

// selfServed are the countries between which a platform may send money: the United States, Canada, Britain, Switzerland and the Economic
// Area (docs.stripe.com/connect/cross-border-payouts, 2026). Everywhere else it stays in its country.
func selfServed(country string) bool {
	return country == "US" || country == "CA" || country == "GB" || country == "CH" || inEconomicArea(country)
}

// reachable refuses to send money to where Stripe lets this account send none. A platform in the United States reaches every country
// whose account has the recipient service agreement.
func (w *realm) reachable(to *realm) error {
	from, there := w.standing().Country, to.standing().Country
	switch {
	case from == there, selfServed(from) && selfServed(there):
		return nil
	case from == "US" && to.said("tos_acceptance", "service_agreement") == "recipient":
		return nil
	case from == "US":
		return refused("", "", "Funds can't be sent to accounts located in %s when the account is under the `full` service agreement. To learn more, see https://stripe.com/docs/connect/service-agreement-types.", there)
	default:
		return refused("", "", "Funds can't be sent to accounts located in %s because it's restricted outside of your platform's region. To learn more, see https://stripe.com/docs/connect/account-capabilities#transfers-cross-border.", there)
	}
}

// receiver is the account that money shall go to: a platform sends to an account that is connected to it, and such a one to its platform.
func (c *call) receiver(param, id string) (*call, error) {
	to := c.realmOf(id)
	switch {
	case id == c.account:
		return nil, invalid("", param, "The destination must be another account than your own.")
	case id == "" || to == nil || !to.isPlatform() && (!c.isPlatform() || !to.standing().granted()):
		return nil, missingIn(param, "destination", id)
	case !to.mayReceive():
		return nil, invalid("insufficient_capabilities_for_transfer", "", "Your destination account needs to have at least one of the following capabilities enabled: %s", strings.Join(receiving, ", "))
	}
	return c.of(id), nil
}

// applicationName is what the platform is called where its fees are described.
const applicationName = "Till Sandbox"

// clientID is what the platform is called as an application: a function of its account.
func (w *world) clientID() string { return "ca_" + w.tag + w.home.account[len(w.home.account)-16:] }

// descriptor is what card statements say of the account.
func (w *realm) descriptor() string {
	if w.isPlatform() {
		return descriptor
	}
	for _, path := range [][]string{{"settings", "payments", "statement_descriptor"}, {"business_profile", "name"}} {
		if text := w.said(path...); text != "" {
			return strings.ToUpper(text)
		}
	}
	return descriptor
}
