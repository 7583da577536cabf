package reconcile

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

// RunInput says how a reading is to go on.
type RunInput struct {
	Body struct {
		Repair *bool `json:"repair,omitempty" doc:"Ask Stripe about what nothing foretold, and take in what till should have heard of; true where it is not given."`
	}
}

// Run is how the readings of all accounts of a merchant stand.
type Run struct {
	Done     bool       `json:"done" doc:"All accounts were read to the end. Where not, ask again: it goes on."`
	Accounts []Progress `json:"accounts"`
}

// Sum is the state of the books in one currency.
type Sum struct {
	Currency  money.Currency `json:"currency" example:"EUR"`
	Lines     int64          `json:"lines" doc:"Balance transactions read."`
	Remainder money.Money    `json:"remainder" doc:"What nothing accounts for. It is printed always." example:"0.00"`
	Accepted  money.Money    `json:"accepted" doc:"What nothing accounts for, and somebody has accepted: it is not in the remainder." example:"0.00"`
	InFlight  money.Money    `json:"in_flight" doc:"Foretold, and not yet among Stripe's balance transactions." example:"0.00"`
	Waiting   money.Money    `json:"waiting" doc:"Lines of payments and refunds of till's that are not at their end." example:"0.00"`
}

// Summary is what reconciliation has found.
type Summary struct {
	Accounts   []Progress `json:"accounts"`
	Currencies []Sum      `json:"currencies"`
	Items      []Item     `json:"items" doc:"What makes the remainders, the newest first, at most 100."`
	Accepted   []Line     `json:"accepted_lines" doc:"Those whose difference somebody has accepted, the newest first, at most 100."`
}

// Routes registers the room's endpoints.
func (s *Reconcile) Routes(a *api.API) {
	s.exports(a)
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/balance", Summary: "Get the balance", Tag: "Books", Scope: api.PaymentsRead,
		Text: "What Stripe holds, as Stripe says it and as its balance transactions add up, by currency and day of becoming available; what is in flight; the drift between both, and what nothing accounts for."},
		func(ctx context.Context, c api.Caller, _ *struct{}) (api.Reply[Balance], error) {
			b, err := s.Balance(ctx, c.Scope)
			return api.Reply[Balance]{Data: b}, err
		})
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/reconciliation/runs", Summary: "Reconcile", Tag: "Books", Scope: api.PaymentsWrite,
		Text: "Reads Stripe's balance transactions on from where the last reading ended, holds each against what was foretold, and answers after ten seconds at most. " +
			"till does the same by itself every quarter of an hour. Repeated, it books nothing twice."},
		func(ctx context.Context, c api.Caller, in *RunInput) (api.Reply[Run], error) {
			r, err := s.Run(ctx, c.Scope, in.Body.Repair == nil || *in.Body.Repair)
			return api.Reply[Run]{Data: r}, err
		})
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/reconciliation", Summary: "Get the reconciliation", Tag: "Books", Scope: api.PaymentsRead,
		Text: "How far Stripe's balance transactions were read, and what nothing accounts for, by currency."},
		func(ctx context.Context, c api.Caller, _ *struct{}) (api.Reply[Summary], error) {
			r, err := s.Summary(ctx, c.Scope)
			return api.Reply[Summary]{Data: r}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/reconciliation/lines", Summary: "List the lines of the balance", Tag: "Books", Scope: api.PaymentsRead,
		Text: "Stripe's balance transactions, and what each was found to be, newest first."},
		func(ctx context.Context, c api.Caller, in *LinesInput) (api.Page[Line], error) {
			return s.Lines(ctx, c.Scope, *in)
		})
	s.acceptRoute(a)
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/reconciliation/payouts/{id}", Summary: "Get a payout to its lines", Tag: "Books", Scope: api.PaymentsRead,
		Text: "What an automatic payout is made of, by kind, and the remainder: what its amount is more than its lines. The lines themselves are listed by GET /v1/reconciliation/lines?payout=…."},
		func(ctx context.Context, c api.Caller, in *struct {
			ID string `path:"id" maxLength:"255" doc:"The payout's id at Stripe: po_…"`
		}) (api.Reply[Paid], error) {
			p, err := s.Paid(ctx, c.Scope, in.ID)
			return api.Reply[Paid]{Data: p}, err
		})
}

