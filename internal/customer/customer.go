// Package customer is who pays: one customer for each e-mail address in each of the merchant's Stripe accounts.
package customer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

// Customer is one customer. ProviderRef is Stripe's cus_…, empty until Stripe has answered.
type Customer struct {
	ID          string
	Email       string
	Name        string
	ProviderRef string
	CreatedAt   time.Time
	scope       db.Scope
	generation  int64
}

// Generation is the merchant's Stripe account that knows the customer.
func (c Customer) Generation() int64 { return c.generation }

// Customers are all customers.
type Customers struct {
	DB    *db.DB
	Clock clock.Clock
	Once  *once.Once
	// Client speaks for one of a merchant's Stripe accounts; the merchant room, which stands beside this one, fills it.
	Client func(ctx context.Context, scope db.Scope, generation int64) (*stripe.Client, error)
}

const createCall = "customer.create"

// Register tells once how customers are made.
func (s *Customers) Register() {
	s.Once.Register(createCall, once.Steps{Send: s.send, Find: s.lookUp, Refuse: s.refuse})
}

// Ensure is the customer with this e-mail in this account, made at Stripe where there is none. The name is kept from the first time.
func (s *Customers) Ensure(ctx context.Context, scope db.Scope, generation int64, email, name string) (Customer, error) {
	email = strings.ToLower(email)
	if c, err := s.byEmail(ctx, scope, generation, email); err == nil && c.ProviderRef != "" || err != nil && !errors.Is(err, db.ErrNone) {
		return c, err
	}
	// The id follows from what makes the customer one, so that two calls at once claim the same row.
	row := id.From(scope.Merchant, scope.Mode, fmt.Sprint(generation), email)
	n, err := once.RefusedBefore(ctx, s.DB, scope, row, createCall)
	if err != nil {
		return Customer{}, err
	}
	call := once.Call{Scope: scope, Name: createCall, Key: fmt.Sprintf("customer:%s:%d", row, n), Input: row, Row: row, Generation: generation, ProviderKey: fmt.Sprintf("till-%s-create-%d", row, n)}
	_, _, err = s.Once.Run(ctx, call, db.Change{
		SQL:  `insert into customers (merchant, mode, id, generation, email, name, provider_ref, created_at) values ($1, $2, $3, $4, $5, $6, '', $7) on conflict do nothing`,
		Args: []any{scope.Merchant, scope.Mode, row, generation, email, name, db.Micros(s.Clock.Now())}, Rows: db.Any,
	})
	if err != nil {
		return Customer{}, err
	}
	if why, err := s.Once.Refusal(ctx, scope, call.Key); err != nil || why != nil {
		if err == nil {
			err = once.Fault(why, "customer_email", "Stripe refused to make the customer: %s")
		}
		return Customer{}, err
	}
	c, err := s.find(ctx, scope, row)
	if err == nil && c.ProviderRef == "" {
		err = fault.New(fault.ProviderUnavailable, "", "Stripe has not answered yet; send the same request again.")
	}
	return c, err
}

func (s *Customers) send(ctx context.Context, c once.Call) (once.Decide, error) {
	row, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	made, err := client.CreateCustomer(ctx, c.ProviderKey, row.Email, row.Name, map[string]string{stripe.Tag: row.ID})
	if err != nil {
		return nil, err
	}
	return known(c, made.ID), nil
}

func (s *Customers) lookUp(ctx context.Context, c once.Call) (once.Decide, error) {
	row, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	found, next, err := client.FindCustomer(ctx, row.Email, row.ID, c.Position)
	if err := once.Sought(found != nil, next, err); err != nil {
		return nil, err
	}
	return known(c, found.ID), nil
}

// known writes Stripe's id, the first one told.
func known(c once.Call, ref string) once.Decide {
	return func(context.Context) ([]db.Change, error) {
		return []db.Change{{SQL: `update customers set provider_ref = $4 where merchant = $1 and mode = $2 and id = $3 and provider_ref = ''`,
			Args: []any{c.Merchant, c.Mode, c.Row, ref}, Rows: db.Any}}, nil
	}
}

// refuse changes nothing: the row stays without Stripe's id, and the next Ensure tries again.
func (s *Customers) refuse(once.Call, *stripe.Error) once.Decide {
	return func(context.Context) ([]db.Change, error) { return nil, nil }
}

func (s *Customers) rowAndClient(ctx context.Context, c once.Call) (Customer, *stripe.Client, error) {
	row, err := s.find(ctx, c.Scope, c.Row)
	if err != nil {
		return Customer{}, nil, err
	}
	client, err := s.Client(ctx, c.Scope, c.Generation)
	return row, client, err
}

const columns = `merchant, mode, id, generation, email, name, provider_ref, created_at`

func scan(r db.Row) (c Customer, err error) {
	return c, r.Scan(&c.scope.Merchant, &c.scope.Mode, &c.ID, &c.generation, &c.Email, &c.Name, &c.ProviderRef, db.At(&c.CreatedAt))
}

func (s *Customers) find(ctx context.Context, scope db.Scope, id string) (Customer, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from customers where merchant = $1 and mode = $2 and id = $3`, scope.Merchant, scope.Mode, id)
}

func (s *Customers) byEmail(ctx context.Context, scope db.Scope, generation int64, email string) (Customer, error) {
	return db.One(ctx, s.DB, scan, `select `+columns+` from customers where merchant = $1 and mode = $2 and generation = $3 and email = $4`,
		scope.Merchant, scope.Mode, generation, email)
}

// Get is one customer of the merchant.
func (s *Customers) Get(ctx context.Context, scope db.Scope, customer string) (Customer, error) {
	missing := fault.New(fault.ResourceMissing, "customer.id", "There is no such customer.")
	if !id.Valid(customer) {
		return Customer{}, missing
	}
	c, err := s.find(ctx, scope, customer)
	if errors.Is(err, db.ErrNone) {
		return Customer{}, missing
	}
	return c, err
}
