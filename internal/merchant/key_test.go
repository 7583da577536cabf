package merchant_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/merchant"
)

func TestMerchants(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		made, err := w.CreateMerchant(ctx, " Ada's Tea ")
		if err != nil {
			t.Fatal(err)
		}
		for _, by := range []string{made.ID, "Ada's Tea", " Ada's Tea"} {
			if got, err := w.Find(ctx, by); err != nil || got != made || got.Name != "Ada's Tea" || !got.CreatedAt.Equal(start) {
				t.Errorf("by %q: %+v, %v", by, got, err)
			}
		}
		for name, c := range map[string]struct {
			name string
			code fault.Code
		}{
			"again":      {"Ada's Tea", fault.ParameterInvalid},
			"empty":      {" ", fault.ParameterMissing},
			"long":       {strings.Repeat("é", 101), fault.ParameterInvalid},
			"an id":      {id.New(), fault.ParameterInvalid},
			"a newline":  {"Ada\nTea", fault.ParameterInvalid},
			"not a text": {"Ada\xff", fault.ParameterInvalid},
		} {
			_, err := w.CreateMerchant(ctx, c.name)
			if !fault.Is(err, c.code) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.CreateMerchant(ctx, strings.Repeat("é", 100)); err != nil {
			t.Errorf("a hundred characters: %v", err)
		}
		if _, err := w.Find(ctx, "nobody"); !fault.Is(err, fault.ResourceMissing) {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestKeys(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		owner, err := w.CreateMerchant(ctx, "one")
		if err != nil {
			t.Fatal(err)
		}
		other, _ := w.shop(t, "two", "test")
		in := merchant.KeyInput{Merchant: "one", Mode: "live", Name: " shop ", Scopes: []string{api.MerchantRead, api.PaymentsRead, api.MerchantRead}}
		key, secret, err := w.CreateKey(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(secret, "till_live_") || len(secret) != 75 || !strings.HasSuffix(secret, key.Hint) || len(key.Hint) != 4 {
			t.Errorf("a live key of %d characters, hint %s", len(secret), key.Hint)
		}
		if key.Merchant != owner.ID || key.Mode != "live" || key.Name != "shop" || !slices.Equal(key.Scopes, []string{api.PaymentsRead, api.MerchantRead}) {
			t.Errorf("made %+v", key)
		}
		caller, err := w.Authenticate(ctx, http.Header{"X-Api-Key": {secret}})
		if err != nil || caller.Scope != key.Scope || caller.KeyID != key.ID || !slices.Equal(caller.Scopes, key.Scopes) {
			t.Errorf("the key opens for %+v, %v", caller, err)
		}
		if kept, err := w.Keys(ctx, key.Scope); err != nil || len(kept) != 1 || kept[0].ID != key.ID || !kept[0].RevokedAt.IsZero() {
			t.Errorf("kept %+v, %v", kept, err)
		}
		if kept, err := w.Keys(ctx, db.Scope{Merchant: owner.ID, Mode: "test"}); err != nil || len(kept) != 0 {
			t.Errorf("in the other mode: %+v, %v", kept, err)
		}
		for _, elsewhere := range []db.Scope{other, {Merchant: owner.ID, Mode: "test"}, {Merchant: other.Merchant, Mode: "live"}} {
			if _, err := w.RevokeKey(ctx, elsewhere, key.ID); !fault.Is(err, fault.ResourceMissing) {
				t.Errorf("revoked from %v: %v", elsewhere, err)
			}
		}
		if _, err := w.Authenticate(ctx, http.Header{"X-Api-Key": {secret}}); err != nil {
			t.Errorf("another merchant ended the key: %v", err)
		}
		first, err := w.RevokeKey(ctx, key.Scope, key.ID)
		if err != nil || !first.RevokedAt.Equal(start) {
			t.Errorf("revoked %+v, %v", first, err)
		}
		w.clock.Advance(1e9)
		if again, err := w.RevokeKey(ctx, key.Scope, key.ID); err != nil || !again.RevokedAt.Equal(start) {
			t.Errorf("revoked again: %+v, %v", again, err)
		}
	})
}

func TestKeyInputIsChecked(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		owner, err := w.CreateMerchant(ctx, "one")
		if err != nil {
			t.Fatal(err)
		}
		good := merchant.KeyInput{Merchant: owner.ID, Mode: "test", Scopes: []string{api.PaymentsRead}}
		for name, c := range map[string]struct {
			change func(*merchant.KeyInput)
			code   fault.Code
			param  string
		}{
			"no mode":       {func(in *merchant.KeyInput) { in.Mode = "" }, fault.ParameterInvalid, "mode"},
			"unknown mode":  {func(in *merchant.KeyInput) { in.Mode = "Test" }, fault.ParameterInvalid, "mode"},
			"no scope":      {func(in *merchant.KeyInput) { in.Scopes = nil }, fault.ParameterMissing, "scopes"},
			"unknown scope": {func(in *merchant.KeyInput) { in.Scopes = []string{api.PaymentsRead, "payments:*"} }, fault.ParameterInvalid, "scopes"},
			"bad name":      {func(in *merchant.KeyInput) { in.Name = "a\x00b" }, fault.ParameterInvalid, "name"},
			"no merchant":   {func(in *merchant.KeyInput) { in.Merchant = "nobody" }, fault.ResourceMissing, "merchant"},
		} {
			in := good
			c.change(&in)
			_, secret, err := w.CreateKey(ctx, in)
			wantFault(t, err, c.code, c.param)
			if secret != "" {
				t.Errorf("%s: a key came out", name)
			}
		}
		for _, mode := range []string{"test", "live"} {
			if kept, err := w.Keys(ctx, db.Scope{Merchant: owner.ID, Mode: mode}); err != nil || len(kept) != 0 {
				t.Errorf("refused keys left %v, %v", kept, err)
			}
		}
	})
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := setup(t, d), context.Background()
		scope, good := w.shop(t, "one", "test")
		_, others := w.shop(t, "two", "test")
		revoked, ended, err := w.CreateKey(ctx, merchant.KeyInput{Merchant: "one", Mode: "test", Scopes: api.Scopes})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.RevokeKey(ctx, revoked.Scope, revoked.ID); err != nil {
			t.Fatal(err)
		}
		const prefix = len("till_test_") + 22 // the merchant's part
		for name, c := range map[string]struct {
			header http.Header
			code   fault.Code
			says   string
		}{
			"missing":                {http.Header{}, fault.APIKeyMissing, "X-API-Key header"},
			"empty":                  {http.Header{"X-Api-Key": {"  "}}, fault.APIKeyMissing, "X-API-Key header"},
			"in the wrong header":    {http.Header{"Authorization": {"Bearer " + good}}, fault.APIKeyMissing, "not in Authorization"},
			"twice":                  {http.Header{"X-Api-Key": {good, good}}, fault.APIKeyInvalid, "twice"},
			"junk":                   {http.Header{"X-Api-Key": {"junk' or '1'='1"}}, fault.APIKeyInvalid, "begin with till_test_"},
			"cut":                    {http.Header{"X-Api-Key": {good[:40]}}, fault.APIKeyInvalid, "Copy it whole"},
			"revoked":                {http.Header{"X-Api-Key": {ended}}, fault.APIKeyRevoked, "was revoked"},
			"of the other mode":      {http.Header{"X-Api-Key": {strings.Replace(good, "test", "live", 1)}}, fault.APIKeyInvalid, "nobody made it here"},
			"of another merchant":    {http.Header{"X-Api-Key": {others[:prefix] + good[prefix:]}}, fault.APIKeyInvalid, "nobody made it here"},
			"Stripe's secret key":    {http.Header{"X-Api-Key": {secretKey()}}, fault.StripeKeyAsAPIKey, "PUT /v1/merchant/providers"},
			"the source's sample":    {http.Header{"X-Api-Key": {"sk_live_your_key"}}, fault.StripeKeyAsAPIKey, "till key create"},
			"Stripe's restricted":    {http.Header{"X-Api-Key": {"rk_live_" + suffix()}}, fault.StripeKeyAsAPIKey, "till key create"},
			"Stripe's publishable":   {http.Header{"X-Api-Key": {"pk_test_" + suffix()}}, fault.StripeKeyAsAPIKey, "till key create"},
			"Stripe's signing":       {http.Header{"X-Api-Key": {webhookSecret()}}, fault.StripeKeyAsAPIKey, "till key create"},
			"long beyond all bounds": {http.Header{"X-Api-Key": {strings.Repeat("till_test_", 1e5)}}, fault.APIKeyInvalid, "Copy it whole"},
		} {
			caller, err := w.Authenticate(ctx, c.header)
			f, ok := fault.As(err)
			if !ok || f.Code != c.code || !strings.Contains(f.Message, c.says) || f.Kind != fault.Unauthenticated || caller.Merchant != "" {
				t.Errorf("%s: %v, %v; want %s that says %q", name, caller, err, c.code, c.says)
				continue
			}
			for _, given := range c.header.Values("X-Api-Key") {
				if given = strings.TrimSpace(given); given != "" && strings.Contains(err.Error(), given) {
					t.Errorf("%s: the error repeats the key", name)
				}
			}
		}
		if caller, err := w.Authenticate(ctx, http.Header{"X-Api-Key": {" " + good + " "}}); err != nil || caller.Scope != scope {
			t.Errorf("a good key: %v, %v", caller, err)
		}
	})
}

// A revoked key must end on every node with its next request.
func TestRevocationReachesOtherNodes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := setup(t, d)
		there := node(t, d, w.Sealer, w.Base)
		scope, key := w.shop(t, "one", "test")
		if got := there.ask(t, key, "GET", "/v1/merchant", ""); got.status != http.StatusOK {
			t.Fatal(got.text)
		}
		kept, err := w.Keys(context.Background(), scope)
		if err != nil || len(kept) != 1 {
			t.Fatal(kept, err)
		}
		if _, err := w.RevokeKey(context.Background(), scope, kept[0].ID); err != nil {
			t.Fatal(err)
		}
		there.ask(t, key, "GET", "/v1/merchant", "").want(t, http.StatusUnauthorized, fault.APIKeyRevoked, "X-API-Key")
	})
}