// Run reads on, for all accounts of a merchant.
func (s *Reconcile) Run(ctx context.Context, scope db.Scope, repair bool) (Run, error) {
	all, err := s.Merchants.Accounts(ctx, scope)
	if err != nil {
		return Run{}, err
	}
	age := time.Duration(0)
	if repair {
		age = fair
	}
	r := Run{Done: true, Accounts: []Progress{}}
	for _, p := range all {
		now, err := s.goOn(ctx, p, age)
		if err != nil {
			return Run{}, failedAtStripe(err)
		}
		r.Accounts, r.Done = append(r.Accounts, now), r.Done && now.Done
		if !now.Done {
			break // its time was up
		}
	}
	return r, nil
}

// failedAtStripe is the fault that a caller sees where Stripe cannot be read. What was read before it stays, and the next run goes on there.
func failedAtStripe(err error) error {
	var own *fault.Error
	var bad *badLine
	_, said := stripe.As(err)
	switch {
	case errors.As(err, &own):
		return err
	case stripe.Meaning(err) == stripe.BadCredentials:
		return fault.New(fault.ProviderCredentials, "", "%s", inWords(err)).Because(err)
	case said || errors.As(err, &bad) || errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.ProviderUnavailable, "", "%s What was read before stays, and the next run goes on there.", inWords(err)).Because(err)
	}
	return err
}

// Summary is what was found so far.
func (s *Reconcile) Summary(ctx context.Context, scope db.Scope) (Summary, error) {
	sum := Summary{Accounts: []Progress{}, Currencies: []Sum{}}
	readings, err := db.All(ctx, s.DB, scanReading, `select `+readingColumns+` from balance_readings where merchant = $1 and mode = $2 order by account`, scope.Merchant, scope.Mode)
	if err != nil {
		return Summary{}, err
	}
	for _, g := range readings {
		sum.Accounts = append(sum.Accounts, g.progress())
	}
	left, err := s.remainders(ctx, scope, s.Clock.Now())
	if err != nil {
		return Summary{}, err
	}
	sum.Currencies, err = db.All(ctx, s.DB, func(r db.Row) (one Sum, err error) {
		err = r.Scan(&one.Currency, &one.Lines)
		one = sumOf(one, left[one.Currency])
		delete(left, one.Currency)
		return one, err
	}, `select currency, cast(sum(lines) as bigint) from balance_days where merchant = $1 and mode = $2 group by currency order by currency`, scope.Merchant, scope.Mode)
	if err != nil {
		return Summary{}, err
	}
	if sum.Currencies == nil {
		sum.Currencies = []Sum{}
	}
	for c, r := range left { // what was foretold in a currency in which nothing has come
		sum.Currencies = append(sum.Currencies, sumOf(Sum{Currency: c}, r))
	}
	if sum.Items, err = s.Items(ctx, scope, "", 100); err != nil {
		return Summary{}, err
	}
	sum.Accepted, err = s.acceptedLines(ctx, scope, 100)
	return sum, err
}

func sumOf(s Sum, r remainder) Sum {
	in := func(minor int64) money.Money { return money.FromMinor(minor, s.Currency) }
	s.Remainder, s.Accepted, s.InFlight, s.Waiting = in(r.remainder), in(r.accepted), in(r.inFlight), in(r.waiting)
	return s
}

// LinesInput filters the list of lines. Every filter narrows.
type LinesInput struct {
	api.PageInput
	api.Between
	State    string `query:"state" enum:"open,matched,explained,waiting,unexplained,accepted"`
	Kind     string `query:"kind" maxLength:"64" doc:"Stripe's reporting category."`
	Source   string `query:"source" maxLength:"255" doc:"The object of Stripe's that moved the money."`
	Payout   string `query:"payout" maxLength:"255" doc:"Paid out by this automatic payout."`
	Payment  string `query:"payment_id" maxLength:"36"`
	Currency string `query:"currency" maxLength:"3"`
}

