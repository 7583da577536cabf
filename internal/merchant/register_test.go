package merchant_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/stripe"
)

func endpointsAtStripe(t testing.TB, base, secret string) []struct{ ID, URL string } {
	t.Helper()
	r, err := http.NewRequest("GET", base+"/v1/webhook_endpoints", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	var list struct{ Data []struct{ ID, URL string } }
	if err := json.NewDecoder(reply.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list.Data
}

func TestRegister(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		scope, key := w.shop(t, "one", "test")
		secret := secretKey()
		first := w.ask(t, key, "PUT", providers, registering(secret)).data(t)
		if first["webhook_secret_set"] != true || first["notes"] != nil || !strings.HasPrefix(fmt.Sprint(first["webhook_endpoint"]), "we_") {
			t.Errorf("registered: %v", first)
		}
		made := endpointsAtStripe(t, w.Base, secret)
		if len(made) != 1 || made[0].ID != first["webhook_endpoint"] || made[0].URL != first["webhook_url"] {
			t.Errorf("at Stripe: %v; here: %v", made, first)
		}
		kept, err := w.InboundSecrets(ctx)
		if err != nil || len(kept) != 1 || kept[0].Scope != scope || !strings.HasPrefix(kept[0].Secret, "whsec_") {
			t.Errorf("kept %#v, %v", kept, err)
		}

		again := w.ask(t, key, "PUT", providers, registering(secret)).data(t)
		if len(endpointsAtStripe(t, w.Base, secret)) != 1 || again["webhook_endpoint"] != first["webhook_endpoint"] || !strings.Contains(fmt.Sprint(again["notes"]), "is kept") {
			t.Errorf("registered again: %v", again)
		}
		w.ask(t, key, "PUT", providers, body(secret)).data(t)
		if got, err := w.InboundSecrets(ctx); err != nil || len(got) != 1 || got[0].Secret != kept[0].Secret {
			t.Errorf("a PUT without register lost the secret: %v", err)
		}

		w.PublicURL = "https://elsewhere.example.com/"
		moved := w.ask(t, key, "PUT", providers, registering(secret)).data(t)
		if moved["webhook_endpoint"] == first["webhook_endpoint"] || !strings.Contains(fmt.Sprint(moved["notes"]), "delete it at Stripe") || len(endpointsAtStripe(t, w.Base, secret)) != 2 {
			t.Errorf("registered under another URL: %v", moved)
		}
		own := webhookSecret()
		if byHand := w.ask(t, key, "PUT", providers, body(secret, "webhook_secret", own)).data(t); byHand["webhook_endpoint"] != "" {
			t.Errorf("an endpoint made by hand is shown as %v", byHand["webhook_endpoint"])
		}
		if got, err := w.InboundSecrets(ctx); err != nil || len(got) != 1 || got[0].Secret != own {
			t.Errorf("the secret given by hand is not the one in use: %v", err)
		}
	})
}

func TestRegisterFails(t *testing.T) {
	t.Parallel()
	account := func(then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "GET" {
				fmt.Fprint(w, `{"id":"acct_1"}`)
				return
			}
			then(w, r)
		}
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := setup(t, d)
		_, key := w.shop(t, "one", "test")
		w.Base = stripeThat(t, account(says(400, `{"error":{"type":"invalid_request_error","message":"You have reached the maximum of 16 test webhook endpoints."}}`)))
		got := w.ask(t, key, "PUT", providers, registering(secretKey()))
		got.want(t, 422, fault.ProviderRefused, "")
		if !strings.Contains(got.Error.Message, "maximum of 16") {
			t.Errorf("Stripe's words are lost: %s", got.Error.Message)
		}
		w.Base = stripeThat(t, account(says(200, `{"id":"we_1"}`)))
		w.ask(t, key, "PUT", providers, registering(secretKey())).want(t, 503, fault.ProviderUnavailable, "register")
		wantEmpty(t, d, "providers")

		var keys []string
		secret := webhookSecret()
		w.Base = stripeThat(t, account(func(rw http.ResponseWriter, r *http.Request) {
			keys = append(keys, r.Header.Get("Idempotency-Key"))
			if err := r.ParseForm(); err != nil || fmt.Sprint(r.Form["enabled_events[0]"], r.Form["enabled_events[1]"]) != "[payment_intent.succeeded] [charge.refunded]" || r.Form.Get("api_version") != stripe.APIVersion {
				t.Errorf("asked for %v", r.Form)
			}
			if len(keys) == 1 {
				rw.WriteHeader(500)
				return
			}
			fmt.Fprintf(rw, `{"id":"we_1","secret":%q}`, secret)
		}))
		w.ask(t, key, "PUT", providers, registering(secretKey())).data(t)
		if len(keys) != 2 || keys[0] == "" || keys[0] != keys[1] {
			t.Errorf("after an answer that says nothing it was asked under the keys %q", keys)
		}
	})
}

// A live key goes to Stripe's own address and nowhere else, whichever way it came into the database.
func TestLiveKeysStayHome(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		scope, _ := w.shop(t, "one", "live")
		var touched atomic.Bool
		elsewhere := stripeThat(t, func(http.ResponseWriter, *http.Request) { touched.Store(true) })

		// Stripe's own address, answered by a transport of the test's: the way a live key comes to be stored.
		w.Base = stripe.APIBase + "/"
		w.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			rec := httptest.NewRecorder()
			fmt.Fprint(rec, `{"id":"acct_1"}`)
			if r.URL.Scheme+"://"+r.URL.Host != stripe.APIBase {
				t.Errorf("asked %s", r.URL)
			}
			return rec.Result(), nil
		})}
		if err := w.CheckLiveKeys(ctx); err != nil {
			t.Error(err)
		}
		if _, err := w.Configure(ctx, scope, credentials("sk_live_"+suffix())); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Client(ctx, scope, 1); err != nil {
			t.Errorf("at home: %v", err)
		}
		if err := w.CheckLiveKeys(ctx); err != nil {
			t.Errorf("at home: %v", err)
		}

		w.Base, w.HTTP = elsewhere, stripe.HTTPClient()
		if err := w.CheckLiveKeys(ctx); err == nil || !strings.Contains(err.Error(), elsewhere) || strings.Contains(err.Error(), "\n") {
			t.Errorf("the start is not refused: %v", err)
		}
		if _, err := w.Client(ctx, scope, 1); !fault.Is(err, fault.ProviderAddress) {
			t.Errorf("a client for a live key elsewhere: %v", err)
		}
		_, err := w.Configure(ctx, scope, credentials("sk_live_"+suffix()))
		wantFault(t, err, fault.ProviderAddress, "stripe.secret_key")
		for _, near := range []string{"http://api.stripe.com", "https://api.stripe.com.example.com", "https://api.stripe.com@127.0.0.1", "https://api.stripe.com:8443"} {
			w.Base = near
			if _, err := w.Client(ctx, scope, 1); !fault.Is(err, fault.ProviderAddress) {
				t.Errorf("a client for a live key at %s: %v", near, err)
			}
		}
		if touched.Load() {
			t.Error("the other address was asked")
		}
	})
}

type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
