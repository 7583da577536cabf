package merchant_test

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/merchant"
)

const webhook = "/v1/merchant/webhook"

func listening(url string, rotate bool) string {
	in := map[string]any{"webhook_url": url}
	if rotate {
		in["rotate_secret"] = true
	}
	return db.JSON(in)
}

func TestPutWebhook(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		scope, key := w.shop(t, "one", "test")
		other, stranger := w.shop(t, "two", "test")
		if _, err := w.Endpoint(ctx, scope); !errors.Is(err, db.ErrNone) {
			t.Fatalf("at first: %v", err)
		}
		const url = "https://shop.example.com/hooks?a=b"
		first := w.ask(t, key, "PUT", webhook, listening(url, false)).data(t)
		secret, _ := first["secret"].(string)
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if first["url"] != url || !strings.HasPrefix(secret, "whsec_") || err != nil || len(raw) != 24 {
			t.Errorf("made %v", first)
		}
		made, err := w.Endpoint(ctx, scope)
		if err != nil || made.URL != url || made.NextSeq != 1 || made.Scope != scope {
			t.Errorf("kept %+v, %v", made, err)
		}
		if got, err := w.EndpointSecrets(ctx, made); err != nil || !slices.Equal(got, []string{secret}) {
			t.Errorf("kept another secret: %v", err)
		}

		// The outbox numbers deliveries meanwhile; a new URL must not begin the count again.
		if err := d.Write(ctx, db.Change{SQL: `update endpoints set next_seq = 8 where merchant = $1`, Args: []any{scope.Merchant}, Rows: 1}); err != nil {
			t.Fatal(err)
		}
		second := w.ask(t, key, "PUT", webhook, listening("https://new.example.com", false)).data(t)
		if second["secret"] != nil || second["url"] != "https://new.example.com" {
			t.Errorf("changed to %v", second)
		}
		now, err := w.Endpoint(ctx, scope)
		if err != nil || now.ID != made.ID || now.NextSeq != 8 || now.URL != "https://new.example.com" || !now.UpdatedAt.After(made.UpdatedAt) {
			t.Errorf("kept %+v, %v; it was %+v", now, err, made)
		}
		if got, err := w.EndpointSecrets(ctx, now); err != nil || !slices.Equal(got, []string{secret}) {
			t.Errorf("a new URL changed the secret: %v", err)
		}
		third, _ := w.ask(t, key, "PUT", webhook, listening("https://new.example.com", true)).data(t)["secret"].(string)
		if got, err := w.EndpointSecrets(ctx, now); err != nil || !slices.Equal(got, []string{third, secret}) || third == secret || !strings.HasPrefix(third, "whsec_") {
			t.Errorf("a new secret was asked for; %v", err)
		}
		if shown := w.ask(t, key, "GET", "/v1/merchant", ""); strings.Contains(shown.text, third) || !strings.Contains(shown.text, `"https://new.example.com"`) {
			t.Errorf("shown: %s", shown.text)
		}

		if shown := w.ask(t, stranger, "GET", "/v1/merchant", "").data(t); shown["webhook"] != nil {
			t.Errorf("another merchant sees %v", shown)
		}
		theirs, _ := w.ask(t, stranger, "PUT", webhook, listening(url, false)).data(t)["secret"].(string)
		foreign, err := w.Endpoint(ctx, other)
		if err != nil || foreign.ID == now.ID || theirs == third {
			t.Errorf("another merchant got %+v, %v", foreign, err)
		}
		foreign.ID = now.ID // an id of the first merchant's, asked for as the second
		if _, err := w.EndpointSecrets(ctx, foreign); !errors.Is(err, db.ErrNone) {
			t.Errorf("another merchant reads the secret: %v", err)
		}
	})
}

func TestWebhookURLsThatAreRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := setup(t, d)
		_, key := w.shop(t, "one", "test")
		_, reader, err := w.CreateKey(context.Background(), merchant.KeyInput{Merchant: "one", Mode: "test", Scopes: []string{api.MerchantRead, api.PaymentsWrite}})
		if err != nil {
			t.Fatal(err)
		}
		long := "https://shop.example.com/" + strings.Repeat("a", 2048-len("https://shop.example.com/"))
		for name, c := range map[string]struct {
			key, body string
			status    int
			code      fault.Code
			param     string
		}{
			"scope":        {reader, listening("https://shop.example.com", false), 403, fault.ScopeMissing, ""},
			"none":         {key, `{}`, 400, fault.ParameterMissing, "webhook_url"},
			"empty":        {key, listening("", false), 400, fault.ParameterMissing, "webhook_url"},
			"long":         {key, listening(long+"a", false), 400, fault.ParameterInvalid, "webhook_url"},
			"relative":     {key, listening("/hooks", false), 400, fault.ParameterInvalid, "webhook_url"},
			"no host":      {key, listening("https:///hooks", false), 400, fault.ParameterInvalid, "webhook_url"},
			"opaque":       {key, listening("https:shop.example.com", false), 400, fault.ParameterInvalid, "webhook_url"},
			"a file":       {key, listening("file:///etc/passwd", false), 400, fault.ParameterInvalid, "webhook_url"},
			"another kind": {key, listening("gopher://shop.example.com", false), 400, fault.ParameterInvalid, "webhook_url"},
			"a password":   {key, listening("https://user:password@shop.example.com", false), 400, fault.ParameterInvalid, "webhook_url"},
			"a user":       {key, listening("https://user@shop.example.com", false), 400, fault.ParameterInvalid, "webhook_url"},
			"a fragment":   {key, listening("https://shop.example.com/#", false), 400, fault.ParameterInvalid, "webhook_url"},
			"a newline":    {key, listening("https://shop.example.com/a\nb", false), 400, fault.ParameterInvalid, "webhook_url"},
			"a number":     {key, `{"webhook_url":1}`, 400, fault.ParameterInvalid, "webhook_url"},
			"no number":    {key, listening("https://shop.example.com:port", false), 400, fault.ParameterInvalid, "webhook_url"},
			"plain":        {key, listening("http://shop.example.com", false), 422, fault.WebhookAddress, "webhook_url"}, // CheckURL's word
		} {
			got := w.ask(t, c.key, "PUT", webhook, c.body)
			if got.status != c.status || got.Error.Code != string(c.code) || got.Error.Param != c.param || strings.Contains(got.text, "password@") {
				t.Errorf("%s: got %d: %s", name, got.status, got.text)
			}
		}
		w.CheckURL = func(context.Context, string) error { return errors.New("lookup failed") }
		w.ask(t, key, "PUT", webhook, listening("https://shop.example.com", false)).want(t, 422, fault.WebhookAddress, "webhook_url")
		wantEmpty(t, d, "endpoints")

		w.CheckURL = func(context.Context, string) error { return nil } // an operator that allows plain HTTP
		w.ask(t, key, "PUT", webhook, listening("http://127.0.0.1:9/hooks", false)).data(t)
		w.ask(t, key, "PUT", webhook, listening(long, false)).data(t)
	})
}