// Lines is one page of them.
func (s *Reconcile) Lines(ctx context.Context, scope db.Scope, in LinesInput) (api.Page[Line], error) {
	b := api.Select(columns, "balance_transactions", scope)
	api.Filter(b, "state", in.State)
	api.Filter(b, "kind", in.Kind)
	api.Filter(b, "source", in.Source)
	api.Filter(b, "payout", in.Payout)
	api.Filter(b, "payment", in.Payment)
	api.Filter(b, "currency", strings.ToUpper(in.Currency))
	return api.Find(ctx, s.DB, b, in.PageInput, in.Between, func(r db.Row) (Line, error) {
		l, err := scan(r)
		l.Payout = listed(l.Payout)
		return l, err
	}, func(l Line) api.Position { return api.Position{At: l.CreatedAt, ID: l.ID} })
}

// Part is what a payout has of one kind.
type Part struct {
	Kind   string      `json:"kind" example:"charge"`
	Lines  int64       `json:"lines"`
	Amount money.Money `json:"amount" example:"1250.00"`
	Fee    money.Money `json:"fee" example:"31.20"`
	Net    money.Money `json:"net" example:"1218.80"`
}

// Paid is a payout to its lines.
type Paid struct {
	Payout      string         `json:"payout" example:"po_…"`
	Currency    money.Currency `json:"currency" example:"EUR"`
	Amount      money.Money    `json:"amount" example:"1218.80"`
	ByHand      bool           `json:"by_hand" doc:"It was made by hand: Stripe does not say of which lines it is made."`
	Ready       bool           `json:"ready" doc:"Stripe has said which lines it paid out."`
	Parts       []Part         `json:"parts"`
	Remainder   money.Money    `json:"remainder" doc:"What its amount is more than its lines: 0.00 where every cent is known." example:"0.00"`
	Unexplained []Item         `json:"unexplained" doc:"Its lines that nothing accounts for."`
	Accepted    money.Money    `json:"accepted" doc:"What of its lines nothing accounts for, and somebody has accepted." example:"0.00"`
	CreatedAt   time.Time      `json:"created_at"`
}

// Paid is one payout to its lines.
func (s *Reconcile) Paid(ctx context.Context, scope db.Scope, id string) (Paid, error) {
	of, err := db.One(ctx, s.DB, scan, `select `+columns+` from balance_transactions where merchant = $1 and mode = $2 and source = $3 and kind = 'payout'`, scope.Merchant, scope.Mode, id)
	if errors.Is(err, db.ErrNone) {
		return Paid{}, fault.New(fault.ResourceMissing, "id", "There is no payout %s among the balance transactions that were read.", id)
	}
	if err != nil {
		return Paid{}, err
	}
	c := of.Currency
	p := Paid{Payout: id, Currency: c, Amount: money.FromMinor(-of.Amount.Minor, c), ByHand: of.Payout == byHand, Ready: of.Payout == id, Parts: []Part{}, Unexplained: []Item{},
		Remainder: money.Money{Currency: c}, Accepted: money.Money{Currency: c}, CreatedAt: of.CreatedAt}
	if of.State == Accepted {
		p.Accepted = of.Acceptance.Amount
	}
	if !p.Ready {
		return p, nil
	}
	p.Parts, err = db.All(ctx, s.DB, func(r db.Row) (one Part, err error) {
		var accepted int64
		err = r.Scan(&one.Kind, &one.Lines, &one.Amount.Minor, &one.Fee.Minor, &one.Net.Minor, &accepted)
		one.Amount.Currency, one.Fee.Currency, one.Net.Currency = c, c, c
		p.Accepted.Minor += accepted
		return one, err
	}, `select kind, count(*), cast(sum(amount) as bigint), cast(sum(fee) as bigint), cast(sum(net) as bigint),
		cast(sum(case when state = 'accepted' then accepted else 0 end) as bigint) from balance_transactions
		where merchant = $1 and mode = $2 and payout = $3 and id <> $4 and currency = $5 group by kind order by kind`, scope.Merchant, scope.Mode, id, of.ID, string(c))
	if err != nil {
		return Paid{}, err
	}
	if p.Parts == nil {
		p.Parts = []Part{}
	}
	p.Remainder.Minor = p.Amount.Minor
	for _, part := range p.Parts {
		p.Remainder.Minor -= part.Net.Minor
	}
	p.Unexplained, err = s.Items(ctx, scope, id, 100)
	return p, err
}
