package sandbox

// reviews are of payments that a rule asks a person to look at, as "Review if :risk_level: = 'elevated'" does from the beginning.
// They are looked up by their reason, which is "rule" as long as they are open.
var reviews = &resource{
	Object: "review",
	Path:   "/v1/reviews",
	Prefix: "prv_",
	Param:  "review",
	Index:  []string{"charge", "reason"},
	Verbs:  verbs{"approve": approveReview},
	Others: map[string]func(*call) (appender, error){"GET /v1/reviews": listOpenReviews},
}

// listOpenReviews lists what is still open, as Stripe does.
func listOpenReviews(c *call) (appender, error) {
	return c.listOf("review", "reason", "rule", "/v1/reviews", func(*record) bool { return true })
}

// review opens the review of a charge that a rule has placed in review, unless there is one.
func (c *call) review(ch *record) {
	if ch.object().Sub("outcome").String("type") != "manual_review" || ch.object().String("review") != "" {
		return
	}
	r := c.newRecord(kinds["review"])
	o := r.object().Set("charge", ch.id).Set("open", true).Set("opened_reason", "rule").Set("reason", "rule")
	if zip, ok := ch.object().At("billing_details", "address", "postal_code").(string); ok && zip != "" {
		o.Set("billing_zip", zip)
	}
	ch.object().Set("review", r.id)
	if intent := c.byID[ch.object().String("payment_intent")]; intent != nil {
		o.Set("payment_intent", intent.id)
		intent.object().Set("review", r.id)
	}
	c.insert(r)
	c.emit("review.opened", r)
}

func approveReview(c *call, r *record) error {
	if !r.object().Bool("open") {
		return refused("", "", "The review %s is already closed.", r.id)
	}
	c.endReview(r, "approved")
	return nil
}

// closeReview ends the open review of a charge, if there is one.
func (c *call) closeReview(ch *record, reason string) {
	for _, r := range c.having("review", "charge", ch.id) {
		if r.object().Bool("open") {
			c.endReview(r, reason)
		}
	}
}

func (c *call) endReview(r *record, reason string) {
	before := r.object().Clone()
	r.object().Set("open", false).Set("reason", reason).Set("closed_reason", reason)
	c.emitUpdated("review.closed", r, before)
}
