package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// OAuth is how accounts that answer to Stripe themselves are connected: at Stripe under connect.stripe.com, here under the same address as
// everything else.
const (
	oauthPath   = "/oauth/"
	expressPath = "/express/oauth/"
)

// codeLife is how long an authorization code is good (docs.stripe.com/connect/oauth-reference: five minutes, once).
const codeLife = 5 * time.Minute

// grant is what an account has granted the platform by OAuth.
type grant struct {
	Code     string `json:",omitempty"` // that is exchanged for keys; empty once it was
	Expires  int64  // of the code
	Refresh  string `json:",omitempty"` // token
	ReadOnly bool   `json:",omitempty"`
}

func (g *grant) scope() string {
	if g.ReadOnly {
		return "read_only"
	}
	return "read_write"
}

// oauthError is a refusal in OAuth's words.
type oauthError struct {
	status            int
	Code, Description string
}

func (e *oauthError) Error() string { return e.Description }

func badGrant(description string) error {
	return &oauthError{http.StatusBadRequest, "invalid_grant", description}
}

// serveOAuth answers what is under /oauth/.
func (s *Server) serveOAuth(w http.ResponseWriter, r *http.Request) {
	switch what := r.Method + " " + strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/express"), oauthPath); what {
	case "GET authorize", "POST authorize":
		s.serveAuthorize(w, r)
	case "POST token":
		s.answerOAuth(w, r, (*world).exchangeGrant)
	case "POST deauthorize":
		s.answerOAuth(w, r, (*world).deauthorize)
	default:
		http.NotFound(w, r)
	}
}

// answerOAuth answers a request that carries a secret key, in the form or in the header.
func (s *Server) answerOAuth(w http.ResponseWriter, r *http.Request, do func(*world, *http.Request) (map[string]any, error)) {
	answer, err := s.oauth(w, r, do)
	status := http.StatusOK
	if err != nil {
		e, known := err.(*oauthError)
		if !known {
			e = &oauthError{http.StatusInternalServerError, "api_error", "An error in the sandbox itself."}
		}
		status, answer = e.status, map[string]any{"error": e.Code, "error_description": e.Description}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a caller who has gone is no business of ours
}

func (s *Server) oauth(w http.ResponseWriter, r *http.Request, do func(*world, *http.Request) (map[string]any, error)) (map[string]any, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
	if err := r.ParseForm(); err != nil {
		return nil, &oauthError{http.StatusBadRequest, "invalid_request", "The request's body could not be read."}
	}
	key, given := apiKey(r)
	if !given {
		key = r.PostForm.Get("client_secret")
	}
	kind, suffix := parseKey(key)
	if suffix == "" || kind == publishableKey || foreign(r) {
		return nil, &oauthError{http.StatusUnauthorized, "invalid_client", "No such API key: " + masked(key)}
	}
	of, err := s.world(suffix, false)
	if err != nil || of == nil {
		return nil, &oauthError{http.StatusUnauthorized, "invalid_client", "No such API key: " + masked(key)}
	}
	var answer map[string]any
	var refusal error
	if unwritten := of.step(func() { answer, refusal = do(of, r) }); unwritten != nil && refusal == nil {
		refusal = unwritten
	}
	return answer, refusal
}

// exchangeGrant gives keys for a code, or for a refresh token. The lock is held.
func (w *world) exchangeGrant(r *http.Request) (map[string]any, error) {
	code, refresh := r.PostForm.Get("code"), r.PostForm.Get("refresh_token")
	var account *record
	var of *grant
	switch kind := r.PostForm.Get("grant_type"); {
	case kind == "":
		return nil, &oauthError{http.StatusBadRequest, "invalid_request", "No grant type specified"}
	case kind == "authorization_code":
		account, of = w.granted(func(g *grant) bool { return g.Code != "" && g.Code == code })
		if of == nil {
			return nil, badGrant("Authorization code does not exist: " + code)
		}
		if w.now().Unix() >= of.Expires {
			return nil, badGrant("Authorization code expired: " + code)
		}
		of.Code = ""
		of.Refresh = "rt_" + w.letters(48)
	case kind == "refresh_token":
		account, of = w.granted(func(g *grant) bool { return g.Refresh != "" && g.Refresh == refresh })
		if of == nil {
			return nil, badGrant("This refresh token does not exist: " + refresh)
		}
	default:
		return nil, &oauthError{http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type: " + kind}
	}
	suffix := w.suffix + "_" + account.id
	return map[string]any{"access_token": secretKey + suffix, "livemode": false, "refresh_token": of.Refresh, "token_type": "bearer", "stripe_publishable_key": publishableKey + suffix,
		"stripe_user_id": account.id, "scope": of.scope()}, nil
}

// granted is the account whose grant is the one that is meant, and that grant; nil where there is none.
func (w *world) granted(is func(*grant) bool) (*record, *grant) {
	for r := range w.home.each("account") {
		s := known[standing](r)
		if s.Left || s.Dossier == nil || s.Dossier.Grant == nil || !is(s.Dossier.Grant) {
			continue
		}
		return r, private[standing](r).Dossier.Grant
	}
	return nil, nil
}

// deauthorize disconnects an account. The lock is held.
func (w *world) deauthorize(r *http.Request) (map[string]any, error) {
	client, id := r.PostForm.Get("client_id"), r.PostForm.Get("stripe_user_id")
	account := w.home.find("account", id)
	switch {
	case client != w.clientID():
		return nil, &oauthError{http.StatusUnauthorized, "invalid_client", "No such application: '" + client + "'"}
	case account == nil || id == w.home.account || known[standing](account).Left:
		return nil, &oauthError{http.StatusUnauthorized, "invalid_client", "This application is not connected to stripe account " + id + ", or that account does not exist."}
	case known[standing](account).Dossier != nil && !known[standing](account).Dossier.Hosted:
		return nil, &oauthError{http.StatusBadRequest, "invalid_request", "This account can not be disconnected: its platform answers for it."}
	}
	w.connected[id].own().depart(account)
	return map[string]any{"stripe_user_id": id}, nil
}
