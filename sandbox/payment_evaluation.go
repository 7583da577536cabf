package sandbox

import "github.com/till-pay/till/sandbox/spec"

// paymentEvaluations are Radar's word on payments that another processor takes (docs.stripe.com/radar/multiprocessor). They are only
// made: there is no operation that shows one again. The prefix of their ids is likely [U].
var paymentEvaluations = &resource{
	Object: "radar.payment_evaluation",
	Path:   singleton,
	Prefix: "peval_",
	Takes:  []string{"client_device_metadata_details", "customer_details", "payment_details"},
	Others: map[string]func(*call) (appender, error){"POST /v1/radar/payment_evaluations": evaluatePayment},
}

func evaluatePayment(c *call) (appender, error) {
	method, err := c.evaluated()
	if err != nil {
		return nil, err
	}
	r := &record{realm: c.realm, resource: paymentEvaluationKind(), id: c.newID("peval_"), created: c.now().Unix(), working: spec.New("radar.payment_evaluation")}
	o := r.working.Set("id", r.id).Set("created_at", r.created).Set("events", []*spec.Object{})
	if err := c.fillMetadata(o); err != nil {
		return nil, err
	}
	for _, name := range paymentEvaluationKind().Takes {
		if c.params.Has(name) {
			set(o, name, c.params)
		}
	}
	by := o.Sub("payment_details").Sub("payment_method_details").Set("payment_method", method.id)
	if billing := by.Sub("billing_details"); billing != nil && billing.Get("address") == nil {
		billing.Set("address", spec.New("insights_resources_payment_evaluation_address"))
	}
	if shipping := o.Sub("payment_details").Sub("shipping_details"); shipping != nil && shipping.Get("address") == nil {
		shipping.Set("address", spec.New("insights_resources_payment_evaluation_address"))
	}
	risk := c.assess(r, method)
	score := float64(risk.Score*100+int64(c.random.Uint64()%100)) / 100 // two decimal places
	signal := spec.New("insights_resources_payment_evaluation_signal_v2").Set("evaluated_at", r.created).Set("risk_level", risk.Level).Set("score", score)
	o.Set("signals", spec.New("insights_resources_payment_evaluation_signals").Set("fraudulent_payment", signal)).Set("recommended_action", "continue")
	if risk.Level == "highest" {
		o.Set("recommended_action", "block")
	}
	c.keep(method)
	c.insert(r)
	return c.show(r)
}

func paymentEvaluationKind() *resource { return kinds["radar.payment_evaluation"] }

// evaluated checks the payment that is to be evaluated, and finds its card.
func (c *call) evaluated() (*record, error) {
	if err := paymentEvaluationKind().takes(c); err != nil {
		return nil, err
	}
	details := c.params.Sub("payment_details")
	if _, err := readCurrency(details.String("currency")); err != nil {
		return nil, err
	}
	if details.Int("amount") < 1 {
		return nil, invalid("parameter_invalid_integer", "payment_details[amount]", "This value must be greater than or equal to 1.")
	}
	if id := c.params.String("customer_details", "customer"); id != "" && c.find("customer", id) == nil {
		return nil, missingIn("customer_details[customer]", "customer", id)
	}
	method, err := c.paymentMethod(details.String("payment_method_details", "payment_method"))
	if err != nil {
		return nil, err
	}
	if methodKindOf(method) != nil {
		return nil, refused("", "payment_details[payment_method_details][payment_method]", "Payment evaluations are of cards: %s is of the type %s.", method.id, method.text("type"))
	}
	return method, nil
}
