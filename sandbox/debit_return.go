package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// returnReasons are the reasons of disputes that banks give for a debit that they return after it has succeeded, of those of the API.
var returnReasons = []string{"bank_cannot_process", "check_returned", "customer_initiated", "debit_not_authorized", "fraudulent", "general",
	"incorrect_account_details", "insufficient_funds"}

// returnDebit plays the bank: POST /_sandbox/debits/return. A debit that is pending fails; one that has succeeded is disputed, which is
// how Stripe treats late failures (docs.stripe.com/payments/ach-direct-debit#disputed-payments, sepa-debit, au-becs-debit).
func returnDebit(w *realm, _ *http.Request, body []byte) (any, error) {
	var of struct {
		Charge string `json:"charge"`
		Reason string `json:"reason"`
	}
	if err := readControl(body, &of); err != nil {
		return nil, err
	}
	var refusal error
	failed := w.step(func() { refusal = w.own().returnDebit(of.Charge, of.Reason) })
	if refusal == nil {
		refusal = failed
	}
	return of, refusal
}

func (c *call) returnDebit(id, reason string) error {
	ch := c.find("charge", id)
	if ch == nil || debitTables()[kindName(ch)].numbers == nil {
		return &errControl{http.StatusNotFound, "No such charge of a bank debit: '" + id + "'."}
	}
	switch ch.text("status") {
	case "pending":
		if bankFailures[reason] == "" {
			return badControl("The reason of a failure is one of " + strings.Join(slices.Sorted(maps.Keys(bankFailures)), ", ") + ".")
		}
		c.bounce(ch, reason)
	case "succeeded":
		if !slices.Contains(returnReasons, reason) {
			return badControl("The reason of a late return is one of " + strings.Join(returnReasons, ", ") + ".")
		}
		if ch.flag("disputed") || ch.flag("refunded") {
			return badControl("The charge " + id + " is disputed or refunded already.")
		}
		c.contest(ch, claim{reason: reason, final: true}, 0)
	default:
		return badControl("The charge " + id + " has failed already.")
	}
	return nil
}

// kindName is the type of the payment method that a charge is of.
func kindName(ch *record) string {
	if k := chargeKindOf(ch); k != nil {
		return k.name
	}
	return "card"
}

// ReturnDebit plays the bank of whoever was debited: a charge that is pending fails, for a reason that is its failure_code, and one that
// has succeeded is disputed, for a reason of disputes.
func (w *World) ReturnDebit(charge, reason string) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/debits/return", map[string]string{"charge": charge, "reason": reason}, nil)
}
