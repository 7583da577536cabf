package sandbox

import (
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// The refusals of a card's data when it is first given, with status 402 as from a token's creation.
var (
	incorrectNumber = &decline{code: "incorrect_number", param: "number", message: "Your card number is incorrect."}
	invalidNumber   = &decline{code: "invalid_number", param: "number", message: "The card number is not a valid credit card number."}
	invalidMonth    = &decline{code: "invalid_expiry_month", param: "exp_month", message: "Your card's expiration month is invalid."}
	invalidYear     = &decline{code: "invalid_expiry_year", param: "exp_year", message: "Your card's expiration year is invalid."}
	invalidCvc      = &decline{code: "invalid_cvc", param: "cvc", message: "Your card's security code is invalid."}
	liveCard        = &decline{code: "card_declined", declineCode: "test_mode_live_card", param: "number",
		message: "Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of valid test cards, visit: https://stripe.com/docs/testing."}
)

// readCard reads the card of a new payment method: its data, or a token such as tok_visa.
func (c *call) readCard(p *spec.Params) (*instrument, time.Month, int, error) {
	if p.Has("token") {
		token := p.String("token")
		if r := c.find("token", token); r != nil {
			method, err := c.spend(r)
			if err != nil {
				return nil, 0, 0, err
			}
			card := method.object().Sub("card")
			return private[instrument](method), time.Month(card.Int("exp_month")), int(card.Int("exp_year")), nil
		}
		name, test := strings.CutPrefix(token, "tok_")
		if in := instrumentCalled(name); test && in != nil {
			return in, c.now().Month(), c.now().Year() + 1, nil
		}
		return nil, 0, 0, missingIn("card[token]", "token", token)
	}
	for _, name := range []string{"number", "exp_month", "exp_year"} {
		if !p.Has(name) {
			return nil, 0, 0, invalid("parameter_missing", "card["+name+"]", "Missing required param: card[%s].", name)
		}
	}
	known, err := knownCard(p.String("number"))
	if err != nil {
		return nil, 0, 0, err
	}
	month, year := wholeNumber(p, "exp_month"), wholeNumber(p, "exp_year")
	if year >= 0 && year < 100 { // two digits mean this century
		year += 2000
	}
	if err := c.checkExpiry(month, year); err != nil {
		return nil, 0, 0, err
	}
	if err := checkCvc(known, p); err != nil {
		return nil, 0, 0, err
	}
	return &instrument{Number: known.number, CVC: p.String("cvc") != ""}, time.Month(month), int(year), nil
}

// wholeNumber reads a number that some operations declare as text; what is no number is -1.
func wholeNumber(p *spec.Params, name string) int64 {
	if p.IsInt(name) {
		return p.Int(name)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(p.String(name)), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// knownCard finds a test card. Any other number is wrong, or a real card that must not be here.
func knownCard(number string) (*card, error) {
	digits := strings.NewReplacer(" ", "", "-", "").Replace(number)
	if strings.Trim(digits, "0123456789") != "" || len(digits) < 12 || len(digits) > 19 {
		return nil, unexecuted(declined(invalidNumber))
	}
	if !luhn(digits) {
		return nil, unexecuted(declined(incorrectNumber))
	}
	if known := cardByNumber(digits); known != nil {
		return known, nil
	}
	return nil, unexecuted(declined(liveCard))
}

// unexecuted marks a refusal of parameters: it is not kept under an idempotency key.
func unexecuted(e *apiError) error {
	e.executed = false
	return e
}

func (c *call) checkExpiry(month, year int64) error {
	now := c.now()
	switch {
	case month < 1 || month > 12:
		return unexecuted(declined(invalidMonth))
	case year > int64(now.Year())+50 || year < int64(now.Year()):
		return unexecuted(declined(invalidYear))
	case year == int64(now.Year()) && month < int64(now.Month()):
		return unexecuted(declined(invalidMonth))
	}
	return nil
}

// checkCvc wants three digits, or four from American Express, which Stripe lets have three as well.
func checkCvc(known *card, p *spec.Params) error {
	cvc := p.String("cvc")
	if !p.Has("cvc") || cvc == "" {
		return nil
	}
	right := len(cvc) == 3 || len(cvc) == 4 && known.brand() == "amex"
	if !right || strings.Trim(cvc, "0123456789") != "" {
		return unexecuted(declined(invalidCvc))
	}
	return nil
}

// networks are the card networks that a payment may run over; some cards are on a national one too.
func (c *card) networks() []string {
	switch {
	case strings.Contains(c.names, "cartesBancaires"):
		return []string{"cartes_bancaires", c.brand()}
	case strings.Contains(c.names, "eftposAu"):
		return []string{"eftpos_au", c.brand()}
	default:
		return []string{c.brand()}
	}
}

// cvcCheck is the issuer's word on the security code, nil where none was given.
func (in *instrument) cvcCheck() any {
	switch {
	case !in.CVC:
		return nil
	case in.card().does.cvcFails:
		return "fail"
	default:
		return "pass"
	}
}

// addressChecks are the issuer's words on the first address line and the postal code, nil where they were not given.
func (in *instrument) addressChecks(billing *spec.Object) (line, zip any) {
	check := func(given any, fails bool) any {
		switch {
		case given == nil || given == "":
			return nil
		case in.card().does.unchecked:
			return "unchecked"
		case fails:
			return "fail"
		default:
			return "pass"
		}
	}
	return check(billing.At("address", "line1"), in.card().does.lineFails), check(billing.At("address", "postal_code"), in.card().does.zipFails)
}
