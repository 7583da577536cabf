package diagnose

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/till-pay/till/client"
)

// Reconciliation is where each cent is, as till says it: what of Stripe's balance transactions nothing accounts for, what makes that up, and
// what was made outside till.
type Reconciliation struct {
	Check       string        `json:"check"`
	AsOf        time.Time     `json:"as_of"`
	Since       time.Time     `json:"since"` // of what was made outside till, and of the lines
	Accounts    []BookReading `json:"accounts"`
	Currencies  []BookSum     `json:"currencies"`
	Items       []BookItem    `json:"items"`
	MoreItems   bool          `json:"more_items"` // there are more than are listed
	Accepted    []BookLine    `json:"accepted_lines"`
	Outside     []OutsideLine `json:"outside"`
	OutsideMore int           `json:"outside_more"` // so many more than are listed
	Payout      *PaidOut      `json:"payout,omitempty"`
	Ledger      *Compared     `json:"ledger,omitempty"`
}

// BookReading is how far Stripe's balance transactions of an account have been read.
type BookReading struct {
	Account   string     `json:"account"`
	Done      bool       `json:"done"`
	Busy      bool       `json:"busy"`
	Lines     int64      `json:"lines"`
	ReadTo    *time.Time `json:"read_to"`
	At        *time.Time `json:"at"`
	CheckedAt *time.Time `json:"checked_at"`
	Error     string     `json:"error"`
}

// BookSum is the state of one currency.
type BookSum struct {
	Currency  string `json:"currency"`
	Lines     int64  `json:"lines"`
	Remainder string `json:"remainder"`
	Accepted  string `json:"accepted"` // of differences that somebody has accepted: not in the remainder
	InFlight  string `json:"in_flight"`
	Waiting   string `json:"waiting"`
}

// BookItem is a part of a remainder.
type BookItem struct {
	Currency string    `json:"currency"`
	Amount   string    `json:"amount"`
	Line     string    `json:"line"`
	Kind     string    `json:"kind"`
	Source   string    `json:"source"`
	Payment  string    `json:"payment_id"`
	Payout   string    `json:"payout"`
	Reason   string    `json:"reason"`
	At       time.Time `json:"at"`
}

// BookLine is one of Stripe's balance transactions, as till shows it.
type BookLine struct {
	ID             string    `json:"id"`
	Type           string    `json:"type"`
	Kind           string    `json:"kind"`
	Source         string    `json:"source"`
	Currency       string    `json:"currency"`
	Amount         string    `json:"amount"`
	Fee            string    `json:"fee"`
	Net            string    `json:"net"`
	ExchangeRate   string    `json:"exchange_rate"`
	SourceAmount   string    `json:"source_amount"`
	SourceCurrency string    `json:"source_currency"`
	Description    string    `json:"description"`
	Payment        string    `json:"payment_id"`
	Payout         string    `json:"payout"`
	State          string    `json:"state"`
	Reason         string    `json:"reason"`
	Difference     string    `json:"difference"`
	CreatedAt      time.Time `json:"created_at"`
	AvailableOn    time.Time `json:"available_on"`

	Acceptance *BookAcceptance `json:"acceptance"`
}

// BookAcceptance is what somebody accepted of a line.
type BookAcceptance struct {
	Amount string    `json:"amount"`
	Note   string    `json:"note"`
	Key    string    `json:"api_key_id"`
	At     time.Time `json:"accepted_at"`
}

// OutsideLine is money that moved without till having been asked: it is accounted for, and named so that nobody has to wonder.
type OutsideLine struct {
	Line     string    `json:"line"`
	Kind     string    `json:"kind"`
	Source   string    `json:"source"`
	Payment  string    `json:"payment_id"`
	Payout   string    `json:"payout"`
	Currency string    `json:"currency"`
	Amount   string    `json:"amount"`
	Fee      string    `json:"fee"`
	What     string    `json:"what"`
	At       time.Time `json:"at"`
}

// PaidOut is a payout to its lines.
type PaidOut struct {
	Payout      string     `json:"payout"`
	Currency    string     `json:"currency"`
	Amount      string     `json:"amount"`
	ByHand      bool       `json:"by_hand"`
	Ready       bool       `json:"ready"`
	Parts       []PaidPart `json:"parts"`
	Remainder   string     `json:"remainder"`
	Accepted    string     `json:"accepted"`
	Unexplained []BookItem `json:"unexplained"`
	CreatedAt   time.Time  `json:"created_at"`
	Lines       []BookLine `json:"lines"`      // the newest, at most 1,000
	MoreLines   bool       `json:"more_lines"` // there are more than are listed
}

// PaidPart is what a payout has of one kind.
type PaidPart struct {
	Kind   string `json:"kind"`
	Lines  int64  `json:"lines"`
	Amount string `json:"amount"`
	Fee    string `json:"fee"`
	Net    string `json:"net"`
}

// ReconcileInput says what is looked at.
type ReconcileInput struct {
	Since    time.Duration // what was made outside till, and the lines
	Payout   string        // "" looks at no single one
	Repair   bool          // Stripe is asked about what nothing foretold
	Progress func(BookReading)
}

const (
	mostOutside = 1_000 // lines that are listed
	mostPaid    = 1_000
	itemsShown  = 100 // that the API lists
)

// Even says whether nothing is left over: in no currency, and in no payout that was asked about.
func (r *Reconciliation) Even() bool {
	for _, c := range r.Currencies {
		if Nonzero(c.Remainder) {
			return false
		}
	}
	return (r.Payout == nil || !Nonzero(r.Payout.Remainder)) && (r.Ledger == nil || r.Ledger.Agrees())
}

