package merchant_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
)

// configured gives a merchant credentials, with a signing secret or without.
func (w *world) configured(t testing.TB, scope db.Scope, secret string) merchant.Configured {
	t.Helper()
	in := credentials("sk_test_" + suffix())
	in.Stripe.WebhookSecret = merchant.Secret(secret)
	got, err := w.Configure(context.Background(), scope, in)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTheSharedURLServesTheFirst32(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		unset, _ := w.shop(t, "without a secret", "test")
		w.configured(t, unset, "")
		var want []merchant.InboundSecret
		for i := range 34 {
			scope, _ := w.shop(t, fmt.Sprint("merchant ", i), "test")
			secret := webhookSecret()
			w.clock.Advance(time.Second)
			got := w.configured(t, scope, secret)
			if crowded := slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, "webhook_url: the shared URL") }); crowded != (i >= 32) {
				t.Errorf("the merchant number %d is told %q", i+1, got.Notes)
			}
			want = append(want, merchant.InboundSecret{Scope: scope, Generation: 1, Secret: secret})
		}
		got, err := w.InboundSecrets(ctx)
		if err != nil || !slices.Equal(got, want[:33]) {
			t.Errorf("%d secrets, %v; want the first 33", len(got), err)
		}
		for _, s := range want { // a merchant's own URL serves everybody
			p, err := w.Provider(ctx, s.Scope)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := w.InboundByToken(ctx, s.Merchant, p.WebhookToken); err != nil || len(got) != 1 || got[0] != s {
				t.Errorf("by token: %v, %v", got, err)
			}
		}
	})
}

func TestInboundByToken(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		one, _ := w.shop(t, "one", "test")
		two, _ := w.shop(t, "two", "test")
		mine, theirs := w.configured(t, one, ""), w.configured(t, two, webhookSecret())
		if mine.WebhookToken == theirs.WebhookToken || len(mine.WebhookToken) != 32 {
			t.Errorf("tokens %s and %s", mine.WebhookToken, theirs.WebhookToken)
		}
		if got, err := w.InboundByToken(ctx, one.Merchant, mine.WebhookToken); err != nil || len(got) != 1 || got[0] != (merchant.InboundSecret{Scope: one, Generation: 1}) {
			t.Errorf("without a secret: %#v, %v", got, err)
		}
		for name, c := range map[string][2]string{
			"another's token":    {one.Merchant, theirs.WebhookToken},
			"another merchant":   {two.Merchant, mine.WebhookToken},
			"no token":           {one.Merchant, ""},
			"half a token":       {one.Merchant, mine.WebhookToken[:16]},
			"upper case":         {one.Merchant, strings.ToUpper(mine.WebhookToken) + "A"},
			"nobody":             {id.New(), mine.WebhookToken},
			"what is no id":      {"' or 1=1 --", mine.WebhookToken},
			"a pattern as token": {one.Merchant, "%"},
		} {
			if got, err := w.InboundByToken(ctx, c[0], c[1]); err != nil || len(got) != 0 {
				t.Errorf("%s: %#v, %v", name, got, err)
			}
		}
	})
}

// The opened secrets are kept for a moment: a change on this node counts at once, one on another soon.
func TestInboundSecretsAreKeptBriefly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		there := node(t, d, w.Sealer, w.Base)
		one, _ := w.shop(t, "one", "test")
		if got, err := there.InboundSecrets(ctx); err != nil || len(got) != 0 {
			t.Fatalf("at first: %#v, %v", got, err)
		}
		secret := webhookSecret()
		w.configured(t, one, secret)
		if got, err := w.InboundSecrets(ctx); err != nil || len(got) != 1 || got[0].Secret != secret {
			t.Errorf("here: %#v, %v", got, err)
		}
		if got, err := there.InboundSecrets(ctx); err != nil || len(got) != 0 {
			t.Errorf("there, at once: %#v, %v; the database was asked again", got, err)
		}
		there.clock.Advance(5 * time.Second)
		if got, err := there.InboundSecrets(ctx); err != nil || len(got) != 1 || got[0].Secret != secret {
			t.Errorf("there, soon: %#v, %v", got, err)
		}
	})
}

// What somebody changed in the database opens nowhere, and silences nobody else.
func TestBrokenCiphertext(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		one, _ := w.shop(t, "one", "test")
		two, _ := w.shop(t, "two", "test")
		secret := webhookSecret()
		w.configured(t, one, secret)
		mine := w.configured(t, two, webhookSecret())
		// The first merchant's ciphertext, put in the second one's place.
		swap := db.Change{SQL: `update providers set webhook_secret = (select webhook_secret from providers where merchant = $1), secret_key = (select secret_key from providers where merchant = $1) where merchant = $2`,
			Args: []any{one.Merchant, two.Merchant}, Rows: 1}
		if err := d.Write(ctx, swap); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Minute)
		if got, err := w.InboundSecrets(ctx); err != nil || len(got) != 1 || got[0].Secret != secret {
			t.Errorf("left: %#v, %v", got, err)
		}
		if !strings.Contains(w.log.String(), "signing secret left out") {
			t.Error("nobody is told")
		}
		if got, err := w.InboundByToken(ctx, two.Merchant, mine.WebhookToken); err == nil {
			t.Errorf("opened elsewhere: %#v", got)
		}
		if _, err := w.Client(ctx, two, 1); err == nil {
			t.Error("a secret key opened in another merchant's row")
		}
	})
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	const word = "plaintext"
	in := merchant.InboundSecret{Scope: db.Scope{Merchant: "m", Mode: "test"}, Secret: word}
	var log logBook
	l := slog.New(slog.NewJSONHandler(&log, nil))
	l.Info("x", "a", merchant.Secret(word), "b", in, "c", &in, "d", credentials(word), "e", []any{merchant.Secret(word), in, &in})
	text := fmt.Sprintf("%v %+v %#v %s %q %x %v %#v %+v %v", merchant.Secret(word), merchant.Secret(word), merchant.Secret(word), merchant.Secret(word), merchant.Secret(word),
		merchant.Secret(word), in, in, credentials(word), []merchant.InboundSecret{in}) + log.String() + db.JSON(credentials(word))
	if strings.Contains(text, word) || strings.Contains(text, fmt.Sprintf("%x", word)) {
		t.Errorf("a secret prints: %s", text)
	}
	if !strings.Contains(text, "[secret]") {
		t.Errorf("nothing stands in its place: %s", text)
	}
}
