package card

import (
	"context"
	"fmt"
	"net/http"
	"net/mail"
	"strings"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

// SaveInput is a card to save.
type SaveInput struct {
	Body struct {
		PaymentMethodID string `json:"payment_method_id" maxLength:"255" pattern:"^pm_[A-Za-z0-9_]+$" patternDescription:"the id of a payment method, such as pm_card_visa; never a card number" doc:"From Stripe.js: pm_…" example:"pm_card_visa"`
		CustomerEmail   string `json:"customer_email" minLength:"3" maxLength:"320" example:"jane@example.com"`
		CustomerName    string `json:"customer_name,omitempty" maxLength:"256"`
	}
}

const saveCall = "card.save"

// Save saves a card once for each payment method and customer. replayed says that it was saved before.
func (s *Cards) Save(ctx context.Context, scope db.Scope, in SaveInput) (c Card, replayed bool, err error) {
	b := in.Body
	if a, err := mail.ParseAddress(b.CustomerEmail); err != nil || a.Address != b.CustomerEmail {
		return Card{}, false, fault.New(fault.ParameterInvalid, "customer_email", "customer_email is not an e-mail address.")
	}
	provider, err := s.Merchants.Provider(ctx, scope)
	if err != nil {
		return Card{}, false, err
	}
	owner, err := s.Customers.Ensure(ctx, scope, provider.Generation, b.CustomerEmail, b.CustomerName)
	if err != nil {
		return Card{}, false, err
	}
	ended, err := s.endedBefore(ctx, scope, owner.ID, b.PaymentMethodID)
	if err != nil {
		return Card{}, false, err
	}
	now := s.Clock.Now()
	c = Card{ID: id.New(), scope: scope, version: 1, generation: provider.Generation, Provider: "stripe", asked: b.PaymentMethodID, PaymentMethod: b.PaymentMethodID,
		Customer: Customer{owner.ID, owner.Email}, status: saving, CreatedAt: now}
	call := once.Call{
		Scope: scope, Name: saveCall, Key: fmt.Sprintf("card:%d:%s:%s:%d", provider.Generation, owner.ID, b.PaymentMethodID, ended), Input: []any{owner.ID, b.PaymentMethodID},
		Row: c.ID, Generation: provider.Generation, ProviderKey: "till-" + c.ID + "-attach",
	}
	row, replayed, err := s.Once.Run(ctx, call, insert(c))
	if err != nil {
		return Card{}, false, err
	}
	if c, err = s.find(ctx, scope, row); err != nil {
		return Card{}, false, err
	}
	return c, replayed, c.saved()
}

// saved is what stands against a card being saved, or nil.
func (c Card) saved() error {
	switch {
	case c.status == saving:
		return fault.New(fault.ProviderUnavailable, "", "Stripe has not answered yet; send the same request again.")
	case c.status == active:
		return nil
	case c.failure == nil:
		return fault.New(fault.StateConflict, "", "This card is being deleted; save it again when it has gone.")
	case c.failure.Status == http.StatusPaymentRequired:
		return fault.New(fault.CardDeclined, "payment_method_id", "%s", c.failure.Message)
	}
	why := &stripe.Error{Status: c.failure.Status, Type: c.failure.Type, Message: c.failure.Message}
	return once.Fault(why, "payment_method_id", "Stripe refused to save the card: %s")
}

func (s *Cards) sendSave(ctx context.Context, c once.Call) (once.Decide, error) {
	row, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	owner, err := s.Customers.Get(ctx, c.Scope, row.Customer.ID)
	if err != nil {
		return nil, err
	}
	attached, err := client.Attach(ctx, c.ProviderKey, row.asked, owner.ProviderRef)
	if err != nil {
		return nil, err
	}
	return s.takeIn(c, attached), nil
}

// findSave looks for the card among the customer's. A card that was given by a test name cannot be told from another of its kind:
// it counts as absent, and attaching it again is harmless.
func (s *Cards) findSave(ctx context.Context, c once.Call) (once.Decide, error) {
	row, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	owner, err := s.Customers.Get(ctx, c.Scope, row.Customer.ID)
	if err != nil {
		return nil, err
	}
	var found *stripe.PaymentMethod
	err = client.CustomerPaymentMethods(ctx, owner.ProviderRef, func(m stripe.PaymentMethod) bool {
		if m.ID == row.asked {
			found = &m
		}
		return found != nil
	})
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, once.ErrAbsent
	}
	return s.takeIn(c, *found), nil
}

// takeIn makes the card active, with what Stripe says of it.
func (s *Cards) takeIn(c once.Call, m stripe.PaymentMethod) once.Decide {
	return func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, c.Scope, c.Row)
		if err != nil || was.status != saving {
			return nil, err
		}
		now := was
		now.status, now.PaymentMethod = active, m.ID
		learn(&now, m)
		older, err := s.older(ctx, now)
		if err != nil {
			return nil, err
		}
		now.IsDefault = older == 0
		at := s.Clock.Now()
		return []db.Change{update(was, now, at), event.Insert(event.New(c.Scope, "card.saved", now.ID, now, at))}, nil
	}
}

// refuseSave keeps why the card was not saved.
func (s *Cards) refuseSave(c once.Call, why *stripe.Error) once.Decide {
	return func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, c.Scope, c.Row)
		if err != nil || was.status != saving {
			return nil, err
		}
		now := was
		now.status = failed
		now.failure = &refusal{why.Status, why.Type, why.Code, why.DeclineCode, strings.TrimSpace(why.Message), why.Param}
		return []db.Change{update(was, now, s.Clock.Now())}, nil
	}
}
