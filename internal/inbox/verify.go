package inbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
)

// tolerance is how old a signature may be (docs.stripe.com/webhooks: five minutes). One from the future passes: clocks differ.
const tolerance = 5 * time.Minute

// signature is a Stripe-Signature header: t=<unix seconds>,v1=<hex>[,v1=<hex>…]; other schemes are ignored.
type signature struct {
	at   int64
	macs [][]byte
}

// The bounds of what is read of a header: Stripe sends one signature per live secret.
const (
	longestHeader = 4096
	mostMACs      = 16
)

// The checks that a webhook must pass, in their order.
const (
	checkHeader    = "header"    // Stripe-Signature can be read
	checkSignature = "signature" // it is made with a secret that we know, over this body
	checkTimestamp = "timestamp" // it is not old
	checkBody      = "body"      // what it signs is an event
	checkMode      = "mode"      // of the mode of that secret
)

// refusal is the fault of a request that does not prove to be Stripe's, with the check that it failed. Stripe shows its text to the merchant.
type refusal struct {
	check string
	fault *fault.Error
}

func unsigned(check, why string) *refusal {
	return &refusal{check, fault.New(fault.WebhookSignature, "Stripe-Signature", "Webhook Error: %s.", why)}
}

func parseSignature(header string) (signature, *refusal) {
	var s signature
	malformed := unsigned(checkHeader, "the Stripe-Signature header cannot be read")
	if header == "" {
		return s, unsigned(checkHeader, "the Stripe-Signature header is absent")
	}
	if len(header) > longestHeader {
		return s, malformed
	}
	timed := false
	for part := range strings.SplitSeq(header, ",") {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return s, malformed
		}
		switch strings.TrimSpace(name) {
		case "t":
			at, err := strconv.ParseInt(value, 10, 64)
			if err != nil || timed {
				return s, malformed
			}
			s.at, timed = at, true
		case "v1":
			if mac, err := hex.DecodeString(value); err == nil && len(mac) == sha256.Size && len(s.macs) < mostMACs {
				s.macs = append(s.macs, mac)
			}
		}
	}
	if !timed || len(s.macs) == 0 {
		return s, malformed
	}
	return s, nil
}

// oldest is when a signature may have been made at the earliest. Where the clock leaps any age will do, for it says nothing: the clock may
// have leapt while the event was on its way. Only a sandbox on this machine is followed so.
func (i *Inbox) oldest() time.Time {
	if clock.Leaps(i.Clock) {
		return time.Time{}
	}
	return i.Clock.Now().Add(-tolerance)
}

// verify finds whose secrets made the signature: more than one merchant's where they gave the same. Every secret is tried each time,
// so that the time it takes tells nothing; and only who knows a secret is told that a signature is old.
func verify(header string, body []byte, oldest time.Time, secrets []merchant.InboundSecret) ([]merchant.InboundSecret, *refusal) {
	s, refused := parseSignature(header)
	if refused != nil {
		return nil, refused
	}
	var by []merchant.InboundSecret
	for _, candidate := range secrets {
		if candidate.Secret != "" && s.madeWith(candidate.Secret, body) {
			by = append(by, candidate)
		}
	}
	switch {
	case len(by) == 0:
		return nil, unsigned(checkSignature, "no signature matches a secret that we know")
	case time.Unix(s.at, 0).Before(oldest):
		return nil, unsigned(checkTimestamp, "the signature is more than five minutes old")
	}
	return by, nil
}

func (s signature) madeWith(secret string, body []byte) bool {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write(strconv.AppendInt(nil, s.at, 10))
	h.Write([]byte{'.'})
	h.Write(body)
	want := h.Sum(nil)
	match := false
	for _, mac := range s.macs {
		if hmac.Equal(mac, want) {
			match = true
		}
	}
	return match
}
