package sandbox

import (
	"github.com/till-pay/till/sandbox/radar"
	"github.com/till-pay/till/sandbox/spec"
)

// assessment is how risky Radar takes a payment to be.
type assessment struct {
	Level string
	Score int64
}

// assess is the risk of a payment: what its test card is known for, and otherwise by chance below what is elevated at first. What a
// rule that requests 3D Secure has been told stays so.
func (c *call) assess(r, method *record) assessment {
	if state := known[intent](r); state != nil && state.Risk != nil {
		return *state.Risk
	}
	at := c.risk()
	switch private[instrument](method).card().does.risk {
	case "elevated":
		return assessment{"elevated", at.Elevated + int64(c.random.Uint64()%uint64(at.Highest-at.Elevated))}
	case "highest":
		return assessment{"highest", at.Highest + int64(c.random.Uint64()%uint64(max(100-at.Highest, 1)))}
	}
	a := assessment{"normal", int64(c.random.Uint64() % uint64(firstRisk.Elevated))}
	switch {
	case a.Score >= at.Highest:
		a.Level = "highest"
	case a.Score >= at.Elevated:
		a.Level = "elevated"
	}
	return a
}

// outcome is what Radar and the network say of a charge that goes well.
func (c *call) outcome(r, method *record) *spec.Object {
	if methodKindOf(method) != nil {
		return spec.New("charge_outcome").Set("type", "authorized").Set("network_status", "approved_by_network").
			Set("risk_level", "not_assessed").Set("seller_message", "Payment complete.")
	}
	risk := c.assess(r, method)
	o := spec.New("charge_outcome").Set("type", "authorized").Set("network_status", "approved_by_network").
		Set("risk_level", risk.Level).Set("seller_message", "Payment complete.")
	if !c.risk().NoTeams {
		o.Set("risk_score", risk.Score)
	}
	return o
}

// screen is what Radar and the issuer say of a charge that is ready, in that order, and writes it into the outcome; nil is yes. Where
// nothing of Radar was changed, no rule can match the payment of a card of normal risk, and none is looked at.
func (c *call) screen(ch, method *record) *decline {
	if methodKindOf(method) != nil {
		return nil // screenKind has been asked
	}
	does := private[instrument](method).card().does
	if c.bank != nil && !does.blocked {
		does.decline = c.bank
	}
	if does.risk != "" || c.standing().Radar != nil {
		return c.judge(ch, method, does)
	}
	if does.decline != nil {
		c.refuseOutcome(ch, method, does.decline)
	}
	return does.decline
}

// judge goes through the rules: those that allow, block and review, of which the first that matches is the last. Those that ask for
// what only the bank knows wait for its answer; what they block then is reversed.
func (c *call) judge(ch, method *record, does behaviour) *decline {
	if does.blocked { // whatever the rules are
		c.rules()
		return c.block(ch, activeRule{record: c.find("rule", highRiskRule)}, "not_sent_to_network")
	}
	s, rules := c.screening(ch), c.activeRules()
	allowed, found := s.first(rules, radar.Allow, false)
	if blocking, blocks := s.first(rules, radar.Block, false); !found && blocks {
		return c.block(ch, blocking, "not_sent_to_network")
	}
	if does.decline != nil {
		c.refuseOutcome(ch, method, does.decline)
		return does.decline
	}
	if !found {
		allowed, found = s.first(rules, radar.Allow, true)
	}
	if found {
		allowed.acted()
		c.outcomeByRule(ch, allowed)
		return nil
	}
	if blocking, blocks := s.first(rules, radar.Block, true); blocks {
		return c.block(ch, blocking, "reversed_after_approval")
	}
	for _, after := range []bool{false, true} {
		if reviewing, reviews := s.first(rules, radar.Review, after); reviews {
			c.queue(ch, reviewing)
			break
		}
	}
	return nil
}

// first is the first rule of an action that matches, among those that wait for the bank or those that do not.
func (s *screening) first(rules []activeRule, action radar.Action, after bool) (activeRule, bool) {
	for _, one := range rules {
		if one.Action == action && one.After() == after && one.Match(&s.facts) {
			return one, true
		}
	}
	return activeRule{}, false
}

// outcomeByRule writes into a charge's outcome that a rule has decided. Accounts without Radar for Fraud Teams do not see which.
func (c *call) outcomeByRule(ch *record, by activeRule) *spec.Object {
	o := ch.object().Sub("outcome").Set("reason", "rule")
	if !c.risk().NoTeams {
		o.Set("rule", by.record.id)
	}
	return o
}

