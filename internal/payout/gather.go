package payout

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/stripe"
)

// How far a diagnosis looks, and how long.
const (
	mostPayouts  = 200
	mostPending  = 1000 // balance transactions
	mostDisputes = 500
	pendingFor   = 31 * day         // no settlement takes longer
	disputedFor  = 180 * day        // nor a dispute
	patience     = 15 * time.Second // for all of it
)

// Read is what Stripe told, or why it did not.
type Read[T any] struct {
	Value  T
	Unread string // the reason, in words; empty where Value is what Stripe told
	More   bool   // Stripe has more of it than was read
}

// Facts are all that a diagnosis goes by.
type Facts struct {
	At        time.Time
	AccountID string
	Livemode  bool
	Account   Read[stripe.AccountStanding]
	Banks     Read[[]stripe.ExternalAccount]
	Balance   Read[stripe.Balance]
	Payouts   Read[[]stripe.Payout]        // newest first
	Pending   Read[[]stripe.PendingFunds]  // only what is pending
	Disputes  Read[[]stripe.DisputedFunds] // only those that are open
	Minimum   Read[map[string]int64]       // what payouts by schedule leave, in minor units by currency in lower case
}

// Diagnosis asks Stripe how the account stands, and says why money does not arrive at the bank. It writes nothing.
func (s *Payouts) Diagnosis(ctx context.Context, scope db.Scope) (Diagnosis, error) {
	p, err := s.Merchants.Provider(ctx, scope)
	if err != nil {
		return Diagnosis{}, err
	}
	client, err := s.Merchants.Client(ctx, scope, p.Generation)
	if err != nil {
		return Diagnosis{}, err
	}
	f, err := gather(ctx, client, p.Account, s.Clock.Now())
	if err != nil {
		return Diagnosis{}, err
	}
	f.Livemode = scope.Mode == merchant.Live
	return concluded(Diagnose(f), f)
}

// concluded refuses a diagnosis that says nothing is wrong while something could not be looked at: ask again.
func concluded(d Diagnosis, f Facts) (Diagnosis, error) {
	if d.Verdict != None {
		return d, nil
	}
	for _, r := range []struct{ what, unread string }{{"the account", f.Account.Unread}, {"its bank accounts", f.Banks.Unread}, {"its balance", f.Balance.Unread},
		{"its payouts", f.Payouts.Unread}, {"its disputes", f.Disputes.Unread}} {
		if r.unread != "" {
			return Diagnosis{}, fault.New(fault.ProviderUnavailable, "", "Stripe did not tell all that the diagnosis needs, and what it told shows nothing wrong. Missing is %s: %s Ask again.", r.what, r.unread)
		}
	}
	return d, nil
}

// gather asks Stripe for everything at once. An error is one that holds for all of it: the key.
func gather(ctx context.Context, c *stripe.Client, account string, at time.Time) (Facts, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f := Facts{At: at, AccountID: account}
	var work sync.WaitGroup
	var refusal error
	var mu sync.Mutex
	read := func(into *string, ask func() error) {
		work.Go(func() {
			err := ask()
			if stripe.Meaning(err) == stripe.BadCredentials {
				mu.Lock()
				refusal = fault.New(fault.ProviderCredentials, "", "Stripe refuses the merchant's secret key: PUT /v1/merchant/providers with one that is valid.").Because(err)
				mu.Unlock()
			}
			*into = reason(err)
		})
	}
	read(&f.Account.Unread, func() (err error) { f.Account.Value, err = c.Standing(ctx); return partial(f.Account.Value, err) })
	read(&f.Banks.Unread, func() (err error) { f.Banks.Value, err = c.ExternalAccounts(ctx, account); return err })
	read(&f.Balance.Unread, func() (err error) { f.Balance.Value, err = c.Balance(ctx); return err })
	read(&f.Payouts.Unread, func() error {
		_, err := c.Payouts(ctx, time.Time{}, "", bounded(&f.Payouts, mostPayouts, func(stripe.Payout) bool { return true }))
		return err
	})
	read(&f.Pending.Unread, func() error {
		return c.PendingFunds(ctx, at.Add(-pendingFor), bounded(&f.Pending, mostPending, func(p stripe.PendingFunds) bool { return p.Status == "pending" }))
	})
	read(&f.Disputes.Unread, func() error {
		return c.DisputedFunds(ctx, at.Add(-disputedFor), bounded(&f.Disputes, mostDisputes, stripe.DisputedFunds.Open))
	})
	read(&f.Minimum.Unread, func() (err error) { f.Minimum.Value, err = c.MinimumBalance(ctx); return err })
	work.Wait()
	return f, refusal
}

// partial refuses an account of which Stripe did not say whether it may be paid out.
func partial(a stripe.AccountStanding, err error) error {
	if err == nil && (a.PayoutsEnabled == nil || a.Requirements == nil) {
		return fmt.Errorf("the account came without payouts_enabled or requirements")
	}
	return err
}

// bounded takes in those objects of a list that are wanted, until so many have been looked at.
func bounded[T any](into *Read[[]T], most int, wanted func(T) bool) func(T) bool {
	looked := 0
	return func(o T) bool {
		if looked == most {
			into.More = true
			return true
		}
		if looked++; wanted(o) {
			into.Value = append(into.Value, o)
		}
		return false
	}
}

// reason is why Stripe did not tell, in words.
func reason(err error) string {
	switch said, ok := stripe.As(err); {
	case err == nil:
		return ""
	case ok && said.Status == 403:
		return "the Stripe key may not read it; give it the permission in Stripe's Dashboard."
	case ok && said.Status != 0:
		return fmt.Sprintf("Stripe answered %d: %.300s", said.Status, sentence(said.Message))
	case ok:
		return "Stripe did not answer in time, or not in full."
	}
	return "Stripe answered incompletely: " + sentence(err.Error())
}

func sentence(s string) string {
	if s == "" || s[len(s)-1] == '.' {
		return s
	}
	return s + "."
}
