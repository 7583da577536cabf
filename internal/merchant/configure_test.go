package merchant_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
)

// body is a PUT of credentials; further fields of stripe follow as name, value.
func body(secret string, more ...string) string {
	s := map[string]string{"secret_key": secret}
	for i := 0; i < len(more); i += 2 {
		s[more[i]] = more[i+1]
	}
	return db.JSON(map[string]any{"provider": "stripe", "stripe": s})
}

func registering(secret string) string {
	return db.JSON(map[string]any{"provider": "stripe", "stripe": map[string]string{"secret_key": secret}, "register": true})
}

const providers = "/v1/merchant/providers"

func TestPutProviders(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := setup(t, d)
		scope, key := w.shop(t, "one", "test")
		_, stranger := w.shop(t, "two", "test")
		if got := w.ask(t, key, "GET", "/v1/merchant", "").data(t); got["provider"] != nil || got["webhook"] != nil || got["name"] != "one" || got["id"] != scope.Merchant || got["mode"] != "test" {
			t.Errorf("before: %v", got)
		}
		w.ask(t, key, "GET", "/v1/config", "").want(t, http.StatusUnprocessableEntity, fault.ProviderUnset, "")

		world := suffix()
		put := w.ask(t, key, "PUT", providers, body("sk_test_"+world, "webhook_secret", webhookSecret(), "publishable_key", "pk_test_"+world)).data(t)
		account, _ := put["account"].(string)
		if !strings.HasPrefix(account, "acct_") || put["generation"] != 1.0 || put["webhook_secret_set"] != true || put["publishable_key"] != "pk_test_"+world || put["notes"] != nil || put["provider"] != "stripe" {
			t.Errorf("put answered %v", put)
		}
		if url, _ := put["webhook_url"].(string); !strings.HasPrefix(url, "https://pay.example.com/v1/webhooks/stripe/"+scope.Merchant+"/") || len(url) != len("https://pay.example.com/v1/webhooks/stripe/")+36+1+32 {
			t.Errorf("the URL for Stripe is %s", url)
		}
		if got := w.ask(t, key, "GET", "/v1/merchant", "").data(t)["provider"]; fmt.Sprint(got) != fmt.Sprint(put) {
			t.Errorf("shown as %v, put as %v", got, put)
		}
		want := map[string]any{"provider": "stripe", "mode": "test", "publishable_key": "pk_test_" + world, "account": account}
		if got := w.ask(t, key, "GET", "/v1/config", "").data(t); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("config is %v, want %v", got, want)
		}
		client, err := w.Client(context.Background(), scope, 1)
		if err != nil {
			t.Fatal(err)
		}
		if seen, err := client.Account(context.Background()); err != nil || seen.ID != account {
			t.Errorf("the client speaks for %s, %v; want %s", seen.ID, err, account)
		}

		if got := w.ask(t, stranger, "GET", "/v1/merchant", "").data(t); got["provider"] != nil || got["name"] != "two" {
			t.Errorf("another merchant sees %v", got)
		}
		w.ask(t, stranger, "GET", "/v1/config", "").want(t, http.StatusUnprocessableEntity, fault.ProviderUnset, "")
	})
}

// A new key of the same account takes the old one's place; what is left out stays.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		there := node(t, d, w.Sealer, w.Base)
		scope, key := w.shop(t, "one", "test")
		world, secret := suffix(), webhookSecret()
		first := w.ask(t, key, "PUT", providers, body("sk_test_"+world, "webhook_secret", secret, "publishable_key", "pk_test_"+world)).data(t)
		old, err := there.Client(ctx, scope, 1)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := there.Client(ctx, scope, 1); err != nil || again != old {
			t.Errorf("unchanged credentials make another client: %v", err)
		}

		second := w.ask(t, key, "PUT", providers, body("rk_test_"+world)).data(t)
		for _, same := range []string{"account", "generation", "webhook_url", "publishable_key", "webhook_secret_set"} {
			if first[same] != second[same] {
				t.Errorf("%s changed from %v to %v", same, first[same], second[same])
			}
		}
		if fresh, err := there.Client(ctx, scope, 1); err != nil || fresh == old {
			t.Errorf("another node still uses the old key: %v", err)
		}
		if got, err := w.InboundSecrets(ctx); err != nil || len(got) != 1 || got[0] != (merchant.InboundSecret{Scope: scope, Generation: 1, Secret: secret}) {
			t.Errorf("after a rotation of the key the signing secrets are %#v, %v", got, err)
		}
		other := webhookSecret()
		w.ask(t, key, "PUT", providers, body("rk_test_"+world, "webhook_secret", other)).data(t)
		if got, err := w.InboundSecrets(ctx); err != nil || len(got) != 1 || got[0].Secret != other {
			t.Errorf("a new signing secret is not used at once: %#v, %v", got, err)
		}
	})
}

