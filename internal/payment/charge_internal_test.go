package payment

import (
	"testing"

	"github.com/till-pay/till/internal/stripe"
)

// What is known of a charge is only ever added to; another charge begins anew.
func TestWhatIsKnownOfACharge(t *testing.T) {
	t.Parallel()
	word := func(charge string, whole *stripe.Charge) stripe.PaymentIntent {
		pi := stripe.PaymentIntent{ID: "pi_1", Status: stripe.RequiresPaymentMethod, LastPaymentError: &stripe.PaymentError{Code: "card_declined"}}
		pi.LatestCharge.ID, pi.LatestCharge.Object = charge, whole
		return pi
	}
	named := Observe(claimed(), word("ch_1", nil), noon).Now
	if named.Card != nil || named.Outcome != nil || !named.Lacks() {
		t.Errorf("a charge that was only named is known: %+v", named)
	}
	partly := Observe(named, word("ch_1", &stripe.Charge{ID: "ch_1", Outcome: &stripe.ChargeOutcome{Type: "blocked"}}), noon).Now
	if partly.Card != nil || partly.Outcome == nil || partly.Outcome.Type != "blocked" || partly.Lacks() {
		t.Errorf("%+v", partly)
	}
	whole := Observe(partly, word("ch_1", described("ch_1", "issuer_declined")), noon).Now
	if *whole.Outcome != (Verdict{Type: "blocked", RiskLevel: "normal"}) || *whole.Card != (Card{"visa", "DE", "", "ch_1", "authenticated"}) {
		t.Errorf("%+v %+v", whole.Outcome, whole.Card)
	}
	if partly.Outcome.RiskLevel != "" {
		t.Error("the row that was read has changed")
	}
	empty := &stripe.Charge{ID: "ch_1", Outcome: &stripe.ChargeOutcome{}}
	if o := Observe(whole, word("ch_1", empty), noon); !unchanged(whole, o.Now) {
		t.Errorf("a word with less has taken something away: %+v", o.Now)
	}
	other := Observe(whole, word("ch_2", nil), noon).Now
	if other.Card != nil || other.Outcome != nil || !other.Lacks() {
		t.Errorf("what was known of one charge is told of another: %+v", other)
	}
}
