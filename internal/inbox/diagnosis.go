package inbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/merchant"
)

// SignatureInput is a webhook as it came, to be looked at.
type SignatureInput struct {
	Body struct {
		Payload   string `json:"payload" maxLength:"524288" doc:"The body of the webhook, byte for byte as it came."`
		Signature string `json:"signature" maxLength:"8192" doc:"Its Stripe-Signature header." example:"t=1795251600,v1=…"`
	}
}

// Diagnosis says whether a webhook would be taken in now, and otherwise which check it fails.
type Diagnosis struct {
	Valid       bool       `json:"valid"`
	Check       string     `json:"check" enum:",header,signature,timestamp,body,mode" doc:"The first check that it fails, in this order; empty where it is valid."`
	Explanation string     `json:"explanation"`
	SignedAt    *time.Time `json:"signed_at" doc:"The time in the header; null where it cannot be read."`
	AgeSeconds  *int64     `json:"age_seconds" doc:"How long ago that is; below 0 where it is in the future."`
}

// Diagnose holds a webhook against the merchant's own secrets, by the very checks of Receive. It writes nothing.
func (i *Inbox) Diagnose(ctx context.Context, scope db.Scope, payload, header string) (Diagnosis, error) {
	if _, err := i.Merchants.Provider(ctx, scope); err != nil {
		return Diagnosis{}, err
	}
	secrets, err := i.Merchants.InboundOf(ctx, scope)
	if err != nil {
		return Diagnosis{}, err
	}
	var d Diagnosis
	if s, unread := parseSignature(header); unread == nil && s.at > -1<<36 && s.at < 1<<36 { // the years that JSON can show
		at, age := time.Unix(s.at, 0).UTC(), int64(i.Clock.Now().Sub(time.Unix(s.at, 0))/time.Second)
		d.SignedAt, d.AgeSeconds = &at, &age
	}
	body := []byte(payload)
	by, refused := verify(header, body, i.oldest(), secrets)
	if refused == nil {
		_, _, refused = eventFor(by, body)
	}
	if d.Valid = refused == nil; d.Valid {
		d.Explanation = "The signature is right, and the webhook would be taken in."
		return d, nil
	}
	d.Check = refused.check
	d.Explanation = explain(refused, scope, header, body, secrets, d.AgeSeconds)
	return d, nil
}

// explain says what a failed check most likely comes from.
func explain(why *refusal, scope db.Scope, header string, body []byte, secrets []merchant.InboundSecret, age *int64) string {
	switch why.check {
	case checkHeader:
		if header == "" {
			return "There is no Stripe-Signature header: the request was not sent by Stripe, or something on the way has dropped the header."
		}
		return "The header cannot be read. It has one t=, the Unix time, and a v1= of 64 hexadecimal digits for each secret."
	case checkTimestamp:
		seconds := int64(0)
		if age != nil {
			seconds = *age
		}
		return fmt.Sprintf("The signature is right, and was made %d seconds ago: more than the %d that are allowed. It was sent again by somebody, it was long on its way, or this machine's clock is wrong. Stripe signs each of its own retries anew.", seconds, int(tolerance/time.Second))
	case checkBody:
		return "The signature is right, and what it signs is not one of Stripe's events."
	case checkMode:
		return "The signature is right, and the event is of the other mode: this key and this secret are of " + scope.Mode + " mode."
	}
	if len(secrets) == 0 {
		return "There is no signing secret here yet: PUT /v1/merchant/providers with register, or with stripe.webhook_secret."
	}
	for _, changed := range asItMayHaveBeen(body) {
		if _, wrong := verify(header, changed.body, time.Time{}, secrets); wrong == nil {
			return "The signature is right for the same body " + changed.how + ": something on the way has changed it. Pass on the body byte for byte, and verify it before it is parsed."
		}
	}
	return "The signature was not made with a secret that is known here, over this body. The body was changed, or the secret is another endpoint's: each endpoint at Stripe has its own, and another one in test mode than in live mode. After the secret was rolled at Stripe, give the new one with PUT /v1/merchant/providers."
}

type variant struct {
	how  string
	body []byte
}

// asItMayHaveBeen are bodies that a proxy or a framework turns into this one: each signature is tried on them too.
func asItMayHaveBeen(body []byte) (all []variant) {
	text := string(body)
	all = append(all, variant{"without the line break at its end", []byte(strings.TrimRight(text, "\r\n"))}, variant{"with a line break at its end", []byte(text + "\n")},
		variant{"with other line breaks", []byte(strings.ReplaceAll(text, "\r\n", "\n"))})
	var compact, indented bytes.Buffer
	if json.Compact(&compact, body) == nil && json.Indent(&indented, compact.Bytes(), "", "  ") == nil {
		all = append(all, variant{"written without white space", compact.Bytes()}, variant{"written with the white space that Stripe uses", indented.Bytes()})
	}
	return all
}