// Another account begins a generation, and the earlier one keeps working for what was paid under it, with new keys too.
func TestGenerations(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		scope, key := w.shop(t, "one", "test")
		a, b, secretA := suffix(), suffix(), webhookSecret()
		first := w.ask(t, key, "PUT", providers, body("sk_test_"+a, "webhook_secret", secretA, "publishable_key", "pk_test_"+a)).data(t)
		second := w.ask(t, key, "PUT", providers, body("sk_test_"+b)).data(t)
		if second["generation"] != 2.0 || second["account"] == first["account"] || second["webhook_secret_set"] != false || second["publishable_key"] != "" || second["webhook_url"] == first["webhook_url"] {
			t.Errorf("the second account has something of the first: %v", second)
		}
		if notes := fmt.Sprint(second["notes"]); !strings.Contains(notes, "no webhook secret yet") {
			t.Errorf("without a signing secret the notes are %s", notes)
		}
		third := w.ask(t, key, "PUT", providers, body("rk_test_"+a)).data(t)
		if third["generation"] != 3.0 || third["account"] != first["account"] || third["webhook_url"] != first["webhook_url"] || third["webhook_secret_set"] != true || third["publishable_key"] != "pk_test_"+a {
			t.Errorf("back with the first account: %v, it was %v", third, first)
		}
		for generation, account := range map[int64]any{1: first["account"], 2: second["account"], 3: first["account"]} {
			client, err := w.Client(ctx, scope, generation)
			if err != nil {
				t.Fatal(err)
			}
			if seen, err := client.Account(ctx); err != nil || seen.ID != account {
				t.Errorf("generation %d speaks for %s, %v; want %v", generation, seen.ID, err, account)
			}
		}
		if got, err := w.InboundSecrets(ctx); err != nil || len(got) != 1 || got[0] != (merchant.InboundSecret{Scope: scope, Generation: 3, Secret: secretA}) {
			t.Errorf("one signing secret is known as %#v, %v", got, err)
		}
		url, _ := first["webhook_url"].(string)
		got, err := w.InboundByToken(ctx, scope.Merchant, url[strings.LastIndex(url, "/")+1:])
		if err != nil || len(got) != 2 || got[0].Generation != 3 || got[1].Generation != 1 || got[0].Secret != secretA || got[1].Secret != secretA {
			t.Errorf("the first account's own URL knows %#v, %v", got, err)
		}
		if _, err := w.Client(ctx, scope, 4); !fault.Is(err, fault.ProviderUnset) {
			t.Errorf("a generation that is not there: %v", err)
		}
	})
}

// The old key of an account that a merchant returned to may have ended: its first generation must get the new one as well.
func TestReturningRenewsTheFirstGeneration(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		scope, key := w.shop(t, "one", "test")
		var used sync.Map // authorization → true, while counting
		account := map[string]string{"a": "acct_1", "b": "acct_2"}
		w.Base = stripeThat(t, func(rw http.ResponseWriter, r *http.Request) {
			auth := r.Header.Get("Authorization")
			used.Store(auth, true)
			fmt.Fprintf(rw, `{"id":%q}`, account[string(auth[len(auth)-1])])
		})
		for _, k := range []string{"sk_test_1a", "sk_test_1b", "sk_test_2a"} {
			w.ask(t, key, "PUT", providers, body(k)).data(t)
		}
		used.Clear()
		client, err := w.Client(ctx, scope, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Account(ctx); err != nil {
			t.Fatal(err)
		}
		if _, ok := used.Load("Bearer sk_test_2a"); !ok {
			t.Error("generation 1 still uses the key that ended")
		}
	})
}

