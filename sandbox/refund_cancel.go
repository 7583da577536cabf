package sandbox

import (
	"net/http"
	"time"
)

// cancelWithin is how long a card refund can be canceled in the Dashboard in test mode (docs.stripe.com/testing#refunds).
const cancelWithin = 30 * time.Minute

// withdrawRefund plays the Dashboard, where a card refund can be canceled for a while: POST /_sandbox/refunds/cancel.
func withdrawRefund(w *realm, _ *http.Request, body []byte) (any, error) {
	var of struct {
		Refund string `json:"refund"`
	}
	if err := readControl(body, &of); err != nil {
		return nil, err
	}
	var refusal error
	failed := w.step(func() { refusal = w.own().withdrawRefund(of.Refund) })
	if refusal == nil {
		refusal = failed
	}
	return map[string]string{"refund": of.Refund}, refusal
}

func (c *call) withdrawRefund(id string) error {
	r := c.find("refund", id)
	if r == nil {
		return &errControl{http.StatusNotFound, "No such refund: '" + id + "'."}
	}
	status := r.object().String("status")
	switch {
	case status != "pending" && status != succeeded:
		return badControl("The refund " + id + " has a status of " + status + " and cannot be canceled.")
	case r.object().String("source_transfer_reversal") != "":
		return badControl("The refund " + id + " is of a payment that was a transfer, and has gone back to where that came from.")
	case c.now().Sub(time.Unix(r.created, 0)) > cancelWithin:
		return badControl("The refund " + id + " can no longer be canceled: it was made more than 30 minutes ago.")
	}
	before := r.object().Clone()
	c.takeBack(r, canceled, "merchant_request")
	c.emitUpdated("refund.updated", r, before)
	c.emitUpdated("charge.refund.updated", r, before)
	return nil
}

// CancelRefund plays the Dashboard, where a refund to a card can be canceled in the 30 minutes after it was made. The API cannot.
func (w *World) CancelRefund(refund string) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/refunds/cancel", map[string]string{"refund": refund}, nil)
}
