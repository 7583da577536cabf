package scenario

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/money"
)

var balanceReconciliation = Scenario{
	Number: "19", Title: "Balance reconciliation", first: "order-NV-1001",
	Ticket: Ticket{
		From: "Nordwind Versand OHG, Bremen", Contact: "Petra", Priority: "Medium", Subject: "Our books and Stripe do not agree",
		Text: `Hello,

our accountant closes the quarter next week, and our ledger does not agree with the payouts on the bank statement.
It is not much, but nobody here can say where it comes from: there were refunds, two chargebacks, a payout that
came back, some customers pay in pounds or yen, and Stripe takes its fees before we see anything. I have spent two
days with spreadsheets.

The ledger is attached. Please tell us for each cent where it is: which entries are wrong, which are missing, and
what Stripe did that we do not know of. The accountant wants a list with transaction numbers, and a ledger that is
right.

Petra, Nordwind, Bookkeeping`,
	},
	Diagnosis: "till reconcile --no-repair --since 100d --ledger ledger.csv",
	ByHand:    []string{"till reconcile --since 100d --ledger ledger.csv --corrected corrected.csv", "till reconcile --since 100d --ledger corrected.csv", "till balance"},
	Country:   germany, History: 95 * 24 * time.Hour,
	begin: func(w *world) play { return &quarter{world: w, byCharge: map[string]*keptOrder{}} },
}

// quarter is scenario 19 while it is played.
type quarter struct {
	*world
	start    time.Time
	account  string // at Stripe
	number   int    // of the next order
	orders   []*keptOrder
	byCharge map[string]*keptOrder
	refunds  map[string]money.Money // that the shop asked for, in its customers' currency, by Stripe's id
	planted  planted
	found    booksFound
	repaired booksFound
	payouts  int // that were held against their lines
}

// keptOrder is one that was paid through till.
type keptOrder struct {
	key     string
	amount  money.Money
	payment payment
	week    int
	kept    bool // nothing was refunded or disputed
}

const quarterWeeks = 13

func (q *quarter) stage() error {
	q.refunds = map[string]money.Money{}
	if err := q.begun(); err != nil {
		return err
	}
	for n := range quarterWeeks {
		if err := q.week(n); err != nil {
			return fmt.Errorf("week %d: %w", n+1, err)
		}
	}
	q.say.step("%d weeks of business: %d orders in EUR, GBP, USD and JPY, %d refunds of which two come back, two disputes of which one is won, a payout that the bank refuses", quarterWeeks, len(q.orders), len(q.refunds))
	return errors.Join(q.lose(), q.keepBooks())
}

func (q *quarter) begun() error {
	now, err := q.now()
	if err != nil {
		return err
	}
	q.start = now.UTC().Truncate(24 * time.Hour).Add(24*time.Hour + opens*time.Hour)
	var own struct{ ID, Country string }
	if err := q.stripe.get(q.ctx, "/v1/account", &own); err != nil {
		return err
	}
	if own.Country != germany {
		return fmt.Errorf("this is the case of an account in %s, and the one at Stripe is in %s: begin with till up --clock sandbox --country %s", germany, own.Country, germany)
	}
	q.account = own.ID
	return nil
}

// week is a week of business, and what is special about it.
func (q *quarter) week(n int) error {
	if err := q.reach(q.start.AddDate(0, 0, 7*n)); err != nil {
		return err
	}
	for range 3 {
		if _, err := q.sell(n, "EUR", "pm_card_de"); err != nil {
			return err
		}
	}
	abroad := []money.Currency{"GBP", "USD", "JPY"}[n%3]
	for _, one := range []struct {
		c    money.Currency
		card string
	}{{"EUR", "pm_card_visa"}, {abroad, "pm_card_visa"}} {
		if _, err := q.sell(n, one.c, one.card); err != nil {
			return err
		}
	}
	for _, act := range []func(int) error{q.refundSome, q.special, q.plant} {
		if err := act(n); err != nil {
			return err
		}
	}
	return q.pass(5 * time.Minute)
}

