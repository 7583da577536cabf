package stripe

import (
	"context"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/stripe/stripe-go/v85"
)

// Payout is what till reads of one. Amount is negative where Stripe takes money from the bank account.
type Payout struct {
	ID                        string            `json:"id"`
	Object                    string            `json:"object"`
	Status                    string            `json:"status"`
	Amount                    int64             `json:"amount"`
	Currency                  string            `json:"currency"`
	ArrivalDate               int64             `json:"arrival_date"`
	Automatic                 bool              `json:"automatic"`
	Method                    string            `json:"method"` // standard, instant
	Type                      string            `json:"type"`   // bank_account, card
	FailureCode               string            `json:"failure_code"`
	FailureMessage            string            `json:"failure_message"`
	Destination               Ref[struct{}]     `json:"destination"`
	Description               string            `json:"description"`
	StatementDescriptor       string            `json:"statement_descriptor"`
	ReconciliationStatus      string            `json:"reconciliation_status"`
	OriginalPayout            Ref[struct{}]     `json:"original_payout"`
	ReversedBy                Ref[struct{}]     `json:"reversed_by"`
	Created                   int64             `json:"created"`
	Livemode                  bool              `json:"livemode"`
	Metadata                  map[string]string `json:"metadata"`
	FailureBalanceTransaction Ref[Moment]       `json:"failure_balance_transaction"`
	TraceID                   *struct {
		Status string `json:"status"`
		Value  string `json:"value"`
	} `json:"trace_id"`
}

func (p Payout) id() string { return p.ID }

// Moment is when something was made: all that till reads of a balance transaction outside the observed book.
type Moment struct {
	Created int64 `json:"created"`
}

// The statuses of a Payout.
const (
	PayoutPending   = "pending"
	PayoutInTransit = "in_transit"
	PayoutPaid      = "paid"
	PayoutFailed    = "failed"
	PayoutCanceled  = "canceled"
)

// ExternalAccount is what till reads of a bank account, or a debit card, that payouts go to.
type ExternalAccount struct {
	ID                 string            `json:"id"`
	Object             string            `json:"object"` // bank_account, card
	BankName           string            `json:"bank_name"`
	Brand              string            `json:"brand"`
	Last4              string            `json:"last4"`
	Country            string            `json:"country"`
	Currency           string            `json:"currency"`
	Status             string            `json:"status"` // new, validated, verified, verification_failed, errored
	DefaultForCurrency bool              `json:"default_for_currency"`
	PayoutMethods      []string          `json:"available_payout_methods"`
	Requirements       *RequirementsList `json:"requirements"`
}

func (x ExternalAccount) id() string { return x.ID }

// RequirementsList is what Stripe still wants to know.
type RequirementsList struct {
	CurrentlyDue        []string           `json:"currently_due"`
	PastDue             []string           `json:"past_due"`
	PendingVerification []string           `json:"pending_verification"`
	CurrentDeadline     int64              `json:"current_deadline"`
	DisabledReason      string             `json:"disabled_reason"`
	Errors              []RequirementError `json:"errors"`
}

// RequirementError is why something that was given does not do.
type RequirementError struct {
	Code        string `json:"code"`
	Reason      string `json:"reason"`
	Requirement string `json:"requirement"`
}

// AccountStanding is what till reads of an account to say whether it can be paid out. The pointers are nil where Stripe did not say.
type AccountStanding struct {
	ID              string            `json:"id"`
	Country         string            `json:"country"`
	DefaultCurrency string            `json:"default_currency"`
	ChargesEnabled  *bool             `json:"charges_enabled"`
	PayoutsEnabled  *bool             `json:"payouts_enabled"`
	Requirements    *RequirementsList `json:"requirements"`
	Settings        *struct {
		Payouts *struct {
			Schedule PayoutSchedule `json:"schedule"`
		} `json:"payouts"`
	} `json:"settings"`
}

func (a AccountStanding) id() string { return a.ID }

// PayoutSchedule is when an account is paid out.
type PayoutSchedule struct {
	Interval      string   `json:"interval"` // manual, daily, weekly, monthly
	DelayDays     int64    `json:"delay_days"`
	WeeklyAnchor  string   `json:"weekly_anchor"`
	Weekdays      []string `json:"weekly_payout_days"`
	MonthlyAnchor int64    `json:"monthly_anchor"`
	Monthdays     []int64  `json:"monthly_payout_days"`
}

// Balance is what Stripe holds.
type Balance struct {
	Object          string          `json:"object"`
	Available       []BalanceAmount `json:"available"`
	Pending         []BalanceAmount `json:"pending"`
	ConnectReserved []BalanceAmount `json:"connect_reserved"`
}

func (b Balance) id() string {
	if b.Object != "balance" {
		return ""
	}
	return b.Object
}

// BalanceAmount is an amount of a balance, in minor units.
type BalanceAmount struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Standing asks for the key's own account as it stands.
func (c *Client) Standing(ctx context.Context) (AccountStanding, error) {
	return call[AccountStanding](ctx, c, http.MethodGet, "/v1/account", &sdk.AccountRetrieveParams{})
}

