package stripe

import (
	"context"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/stripe/stripe-go/v85"
)

// Tag is the metadata key under which every object that till makes at Stripe carries till's own id.
const Tag = "till_id"

// NewPaymentIntent are the parameters of a payment that is confirmed at once.
type NewPaymentIntent struct {
	Amount        int64 // minor units
	Currency      string
	PaymentMethod string
	Customer      string
	OffSession    bool
	Manual        bool // authorize only
	ReturnURL     string
	Description   string
	Suffix        string
	Metadata      map[string]string
}

// CreatePaymentIntent makes and confirms an intent. A decline is an answer: the intent comes back with its last_payment_error, and no error.
func (c *Client) CreatePaymentIntent(ctx context.Context, key string, in NewPaymentIntent) (PaymentIntent, error) {
	p := &sdk.PaymentIntentCreateParams{
		Amount: sdk.Int64(in.Amount), Currency: sdk.String(in.Currency), PaymentMethod: sdk.String(in.PaymentMethod), Customer: text(in.Customer),
		Confirm: sdk.Bool(true), PaymentMethodTypes: []*string{sdk.String("card")}, CaptureMethod: sdk.String("automatic"),
		ReturnURL: text(in.ReturnURL), Description: text(in.Description), StatementDescriptorSuffix: text(in.Suffix), Metadata: in.Metadata,
	}
	if in.Manual {
		p.CaptureMethod = sdk.String("manual")
	}
	if in.OffSession {
		p.OffSession = sdk.Bool(true)
	}
	p.SetIdempotencyKey(key)
	p.AddExpand(expandFee)
	return declined(call[PaymentIntent](ctx, c, http.MethodPost, "/v1/payment_intents", p))
}

const expandFee = "latest_charge.balance_transaction"

// declined turns a card error that carries its intent into the intent.
func declined(pi PaymentIntent, err error) (PaymentIntent, error) {
	if e, ok := As(err); ok && e.Status == http.StatusPaymentRequired && e.PaymentIntent != nil {
		return *e.PaymentIntent, nil
	}
	return pi, err
}

// PaymentIntent asks for one as it is now.
func (c *Client) PaymentIntent(ctx context.Context, id string) (PaymentIntent, error) {
	p := &sdk.PaymentIntentRetrieveParams{}
	p.AddExpand(expandFee)
	return call[PaymentIntent](ctx, c, http.MethodGet, "/v1/payment_intents/"+url.PathEscape(id), p)
}

// FindPaymentIntent looks for the intent that carries our id among those made in [from, to], or among all where both are zero: the list,
// never Search, which lags.
// cursor is "" or what an Unfinished look returned.
func (c *Client) FindPaymentIntent(ctx context.Context, tillID string, from, to time.Time, cursor string) (found *PaymentIntent, next string, err error) {
	next, err = list(ctx, c, "/v1/payment_intents", func(after string) any {
		p := &sdk.PaymentIntentListParams{CreatedRange: window(from, to)}
		p.Limit, p.StartingAfter = sdk.Int64(100), text(after)
		p.AddExpand("data." + expandFee)
		return p
	}, cursor, func(pi PaymentIntent) bool {
		if pi.Metadata[Tag] == tillID {
			found = &pi
		}
		return found != nil
	})
	return found, next, err
}

func window(from, to time.Time) *sdk.RangeQueryParams {
	if from.IsZero() && to.IsZero() {
		return nil
	}
	return &sdk.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThanOrEqual: to.Unix() + 1}
}

// Capture takes an authorized amount.
func (c *Client) Capture(ctx context.Context, key, id string, amount int64) (PaymentIntent, error) {
	p := &sdk.PaymentIntentCaptureParams{AmountToCapture: sdk.Int64(amount)}
	p.SetIdempotencyKey(key)
	p.AddExpand(expandFee)
	return declined(call[PaymentIntent](ctx, c, http.MethodPost, "/v1/payment_intents/"+url.PathEscape(id)+"/capture", p))
}

// Cancel ends an intent; what it held is released.
func (c *Client) Cancel(ctx context.Context, key, id, reason string) (PaymentIntent, error) {
	p := &sdk.PaymentIntentCancelParams{CancellationReason: text(reason)}
	p.SetIdempotencyKey(key)
	p.AddExpand(expandFee)
	return call[PaymentIntent](ctx, c, http.MethodPost, "/v1/payment_intents/"+url.PathEscape(id)+"/cancel", p)
}

// CreateRefund sends money back.
func (c *Client) CreateRefund(ctx context.Context, key, intent string, amount int64, reason string, metadata map[string]string) (Refund, error) {
	p := &sdk.RefundCreateParams{PaymentIntent: sdk.String(intent), Amount: sdk.Int64(amount), Reason: text(reason), Metadata: metadata}
	p.SetIdempotencyKey(key)
	return call[Refund](ctx, c, http.MethodPost, "/v1/refunds", p)
}

// Refund asks for one as it is now.
func (c *Client) Refund(ctx context.Context, id string) (Refund, error) {
	return call[Refund](ctx, c, http.MethodGet, "/v1/refunds/"+url.PathEscape(id), &sdk.RefundRetrieveParams{})
}

// Refunds walks the refunds of an intent, newest first, until see says stop. cursor is "" or what an Unfinished walk returned.
func (c *Client) Refunds(ctx context.Context, intent, cursor string, see func(Refund) (stop bool)) (next string, err error) {
	return list(ctx, c, "/v1/refunds", func(after string) any {
		p := &sdk.RefundListParams{PaymentIntent: sdk.String(intent)}
		p.Limit, p.StartingAfter = sdk.Int64(100), text(after)
		return p
	}, cursor, see)
}

