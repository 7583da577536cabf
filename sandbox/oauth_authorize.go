package sandbox

import (
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

//go:embed oauth.html
var oauthSource string

var oauthPage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("oauth").Parse(oauthSource))
})

// oauthView is what the page shows on which an account is connected, or not.
type oauthView struct {
	Message  string
	Platform string
	Client   string
	Scope    string
	Email    string
	Country  string
}

func (v oauthView) write(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = oauthPage().Execute(w, v) // a reader who has gone is no business of ours
}

// serveAuthorize shows the page on which an account is connected, and takes its answer.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	guardPage(w)
	q := r.URL.Query()
	of := s.applicant(q.Get("client_id"))
	back, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case of == nil:
		oauthView{Message: "There is no application with the client_id " + q.Get("client_id") + ". GET /_sandbox/account shows that of a world."}.write(w, http.StatusNotFound)
	case q.Get("response_type") != "code":
		oauthView{Message: "The response_type is code."}.write(w, http.StatusBadRequest)
	case err != nil || !isWebAddress(q.Get("redirect_uri")):
		oauthView{Message: "The redirect_uri is an absolute address on the web: a platform in this sandbox has registered none."}.write(w, http.StatusBadRequest)
	case !strings.Contains(" read_only read_write ", " "+scopeOf(q)+" "):
		oauthView{Message: "The scope is read_only or read_write."}.write(w, http.StatusBadRequest)
	case r.Method == http.MethodGet:
		oauthView{Platform: applicationName, Client: q.Get("client_id"), Scope: scopeOf(q), Email: q.Get("stripe_user[email]"), Country: countryOf(q, of)}.write(w, http.StatusOK)
	case foreign(r):
		oauthView{Message: "This form was sent from another page."}.write(w, http.StatusForbidden)
	default:
		of.authorize(w, r, back)
	}
}

func scopeOf(q url.Values) string {
	if scope := q.Get("scope"); scope != "" {
		return scope
	}
	return "read_only"
}

// countryOf is the country that an account is to have: as the platform suggests, where there are accounts, and otherwise its own.
func countryOf(q url.Values, w *world) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if country := strings.ToUpper(q.Get("stripe_user[country]")); priceOf(country, w.now()) != nil {
		return country
	}
	return w.home.standing().Country
}

// applicant is the world of a platform by what OAuth calls it.
func (s *Server) applicant(client string) *world {
	for _, w := range s.all() {
		if w.isApplication(client) {
			return w
		}
	}
	return nil
}

// all is every world, in no order.
func (s *Server) all() []*world {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.tags))
}

func (w *world) isApplication(client string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return client == w.clientID()
}

// authorize takes the answer and sends the account back with a code, or without.
func (w *world) authorize(out http.ResponseWriter, r *http.Request, back *url.URL) {
	r.Body = http.MaxBytesReader(out, r.Body, 4096)
	if err := r.ParseForm(); err != nil {
		oauthView{Message: "The form could not be read."}.write(out, http.StatusBadRequest)
		return
	}
	q, answer := r.URL.Query(), back.Query()
	if state := q.Get("state"); state != "" {
		answer.Set("state", state)
	}
	if r.PostForm.Get("answer") != "connect" {
		answer.Set("error", "access_denied")
		answer.Set("error_description", "The user denied your request")
	} else {
		country, code := countryOf(q, w), ""
		_ = w.step(func() { // the next request tells of a failure
			if !w.full() {
				code = w.home.own().connectByGrant(q, country, strings.HasPrefix(r.URL.Path, expressPath))
			}
		})
		if code == "" {
			oauthView{Message: "This world of the sandbox holds no more objects."}.write(out, http.StatusTooManyRequests)
			return
		}
		answer.Set("scope", scopeOf(q))
		answer.Set("code", code)
	}
	back.RawQuery = answer.Encode()
	out.Header().Set("Location", back.String())
	out.WriteHeader(http.StatusSeeOther)
}

// connectByGrant connects an account that was Stripe's before, and so has said all that it has to; it returns the code.
func (c *call) connectByGrant(q url.Values, country string, express bool) string {
	kind := "standard"
	if express {
		kind = "express"
	}
	of := controlOf[kind]
	s := &standing{Country: country, Currency: priceOf(country, c.now()).currency, Debit: true, Schedule: firstSchedule(country)}
	s.Dossier = &dossier{Type: kind, Hosted: true, Dashboard: of.dashboard, Linked: true, Submitted: true, Established: true,
		Grant: &grant{Code: "ac_" + c.letters(32), Expires: c.now().Add(codeLife).Unix(), ReadOnly: scopeOf(q) == "read_only"}}
	at := c.now().Unix()
	s.Dossier.Capability = map[string]requested{"card_payments": {Wanted: true, At: at, Status: active}, "transfers": {Wanted: true, At: at, Status: active}}
	r := c.record("account", c.newAccountID())
	c.openNew(r, s, of)
	if kind == "standard" {
		o := r.object().Sub("controller").Clone().Set("type", "account")
		r.object().Set("controller", o)
	}
	to := c.of(r.id)
	if email := q.Get("stripe_user[email]"); emailForm.MatchString(email) {
		r.object().Set("email", email)
	}
	to.addBank(s.Currency)
	to.reviewNew()
	to.emit("account.application.authorized", c.applicationRecord())
	return s.Dossier.Grant.Code
}