// sell takes a payment for an order.
func (q *quarter) sell(week int, c money.Currency, card string) (*keptOrder, error) {
	q.number++
	units := 20 + q.rand.Int64N(380)
	o := &keptOrder{key: fmt.Sprintf("order-NV-%d", 1000+q.number), amount: money.FromMinor(units*100+q.rand.Int64N(100), c), week: week, kept: true}
	if c == "JPY" {
		o.amount.Minor = units * 150
	}
	err := q.call("POST", "/v1/payments", map[string]any{"amount": o.amount.String(), "currency": string(c), "provider": "stripe", "payment_method": card}, &o.payment, client.Key(o.key))
	if err == nil && o.payment.Status != "completed" {
		err = fmt.Errorf("%s is %s", o.key, o.payment.Status)
	}
	q.orders = append(q.orders, o)
	return o, err
}

// some is an order of a week in a currency of which all money was kept.
func (q *quarter) some(week int, foreign bool) *keptOrder {
	for _, o := range q.orders {
		if o.week == week && o.kept && (o.amount.Currency != "EUR") == foreign {
			return o
		}
	}
	return nil
}

// refundSome sends a part of an order of the week before back, in every third week of one that was paid in another currency.
func (q *quarter) refundSome(n int) error {
	o := q.some(n-1, n%3 == 2)
	if o == nil {
		return nil
	}
	part := o.amount
	part.Minor = part.Minor * (20 + q.rand.Int64N(70)) / 100
	return q.refund(o, part)
}

func (q *quarter) refund(o *keptOrder, m money.Money) error {
	o.kept = false
	var r struct {
		Ref string `json:"provider_ref"`
	}
	err := q.call("POST", "/v1/refunds", map[string]any{"payment_id": o.payment.ID, "amount": m.String()}, &r, client.Key("refund-"+o.key))
	q.refunds[r.Ref] = m
	return err
}

// special is what happens in some weeks only.
func (q *quarter) special(n int) error {
	switch n {
	case 1, 7:
		return q.comesBack(n)
	case 3, 8:
		return q.dispute(n, n == 8)
	case 5:
		return q.refusedByBank(n)
	}
	return nil
}

// comesBack is a refund that the customer's bank returns.
func (q *quarter) comesBack(n int) error {
	o, err := q.sell(n, "EUR", "pm_card_refundFail")
	if err != nil {
		return err
	}
	return errors.Join(q.pass(time.Minute), q.refund(o, o.amount), q.pass(time.Minute))
}

// dispute is an order whose buyer goes to the bank; the shop wins one of them back.
func (q *quarter) dispute(n int, won bool) error {
	o, err := q.sell(n, "EUR", "pm_card_createDispute")
	if err != nil {
		return err
	}
	o.kept = false
	if err := q.pass(time.Minute); err != nil || !won {
		return err
	}
	var of struct{ Data []struct{ ID string } }
	if err := q.stripe.get(q.ctx, "/v1/disputes?"+url.Values{"payment_intent": {o.payment.ProviderRef}}.Encode(), &of); err != nil || len(of.Data) == 0 {
		return errors.Join(err, errors.New("the dispute is at Stripe"))
	}
	return errors.Join(q.stripe.post(q.ctx, "/v1/disputes/"+of.Data[0].ID, url.Values{"evidence[uncategorized_text]": {"winning_evidence"}, "submit": {"true"}}, nil), q.pass(time.Minute))
}

// refusedByBank is a wrong IBAN for two days: the payout comes back, and goes out again once the right one is there.
func (q *quarter) refusedByBank(n int) error {
	if err := q.bank("DE62370400440532013001"); err != nil {
		return err
	}
	return errors.Join(q.reach(q.start.AddDate(0, 0, 7*n+3)), q.bank("DE89370400440532013000"))
}

func (q *quarter) bank(iban string) error {
	const within = "external_account"
	return q.stripe.post(q.ctx, "/v1/accounts/"+q.account+"/external_accounts", url.Values{within + "[object]": {"bank_account"}, within + "[country]": {germany}, within + "[currency]": {"eur"},
		within + "[account_number]": {iban}, "default_for_currency": {"true"}}, nil)
}
