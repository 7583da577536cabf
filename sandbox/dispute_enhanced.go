package sandbox

import (
	"fmt"
	"slices"

	"github.com/till-pay/till/sandbox/spec"
)

// compelling is Visa's compelling evidence 3.0: that two earlier payments, which nobody disputed, came from the same customer.
const compelling = "visa_compelling_evidence_3"

// readEnhanced takes in evidence that follows a network's own rules.
func (c *call) readEnhanced(evidence *spec.Object, given *spec.Params) error {
	if given.Unset("enhanced_evidence") {
		evidence.Set("enhanced_evidence", spec.New("dispute_enhanced_evidence"))
		return nil
	}
	into := evidence.Sub("enhanced_evidence").Clone()
	for _, kind := range []string{"visa_compliance", "mastercard_compliance"} {
		if given.Has("enhanced_evidence", kind, "fee_acknowledged") {
			into.Set(kind, spec.New("dispute_enhanced_evidence_"+kind).Set("fee_acknowledged", given.Bool("enhanced_evidence", kind, "fee_acknowledged")))
		}
	}
	if given.Has("enhanced_evidence", compelling) {
		set(into, compelling, given.Sub("enhanced_evidence"))
		if err := c.checkPrior(into.Sub(compelling)); err != nil {
			return err
		}
	}
	evidence.Set("enhanced_evidence", into)
	return nil
}

// checkPrior looks for the charges of the earlier payments.
func (c *call) checkPrior(o *spec.Object) error {
	for i, prior := range priorOf(o) {
		if id := prior.String("charge"); c.find("charge", id) == nil {
			return missingIn(fmt.Sprintf("evidence[enhanced_evidence][%s][prior_undisputed_transactions][%d][charge]", compelling, i), "charge", id)
		}
	}
	return nil
}

func priorOf(o *spec.Object) []*spec.Object {
	prior, _ := o.Get("prior_undisputed_transactions").([]*spec.Object)
	return prior
}

// complianceOf is the network's compliance process that a dispute belongs to, or empty.
func complianceOf(o *spec.Object) string {
	for _, kind := range []string{"visa_compliance", "mastercard_compliance"} {
		if eligible(o, kind) {
			return kind
		}
	}
	return ""
}

func eligible(o *spec.Object, kind string) bool {
	types, _ := o.Get("enhanced_eligibility_types").([]string)
	return slices.Contains(types, kind)
}

// showEligibility says how far the evidence of a dispute is from what the network's own rules ask for.
func showEligibility(c *call, o *spec.Object) {
	into := o.Sub("evidence_details").Sub("enhanced_eligibility")
	if kind := complianceOf(o); kind != "" {
		status := "requires_fee_acknowledgement"
		if o.Sub("evidence").Sub("enhanced_evidence").Sub(kind).Bool("fee_acknowledged") {
			status = "fee_acknowledged"
		}
		into.Set(kind, spec.New("dispute_enhanced_eligibility_"+kind).Set("status", status))
	}
	if !eligible(o, compelling) {
		return
	}
	status, actions := "qualified", missingFrom(o)
	if len(actions) > 0 {
		status = "requires_action"
	}
	into.Set(compelling, spec.New("dispute_enhanced_eligibility_visa_compelling_evidence3").Set("status", status).Set("required_actions", actions))
}

// qualifies says whether a dispute meets the rules of compelling evidence 3.0.
func qualifies(o *spec.Object) bool { return eligible(o, compelling) && len(missingFrom(o)) == 0 }

// missingFrom is what compelling evidence 3.0 still lacks: descriptions, two earlier payments, and at least two identifiers of the
// customer that are the same in all, of which one is the address or the device that bought
// (docs.stripe.com/disputes/api/visa-ce3).
func missingFrom(o *spec.Object) []string {
	enhanced := o.Sub("evidence").Sub("enhanced_evidence").Sub(compelling)
	var disputed *spec.Object
	var prior []*spec.Object
	if enhanced != nil {
		disputed, prior = enhanced.Sub("disputed_transaction"), priorOf(enhanced)
	}
	actions := []string{}
	lacks := func(action string, lacking bool) {
		if lacking {
			actions = append(actions, action)
		}
	}
	undescribed := func(o *spec.Object) bool { return o.String("product_description") == "" }
	lacks("missing_customer_identifiers", disputed == nil || !sameCustomer(disputed, prior))
	lacks("missing_disputed_transaction_description", disputed == nil || undescribed(disputed))
	lacks("missing_merchandise_or_services", disputed == nil || disputed.String("merchandise_or_services") == "")
	lacks("missing_prior_undisputed_transaction_description", len(prior) == 0 || slices.ContainsFunc(prior, undescribed))
	lacks("missing_prior_undisputed_transactions", len(prior) < 2)
	return actions
}

// sameCustomer says whether enough identifiers of the disputed payment are those of all the earlier ones.
func sameCustomer(disputed *spec.Object, prior []*spec.Object) bool {
	shared := func(names ...string) (n int) {
		for _, name := range names {
			value := disputed.String(name)
			if value != "" && !slices.ContainsFunc(prior, func(p *spec.Object) bool { return p.String(name) != value }) {
				n++
			}
		}
		return n
	}
	strong := shared("customer_purchase_ip", "customer_device_id", "customer_device_fingerprint")
	return strong > 0 && strong+shared("customer_account_id", "customer_email_address") >= 2
}
