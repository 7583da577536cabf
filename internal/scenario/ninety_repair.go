package scenario

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/internal/money"
)

// booksFound is what till reconcile --json says, as far as the case looks at it.
type booksFound struct {
	Currencies []struct {
		Currency  string `json:"currency"`
		Lines     int    `json:"lines"`
		Remainder string `json:"remainder"`
	} `json:"currencies"`
	Items   []bookItem `json:"items"`
	Outside []bookItem `json:"outside"`
	Ledger  struct {
		Entries  int `json:"entries"`
		Equal    int `json:"equal"`
		BadRows  int `json:"bad_rows"`
		Findings []struct {
			Finding     string `json:"finding"`
			Reference   string `json:"reference"`
			Transaction string `json:"transaction"`
			Source      string `json:"source"`
			Difference  string `json:"difference"`
			Currency    string `json:"currency"`
			Words       string `json:"words"`
		} `json:"findings"`
		Sums []struct {
			Currency   string `json:"currency"`
			Difference string `json:"difference"`
			Remainder  string `json:"remainder"`
		} `json:"sums"`
	} `json:"ledger"`
}

type bookItem struct {
	Currency string `json:"currency"`
	Amount   string `json:"amount"`
	Line     string `json:"line"`
	Kind     string `json:"kind"`
	Source   string `json:"source"`
	Reason   string `json:"reason"`
	What     string `json:"what"`
}

// reckon runs till reconcile in another process, for people where somebody reads and for us. Its status says whether anything is left, which is no
// failure of its own.
func (q *quarter) reckon(out *booksFound, args ...string) (left bool, err error) {
	env := []string{"TILL=" + q.base, "TILL_API_KEY=" + q.key}
	if !q.say.quiet() {
		said, err := command(q.ctx, q.program, q.dir, env, args...)
		if said == "" {
			return false, err
		}
		q.say.command(args, said)
	}
	said, err := command(q.ctx, q.program, q.dir, env, append(slices.Clone(args), "--json")...)
	if broken := json.Unmarshal([]byte(strings.TrimSpace(said)), out); broken != nil {
		return false, errors.Join(err, fmt.Errorf("till reconcile --json: %w", broken))
	}
	return err != nil, q.ctx.Err()
}

func (q *quarter) find() (Cause, error) {
	left, err := q.reckon(&q.found, strings.Fields(strings.TrimPrefix(balanceReconciliation.Diagnosis, "till "))...)
	if err != nil {
		return Cause{}, err
	}
	f := q.found
	c := Cause{Found: left && q.right(), Words: fmt.Sprintf("%d entries of the ledger and of Stripe do not agree, each is named; of Stripe's balance %s EUR was not known to till, a refund whose webhooks were lost", len(f.Ledger.Findings), q.remainder("EUR")),
		Figures: map[string]any{"ledger_rows": f.Ledger.Entries, "ledger_rows_as_at_stripe": f.Ledger.Equal, "differences_named": len(f.Ledger.Findings), "made_outside_till": len(f.Outside), "remainder_before": q.remainder("EUR") + " EUR"}}
	kinds := map[string]int{}
	for _, one := range f.Ledger.Findings {
		kinds[one.Finding]++
	}
	c.Figures["differences"] = kinds
	return c, nil
}

// remainder is that of one currency.
func (q *quarter) remainder(currency string) string {
	for _, c := range q.found.Currencies {
		if c.Currency == currency {
			return c.Remainder
		}
	}
	return ""
}

// right says whether what was found is what was staged: all of it, and nothing else.
func (q *quarter) right() bool {
	f, p := q.found, q.planted
	lost := p.amounts[p.lost].String()
	if len(f.Items) != 1 || f.Items[0].Source != p.lost || f.Items[0].Amount != lost || f.Items[0].Line == "" || f.Items[0].Reason == "" || q.remainder("EUR") != lost {
		q.say.step("the remainder is made of something else than was staged: %+v", f.Items)
		return false
	}
	var outside []string
	for _, o := range f.Outside {
		outside = append(outside, o.Source+" "+o.Amount)
	}
	var want []string
	for _, source := range []string{p.charge, p.refund, p.topup} {
		want = append(want, source+" "+p.amounts[source].String())
	}
	slices.Sort(outside)
	slices.Sort(want)
	if !slices.Equal(outside, want) {
		q.say.step("made outside till is %v, and %v was staged", outside, want)
		return false
	}
	return q.rightFindings()
}