// The secret before signs for as long as was asked for, and never a third; what is put aside is ciphertext, and of no use in the other's place.
func TestRotateSecret(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		scope, key := w.shop(t, "one", "test")
		w.ask(t, key, "PUT", webhook, `{"rotate_secret":true}`).want(t, 400, fault.ParameterMissing, "webhook_url") // nothing to rotate
		wantEmpty(t, d, "endpoints")
		put := func(body string) map[string]any { return w.ask(t, key, "PUT", webhook, body).data(t) }
		first := put(listening("https://shop.example.com/hooks", false))
		given := []string{first["secret"].(string)}
		if first["previous_secret_until"] != nil || first["id"] == "" || first["last_sequence"] != float64(0) {
			t.Errorf("at first: %v", first)
		}
		rotate := func(body string, hours int) {
			t.Helper()
			said := put(body)
			given = append(given, said["secret"].(string))
			want := any(nil)
			if hours > 0 {
				want = w.clock.Now().Add(time.Duration(hours) * time.Hour).Format(time.RFC3339Nano)
			}
			shown, _ := w.ask(t, key, "GET", "/v1/merchant", "").data(t)["webhook"].(map[string]any)
			if said["previous_secret_until"] != want || shown["previous_secret_until"] != want || shown["id"] != first["id"] || said["url"] != "https://shop.example.com/hooks" {
				t.Errorf("%s: said %v, shown %v; the overlap ends at %v", body, said, shown, want)
			}
		}
		signs := func(which ...int) {
			t.Helper()
			e, err := w.Endpoint(ctx, scope)
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.EndpointSecrets(ctx, e)
			want := []string{}
			for _, i := range which {
				want = append(want, given[i])
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("not signed with secrets %v of %d, but with %d others; %v", which, len(given), len(got), err)
			}
		}
		signs(0)
		rotate(`{"rotate_secret":true}`, 24)
		signs(1, 0)
		w.clock.Advance(24*time.Hour - time.Microsecond)
		signs(1, 0)
		w.clock.Advance(time.Microsecond)
		signs(1)
		rotate(`{"rotate_secret":true,"overlap_hours":168}`, 168)
		rotate(`{"rotate_secret":true,"overlap_hours":1,"webhook_url":"https://shop.example.com/hooks"}`, 1)
		signs(3, 2) // the oldest ended at once, though its week was not over
		put(listening("https://shop.example.com/hooks", false))
		signs(3, 2)

		swap := db.Change{SQL: `update endpoints set secret = previous_secret, previous_secret = secret where merchant = $1`, Args: []any{scope.Merchant}, Rows: 1}
		if err := d.Write(ctx, swap); err != nil {
			t.Fatal(err)
		}
		e, _ := w.Endpoint(ctx, scope)
		if got, err := w.EndpointSecrets(ctx, e); err == nil {
			t.Errorf("a secret opens in the place of another: %d", len(got))
		}
		if err := d.Write(ctx, swap); err != nil {
			t.Fatal(err)
		}

		rotate(`{"rotate_secret":true,"overlap_hours":0}`, 0)
		signs(4)
		if kept, err := db.One(ctx, d, db.Value[string], `select previous_secret from endpoints where merchant = $1`, scope.Merchant); err != nil || kept != "" {
			t.Errorf("a secret that has ended is still kept: %v", err)
		}
		for _, bad := range []string{`"overlap_hours":1`, `"rotate_secret":false,"overlap_hours":0`, `"rotate_secret":true,"overlap_hours":169`, `"rotate_secret":true,"overlap_hours":-1`,
			`"rotate_secret":true,"overlap_hours":1.5`, `"rotate_secret":true,"overlap_hours":"24"`} {
			w.ask(t, key, "PUT", webhook, `{"webhook_url":"https://shop.example.com/hooks",`+bad+`}`).want(t, 400, fault.ParameterInvalid, "overlap_hours")
		}
		w.ask(t, key, "PUT", webhook, `{"rotate_secret":true,"webhook_url":" "}`).want(t, 400, fault.ParameterMissing, "webhook_url")
		signs(4)
	})
}

// Requests at once make one endpoint, and the secret in use is one that was given out.
func TestPutWebhookAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		scope, _ := w.shop(t, "one", "test")
		var all sync.WaitGroup
		var mu sync.Mutex
		given := map[string]bool{}
		ids := map[string]bool{}
		for range 16 {
			all.Go(func() {
				e, secret, err := w.Listen(ctx, scope, merchant.ListenInput{URL: "https://shop.example.com"})
				mu.Lock()
				defer mu.Unlock()
				ids[e.ID] = true
				if err != nil {
					t.Error(err)
				}
				if secret != "" {
					given[secret] = true
				}
			})
		}
		all.Wait()
		e, err := w.Endpoint(ctx, scope)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := w.EndpointSecrets(ctx, e)
		if err != nil || len(given) != 1 || len(kept) != 1 || !given[kept[0]] || len(ids) != 1 {
			t.Errorf("%d endpoints, %d secrets given out, %d kept; %v", len(ids), len(given), len(kept), err)
		}
	})
}
