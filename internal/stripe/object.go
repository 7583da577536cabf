package stripe

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Ref is a field that Stripe fills with an id, or with the whole object where it was expanded.
type Ref[T any] struct {
	ID     string
	Object *T // nil where only the id came
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Ref[T]) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &r.ID)
	}
	if string(b) == "null" {
		return nil
	}
	var named struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(b, &named); err != nil {
		return err
	}
	r.ID, r.Object = named.ID, new(T)
	return json.Unmarshal(b, r.Object)
}

// PaymentIntent is what till reads of one. Amounts are in minor units.
type PaymentIntent struct {
	ID               string            `json:"id"`
	Status           string            `json:"status"`
	Amount           int64             `json:"amount"`
	AmountCapturable int64             `json:"amount_capturable"`
	AmountReceived   int64             `json:"amount_received"`
	Currency         string            `json:"currency"`
	ClientSecret     string            `json:"client_secret"`
	Created          int64             `json:"created"`
	Livemode         bool              `json:"livemode"`
	Metadata         map[string]string `json:"metadata"`
	LatestCharge     Ref[Charge]       `json:"latest_charge"`
	LastPaymentError *PaymentError     `json:"last_payment_error"`
	NextAction       *NextAction       `json:"next_action"`
}

// The statuses of a PaymentIntent (Stripe's OpenAPI document, 2026-08-26.dahlia).
const (
	RequiresPaymentMethod = "requires_payment_method"
	RequiresConfirmation  = "requires_confirmation"
	RequiresAction        = "requires_action"
	Processing            = "processing"
	RequiresCapture       = "requires_capture"
	Succeeded             = "succeeded"
	Canceled              = "canceled"
)

func (p PaymentIntent) id() string { return p.ID }

// PaymentError is why the last try of an intent failed.
type PaymentError struct {
	Type        string `json:"type"`
	Code        string `json:"code"`
	DeclineCode string `json:"decline_code"`
	AdviceCode  string `json:"advice_code"`
	Message     string `json:"message"`
}

// NextAction is what the payer must do.
type NextAction struct {
	Type          string `json:"type"`
	RedirectToURL *struct {
		URL string `json:"url"`
	} `json:"redirect_to_url"`
}

// Charge is what till reads of one.
type Charge struct {
	ID                 string                  `json:"id"`
	Amount             int64                   `json:"amount"`
	AmountCaptured     int64                   `json:"amount_captured"`
	AmountRefunded     int64                   `json:"amount_refunded"`
	Currency           string                  `json:"currency"`
	PaymentIntent      Ref[struct{}]           `json:"payment_intent"`
	BalanceTransaction Ref[BalanceTransaction] `json:"balance_transaction"`
	FailureCode        string                  `json:"failure_code"`
	Outcome            *ChargeOutcome          `json:"outcome"` // nil of a charge that has not ended

	PaymentMethodDetails struct {
		Card *ChargedCard `json:"card"` // nil where it was no card
	} `json:"payment_method_details"`
}

// ChargeOutcome is what the bank, the network and Radar made of a charge (docs.stripe.com/api/charges/object, docs.stripe.com/declines).
type ChargeOutcome struct {
	Type          string `json:"type"` // authorized, manual_review, issuer_declined, blocked, invalid
	NetworkStatus string `json:"network_status"`
	Reason        string `json:"reason"`
	RiskLevel     string `json:"risk_level"`
	RiskScore     int64  `json:"risk_score"` // with Radar for Fraud Teams only
	SellerMessage string `json:"seller_message"`
}

// ChargedCard is a card as it was when it was charged.
type ChargedCard struct {
	Brand        string        `json:"brand"`
	Country      string        `json:"country"`
	Funding      string        `json:"funding"`
	Last4        string        `json:"last4"`
	ThreeDSecure *ThreeDSecure `json:"three_d_secure"`
}

// ThreeDSecure is how the payer's bank authenticated a charge, where it was asked to.
type ThreeDSecure struct {
	Result        string `json:"result"`
	Authenticated bool   `json:"authenticated"` // in versions of Stripe's API without result
}

// Word is the result in one word; "" where authentication was not asked for.
func (t *ThreeDSecure) Word() string {
	switch {
	case t == nil:
		return ""
	case t.Result == "" && t.Authenticated:
		return "authenticated"
	}
	return t.Result
}

func (c Charge) id() string { return c.ID }

// Refund is what till reads of one.
type Refund struct {
	ID            string `json:"id"`
	Status        string `json:"status"` // pending, requires_action, succeeded, failed, canceled
	Amount        int64  `json:"amount"`
	Currency      string `json:"currency"`
	FailureReason string `json:"failure_reason"`
	// BalanceTransaction says by being there that the money has left the balance; what it says itself is not read.
	BalanceTransaction Ref[struct{}]     `json:"balance_transaction"`
	Created            int64             `json:"created"`
	Reason             string            `json:"reason"`
	Charge             Ref[struct{}]     `json:"charge"`
	PaymentIntent      Ref[struct{}]     `json:"payment_intent"`
	Metadata           map[string]string `json:"metadata"`
}

