package sandbox

import (
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// embeddedLife is how long the secret of an account session is good; unconfirmed.
const embeddedLife = 30 * time.Minute

// accountSessions let Stripe's components in a page of the platform show an account. No component reaches a sandbox, so nothing is kept.
var accountSessions = &resource{
	Object: "account_session",
	Path:   singleton,
	Others: map[string]func(*call) (appender, error){"POST /v1/account_sessions": createAccountSession},
}

func createAccountSession(c *call) (appender, error) {
	to, r, err := c.namedInParams()
	if err != nil {
		return nil, err
	}
	if len(c.params.Names("components")) == 0 {
		return nil, invalid("parameter_missing", "components", "Missing required param: components.")
	}
	shown := spec.New("connect_embedded_account_session_create_components")
	for _, f := range spec.Fields(shown.Shape()) {
		shown.Set(f.Name, c.component(f))
	}
	if d := known[standing](r).Dossier; d != nil && !d.Linked {
		to.dossier().Linked = true
		to.reviewNew()
	}
	o := spec.New("account_session").Set("account", r.id).Set("client_secret", "accs_secret__"+c.letters(54)).Set("components", shown)
	return o.Set("expires_at", c.now().Add(embeddedLife).Unix()).Set("livemode", false), nil
}

// component is a component as the session shows it: on where the request turns it on, with what that turns off in it.
func (c *call) component(f spec.Field) *spec.Object {
	p := c.params.Sub("components", f.Name)
	o := spec.New(f.Shapes[0]).Set("enabled", p.Bool("enabled"))
	features, declared := spec.FieldOf(o.Shape(), "features")
	if !declared || len(features.Shapes) == 0 {
		return o
	}
	of := spec.New(features.Shapes[0])
	for _, one := range spec.Fields(of.Shape()) {
		if p.Has("features", one.Name) {
			of.Set(one.Name, p.Bool("features", one.Name))
			continue
		}
		if _, flag := spec.New(of.Shape()).Get(one.Name).(bool); flag {
			of.Set(one.Name, one.Name != "disable_stripe_user_authentication" && one.Name != "destination_on_behalf_of_charge_management")
		}
	}
	return o.Set("features", of)
}
