package reconcile

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

// observed is a balance transaction as a line of ours. What is missing or does not add up is refused: a page is booked whole or not at all.
func observed(scope db.Scope, account string, t stripe.BalanceTransaction) (Line, error) {
	currency, err := money.ParseCurrency(t.Currency)
	wrong := ""
	switch {
	case t.ID == "" || !plain(t.ID):
		wrong, t.ID = "has no id", clipped(t.ID)
	case !plain(t.Source.ID) || !plain(t.Type) || !plain(t.Category):
		wrong = "has a source or a type that is none"
	case t.Type == "":
		wrong = "has no type"
	case err != nil:
		wrong = "is in a currency that is not known"
	case t.Created <= 0 || t.AvailableOn <= 0 || t.Created > latest || t.AvailableOn > latest:
		wrong = "does not say when it was made, or becomes available"
	case beyond(t.Amount) || beyond(t.Fee):
		wrong = "is of more money than there is"
	case t.Net != t.Amount-t.Fee:
		wrong = "does not add up: its net is not its amount less its fee"
	}
	if wrong != "" {
		return Line{}, &badLine{t.ID, wrong}
	}
	in := func(minor int64) money.Money { return money.FromMinor(minor, currency) }
	l := Line{ID: t.ID, Type: t.Type, Kind: kindOf(t), Source: t.Source.ID, Currency: currency, Amount: in(t.Amount), Fee: in(t.Fee), Net: in(t.Net),
		ExchangeRate: t.ExchangeRate.String(), SourceAmount: in(t.Amount), SourceCurrency: currency, Description: clipped(t.Description), State: Open, Difference: in(t.Net),
		CreatedAt: time.Unix(t.Created, 0).UTC(), AvailableOn: time.Unix(t.AvailableOn, 0).UTC(), scope: scope, account: account}
	return l, l.readSource(t)
}

// What no balance transaction is beyond: amounts in minor units, of which a long history still adds up, and times, such as those in milliseconds.
const (
	most   = int64(1e14)
	latest = int64(253402300799) // the end of the year 9999
)

func beyond(minor int64) bool { return minor > most || minor < -most }

// plain is a word of Stripe's that can be kept: not too long, and without the zero byte, which PostgreSQL refuses.
func plain(s string) bool { return len(s) <= 255 && !strings.ContainsRune(s, 0) }

// same says whether a line is what it was when it was read before, as far as it was booked.
func (l Line) same(was Line) bool {
	return l.Currency == was.Currency && l.Amount == was.Amount && l.Fee == was.Fee && l.Net == was.Net
}

// readSource takes what Stripe converted from its source, where that came too.
func (l *Line) readSource(t stripe.BalanceTransaction) error {
	if l.ExchangeRate == "" || t.Source.Object == nil || t.Source.Object.Currency == "" {
		return nil
	}
	if rate(l.ExchangeRate) == nil {
		return &badLine{l.ID, "has an exchange rate that is no number"}
	}
	from, err := money.ParseCurrency(t.Source.Object.Currency)
	if err != nil {
		return &badLine{l.ID, "is of a source in a currency that is not known"}
	}
	minor := t.Source.Object.Took()
	switch {
	case beyond(minor):
		return &badLine{l.ID, "is of a source of more money than there is"}
	case t.Amount == 0: // a fee alone, such as that of answering a dispute
		minor = 0
	case (minor < 0) != (t.Amount < 0):
		minor = -minor
	}
	l.SourceAmount, l.SourceCurrency = money.FromMinor(minor, from), from
	return nil
}

func kindOf(t stripe.BalanceTransaction) string {
	if t.Category != "" {
		return t.Category
	}
	if category := categories[t.Type]; category != "" {
		return category
	}
	return t.Type
}

// clipped bounds what is kept of a text of Stripe's.
func clipped(s string) string {
	const most = 500
	s = strings.ReplaceAll(s, "\x00", "")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

var decimal = regexp.MustCompile(`^[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?$`)

// The rates between any two currencies' minor units are well between these.
var leastRate, mostRate = big.NewRat(1, 1e9), big.NewRat(1e9, 1)

// rate is a positive decimal, exactly; nil where the text is none. A small one comes with an exponent: 6.25e-05 of rupiah to dollars.
func rate(text string) *big.Rat {
	if !decimal.MatchString(text) {
		return nil
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || r.Cmp(leastRate) < 0 || r.Cmp(mostRate) > 0 {
		return nil
	}
	return r
}

// badLine is a balance transaction that cannot be read. The reading stops before it, and is tried again.
type badLine struct{ id, wrong string }

// Error implements error.
func (b *badLine) Error() string { return fmt.Sprintf("the balance transaction %q %s", b.id, b.wrong) }

// posting is a line in the observed book. Where Stripe has converted, the source's amount stands against what it became.
func (l Line) posting() ledger.Transaction {
	against := ledger.Unexplained
	if k, known := kinds[l.Kind]; known {
		against = k.against
	}
	minus := func(m money.Money) money.Money { return money.FromMinor(-m.Minor, m.Currency) }
	t := ledger.Transaction{Scope: l.scope, Book: ledger.Observed, Key: "balance/" + l.ID, Payment: l.Payment, PostedAt: l.CreatedAt}
	if !l.Amount.IsZero() {
		t.Lines = []ledger.Line{{Account: ledger.StripeBalance, Money: l.Amount}, {Account: against, Money: minus(l.SourceAmount)}}
		if l.SourceCurrency != l.Currency {
			t.Lines = append(t.Lines, ledger.Line{Account: ledger.Conversion, Money: l.SourceAmount}, ledger.Line{Account: ledger.Conversion, Money: minus(l.Amount)})
		}
	}
	if !l.Fee.IsZero() {
		t.Lines = append(t.Lines, ledger.Line{Account: ledger.Fees, Money: l.Fee}, ledger.Line{Account: ledger.FeesTaken, Money: minus(l.Fee)})
	}
	return t
}
