package payment

import "github.com/till-pay/till/internal/stripe"

// What a payment knows of its latest charge. Stripe's reply to a payment that went through carries the charge; a decline and a webhook only
// name it, and Stripe is asked for it afterwards (Lacks).

// Card is the card that was charged, as Stripe described it with the charge. A field is empty where Stripe left it so.
type Card struct {
	Brand        string `json:"brand" example:"visa"`
	Country      string `json:"country" example:"DE" doc:"Of the bank that issued it."`
	Funding      string `json:"funding" example:"credit" doc:"credit, debit, prepaid or unknown."`
	Last4        string `json:"last4" example:"4242"`
	ThreeDSecure string `json:"three_d_secure" doc:"How 3-D Secure ended for this charge, such as authenticated, attempt_acknowledged, exempted or failed; empty where it was not asked for."`
}

// Verdict is what the bank, the network and Radar made of the charge: Stripe's charge.outcome. Who declined is told by its type and network
// status, never by the decline code.
type Verdict struct {
	Type          string `json:"type" example:"issuer_declined" doc:"authorized, manual_review, issuer_declined, blocked (by Radar) or invalid."`
	NetworkStatus string `json:"network_status" example:"declined_by_network" doc:"approved_by_network, declined_by_network, not_sent_to_network or reversed_after_approval."`
	Reason        string `json:"reason" example:"insufficient_funds" doc:"Stripe's word for why; empty where it gives none."`
	RiskLevel     string `json:"risk_level" example:"normal" doc:"normal, elevated, highest, not_assessed or unknown."`
}

// AccountCountry is where the merchant's Stripe account is, as it was known when the payment was made; "" where it was not.
func (p Payment) AccountCountry() string { return p.accountCountry }

// Lacks says that Stripe has something to tell of a payment that its words so far did not carry: the fee of one that is completed, or what
// its charge was.
func (p Payment) Lacks() bool {
	return p.Status == Completed && p.Fee == nil || p.chargeRef != "" && p.Card == nil && p.Outcome == nil
}

// learnCharge takes in the card and the outcome of the payment's charge, where an intent carries it whole. What is known stays.
func learnCharge(now *Payment, seen stripe.PaymentIntent) {
	charge := seen.LatestCharge.Object
	if charge == nil || seen.LatestCharge.ID != now.chargeRef {
		return
	}
	card, outcome := now.ofCharge()
	if said := charge.PaymentMethodDetails.Card; said != nil {
		learn(&card.Brand, said.Brand)
		learn(&card.Country, said.Country)
		learn(&card.Funding, said.Funding)
		learn(&card.Last4, said.Last4)
		learn(&card.ThreeDSecure, said.ThreeDSecure.Word())
	}
	if said := charge.Outcome; said != nil {
		learn(&outcome.Type, said.Type)
		learn(&outcome.NetworkStatus, said.NetworkStatus)
		learn(&outcome.Reason, said.Reason)
		learn(&outcome.RiskLevel, said.RiskLevel)
	}
	now.setCharge(card, outcome)
}

// learn fills a field that is empty.
func learn(known *string, said string) {
	if *known == "" {
		*known = said
	}
}

// ofCharge is what is known of the charge, as values: empty where nothing is.
func (p Payment) ofCharge() (c Card, v Verdict) {
	if p.Card != nil {
		c = *p.Card
	}
	if p.Outcome != nil {
		v = *p.Outcome
	}
	return c, v
}

// setCharge fills Card and Outcome, which are nil where nothing is known.
func (p *Payment) setCharge(c Card, v Verdict) {
	p.Card, p.Outcome = nil, nil
	if c != (Card{}) {
		p.Card = &c
	}
	if v != (Verdict{}) {
		p.Outcome = &v
	}
}
