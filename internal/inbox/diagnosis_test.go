package inbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
)

// Whatever is held against the secrets is answered as the webhook itself would have been, with the check that it fails, and leaves nothing behind.
func TestDiagnosisIsWhatReceiveDoes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		counted := map[string]int{}
		n.Refused = func(check string) { counted[check]++ }
		scope := db.Scope{Merchant: id.New(), Mode: "test"}
		older := n.provide(account{merchant.InboundSecret{Scope: scope, Generation: 1, Secret: secret()}, id.Hex(16)}, "acct_1")
		shop := n.provide(account{merchant.InboundSecret{Scope: scope, Generation: 2, Secret: secret()}, id.Hex(16)}, "acct_2")
		stranger := n.shop(secret())
		now, body := n.clock.Now(), sample(t, "payment_intent.succeeded")
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, []byte(body), "", "  "); err != nil {
			t.Fatal(err)
		}
		live := strings.ReplaceAll(body, `"livemode":false`, `"livemode":true`)
		wanted := map[string]int{}
		for name, c := range map[string]struct{ payload, header, check, says string }{
			"right":                {body, signed(shop.Secret, now, body), "", "would be taken in"},
			"of an account before": {body, signed(older.Secret, now, body), "", "would be taken in"},
			"two signatures":       {body, signed(shop.Secret, now, body) + ",v1=" + mac(secret(), now, body), "", "would be taken in"},
			"almost five minutes":  {body, signed(shop.Secret, now.Add(-299*time.Second), body), "", "would be taken in"},
			"absent":               {body, "", "header", "There is no Stripe-Signature header"},
			"no header":            {body, "Bearer x", "header", "cannot be read"},
			"v0 only":              {body, strings.Replace(signed(shop.Secret, now, body), "v1=", "v0=", 1), "header", "cannot be read"},
			"another's secret":     {body, signed(stranger.Secret, now, body), "signature", "not made with a secret that is known here"},
			"tampered":             {strings.Replace(body, "5000", "5001", 1), signed(shop.Secret, now, body), "signature", "not made with a secret that is known here"},
			"parsed and written":   {body, signed(shop.Secret, now, pretty.String()), "signature", "the white space that Stripe uses"},
			"compacted":            {pretty.String(), signed(shop.Secret, now, body), "signature", "without white space"},
			"line break":           {body + "\n", signed(shop.Secret, now, body), "signature", "without the line break at its end"},
			"stale":                {body, signed(shop.Secret, now.Add(-301*time.Second), body), "timestamp", "was made 301 seconds ago"},
			"no event":             {`{"object":"charge"}`, signed(shop.Secret, now, `{"object":"charge"}`), "body", "not one of Stripe's events"},
			"no JSON":              {"x", signed(shop.Secret, now, "x"), "body", "not one of Stripe's events"},
			"live":                 {live, signed(shop.Secret, now, live), "mode", "test mode"},
		} {
			got, err := n.Diagnose(ctx, scope, c.payload, c.header)
			if err != nil || got.Check != c.check || got.Valid != (c.check == "") || !strings.Contains(got.Explanation, c.says) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			if (got.SignedAt == nil) != (c.check == "header") || (got.AgeSeconds == nil) != (c.check == "header") {
				t.Errorf("%s: signed at %v, %v s ago", name, got.SignedAt, got.AgeSeconds)
			}
			if strings.Contains(got.Explanation, shop.Secret) || strings.Contains(got.Explanation, mac(shop.Secret, now, c.payload)) {
				t.Errorf("%s tells too much: %s", name, got.Explanation)
			}
			if c.check == "" || c.header == "" {
				continue
			}
			if real := n.post(shared+"/"+shop.Merchant+"/"+shop.token, c.header, c.payload); real.status != 400 {
				t.Errorf("%s: the webhook itself is answered %d %s", name, real.status, real.text)
			}
			wanted[c.check]++
		}
		if got, want := fmt.Sprint(counted), fmt.Sprint(wanted); got != want {
			t.Errorf("counted %s, refused %s", got, want)
		}
		if len(n.kept()) != 0 {
			t.Errorf("something was written: %+v", n.kept())
		}
		bare := n.shop("")
		if got, err := n.Diagnose(ctx, bare.Scope, body, signed(shop.Secret, now, body)); err != nil || got.Check != "signature" || !strings.Contains(got.Explanation, "no signing secret here yet") {
			t.Errorf("without a secret: %+v, %v", got, err)
		}
	})
}
