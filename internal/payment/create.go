package payment

import (
	"context"
	"net/url"
	"strings"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/card"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/once"
	"github.com/till-pay/till/internal/stripe"
)

// CreateInput is a payment as it is asked for.
type CreateInput struct {
	Key  string `header:"Idempotency-Key" minLength:"1" maxLength:"255" example:"order-1042" doc:"Names this payment: the same key again is the same payment, for ever. Required, unless key_parts is there."`
	Body CreateBody
}

// CreateBody is the body of POST /v1/payments.
type CreateBody struct {
	KeyParts      map[string]string `json:"key_parts,omitempty" doc:"Names the call in place of the Idempotency-Key header, by what it is for: 2 to 10 parts, such as agency, booking and action. The key is the parts sorted by name, percent-encoded and joined: action=charge&agency=A1&booking=B77."`
	Amount        api.Amount        `json:"amount"`
	Currency      string            `json:"currency" minLength:"3" maxLength:"3" example:"USD"`
	Provider      string            `json:"provider" enum:"stripe"`
	PaymentMethod string            `json:"payment_method,omitempty" maxLength:"255" pattern:"^pm_[A-Za-z0-9_]+$" patternDescription:"the id of a payment method, such as pm_card_visa; never a card number" doc:"From Stripe.js: pm_…. Either this or saved_card_id." example:"pm_card_visa"`
	SavedCardID   string            `json:"saved_card_id,omitempty" minLength:"1" maxLength:"36" doc:"A saved card, charged off-session."`
	ReturnURL     string            `json:"return_url,omitempty" maxLength:"2000" doc:"Where the payer comes back to after 3-D Secure; ?payment=<id> is added."`
	CaptureMethod string            `json:"capture_method,omitempty" enum:"automatic,manual" default:"automatic" doc:"manual only authorizes; capture within 7 days."`
	Customer      *CustomerInput    `json:"customer,omitempty"`
	Description   string            `json:"description,omitempty" maxLength:"1000"`
	Suffix        string            `json:"statement_descriptor_suffix,omitempty" maxLength:"22" doc:"Shown on the card statement after the merchant's name."`
	Metadata      map[string]string `json:"metadata,omitempty" doc:"Up to 40 pairs; keys to 40 characters, values to 500. Keys that begin with till_ are till's."`
}

// CustomerInput says who pays.
type CustomerInput struct {
	ID        string `json:"id,omitempty" maxLength:"36"`
	Email     string `json:"email,omitempty" maxLength:"320"`
	Reference string `json:"reference,omitempty" maxLength:"200"`
}

// Create charges once, however often it is asked to. replayed says that the key was used before; the payment is then as it stands now.
func (s *Payments) Create(ctx context.Context, scope db.Scope, in CreateInput) (p Payment, replayed bool, err error) {
	if in.Key, err = once.Named(in.Key, in.Body.KeyParts); err != nil {
		return Payment{}, false, err
	}
	if p, err = s.draft(ctx, scope, in); err != nil {
		return Payment{}, false, err
	}
	var own []db.Change
	if p.SavedCardID != "" { // guarded in the claim, so that a repeat of an earlier payment finds that one even where its card has gone since
		own = append(own, card.Charging(scope, p.SavedCardID))
	}
	row, replayed, err := s.claim(ctx, p, once.Call{
		Scope: scope, Name: createCall, Key: once.MerchantKey(in.Key), Input: p.asked(), Row: p.ID, Generation: p.generation, ProviderKey: "till-" + p.ID + "-create",
	}, own)
	switch {
	case db.IsMoved(err):
		return Payment{}, false, fault.New(fault.CardInactive, "saved_card_id", "This saved card was deleted.")
	case err != nil:
		return Payment{}, false, once.Asked(err, in.Body.KeyParts)
	}
	p, err = s.Get(ctx, scope, row)
	return p, replayed, err
}

const createCall = "payment.create"

