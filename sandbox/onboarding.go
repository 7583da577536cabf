package sandbox

import (
	"crypto/subtle"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"
)

// setupPath is where Stripe's form is that asks accounts for what they have to say: below it by the letter of the account's type, the world's tag,
// the account and the secret of a link, and, once that was opened, of a session.
const setupPath = "/setup/"

// formLife is how long the form stays open once its link was.
const formLife = 24 * time.Hour

//go:embed onboarding.html
var onboardingSource string

var onboardingPage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("onboarding").Parse(onboardingSource))
})

// form is Stripe's form as somebody has it before him.
type form struct {
	world                  *world
	account, link, session string
}

// serveSetup opens a link, shows the form, and takes what was filled in.
func (s *Server) serveSetup(w http.ResponseWriter, r *http.Request) {
	guardPage(w)
	f := s.findForm(r)
	switch {
	case f == nil:
		formView{Message: "There is no such page."}.write(w, http.StatusNotFound)
	case r.Method == http.MethodGet && f.session == "":
		f.open(w, r)
	case r.Method == http.MethodGet:
		f.show(w)
	case r.Method == http.MethodPost && f.session != "" && !foreign(r):
		f.take(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		formView{Message: "This page takes GET and POST."}.write(w, http.StatusMethodNotAllowed)
	}
}

// guardPage sets the headers of a page that is in nobody's frame. Its forms have to tell where they were sent from.
func guardPage(w http.ResponseWriter) { headPage(w, "same-origin", "'none'") }

// headPage sets the headers of a page that loads nothing from anywhere: to whom its address is told, and in whose frame it may be.
func headPage(w http.ResponseWriter, referrer, frames string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", referrer)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors "+frames)
}

// findForm takes an address apart; nil where it is none of the form.
func (s *Server) findForm(r *http.Request) *form {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, setupPath), "/")
	if len(parts) != 4 && len(parts) != 5 || parts[len(parts)-1] == "" {
		return nil
	}
	s.mu.Lock()
	w := s.tags[parts[1]]
	s.mu.Unlock()
	if w == nil {
		return nil
	}
	f := &form{world: w, account: parts[2], link: parts[3]}
	if len(parts) == 5 {
		f.session = parts[4]
	}
	return f
}

// find is the link's record and what it leads to; nil where there is none. The lock is held.
func (f *form) find() (*call, *record, *entrance) {
	of := f.world.connected[f.account]
	if of == nil || !of.standing().granted() || of.standing().Dossier == nil {
		return nil, nil, nil
	}
	r := of.find("account_link", f.link)
	if r == nil {
		return nil, nil, nil
	}
	return of.own(), r, private[entrance](r)
}

// open opens a link, which is good once: whoever comes later is sent back for another.
func (f *form) open(w http.ResponseWriter, r *http.Request) {
	to := ""
	_ = f.world.step(func() { // the next request tells of a failure
		c, _, e := f.find()
		switch {
		case e == nil:
		case e.Session != "" || c.now().Unix() >= e.Expires:
			to = e.Refresh
		default:
			e.Session, e.Closes = c.letters(32), c.now().Add(formLife).Unix()
			to = strings.TrimSuffix(r.URL.Path, "/") + "/" + e.Session
		}
	})
	if to == "" {
		formView{Message: "There is no such page."}.write(w, http.StatusNotFound)
		return
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// visit is what the form knows of whoever has it before him.
type visit struct {
	*call
	account *record
	e       *entrance
}

// enter finds what the form is about; nil, and where to go, where its session is over or was never begun. The lock is held.
func (f *form) enter() (v *visit, elsewhere string) {
	c, _, e := f.find()
	switch {
	case e == nil || e.Session == "" || subtle.ConstantTimeCompare([]byte(f.session), []byte(e.Session)) != 1:
		return nil, ""
	case c.now().Unix() >= e.Closes:
		return nil, e.Refresh
	}
	return &visit{c, c.accountRecord(), e}, ""
}

func (f *form) show(w http.ResponseWriter) {
	view, elsewhere := formView{Message: "There is no such page."}, ""
	status := http.StatusNotFound
	_ = f.world.step(func() { // a look
		var v *visit
		if v, elsewhere = f.enter(); v != nil {
			view, status = v.view(nil, nil), http.StatusOK
		}
	})
	if elsewhere != "" {
		w.Header().Set("Location", elsewhere)
		status = http.StatusSeeOther
	}
	view.write(w, status)
}

func (v formView) write(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = onboardingPage().Execute(w, v) // a reader who has gone is no business of ours
}