func (r Refund) id() string { return r.ID }

// Dispute is what till reads of one. What it says of its balance transactions is left to the reader of those.
type Dispute struct {
	ID              string        `json:"id"`
	Status          string        `json:"status"`
	Amount          int64         `json:"amount"`
	Currency        string        `json:"currency"`
	Reason          string        `json:"reason"`
	Created         int64         `json:"created"`
	Charge          Ref[struct{}] `json:"charge"`
	PaymentIntent   Ref[struct{}] `json:"payment_intent"`
	EvidenceDetails struct {
		DueBy           int64 `json:"due_by"` // 0 where there is nobody to answer to
		HasEvidence     bool  `json:"has_evidence"`
		PastDue         bool  `json:"past_due"`
		SubmissionCount int64 `json:"submission_count"`
	} `json:"evidence_details"`
	PaymentMethodDetails struct {
		Card struct {
			CaseType    string `json:"case_type"`
			NetworkCode string `json:"network_reason_code"`
		} `json:"card"`
	} `json:"payment_method_details"`
}

func (d Dispute) id() string { return d.ID }

// The events that tell of a dispute's money. The others tell of the dispute.
const (
	FundsWithdrawn  = "charge.dispute.funds_withdrawn"
	FundsReinstated = "charge.dispute.funds_reinstated"
)

// Customer is what till reads of one.
type Customer struct {
	ID       string            `json:"id"`
	Email    string            `json:"email"`
	Name     string            `json:"name"`
	Metadata map[string]string `json:"metadata"`
}

func (c Customer) id() string { return c.ID }

// PaymentMethod is what till reads of one.
type PaymentMethod struct {
	ID       string        `json:"id"`
	Type     string        `json:"type"`
	Customer Ref[struct{}] `json:"customer"`
	Card     *struct {
		Brand       string `json:"brand"`
		Last4       string `json:"last4"`
		ExpMonth    int64  `json:"exp_month"`
		ExpYear     int64  `json:"exp_year"`
		Fingerprint string `json:"fingerprint"`
	} `json:"card"`
}

func (p PaymentMethod) id() string { return p.ID }

// Account is what till reads of one.
type Account struct {
	ID              string `json:"id"`
	Country         string `json:"country"`
	Email           string `json:"email"`
	DefaultCurrency string `json:"default_currency"`
}

func (a Account) id() string { return a.ID }

// WebhookEndpoint is what till reads of one. Secret comes only in the answer that made it.
type WebhookEndpoint struct {
	ID     string `json:"id"`
	URL    string `json:"url"`
	Secret string `json:"secret"`
}

func (w WebhookEndpoint) id() string { return w.ID }

// Event is the envelope of an event, as a webhook or the list of events brings it.
type Event struct {
	ID         string
	Type       string
	Account    string // of a connected account; "" where it is of our own
	APIVersion string // that its object is written in
	Created    int64  // Unix seconds
	Livemode   bool
	Object     json.RawMessage // data.object
	Body       json.RawMessage // the whole, as it came
}

func (e Event) id() string { return e.ID }

// UnmarshalJSON implements json.Unmarshaler, for the list.
func (e *Event) UnmarshalJSON(body []byte) (err error) {
	*e, err = ParseEvent(slices.Clone(body))
	return err
}

// SameRelease says whether the event's object is written in a version of Stripe's API that our webhook endpoints are made with, or in one
// of the same release: those differ by additions only (docs.stripe.com/api/versioning). What the list of events gives is in the
// version that the account had when it happened, however old.
func (e Event) SameRelease() bool {
	_, release, named := strings.Cut(e.APIVersion, ".")
	_, ours, _ := strings.Cut(APIVersion, ".")
	return named && release == ours
}

// ParseEvent reads a webhook's body. It is lenient: unknown fields and types are no error.
func ParseEvent(body []byte) (Event, error) {
	var e struct {
		ID         string `json:"id"`
		Object     string `json:"object"`
		Type       string `json:"type"`
		Account    string `json:"account"`
		APIVersion string `json:"api_version"`
		Created    int64  `json:"created"`
		Livemode   bool   `json:"livemode"`
		Data       struct {
			Object json.RawMessage `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return Event{}, fmt.Errorf("stripe: the event is not JSON: %w", err)
	}
	if e.Object != "event" || e.ID == "" || e.Type == "" || len(e.ID) > 255 || len(e.Type) > 255 || len(e.Data.Object) == 0 {
		return Event{}, errors.New("stripe: the body is not an event")
	}
	return Event{e.ID, e.Type, e.Account, e.APIVersion, e.Created, e.Livemode, e.Data.Object, body}, nil
}
