package diagnose

import (
	"time"

	"github.com/till-pay/till/internal/money"
)

// Purchase is what a customer wanted to pay and could not: payments of one customer and one amount that were declined are tries of one.
type Purchase struct {
	PaymentID string    `json:"payment_id"` // the last try
	Tries     int       `json:"tries"`
	Customer  string    `json:"customer"`
	Email     string    `json:"email"`
	Amount    string    `json:"amount"`
	Currency  string    `json:"currency"`
	CreatedAt time.Time `json:"created_at"`
	Code      string    `json:"code"`
	Class     Class     `json:"class"`
	Country   string    `json:"country"`
	Saved     bool      `json:"saved_card"`
	Action    Action    `json:"action"`
	// NotBefore is when the same card may be tried again; null where it may at once, or should not be.
	NotBefore *time.Time `json:"not_before"`

	amount money.Money
}

// Remedy is what can be done about some of the purchases.
type Remedy struct {
	Action  Action            `json:"action"`
	Words   string            `json:"words"`
	Count   int               `json:"count"`
	Of      int               `json:"of"`
	Amounts map[string]string `json:"amounts"` // by currency
}

// purchases are those that were declined in a time and not paid in it, oldest first, and how many were paid after all. Payments without a
// customer cannot be joined: each stands for itself.
func purchases(of Period) (open []Purchase, recovered int) {
	type thing struct{ customer, amount, currency, id string }
	about := func(p Payment) thing {
		t := thing{p.Customer, p.Amount.String(), string(p.Amount.Currency), ""}
		if p.Customer == "" {
			t.id = p.ID
		}
		return t
	}
	last, tries, paid := map[thing]Payment{}, map[thing]int{}, map[thing]time.Time{}
	for _, p := range of.decided { // oldest first
		if t := about(p); p.declined() {
			last[t] = p
			tries[t]++
		} else {
			paid[t] = p.CreatedAt
		}
	}
	open = []Purchase{}
	for _, p := range of.declined {
		t := about(p)
		switch {
		case last[t].ID != p.ID:
		case paid[t].After(p.CreatedAt):
			recovered++
		default:
			open = append(open, purchase(p, tries[t]))
		}
	}
	return open, recovered
}

func purchase(p Payment, tries int) Purchase {
	action, wait := p.remedy()
	made := Purchase{PaymentID: p.ID, Tries: tries, Customer: p.Customer, Email: p.Email, Amount: p.Amount.String(), Currency: string(p.Amount.Currency), CreatedAt: p.CreatedAt,
		Code: p.code(), Class: p.class(), Country: p.Paid.Country, Saved: p.Saved, Action: action, amount: p.Amount}
	if wait > 0 {
		at := p.CreatedAt.Add(wait)
		made.NotBefore = &at
	}
	return made
}

// remedies counts what can be done.
func remedies(all []Purchase) []Remedy {
	made := []Remedy{}
	for _, a := range actions {
		r := Remedy{Action: a, Words: does[a], Of: len(all), Amounts: map[string]string{}}
		for _, p := range all {
			if p.Action == a {
				r.Count++
				_ = total(r.Amounts, p.amount) // amounts that were read from payments add up, or are left out
			}
		}
		if r.Count > 0 {
			made = append(made, r)
		}
	}
	return made
}
