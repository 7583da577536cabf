package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/ledger"
)

// figures are what one trial has measured.
type figures struct {
	engine      string
	lines       int64
	took        time.Duration // until all was read, matched and listed by payout, without the wait for the dead one's lease
	first, last time.Duration // a line, in the first and in the last tenth
	busy        time.Duration // till's own processor time for a line
	payouts     int64         // pages of payouts' lines that were read besides
	again       int64         // pages that were asked for again after the death
	peak        int64         // of the memory of both processes, at most
	fresh       int64
	freshTook   time.Duration // for those that came on top
	freshPeak   int64
}

// trial reads a number of lines with a death in the middle, and then some more on top of them.
func trial(ctx context.Context, engine, url, folder, binary string, lines, fresh int64) (f figures, err error) {
	f = figures{engine: engine, lines: lines, fresh: fresh}
	stripe := newAccount(lines)
	defer stripe.Close()
	s, err := found(ctx, url, folder, stripe)
	if err != nil {
		return f, err
	}
	if err := s.foretell(ctx, 0, lines); err != nil {
		return f, err
	}
	if err := f.read(ctx, s, binary); err != nil {
		return f, err
	}
	stripe.grow(fresh)
	if err := s.foretell(ctx, lines, lines+fresh); err != nil {
		return f, err
	}
	p, err := s.start(binary)
	if err != nil {
		return f, err
	}
	defer p.kill()
	began := time.Now()
	if err := p.reconcile(ctx); err != nil {
		return f, err
	}
	f.freshTook = time.Since(began)
	_, f.freshPeak = p.cost()
	p.stop()
	return f, s.even(ctx, lines+fresh)
}

// read reads the whole list: one process is killed in the middle, and another goes on.
func (f *figures) read(ctx context.Context, s *shop, binary string) error {
	first, err := s.start(binary)
	if err != nil {
		return err
	}
	defer first.kill()
	var busy atomic.Int64
	dead := make(chan struct{})
	s.stripe.tell(f.lines/2, func() {
		var took time.Duration
		took, f.peak = first.cost()
		busy.Store(int64(took))
		_ = first.cmd.Process.Kill()
		close(dead)
	})
	_ = first.reconcile(ctx) // it ends with the connection
	select {
	case <-dead:
	default:
		return fmt.Errorf("the reading did not come to its middle: %w", ctx.Err())
	}
	second, err := s.start(binary)
	if err != nil {
		return err
	}
	defer second.kill()
	if err := second.reconcile(ctx); err != nil {
		return err
	}
	end := time.Now()
	took, peak := second.cost()
	f.peak = max(f.peak, peak)
	f.busy = (took + time.Duration(busy.Load())) / time.Duration(f.lines)
	second.stop()
	asked, paid := s.stripe.forget()
	f.pages(asked, paid, end)
	return s.even(ctx, f.lines)
}

// pages works out from the pages that Stripe was asked for how long the reading took; it was at its end at a time.
func (f *figures) pages(asked []ask, paid int64, end time.Time) {
	f.payouts = paid
	died := 0
	for i := 1; i < len(asked); i++ {
		switch {
		case asked[i].given == 0: // a later reading, of what is new: its stretch of work ended before the payouts' lines did
			asked = asked[:i]
		case asked[i].given <= asked[i-1].given:
			f.again++
		}
		if died == 0 && i < len(asked) && asked[i].given >= f.lines/2 {
			died = i
		}
	}
	span := func(from, to int) time.Duration { return asked[to].at.Sub(asked[from].at) }
	last := len(asked) - 1
	f.took = span(0, died) + end.Sub(asked[min(died+1, last)].at)
	tenth := max(1, last/10)
	perLine := func(from, to int) time.Duration {
		return span(from, to) / time.Duration(max(1, asked[to].given-asked[from].given))
	}
	f.first, f.last = perLine(0, tenth), perLine(last-tenth, last)
}

// even looks into till's books: each line is there once, with its money, and nothing is left but what Stripe took more than was foretold.
func (s *shop) even(ctx context.Context, lines int64) error {
	d, err := db.Open(ctx, s.url)
	if err != nil {
		return err
	}
	defer d.Close()
	var net, over, moves int64
	for n := range lines {
		l := s.stripe.line(n)
		net, over = net+l.amount-l.fee, over+l.over
		if l.category == "charge" {
			moves++
		}
	}
	for _, one := range []struct {
		what, sql string
		want      int64
	}{
		{"lines", `select count(*) from balance_transactions`, lines},
		{"the sum of the lines", `select cast(sum(net) as bigint) from balance_transactions`, net},
		{"lines by day", `select cast(sum(lines) as bigint) from balance_days`, lines},
		{"the sum of the days", `select cast(sum(net) as bigint) from balance_days`, net},
		{"the sum of the differences", `select cast(sum(difference) as bigint) from balance_transactions`, -over},
		{"lines that are not looked into", `select count(*) from balance_transactions where state in ('open', 'waiting')`, 0},
		{"movements that have not come", `select count(*) from movements where matched = ''`, 0},
		{"Stripe's balance in the observed book", `select cast(sum(amount) as bigint) from ledger_entries where book = 'observed' and account in ('` + string(ledger.StripeBalance) + `', '` + string(ledger.FeesTaken) + `')`, net},
		{"charges in the observed book", `select count(*) from ledger_entries where book = 'observed' and account = '` + string(ledger.Sales) + `'`, moves},
		{"lines counted by the reading", `select lines from balance_readings`, lines},
	} {
		got, err := count(ctx, d, one.sql)
		if err != nil {
			return fmt.Errorf("%s: %w", one.what, err)
		}
		if got != one.want {
			return fmt.Errorf("%s: %d, and %d was expected", one.what, got, one.want)
		}
	}
	return nil
}

// count is a number of the database's, however long that takes.
func count(ctx context.Context, d *db.DB, sql string) (n int64, err error) {
	rows, err := d.Query(ctx, sql)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&n)
	}
	if err == nil {
		err = rows.Err()
	}
	return n, err
}
