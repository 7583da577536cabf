package ledger_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/ledger"
)

var shop = db.Scope{Merchant: "m", Mode: "test"}

// books are the books of a database at a time that a test moves.
func books(d *db.DB) (*ledger.Books, *clock.Fake) {
	c := clock.NewFake(at)
	return &ledger.Books{DB: d, Clock: c, Log: slog.New(slog.DiscardHandler)}, c
}

// must ends a test where a call fails.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func exec(t *testing.T, d *db.DB, rows int64, sql string, args ...any) {
	t.Helper()
	if err := d.Write(t.Context(), db.Change{SQL: sql, Args: args, Rows: rows}); err != nil {
		t.Fatal(sql, err)
	}
}

// verify walks the whole chain, part by part.
func verify(t *testing.T, b *ledger.Books, scope db.Scope, from string) (all []ledger.Finding, transactions int64) {
	t.Helper()
	in := ledger.VerifyInput{From: from}
	for range 1000 {
		v, err := b.Verify(t.Context(), scope, in)
		if err != nil {
			t.Fatal(err)
		}
		all, transactions = append(all, v.Findings...), transactions+v.Transactions
		if v.Verified != (len(v.Findings) == 0) || v.Complete != (v.Next == "") {
			t.Fatalf("it contradicts itself: %+v", v)
		}
		if v.Complete {
			return all, transactions
		}
		in = ledger.VerifyInput{Cursor: v.Next}
	}
	t.Fatal("the walk has no end")
	return nil, 0
}

// sale is a payment that was captured, with its fee, at a time.
func sale(scope db.Scope, name string, minor int64, when time.Time) []ledger.Transaction {
	f := ledger.Fact{Scope: scope, Generation: 1, Payment: name, Source: "ch_" + name, At: when}
	return []ledger.Transaction{ledger.Charge(f, minor, usd(minor)), ledger.ChargeFee(f, minor, usd(minor/30+30))}
}

// story posts and chains sales on three days: n on each, two transactions for a sale.
func story(t *testing.T, b *ledger.Books, c *clock.Fake, scope db.Scope, n int) {
	t.Helper()
	for day := range 3 {
		for i := range n {
			if err := post(b.DB, sale(scope, fmt.Sprintf("p%d_%d", day, i), int64(1000+i), c.Now())...); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.ChainAll(t.Context(), scope); err != nil {
			t.Fatal(err)
		}
		c.Advance(24 * time.Hour)
	}
}

func TestWhatIsPostedIsChained(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, c := books(d)
		if tip := must(b.Tip(t.Context(), shop)); tip.Sequence != 0 || tip.Day != "" || tip.Waiting.Transactions != 0 {
			t.Errorf("an empty chain says %+v", tip)
		}
		if found, n := verify(t, b, shop, ""); len(found) != 0 || n != 0 {
			t.Errorf("an empty chain: %v", found)
		}
		story(t, b, c, shop, 2)
		if err := post(d, sale(shop, "late", 5, c.Now().Add(-time.Minute))...); err != nil {
			t.Fatal(err)
		}
		tip := must(b.Tip(t.Context(), shop))
		if tip.Sequence != 12 || tip.Day != "2026-02-02" || tip.Waiting != (ledger.Waiting{Transactions: 2, Seconds: 60}) {
			t.Errorf("the chain says %+v", tip)
		}
		heads := must(b.Heads(t.Context(), shop, api.PageInput{Limit: 2}))
		if len(heads.Data) != 2 || heads.Data[0].Day != "2026-02-02" || heads.Data[0].Hash != tip.Hash || !heads.Data[0].Final || heads.Data[1].Sequence != 8 || heads.Next == "" {
			t.Errorf("heads: %+v", heads)
		}
		rest := must(b.Heads(t.Context(), shop, api.PageInput{Limit: 2, Cursor: heads.Next}))
		if len(rest.Data) != 1 || rest.Data[0].Day != "2026-01-31" || rest.Data[0].Sequence != 4 || rest.Next != "" {
			t.Errorf("the rest: %+v", rest)
		}
		if found, n := verify(t, b, shop, ""); len(found) != 0 || n != 12 {
			t.Errorf("%d transactions: %v", n, found)
		}
		for _, h := range append(heads.Data, rest.Data...) {
			if found, n := verify(t, b, shop, fmt.Sprintf("%d:%s", h.Sequence, h.Hash)); len(found) != 0 || n != 12-h.Sequence {
				t.Errorf("from %+v: %d, %v", h, n, found)
			}
		}
		if found, _ := verify(t, b, db.Scope{Merchant: "m", Mode: "live"}, ""); len(found) != 0 {
			t.Errorf("the other mode: %v", found)
		}
	})
}