// draft checks the input and makes the payment that will be claimed. It writes nothing.
func (s *Payments) draft(ctx context.Context, scope db.Scope, in CreateInput) (Payment, error) {
	b := in.Body
	amount, err := parseAmount(b.Amount, b.Currency)
	if err != nil {
		return Payment{}, err
	}
	if (b.PaymentMethod == "") == (b.SavedCardID == "") {
		return Payment{}, fault.New(fault.ParameterMissing, "payment_method", "Exactly one of payment_method and saved_card_id is required.")
	}
	if err := checkMetadata(b.Metadata); err != nil {
		return Payment{}, err
	}
	if err := checkReturnURL(b.ReturnURL); err != nil {
		return Payment{}, err
	}
	now := s.Clock.Now()
	p := Payment{
		ID: id.New(), MerchantID: scope.Merchant, scope: scope, version: 1, Amount: amount, Currency: amount.Currency, Provider: b.Provider, Status: Pending,
		IdempotencyKey: in.Key, CreatedAt: now, UpdatedAt: now, Livemode: scope.Mode == "live", CaptureMethod: b.CaptureMethod, PaymentMethod: b.PaymentMethod,
		Description: b.Description, Suffix: b.Suffix, Metadata: b.Metadata, ReturnURL: b.ReturnURL, ResolveBy: now.Add(resolveWithin), dueAt: now.Add(resolveWithin),
	}
	p.Captured.Currency, p.Refunding.Currency, p.Refunded.Currency = p.Currency, p.Currency, p.Currency
	if p.Metadata == nil {
		p.Metadata = map[string]string{}
	}
	if b.Customer != nil {
		p.Customer = Customer{b.Customer.ID, strings.ToLower(b.Customer.Email), b.Customer.Reference}
	}
	return p, s.route(ctx, &p, b.SavedCardID)
}

// route decides which of the merchant's Stripe accounts takes the payment, and for which customer there: a saved card stays with the
// account that it was saved under.
func (s *Payments) route(ctx context.Context, p *Payment, savedCard string) error {
	if savedCard != "" {
		c, err := s.Cards.Get(ctx, p.scope, savedCard)
		if err != nil {
			return at("saved_card_id", err)
		}
		if p.Customer.Email != "" && !strings.EqualFold(p.Customer.Email, c.Customer.Email) || p.Customer.ID != "" && p.Customer.ID != c.Customer.ID {
			return fault.New(fault.CardCustomerMismatch, "customer", "This saved card belongs to another customer.")
		}
		p.SavedCardID, p.PaymentMethod, p.generation, p.cardFingerprint = c.ID, c.PaymentMethod, c.Generation(), c.Fingerprint()
		p.Customer.ID, p.Customer.Email = c.Customer.ID, c.Customer.Email
	} else {
		provider, err := s.Merchants.Provider(ctx, p.scope)
		if err != nil {
			return err
		}
		p.generation = provider.Generation
	}
	if p.Customer.ID == "" {
		return nil
	}
	c, err := s.Customers.Get(ctx, p.scope, p.Customer.ID)
	if err != nil {
		return err
	}
	if p.Customer.Email == "" {
		p.Customer.Email = c.Email
	}
	if !strings.EqualFold(p.Customer.Email, c.Email) {
		return fault.New(fault.ParameterInvalid, "customer.email", "The customer with this id has another email.")
	}
	if c.Generation() == p.generation { // Stripe knows the customer only in the account that it was made in
		p.providerCustomer = c.ProviderRef
	}
	return nil
}

// asked is the input in the form that tells one request from another: "50" and 50.00 are the same amount.
func (p Payment) asked() any {
	method := p.PaymentMethod
	if p.SavedCardID != "" {
		method = ""
	}
	return []any{"POST /v1/payments", p.Amount.Minor, p.Currency, p.Provider, method, p.SavedCardID, p.ReturnURL, p.CaptureMethod, p.Customer,
		p.Description, p.Suffix, p.Metadata}
}

