package payout

import (
	"context"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

// CreateInput is a payout as it is asked for.
type CreateInput struct {
	Key  string `header:"Idempotency-Key" minLength:"1" maxLength:"255" example:"payout-2026-11-27" doc:"Names this payout: the same key again is the same payout, for ever. Required, unless key_parts is there."`
	Body struct {
		KeyParts    map[string]string `json:"key_parts,omitempty" doc:"Names the call in place of the Idempotency-Key header, by what it is for: 2 to 10 parts. The key is the parts sorted by name, percent-encoded and joined."`
		Amount      api.Amount        `json:"amount" example:"1250.00"`
		Currency    string            `json:"currency" minLength:"3" maxLength:"3" example:"EUR" doc:"Of the balance that it leaves, and of the bank account."`
		Method      string            `json:"method,omitempty" enum:"standard,instant" doc:"standard where it is left out. instant is at the bank within minutes, where Stripe and the bank allow it, and costs a fee."`
		Destination string            `json:"destination,omitempty" maxLength:"255" pattern:"^(ba|card)_[A-Za-z0-9]+$" patternDescription:"a bank account or card at Stripe, ba_… or card_…" doc:"The default bank account of the currency where it is left out."`
		Description string            `json:"description,omitempty" maxLength:"500"`
		Descriptor  string            `json:"statement_descriptor,omitempty" maxLength:"22" doc:"For the bank statement."`
	}
}

const createCall = "payout.create"

// Create sends money to the bank once, however often it is asked to. replayed says that the key was used before.
func (s *Payouts) Create(ctx context.Context, scope db.Scope, in CreateInput) (Payout, bool, error) {
	var err error
	if in.Key, err = once.Named(in.Key, in.Body.KeyParts); err != nil {
		return Payout{}, false, err
	}
	amount, err := asked(in)
	if err != nil {
		return Payout{}, false, err
	}
	provider, err := s.Merchants.Provider(ctx, scope)
	if err != nil {
		return Payout{}, false, err
	}
	p := s.claimed(scope, provider.Generation, in, amount)
	row, replayed, err := s.Once.Run(ctx, once.Call{
		Scope: scope, Name: createCall, Key: once.MerchantKey(in.Key), Row: p.ID, Generation: p.generation, ProviderKey: "till-" + p.ID + "-create",
		Input: []any{"POST /v1/payouts", amount.Minor, string(amount.Currency), p.Method, p.Destination, p.Description, p.Descriptor},
	}, insert(p), event.Insert(event.New(scope, "payout.created", p.ID, p, p.CreatedAt)))
	if err != nil {
		return Payout{}, false, once.Asked(err, in.Body.KeyParts)
	}
	p, err = s.Get(ctx, scope, row)
	return p, replayed, err
}

// claimed is the row of a payout that is asked for.
func (s *Payouts) claimed(scope db.Scope, generation int64, in CreateInput, amount money.Money) Payout {
	now, method := s.Clock.Now(), in.Body.Method
	if method == "" {
		method = "standard"
	}
	return Payout{ID: id.New(), Status: Pending, Amount: amount, Currency: amount.Currency, Fee: fee(amount, method), Method: method, Destination: in.Body.Destination,
		Description: in.Body.Description, Descriptor: in.Body.Descriptor, CreatedAt: now, UpdatedAt: now, IdempotencyKey: in.Key, Origin: "till", Livemode: scope.Mode == "live",
		scope: scope, version: 1, generation: generation, dueAt: now.Add(firstLook)}
}

// asked is the amount that is asked for.
func asked(in CreateInput) (money.Money, error) {
	c, err := money.ParseCurrency(in.Body.Currency)
	if err != nil {
		return money.Money{}, fault.About(err, "currency")
	}
	m, err := money.Parse(string(in.Body.Amount), c)
	if err != nil {
		return money.Money{}, fault.About(err, "amount")
	}
	if !m.Positive() {
		return money.Money{}, fault.New(fault.AmountInvalid, "amount", "The amount must be more than zero.")
	}
	return m, nil
}

// Register tells once how payouts are made and cancelled.
func (s *Payouts) Register() {
	s.Once.Register(createCall, once.Steps{Send: s.send, Find: s.lookUp, Refuse: s.refuse})
	s.Once.Register(cancelCall, once.Steps{Send: s.sendCancel, Find: s.findCancel, Refuse: s.uncancelled})
}

func (s *Payouts) send(ctx context.Context, c once.Call) (once.Decide, error) {
	p, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	seen, err := client.CreatePayout(ctx, c.ProviderKey, stripe.NewPayout{Amount: p.Amount.Minor, Currency: p.Currency.Lower(), Instant: p.Method == "instant",
		Destination: p.Destination, Description: p.Description, Descriptor: p.Descriptor, Metadata: map[string]string{stripe.Tag: p.ID}})
	if err != nil {
		return nil, err
	}
	return s.takeIn(c.Scope, c.Row, seen, c.Attempts), nil
}

func (s *Payouts) lookUp(ctx context.Context, c once.Call) (once.Decide, error) {
	p, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	from, _ := c.Window()
	found, next, err := client.FindPayout(ctx, p.ID, from, c.Position)
	if err := once.Sought(found != nil, next, err); err != nil {
		return nil, err
	}
	return s.takeIn(c.Scope, c.Row, *found, c.Attempts), nil
}

// refuse ends a payout that Stripe certainly did not make.
func (s *Payouts) refuse(c once.Call, why *stripe.Error) once.Decide {
	return func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, c.Scope, c.Row)
		if err != nil {
			return nil, err
		}
		return changes(was, Refused(was, why, c.Attempts, s.Clock.Now()))
	}
}

func (s *Payouts) rowAndClient(ctx context.Context, c once.Call) (Payout, *stripe.Client, error) {
	p, err := s.find(ctx, c.Scope, c.Row)
	if err != nil {
		return Payout{}, nil, err
	}
	client, err := s.Merchants.Client(ctx, c.Scope, c.Generation)
	return p, client, err
}
