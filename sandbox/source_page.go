package sandbox

import (
	"crypto/subtle"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// sourcePath is where the pages are that owners of sources are led to: below it, the world's tag, the source's id and its secret.
const sourcePath = "/redirect/authenticate/"

// sourcePageOf is the address of a source's page.
func (c *call) sourcePageOf(r *record) string {
	return c.base + sourcePath + c.tag + "/" + r.id + "?" + url.Values{"client_secret": {r.object().String("client_secret")}}.Encode()
}

const sourceTitle = "Source test page"

// sourceAnswers are the buttons of the page, of which the first goes on with the source.
var sourceAnswers = []pageAnswer{{"authorize", "Authorize"}, {failed, "Fail"}}

// sourceVisit is a page that was asked for.
type sourceVisit struct {
	world      *world
	id, secret string
}

// serveSourcePage shows the page of a source, and takes its answer.
func (s *Server) serveSourcePage(w http.ResponseWriter, r *http.Request) {
	headPage(w, "no-referrer", "'self'")
	tag, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, sourcePath), "/")
	s.mu.Lock()
	visit := &sourceVisit{world: s.tags[tag], id: id, secret: r.URL.Query().Get("client_secret")}
	s.mu.Unlock()
	switch {
	case visit.world == nil:
		challengeView{Title: sourceTitle, Message: "This page does not exist."}.write(w, http.StatusNotFound)
	case r.Method == http.MethodGet:
		visit.show(w)
	case r.Method == http.MethodPost:
		takeAnswer(w, r, challengeView{Title: sourceTitle, Message: "This payment is not, or no longer, open."}, visit.finish)
	default:
		w.Header().Set("Allow", "GET, POST")
		challengeView{Title: sourceTitle, Message: "This page takes GET and POST."}.write(w, http.StatusMethodNotAllowed)
	}
}

// find is the source that the page is of; nil where the address is wrong, or the owner is led nowhere. The lock is held.
func (v *sourceVisit) find() *record {
	r := v.world.lookup(v.id)
	if r == nil || r.gone || r.resource.Object != "source" || r.object().Sub("redirect") == nil || subtle.ConstantTimeCompare([]byte(r.text("client_secret")), []byte(v.secret)) != 1 {
		return nil
	}
	return r
}

func (v *sourceVisit) show(w http.ResponseWriter) {
	page, status := challengeView{Message: "This page does not exist."}, http.StatusNotFound
	_ = v.world.step(func() { // a look
		r := v.find()
		if r == nil {
			return
		}
		state := private[sourceState](r)
		if r.text("status") != "pending" || state.Page.Ended {
			page, status = challengeView{Message: "This payment is over.", Back: template.URL(state.Page.Back)}, http.StatusGone
			return
		}
		page, status = challengeView{Kind: "Source", ID: r.id, Token: state.Page.Token, Answers: sourceAnswers}, http.StatusOK
		page.Question = "Do you authorize this payment by " + r.text("type") + "?"
		if amount := r.object().Int("amount"); amount > 0 {
			page.Amount = display(amount, currencyOf(r.object()))
		}
	})
	page.Title = sourceTitle
	page.write(w, status)
}

// finish carries the owner's first answer out and says where to go then. The status is 400 when that is no answer, 403 when the token is
// wrong, and 409 when the source has moved on meanwhile.
func (v *sourceVisit) finish(token, outcome string) (back string, status int) {
	if !slices.ContainsFunc(sourceAnswers, func(a pageAnswer) bool { return a.Value == outcome }) {
		return "", http.StatusBadRequest
	}
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
			r.realm.own().authorizedSource(r, outcome == sourceAnswers[0].Value)
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