// block refuses a payment; of one that is not sent to the network, the bank has said nothing. Stripe's words for the rules of the account's own are not public.
func (c *call) block(ch *record, by activeRule, status string) *decline {
	by.acted()
	o := c.outcomeByRule(ch, by).Set("type", "blocked").Set("network_status", status)
	if by.record.id == highRiskRule {
		o.Set("reason", "highest_risk_level").Set("seller_message", "Stripe blocked this payment as too risky.")
		ch.object().Set("fraud_details", spec.New("charge_fraud_details").Set("stripe_report", "fraudulent"))
	} else {
		o.Set("seller_message", "Stripe blocked this payment because it matched one of your rules.")
	}
	if card := ch.object().Sub("payment_method_details").Sub("card"); card != nil && status == "not_sent_to_network" {
		card.Set("authorization_code", nil).Set("network_transaction_id", nil).Set("checks", spec.New("payment_method_details_card_checks"))
	}
	if b, own := builtInCalled(by.record.id); own {
		return b.decline
	}
	return fraudulent
}

// queue has a payment that goes through reviewed.
func (c *call) queue(ch *record, by activeRule) {
	by.acted()
	o := c.outcomeByRule(ch, by).Set("type", "manual_review")
	if b, own := builtInCalled(by.record.id); own && b.teams {
		o.Set("reason", "elevated_risk_level").
			Set("seller_message", "Stripe evaluated this payment as having elevated risk, and placed it in your manual review queue.")
		return
	}
	o.Set("seller_message", "Stripe placed this payment in your manual review queue because it matched one of your rules.")
}

// requestsSecure says whether a rule requests 3D Secure of the payment, or set-up, that is being confirmed. Radar goes through all of
// these rules, before the others.
func (c *call) requestsSecure(r, method *record) (requested bool) {
	if c.standing().Radar == nil {
		return false
	}
	var s *screening
	for _, one := range c.activeRules() {
		if one.Action != radar.Request3DS {
			continue
		}
		if s == nil {
			risk := c.assess(r, method)
			private[intent](r).Risk = &risk
			s = c.screening(c.preview(r, method))
		}
		if one.Match(&s.facts) {
			one.acted()
			requested = true
		}
	}
	return requested
}

// screenSetup is why the rules refuse a payment method that is to be saved, where the account wants them to look at that; nil is nothing.
func (c *call) screenSetup(r, method *record) *decline {
	if !c.risk().Setups {
		return nil
	}
	ch := c.preview(r, method)
	s, rules := c.screening(ch), c.activeRules()
	for _, after := range []bool{false, true} {
		if allowed, found := s.first(rules, radar.Allow, after); found {
			allowed.acted()
			return nil
		}
		if blocking, found := s.first(rules, radar.Block, after); found {
			return c.block(ch, blocking, "not_sent_to_network")
		}
	}
	return nil
}

// screenKind is the charge that rules refuse of a payment that is not by card, and why; nil is nothing. No bank is asked before.
func (c *call) screenKind(r, method *record) (*record, *decline) {
	if c.standing().Radar == nil {
		return nil, nil
	}
	s, rules := c.screening(c.preview(r, method)), c.activeRules()
	if allowed, found := s.first(rules, radar.Allow, false); found {
		allowed.acted()
		return nil, nil
	}
	if blocking, found := s.first(rules, radar.Block, false); found {
		ch := c.newCharge(r, method, nil)
		return ch, c.block(ch, blocking, "not_sent_to_network")
	}
	return nil, nil
}

// queueKind has a payment reviewed of which the outcome is known only later.
func (c *call) queueKind(ch *record) {
	if c.standing().Radar == nil {
		return
	}
	s, rules := c.screening(ch), c.activeRules()
	if _, allowed := s.first(rules, radar.Allow, false); allowed {
		return
	}
	if reviewing, found := s.first(rules, radar.Review, false); found {
		c.queue(ch, reviewing)
		c.review(ch)
	}
}

// preview is the charge that would be made now, as far as rules ask for it; it is not stored, and nothing about it is random but the risk.
func (c *call) preview(r, method *record) *record {
	ch := &record{realm: c.realm, resource: kinds["charge"], created: c.now().Unix(), working: spec.New("charge")}
	c.describeCharge(ch, r, method)
	ch.object().Set("outcome", c.outcome(r, method))
	if methodKindOf(method) != nil {
		return ch
	}
	in, from := private[instrument](method), method.object().Sub("card")
	line, zip := in.addressChecks(method.object().Sub("billing_details"))
	checks := spec.New("payment_method_details_card_checks").Set("address_line1_check", line).Set("address_postal_code_check", zip).Set("cvc_check", in.cvcCheck())
	card := spec.New("payment_method_details_card").Set("checks", checks)
	for _, name := range []string{"brand", "country", "fingerprint", "funding"} {
		card.Set(name, from.Get(name))
	}
	ch.object().Set("payment_method_details", spec.New("payment_method_details").Set("type", "card").Set("card", card))
	return ch
}
