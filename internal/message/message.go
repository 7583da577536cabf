// Package message is what a merchant tells its customers about their payments: that a card was declined and another one will do, that
// the bank wants a word. A message is written from a template of a closed list and the figures of its payment, kept, and shown; where the
// operator has named a mail server it is sent, at most once.
//
//	queued ──► sending ──► sent
//	  ▲  │        │  ├───► failed    the server refused it for good, or too often
//	  └──┼────────┘  └───► unknown   the connection broke, or the node died, when it may have been taken: it is never sent again
//	     └───► expired               nobody sent it in three days, or the payment was paid by then: a late word about a payment does harm
package message

import (
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/payment"
)

// State is where a message stands.
type State string

// The states.
const (
	Queued  State = "queued"
	Sending State = "sending"
	Sent    State = "sent"
	Failed  State = "failed"
	Unknown State = "unknown"
	Expired State = "expired"
)

// Message is one message, from its row to its JSON.
type Message struct {
	ID        string            `json:"id" format:"uuid"`
	PaymentID string            `json:"payment_id" format:"uuid"`
	Template  string            `json:"template" example:"another_card"`
	To        string            `json:"to" example:"jane@example.com"`
	Subject   string            `json:"subject"`
	Body      string            `json:"body" doc:"Plain text, as it is sent."`
	Figures   map[string]string `json:"figures" nullable:"false" doc:"What the template was filled with: the payment's own figures, and those that were given."`
	State     State             `json:"state" enum:"queued,sending,sent,failed,unknown,expired" doc:"queued until it is sent, and for good where this till has no mail server; unknown where it was perhaps sent, and is not sent again."`
	Attempts  int64             `json:"attempts" doc:"How often the mail server was asked."`
	Error     string            `json:"error" doc:"What the last attempt met; empty where nothing."`
	CreatedAt time.Time         `json:"created_at"`
	SentAt    *time.Time        `json:"sent_at" doc:"null until it was sent."`

	scope db.Scope
	dueAt time.Time
}

// Messages are all messages.
type Messages struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Merchants *merchant.Merchants
	Payments  *payment.Payments
	Mail      *Mail // nil where messages are only kept
}

// The bounds of sending.
const (
	batch     = 20
	mostTries = 6
	freshFor  = 72 * time.Hour
	lease     = time.Minute // longer than one conversation with the mail server, which patience bounds
	patience  = 20 * time.Second
)

// backoff is the wait after so many tries: 1, 2, 4 … minutes.
func backoff(tries int64) time.Duration { return time.Minute << min(max(tries-1, 0), 6) }