// The hash is what docs/books.md says, by a program that knows nothing else.
func TestTheHashIsAsDocumented(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, _ := books(d)
		long := ledger.Transaction{Scope: shop, Book: ledger.Observed, Key: "q", PostedAt: at}
		lines := []string{"till-ledger-1", "2", "1769851800000000", "1769851800000000", "q"}
		for i := range 12 { // more than one digit numbers
			minor := int64(11)
			if i > 0 {
				minor = -1
			}
			long.Lines = append(long.Lines, ledger.Line{Account: ledger.Fees, Money: usd(minor)})
			lines = append(lines, "line", fmt.Sprint(i), "observed", "expenses:stripe_fees", "USD", fmt.Sprint(minor), "", "1769851800000000")
		}
		if err := post(d, sale(shop, "p", 5000, at)[0], long); err != nil {
			t.Fatal(err)
		}
		if err := b.ChainAll(t.Context(), shop); err != nil {
			t.Fatal(err)
		}
		hash := func(before, text string) string {
			sum := sha256.Sum256([]byte(before + "\n" + text))
			return hex.EncodeToString(sum[:])
		}
		text := func(values ...string) (s string) {
			for _, v := range values {
				s += fmt.Sprintf("%d:%s,", len(v), v)
			}
			return s
		}
		content := text([]string{"till-ledger-1", "1", "1769851800000000", "1769851800000000", "payment/p/charge/5000",
			"line", "0", "expected", "assets:stripe", "USD", "5000", "p", "1769851800000000", "line", "1", "expected", "income:sales", "USD", "-5000", "p", "1769851800000000",
			"movement", "", "1", "charge", "ch_p", "USD", "5000", "0", "p", "1769851800000000"}...)
		want := hash(hash(hash("", "till-ledger-1\nm\ntest"), content), text(lines...))
		if tip := must(b.Tip(t.Context(), shop)); tip.Hash != want {
			t.Errorf("the hash is %s, want %s", tip.Hash, want)
		}
	})
}

// Many post at once while two nodes chain: the numbers have no gaps, and every transaction has one.
func TestChainHasNoGaps(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		var nodes []*ledger.Books
		for range 2 {
			d, err := db.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			b, _ := books(d)
			nodes = append(nodes, b)
		}
		const writers, each = 6, 40
		var writing, chaining sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					if err := post(nodes[w%2].DB, sale(shop, fmt.Sprintf("p%d_%d", w, i), 5000, at)...); err != nil {
						t.Error(err)
					}
				}
			})
		}
		done := make(chan struct{})
		for _, b := range nodes {
			chaining.Go(func() {
				for last := false; ; {
					more, err := b.Chain(context.Background())
					if err != nil {
						t.Error(err)
					}
					if last && !more {
						return
					}
					select {
					case <-done:
						last = true
					default:
					}
				}
			})
		}
		writing.Wait()
		close(done)
		chaining.Wait()
		seqs, err := db.All(t.Context(), nodes[0].DB, db.Value[int64], `select seq from ledger_chain where merchant = 'm' and mode = 'test' order by seq`)
		if err != nil || len(seqs) != 2*writers*each {
			t.Fatalf("%d rows, %v", len(seqs), err)
		}
		for i, seq := range seqs {
			if seq != int64(i)+1 {
				t.Fatalf("number %d stands at place %d", seq, i+1)
			}
		}
		if found, n := verify(t, nodes[1], shop, ""); len(found) != 0 || n != int64(len(seqs)) {
			t.Errorf("%d: %v", n, found)
		}
	})
}
