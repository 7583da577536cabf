package sandbox

import (
	"strings"

	"github.com/till-pay/till/internal/money"
)

// readCurrency reads a currency parameter and gives it in lower case, as objects show it.
func readCurrency(code string) (money.Currency, error) {
	c, err := money.ParseCurrency(code)
	if err == nil {
		return c, nil
	}
	var all []string
	for _, known := range money.Currencies() {
		all = append(all, known.Lower())
	}
	return "", invalid("", "currency", "Invalid currency: %s. Stripe currently supports these currencies: %s", strings.ToLower(code), strings.Join(all, ", "))
}

// checkAmount holds an amount against what Stripe charges at once.
func (w *realm) checkAmount(amount int64, c money.Currency) error {
	if amount < 1 {
		return invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	}
	if amount < w.leastCharge(c) {
		return invalid("parameter_invalid_integer", "amount", "The amount must be greater than or equal to the minimum charge amount allowed for your account and the currency set (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).")
	}
	if amount > c.MaxCharge() {
		return invalid("amount_too_large", "amount", "Amount must be no more than %s", display(c.MaxCharge(), c))
	}
	if amount%c.Step() != 0 {
		return invalid("parameter_invalid_integer", "amount", "Invalid amount: an amount of %s must be divisible by %d.", c.Lower(), c.Step())
	}
	return nil
}

// leastInDollars is the least charge where Stripe publishes none for the currency that it settles in, in US cents.
const leastInDollars = 50

// leastCharge is the least amount that Stripe charges in a currency: what is no less than the least of the currency that the charge
// settles in, once it is converted (docs.stripe.com/currencies).
func (w *realm) leastCharge(c money.Currency) int64 {
	settled := w.settlesIn(c.Lower())
	least, published := currencyCalled(settled).MinCharge()
	if !published {
		least, _ = exchanged(leastInDollars, "usd", settled, middle)
	}
	least, _ = exchanged(least, settled, c.Lower(), middle)
	return least
}

var signs = map[money.Currency]string{"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CAD": "CA$", "AUD": "A$", "INR": "₹", "KRW": "₩", "BRL": "R$", "MXN": "MX$"}

// display writes an amount as Stripe's messages do: "$1,234.50", "-$1.00", or with the code where there is no sign of its own.
func display(amount int64, c money.Currency) string {
	text := money.FromMinor(amount, c).String()
	whole, fraction, point := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + fraction
	}
	if sign, ok := signs[c]; ok {
		minus := strings.HasPrefix(whole, "-")
		whole = sign + strings.TrimPrefix(whole, "-")
		if minus {
			whole = "-" + whole
		}
		return whole
	}
	return whole + " " + string(c)
}
