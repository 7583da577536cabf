package scenario

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/money"
)

// planted is what is wrong, as the stage made it: what is found is held against this and nothing else.
type planted struct {
	charge, refund, topup, lost string                 // made outside till; lost is a refund of which till has heard nothing
	amounts                     map[string]money.Money // of those, as they move the balance
	findings                    []string               // of the ledger: finding, source, difference, currency
}

// plant is what is done outside till.
func (q *quarter) plant(n int) (err error) {
	p := &q.planted
	if p.amounts == nil {
		p.amounts = map[string]money.Money{}
	}
	amount := money.FromMinor(1500+q.rand.Int64N(9000), "EUR")
	minor := fmt.Sprint(amount.Minor)
	switch n {
	case 2:
		var made struct {
			Charge string `json:"latest_charge"`
		}
		err = q.stripe.post(q.ctx, "/v1/payment_intents", url.Values{"amount": {minor}, "currency": {"eur"}, "confirm": {"true"}, "payment_method": {"pm_card_de"}, "payment_method_types[]": {"card"}}, &made)
		p.charge, p.amounts[made.Charge] = made.Charge, amount
		q.outside = map[string]bool{made.Charge: true}
		q.say.step("somebody takes %s EUR in Stripe's Dashboard", amount)
	case 4:
		p.refund, err = q.dashboardRefund(n)
		q.say.step("somebody refunds %s EUR in Stripe's Dashboard", p.amounts[p.refund])
	case 9:
		var made struct{ ID string }
		err = q.stripe.post(q.ctx, "/v1/topups", url.Values{"amount": {minor}, "currency": {"eur"}}, &made)
		p.topup, p.amounts[made.ID] = made.ID, amount
		q.say.step("somebody tops the balance up with %s EUR", amount)
	}
	return err
}

// dashboardRefund sends a part of an order back, past till.
func (q *quarter) dashboardRefund(week int) (string, error) {
	o := q.some(week, false)
	o.kept = false
	part := money.FromMinor(o.amount.Minor*(10+q.rand.Int64N(40))/100, "EUR")
	var made struct{ ID string }
	err := q.stripe.post(q.ctx, "/v1/refunds", url.Values{"payment_intent": {o.payment.ProviderRef}, "amount": {fmt.Sprint(part.Minor)}}, &made)
	q.planted.amounts[made.ID] = money.FromMinor(-part.Minor, "EUR")
	return made.ID, err
}

// lose is a refund of which no webhook arrives.
func (q *quarter) lose() (err error) {
	if err := q.stripe.control(q.ctx, "POST", "faults", map[string]any{"kind": "lost", "endpoint": q.endpoint, "every": 1}, nil); err != nil {
		return err
	}
	if q.planted.lost, err = q.dashboardRefund(quarterWeeks - 1); err != nil {
		return err
	}
	q.say.step("a refund of %s EUR is made in the Dashboard this minute, and its webhooks are lost", q.planted.amounts[q.planted.lost])
	return errors.Join(q.pass(20*time.Second), q.stripe.control(q.ctx, "DELETE", "faults", nil, nil))
}

// ledgerRow is a row of the merchant's ledger.
type ledgerRow struct {
	reference, kind, amount, fee, currency, date string
	source                                       string // not written
}

// keepBooks writes the ledger as the shop's bookkeeper did: all that she knew of, with mistakes of each kind.
func (q *quarter) keepBooks() error {
	rows, err := q.rightBooks()
	if err != nil {
		return err
	}
	rows = q.mistakes(rows)
	var out strings.Builder
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"reference", "kind", "amount", "fee", "currency", "date"}) // to memory
	for _, r := range rows {
		_ = w.Write([]string{r.reference, r.kind, r.amount, r.fee, r.currency, r.date})
	}
	w.Flush()
	_, err = q.write("ledger.csv", out.String())
	q.say.step("the merchant hands over ledger.csv: %d rows, kept by hand", len(rows))
	return err
}

// entryAtStripe is a balance transaction, of which the bookkeeper has the statement.
type entryAtStripe struct {
	ID, Source, Currency string
	Category             string `json:"reporting_category"`
	Amount, Fee, Created int64
}

