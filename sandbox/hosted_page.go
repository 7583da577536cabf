package sandbox

import (
	"slices"
	"strings"
)

// pageAnswer is a button of a hosted page.
type pageAnswer struct{ Value, Label string }

const challengeTitle = "3D Secure test page"

// The buttons that there are.
var (
	issuerAnswers  = []pageAnswer{{completed, "Complete"}, {failed, "Fail"}}
	payingAnswers  = []pageAnswer{{completed, "Authorize test payment"}, {failed, "Fail test payment"}, {lapsed, "Let it expire"}}
	savingAnswers  = []pageAnswer{{completed, "Authorize test setup"}, {failed, "Fail test setup"}, {lapsed, "Let it expire"}}
	sendingAnswers = []pageAnswer{{completed, "Send the money"}}
	voucherAnswers = []pageAnswer{{completed, "Pay the voucher"}, {lapsed, "Let it expire"}}
)

// hostedFor is the kind of the payment method that an intent's page is about; nil for a card's.
func hostedFor(r *record) *hostedKind {
	return hostedOf(r.realm.find("payment_method", r.object().String("payment_method")))
}

// pageTitle is the heading of an intent's page.
func pageTitle(r *record) string {
	if h := hostedFor(r); h != nil {
		return h.title + " test page"
	}
	if r.methodType() == customerBalance.name {
		return "Bank transfer test page"
	}
	return challengeTitle
}

// titleAt is the heading of a page of which nothing is known but its path.
func titleAt(path string) string {
	if strings.HasPrefix(path, hostedPath) {
		return "Payment test page"
	}
	return challengeTitle
}

// pageQuestion is what the page asks the customer, and what there is to answer.
func pageQuestion(r *record) (question string, answers []pageAnswer) {
	h, saves := hostedFor(r), r.resource.Object == "setup_intent"
	_, voucher := voucherZones[r.methodType()]
	switch {
	case r.methodType() == customerBalance.name:
		return "So much is still to be sent to the merchant.", sendingAnswers
	case h == nil && saves:
		return "The card's issuer asks whether you are saving this card.", issuerAnswers
	case h == nil:
		return "The card's issuer asks whether you are making this payment.", issuerAnswers
	case saves:
		return "Do you let the merchant take payments from you later?", savingAnswers
	case voucher:
		return "The voucher is not paid yet.", voucherAnswers
	default:
		return "Do you authorize this payment?", payingAnswers
	}
}

// methodType is the type of the payment method that an intent has chosen.
func (r *record) methodType() string {
	if method := r.realm.find("payment_method", r.object().String("payment_method")); method != nil {
		return method.text("type")
	}
	return ""
}

// pageAmount is what the page says that it is about.
func pageAmount(r *record) int64 {
	if known[intent](r).Cash != nil {
		return remaining(r)
	}
	return r.object().Int("amount")
}

// isAnswer says whether the page has a button for an outcome. One that is over takes any that was there: it leads where the first led.
func isAnswer(r *record, outcome string) bool {
	_, answers := pageQuestion(r)
	if private[intent](r).Challenge.Ended {
		answers = payingAnswers
	}
	return slices.ContainsFunc(answers, func(a pageAnswer) bool { return a.Value == outcome })
}