// stripeThat is a Stripe that misbehaves as it is told.
func stripeThat(t testing.TB, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestPutProvidersRefusals(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := setup(t, d)
		_, key := w.shop(t, "one", "test")
		live, _, err := w.CreateKey(context.Background(), merchant.KeyInput{Merchant: "one", Mode: "live", Scopes: api.Scopes})
		if err != nil {
			t.Fatal(err)
		}
		_, liveKey, err := w.CreateKey(context.Background(), merchant.KeyInput{Merchant: "one", Mode: live.Mode, Scopes: api.Scopes})
		if err != nil {
			t.Fatal(err)
		}
		_, reader, err := w.CreateKey(context.Background(), merchant.KeyInput{Merchant: "one", Mode: "test", Scopes: []string{api.MerchantRead}})
		if err != nil {
			t.Fatal(err)
		}
		good, s := secretKey(), suffix()
		for name, c := range map[string]struct {
			key, body string
			status    int
			code      fault.Code
			param     string
		}{
			"scope":                   {reader, body(good), 403, fault.ScopeMissing, ""},
			"no body":                 {key, `{}`, 400, fault.ParameterMissing, "provider"},
			"another provider":        {key, strings.Replace(body(good), `"stripe"`, `"paypal"`, 1), 400, fault.ParameterInvalid, "provider"},
			"no secret":               {key, `{"provider":"stripe","stripe":{}}`, 400, fault.ParameterMissing, "stripe.secret_key"},
			"empty secret":            {key, body(""), 400, fault.ParameterInvalid, "stripe.secret_key"},
			"unknown field":           {key, body(good, "secret", good), 400, fault.ParameterUnknown, "stripe.secret"},
			"publishable as secret":   {key, body("pk_test_" + s), 400, fault.ParameterInvalid, "stripe.secret_key"},
			"till's key as secret":    {key, body(key), 400, fault.ParameterInvalid, "stripe.secret_key"},
			"bent secret":             {key, body(good + "\r\nHost: evil"), 400, fault.ParameterInvalid, "stripe.secret_key"},
			"long secret":             {key, body("sk_test_" + strings.Repeat("a", 300)), 400, fault.ParameterInvalid, "stripe.secret_key"},
			"number":                  {key, `{"provider":"stripe","stripe":{"secret_key":1}}`, 400, fault.ParameterInvalid, "stripe.secret_key"},
			"live key, test mode":     {key, body("sk_live_" + s), 422, fault.ProviderModeMismatch, "stripe.secret_key"},
			"test key, live mode":     {liveKey, body(good), 422, fault.ProviderModeMismatch, "stripe.secret_key"},
			"live restricted":         {key, body("rk_live_" + s), 422, fault.ProviderModeMismatch, "stripe.secret_key"},
			"secret as publishable":   {key, body(good, "publishable_key", good), 400, fault.ParameterInvalid, "stripe.publishable_key"},
			"live publishable":        {key, body(good, "publishable_key", "pk_live_"+s), 422, fault.ProviderModeMismatch, "stripe.publishable_key"},
			"webhook secret":          {key, body(good, "webhook_secret", "secret"), 400, fault.ParameterInvalid, "stripe.webhook_secret"},
			"live key, other address": {liveKey, body("sk_live_" + s), 422, fault.ProviderAddress, "stripe.secret_key"},
			"both ways":               {key, strings.Replace(body(good, "webhook_secret", webhookSecret()), `{`, `{"register":true,`, 1), 400, fault.ParameterInvalid, "register"},
		} {
			got := w.ask(t, c.key, "PUT", providers, c.body)
			got.want(t, c.status, c.code, c.param)
			for _, given := range []string{good, s} {
				if strings.Contains(got.text, given) {
					t.Errorf("%s: the answer repeats what was sent: %s", name, got.text)
				}
			}
		}
		w.PublicURL = ""
		w.ask(t, key, "PUT", providers, registering(good)).want(t, 400, fault.ParameterInvalid, "register")
		wantEmpty(t, d, "providers")
	})
}