func (s *Payments) registerCreate() {
	s.Once.Register(createCall, once.Steps{Send: s.sendCreate, Find: s.findCreate, Refuse: s.refuseCreate})
}

// sendCreate asks Stripe for the payment of a claimed call. It starts from the row alone, so that the recovery after a crash can call it too.
func (s *Payments) sendCreate(ctx context.Context, c once.Call) (once.Decide, error) {
	p, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	seen, err := client.CreatePaymentIntent(ctx, c.ProviderKey, stripe.NewPaymentIntent{
		Amount: p.Amount.Minor, Currency: p.Currency.Lower(), PaymentMethod: p.PaymentMethod, Customer: p.providerCustomer, OffSession: p.SavedCardID != "",
		Manual: p.CaptureMethod == "manual", ReturnURL: p.returnTo(), Description: p.Description, Suffix: p.Suffix, Metadata: p.tagged(),
	})
	if err != nil {
		return nil, err
	}
	return s.takeIn(c.Scope, c.Row, seen, c.Attempts), nil
}

// findCreate looks for the intent that an earlier send may have made: among those of the time around it, by our id in the metadata.
func (s *Payments) findCreate(ctx context.Context, c once.Call) (once.Decide, error) {
	_, client, err := s.rowAndClient(ctx, c)
	if err != nil {
		return nil, err
	}
	from, to := c.Window()
	found, next, err := client.FindPaymentIntent(ctx, c.Row, from, to, c.Position)
	if err := once.Sought(found != nil, next, err); err != nil {
		return nil, err
	}
	return s.takeIn(c.Scope, c.Row, *found, c.Attempts), nil
}

// refuseCreate ends a payment that Stripe certainly did not take.
func (s *Payments) refuseCreate(c once.Call, why *stripe.Error) once.Decide {
	return func(ctx context.Context) ([]db.Change, error) {
		was, err := s.find(ctx, c.Scope, c.Row)
		if err != nil {
			return nil, err
		}
		return s.changes(was, Refused(was, why, c.Attempts, s.Clock.Now()))
	}
}

// refusalOf puts Stripe's refusal of a request into a payment's failure.
func refusalOf(why *stripe.Error) *Failure {
	code, message := Refusal(why, "Nothing was charged.")
	return &Failure{Code: code, DeclineCode: why.DeclineCode, Message: message, Advice: why.AdviceCode}
}

// Refusal is Stripe's refusal of a request in a code, which Stripe does not always give, and a message, with what it means for the money.
func Refusal(why *stripe.Error, meaning string) (code, message string) {
	switch {
	case stripe.Meaning(why) == stripe.BadCredentials:
		return string(fault.ProviderCredentials), "Stripe refuses the merchant's secret key. " + meaning
	case why.Code == "" && why.Status >= 500:
		return string(fault.ProviderUnavailable), "Stripe failed and did nothing. " + meaning
	case why.Code == "":
		return string(fault.ProviderRefused), why.Message
	}
	return why.Code, why.Message
}

func (s *Payments) rowAndClient(ctx context.Context, c once.Call) (Payment, *stripe.Client, error) {
	p, err := s.find(ctx, c.Scope, c.Row)
	if err != nil {
		return Payment{}, nil, err
	}
	client, err := s.Merchants.Client(ctx, c.Scope, c.Generation)
	return p, client, err
}

// tagged is the merchant's metadata with till's id, by which a payment is found again.
func (p Payment) tagged() map[string]string {
	m := map[string]string{stripe.Tag: p.ID}
	for k, v := range p.Metadata {
		m[k] = v
	}
	return m
}

// returnTo is the merchant's return URL with the payment's id added.
func (p Payment) returnTo() string {
	if p.ReturnURL == "" {
		return ""
	}
	u, err := url.Parse(p.ReturnURL)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("payment", p.ID)
	u.RawQuery = q.Encode()
	return u.String()
}
