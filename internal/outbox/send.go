package outbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/till-pay/till/internal/crash"
	"github.com/till-pay/till/internal/event"
)

const (
	defaultTimeout = 10 * time.Second
	mostRead       = 64 << 10 // bytes of an answer; it is read only so that the connection can serve again
)

// message is the body of a delivery. It is the same on every attempt.
type message struct {
	Type      string          `json:"type" example:"payment.completed"`
	Timestamp time.Time       `json:"timestamp" doc:"When it happened."`
	ID        string          `json:"id" format:"uuid" doc:"The event's id, sent as webhook-id."`
	Sequence  int64           `json:"sequence" doc:"Counts the endpoint's deliveries from 1, without gaps."`
	Data      json.RawMessage `json:"data" doc:"The object as it was at that moment."`
}

func body(e event.Event, sequence int64) ([]byte, error) {
	return json.Marshal(message{e.Type, e.CreatedAt, e.ID, sequence, e.Data})
}

// sign is the webhook-signature of Standard Webhooks: HMAC-SHA256 of "id.timestamp.body" under the bytes that a secret encodes, for each
// secret, parted by spaces. A receiver takes a message that one of them proves.
func sign(secrets []string, id string, at time.Time, body []byte) (string, error) {
	var signatures []string
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) == 0 {
			return "", errors.New("outbox: the endpoint's signing secret is not base64")
		}
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%d.", id, at.Unix())
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(signatures, " "), nil
}

// parcel is one request, signed.
type parcel struct {
	url, id, signature string
	at                 time.Time
	body               []byte
}

// post makes one attempt: the status code of the answer, 0 where there was none, and what failed in words for the merchant, "" where
// it succeeded. Any 2xx is a success, and nothing else is.
func (o *Outbox) post(ctx context.Context, p parcel) (status int, failure string) {
	timeout := o.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		return 0, "The URL cannot be read."
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "till-webhooks/1")
	r.Header.Set("Webhook-Id", p.id)
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(p.at.Unix(), 10))
	r.Header.Set("Webhook-Signature", p.signature)
	o.once.Do(func() { o.client = o.Dialer.client() })
	answer, err := o.client.Do(r)
	if err != nil {
		return 0, inWords(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, crash.Body("webhook", r, answer.Body), mostRead) // the status has said it all
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return code, ""
	case code >= 300 && code < 400:
		return code, fmt.Sprintf("The endpoint answered %d: redirects are not followed.", code)
	default:
		return code, fmt.Sprintf("The endpoint answered %d.", code)
	}
}

// inWords says why no answer came. It tells classes and no addresses: an error's own text may show the operator's network.
func inWords(err error) string {
	var (
		no       *refusal
		dns      *net.DNSError
		identity *tls.CertificateVerificationError
		notTLS   tls.RecordHeaderError
		alert    tls.AlertError
		network  net.Error
	)
	switch {
	case errors.As(err, &no):
		return "Not sent: " + no.Error() + "."
	case errors.As(err, &dns) && dns.IsNotFound:
		return "The host name has no address."
	case errors.As(err, &dns):
		return "The host name could not be looked up."
	case errors.As(err, &identity):
		return "The server's TLS certificate is not valid for this URL."
	case errors.As(err, &notTLS), errors.As(err, &alert), errors.Is(err, http.ErrSchemeMismatch):
		return "The TLS handshake failed."
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "No answer came in time."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "The connection was refused."
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "The host cannot be reached."
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "The connection was closed before an answer came."
	}
	return "The answer could not be read as HTTP."
}
