package payment

import (
	"testing"
	"time"

	"github.com/till-pay/till/internal/money"
)

func TestDuplicated(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	made := func(id, key string, status Status, age time.Duration) Payment {
		p := Payment{ID: id, IdempotencyKey: key, Status: status, CreatedAt: at.Add(-age), ResolveBy: at.Add(resolveWithin - age), Currency: "EUR", Amount: money.FromMinor(310000, "EUR")}
		if status == Refunded {
			p.Status, p.Captured, p.Refunded = Completed, p.Amount, p.Amount
		}
		return p
	}
	const within = 10 * time.Minute
	for name, c := range map[string]struct {
		earlier []Payment
		want    string
	}{
		"nothing before":                       {nil, ""},
		"one completed":                        {[]Payment{made("a", "1", Completed, time.Minute)}, "a"},
		"one that Stripe has not answered for": {[]Payment{made("a", "1", Pending, time.Minute)}, "a"},
		"one authorized":                       {[]Payment{made("a", "1", Authorized, time.Minute)}, "a"},
		"one declined":                         {[]Payment{made("a", "1", Failed, time.Minute)}, ""},
		"one cancelled":                        {[]Payment{made("a", "1", Cancelled, time.Minute)}, ""},
		"one refunded":                         {[]Payment{made("a", "1", Refunded, time.Minute)}, ""},
		"one held":                             {[]Payment{made("a", "1", Held, time.Minute)}, ""},
		"one under the same key":               {[]Payment{made("a", "k", Completed, time.Minute)}, ""},
		"itself":                               {[]Payment{made("p", "k", Completed, 0)}, ""},
		"at the last moment":                   {[]Payment{made("a", "1", Completed, within)}, "a"},
		"too long ago":                         {[]Payment{made("a", "1", Completed, within+time.Microsecond)}, ""},
		"one of a node whose clock is ahead":   {[]Payment{made("a", "1", Completed, -time.Second)}, "a"},
		"declined after a completed one":       {[]Payment{made("b", "2", Failed, time.Minute), made("a", "1", Completed, 2*time.Minute)}, "a"},
		"the newest counts":                    {[]Payment{made("b", "2", Completed, time.Minute), made("a", "1", Completed, 2*time.Minute)}, "b"},
	} {
		p := made("p", "k", Pending, 0)
		switch why := duplicated(p, c.earlier, within); {
		case why == nil && c.want != "":
			t.Errorf("%s: not held", name)
		case why != nil && (why.DuplicateOf != c.want || !why.Until.Equal(p.ResolveBy) || why.Reason == ""):
			t.Errorf("%s: held by %+v, want %q", name, *why, c.want)
		}
	}
	why := duplicated(made("p", "k", Pending, 0), []Payment{made("a", "1", Completed, 4*time.Minute)}, within)
	if why == nil || why.Reason != "3100.00 EUR from the same customer and card was asked for 4 minutes before, under another key." {
		t.Errorf("%+v", why)
	}
}

// How long before is said as a person would.
func TestAgo(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{-time.Second: "less than a second", 999 * time.Millisecond: "less than a second", time.Second: "1 second",
		119 * time.Second: "119 seconds", 2 * time.Minute: "2 minutes"} {
		if got := ago(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

// What makes two payments alike, and what parts them.
func TestAlike(t *testing.T) {
	t.Parallel()
	one := Payment{ID: "1", Currency: "EUR", Amount: money.FromMinor(5000, "EUR"), PaymentMethod: "pm_1", cardFingerprint: "f", Customer: Customer{"c", "a@example.com", "r"},
		Metadata: map[string]string{"booking": "B77"}, Description: "x"}
	with := func(change func(*Payment)) Payment { p := one; change(&p); return p }
	for name, same := range map[string]Payment{
		"another try":                       with(func(p *Payment) { p.ID = "2" }),
		"another booking in the metadata":   with(func(p *Payment) { p.Metadata = map[string]string{"booking": "B78"} }),
		"another description":               with(func(p *Payment) { p.Description = "y" }),
		"another method of the same card":   with(func(p *Payment) { p.PaymentMethod = "pm_2" }),
		"no id, but the same e-mail":        with(func(p *Payment) { p.Customer.ID = "" }),
		"space around the e-mail":           with(func(p *Payment) { p.Customer.Email = " a@example.com\t" }),
		"the e-mail counts before the rest": with(func(p *Payment) { p.Customer.Reference = "s" }),
	} {
		if same.alike() != one.alike() {
			t.Errorf("%s is not alike", name)
		}
	}
	for name, other := range map[string]Payment{
		"amount":   with(func(p *Payment) { p.Amount.Minor++ }),
		"currency": with(func(p *Payment) { p.Currency = "USD" }),
		"card":     with(func(p *Payment) { p.cardFingerprint = "g" }),
		"customer": with(func(p *Payment) { p.Customer.Email = "b@example.com" }),
		"no card":  with(func(p *Payment) { p.cardFingerprint = "" }),
		"nobody":   with(func(p *Payment) { p.Customer = Customer{} }),
		"e-mail":   with(func(p *Payment) { p.Customer = Customer{Email: "c"} }),
	} {
		if other.alike() == one.alike() {
			t.Errorf("another %s is alike", name)
		}
	}
	if a, b := with(func(p *Payment) { p.Customer = Customer{Email: "c"} }), with(func(p *Payment) { p.Customer = Customer{Reference: "c"} }); a.alike() == b.alike() {
		t.Error("an e-mail and a reference are not told apart")
	}
}
