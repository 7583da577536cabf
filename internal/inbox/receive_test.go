package inbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
)

func TestSignatures(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		shop, wrong := n.shop(secret()), secret()
		now, body := n.clock.Now(), sample(t, "payment_intent.succeeded")
		right := mac(shop.Secret, now, body)
		stamp := fmt.Sprintf("t=%d", now.Unix())
		ago := func(d time.Duration) string { return signed(shop.Secret, now.Add(-d), body) }
		const (
			absent    = "Webhook Error: the Stripe-Signature header is absent."
			malformed = "Webhook Error: the Stripe-Signature header cannot be read."
			old       = "Webhook Error: the signature is more than five minutes old."
			noMatch   = "Webhook Error: no signature matches a secret that we know."
		)
		for name, c := range map[string]struct{ header, want string }{
			"absent":                {"-", absent},
			"empty":                 {"", absent},
			"no form":               {"hello", malformed},
			"only a comma":          {",", malformed},
			"no time":               {"v1=" + right, malformed},
			"time is a word":        {"t=now,v1=" + right, malformed},
			"time is a fraction":    {stamp + ".5,v1=" + right, malformed},
			"time too large":        {"t=99999999999999999999,v1=" + right, malformed},
			"two times":             {stamp + "," + stamp + ",v1=" + right, malformed},
			"no signature":          {stamp, malformed},
			"v0 only":               {stamp + ",v0=" + right, malformed},
			"v2 only":               {stamp + ",v2=" + right, malformed},
			"not hexadecimal":       {stamp + ",v1=" + strings.Repeat("z", 64), malformed},
			"cut short":             {stamp + ",v1=" + right[:62], malformed},
			"too long":              {stamp + ",v1=" + right + "00", malformed},
			"header too long":       {stamp + ",v1=" + right + ",v0=" + strings.Repeat("0", 4096), malformed},
			"wrong secret":          {signed(wrong, now, body), noMatch},
			"empty secret":          {signed("", now, body), noMatch},
			"one bit off":           {stamp + ",v1=" + flip(right), noMatch},
			"time changed":          {fmt.Sprintf("t=%d,v1=%s", now.Unix()+1, right), noMatch},
			"secret without prefix": {signed(strings.TrimPrefix(shop.Secret, "whsec_"), now, body), noMatch},
			"over five minutes":     {ago(301 * time.Second), old},
			"long ago":              {ago(48 * time.Hour), old},
			"at the beginning":      {signed(shop.Secret, time.Unix(0, 0), body), old},
			"before that":           {signed(shop.Secret, time.Unix(-5, 0), body), old},
			"old, of another":       {signed(wrong, now.Add(-time.Hour), body), noMatch}, // nobody else is told about time
		} {
			got := n.post(shared, c.header, body)
			if got.status != http.StatusBadRequest || got.code != "webhook_signature_invalid" || got.message != c.want {
				t.Errorf("%s: %d %s, not %s", name, got.status, got.text, c.want)
			}
			if strings.Contains(got.text, shop.Merchant) || strings.Contains(got.text, "whsec") {
				t.Errorf("%s: the answer tells too much: %s", name, got.text)
			}
		}
		if got := n.post(shared, signed(shop.Secret, now, body), strings.Replace(body, "5000", "5001", 1)); got.message != noMatch {
			t.Errorf("a tampered body: %d %s", got.status, got.text)
		}
		if got := n.post(shared, ago(0), strings.Repeat(" ", 600<<10)); got.status != http.StatusRequestEntityTooLarge || got.code != "body_too_large" {
			t.Errorf("600 kB: %d %s", got.status, got.text)
		}
		if rows := n.kept(); len(rows) != 0 || len(n.heard()) != 0 {
			t.Errorf("something was written: %+v, %+v", rows, n.heard())
		}
		if log := n.log.String(); strings.Count(log, "not proved to be Stripe's") < 25 || strings.Contains(log, shop.Secret) || strings.Contains(log, right) {
			t.Errorf("the log does not show the attempts, or shows too much:\n%s", log)
		}

		accepted := map[string]string{
			"fresh":             signed(shop.Secret, now, body),
			"five minutes old":  ago(300 * time.Second),
			"from the future":   ago(-time.Hour),
			"rolled secret":     stamp + ",v1=" + mac(wrong, now, body) + ",v1=" + right,
			"rolling secret":    stamp + ",v1=" + right + ",v1=" + mac(wrong, now, body),
			"with a test v0":    stamp + ",v1=" + right + ",v0=" + mac(wrong, now, body),
			"other schemes":     "x=1," + stamp + ",v2=a,v1=" + right,
			"a broken one too":  stamp + ",v1=zz,v1=" + right,
			"time at the end":   "v1=" + right + "," + stamp,
			"space after comma": stamp + ", v1=" + right,
		}
		for name, header := range accepted {
			if got := n.post(shared, header, body); !got.received() {
				t.Errorf("%s: %d %s", name, got.status, got.text)
			}
		}
		n.Wait()
		if k := n.only(); !k.verified || k.payload != body || k.Scope != shop.Scope || k.object != "pi_3TillTest00000000000001" || k.kind != "payment_intent.succeeded" || len(n.heard()) != 1 {
			t.Errorf("kept %+v, heard %+v", k, n.heard())
		}
	})
}

