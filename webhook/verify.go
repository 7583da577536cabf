// Package webhook is what a merchant's server needs to hear till: it checks that a message came from till, proves that none is missing, and
// fetches those that are. It needs the standard library and till's client only. What it rests on is written in docs/webhooks.md, so that it
// can be done in any language.
//
//	verifier, err := webhook.New(os.Getenv("WEBHOOK_SECRET"))
//	http.Handle("/webhooks", webhook.Handler(verifier, func(ctx context.Context, m webhook.Message) error {
//		return deal(ctx, m) // in one transaction with remembering m.ID: a message may come twice
//	}))
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Message is one thing that happened. It reads the same in a delivery and when it is pulled.
type Message struct {
	Type      string          `json:"type"`      // such as payment.completed
	Timestamp time.Time       `json:"timestamp"` // when it happened
	ID        string          `json:"id"`        // the same whenever the message comes: what to remember
	Sequence  int64           `json:"sequence"`  // counts the endpoint's messages from 1 without gaps
	Data      json.RawMessage `json:"data"`      // the payment, refund or card as it was at that moment
}

// CheckpointType is the type of the message that states what should have been heard.
const CheckpointType = "webhook.checkpoint"

// Checkpoint states messages 1 to Sequence of an endpoint by the hash of their ids: h(n) is the SHA-256, in hexadecimal, of h(n-1), a newline
// and the id of message n; h(0) is empty, and Hash is h(Sequence).
type Checkpoint struct {
	Endpoint string    `json:"endpoint_id"`
	Sequence int64     `json:"sequence"`
	Count    int64     `json:"count"` // as many as Sequence says: there are no gaps
	Hash     string    `json:"hash"`
	At       time.Time `json:"at"` // when it was told
}

// Checkpoint is what a message states, or false where it is no checkpoint.
func (m Message) Checkpoint() (c Checkpoint, ok bool) {
	if m.Type != CheckpointType || json.Unmarshal(m.Data, &c) != nil {
		return Checkpoint{}, false
	}
	c.At = m.Timestamp
	return c, true
}

// Why Verify refuses a message. The error it returns wraps one of them and says more.
var (
	ErrHeader    = errors.New("a webhook header is missing or cannot be read") // nobody who knows till sent it, or something on the way took the headers off
	ErrSignature = errors.New("no signature is good for these secrets")        // the wrong secret, or a body that is not as it was sent
	ErrTime      = errors.New("the signature is too old, or ahead of time")    // an old message sent again by somebody, or a wrong clock
	ErrBody      = errors.New("the body is not a message of till's")           // signed with the secret, and yet not JSON of this form
)

// DefaultTolerance is how old a signature may be, and how far ahead of our clock: what Standard Webhooks' libraries take (2023).
const DefaultTolerance = 5 * time.Minute

// Verifier checks that messages are signed with one of its secrets. It is safe for use by many goroutines.
type Verifier struct {
	Tolerance time.Duration    // DefaultTolerance where it is 0
	Now       func() time.Time // time.Now where it is nil

	keys [][]byte
}

// New is a verifier for the signing secrets of an endpoint: one, or while a secret is changed the new one and the old one.
func New(secrets ...string) (*Verifier, error) {
	if len(secrets) == 0 {
		return nil, errors.New("webhook: no secret was given")
	}
	v := &Verifier{}
	for i, s := range secrets {
		key, err := key(s)
		if err != nil {
			return nil, fmt.Errorf("webhook: secret %d of %d: %w", i+1, len(secrets), err)
		}
		v.keys = append(v.keys, key)
	}
	return v, nil
}

// key is the bytes that a secret encodes. The error does not repeat the secret.
func key(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(secret), "whsec_"))
	if err != nil || len(key) == 0 {
		return nil, errors.New("it is not whsec_ and base64, as till gives it out")
	}
	return key, nil
}

// Verify reads a message from a request's headers and its body, which must be as it came, to the byte. The error says why it is none.
func (v *Verifier) Verify(header http.Header, body []byte) (Message, error) {
	id, stamp, signatures := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp"), header.Get("Webhook-Signature")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	switch {
	case id == "":
		return Message{}, fmt.Errorf("webhook: %w: webhook-id", ErrHeader)
	case err != nil:
		return Message{}, fmt.Errorf("webhook: %w: webhook-timestamp", ErrHeader)
	case signatures == "":
		return Message{}, fmt.Errorf("webhook: %w: webhook-signature", ErrHeader)
	case !v.signed(id, stamp, signatures, body):
		return Message{}, fmt.Errorf("webhook: %w", ErrSignature)
	}
	if age := v.now().Sub(time.Unix(seconds, 0)); age > v.tolerance() || age < -v.tolerance() {
		return Message{}, fmt.Errorf("webhook: %w: it was signed %v ago", ErrTime, age.Round(time.Second))
	}
	var m Message
	if err := json.Unmarshal(body, &m); err != nil {
		return Message{}, fmt.Errorf("webhook: %w: %w", ErrBody, err)
	}
	if m.ID != id || m.Type == "" || m.Sequence < 1 {
		return Message{}, fmt.Errorf("webhook: %w: its id, type and sequence do not go with its headers", ErrBody)
	}
	return m, nil
}

// signed says whether any of the signatures is good for any of the keys. All are compared, each in constant time.
func (v *Verifier) signed(id, stamp, signatures string, body []byte) (good bool) {
	var given [][]byte
	for _, one := range strings.Fields(signatures) {
		if text, ok := strings.CutPrefix(one, "v1,"); ok {
			if sum, err := base64.StdEncoding.DecodeString(text); err == nil && len(given) < mostSignatures {
				given = append(given, sum)
			}
		}
	}
	for _, key := range v.keys {
		want := sum(key, id, stamp, body)
		for _, one := range given {
			if hmac.Equal(one, want) {
				good = true
			}
		}
	}
	return good
}

// mostSignatures bounds what a stranger can have us compare; till sends two at most.
const mostSignatures = 16

func sum(key []byte, id, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

func (v *Verifier) now() time.Time {
	if v.Now == nil {
		return time.Now()
	}
	return v.Now()
}

func (v *Verifier) tolerance() time.Duration {
	if v.Tolerance == 0 {
		return DefaultTolerance
	}
	return v.Tolerance
}

// Sign sets the headers that prove a body, as till does. It is for the tests of a receiver.
func Sign(header http.Header, secret, id string, at time.Time, body []byte) error {
	key, err := key(secret)
	if err != nil {
		return fmt.Errorf("webhook: the secret: %w", err)
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", stamp)
	header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(sum(key, id, stamp, body)))
	return nil
}
