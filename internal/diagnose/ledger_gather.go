package diagnose

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/money"
)

const (
	mostLines  = 500_000            // of Stripe's, about 400 bytes each
	margin     = 3 * 24 * time.Hour // the ledger's days and Stripe's may lie so far apart
	madeBefore = 35 * 24 * time.Hour
)

// AddLedger holds the merchant's own ledger against what was read. Where since is 0, all that Stripe has of the ledger's own days must be in it.
func (r *Reconciliation) AddLedger(ctx context.Context, c *client.Client, l *MerchantLedger, since time.Duration, zone *time.Location) error {
	first, from, until := span(l.Entries, r.AsOf, since, zone)
	g := gathering{c: c, at: map[[2]string]int{}, payments: map[string]told{}}
	if err := g.lines(ctx, first.Add(-margin), until.Add(margin)); err != nil {
		return err
	}
	if err := g.names(ctx, first.Add(-madeBefore), until.Add(margin)); err != nil {
		return err
	}
	if err := g.lookUp(ctx, l.Entries); err != nil {
		return err
	}
	r.Ledger = CompareLedger(l, g.booked, from, until, zone)
	return nil
}

// span is from the first day of a ledger to the end of its last. With since, what Stripe has made in that time must be in the ledger.
func span(entries []Entry, now time.Time, since time.Duration, zone *time.Location) (first, from, until time.Time) {
	if from, until = now, now; len(entries) > 0 {
		from, until = entries[0].Date, entries[0].Date
	}
	for _, e := range entries {
		if e.Date.Before(from) {
			from = e.Date
		}
		if e.Date.After(until) {
			until = e.Date
		}
	}
	y, m, d := until.In(zone).Date()
	until = clock.Midnight(y, m, d+1, zone)
	y, m, d = from.In(zone).Date()
	from = clock.Midnight(y, m, d, zone)
	if first = from; since > 0 {
		from, until = now.Add(-since), now.Add(time.Second)
	}
	if from.Before(first) {
		first = from
	}
	return first, from, until
}

// gathering is what till tells of the time of a ledger.
type gathering struct {
	c        *client.Client
	booked   []Booked
	at       map[[2]string]int // by kind and source
	payments map[string]told   // by id
	called   map[string]string // payments, by what else they are called
}

func (g *gathering) lines(ctx context.Context, from, until time.Time) error {
	q := url.Values{"since": {from.UTC().Format(time.RFC3339)}, "until": {until.UTC().Format(time.RFC3339)}}
	n := 0
	return Lines(ctx, g.c, q, func(l BookLine) error {
		if n++; n > mostLines {
			return fmt.Errorf("in the time of this ledger Stripe has more than %d transactions: give it in parts", mostLines)
		}
		return g.add(l)
	})
}

func (g *gathering) add(l BookLine) error {
	settled, from := money.Currency(l.Currency), money.Currency(l.SourceCurrency)
	amount, err := signed(l.Amount, settled)
	if err != nil {
		return fmt.Errorf("line %s: %w", l.ID, err)
	}
	fee, err := signed(l.Fee, settled)
	if err != nil {
		return fmt.Errorf("line %s: %w", l.ID, err)
	}
	source, err := signed(l.SourceAmount, from)
	if err != nil {
		return fmt.Errorf("line %s: %w", l.ID, err)
	}
	key := [2]string{l.Kind, first(l.Source, l.ID)}
	i, there := g.at[key]
	if !there {
		i = len(g.booked)
		g.at[key] = i
		g.booked = append(g.booked, Booked{Kind: l.Kind, Source: l.Source, Amount: money.FromMinor(0, settled), Fee: money.FromMinor(0, settled), From: money.FromMinor(0, from)})
	}
	b := &g.booked[i]
	b.Lines, b.Payment, b.Payout, b.At = append(b.Lines, l.ID), first(b.Payment, l.Payment), first(b.Payout, l.Payout), l.CreatedAt
	b.Amount.Minor, b.Fee.Minor, b.From.Minor = b.Amount.Minor+amount.Minor, b.Fee.Minor+fee.Minor, b.From.Minor+source.Minor
	if l.State == "explained" || l.State == "unexplained" {
		b.Words = l.Reason
	}
	return nil
}

// names adds what else the lines may be called in a ledger: by the idempotency keys of payments and refunds, and by their ids.
func (g *gathering) names(ctx context.Context, from, until time.Time) error {
	g.called = map[string]string{}
	q := url.Values{"since": {from.UTC().Format(time.RFC3339)}, "until": {until.UTC().Format(time.RFC3339)}, "limit": {"100"}}
	if err := client.Each(ctx, g.c, "/v1/payments", q, g.know); err != nil {
		return err
	}
	if err := client.Each(ctx, g.c, "/v1/refunds", q, func(f refundTold) error {
		for _, kind := range []string{"refund", "refund_failure"} {
			if i, there := g.at[[2]string{kind, f.Ref}]; there && f.Ref != "" {
				g.booked[i].Names = append(g.booked[i].Names, f.ID, f.Key)
				if f.Origin == "outside" {
					g.booked[i].Words = madeOutside
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for i := range g.booked {
		if p, there := g.payments[g.booked[i].Payment]; there {
			g.booked[i].Names = append(g.booked[i].Names, p.IdempotencyKey, p.ProviderRef)
		}
	}
	return nil
}

func (g *gathering) know(p told) error {
	if len(g.payments) == mostLines {
		return fmt.Errorf("till has more than %d payments in the time of this ledger: give it in parts", mostLines)
	}
	g.payments[p.ID] = p
	for _, name := range []string{p.ID, p.IdempotencyKey, p.ProviderRef} {
		if name != "" {
			g.called[name] = p.ID
		}
	}
	return nil
}

// lookUp asks for payments older than what was gathered, and notes of entries without a line what became of their payment.
func (g *gathering) lookUp(ctx context.Context, entries []Entry) error {
	known := map[string]bool{}
	for i := range g.booked {
		for _, name := range append([]string{g.booked[i].Source, g.booked[i].Payment}, append(g.booked[i].Names, g.booked[i].Lines...)...) {
			known[name] = true
		}
	}
	asked := 0
	for n := range entries {
		e := &entries[n]
		if known[e.Ref] {
			continue
		}
		if g.called[e.Ref] == "" && asked < mostLookUps {
			asked++
			if err := g.ask(ctx, e.Ref); err != nil {
				return err
			}
		}
		if p, there := g.payments[g.called[e.Ref]]; there {
			g.attach(p)
			if p.Status != "completed" && p.Status != "refunded" {
				e.Note = fmt.Sprintf("Stripe has no transaction of it: payment %s is %s.", p.ID, p.Status)
			}
		}
	}
	return nil
}

// attach names lines by a payment that was looked up.
func (g *gathering) attach(p told) {
	for i := range g.booked {
		if g.booked[i].Payment == p.ID {
			g.booked[i].Names = append(g.booked[i].Names, p.IdempotencyKey, p.ProviderRef)
		}
	}
}

// ask looks a payment up by one of its names.
func (g *gathering) ask(ctx context.Context, ref string) error {
	by := "idempotency_key"
	if strings.HasPrefix(ref, "pi_") {
		by = "provider_ref"
	}
	var found []told
	err := g.c.Call(ctx, "GET", "/v1/payments?"+url.Values{by: {ref}}.Encode(), nil, &found)
	if err != nil || len(found) == 0 {
		return err
	}
	return g.know(found[0])
}
