package sandbox

import (
	"strconv"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// A dispute goes from needs_response to under_review with its evidence, and from there to won or lost; unanswered or closed it is lost.
// An inquiry goes the same way through warning_needs_response and warning_under_review to warning_closed, unless it escalates: then it
// is a dispute like any other, and is to be answered anew. What a network's programme prevents is over from the beginning.
const (
	needsResponse   = "needs_response"
	underReview     = "under_review"
	disputeWon      = "won"
	disputeLost     = "lost"
	inquiryOpen     = "warning_needs_response"
	inquiryReviewed = "warning_under_review"
	inquiryClosed   = "warning_closed"
	prevented       = "prevented"
)

// contest is what a dispute's object does not show.
type contest struct {
	Submitted bool     // evidence has been sent, which is possible once
	Booked    []string // the ids of the balance transactions that moved the money, there and back
	Settles   int64    // when the last of these is available that is shown as pending; 0 when none is
	Received  int64    // the fee that was taken for the dispute
	Countered int64    // the fee that was taken for the evidence, and is given back if it wins
}

var disputes = &resource{
	Object:  "dispute",
	Event:   "charge.dispute",
	Path:    "/v1/disputes",
	Prefix:  "dp_",
	Param:   "dispute",
	Takes:   []string{"evidence", "submit"},
	Private: func() any { return new(contest) },
	Filters: []string{"charge", "payment_intent"},
	Update:  updateDispute,

	Announces: []string{"updated"},
	Refresh:   settleMovements,
	Verbs:     verbs{"close": closeDispute},
	Due: map[string]func(*call, *record, string){
		"open":     func(c *call, ch *record, detail string) { c.dispute(ch, detail) },
		"withdraw": func(c *call, r *record, _ string) { c.emit("charge.dispute.funds_withdrawn", r) },
		"lapse":    func(c *call, r *record, _ string) { c.lapse(r) },
		"retire":   func(c *call, r *record, _ string) { c.retireInquiry(r) },
		"decide":   func(c *call, r *record, verdict string) { c.decide(r, verdict) },
	},
	Others: map[string]func(*call) (appender, error){
		"GET /v1/charges/x_1/dispute":        ofCharge(func(c *call) (appender, error) { return kinds["dispute"].retrieve(c) }),
		"POST /v1/charges/x_1/dispute":       ofCharge(func(c *call) (appender, error) { return kinds["dispute"].update(c) }),
		"POST /v1/charges/x_1/dispute/close": ofCharge(func(c *call) (appender, error) { return kinds["dispute"].verb(c, "close", closeDispute) }),
	},
}

// ofCharge is the older form of an operation, which names the charge: it is about the newest dispute over it.
func ofCharge(do handler) handler {
	return func(c *call) (appender, error) {
		ch, err := c.named("charge")
		if err != nil {
			return nil, err
		}
		all := c.having("dispute", "charge", ch.id)
		if len(all) == 0 {
			return nil, kinds["dispute"].notFound(ch.id)
		}
		c.path = []spec.PathParam{{Name: "dispute", Value: all[len(all)-1].id}}
		return do(c)
	}
}

// raise arranges the disputes that a card is known for, once a charge has been captured.
func (c *call) raise(ch *record) {
	for i := range c.conductOf(ch).claims {
		c.in(c.disputesAfter(ch, i), "dispute.open", ch, strconv.Itoa(i))
	}
}

// dispute opens the dispute of one of the card's claims, over what has not been given back by then.
func (c *call) dispute(ch *record, which string) {
	at, _ := strconv.Atoi(which) // written by raise
	c.contest(ch, c.conductOf(ch).claims[at], at)
}

// contest opens a dispute, the nth over its charge.
func (c *call) contest(ch *record, over claim, at int) {
	c.failPendingRefunds(ch)
	amount := ch.object().Int("amount_captured") - ch.object().Int("amount_refunded")
	if over.half {
		amount = half(ch.object().Int("amount_captured"), at, amount)
	}
	if amount <= 0 {
		return
	}
	c.bookNow(ch)
	r := c.newDispute(ch, over, amount)
	c.insert(r)
	if over.prevented != "" && c.standing().Prevention {
		c.prevent(r, ch, over)
		return
	}
	ch.object().Set("disputed", true)
	if !over.final {
		c.respondBy(r)
	}
	if over.kind == "inquiry" {
		r.object().Set("status", inquiryOpen).Set("is_charge_refundable", true)
		c.in(inquiryLifetime, "dispute.retire", r)
		c.emit("charge.dispute.created", r)
	} else {
		r.object().Set("status", needsResponse)
		c.withdraw(r, ch)
		c.emit("charge.dispute.created", r)
		if over.final {
			c.loseAtOnce(r)
		} else {
			c.in(withdrawnAfter, "dispute.withdraw", r)
		}
	}
	c.closeReview(ch, "disputed")
	c.reconsiderWarnings(ch)
}

// newDispute is a dispute over a claim, as it is before anything has come of it.
func (c *call) newDispute(ch *record, over claim, amount int64) *record {
	r := c.newRecord(kinds["dispute"])
	r.hidden = &contest{}
	o := r.object().Set("amount", amount).Set("charge", ch.id).Set("currency", ch.object().String("currency")).Set("payment_intent", ch.object().Get("payment_intent"))
	o.Set("reason", over.reason).Set("metadata", map[string]string{})
	if chargeKindOf(ch) != nil {
		o.Set("payment_method_details", spec.Absent)
		return r
	}
	paid := ch.object().Sub("payment_method_details").Sub("card")
	details := spec.New("dispute_payment_method_details_card").Set("brand", paid.String("brand")).Set("network", paid.String("network")).Set("case_type", over.kind)
	if over.code != "" {
		details.Set("network_reason_code", over.code)
	}
	o.Set("payment_method_details", spec.New("dispute_payment_method_details").Set("type", "card").Set("card", details))
	if over.enhanced != "" {
		o.Set("enhanced_eligibility_types", []string{over.enhanced})
		showEligibility(c, o)
	}
	return r
}

// loseAtOnce closes a dispute of a kind that knows no appeal (docs.stripe.com/payments/sepa-debit#disputed-payments, ach-direct-debit,
// bacs-debit, au-becs-debit).
func (c *call) loseAtOnce(r *record) {
	before := r.object().Clone()
	c.emit("charge.dispute.funds_withdrawn", r)
	c.endDispute(r, before, disputeLost)
	ch := c.byID[r.object().String("charge")]
	if k := chargeKindOf(ch); k != nil && k.claimed != nil {
		k.claimed(c, ch, r.object().String("reason"))
	}
}

// prevent ends a dispute before it is one, for an account that is enrolled in the networks' programmes: by a refund, or, where the
// issuer was shown earlier payments of the same customer, without. No fee is taken, and there is nothing to answer.
func (c *call) prevent(r, ch *record, over claim) {
	r.object().Set("status", prevented)
	r.object().Sub("payment_method_details").Sub("card").Set("case_type", over.prevented)
	c.emit("charge.dispute.created", r)
	if over.prevented == "resolution" {
		refund := c.record("refund", c.newPaymentID("re_", ch.object().String("payment_intent")))
		c.describeRefund(refund, ch, r.object().Int("amount"))
		c.insert(refund)
		_ = announceRefund(c, refund) // it is never refused
	}
}

// half is a dispute's part of a charge over which there are two: the first is over the greater half. Neither is over more than is left.
func half(captured int64, at int, left int64) int64 {
	part := captured / 2
	if at == 0 {
		part = captured - part
	}
	return min(part, left)
}

// respondBy says until when evidence is taken.
func (c *call) respondBy(r *record) {
	due := c.now().UTC().Truncate(24*time.Hour).AddDate(0, 0, dueDays+1).Add(-time.Second)
	r.object().Sub("evidence_details").Set("due_by", due.Unix()).Set("past_due", false)
	c.at(due.Add(time.Second), "dispute.lapse", r)
}

// withdraw takes the money of a dispute out of the balance, with the fee.
func (c *call) withdraw(r, ch *record) {
	fee := c.disputeFee(c.settledIn(r))
	if k := chargeKindOf(ch); k != nil {
		price := k.priceFor(c.standing().Country, c.now())
		fee = price.in(c.settledIn(r), price.dispute)
		if lateFailures[r.object().String("reason")] {
			fee = price.in(c.settledIn(r), price.failure)
		}
	}
	private[contest](r).Received = fee
	c.move(r, ch, "dispute", "Chargeback withdrawal for "+ch.id, -r.object().Int("amount"), fee)
}

// move books money of a dispute, and shows that the dispute has moved it.
func (c *call) move(r, ch *record, category, description string, amount, fee int64) {
	txn := c.adjust(r, ch, category, description, amount, fee)
	state := private[contest](r)
	state.Booked = append(state.Booked, txn.id)
	c.showMovements(r)
}

// adjust books what a dispute does to the balance.
func (c *call) adjust(r, ch *record, category, description string, amount, fee int64) *record {
	if c.platformPays() {
		c.levy(fee, c.settledIn(r), "Dispute fees of connected accounts", c.now())
		fee = 0
	}
	txn := c.book(r, "adjustment", category, amount, fee, c.availableWith(ch))
	txn.object().Set("description", description)
	return txn
}

// showMovements shows the balance transactions of a dispute as they stand.
func (c *call) showMovements(r *record) {
	state := private[contest](r)
	state.Settles = 0
	all := make([]*spec.Object, 0, len(state.Booked))
	for _, id := range state.Booked {
		txn := c.byID[id]
		c.refresh(txn)
		if txn.object().String("status") == "pending" {
			state.Settles = max(state.Settles, txn.object().Int("available_on"))
		}
		all = append(all, txn.object().Clone())
	}
	r.object().Set("balance_transactions", all)
}

// settleMovements shows that the money of a dispute has become available, once it has.
func settleMovements(w *realm, r *record) {
	if state := known[contest](r); state.Settles != 0 && state.Settles <= w.now().Unix() {
		w.own().showMovements(r)
	}
}

// lapse ends the time for evidence: a dispute that nothing has been said to is lost, an inquiry waits on for its end.
func (c *call) lapse(r *record) {
	details := r.object().Sub("evidence_details")
	if status := r.object().String("status"); status != needsResponse && status != inquiryOpen || details.Int("due_by") >= c.now().Unix() {
		return // it has been answered, or has been given more time by escalating
	}
	before := r.object().Clone()
	details.Set("past_due", true)
	if r.object().String("status") == needsResponse {
		c.endDispute(r, before, disputeLost)
		return
	}
	c.emitUpdated("charge.dispute.updated", r, before)
}

// retireInquiry ends an inquiry that nothing has come of.
func (c *call) retireInquiry(r *record) {
	if r.inquires() {
		c.endDispute(r, r.object().Clone(), inquiryClosed)
	}
}

// inquires says whether a dispute is an open inquiry.
func (r *record) inquires() bool {
	status := r.text("status")
	return status == inquiryOpen || status == inquiryReviewed
}

// decide brings the issuer's verdict over evidence.
func (c *call) decide(r *record, verdict string) {
	switch status := r.object().String("status"); {
	case status == underReview, status == inquiryReviewed && verdict == inquiryClosed:
		c.endDispute(r, r.object().Clone(), verdict)
	case status == inquiryReviewed:
		c.escalate(r)
	}
}

// escalate makes a chargeback of an inquiry, over what has not been refunded.
func (c *call) escalate(r *record) {
	before := r.object().Clone()
	ch := c.byID[r.object().String("charge")]
	c.failPendingRefunds(ch)
	left := ch.object().Int("amount_captured") - ch.object().Int("amount_refunded")
	r.object().Set("status", needsResponse).Set("is_charge_refundable", false).Set("amount", min(r.object().Int("amount"), left))
	r.object().Sub("payment_method_details").Sub("card").Set("case_type", "chargeback")
	private[contest](r).Submitted = false
	c.respondBy(r)
	c.withdraw(r, ch)
	c.emitUpdated("charge.dispute.updated", r, before)
	c.in(withdrawnAfter, "dispute.withdraw", r)
}

func closeDispute(c *call, r *record) error {
	end := disputeLost
	switch r.object().String("status") {
	case needsResponse:
	case inquiryOpen:
		end = inquiryClosed
	default:
		return r.settledDispute()
	}
	c.endDispute(r, r.object().Clone(), end)
	return nil
}

// settledDispute refuses what comes too late.
func (r *record) settledDispute() error {
	switch status := r.object().String("status"); status {
	case underReview, inquiryReviewed:
		return refused("", "", "Evidence for the dispute %s has already been submitted.", r.id)
	default:
		return refused("", "", "The dispute %s is already closed, with a status of %s.", r.id, status)
	}
}

// endDispute closes a dispute. One that is won brings the money back, with the fees that are given back.
func (c *call) endDispute(r *record, before *spec.Object, status string) {
	ch := c.byID[r.object().String("charge")]
	r.object().Set("status", status).Set("is_charge_refundable", status != disputeLost && !ch.object().Bool("refunded"))
	if status == disputeWon {
		state := private[contest](r)
		back := state.Countered
		if !receivedKept(c.standing().Country, time.Unix(r.created, 0)) {
			back += state.Received
		}
		c.move(r, ch, "dispute_reversal", "Chargeback reversal for "+ch.id, r.object().Int("amount"), -back)
	}
	c.emitUpdated("charge.dispute.closed", r, before)
	if status == disputeWon {
		c.emit("charge.dispute.funds_reinstated", r)
	}
}

// chargedBack says whether a dispute forbids to refund a charge: one that holds its money, for now or for good.
func (c *call) chargedBack(ch *record) bool {
	for _, r := range c.having("dispute", "charge", ch.id) {
		switch r.text("status") {
		case needsResponse, underReview, disputeLost:
			return true
		}
	}
	return false
}

// satisfied closes the inquiries about a charge that has been refunded in full.
func (c *call) satisfied(ch *record) {
	for _, r := range c.having("dispute", "charge", ch.id) {
		if r.inquires() {
			c.endDispute(r, r.object().Clone(), inquiryClosed)
		}
	}
}
