package card

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/stripe"
)

// method draws what Stripe may say of a payment method.
func method(t *rapid.T) (m stripe.PaymentMethod) {
	m.ID = rapid.SampledFrom([]string{"pm_1", "pm_2"}).Draw(t, "id")
	m.Customer.ID = rapid.SampledFrom([]string{"", "cus_1"}).Draw(t, "customer")
	if rapid.Bool().Draw(t, "is a card") {
		m.Card = &struct {
			Brand       string `json:"brand"`
			Last4       string `json:"last4"`
			ExpMonth    int64  `json:"exp_month"`
			ExpYear     int64  `json:"exp_year"`
			Fingerprint string `json:"fingerprint"`
		}{"visa", rapid.SampledFrom([]string{"4242", "9999"}).Draw(t, "last4"), 11, rapid.Int64Range(2026, 2031).Draw(t, "year"), "f"}
	}
	return m
}

// Whatever Stripe says, a card stays whose it is; what is not active does not move; the same word twice is one change; and what is told is told
// where something changed, and only there.
func TestObserve(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		was := Card{ID: "c", PaymentMethod: "pm_1", Brand: "visa", Last4: "4242", ExpMonth: 11, ExpYear: 2027, fingerprint: "f", IsDefault: true,
			status: rapid.SampledFrom([]string{saving, active, deleting, deleted, failed}).Draw(t, "status")}
		seen := method(t)
		now := Observe(was, seen)
		if again := Observe(now, seen); again != now {
			t.Fatalf("the same word again made %+v of %+v", again, now)
		}
		if (was.status != active || seen.ID != "pm_1") && now != was {
			t.Fatalf("%+v became %+v", was, now)
		}
		if was.status == active && seen.ID == "pm_1" && (now.status == deleted) != (seen.Customer.ID == "") {
			t.Fatalf("of %+v it became %+v", seen, now)
		}
		if now.status == active && was.status == active && seen.ID == "pm_1" && seen.Card != nil && (now.ExpYear != seen.Card.ExpYear || now.Last4 != seen.Card.Last4) {
			t.Fatalf("of %+v it became %+v", seen, now)
		}
		same := now
		same.Brand, same.Last4, same.ExpMonth, same.ExpYear, same.fingerprint, same.status, same.IsDefault = was.Brand, was.Last4, was.ExpMonth, was.ExpYear, was.fingerprint, was.status, was.IsDefault
		if same != was {
			t.Fatalf("%+v became %+v", was, now)
		}
		if n := len(observed(was, now, time.Time{})); n != 0 && now == was || n != 2 && now != was {
			t.Fatalf("%d changes for %+v to %+v", n, was, now)
		}
	})
}
