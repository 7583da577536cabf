package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// maxSuffix bounds the part of a key after sk_test_, in characters.
const maxSuffix = 240

// authenticate reads the API key, as Bearer or as the user name of Basic, and finds the world that it names.
func (x *exchange) authenticate() error {
	key, given := apiKey(x.request)
	if !given {
		return &apiError{status: http.StatusUnauthorized, kind: invalidRequest,
			message: "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
			header:  [][2]string{{"WWW-Authenticate", `Bearer realm="Stripe"`}}}
	}
	kind, suffix := parseKey(key)
	if suffix == "" {
		return wrongKey(key)
	}
	if kind != publishableKey && foreign(x.request) {
		return &apiError{status: http.StatusForbidden, kind: invalidRequest,
			message: "A web page of another origin must not use a secret key. This sandbox refuses it, so that no page can reach it by a link with a key in it."}
	}
	suffix, x.own = x.sandbox.keyOf(suffix)
	w, err := x.sandbox.world(suffix, kind != publishableKey)
	if err != nil {
		return err
	}
	if w == nil { // a publishable key cannot be the first of its world, for it could find nothing there
		return wrongKey(key)
	}
	x.world, x.realm, x.browser = w, w.home, kind == publishableKey
	return nil
}

// keyOf tells the key that an account has granted by OAuth from all others: it is the platform's, with the account at its end.
func (s *Server) keyOf(suffix string) (platform, account string) {
	at := strings.LastIndex(suffix, "_acct_")
	if at <= 0 {
		return suffix, ""
	}
	w, err := s.world(suffix[:at], false)
	if err != nil || w == nil {
		return suffix, ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.connected[suffix[at+1:]] == nil {
		return suffix, ""
	}
	return suffix[:at], suffix[at+1:]
}

func apiKey(r *http.Request) (key string, given bool) {
	if user, _, basic := r.BasicAuth(); basic {
		return user, user != ""
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	key = strings.TrimSpace(key)
	return key, strings.EqualFold(scheme, "Bearer") && key != ""
}

// The kinds of keys, by what they begin with.
const (
	secretKey      = "sk_test_"
	restrictedKey  = "rk_test_"
	publishableKey = "pk_test_"
)

// parseKey takes a key apart; the suffix is empty when it is no key of the test mode.
func parseKey(key string) (kind, suffix string) {
	for _, kind := range []string{secretKey, restrictedKey, publishableKey} {
		if suffix, ok := strings.CutPrefix(key, kind); ok && wellFormed(suffix) {
			return kind, suffix
		}
	}
	return "", ""
}

func wellFormed(suffix string) bool {
	if suffix == "" || len(suffix) > maxSuffix {
		return false
	}
	for i := range len(suffix) {
		c := suffix[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func wrongKey(key string) error {
	if strings.Contains(key, "_live_") {
		return &apiError{status: http.StatusUnauthorized, kind: invalidRequest,
			message: "Invalid API Key provided: " + masked(key) + ". This is a sandbox, which takes test keys only: a live key must never be sent here."}
	}
	message := "Invalid API Key provided: " + masked(key)
	if strings.HasPrefix(key, secretKey) {
		message += ". This sandbox takes any key of sk_test_ and letters, digits and underscores, " + strconv.Itoa(maxSuffix) + " at most."
	}
	return &apiError{status: http.StatusUnauthorized, kind: invalidRequest, message: message}
}

// masked hides all of a key but its kind and its last four characters.
func masked(key string) string {
	if len(key) > 64 {
		key = key[:30] + key[len(key)-30:]
	}
	shown := 0
	for _, kind := range []string{"sk_test_", "sk_live_", "rk_test_", "rk_live_", "pk_test_", "pk_live_"} {
		if strings.HasPrefix(key, kind) {
			shown = len(kind)
		}
	}
	if len(key) < shown+8 {
		return key[:shown] + strings.Repeat("*", len(key)-shown)
	}
	return key[:shown] + strings.Repeat("*", len(key)-shown-4) + key[len(key)-4:]
}

// allowed refuses a publishable key everywhere but where browsers use it: making payment methods and tokens, and whatever a resource opens to a client secret.
func (x *exchange) allowed(op spec.Op) error {
	if !x.browser || slices.Contains(browserOperations, op.String()) {
		return nil
	}
	return secretRequired()
}

func secretRequired() error {
	return &apiError{status: http.StatusUnauthorized, kind: invalidRequest, code: "secret_key_required",
		message: "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys."}
}

var browserOperations = []string{
	"POST /v1/payment_methods",
	"POST /v1/tokens",
	"POST /v1/sources",
	"GET /v1/sources/{source}",
	"GET /v1/payment_intents/{intent}",
	"POST /v1/payment_intents/{intent}/confirm",
	"GET /v1/setup_intents/{intent}",
	"POST /v1/setup_intents/{intent}/confirm",
}

// ownedByBrowser checks the client secret that stands in for a secret key.
func (c *call) ownedByBrowser(r *record) error {
	given, noun := c.params.String("client_secret"), "PaymentIntent"
	switch r.resource.Object {
	case "setup_intent":
		noun = "SetupIntent"
	case "source":
		noun = "Source"
	}
	if !c.browser && given == "" {
		return nil
	}
	if given != r.object().String("client_secret") {
		param := "client_secret"
		if given == "" {
			return invalid("parameter_missing", param, "Missing required param: %s.", param)
		}
		return invalid(r.resource.Object+"_invalid_parameter", param, "The client_secret provided does not match the client_secret associated with the %s.", noun)
	}
	return nil
}
