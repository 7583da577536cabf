package scenario

import (
	"fmt"
	"slices"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/money"
)

var manyCurrencies = Scenario{
	Number: "09", Title: "Multi-currency", first: "order-GS-1001",
	Ticket: Ticket{
		From: "GlobeShop Ltd, London", Contact: "Olivia", Priority: "Medium", Subject: "Selling in more currencies: what does it cost us?",
		Text: `Hello,

we used to sell in pounds and dollars only. For a week now we have tried prices in euros, yen, Australian dollars,
zloty and Kenyan shillings for some customers, worked out by hand from a newspaper's rates.

Our accountant does not like it. He cannot say what each currency costs us, whether fewer cards are declined, or where
the money is: some of it is in dollars, the rest came back as pounds at rates he does not understand. He wants all of
it in pounds, once a week.

I have read that local prices give ten or twenty percent more sales. Is that so for us? And can customers simply be
shown the right currency, with 3-D Secure for the Europeans, and without us doing sums?

Olivia, GlobeShop`,
	},
	Diagnosis: "till report currencies --since 40d",
	ByHand:    []string{"till report currencies --csv pairs", "till report consolidation --currency GBP", "curl -G $TILL/v1/local_price -H \"X-API-Key: …\" -d country=PL -d amount=49.00 -d currency=GBP"},
	Country:   "GB", History: 40 * 24 * time.Hour,
	begin: func(w *world) play {
		return &globe{world: w, sold: map[money.Currency]*takings{}, region: map[string]*ended{}}
	},
}

// globe is scenario 09 while it is played.
type globe struct {
	*world
	number int // of the next order
	sold   map[money.Currency]*takings
	region map[string]*ended
	report currencyReport
	local  []localSale
	after  currencyReport
	pounds consolidated
}

// takings are what was charged in a currency.
type takings struct {
	charges int
	minor   int64
}

// ended are payments by how they ended.
type ended struct{ accepted, declined int }

// buyer is a customer: a card, and where it is from.
type buyer struct {
	country, card, region string
	declined              bool // by the card's bank
	strong                bool // at the bank's page
}

var (
	briton     = buyer{country: "GB", card: "pm_card_gb", region: "United Kingdom"}
	american   = buyer{country: "US", card: "pm_card_us", region: "North America"}
	shortOfIt  = buyer{country: "US", card: "pm_card_visa_chargeDeclinedInsufficientFunds", region: "North America", declined: true}
	german     = buyer{country: "DE", card: "pm_card_authenticationRequired", region: "European Economic Area", strong: true}
	pole       = buyer{country: "PL", card: "pm_card_pl", region: "European Economic Area"} // whose bank does not ask
	japanese   = buyer{country: "JP", card: "pm_card_jp", region: "Asia and the Pacific"}
	australian = buyer{country: "AU", card: "pm_card_au", region: "Asia and the Pacific"}
	// Customers in Kenya who pay with a card from the Emirates: the country of the customer and of the card are two things.
	kenyan = buyer{country: "KE", card: "pm_card_ae", region: "Middle East"}
)

// handmade are the prices that the shop worked out for its 49 pounds.
var handmade = map[string][2]string{"GB": {"49.00", "GBP"}, "US": {"62.00", "USD"}, "DE": {"59.00", "EUR"}, "PL": {"249.00", "PLN"}, "JP": {"9500", "JPY"}, "AU": {"98.00", "AUD"}, "KE": {"7900.00", "KES"}}

func (g *globe) stage() error {
	for _, act := range []func() error{g.london, g.poundsAndDollars, g.byHand, g.staged} {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// london makes the account what it is: bank accounts in pounds and dollars.
func (g *globe) london() error {
	var own struct{ Country string }
	if err := g.stripe.get(g.ctx, "/v1/account", &own); err != nil {
		return err
	}
	if own.Country != "GB" {
		return fmt.Errorf("this is the case of an account in GB, and the one at Stripe is in %s: begin with till up --clock sandbox --country GB", own.Country)
	}
	return g.stripe.control(g.ctx, "POST", "account", map[string]any{"settlement_currencies": []string{"gbp", "usd"}}, nil)
}

// poundsAndDollars is a week of the old ways: whoever is not American pays in pounds.
func (g *globe) poundsAndDollars() error {
	n := 0
	for _, b := range g.crowd() {
		price := handmade["GB"]
		if b.country == "US" {
			price = handmade["US"]
		}
		if err := g.sell(b, price); err != nil {
			return err
		}
		n++
	}
	g.say.step("a week of sales in pounds and dollars: %d orders", n)
	return g.pass(week)
}

// byHand is a week in which the shop has prices in more currencies, from a list.
func (g *globe) byHand() error {
	n := 0
	for _, b := range g.crowd() {
		if err := g.sell(b, handmade[b.country]); err != nil {
			return err
		}
		n++
	}
	g.say.step("a week of sales in seven currencies, at prices worked out by hand: %d orders, European cards with 3-D Secure where their bank asks for it", n)
	return g.pass(week)
}

// crowd is who buys in a week: each kind of buyer at least once, some of them declined.
func (g *globe) crowd() (all []buyer) {
	for _, b := range []buyer{briton, american, german, pole, japanese, australian, kenyan} {
		all = append(all, slices.Repeat([]buyer{b}, 1+g.rand.IntN(3))...)
	}
	all = append(all, slices.Repeat([]buyer{shortOfIt}, 1+g.rand.IntN(3))...)
	g.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// sell has a buyer pay a price, and remembers what is to be found.
func (g *globe) sell(b buyer, price [2]string) error {
	g.number++
	name := fmt.Sprintf("GS-%d", 1000+g.number)
	var p payment
	if err := g.call("POST", "/v1/payments", map[string]any{"amount": price[0], "currency": price[1], "provider": "stripe", "payment_method": b.card,
		"return_url": "https://globeshop.example/thanks", "metadata": map[string]string{"order": name}}, &p, client.Key("order-"+name)); err != nil {
		return err
	}
	if p.NextAction != nil {
		if err := g.stripe.authenticate(g.ctx, p.NextAction.URL); err != nil {
			return err
		}
		if err := g.eventually("order "+name+" is paid at the bank's page", func() (bool, error) {
			err := g.call("GET", "/v1/payments/"+p.ID, nil, &p)
			return p.Status == "completed", err
		}); err != nil {
			return err
		}
	} else if b.strong {
		return fmt.Errorf("order %s was paid without 3-D Secure", name)
	}
	if (p.Status == "failed") != b.declined || !b.declined && p.Status != "completed" {
		return fmt.Errorf("order %s of a card from %s is %s", name, b.country, p.Status)
	}
	return g.remember(b, price)
}

func (g *globe) remember(b buyer, price [2]string) error {
	if g.region[b.region] == nil {
		g.region[b.region] = &ended{}
	}
	if b.declined {
		g.region[b.region].declined++
		return nil
	}
	g.region[b.region].accepted++
	m, err := money.Parse(price[0], money.Currency(price[1]))
	if err != nil {
		return err
	}
	if g.sold[m.Currency] == nil {
		g.sold[m.Currency] = &takings{}
	}
	g.sold[m.Currency].charges++
	g.sold[m.Currency].minor += m.Minor
	return nil
}

// staged has the money booked.
func (g *globe) staged() error {
	_, err := g.evenly()
	return err
}

// evenly reads Stripe's balance to its end: nothing may be left in any currency.
func (g *globe) evenly() (reconciled, error) {
	r, err := g.reconcile()
	if err == nil && !r.settled() {
		err = fmt.Errorf("the books do not account for Stripe's balance: %+v", r)
	}
	return r, err
}
