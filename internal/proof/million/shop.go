package main

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/app"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
)

// shop is a merchant whose balance is read.
type shop struct {
	db.Scope
	url       string // of the database
	masterKey string
	key       string // X-API-Key
	stripe    *account
}

// found makes the merchant, by a till in this process that is closed again.
func found(ctx context.Context, url, folder string, stripe *account) (*shop, error) {
	s := &shop{url: url, masterKey: filepath.Join(folder, "master.key"), stripe: stripe}
	a, err := app.Open(ctx, app.Config{Database: url, StripeURL: stripe.URL, MasterKey: s.masterKey, NewMasterKey: true, Version: "million", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return nil, err
	}
	defer a.Close(context.WithoutCancel(ctx))
	m, err := a.Merchants.CreateMerchant(ctx, "Shop")
	if err == nil {
		_, s.key, err = a.Merchants.CreateKey(ctx, merchant.KeyInput{Merchant: m.ID, Mode: merchant.Test, Name: "million", Scopes: api.Scopes})
	}
	if err != nil {
		return nil, err
	}
	s.Scope = db.Scope{Merchant: m.ID, Mode: merchant.Test}
	_, err = a.Merchants.Configure(ctx, s.Scope, merchant.ConfigureInput{Provider: merchant.Name, Stripe: merchant.Credentials{SecretKey: merchant.Secret("sk_test_" + id.Hex(12))}})
	return s, err
}

// foretell writes what the expected book would have foretold of the lines from one number to before another.
func (s *shop) foretell(ctx context.Context, from, to int64) error {
	d, err := db.Open(ctx, s.url)
	if err != nil {
		return err
	}
	defer d.Close()
	const together = 400 // a statement takes some thirty thousand arguments at the most
	for ; from < to; from += together {
		changes, err := ledger.Post(s.foretold(from, min(to, from+together))...)
		if err != nil {
			return err
		}
		if err := d.Write(ctx, changes...); err != nil {
			return err
		}
	}
	return d.Analyze(ctx, "movements") // as PostgreSQL does by itself within a minute
}

// foretold is what the rooms would have posted of some lines: of a charge its amount and its fee.
func (s *shop) foretold(from, to int64) (all []ledger.Transaction) {
	for n := from; n < to; n++ {
		l, of := s.stripe.line(n), id.New()
		usd := func(minor int64) money.Money { return money.FromMinor(minor, "USD") }
		fact := ledger.Fact{Scope: s.Scope, Generation: 1, Payment: of, Source: l.source, At: l.made}
		switch l.category {
		case "charge":
			all = append(all, ledger.Charge(fact, l.amount, usd(l.amount)), ledger.ChargeFee(fact, l.amount, usd(l.fee-l.over)))
		case "refund":
			all = append(all, ledger.Refund(fact, of, usd(-l.amount)))
		case "payout":
			fact.Payment = ""
			all = append(all, ledger.Payout(fact, usd(-l.amount), usd(0)))
		}
	}
	return all
}