// rightBooks are the rows as they should be, oldest first, of all but what was made outside till.
func (q *quarter) rightBooks() (rows []ledgerRow, err error) {
	type charge struct {
		ID     string
		Intent string `json:"payment_intent"`
	}
	byIntent := map[string]*keptOrder{}
	for _, o := range q.orders {
		byIntent[o.payment.ProviderRef] = o
	}
	if err := each(q.ctx, q.stripe, "/v1/charges", nil, func(c charge) string { return c.ID }, func(c charge) { q.byCharge[c.ID] = byIntent[c.Intent] }); err != nil {
		return nil, err
	}
	err = each(q.ctx, q.stripe, "/v1/balance_transactions", nil, func(e entryAtStripe) string { return e.ID }, func(e entryAtStripe) {
		if _, outside := q.planted.amounts[e.Source]; !outside {
			rows = append(rows, q.booked(e))
		}
	})
	slices.Reverse(rows)
	return rows, err
}

// booked is the row of a balance transaction: an order by its own number and in its own currency, the rest by Stripe's.
func (q *quarter) booked(e entryAtStripe) ledgerRow {
	in := money.Currency(strings.ToUpper(e.Currency))
	r := ledgerRow{e.Source, e.Category, money.FromMinor(e.Amount, in).String(), "", string(in), time.Unix(e.Created, 0).UTC().Format(time.DateOnly), e.Source}
	if e.Fee != 0 {
		r.fee = money.FromMinor(e.Fee, in).String()
	}
	if o := q.byCharge[e.Source]; o != nil {
		r.reference, r.kind, r.amount, r.currency = o.key, "payment", o.amount.String(), string(o.amount.Currency)
	}
	if m, ours := q.refunds[e.Source]; ours {
		r.amount, r.currency = m.String(), string(m.Currency)
	}
	if r.currency != string(in) {
		r.fee = "" // Stripe takes it in euros
	}
	return r
}

// mistakes are those of the bookkeeper, one of each kind, each in an order of another week.
func (q *quarter) mistakes(rows []ledgerRow) []ledgerRow {
	find := func(week int) int {
		return slices.IndexFunc(rows, func(r ledgerRow) bool {
			o := q.byCharge[r.source]
			return o != nil && o.kept && o.week == week && o.amount.Currency == "EUR"
		})
	}
	note := func(what string, r ledgerRow, difference, currency string) {
		q.planted.findings = append(q.planted.findings, strings.Join([]string{what, r.source, difference, currency}, " "))
	}
	cents := func(n int64) string { return money.FromMinor(n, "EUR").String() }
	off := 100 + q.rand.Int64N(900)
	r := &rows[find(1)]
	r.amount = cents(q.byCharge[r.source].amount.Minor + off)
	note("amount_differs", *r, cents(off), "EUR")
	r = &rows[find(3)]
	r.currency, r.fee = "USD", ""
	note("currency_differs", *r, r.amount, "USD")
	r = &rows[find(5)]
	r.fee = "0.07"
	note("fee_differs", *r, cents(7-q.feeOf(r.source)), "EUR")
	r = &rows[find(6)]
	r.date = rows[find(9)].date
	note("dated_in_another_payout", *r, "0.00", "EUR")
	r = &rows[find(8)]
	note("doubled", *r, r.amount, "EUR")
	rows = append(rows, *r)
	never := ledgerRow{"order-NV-9999", "payment", cents(2500 + off), "", "EUR", rows[find(7)].date, ""}
	note("only_in_ledger", never, never.amount, "EUR")
	rows = append(rows, never)
	gone := find(10)
	note("only_at_stripe", rows[gone], "-"+rows[gone].amount, "EUR")
	rows = slices.Delete(rows, gone, gone+1)
	for source, m := range q.planted.amounts {
		note("only_at_stripe", ledgerRow{source: source}, cents(-m.Minor), "EUR")
	}
	slices.Sort(q.planted.findings)
	return rows
}

// feeOf is what Stripe took for a charge, in minor units, as till shows it.
func (q *quarter) feeOf(charge string) int64 {
	var p struct{ Fee string }
	if err := q.call("GET", "/v1/payments/"+q.byCharge[charge].payment.ID, nil, &p); err != nil {
		return 0
	}
	fee, _ := money.Parse(p.Fee, "EUR")
	return fee.Minor
}
