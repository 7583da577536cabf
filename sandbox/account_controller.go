package sandbox

import "github.com/till-pay/till/sandbox/spec"

// control is who answers for a connected account, and what it has of Stripe's.
type control struct {
	kind       string // the account's type
	payer      string // of Stripe's fees
	losses     string // who bears them: application or stripe
	collection string // who asks the account for what it needs: application or stripe
	dashboard  string // full, express or none
}

// controlOf is the control by the type of an account (recorded of express and custom; standard is unconfirmed).
var controlOf = map[string]control{
	"standard": {"standard", "account", "stripe", "stripe", "full"},
	"express":  {"express", "application_express", "application", "stripe", "express"},
	"custom":   {"custom", "application_custom", "application", "application", "none"},
}

// readController reads the type of a new account, or its controller.
func (c *call) readController() (control, error) {
	switch {
	case c.params.Has("type") && c.params.Has("controller"):
		return control{}, exclusive("type", "type", "controller")
	case c.params.Has("type"):
		return controlOf[c.params.String("type")], nil
	case !c.params.Has("controller"):
		return controlOf["standard"], nil
	}
	return newController(c.params.Sub("controller"))
}

// newController reads a controller; what it leaves out is as with an account of the type standard.
func newController(p *spec.Params) (control, error) {
	of := controlOf["standard"]
	of.kind = "none"
	for into, path := range map[*string][]string{&of.payer: {"fees", "payer"}, &of.losses: {"losses", "payments"}, &of.collection: {"requirement_collection"}, &of.dashboard: {"stripe_dashboard", "type"}} {
		if given := p.String(path...); given != "" {
			*into = given
		}
	}
	switch {
	case of.collection == "application" && of.dashboard != "none":
		return of, invalid("", "controller[requirement_collection]", "A platform that collects requirements (`controller[requirement_collection]=application`) connects accounts without a Dashboard of Stripe's: `controller[stripe_dashboard][type]` must be `none`.")
	case of.collection == "application" && of.losses != "application":
		return of, invalid("", "controller[losses][payments]", "A platform that collects requirements is liable for negative balances: `controller[losses][payments]` must be `application`.")
	case of.collection == "application" && of.payer != "application":
		return of, invalid("", "controller[fees][payer]", "A platform that collects requirements pays the fees: `controller[fees][payer]` must be `application`.")
	case of.dashboard == "express" && of.losses == "stripe" && of.payer == "application":
		return of, invalid("", "controller[losses][payments]", "A platform that pays the fees of accounts with the Express Dashboard is liable for their negative balances: `controller[losses][payments]` must be `application`.")
	}
	return of, nil
}

// object is the control as the account shows it.
func (of control) object() *spec.Object {
	o := spec.New("account_unification_account_controller").Set("type", "application").Set("is_controller", true).Set("requirement_collection", of.collection)
	o.Set("fees", spec.New("account_unification_account_controller_fees").Set("payer", of.payer))
	o.Set("losses", spec.New("account_unification_account_controller_losses").Set("payments", of.losses))
	return o.Set("stripe_dashboard", spec.New("account_unification_account_controller_stripe_dashboard").Set("type", of.dashboard))
}