func (q *quarter) rightFindings() bool {
	var all []string
	for _, one := range q.found.Ledger.Findings {
		all = append(all, strings.Join([]string{one.Finding, one.Source, one.Difference, one.Currency}, " "))
		if one.Words == "" || one.Source != "" && one.Transaction == "" {
			return false
		}
	}
	slices.Sort(all)
	if !slices.Equal(all, q.planted.findings) {
		q.say.step("found in the ledger: %q, staged: %q", all, q.planted.findings)
		return false
	}
	for _, s := range q.found.Ledger.Sums {
		if strings.ContainsAny(s.Remainder, "123456789") {
			return false
		}
	}
	return q.found.Ledger.BadRows == 0
}

func (q *quarter) repair() error {
	if err := q.pass(2 * time.Minute); err != nil { // until then the webhook may still be on its way
		return err
	}
	left, err := q.reckon(&q.repaired, "reconcile", "--since", "100d", "--ledger", "ledger.csv", "--corrected", "corrected.csv")
	if err != nil || !left || len(q.repaired.Items) > 0 {
		return errors.Join(err, fmt.Errorf("after the repair is left: %+v", q.repaired.Items))
	}
	q.say.step("the refund that was lost is asked for at Stripe and taken in: %s", q.evenly())
	var last booksFound
	if left, err = q.reckon(&last, "reconcile", "--since", "100d", "--ledger", "corrected.csv"); err != nil || left || len(last.Ledger.Findings) > 0 || last.Ledger.Entries == 0 {
		return errors.Join(err, fmt.Errorf("the corrected ledger still differs: %+v, %+v", last.Ledger, last.Items))
	}
	q.repaired = last
	q.say.step("corrected.csv, for the accountant: %d rows, all as at Stripe, and what was changed in a column of its own", last.Ledger.Entries)
	return q.everyPayout()
}

// evenly are the remainders.
func (q *quarter) evenly() string {
	var all []string
	for _, c := range q.repaired.Currencies {
		all = append(all, c.Remainder+" "+c.Currency)
	}
	return "unexplained remainder " + strings.Join(all, ", ")
}

// everyPayout holds each payout against its lines.
func (q *quarter) everyPayout() error {
	all, err := q.world.payouts()
	if err != nil {
		return err
	}
	for _, p := range all {
		var paid struct {
			Ready     bool   `json:"ready"`
			Remainder string `json:"remainder"`
			Amount    string `json:"amount"`
		}
		if err := q.call("GET", "/v1/reconciliation/payouts/"+p.ID, nil, &paid); err != nil {
			return err
		}
		if !paid.Ready || paid.Remainder != "0.00" || paid.Amount != money.FromMinor(p.Amount, "EUR").String() {
			return fmt.Errorf("payout %s of %s is not its lines: %+v", p.ID, money.FromMinor(p.Amount, "EUR"), paid)
		}
		q.payouts++
	}
	if q.payouts == 0 {
		return errors.New("there is no payout")
	}
	q.say.step("%d payouts, each to its lines: the remainder of each is 0.00", q.payouts)
	return nil
}

func (q *quarter) letter() string {
	list := func(what ...string) string {
		var out strings.Builder
		for _, f := range q.found.Ledger.Findings {
			if slices.Contains(what, f.Finding) {
				fmt.Fprintf(&out, "  - %s: %s (%s)\n", cmp.Or(f.Reference, f.Source), f.Words, cmp.Or(f.Transaction, "no transaction"))
			}
		}
		return out.String()
	}
	return fmt.Sprintf(`Hello Petra,

we have held your ledger against every transaction that Stripe has made for you since %s: %d rows of it are
right, and %d differences are named, with Stripe's transaction number where there is one.

These rows are wrong:
%s
These are in your ledger, and Stripe has no such money:
%s
These are at Stripe, and your ledger does not have them:
%s
One of them we had not heard of either, a refund of %s EUR: Stripe's message about it was lost. We have asked
Stripe and taken it in. Please have refunds made through the shop, and not in Stripe's Dashboard: then your books
know of them.

Each of the %d payouts is exactly the sum of its transactions, the one that came back included. After this the
unexplained remainder is 0.00 in every currency.

For your accountant we attach corrected.csv: your ledger as it should be, with the payout and the transaction of
each row, and a column that says what was changed.

Kind regards`, q.start.Format("2 January 2006"), q.found.Ledger.Equal, len(q.found.Ledger.Findings), list("amount_differs", "fee_differs", "currency_differs", "dated_in_another_payout"),
		list("only_in_ledger", "doubled"), list("only_at_stripe"), strings.TrimPrefix(q.planted.amounts[q.planted.lost].String(), "-"), q.payouts)
}
