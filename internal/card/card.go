// Package card is saved payment methods: a card at Stripe, attached to a customer, charged later without the customer.
//
//	saving ──► active ──► deleting ──► deleted
//	   └─────► failed └─────────────────────┘ detached at Stripe
//
// A card that its bank has replaced changes its number and date by Stripe's word. Only active cards are shown and charged. Neither till nor its database ever sees a card number.
package card

import (
	"context"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/customer"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

// Card is one saved card.
type Card struct {
	ID            string    `json:"id" format:"uuid"`
	Provider      string    `json:"provider" example:"stripe"`
	Brand         string    `json:"brand" example:"visa"`
	Last4         string    `json:"last4" example:"4242"`
	ExpMonth      int64     `json:"exp_month"`
	ExpYear       int64     `json:"exp_year"`
	IsDefault     bool      `json:"is_default" doc:"The first card that the customer saved and still has."`
	CreatedAt     time.Time `json:"created_at"`
	PaymentMethod string    `json:"payment_method" example:"pm_…"`
	Customer      Customer  `json:"customer"`
	Livemode      bool      `json:"livemode"`

	scope       db.Scope
	version     int64
	generation  int64
	asked       string // the payment method as it was given: a test name such as pm_card_visa becomes another when attached
	status      string
	fingerprint string
	failure     *refusal
}

// Customer is whose card it is.
type Customer struct {
	ID    string `json:"id" format:"uuid"`
	Email string `json:"email"`
}

// refusal is why a card could not be saved.
type refusal struct {
	Status                                  int // HTTP: 402 is a decline, 401 that of a key
	Type, Code, DeclineCode, Message, Param string
}

// The states of a card's row.
const (
	saving   = "saving"
	active   = "active"
	deleting = "deleting"
	deleted  = "deleted"
	failed   = "failed"
)

// Generation is the merchant's Stripe account that the card is saved in.
func (c Card) Generation() int64 { return c.generation }

// Fingerprint is Stripe's name for the card's number: two cards with one fingerprint are one card. "" where Stripe gave none.
func (c Card) Fingerprint() string { return c.fingerprint }

// Cards are all saved cards.
type Cards struct {
	DB        *db.DB
	Clock     clock.Clock
	Once      *once.Once
	Merchants *merchant.Merchants
	Customers *customer.Customers
}

// Register tells once how this room's calls are made.
func (s *Cards) Register() {
	s.Once.Register(saveCall, once.Steps{Send: s.sendSave, Find: s.findSave, Refuse: s.refuseSave})
	s.Once.Register(deleteCall, once.Steps{Send: s.sendDelete, Find: s.findDelete, Refuse: s.refuseDelete})
}

func (s *Cards) rowAndClient(ctx context.Context, c once.Call) (Card, *stripe.Client, error) {
	row, err := s.find(ctx, c.Scope, c.Row)
	if err != nil {
		return Card{}, nil, err
	}
	client, err := s.Merchants.Client(ctx, c.Scope, c.Generation)
	return row, client, err
}