// ExternalAccounts are the bank accounts and cards that an account is paid out to, a hundred at most.
func (c *Client) ExternalAccounts(ctx context.Context, account string) (all []ExternalAccount, err error) {
	p := &sdk.ListParams{Limit: sdk.Int64(100)}
	next, err := turn[ExternalAccount](ctx, c, "/v1/accounts/"+url.PathEscape(account)+"/external_accounts", p)
	return next.Data, err
}

// Balance asks what Stripe holds now.
func (c *Client) Balance(ctx context.Context) (Balance, error) {
	return call[Balance](ctx, c, http.MethodGet, "/v1/balance", &sdk.BalanceRetrieveParams{})
}

// Payouts walks the account's payouts, newest first, until see says stop; each with the moment of its failure. cursor is "" or what an
// Unfinished walk returned. from may be zero.
func (c *Client) Payouts(ctx context.Context, from time.Time, cursor string, see func(Payout) (stop bool)) (next string, err error) {
	return list(ctx, c, "/v1/payouts", func(after string) any {
		p := &sdk.PayoutListParams{}
		if !from.IsZero() {
			p.CreatedRange = &sdk.RangeQueryParams{GreaterThanOrEqual: from.Unix()}
		}
		p.Limit, p.StartingAfter = sdk.Int64(100), text(after)
		p.AddExpand("data.failure_balance_transaction")
		return p
	}, cursor, see)
}

// PendingFunds is money that is not available yet, of one balance transaction.
type PendingFunds struct {
	ID          string `json:"id"`
	Status      string `json:"status"` // pending, available
	Net         int64  `json:"net"`
	Currency    string `json:"currency"`
	AvailableOn int64  `json:"available_on"`
	Created     int64  `json:"created"`
}

func (p PendingFunds) id() string { return p.ID }

// PendingFunds walks the balance transactions made at from or later, newest first, until see says stop.
func (c *Client) PendingFunds(ctx context.Context, from time.Time, see func(PendingFunds) (stop bool)) error {
	_, err := list(ctx, c, "/v1/balance_transactions", func(after string) any {
		p := &sdk.BalanceTransactionListParams{CreatedRange: &sdk.RangeQueryParams{GreaterThanOrEqual: from.Unix()}}
		p.Limit, p.StartingAfter = sdk.Int64(100), text(after)
		return p
	}, "", see)
	return err
}

// DisputedFunds is the money of one dispute.
type DisputedFunds struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
	Created  int64  `json:"created"`
}

func (d DisputedFunds) id() string { return d.ID }

// Open says whether the dispute still keeps its money from the merchant: an inquiry takes none.
func (d DisputedFunds) Open() bool { return d.Status == "needs_response" || d.Status == "under_review" }

// DisputedFunds walks the disputes made at from or later, newest first, until see says stop.
func (c *Client) DisputedFunds(ctx context.Context, from time.Time, see func(DisputedFunds) (stop bool)) error {
	_, err := list(ctx, c, "/v1/disputes", func(after string) any {
		p := &sdk.DisputeListParams{CreatedRange: &sdk.RangeQueryParams{GreaterThanOrEqual: from.Unix()}}
		p.Limit, p.StartingAfter = sdk.Int64(100), text(after)
		return p
	}, "", see)
	return err
}

// NewPayout are the parameters of a payout by hand.
type NewPayout struct {
	Amount      int64 // minor units
	Currency    string
	Instant     bool
	Destination string // "" is the default one of the currency
	Description string
	Descriptor  string
	Metadata    map[string]string
}

const expandReturn = "failure_balance_transaction"

// CreatePayout sends money of the balance to the bank.
func (c *Client) CreatePayout(ctx context.Context, key string, in NewPayout) (Payout, error) {
	p := &sdk.PayoutCreateParams{Amount: sdk.Int64(in.Amount), Currency: sdk.String(in.Currency), Destination: text(in.Destination), Description: text(in.Description),
		StatementDescriptor: text(in.Descriptor), Metadata: in.Metadata}
	if in.Instant {
		p.Method = sdk.String("instant")
	}
	p.SetIdempotencyKey(key)
	return call[Payout](ctx, c, http.MethodPost, "/v1/payouts", p)
}

// CancelPayout takes a payout back that has not left yet.
func (c *Client) CancelPayout(ctx context.Context, key, id string) (Payout, error) {
	p := &sdk.PayoutCancelParams{}
	p.SetIdempotencyKey(key)
	p.AddExpand(expandReturn)
	return call[Payout](ctx, c, http.MethodPost, "/v1/payouts/"+url.PathEscape(id)+"/cancel", p)
}

// Payout asks for one as it is now.
func (c *Client) Payout(ctx context.Context, id string) (Payout, error) {
	p := &sdk.PayoutRetrieveParams{}
	p.AddExpand(expandReturn)
	return call[Payout](ctx, c, http.MethodGet, "/v1/payouts/"+url.PathEscape(id), p)
}

// FindPayout looks for the payout that carries our id among those made at from or later, or among all where it is zero.
func (c *Client) FindPayout(ctx context.Context, tillID string, from time.Time, cursor string) (found *Payout, next string, err error) {
	next, err = c.Payouts(ctx, from, cursor, func(p Payout) bool {
		if p.Metadata[Tag] == tillID {
			found = &p
		}
		return found != nil
	})
	return found, next, err
}