// What Stripe, or whatever is at its address, says: nothing may be kept, and the key may come up nowhere.
func TestStripeSaysNo(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	hijack := func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			c.Close()
		}
	}
	echo := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"error":{"type":"invalid_request_error","message":"I saw %s"}}`, r.Header.Get("Authorization"))
		}
	}
	for name, c := range map[string]struct {
		stripe http.HandlerFunc
		status int
		code   fault.Code
		param  string
	}{
		"unknown key":     {echo(401), 422, fault.ProviderCredentials, "stripe.secret_key"},
		"lacks the right": {echo(403), 422, fault.ProviderRefused, ""},
		"limited":         {echo(429), 503, fault.ProviderUnavailable, ""},
		"failed":          {echo(500), 503, fault.ProviderUnavailable, ""},
		"odd":             {echo(402), 503, fault.ProviderUnavailable, ""},
		"cut":             {hijack, 503, fault.ProviderUnavailable, ""},
		"no JSON": {func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>", r.Header.Get("Authorization")) },
			503, fault.ProviderUnavailable, ""},
		"no account": {says(200, `{"object":"account"}`), 503, fault.ProviderUnavailable, ""},
		"odd id":     {says(200, `{"id":"acct_1\nacct_2"}`), 503, fault.ProviderUnavailable, ""},
		"gone":       {nil, 503, fault.ProviderUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := setup(t, d)
				w.Base = gone.URL
				if c.stripe != nil {
					w.Base = stripeThat(t, c.stripe)
				}
				_, key := w.shop(t, "one", "test")
				secret := secretKey()
				got := w.ask(t, key, "PUT", providers, body(secret))
				got.want(t, c.status, c.code, c.param)
				if strings.Contains(got.text+w.log.String(), secret) {
					t.Errorf("the key came up in %s or in %s", got.text, w.log)
				}
				wantEmpty(t, d, "providers")
			})
		})
	}
}

// A key that Stripe refuses must leave the one in use alone.
func TestARefusedKeyChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := setup(t, d)
		_, key := w.shop(t, "one", "test")
		w.ask(t, key, "PUT", providers, body(secretKey(), "webhook_secret", webhookSecret())).data(t)
		before := everything(t, d)
		w.Base = stripeThat(t, says(401, `{"error":{"type":"invalid_request_error","message":"Invalid API Key provided"}}`))
		w.ask(t, key, "PUT", providers, body(secretKey(), "webhook_secret", webhookSecret())).want(t, 422, fault.ProviderCredentials, "stripe.secret_key")
		if after := everything(t, d); after != before {
			t.Errorf("it was\n%s\nand is\n%s", before, after)
		}
	})
}

// Requests that set the same merchant up at once must end in one of them, whole.
func TestConfigureAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		scope, _ := w.shop(t, "one", "test")
		worlds := []string{suffix(), suffix()}
		var all sync.WaitGroup
		var done atomic.Int64
		for i := range 16 {
			all.Go(func() {
				if _, err := w.Configure(ctx, scope, credentials("sk_test_"+worlds[i%2])); err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			})
		}
		all.Wait()
		newest, err := w.Provider(ctx, scope)
		if err != nil || done.Load() != 16 || newest.Generation < 2 || newest.Generation > 16 {
			t.Fatalf("%d done, generation %d, %v", done.Load(), newest.Generation, err)
		}
		accounts := map[string]string{}
		var last string
		for g := int64(1); g <= newest.Generation; g++ {
			client, err := w.Client(ctx, scope, g)
			if err != nil {
				t.Fatal(err)
			}
			seen, err := client.Account(ctx)
			if err != nil || seen.ID == last {
				t.Errorf("generation %d has the account of the one before (%s), %v", g, seen.ID, err)
			}
			last = seen.ID
			accounts[last] = last
		}
		if len(accounts) != 2 {
			t.Errorf("accounts %v", accounts)
		}
	})
}

func TestAccountChangesAreBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		scope, _ := w.shop(t, "one", "test")
		worlds := []string{suffix(), suffix()}
		for i := range 100 {
			if _, err := w.Configure(ctx, scope, credentials("sk_test_"+worlds[i%2])); err != nil {
				t.Fatal(i, err)
			}
		}
		_, err := w.Configure(ctx, scope, credentials("sk_test_"+worlds[0]))
		wantFault(t, err, fault.ParameterInvalid, "stripe.secret_key")
		if _, err := w.Configure(ctx, scope, credentials("rk_test_"+worlds[1])); err != nil {
			t.Errorf("a new key of the account in use: %v", err)
		}
	})
}

// A Stripe that never answers holds a request no longer than its caller waits.
func TestStripeHangs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := setup(t, d)
		scope, _ := w.shop(t, "one", "test")
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		w.Base = stripeThat(t, func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})
		_, err := w.Configure(ctx, scope, credentials(secretKey()))
		wantFault(t, err, fault.ProviderUnavailable, "")
		wantEmpty(t, d, "providers")
	})
}
