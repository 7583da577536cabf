package sandbox

// authorized is what follows from a charge that the issuer has approved: a review of it, and its issuer's warning.
func (c *call) authorized(ch *record) {
	c.review(ch)
	if fraud := c.conductOf(ch).warning; fraud != "" {
		c.in(warnedAfter, "radar.early_fraud_warning.warn", ch, fraud)
	}
	if what := c.conductOf(ch).trigger; what != "" {
		c.triggered(ch, what)
	}
	if ch.object().Bool("captured") {
		c.raise(ch)
	}
}

// refunded is what follows from a refund: whoever has asked about the charge is satisfied once there is nothing left of it.
func (c *call) refunded(ch *record, reason string) {
	if !ch.object().Bool("refunded") {
		return
	}
	closed := "refunded"
	if reason == "fraudulent" {
		closed = "refunded_as_fraud"
	}
	c.closeReview(ch, closed)
	c.satisfied(ch)
	c.reconsiderWarnings(ch)
}
