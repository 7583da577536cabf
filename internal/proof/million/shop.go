package main

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/app"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
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
	const together = 1000
	for ; from < to; from += together {
		if err := d.Write(ctx, s.movements(from, min(to, from+together))); err != nil {
			return err
		}
	}
	if d.Name == "sqlite" {
		return nil
	}
	return d.Write(ctx, db.Change{SQL: "analyze movements", Rows: db.Any}) // as PostgreSQL does by itself within a minute
}

// movements are those of some lines: of a charge one for its amount and one for its fee, as till posts them.
func (s *shop) movements(from, to int64) db.Change {
	var sql strings.Builder
	sql.WriteString(`insert into movements (merchant, mode, key, generation, kind, source, currency, amount, fee, payment, posted_at) values `)
	var args []any
	var rows int64
	add := func(l line, key, payment string, amount, fee int64) {
		if rows++; rows > 1 {
			sql.WriteByte(',')
		}
		for i := range 11 {
			sql.WriteString(map[bool]string{true: "($", false: ",$"}[i == 0] + strconv.Itoa(len(args)+i+1))
		}
		sql.WriteByte(')')
		args = append(args, s.Merchant, s.Mode, key, int64(1), l.category, l.source, "USD", amount, fee, payment, db.Micros(l.made))
	}
	for n := from; n < to; n++ {
		l, of := s.stripe.line(n), id.New()
		switch l.category {
		case "charge":
			add(l, "payment/"+of+"/charge/"+strconv.FormatInt(l.amount, 10), of, l.amount, 0)
			add(l, "payment/"+of+"/fee/"+strconv.FormatInt(l.amount, 10), of, 0, l.fee-l.over)
		case "refund":
			add(l, "refund/"+of, id.New(), l.amount, 0)
		case "payout":
			add(l, "payout/"+l.source, "", l.amount, 0)
		}
	}
	return db.Change{SQL: sql.String(), Args: args, Rows: rows}
}