// Reconcile has till read Stripe's balance transactions to the end, and gathers what it found.
func Reconcile(ctx context.Context, c *client.Client, in ReconcileInput) (*Reconciliation, error) {
	if in.Since <= 0 || in.Since > LongestSince {
		return nil, fmt.Errorf("the time to look back on is more than nothing and at most a year, not %s", in.Since)
	}
	if err := readOn(ctx, c, in); err != nil {
		return nil, err
	}
	r := &Reconciliation{Check: "reconcile", Outside: []OutsideLine{}, Accepted: []BookLine{}}
	if err := c.Call(ctx, "GET", "/v1/reconciliation", nil, r); err != nil {
		return nil, err
	}
	r.MoreItems = len(r.Items) == itemsShown
	for _, a := range r.Accounts {
		if a.CheckedAt != nil && a.CheckedAt.After(r.AsOf) {
			r.AsOf = *a.CheckedAt
		}
	}
	if r.AsOf.IsZero() {
		r.AsOf = time.Now().UTC()
	}
	r.Since = r.AsOf.Add(-in.Since)
	return r, errors.Join(r.addOutside(ctx, c), r.addPayout(ctx, c, in.Payout))
}

// standstill is how long a reading may go without progress before it is given up: another one may be under way, or Stripe may be slow.
const (
	standstill = 5 * time.Minute
	busyPause  = 300 * time.Millisecond
)

// readOn asks till to read on until it says that it has read everything.
func readOn(ctx context.Context, c *client.Client, in ReconcileInput) error {
	var run struct {
		Done     bool          `json:"done"`
		Accounts []BookReading `json:"accounts"`
	}
	var last BookReading
	moved, failures := time.Now(), 0
	for {
		err := c.Call(ctx, "POST", "/v1/reconciliation/runs", map[string]any{"repair": in.Repair}, &run)
		if client.Is(err, "provider_unavailable") && failures < 3 {
			failures++
			if err := pause(ctx, time.Second<<failures); err != nil {
				return err
			}
			continue
		}
		if err != nil || run.Done || len(run.Accounts) == 0 {
			return err
		}
		now := run.Accounts[len(run.Accounts)-1]
		if in.Progress != nil {
			in.Progress(now)
		}
		if now.Lines != last.Lines || now.Account != last.Account {
			last, moved, failures = now, time.Now(), 0
		}
		if time.Since(moved) > standstill {
			return fmt.Errorf("the reading of %s has made no progress for %s; repeat the command, it goes on from where it is", now.Account, standstill)
		}
		if now.Busy {
			if err := pause(ctx, busyPause); err != nil {
				return err
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Lines walks Stripe's balance transactions since a time, or those of a payout, newest first.
func Lines(ctx context.Context, c *client.Client, q url.Values, see func(BookLine) error) error {
	q.Set("limit", "100")
	return client.Each(ctx, c, "/v1/reconciliation/lines", q, see)
}

// refundTold is a refund as the API writes it.
type refundTold struct {
	ID        string    `json:"id"`
	Payment   string    `json:"payment_id"`
	Ref       string    `json:"provider_ref"`
	Key       string    `json:"idempotency_key"`
	Origin    string    `json:"origin"`
	Status    string    `json:"status"`
	Amount    string    `json:"amount"`
	Currency  string    `json:"currency"`
	CreatedAt time.Time `json:"created_at"`
}

// addOutside adds what was made outside till: lines that are accounted for without having been foretold, and refunds that till only heard of.
func (r *Reconciliation) addOutside(ctx context.Context, c *client.Client) error {
	q := url.Values{"since": {r.Since.UTC().Format(time.RFC3339)}, "limit": {"100"}}
	err := client.Each(ctx, c, "/v1/refunds", q, func(f refundTold) error {
		if f.Origin == "outside" && f.Status == "completed" {
			r.outside(OutsideLine{Kind: "refund", Source: f.Ref, Payment: f.Payment, Currency: f.Currency, Amount: "-" + f.Amount, What: madeOutside, At: f.CreatedAt})
		}
		return nil
	})
	if err != nil {
		return err
	}
	q.Set("state", "explained")
	return Lines(ctx, c, q, func(l BookLine) error {
		if l.Kind != "payout" && l.Kind != "payout_reversal" {
			r.outside(OutsideLine{l.ID, l.Kind, l.Source, l.Payment, l.Payout, l.Currency, l.Amount, l.Fee, l.Reason, l.CreatedAt})
		}
		return nil
	})
}

// madeOutside is what a refund is that till heard of, and was not asked for.
const madeOutside = "A refund that was not asked for through till: it was made in Stripe's dashboard, or by another program."

func (r *Reconciliation) outside(l OutsideLine) {
	if len(r.Outside) == mostOutside {
		r.OutsideMore++
		return
	}
	r.Outside = append(r.Outside, l)
}

var errEnough = errors.New("enough")

// addPayout adds a payout, to its lines.
func (r *Reconciliation) addPayout(ctx context.Context, c *client.Client, id string) error {
	if id == "" {
		return nil
	}
	r.Payout = &PaidOut{Lines: []BookLine{}}
	if err := c.Call(ctx, "GET", "/v1/reconciliation/payouts/"+url.PathEscape(id), nil, r.Payout); err != nil {
		return err
	}
	err := Lines(ctx, c, url.Values{"payout": {id}}, func(l BookLine) error {
		if l.Source == id {
			return nil // the payout's own
		}
		if len(r.Payout.Lines) == mostPaid {
			r.Payout.MoreLines = true
			return errEnough
		}
		r.Payout.Lines = append(r.Payout.Lines, l)
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
