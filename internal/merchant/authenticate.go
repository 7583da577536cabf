package merchant

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
)

// ofStripe is the form of what Stripe gives out: secret, restricted and publishable keys, signing secrets, tokens of apps.
var ofStripe = regexp.MustCompile(`^(sk|rk|pk|ek|whsec)_`)

// Authenticate is the caller whose key the X-API-Key header holds. It implements api.Authenticate.
//
// Nothing is remembered between calls: a revoked key must end at once on every node. The look-up goes by the key's hash, so its
// timing tells nothing of any key: who does not know a key cannot choose how its hash begins.
func (m *Merchants) Authenticate(ctx context.Context, header http.Header) (api.Caller, error) {
	given, err := presented(header)
	if err != nil {
		return api.Caller{}, err
	}
	scope, ok := readKey(given)
	if !ok {
		return api.Caller{}, notOurs(given)
	}
	key, err := findKeyByHash(ctx, m.DB, scope, hash(given))
	switch {
	case errors.Is(err, db.ErrNone):
		return api.Caller{}, fault.New(fault.APIKeyInvalid, "X-API-Key", "This API key is not one of ours: it has the right form, but nobody made it here. Make one with `till key create`.")
	case err != nil:
		return api.Caller{}, err
	case !key.RevokedAt.IsZero():
		return api.Caller{}, fault.New(fault.APIKeyRevoked, "X-API-Key", "This API key was revoked. Make another with `till key create`.")
	}
	return api.Caller{Scope: key.Scope, KeyID: key.ID, Scopes: key.Scopes}, nil
}

func presented(header http.Header) (string, error) {
	given := header.Values("X-API-Key")
	switch {
	case len(given) > 1:
		return "", fault.New(fault.APIKeyInvalid, "X-API-Key", "The X-API-Key header is there twice: send one key.")
	case len(given) == 1 && strings.TrimSpace(given[0]) != "":
		return strings.TrimSpace(given[0]), nil
	case header.Get("Authorization") != "":
		return "", fault.New(fault.APIKeyMissing, "X-API-Key", "Send the API key in the X-API-Key header, not in Authorization.")
	}
	return "", fault.New(fault.APIKeyMissing, "X-API-Key", "Send your API key in the X-API-Key header. `till key create` makes one.")
}

// notOurs says what is wrong with a key that does not have our form. It never repeats the key.
func notOurs(given string) error {
	switch {
	case ofStripe.MatchString(given):
		return fault.New(fault.StripeKeyAsAPIKey, "X-API-Key",
			"X-API-Key holds a key of Stripe's. It takes a key of till's own (till_test_… or till_live_…), made by `till key create`; Stripe's keys go into PUT /v1/merchant/providers, once.")
	case strings.HasPrefix(given, testPrefix), strings.HasPrefix(given, livePrefix):
		return fault.New(fault.APIKeyInvalid, "X-API-Key", "This API key is incomplete or mistyped: a key has %d letters and digits after its prefix. Copy it whole.", merchantDigits+keyDigits)
	}
	return fault.New(fault.APIKeyInvalid, "X-API-Key", "This is not an API key of till's: they begin with till_test_ or till_live_. Make one with `till key create`.")
}
