package message

import (
	"context"
	"net/mail"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
)

// CreateInput is a message as it is asked for.
type CreateInput struct {
	PaymentID string            `json:"payment_id" minLength:"1" maxLength:"36"`
	Template  string            `json:"template" enum:"another_card,update_card,bank_blocked,confirm_with_bank,retry_later" doc:"What to say."`
	To        string            `json:"to,omitempty" maxLength:"320" doc:"An e-mail address; the payment's customer_email where it is left out."`
	Figures   map[string]string `json:"figures,omitempty" doc:"customer (a name), order, url (where to pay again), retry_on (a date). The amount, the card and your own name come from till."`
}

// Create writes a message down. The payment and the template are its key: the same message again is the one that is there.
func (s *Messages) Create(ctx context.Context, scope db.Scope, in CreateInput) (m Message, replayed bool, err error) {
	if m, err = s.draft(ctx, scope, in); err != nil {
		return Message{}, false, err
	}
	err = s.DB.Write(ctx, insert(m))
	if !db.IsMoved(err) {
		return m, false, err
	}
	m, err = s.of(ctx, scope, in.PaymentID, in.Template)
	return m, true, err
}

// draft checks the input and fills the template. It writes nothing.
func (s *Messages) draft(ctx context.Context, scope db.Scope, in CreateInput) (Message, error) {
	t, err := templateOf(in.Template)
	if err != nil {
		return Message{}, err
	}
	p, err := s.Payments.Get(ctx, scope, in.PaymentID)
	if err != nil {
		if f, ok := fault.As(err); ok && f.Code == fault.ResourceMissing {
			return Message{}, fault.New(fault.ResourceMissing, "payment_id", "There is no such payment.")
		}
		return Message{}, err
	}
	if !t.fit(p) {
		return Message{}, fault.New(fault.PaymentStatus, "payment_id", "The message %s is for payments that are not paid; this one is %s.", t.name, p.Status)
	}
	if in.To == "" {
		in.To = p.Customer.Email
	}
	if err := checkAddress(in.To); err != nil {
		return Message{}, err
	}
	if err := checkFigures(in.Figures); err != nil {
		return Message{}, err
	}
	if t.name == retryLater && in.Figures["retry_on"] == "" {
		return Message{}, fault.New(fault.ParameterMissing, "figures", "figures.retry_on says when the card will be tried again; this template needs it.")
	}
	shop, err := s.Merchants.Find(ctx, scope.Merchant)
	if err != nil {
		return Message{}, err
	}
	figures, now := figuresOf(p, shop.Name, in.Figures), s.Clock.Now()
	return Message{ID: id.New(), scope: scope, PaymentID: p.ID, Template: t.name, To: in.To, Subject: fill(t.subject, figures), Body: fill(t.body, figures), Figures: figures,
		State: Queued, CreatedAt: now, dueAt: now}, nil
}

// checkAddress takes one plain address: no name, no list, nothing that could begin another header.
func checkAddress(to string) error {
	if to == "" {
		return fault.New(fault.ParameterMissing, "to", "The payment has no customer_email, so to is required.")
	}
	if a, err := mail.ParseAddress(to); err != nil || a.Address != to {
		return fault.New(fault.ParameterInvalid, "to", "to must be one e-mail address, such as jane@example.com.")
	}
	return nil
}

// Get is one message.
func (s *Messages) Get(ctx context.Context, scope db.Scope, message string) (Message, error) {
	return api.Get(ctx, scope, message, "message", s.find)
}

// ListInput filters the list of messages.
type ListInput struct {
	api.PageInput
	api.Between
	State     string `query:"state" enum:"queued,sending,sent,failed,unknown,expired"`
	Template  string `query:"template" maxLength:"40"`
	To        string `query:"to" maxLength:"320"`
	PaymentID string `query:"payment_id" maxLength:"36"`
}

// Routes registers the room's endpoints.
func (s *Messages) Routes(a *api.API) {
	const tag = "Messages"
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/messages", Summary: "Tell a customer about a payment", Tag: tag, Scope: api.PaymentsWrite, Status: 201,
		Text: "Writes a message from a template about a payment that is not paid. The payment and the template are its key: the same message again is the one that is there, and a customer hears it once. " +
			"It is sent where the operator has named a mail server (--smtp-url), at most once; elsewhere it stays queued for you to send."},
		func(ctx context.Context, c api.Caller, in *struct{ Body CreateInput }) (api.Reply[Message], error) {
			m, replayed, err := s.Create(ctx, c.Scope, in.Body)
			return api.Reply[Message]{Data: m, Replayed: replayed}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/messages", Summary: "List messages", Tag: tag, Scope: api.PaymentsRead, Text: "Newest first. Filters narrow."},
		func(ctx context.Context, c api.Caller, in *ListInput) (api.Page[Message], error) {
			return s.List(ctx, c.Scope, *in)
		})
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/messages/{id}", Summary: "Get a message", Tag: tag, Scope: api.PaymentsRead},
		func(ctx context.Context, c api.Caller, in *struct {
			ID string `path:"id" maxLength:"36"`
		}) (api.Reply[Message], error) {
			m, err := s.Get(ctx, c.Scope, in.ID)
			return api.Reply[Message]{Data: m}, err
		})
}