// flip changes the last hexadecimal digit.
func flip(s string) string {
	last := "0"
	if strings.HasSuffix(s, "0") {
		last = "1"
	}
	return s[:len(s)-1] + last
}

func TestSignedBodyThatIsNoEvent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		shop := n.shop(secret())
		event := sample(t, "payment_intent.succeeded")
		for name, body := range map[string]string{
			"no JSON":        "hello",
			"cut off":        event[:len(event)/2],
			"a list":         "[" + event + "]",
			"null":           "null",
			"another object": strings.Replace(event, `"object":"event"`, `"object":"v2.core.event"`, 1),
			"no id":          strings.Replace(event, `"id":"evt_`, `"other":"evt_`, 1),
			"id with NUL":    strings.Replace(event, `"id":"evt_`, `"id":"\u0000evt_`, 1),
			"id with quotes": strings.Replace(event, `"id":"evt_`, `"id":"';--evt_`, 1),
			"endless id":     strings.Replace(event, `"id":"evt_`, `"id":"evt_`+strings.Repeat("x", 300), 1),
			"strange type":   strings.Replace(event, `"type":"payment_intent.`, `"type":"\u0000payment_intent.`, 1),
			"broken text":    strings.Replace(event, `"usd"`, "\"us\xff\"", 1),
		} {
			if got := n.tell(shop, body); got.status != http.StatusBadRequest || got.code != "body_invalid" || strings.Contains(got.message, "json:") {
				t.Errorf("%s: %d %s", name, got.status, got.text)
			}
		}
		if got := n.post(shared, signed(shop.Secret, n.clock.Now(), ""), ""); got.status != http.StatusBadRequest {
			t.Errorf("an empty body: %d %s", got.status, got.text)
		}
		live := strings.Replace(event, `"livemode":false`, `"livemode":true`, -1)
		if got := n.tell(shop, live); got.status != http.StatusBadRequest || got.message != "Webhook Error: the event is of the other mode." {
			t.Errorf("a live event under a test secret: %d %s", got.status, got.text)
		}
		if len(n.kept()) != 0 || len(n.heard()) != 0 {
			t.Errorf("something was written: %+v", n.kept())
		}
	})
}

func TestEventIsTakenOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		shop, body := n.shop(secret()), sample(t, "payment_intent.succeeded")
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if got := n.post(shared, signed(shop.Secret, n.clock.Now(), body), body); !got.received() {
					t.Errorf("%d %s", got.status, got.text)
				}
			})
		}
		all.Wait()
		n.Wait()
		n.clock.Advance(time.Hour)
		if got := n.tell(shop, body); !got.received() {
			t.Errorf("an hour later: %d %s", got.status, got.text)
		}
		n.work()
		if k := n.only(); k.applied.IsZero() || len(n.heard()) != 1 {
			t.Errorf("kept %+v, heard %d times", k, len(n.heard()))
		}
	})
}

// The secret alone says whose an event is: neither ids, nor metadata, nor the URL move it to another merchant.
func TestMerchantsDoNotMeet(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		a, b := n.shop(secret()), n.shop(secret())
		body := sample(t, "payment_intent.succeeded")
		own := func(of, token account) string { return shared + "/" + of.Merchant + "/" + token.token }

		if got := n.post(own(b, b), signed(a.Secret, n.clock.Now(), body), body); got.status != 400 || got.code != "webhook_signature_invalid" {
			t.Errorf("a's signature on b's URL: %d %s", got.status, got.text)
		}
		for _, path := range []string{own(b, a), own(a, b), shared + "/" + a.Merchant + "/" + strings.Repeat("0", 32), shared + "/x/" + a.token} {
			if got := n.post(path, signed(a.Secret, n.clock.Now(), body), body); got.status != 404 {
				t.Errorf("%s: %d %s", path, got.status, got.text)
			}
		}
		if len(n.kept()) != 0 {
			t.Fatalf("something was written: %+v", n.kept())
		}
		n.tell(a, body)
		n.tell(b, body) // the same id at another merchant is another event
		if got := n.post(own(a, a), signed(a.Secret, n.clock.Now(), body), body); !got.received() {
			t.Errorf("on its own URL: %d %s", got.status, got.text)
		}
		n.Wait()
		seen := map[db.Scope]int{}
		for _, c := range n.heard() {
			seen[c.scope]++
		}
		if len(n.kept()) != 2 || seen[a.Scope] != 1 || seen[b.Scope] != 1 {
			t.Errorf("kept %+v, heard %+v", n.kept(), n.heard())
		}
	})
}

