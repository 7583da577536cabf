package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// bouncePayout plays the bank: POST /_sandbox/payouts/return. A payout comes back, also days after it was paid, which Stripe shows as one that
// was paid and then failed (docs.stripe.com/payouts#payout-failures).
func bouncePayout(w *realm, _ *http.Request, body []byte) (any, error) {
	var of struct {
		Payout string `json:"payout"`
		Code   string `json:"failure_code"`
	}
	if err := readControl(body, &of); err != nil {
		return nil, err
	}
	var refusal error
	failed := w.step(func() { refusal = w.own().bounceBack(of.Payout, of.Code) })
	if refusal == nil {
		refusal = failed
	}
	return of, refusal
}

func (c *call) bounceBack(id, code string) error {
	r := c.find("payout", id)
	switch {
	case r == nil:
		return &errControl{http.StatusNotFound, "No such payout: '" + id + "'."}
	case failureMessages[code] == "":
		return badControl("The failure_code is one of " + strings.Join(slices.Sorted(maps.Keys(failureMessages)), ", ") + ".")
	case r.text("status") == "failed", r.text("status") == "canceled":
		return badControl("The money of payout " + id + " is back already.")
	case r.text("reversed_by") != "":
		return badControl("The payout " + id + " was reversed.")
	}
	c.failPayout(r, code)
	return nil
}

// ReturnPayout plays the bank that a payout goes to: it comes back for a reason that is its failure_code, also after it was paid.
func (w *World) ReturnPayout(payout, code string) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/payouts/return", map[string]string{"payout": payout, "failure_code": code}, nil)
}
