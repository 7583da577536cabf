package sandbox

import (
	"crypto/subtle"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// sourcePath is where the pages are that owners of sources are led to: below it, the world's tag, the source's id and its secret.
const sourcePath = "/redirect/authenticate/"

//go:embed source_page.html
var sourcePageText string

var sourcePageForm = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("source").Parse(sourcePageText))
})

// sourcePageOf is the address of a source's page.
func (c *call) sourcePageOf(r *record) string {
	return c.base + sourcePath + c.tag + "/" + r.id + "?" + url.Values{"client_secret": {r.object().String("client_secret")}}.Encode()
}

// sourceView is what the page shows: the question while there is a token, else a message.
type sourceView struct {
	Type, ID, Amount, Token, Message string
	Back                             template.URL // checked when the source was made
}

func (v sourceView) write(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = sourcePageForm().Execute(w, v) // a reader who has gone is no business of ours
}

// sourceVisit is a page that was asked for.
type sourceVisit struct {
	world      *world
	id, secret string
}

// serveSourcePage shows the page of a source, and takes its answer.
func (s *Server) serveSourcePage(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'")
	tag, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, sourcePath), "/")
	s.mu.Lock()
	visit := &sourceVisit{world: s.tags[tag], id: id, secret: r.URL.Query().Get("client_secret")}
	s.mu.Unlock()
	switch {
	case visit.world == nil:
		sourceView{Message: "This page does not exist."}.write(w, http.StatusNotFound)
	case r.Method == http.MethodGet:
		visit.show(w)
	case r.Method == http.MethodPost:
		visit.answer(w, r)
	default:
		h.Set("Allow", "GET, POST")
		sourceView{Message: "This page takes GET and POST."}.write(w, http.StatusMethodNotAllowed)
	}
}

// find is the source that the page is of; nil where the address is wrong. The lock is held.
func (v *sourceVisit) find() *record {
	r := v.world.lookup(v.id)
	if r == nil || r.gone || r.resource.Object != "source" || subtle.ConstantTimeCompare([]byte(r.text("client_secret")), []byte(v.secret)) != 1 {
		return nil
	}
	return r
}

func (v *sourceVisit) show(w http.ResponseWriter) {
	page, status := sourceView{Message: "This page does not exist."}, http.StatusNotFound
	_ = v.world.step(func() { // a look
		r := v.find()
		if r == nil {
			return
		}
		state := private[sourceState](r)
		if r.text("status") != "pending" || state.Page.Ended {
			page, status = sourceView{Message: "This payment is over.", Back: template.URL(state.Page.Back)}, http.StatusGone
			return
		}
		page, status = sourceView{Type: r.text("type"), ID: r.id, Token: state.Page.Token}, http.StatusOK
		if amount := r.object().Int("amount"); amount > 0 {
			page.Amount = display(amount, currencyOf(r.object()))
		}
	})
	page.write(w, status)
}

// answer takes the owner's word and sends the owner back.
func (v *sourceVisit) answer(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if err := r.ParseForm(); err != nil {
		sourceView{Message: "The form could not be read."}.write(w, http.StatusBadRequest)
		return
	}
	outcome := r.PostForm.Get("outcome")
	if outcome != "authorize" && outcome != "fail" {
		sourceView{Message: "The outcome is authorize or fail."}.write(w, http.StatusBadRequest)
		return
	}
	back, status := v.finish(r.PostForm.Get("token"), outcome == "authorize")
	switch {
	case status == http.StatusForbidden:
		sourceView{Message: "The form's token is wrong."}.write(w, status)
	case status != http.StatusOK:
		sourceView{Message: "This payment is not, or no longer, open."}.write(w, status)
	case back == "":
		sourceView{Message: "Done. You can close this page."}.write(w, status)
	default:
		w.Header().Set("Location", back)
		w.WriteHeader(http.StatusSeeOther)
	}
}

// finish carries the owner's first answer out and says where to go then. The status is 403 when the token is wrong, and 409 when the
// source has moved on meanwhile.
func (v *sourceVisit) finish(token string, authorized bool) (back string, status int) {
	status = http.StatusConflict
	_ = v.world.step(func() { // the next request tells of a failure
		r := v.find()
		if r == nil {
			return
		}
		state := private[sourceState](r)
		switch {
		case subtle.ConstantTimeCompare([]byte(token), []byte(state.Page.Token)) != 1:
			status = http.StatusForbidden
		case state.Page.Answered:
			back, status = state.Page.Back, http.StatusOK
		case r.text("status") != "pending":
		default:
			r.realm.own().authorizedSource(r, authorized)
			state.Page.Ended, state.Page.Answered, state.Page.Back = true, true, backWith(r)
			back, status = state.Page.Back, http.StatusOK
		}
	})
	return back, status
}

// authorizedSource goes on with a source whose owner has answered.
func (c *call) authorizedSource(r *record, authorized bool) {
	flow := r.object().Sub("redirect")
	status, reason := "succeeded", any(nil)
	if !authorized {
		status, reason = "failed", "user_abort"
	}
	if flow != nil {
		flow.Set("status", status).Set("failure_reason", reason)
	}
	if o := r.object().Sub("three_d_secure"); o != nil && r.text("type") == "three_d_secure" {
		o.Set("authenticated", authorized)
	}
	if !authorized {
		c.sourceFailed(r)
		return
	}
	c.sourceReady(r)
}

// backWith adds to a source's return_url what Stripe adds.
func backWith(r *record) string {
	flow := r.object().Sub("redirect")
	if flow == nil {
		return ""
	}
	u, err := url.Parse(flow.String("return_url"))
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("source", r.id)
	q.Set("client_secret", r.object().String("client_secret"))
	q.Set("livemode", "false")
	u.RawQuery = q.Encode()
	return u.String()
}