// Two merchants of one till may share a Stripe account, and so a secret: each hears of it.
func TestSharedSecretReachesEachMerchant(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		same := secret()
		a, b := n.shop(same), n.shop(same)
		n.shop(secret())
		if got := n.tell(a, sample(t, "payment_intent.succeeded")); !got.received() {
			t.Fatalf("%d %s", got.status, got.text)
		}
		heard := map[db.Scope]bool{}
		for _, c := range n.heard() {
			heard[c.scope] = true
		}
		if len(n.kept()) != 2 || !heard[a.Scope] || !heard[b.Scope] {
			t.Errorf("kept %+v, heard %+v", n.kept(), n.heard())
		}
	})
}

func TestModeAndGenerationComeFromTheSecret(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		scope := db.Scope{Merchant: id.New(), Mode: "test"}
		first := n.provide(account{merchant.InboundSecret{Scope: scope, Generation: 1, Secret: secret()}, id.Hex(16)}, "acct_1")
		second := n.provide(account{merchant.InboundSecret{Scope: scope, Generation: 2, Secret: secret()}, id.Hex(16)}, "acct_2")
		back := n.provide(account{merchant.InboundSecret{Scope: scope, Generation: 3, Secret: first.Secret}, first.token}, "acct_1")
		live := n.provide(account{merchant.InboundSecret{Scope: db.Scope{Merchant: scope.Merchant, Mode: "live"}, Generation: 1, Secret: secret()}, id.Hex(16)}, "acct_1")
		posts := 0
		for _, c := range []struct {
			from       account
			kind       string
			generation int64
		}{
			{second, "refund.created", 2},
			{back, "payment_intent.processing", 3}, // the account that the merchant returned to
			{live, "payment_intent.canceled", 1},
		} {
			for _, path := range []string{shared, shared + "/" + c.from.Merchant + "/" + c.from.token} {
				body := sample(t, c.kind)
				if c.from.Mode == "live" {
					body = strings.ReplaceAll(body, `"livemode":false`, `"livemode":true`)
				}
				if got := n.post(path, signed(c.from.Secret, n.clock.Now(), body), body); !got.received() {
					t.Errorf("%s: %d %s", path, got.status, got.text)
				}
				n.Wait()
				posts++
				calls := n.heard()
				if last := calls[len(calls)-1]; len(calls) != posts || last.scope != c.from.Scope || last.generation != c.generation {
					t.Errorf("%s: heard as %+v, not of %+v, generation %d", path, last, c.from.Scope, c.generation)
				}
			}
		}
	})
}

// The shared URL tries a bounded number of secrets; the merchants after those use their own URL.
func TestSharedURLTriesThirtyTwo(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		var shops []account
		for range 33 {
			shops = append(shops, n.shop(secret()))
		}
		body := sample(t, "payment_intent.succeeded")
		if got := n.tell(shops[31], body); !got.received() {
			t.Errorf("the 32nd: %d %s", got.status, got.text)
		}
		last := shops[32]
		if got := n.tell(last, body); got.status != 400 || got.code != "webhook_signature_invalid" {
			t.Errorf("the 33rd: %d %s", got.status, got.text)
		}
		if got := n.post(shared+"/"+last.Merchant+"/"+last.token, signed(last.Secret, n.clock.Now(), body), body); !got.received() {
			t.Errorf("the 33rd on its own URL: %d %s", got.status, got.text)
		}
	})
}

// Our own faults are ours: Stripe is told to try again, and then nothing is missing.
func TestOurFaultIsNotStripes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := setup(t, d)
		shop, body := n.shop(secret()), sample(t, "payment_intent.succeeded")
		rename := func(from, to string) {
			t.Helper()
			if err := d.Write(ctx, db.Change{SQL: `alter table ` + from + ` rename to ` + to, Rows: db.Any}); err != nil {
				t.Fatal(err)
			}
		}
		rename("stripe_events", "gone")
		if got := n.tell(shop, body); got.status != http.StatusInternalServerError || got.code != "internal_error" || strings.Contains(got.text, "stripe_events") {
			t.Errorf("%d %s", got.status, got.text)
		}
		rename("gone", "stripe_events")
		if got := n.tell(shop, body); !got.received() || len(n.heard()) != 1 {
			t.Errorf("%d %s, heard %+v", got.status, got.text, n.heard())
		}
	})
}
