package inbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/till-pay/till/internal/merchant"
)

// FuzzSignature holds the verifier against Stripe's own, on any header. In the header {right} stands for the signature that the secret
// makes at the header's time, and {other} for another secret's.
func FuzzSignature(f *testing.F) {
	for _, header := range []string{
		"", "t=1,v1={right}", "t=1795251600,v1={other},v1={right}", "t=1795251600,v0={right}", "v1={right},t=5", "t=1, v1={right}",
		"t=1,t=2,v1={right}", "t=-1,v1={right},v1=", "t=+1,v1={right}", "t=9223372036854775807,v1={right}", "t=1,v1={right}=", "t=1,v1={right},x=y=z",
		"t=1,v1=" + strings.Repeat("a", 64), "t=1" + strings.Repeat(",v1={other}", 20) + ",v1={right}", "t,v1", "=,=", "\x00=\xff",
	} {
		f.Add(header, []byte(`{"object":"event"}`), "whsec_a")
	}
	f.Fuzz(func(t *testing.T, header string, body []byte, secret string) {
		if secret == "" || len(header) > 1<<16 || len(body) > 1<<16 {
			return // no secret is empty (InboundSecrets leaves such out), and the front door bounds headers and bodies
		}
		at := timeOf(header)
		right := madeBy(secret, at, body)
		header = strings.NewReplacer("{right}", right, "{other}", madeBy(secret+"x", at, body)).Replace(header)

		by, refused := verify(header, body, time.Unix(at, 0), []merchant.InboundSecret{{Secret: secret + "y"}, {Secret: secret}})
		var err error
		if refused != nil {
			err = refused.fault
		}
		if (len(by) == 0) != (err != nil) {
			t.Fatalf("%d owners, and %v", len(by), err)
		}
		if err == nil && (len(by) != 1 || by[0].Secret != secret || !strings.Contains(strings.ToLower(header), right)) {
			t.Fatalf("%q was taken for a signature of %+v", header, by)
		}
		stripes := webhook.ValidatePayloadIgnoringTolerance(body, header, secret)
		if plain(header) && (stripes == nil) != (err == nil) {
			t.Fatalf("%q: we say %v, Stripe's library says %v", header, err, stripes)
		}
	})
}

// plain says that a header is within our bounds and in the form that Stripe writes: on others Stripe's library and we may differ.
func plain(header string) bool {
	times, macs := 0, 0
	for part := range strings.SplitSeq(header, ",") {
		name, _, _ := strings.Cut(part, "=")
		if strings.Count(part, "=") != 1 || strings.TrimSpace(name) != name {
			return false
		}
		switch name {
		case "t":
			times++
		case "v1":
			macs++
		}
	}
	return len(header) <= longestHeader && times == 1 && macs <= mostMACs
}

// timeOf is the time in a header, 0 where there is none that can be read.
func timeOf(header string) (at int64) {
	for part := range strings.SplitSeq(header, ",") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(part), "t="); ok {
			_, _ = fmt.Sscanf(value, "%d", &at)
			return at
		}
	}
	return 0
}

func madeBy(secret string, at int64, body []byte) string {
	h := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(h, "%d.%s", at, body)
	return hex.EncodeToString(h.Sum(nil))
}
