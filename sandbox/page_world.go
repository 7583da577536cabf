package sandbox

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The page at / shows one world to a person, who names it by its key. The key is never in an address: the form sends it once, and a
// cookie that scripts and other sites cannot use stands for it from then on.

// Bounds of the page.
const (
	maxVisits   = 1000      // browsers that have a world open
	maxPageForm = 4 << 10   // bytes of a form
	visitName   = "sandbox" // of the cookie, and the port: cookies are shared between the ports of a host
)

// visits are the browsers that have a world open, by the cookie's value. Which world is known to the sandbox alone.
type visits struct {
	mu    sync.Mutex
	world map[string]string // suffix of the key
	order []string          // oldest first
}

// open lets a browser in and gives its cookie's value. It comes from the machine's own random numbers, not from a world's: it must not
// be guessed, and no answer of the API hangs on it.
func (v *visits) open(suffix string) string {
	var secret [16]byte
	_, _ = rand.Read(secret[:]) // never fails: crypto/rand ends the program instead
	id := hex.EncodeToString(secret[:])
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.world == nil {
		v.world = map[string]string{}
	}
	if len(v.order) >= maxVisits {
		delete(v.world, v.order[0])
		v.order = v.order[1:]
	}
	v.world[id] = suffix
	v.order = append(v.order, id)
	return id
}

func (v *visits) find(id string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.world[id]
}

// isPage says whether a request is for the page: a program that sends a key is not.
func isPage(r *http.Request) bool {
	return r.Header.Get("Authorization") == "" && (r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, objectPath) || strings.HasPrefix(r.URL.Path, accountPath))
}

// objectPath is where the page shows single objects: below it, by id.
const objectPath = "/objects/"

// accountPath is where the page shows the world as a connected account sees it: below it, by the account's id.
const accountPath = "/accounts/"

// servePage answers the page at / and what belongs to it.
func (s *Server) servePage(out http.ResponseWriter, r *http.Request) {
	h := out.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // with no-referrer, browsers would hide the origin of the page's own forms
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src '"+scriptHash()+"'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/":
		s.steerPage(out, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, POST")
		writePage(out, http.StatusMethodNotAllowed, &worldView{Message: "This page takes GET and POST."})
	default:
		s.showPage(out, r)
	}
}

func (s *Server) showPage(out http.ResponseWriter, r *http.Request) {
	w := s.visited(r)
	id, single := strings.CutPrefix(r.URL.Path, objectPath)
	switch {
	case w == nil && r.URL.Path != "/":
		http.Redirect(out, r, "/", http.StatusSeeOther)
	case w == nil:
		writePage(out, http.StatusOK, &worldView{})
	case single:
		w.home.pageOfObject(out, id)
	default:
		account, _ := strings.CutPrefix(r.URL.Path, accountPath)
		w.showRealm(out, strings.TrimPrefix(account, "/"), r.URL.Query().Get("show"))
	}
}

// showRealm shows the world as one of its accounts sees it; without a name, as its own.
func (w *world) showRealm(out http.ResponseWriter, account, show string) {
	w.mu.Lock()
	of, none := w.realmOf(account), w.home.viewed()
	none.Account, none.Object, none.Title, none.Message = w.home.account, account, "account", "This world has no account of that id."
	w.mu.Unlock()
	switch {
	case of == nil:
		writePage(out, http.StatusNotFound, none)
	default:
		view, err := of.view(show)
		if err != nil {
			writePage(out, http.StatusInternalServerError, &worldView{Message: err.Error()})
			return
		}
		writePage(out, http.StatusOK, view)
	}
}

// visited is the world that the request's cookie stands for; nil where there is none.
func (s *Server) visited(r *http.Request) *world {
	cookie, err := r.Cookie(cookieName(r))
	if err != nil {
		return nil
	}
	suffix := s.visits.find(cookie.Value)
	if suffix == "" {
		return nil
	}
	w, _ := s.world(suffix, true) // it has been there, so there is room
	return w
}

func cookieName(r *http.Request) string {
	_, port, _ := net.SplitHostPort(r.Host) // without a port there is none to tell apart
	return visitName + port
}

// steerPage does what a form of the page asks for, and leads back to the page. Forms of other pages are refused.
func (s *Server) steerPage(out http.ResponseWriter, r *http.Request) {
	site := r.Header.Get("Sec-Fetch-Site")
	if foreign(r) || site != "" && site != "same-origin" {
		writePage(out, http.StatusForbidden, &worldView{Message: "This form is not for pages of another origin."})
		return
	}
	r.Body = http.MaxBytesReader(out, r.Body, maxPageForm)
	if err := r.ParseForm(); err != nil {
		writePage(out, http.StatusBadRequest, &worldView{Message: "The form could not be read."})
		return
	}
	do := r.PostForm.Get("do")
	if do == "open" {
		s.openPage(out, r)
		return
	}
	if do == "leave" {
		setVisit(out, r, "")
	} else if w := s.visited(r); w != nil {
		if err := w.steer(do); err != nil {
			writePage(out, http.StatusBadRequest, &worldView{Message: err.Error()})
			return
		}
	}
	http.Redirect(out, r, "/", http.StatusSeeOther)
}

// openPage opens the world of the key in the form, and keeps to it by a cookie.
func (s *Server) openPage(out http.ResponseWriter, r *http.Request) {
	kind, suffix := parseKey(strings.TrimSpace(r.PostForm.Get("key")))
	if suffix == "" || kind == publishableKey {
		writePage(out, http.StatusBadRequest, &worldView{Message: "A world is named by its secret key: sk_test_ and letters, digits or underscores."})
		return
	}
	if _, err := s.world(suffix, true); err != nil {
		writePage(out, http.StatusTooManyRequests, &worldView{Message: err.Error()})
		return
	}
	setVisit(out, r, s.visits.open(suffix))
	http.Redirect(out, r, "/", http.StatusSeeOther)
}

// setVisit sets the cookie, or drops it.
func setVisit(out http.ResponseWriter, r *http.Request, id string) {
	age := 0 // until the browser is closed
	if id == "" {
		age = -1
	}
	http.SetCookie(out, &http.Cookie{Name: cookieName(r), Value: id, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil})
}

// steps are the buttons that let time pass.
var steps = []struct {
	Do, Label string
	by        time.Duration
}{
	{"hour", "+ 1 hour", time.Hour},
	{"day", "+ 1 day", 24 * time.Hour},
	{"week", "+ 7 days", 7 * 24 * time.Hour},
}

// steer does what a button of the page asks for.
func (w *world) steer(do string) error {
	for _, step := range steps {
		if step.Do == do {
			return w.advance(func(time.Time) time.Duration { return step.by })
		}
	}
	switch do {
	case "freeze":
		return w.setClock(0, time.Time{})
	case "run":
		return w.setClock(1, time.Time{})
	case "release":
		w.releaseHeld()
		return nil
	case "clear":
		if _, err := forgetFaults(w.home, nil, nil); err != nil {
			return err
		}
		return w.keepRules()
	}
	return badControl("No button of this page says that.")
}
