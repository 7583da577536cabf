// Package diagnose says why something happened: it asks till's API, as anybody with an API key may, and explains what it finds.
//
// Each check is one file and works on any account. It reads; what it would change it proposes, and only what is confirmed is done.
// It knows till by package client alone, so that it may run on another machine, and no case of a scenario has a way of its own.
package diagnose

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/money"
)

// Payment is what the checks look at of one of till's payments.
type Payment struct {
	ID             string
	Amount         money.Money
	Status         string
	ProviderRef    string
	IdempotencyKey string
	CreatedAt      time.Time
	Captured       money.Money
	Refunding      money.Money
	Refunded       money.Money
	Card           string // the saved card, or else the payment method
	Meant          bool   // the guard held it as a duplicate, and somebody released it: it is none
	Customer       string // the id, or else the reference, or else the e-mail
	Email          string // of the customer; "" where the merchant did not say
	Saved          bool   // a saved card was charged, without the customer
	Attempts       int    // how often till asked Stripe
	Metadata       map[string]string
	charge
}

// charge is what a payment tells of its charge: why it failed, what card it was, and who said what.
type charge struct {
	Failure struct {
		Code        string `json:"code"`
		DeclineCode string `json:"decline_code"`
		Message     string `json:"message"`
		Advice      string `json:"advice"`
	} `json:"failure"`
	Paid struct {
		Brand        string `json:"brand"`
		Country      string `json:"country"`
		Funding      string `json:"funding"`
		ThreeDSecure string `json:"three_d_secure"`
	} `json:"card"`
	Outcome struct {
		Type          string `json:"type"`
		NetworkStatus string `json:"network_status"`
		Reason        string `json:"reason"`
	} `json:"outcome"`
}

// Kept is what the merchant still has of a payment: taken, and neither sent back nor on its way back.
func (p Payment) Kept() money.Money {
	return money.FromMinor(p.Captured.Minor-p.Refunded.Minor-p.Refunding.Minor, p.Amount.Currency)
}

// told is a payment as the API writes it.
type told struct {
	ID             string    `json:"id"`
	Amount         string    `json:"amount"`
	Currency       string    `json:"currency"`
	Status         string    `json:"status"`
	ProviderRef    string    `json:"provider_ref"`
	IdempotencyKey string    `json:"idempotency_key"`
	CreatedAt      time.Time `json:"created_at"`
	Captured       string    `json:"captured"`
	Refunding      string    `json:"refunding"`
	Refunded       string    `json:"refunded"`
	PaymentMethod  string    `json:"payment_method"`
	SavedCardID    string    `json:"saved_card_id"`
	Customer       struct {
		ID        string `json:"id"`
		Email     string `json:"email"`
		Reference string `json:"reference"`
	} `json:"customer"`
	Held     *struct{}         `json:"held"`
	Attempts int               `json:"attempts"`
	Metadata map[string]string `json:"metadata"`
	charge
}

func (t told) payment() (Payment, error) {
	p := Payment{ID: t.ID, Status: t.Status, ProviderRef: t.ProviderRef, IdempotencyKey: t.IdempotencyKey, CreatedAt: t.CreatedAt, Metadata: t.Metadata,
		Email: t.Customer.Email, Saved: t.SavedCardID != "", Attempts: t.Attempts, charge: t.charge,
		Meant: t.Held != nil && t.Status != "held" && t.Status != "cancelled",
		Card:  first(t.SavedCardID, t.PaymentMethod), Customer: first(t.Customer.ID, t.Customer.Reference, t.Customer.Email)}
	c, err := money.ParseCurrency(t.Currency)
	if err != nil {
		return p, fmt.Errorf("payment %s: %w", t.ID, err)
	}
	for into, text := range map[*money.Money]string{&p.Amount: t.Amount, &p.Captured: t.Captured, &p.Refunding: t.Refunding, &p.Refunded: t.Refunded} {
		if *into, err = money.Parse(text, c); err != nil {
			return p, fmt.Errorf("payment %s: %w", t.ID, err)
		}
	}
	return p, nil
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// Facts are what is known of an account, gathered once for all that looks at it.
type Facts struct {
	Since, Until time.Time
	Payments     []Payment // made in that time, oldest first
	byRef        map[string]Payment
}

// The bounds of what is gathered.
const (
	mostPayments = 100_000
	mostLookUps  = 1_000
	// LongestSince is the longest time that may be looked back on: a year.
	LongestSince = 366 * 24 * time.Hour
)

// Gather asks for the payments of the time before now. Where till lives in a sandbox's time that is ahead of this machine, its newest
// payment says how late it is there.
func Gather(ctx context.Context, c *client.Client, since time.Duration) (*Facts, error) {
	if since <= 0 || since > LongestSince {
		return nil, fmt.Errorf("the time to look back on is more than nothing and at most a year, not %s", since)
	}
	f := &Facts{Until: time.Now().UTC(), byRef: map[string]Payment{}}
	var newest []told
	if err := c.Call(ctx, "GET", "/v1/payments?limit=1", nil, &newest); err != nil {
		return nil, err
	}
	if len(newest) > 0 && newest[0].CreatedAt.After(f.Until) {
		f.Until = newest[0].CreatedAt
	}
	f.Since = f.Until.Add(-since)
	q := url.Values{"since": {f.Since.Format(time.RFC3339)}, "limit": {"100"}}
	err := client.Each(ctx, c, "/v1/payments", q, func(t told) error {
		if len(f.Payments) == mostPayments {
			return fmt.Errorf("there are more than %d payments in this time: look back on less", mostPayments)
		}
		p, err := t.payment()
		f.Payments = append(f.Payments, p)
		f.byRef[p.ProviderRef] = p
		return err
	})
	slices.Reverse(f.Payments)
	return f, err
}

// behind finds the payment of one of Stripe's intents, also where it is older than what was gathered; ok is false where till has none.
func (f *Facts) behind(ctx context.Context, c *client.Client, intent string) (p Payment, ok bool, err error) {
	if intent == "" {
		return p, false, nil
	}
	if p, ok = f.byRef[intent]; ok {
		return p, true, nil
	}
	var found []told
	if err = c.Call(ctx, "GET", "/v1/payments?"+url.Values{"provider_ref": {intent}}.Encode(), nil, &found); err != nil || len(found) == 0 {
		return p, false, err
	}
	p, err = found[0].payment()
	f.byRef[intent] = p
	return p, err == nil, err
}

// plural is a number with its noun: "one booking", "three keys", "12 keys".
func plural(n int, noun string) string {
	words := []string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
	s := fmt.Sprint(n)
	if n < len(words) {
		s = words[n]
	}
	if n == 1 {
		return s + " " + noun
	}
	return s + " " + noun + "s"
}

// total adds an amount to those of its currency.
func total(sums map[string]string, m money.Money) error {
	c := string(m.Currency)
	was, err := money.Parse(first(sums[c], money.FromMinor(0, m.Currency).String()), m.Currency)
	if err != nil {
		return err
	}
	sum, err := was.Add(m)
	sums[c] = sum.String()
	return err
}

// sums are totals in one line: "7350.00 EUR, 20.00 USD".
func sums(of map[string]string) string {
	if len(of) == 0 {
		return "nothing"
	}
	var all []string
	for _, c := range money.Currencies() {
		if s, ok := of[string(c)]; ok {
			all = append(all, s+" "+string(c))
		}
	}
	return strings.Join(all, ", ")
}
