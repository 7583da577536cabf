package internal_test

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// The test of the books sees what it is there to see: each made-up room is right, or wrong for the reason beside it.
func TestMixedBooksAreSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ room, code, wrong string }{
		{"payment", `func entries(now Payment) []ledger.Transaction { return []ledger.Transaction{ledger.Charge(now.fact(), 1, now.Captured)} }
			func learnFee(now *Payment, seen stripe.Charge) { now.Fee = seen.BalanceTransaction.Object.Fee }
			func Observe(was, seen any) any { learnFee(was, seen); return entries(was) }`, ""},
		{"payment", `func entries(now Payment) any { return ledger.ChargeFee(now.fact(), 1, *now.Fee) }`, "reads what was observed (entries: Fee)"},
		{"payment", `func entries(now Payment) any { return ledger.ChargeFee(now.fact(), 1, now.cost()) }
			func (p Payment) cost() money.Money { return *p.Fee }`, "reads what was observed (cost: Fee)"},
		{"payment", `func entries(now Payment) any { return ledger.Charge(now.fact(), now.Captured.Minor-now.Net.Minor, now.Captured) }`, "(entries: Net)"},
		{"refund", `func entries(seen stripe.Refund) any { return ledger.Refund(fact(), "", seen.BalanceTransaction.Object.Amount) }`, "(entries: BalanceTransaction)"},
		{"refund", `func entries(seen stripe.Refund) any { rule := ledger.RefundFailed; return rule(fact(), "", amount(seen)) }
			func amount(seen stripe.Refund) any { return deeper(seen) }
			func deeper(seen stripe.Refund) any { return seen.FailureBalanceTransaction }`, "(deeper: FailureBalanceTransaction)"},
		{"dispute", `func entries(seen stripe.Dispute) any { for _, t := range seen.BalanceTransactions { return ledger.Dispute(t) }; return nil }`, "(entries: BalanceTransactions)"},
		{"dispute", `func entries(seen stripe.Dispute) any { return ledger.Transaction{Lines: lines(seen.BalanceTransactions)} }`, "(entries: BalanceTransactions)"},
		{"payout", `const lines = "select fee from balance_transactions"
			func (s Payouts) pay() any { return ledger.Payout(s.fact(), db.One(lines)) }`, "(lines: balance_transactions)"},
		{"payout", `func diagnose(p stripe.Payout) any { return p.FailureBalanceTransaction }
			func entries(p Payout) any { return ledger.Payout(p.fact(), p.Amount, p.Fee) }`, ""},
		{"payout", `func entries(p Payout) any { t := ledger.Payout(p.fact()); t.Book = ledger.Observed; return t }`, "names the observed book"},
		{"reconcile", `func (l Line) posting() any { return ledger.Transaction{Scope: l.scope, Book: ledger.Observed} }
			func (l Line) none() (t ledger.Transaction) { return ledger.Transaction{} }
			func compare(q any) any { return ledger.BalancesOf(q, ledger.Expected) }
			func write(all []ledger.Transaction) any { return ledger.Post(all...) }`, ""},
		{"reconcile", `func (l Line) posting() any { return ledger.Transaction{Scope: l.scope, Book: ledger.Expected} }`, "another book"},
		{"reconcile", `func (l Line) posting() any { return ledger.Transaction{Scope: l.scope, Book: l.book} }`, "another book"},
		{"reconcile", `func (l Line) posting() any { return ledger.Transaction{l.scope, ledger.Observed} }`, "another book"},
		{"reconcile", `func (l Line) posting() any { t := l.observed(); t.Book = l.book; return t }`, "another book"},
		{"reconcile", `func (l Line) repair() any { return ledger.Refund(l.fact()) }`, "a rule of the expected book"},
		{"reconcile", `func (l Line) repair() any { return db.Change{SQL: "insert  into\nledger_entries values" } }`, "past it"},
		{"payment", `func repair() any { return "update ledger_entries set amount = 1" }`, "past it"},
		{"ledger", `func entries() any { return "insert into ledger_entries values" }`, ""},
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+c.code, 0)
		if err != nil {
			t.Fatal(err)
		}
		found := readRoom(c.room, f).mixes()
		if c.wrong == "" && len(found) > 0 || c.wrong != "" && (len(found) != 1 || !strings.Contains(found[0], c.wrong)) {
			t.Errorf("%s\n%s\nfound %q, want %q", c.room, c.code, found, c.wrong)
		}
	}
	for path, want := range map[string]bool{"github.com/till-pay/till/internal/stripe": true, "github.com/stripe/stripe-go/v85": true, "github.com/till-pay/till/internal/money": false} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", `package ledger; import x "`+path+`"`, parser.ImportsOnly)
		if err != nil || knowsStripe(f) != want {
			t.Errorf("importing %s: %v", path, err)
		}
	}
}
