package message

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/payment"
)

// template is one text. {name} is a figure; one that is not there leaves no gap.
type template struct {
	name    string
	says    string // what it is for
	subject string
	body    string
	fits    []payment.Status
}

// retryLater is the template that promises something at a time, which must be named.
const retryLater = "retry_later"

var unpaid = []payment.Status{payment.Failed, payment.Cancelled}

// templates is the closed list. None of them says why a bank declined: that is between the customer and the bank.
var templates = []template{
	{"another_card", "the card was declined, and another one will do", "Your payment of {amount} {currency} to {merchant} did not go through",
		"Hello {customer},\n\nyour bank did not approve the payment of {amount} {currency} with your card {card}. Nothing was charged.\n\n" +
			"Most often another card works at once. Your order {order} is waiting for you:\n{url}\n\n{merchant}\n", unpaid},
	{"update_card", "the card's data are wrong or out of date", "Please check your card for your payment to {merchant}",
		"Hello {customer},\n\nthe payment of {amount} {currency} with your card {card} was not possible because the card's number, expiry date or security code is not right any more. Nothing was charged.\n\n" +
			"Please enter your card again:\n{url}\n\n{merchant}\n", unpaid},
	{"bank_blocked", "the bank does not allow the payment", "Your bank stopped your payment to {merchant}",
		"Hello {customer},\n\nyour bank stopped the payment of {amount} {currency} with your card {card}. Nothing was charged. We do not know its reasons.\n\n" +
			"A call to the number on the back of your card usually clears it; or pay with another card:\n{url}\n\n{merchant}\n", unpaid},
	{"confirm_with_bank", "the payment must be confirmed at the bank", "Please confirm your payment to {merchant} with your bank",
		"Hello {customer},\n\nyour bank wants you to confirm the payment of {amount} {currency} with your card {card}. Nothing was charged so far.\n\n" +
			"Please pay again, and finish the step in your bank's app or on its page:\n{url}\n\n{merchant}\n", append([]payment.Status{payment.Pending}, unpaid...)},
	{retryLater, "the card will be tried again", "We will try your payment to {merchant} again",
		"Hello {customer},\n\nthe payment of {amount} {currency} with your card {card} did not go through. Nothing was charged.\n\n" +
			"We will try the card again on {retry_on}. If you would rather pay with another card:\n{url}\n\n{merchant}\n", unpaid},
}

// fit says whether a template tells the truth about a payment. One that is pending may have been charged already, unless it waits for its payer.
func (t template) fit(p payment.Payment) bool {
	return slices.Contains(t.fits, p.Status) && (p.Status != payment.Pending || p.NextAction != nil)
}

// Templates are the names of the templates.
func Templates() (all []string) {
	for _, t := range templates {
		all = append(all, t.name)
	}
	return all
}

func templateOf(name string) (template, error) {
	i := slices.IndexFunc(templates, func(t template) bool { return t.name == name })
	if i < 0 {
		return template{}, fault.New(fault.ParameterInvalid, "template", "template is one of %s.", strings.Join(Templates(), ", "))
	}
	return templates[i], nil
}

// given are the figures that a merchant may add. Everything else comes from the payment.
var given = []string{"customer", "order", "url", "retry_on"}

// checkFigures refuses what could make a message say something else than its template does.
func checkFigures(figures map[string]string) error {
	for name, value := range figures {
		switch {
		case !slices.Contains(given, name):
			return fault.New(fault.ParameterInvalid, "figures", "figures may have %s; the others come from the payment.", strings.Join(given, ", "))
		case value == "" || len([]rune(value)) > 200 || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f || r == '{' || r == '}' }):
			return fault.New(fault.ParameterInvalid, "figures", "A figure has 1 to 200 characters, on one line and without braces.")
		}
	}
	if link := figures["url"]; link != "" {
		if u, err := url.Parse(link); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
			return fault.New(fault.ParameterInvalid, "figures", "figures.url must be an absolute http or https URL.")
		}
	}
	return nil
}

// figuresOf are a payment's own figures, with those that were given.
func figuresOf(p payment.Payment, merchant string, more map[string]string) map[string]string {
	all := map[string]string{"amount": p.Amount.String(), "currency": string(p.Currency), "merchant": merchant}
	if c := p.Card; c != nil && c.Last4 != "" {
		all["card"] = fmt.Sprintf("(%s, ending in %s)", c.Brand, c.Last4)
	}
	for k, v := range more {
		all[k] = v
	}
	return all
}

// fill puts figures into a text. One that was not given leaves no gap: neither the blank before it nor the line that it has to itself.
func fill(text string, figures map[string]string) string {
	pairs := []string{}
	for _, name := range append([]string{"amount", "currency", "merchant", "card"}, given...) {
		if figures[name] == "" && name == "url" {
			text = strings.ReplaceAll(text, ":\n{url}", ".")
		}
		value := figures[name]
		if value == "" {
			pairs = append(pairs, " {"+name+"}", "") // with the blank before it
		}
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
