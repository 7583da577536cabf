package sandbox

import "time"

// warnedAfter is when an issuer's warning comes after the charge.
const warnedAfter = time.Second

// earlyFraudWarnings are issuers' reports of fraud that is not disputed yet.
var earlyFraudWarnings = &resource{
	Object:  "radar.early_fraud_warning",
	Path:    "/v1/radar/early_fraud_warnings",
	Prefix:  "issfr_",
	Noun:    "early fraud warning",
	Param:   "early_fraud_warning",
	Filters: []string{"charge", "payment_intent"},
	Due:     map[string]func(*call, *record, string){"warn": func(c *call, ch *record, fraud string) { c.warn(ch, fraud) }},
}

// warn reports a charge as fraudulent. There is something to do about it as long as there is something to refund.
func (c *call) warn(ch *record, fraud string) {
	r := c.newRecord(kinds["radar.early_fraud_warning"])
	r.object().Set("charge", ch.id).Set("fraud_type", fraud).Set("actionable", actionable(ch))
	if intent := ch.object().String("payment_intent"); intent != "" {
		r.object().Set("payment_intent", intent)
	}
	c.insert(r)
	c.emit("radar.early_fraud_warning.created", r)
}

func actionable(ch *record) bool {
	return !ch.object().Bool("refunded") && !ch.object().Bool("disputed")
}

// reconsiderWarnings brings the warnings about a charge up to what has become of it.
func (c *call) reconsiderWarnings(ch *record) {
	for _, r := range c.having("radar.early_fraud_warning", "charge", ch.id) {
		before := r.object().Clone()
		r.object().Set("actionable", actionable(ch))
		c.emitUpdated("radar.early_fraud_warning.updated", r, before)
	}
}
