// Package money holds amounts as whole numbers of Stripe's minor units and writes them as people do.
//
// No floating-point number occurs, and nothing is rounded: what does not fit is refused. Only from one currency to another an amount is rounded
// (rate.go), by a rule that is said.
package money

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/till-pay/till/internal/fault"
)

// Errors of arithmetic. They are mistakes of a program, not of a customer, and so carry no fault code.
var (
	ErrCurrencies = errors.New("money: amounts in different currencies")
	ErrOverflow   = errors.New("money: amount does not fit 64 bits")
)

// maxLength bounds what Parse reads: every 64-bit amount fits.
const maxLength = 20

// Money is an amount: Minor counts Stripe's minor unit of Currency (cents of USD, yen of JPY, hundredths of UGX). It may be negative.
type Money struct {
	Minor    int64
	Currency Currency
}

// FromMinor is an amount in Stripe's minor unit, as Stripe's API gives it.
func FromMinor(minor int64, c Currency) Money { return Money{minor, c} }

// Parse reads a decimal number exactly: what String writes of an amount that is not negative and a multiple of Step, or the same
// with fewer digits after the point ("50", "50.0" and "50.00" are one amount of USD).
//
// Digits beyond the currency's are refused even if they are zeros: "10.00" JPY may well come from someone who believes that yen
// have hundredths, and is then wrong by 100 elsewhere. Nothing else is read either: no sign, space, exponent, grouping, leading
// zero, or point without a digit on both sides, and at most 20 characters. Zero is read; MinCharge and MaxCharge are not looked at.
//
// It fails with the faults AmountInvalid (not such a number), AmountTooPrecise (excess digits, or a last digit of a three-digit
// currency that is not 0), AmountTooLarge (beyond 64 bits) and CurrencyUnknown. Their Param is left to the caller.
func Parse(decimal string, c Currency) (Money, error) {
	if !c.listed() {
		return Money{}, unknown(c)
	}
	whole, fraction, err := cut(decimal)
	if err != nil {
		return Money{}, err
	}
	if len(fraction) > c.Digits() {
		return Money{}, fault.New(fault.AmountTooPrecise, "", "%s has %s; %s has %d.", c, after(c.Digits()), decimal, len(fraction))
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", c.Scale()-len(fraction)), 10, 64)
	if err != nil { // all digits, so it can only be out of range
		return Money{}, fault.New(fault.AmountTooLarge, "", "%s %s is more than any amount can be.", decimal, c)
	}
	if minor%c.Step() != 0 {
		return Money{}, fault.New(fault.AmountTooPrecise, "", "Stripe takes %s only with 0 as the third digit after the point; %s does not end so.", c, decimal)
	}
	return Money{minor, c}, nil
}

// cut checks the form of a decimal number and parts it at the point.
func cut(decimal string) (whole, fraction string, err error) {
	if len(decimal) > maxLength {
		return "", "", fault.New(fault.AmountInvalid, "", "An amount has at most %d characters.", maxLength)
	}
	whole, fraction, point := strings.Cut(decimal, ".")
	leadingZero := len(whole) > 1 && whole[0] == '0'
	if !digits(whole) || leadingZero || point && !digits(fraction) {
		return "", "", fault.New(fault.AmountInvalid, "", "%q is not an amount; write it in digits with a point, such as 50.00.", decimal)
	}
	return whole, fraction, nil
}

// digits says whether s is one or more of 0 to 9.
func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func after(digits int) string {
	if digits == 0 {
		return "no digits after the point"
	}
	return fmt.Sprintf("%d digits after the point", digits)
}

// String writes the amount with all of its currency's digits: "50.00" USD, "500" JPY, "1.230" KWD.
// Only an amount of UGX or ISK that is no whole unit, which Stripe may report but never charges, gets its two further digits.
func (m Money) String() string {
	minor, shown := magnitude(m.Minor), m.Currency.Scale()
	if step := uint64(m.Currency.Step()); shown > m.Currency.Digits() && minor%step == 0 {
		minor, shown = minor/step, m.Currency.Digits()
	}
	text := fmt.Sprintf("%0*d", shown+1, minor)
	if shown > 0 {
		text = text[:len(text)-shown] + "." + text[len(text)-shown:]
	}
	if m.Minor < 0 {
		return "-" + text
	}
	return text
}

// magnitude is the amount without its sign; unlike an int64 it holds that of math.MinInt64.
func magnitude(minor int64) uint64 {
	if minor < 0 {
		return -uint64(minor)
	}
	return uint64(minor)
}

// Add is m + o. It fails with ErrCurrencies or ErrOverflow.
func (m Money) Add(o Money) (Money, error) {
	if m.Currency != o.Currency {
		return Money{}, fmt.Errorf("%w: %s and %s", ErrCurrencies, m.Currency, o.Currency)
	}
	if o.Minor > 0 && m.Minor > math.MaxInt64-o.Minor || o.Minor < 0 && m.Minor < math.MinInt64-o.Minor {
		return Money{}, fmt.Errorf("%w: %s + %s %s", ErrOverflow, m, o, m.Currency)
	}
	return Money{m.Minor + o.Minor, m.Currency}, nil
}

// Sub is m - o. It fails with ErrCurrencies or ErrOverflow.
func (m Money) Sub(o Money) (Money, error) {
	if m.Currency != o.Currency {
		return Money{}, fmt.Errorf("%w: %s and %s", ErrCurrencies, m.Currency, o.Currency)
	}
	if o.Minor < 0 && m.Minor > math.MaxInt64+o.Minor || o.Minor > 0 && m.Minor < math.MinInt64+o.Minor {
		return Money{}, fmt.Errorf("%w: %s - %s %s", ErrOverflow, m, o, m.Currency)
	}
	return Money{m.Minor - o.Minor, m.Currency}, nil
}

// Positive says whether the amount is above zero.
func (m Money) Positive() bool { return m.Minor > 0 }

// IsZero says whether the amount is nothing.
func (m Money) IsZero() bool { return m.Minor == 0 }

// MarshalText writes an amount as String does: the form of every amount in till's JSON.
func (m Money) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
