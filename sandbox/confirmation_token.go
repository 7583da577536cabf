package sandbox

import (
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// confirmationLife is how long a ConfirmationToken can be used (docs.stripe.com/api/confirmation_tokens).
const confirmationLife = 12 * time.Hour

// confirmationTokens carry what a customer has entered to the confirmation of one intent. Stripe.js makes them; on a server, the test
// helper does.
var confirmationTokens = &resource{
	Object:  "confirmation_token",
	Path:    singleton,
	Noun:    "confirmation_token",
	Param:   "confirmation_token",
	Prefix:  "ctoken_",
	Takes:   []string{"payment_method", "payment_method_data", "payment_method_options", "return_url", "setup_future_usage", "shipping"},
	Plain:   []string{"return_url", "setup_future_usage", "shipping"},
	Create:  createConfirmationToken,
	Private: func() any { return new(confirmation) },
	Others: map[string]func(*call) (appender, error){
		"POST /v1/test_helpers/confirmation_tokens": func(c *call) (appender, error) { return kinds["confirmation_token"].create(c) },
		"GET /v1/confirmation_tokens/x_1":           func(c *call) (appender, error) { return kinds["confirmation_token"].retrieve(c) },
	},
}

// confirmation is what a ConfirmationToken does not show: the payment method that it stands for, which comes to be when it is used.
type confirmation struct {
	Method   string     // its id
	Made     snapshot   `json:",omitempty"` // the payment method; none where it was there before
	Behind   instrument // what is behind it
	CVCToken string     `json:",omitempty"`
}

func createConfirmationToken(c *call, r *record) error {
	method, made, err := c.confirmingMethod()
	if err != nil {
		return err
	}
	r.hidden = &confirmation{Method: method.id, CVCToken: c.params.String("payment_method_options", "card", "cvc_token")}
	if made {
		private[confirmation](r).Made = method.object().Pack(nil)
		private[confirmation](r).Behind = *private[instrument](method)
	}
	o := r.object().Set("expires_at", c.now().Add(confirmationLife).Unix()).Set("use_stripe_sdk", false)
	const shape = "confirmation_tokens_resource_payment_method_preview"
	preview, from := spec.New(shape), method.object()
	for _, f := range spec.Fields(shape) {
		if value := from.Get(f.Name); value != nil {
			preview.Set(f.Name, value)
		}
	}
	o.Set("payment_method_preview", preview)
	return nil
}

// confirmingMethod is the payment method that a ConfirmationToken is made of; made says that it is not stored yet.
func (c *call) confirmingMethod() (method *record, made bool, err error) {
	switch {
	case c.params.Has("payment_method") && c.params.Has("payment_method_data"):
		return nil, false, exclusive("payment_method_data", "payment_method", "payment_method_data")
	case c.params.Has("payment_method_data"):
		method = c.record("payment_method", c.newID("pm_"))
		return method, true, c.describeMethod(method, c.params.Sub("payment_method_data"))
	case c.params.Has("payment_method"):
		method, err = c.paymentMethod(c.params.String("payment_method"))
		return method, err == nil && c.byID[method.id] == nil, err
	default:
		return nil, false, invalid("parameter_missing", "payment_method", "You must provide one of payment_method or payment_method_data.")
	}
}

// confirmationToken is the ConfirmationToken that the request names; nil where it names none.
func (c *call) confirmationToken() *record {
	if !c.params.Has("confirmation_token") {
		return nil
	}
	return c.find("confirmation_token", c.params.String("confirmation_token"))
}

// returnURL is where the customer shall come back to, as the request or its ConfirmationToken says.
func (c *call) returnURL() string {
	if token := c.confirmationToken(); token != nil && !c.params.Has("return_url") {
		return token.text("return_url")
	}
	return c.params.String("return_url")
}

// confirmedWith writes what a ConfirmationToken carries into the intent that it confirms, and is its payment method.
func (c *call) confirmedWith(r *record) (*record, error) {
	id := c.params.String("confirmation_token")
	token := c.confirmationToken()
	switch {
	case token == nil:
		return nil, missingIn("confirmation_token", "confirmation_token", id)
	case c.params.Has("payment_method"):
		return nil, exclusive("confirmation_token", "payment_method", "confirmation_token")
	case c.params.Has("payment_method_data"):
		return nil, exclusive("confirmation_token", "payment_method_data", "confirmation_token")
	case !c.confirms(r):
		return nil, invalid("", "confirmation_token", "The parameter confirmation_token can be used only when the %s is confirmed: pass confirm=true.", r.kind())
	case token.text("payment_intent") != "" || token.text("setup_intent") != "":
		return nil, invalid("", "confirmation_token", "This ConfirmationToken has already been used: %s. Please create a new ConfirmationToken.", id)
	case token.number("expires_at") <= c.now().Unix():
		return nil, invalid("", "confirmation_token", "This ConfirmationToken has expired: %s. Please create a new ConfirmationToken.", id)
	}
	if r.resource.Object == "payment_intent" {
		for _, name := range []string{"setup_future_usage", "shipping"} {
			if carried := token.object().Get(name); carried != nil && !c.params.Has(name) {
				r.object().Set(name, carriedTo(r.object(), name, carried))
			}
		}
	}
	return c.methodOf(token)
}

// confirms says whether the request confirms the intent.
func (c *call) confirms(r *record) bool {
	return private[intent](r).Confirming || len(c.path) > 0 && c.op.Method() == "POST" && hasVerb(c.op, "confirm")
}

// hasVerb says whether an operation is a verb's.
func hasVerb(op spec.Op, name string) bool {
	path := op.Path()
	return len(path) > len(name) && path[len(path)-len(name)-1:] == "/"+name
}

// carriedTo is a token's value in the shape that the intent has for it.
func carriedTo(o *spec.Object, name string, value any) any {
	from, object := value.(*spec.Object)
	if !object {
		return value
	}
	f, _ := spec.FieldOf(o.Shape(), name)
	to := spec.New(f.Shapes[0])
	for _, field := range spec.Fields(from.Shape()) {
		if part, ok := from.Get(field.Name).(*spec.Object); ok {
			to.Set(field.Name, part.Clone())
		} else if from.Get(field.Name) != nil {
			to.Set(field.Name, from.Get(field.Name))
		}
	}
	return to
}

// methodOf is the payment method that a ConfirmationToken stands for.
func (c *call) methodOf(token *record) (*record, error) {
	of := known[confirmation](token)
	if of.Made == nil {
		return c.paymentMethod(of.Method)
	}
	behind := of.Behind
	return &record{realm: c.realm, resource: kinds["payment_method"], id: of.Method, created: token.created, working: spec.Unpack(of.Made), hidden: &behind}, nil
}

// useConfirmation notes on the request's ConfirmationToken, if there is one, which intent it has confirmed: it is spent then.
func (c *call) useConfirmation(r *record) {
	if token := c.confirmationToken(); token != nil {
		token.object().Set(r.resource.Object, r.id)
	}
}

// cvcToken is the token of a security code that the customer was asked for anew; nil where none was given.
func (c *call) cvcToken() (*record, error) {
	id := c.params.String("payment_method_options", "card", "cvc_token")
	if token := c.confirmationToken(); token != nil && id == "" {
		id = known[confirmation](token).CVCToken
	}
	if id == "" {
		return nil, nil
	}
	const param = "payment_method_options[card][cvc_token]"
	token := c.find("token", id)
	switch {
	case token == nil:
		return nil, missingIn(param, "token", id)
	case token.text("type") != "cvc_update":
		return nil, invalid("", param, "The token %s is a token of type %s. A token of type cvc_update is needed here.", id, token.text("type"))
	case token.flag("used"):
		return nil, spendToken(token)
	}
	return token, nil
}

// recollect spends the token of a security code, which was found good before, for a payment.
func (c *call) recollect(method *record) {
	if token, _ := c.cvcToken(); token != nil {
		token.object().Set("used", true)
		private[instrument](method).CVC = true
	}
}