// FindRefund looks for the refund of an intent that carries our id.
func (c *Client) FindRefund(ctx context.Context, intent, tillID, cursor string) (found *Refund, next string, err error) {
	next, err = c.Refunds(ctx, intent, cursor, func(r Refund) bool {
		if r.Metadata[Tag] == tillID {
			found = &r
		}
		return found != nil
	})
	return found, next, err
}

// Dispute asks for one as it is now.
func (c *Client) Dispute(ctx context.Context, id string) (Dispute, error) {
	return call[Dispute](ctx, c, http.MethodGet, "/v1/disputes/"+url.PathEscape(id), &sdk.DisputeRetrieveParams{})
}

// CreateCustomer makes a customer.
func (c *Client) CreateCustomer(ctx context.Context, key, email, name string, metadata map[string]string) (Customer, error) {
	p := &sdk.CustomerCreateParams{Email: text(email), Name: text(name), Metadata: metadata}
	p.SetIdempotencyKey(key)
	return call[Customer](ctx, c, http.MethodPost, "/v1/customers", p)
}

// FindCustomer looks for the customer with this e-mail that carries our id.
func (c *Client) FindCustomer(ctx context.Context, email, tillID, cursor string) (found *Customer, next string, err error) {
	next, err = list(ctx, c, "/v1/customers", func(after string) any {
		p := &sdk.CustomerListParams{Email: text(email)}
		p.Limit, p.StartingAfter = sdk.Int64(100), text(after)
		return p
	}, cursor, func(x Customer) bool {
		if x.Metadata[Tag] == tillID {
			found = &x
		}
		return found != nil
	})
	return found, next, err
}

// Attach saves a payment method to a customer.
func (c *Client) Attach(ctx context.Context, key, paymentMethod, customer string) (PaymentMethod, error) {
	p := &sdk.PaymentMethodAttachParams{Customer: sdk.String(customer)}
	p.SetIdempotencyKey(key)
	return call[PaymentMethod](ctx, c, http.MethodPost, "/v1/payment_methods/"+url.PathEscape(paymentMethod)+"/attach", p)
}

// Detach forgets a payment method; it cannot be used again.
func (c *Client) Detach(ctx context.Context, key, paymentMethod string) (PaymentMethod, error) {
	p := &sdk.PaymentMethodDetachParams{}
	p.SetIdempotencyKey(key)
	return call[PaymentMethod](ctx, c, http.MethodPost, "/v1/payment_methods/"+url.PathEscape(paymentMethod)+"/detach", p)
}

// PaymentMethod asks for one as it is now.
func (c *Client) PaymentMethod(ctx context.Context, id string) (PaymentMethod, error) {
	return call[PaymentMethod](ctx, c, http.MethodGet, "/v1/payment_methods/"+url.PathEscape(id), &sdk.PaymentMethodRetrieveParams{})
}

// CustomerPaymentMethods looks for a card among those attached to a customer.
func (c *Client) CustomerPaymentMethods(ctx context.Context, customer string, see func(PaymentMethod) (stop bool)) error {
	_, err := list(ctx, c, "/v1/payment_methods", func(after string) any {
		p := &sdk.PaymentMethodListParams{Customer: sdk.String(customer), Type: sdk.String("card")}
		p.Limit, p.StartingAfter = sdk.Int64(100), text(after)
		return p
	}, "", see)
	return err
}

// Account asks whose key this is.
func (c *Client) Account(ctx context.Context) (Account, error) {
	return call[Account](ctx, c, http.MethodGet, "/v1/account", &sdk.AccountRetrieveParams{})
}

// CreateWebhookEndpoint tells Stripe where to send events; the answer holds the signing secret, this once.
func (c *Client) CreateWebhookEndpoint(ctx context.Context, to string, events []string, key string) (WebhookEndpoint, error) {
	p := &sdk.WebhookEndpointCreateParams{URL: sdk.String(to), APIVersion: sdk.String(APIVersion)}
	for _, e := range events {
		p.EnabledEvents = append(p.EnabledEvents, sdk.String(e))
	}
	p.SetIdempotencyKey(key)
	return call[WebhookEndpoint](ctx, c, http.MethodPost, "/v1/webhook_endpoints", p)
}

// mostTypes is how many types a list of events may be narrowed to (docs.stripe.com/api/events/list).
const mostTypes = 20

// Events walks the account's events of the given types, newest first, until see says stop: those made at from or later and, where to is
// not zero, at to or earlier, to the second. Stripe keeps events for thirty days. More than twenty types cannot be asked for: then see
// gets events of every type. cursor is "" or the id of an event to go on after.
func (c *Client) Events(ctx context.Context, types []string, from, to time.Time, cursor string, see func(Event) (stop bool)) (next string, err error) {
	made := &sdk.RangeQueryParams{GreaterThanOrEqual: from.Unix()}
	if !to.IsZero() {
		made.LesserThanOrEqual = to.Unix()
	}
	return list(ctx, c, "/v1/events", func(after string) any {
		p := &sdk.EventListParams{CreatedRange: made}
		p.Limit, p.StartingAfter = sdk.Int64(EventPage), text(after)
		if len(types) <= mostTypes {
			p.Types = sdk.StringSlice(types)
		}
		return p
	}, cursor, see)
}

// EventPage is how many events one request of a walk brings.
const EventPage = 100

// Event asks for one event, as it was.
func (c *Client) Event(ctx context.Context, id string) (Event, error) {
	return call[Event](ctx, c, http.MethodGet, "/v1/events/"+url.PathEscape(id), &sdk.EventRetrieveParams{})
}
