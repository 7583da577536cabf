package sandbox

import (
	"regexp"
	"strconv"
	"strings"
)

// agreedFee is what Stripe takes of one account for a card payment where the two have agreed on it, in place of the published price. It is that of
// the account's own cards: what cards of other countries cost more by the published price they cost more here too.
type agreedFee struct {
	Share int64 // in hundredths of a percent
	Fixed int64 // in minor units of the account's default currency
}

// cardFeeView is an agreedFee as the control API shows and takes it. One that is empty is the published price.
type cardFeeView struct {
	Percent string `json:"percent"` // "2.9"
	Fixed   *int64 `json:"fixed"`
}

// mostFixed bounds the fixed part of a fee, in minor units: as much as Stripe takes of an amount.
const mostFixed = 99_999_999

var percents = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,2})?$`)

// read is the fee that was asked for; nil is the published price.
func (v cardFeeView) read() (*agreedFee, error) {
	if v.Percent == "" && v.Fixed == nil {
		return nil, nil
	}
	whole, part, _ := strings.Cut(v.Percent, ".")
	share, _ := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	switch {
	case !percents.MatchString(v.Percent), share > 10_000:
		return nil, badControl(`card_fee.percent is a text from "0" to "100" with at most two decimals, such as "2.9".`)
	case v.Fixed == nil, *v.Fixed < 0, *v.Fixed > mostFixed:
		return nil, badControl("card_fee.fixed is 0 to 99999999, in minor units of the account's default currency.")
	}
	return &agreedFee{share, *v.Fixed}, nil
}

func (f *agreedFee) view() *cardFeeView {
	if f == nil {
		return nil
	}
	percent := strconv.FormatInt(f.Share/100, 10)
	if part := f.Share % 100; part > 0 {
		percent += "." + strings.TrimSuffix(strconv.FormatInt(100+part, 10)[1:], "0")
	}
	return &cardFeeView{percent, &f.Fixed}
}

// readCardFee reads what card payments cost. A fee that was agreed on goes with the country and the currency that it was agreed on for.
func (c *call) readCardFee(next *standing, in accountView) (err error) {
	if next.Country != c.standing().Country || next.Currency != c.standing().Currency {
		next.CardFee = nil
	}
	if in.CardFee != nil {
		next.CardFee, err = in.CardFee.read()
	}
	return err
}

// cardPrice is what the account's card payments cost now.
func (w *realm) cardPrice() *price {
	s := w.standing()
	published := priceOf(s.Country, w.now())
	if s.CardFee == nil {
		return published
	}
	agreed, more := *published, s.CardFee.Share-published.domestic
	agreed.domestic, agreed.near, agreed.foreign = agreed.domestic+more, agreed.near+more, agreed.foreign+more
	agreed.fixed, agreed.currency = s.CardFee.Fixed, s.Currency
	return &agreed
}
