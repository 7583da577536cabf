package sandbox

import (
	"fmt"
	"net/http"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// renewedFor is how many years longer a card is good once its issuer has replaced it.
const renewedFor = 4

// renewLater lets the network replace a saved card when it expires. Stripe's test mode replaces none, and in live mode only issuers know
// when; a card that would stop working is replaced here at that moment, as most are.
func (c *call) renewLater(r *record) {
	c.at(expires(r.object().Sub("card")), "payment_method.renew", r)
}

// expires is the moment from which a card is good no more: the end of its month, in UTC.
func expires(card *spec.Object) time.Time {
	return time.Date(int(card.Int("exp_year")), time.Month(card.Int("exp_month"))+1, 1, 0, 0, 0, 0, time.UTC)
}

// renew replaces a card that expires now, if it is still saved. One whose dates were changed meanwhile waits for the new ones.
func (c *call) renew(r *record) {
	if r.object().String("customer") == "" {
		return
	}
	if !expires(r.object().Sub("card")).After(c.now()) {
		c.replaceCard(r, cardUpdate{ExpYear: r.object().Sub("card").Int("exp_year") + renewedFor})
	}
	c.renewLater(r)
}

// cardUpdate is what a network says of a card that has been replaced; what is left out stays.
type cardUpdate struct {
	PaymentMethod string `json:"payment_method"`
	ExpMonth      int64  `json:"exp_month"`
	ExpYear       int64  `json:"exp_year"`
	Last4         string `json:"last4"`
}

// replaceCard updates a saved card by what its network says, and announces it. Another number has another fingerprint.
func (c *call) replaceCard(r *record, to cardUpdate) {
	before, older := r.object().Clone(), r.asCard()
	card := r.object().Sub("card")
	if to.ExpMonth != 0 {
		card.Set("exp_month", to.ExpMonth)
	}
	if to.ExpYear != 0 {
		card.Set("exp_year", to.ExpYear)
	}
	if to.Last4 != "" && to.Last4 != card.String("last4") {
		card.Set("last4", to.Last4).Set("fingerprint", c.fingerprint(private[instrument](r).Number+" "+to.Last4))
	}
	c.emitUpdated("payment_method.automatically_updated", r, before)
	if isSource(r) {
		c.emitSourceUpdated(r, older)
	}
}

// check says what is wrong with an update; empty is nothing.
func (to cardUpdate) check(now time.Time) string {
	digits := len(to.Last4) == 4
	for _, d := range to.Last4 {
		digits = digits && d >= '0' && d <= '9'
	}
	switch {
	case to.PaymentMethod == "":
		return "The payment_method is missing"
	case to.ExpMonth == 0 && to.ExpYear == 0 && to.Last4 == "":
		return "There is nothing to update: give exp_month, exp_year or last4"
	case to.ExpMonth < 0 || to.ExpMonth > 12:
		return "The exp_month is 1 to 12"
	case to.ExpYear != 0 && (to.ExpYear < int64(now.Year()) || to.ExpYear > int64(now.Year())+50):
		return fmt.Sprintf("The exp_year is %d to %d", now.Year(), now.Year()+50)
	case to.Last4 != "" && !digits:
		return "The last4 is four digits"
	}
	return ""
}

// updateCard plays a network that has replaced a saved card: POST /_sandbox/cards/update.
func updateCard(w *realm, _ *http.Request, body []byte) (any, error) {
	var to cardUpdate
	if err := readControl(body, &to); err != nil {
		return nil, err
	}
	var refusal error
	failed := w.step(func() {
		r := w.find("payment_method", to.PaymentMethod)
		switch wrong := to.check(w.now()); {
		case wrong != "":
			refusal = badControl(wrong + ".")
		case r == nil:
			refusal = &errControl{http.StatusNotFound, "No such PaymentMethod: '" + to.PaymentMethod + "'."}
		case r.object().String("customer") == "":
			refusal = badControl("The payment method " + to.PaymentMethod + " is not saved to a customer: networks update saved cards only.")
		default:
			w.own().replaceCard(r, to)
		}
	})
	if refusal == nil {
		refusal = failed
	}
	return map[string]string{"payment_method": to.PaymentMethod}, refusal
}

// CardUpdate is what a card network says of a saved card that its issuer has replaced. What is zero stays as it is.
type CardUpdate struct {
	ExpMonth, ExpYear int
	Last4             string
}

// UpdateCard plays a network that has replaced a saved card: Stripe then announces payment_method.automatically_updated.
func (w *World) UpdateCard(paymentMethod string, to CardUpdate) {
	w.t.Helper()
	w.Control(http.MethodPost, "/_sandbox/cards/update", cardUpdate{PaymentMethod: paymentMethod, ExpMonth: int64(to.ExpMonth), ExpYear: int64(to.ExpYear), Last4: to.Last4}, nil)
}
