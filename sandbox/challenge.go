package sandbox

import (
	"crypto/subtle"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/till-pay/till/sandbox/spec"
)

// challengePath is where the hosted 3D Secure pages are: below it, by the world's tag.
const challengePath = "/3d_secure_2/hosted/"

// challenge is a customer who has to authenticate, for an intent. Its id is in the page's address; the token is in the form only and
// moves the intent once. To send the form again, as a second click and a browser's way back do, only leads where the first answer led.
type challenge struct {
	ID, Token string
	Ended     bool   // nothing waits for it any more
	Answered  bool   // its form was the reason
	Back      string // where its answer led
}

//go:embed challenge.html
var challengeSource string

var challengePage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("challenge").Parse(challengeSource))
})

// endChallenge gives up the challenge that an intent waits for, if any.
func (c *call) endChallenge(state *intent) { state.Challenge.Ended = true }

// challengePayment asks for the customer and waits.
func (c *call) challengePayment(r *record) {
	r.object().Set("status", requiresAction).Set("next_action", c.nextAction(r, "payment_intent_next_action"))
	c.emit("payment_intent.requires_action", r)
}

func (c *call) challengeSetup(r, method *record) {
	c.attempt(r, method, requiresAction)
	r.object().Set("status", requiresAction).Set("next_action", c.nextAction(r, "setup_intent_next_action"))
	c.emit("setup_intent.requires_action", r)
}

// nextAction says what the customer has to do: go to the hosted page and come back where there is a return_url, else let Stripe.js
// show it. Stripe.js does not reach a sandbox, but the page can be opened all the same.
func (c *call) nextAction(r *record, shape string) *spec.Object {
	state := private[intent](r)
	at := c.openPage(r, challengePath)
	o := spec.New(shape)
	if state.ReturnURL != "" && !state.Script {
		back := state.ReturnURL
		to := spec.New(shape+"_redirect_to_url").Set("return_url", back).Set("url", at)
		return o.Set("type", "redirect_to_url").Set("redirect_to_url", to)
	}
	sdk := map[string]string{"type": "three_d_secure_redirect", "stripe_js": at, "source": c.newID("src_")}
	return o.Set("type", "use_stripe_sdk").Set("use_stripe_sdk", sdk)
}

// openPage opens a hosted page for an intent, and gives its address.
func (c *call) openPage(r *record, path string) string {
	state := private[intent](r)
	state.Challenge = challenge{ID: "payatt_" + c.letters(24), Token: c.letters(32)}
	return c.base + path + c.tag + "?" + url.Values{r.resource.Object: {r.id}, "source": {state.Challenge.ID}}.Encode()
}

// challengeView is what a hosted page shows, of an intent or of a source: the question while there is a token, else a message.
type challengeView struct {
	Title, Question         string
	Answers                 []pageAnswer
	Kind, ID, Amount, Token string
	Message                 string
	Back                    template.URL // checked when it was given
}

const (
	challengeGone = "This page is not, or no longer, open. The status of what it was for says how that ended."
	challengeOver = "This page has had its answer, and is over."
	challengeDone = "Done. You can close this page."
)

// serveChallenge shows the hosted page, and takes its answer.
func (s *Server) serveChallenge(w http.ResponseWriter, r *http.Request) {
	headPage(w, "no-referrer", "'self'")
	page := s.findChallenge(r)
	switch {
	case page != nil && r.URL.Query().Has("image"):
		http.Error(w, "This sandbox draws no QR codes and prints no vouchers. The address without image leads to the customer's page.", http.StatusNotImplemented)
	case page == nil:
		challengeView{Title: titleAt(r.URL.Path), Message: challengeGone}.write(w, http.StatusNotFound)
	case r.Method == http.MethodGet:
		page.show(w)
	case r.Method == http.MethodPost:
		takeAnswer(w, r, challengeView{Message: challengeGone}, page.finish)
	default:
		w.Header().Set("Allow", "GET, POST")
		challengeView{Message: "This page takes GET and POST."}.write(w, http.StatusMethodNotAllowed)
	}
}

// hostedPage is a page that was asked for: a challenge by its id, and the intent that it belongs to.
type hostedPage struct {
	world      *world
	intent, id string
}

// findChallenge finds the challenge that an address names.
func (s *Server) findChallenge(r *http.Request) *hostedPage {
	s.mu.Lock()
	w := s.tags[strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, challengePath), hostedPath)]
	s.mu.Unlock()
	q := r.URL.Query()
	page := &hostedPage{world: w, intent: q.Get("payment_intent") + q.Get("setup_intent"), id: q.Get("source")}
	if w == nil || page.id == "" {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.commit()
	if _, state := page.find(); state == nil {
		return nil
	}
	return page
}

// find is the intent and what it knows of its challenge; nil when the page is no longer its. The lock is held.
func (p *hostedPage) find() (*record, *intent) {
	r := p.world.lookup(p.intent)
	if r == nil {
		return nil, nil
	}
	state := private[intent](r)
	if state == nil || subtle.ConstantTimeCompare([]byte(state.Challenge.ID), []byte(p.id)) != 1 || state.Challenge.Ended && !state.Challenge.Answered {
		return nil, nil
	}
	return r, state
}

func (v challengeView) write(w http.ResponseWriter, status int) {
	if v.Title == "" {
		v.Title = challengeTitle
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = challengePage().Execute(w, v) // a reader who has gone is no business of ours
}

func (p *hostedPage) show(w http.ResponseWriter) {
	page, status := challengeView{Message: challengeGone}, http.StatusNotFound
	_ = p.world.step(func() { // a look
		r, state := p.find()
		switch {
		case state == nil:
		case state.Challenge.Ended:
			page, status = challengeView{Message: challengeOver, Back: template.URL(state.Challenge.Back)}, http.StatusGone
		default:
			page, status = challengeView{Kind: r.kind(), ID: r.id, Token: state.Challenge.Token}, http.StatusOK
			page.Question, page.Answers = pageQuestion(r)
			if amount := pageAmount(r); amount > 0 {
				page.Amount = display(amount, currencyOf(r.object()))
			}
		}
		if r != nil {
			page.Title = pageTitle(r)
		}
	})
	page.write(w, status)
}

// takeAnswer reads the form of a hosted page, has it carried out and sends the customer back; gone is the page that there is no more.
func takeAnswer(w http.ResponseWriter, r *http.Request, gone challengeView, finish func(token, outcome string) (back string, status int)) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if err := r.ParseForm(); err != nil {
		challengeView{Title: gone.Title, Message: "The form could not be read."}.write(w, http.StatusBadRequest)
		return
	}
	back, status := finish(r.PostForm.Get("token"), r.PostForm.Get("outcome"))
	switch {
	case status == http.StatusBadRequest:
		challengeView{Title: gone.Title, Message: "The outcome is one of those that the page has buttons for."}.write(w, status)
	case status == http.StatusForbidden:
		challengeView{Title: gone.Title, Message: "The form's token is wrong."}.write(w, status)
	case status != http.StatusOK:
		gone.write(w, status)
	case back == "":
		challengeView{Title: gone.Title, Message: challengeDone}.write(w, status)
	default:
		w.Header().Set("Location", back)
		w.WriteHeader(http.StatusSeeOther)
	}
}

// finish carries the customer's first answer out and says where to go then. The status is 400 when that is no answer, 403 when the
// token is wrong, and 409 when the intent has moved on meanwhile.
func (p *hostedPage) finish(token, outcome string) (back string, status int) {
	status = http.StatusConflict
	_ = p.world.step(func() { // the next request tells of a failure
		r, state := p.find()
		switch {
		case state == nil:
		case !isAnswer(r, outcome):
			status = http.StatusBadRequest
		case subtle.ConstantTimeCompare([]byte(token), []byte(state.Challenge.Token)) != 1:
			status = http.StatusForbidden
		case state.Challenge.Ended:
			back, status = state.Challenge.Back, http.StatusOK
		default:
			r.realm.own().answerPage(r, outcome)
			back, status = state.Challenge.Back, http.StatusOK
		}
	})
	return back, status
}

// answerPage ends an intent's page with what the customer has done.
func (c *call) answerPage(r *record, outcome string) {
	state := private[intent](r)
	state.Challenge.Ended, state.Challenge.Answered = true, true
	method := c.find("payment_method", r.object().String("payment_method"))
	status := ""
	switch h := hostedOf(method); {
	case state.Cash != nil:
		status = c.sendRest(r)
	case h != nil:
		status = h.settle(c, r, method, outcome)
	default:
		status = c.authenticated(r, method, outcome == completed)
	}
	state.Challenge.Back = returnTo(state.ReturnURL, r, status)
}

// authenticated goes on with an intent whose customer has answered, and says what its redirect_status becomes.
func (c *call) authenticated(r, method *record, complete bool) string {
	err := c.belongs(r, method) // it may have been spent or detached meanwhile
	switch {
	case !complete:
		c.failAuthentication(r, method, &apiError{kind: invalidRequest, code: r.resource.Object + "_authentication_failure",
			message: "We are unable to authenticate your payment method. Please choose a different payment method and try again."})
		return "failed"
	case err != nil:
		c.failAuthentication(r, method, asAPIError(err))
		return "failed"
	case r.resource.Object == "setup_intent":
		err = c.finishSetup(r, method, secureResult("authenticated", "challenge", "05"))
	case r.object().String("confirmation_method") == "manual":
		private[intent](r).Authenticated = method.id
		r.object().Set("status", requiresConfirmation).Set("next_action", nil)
	default:
		err = c.charge(r, method, secureResult("authenticated", "challenge", "05"))
	}
	if err != nil {
		return "failed"
	}
	return "succeeded"
}

// failAuthentication books a customer who could not, or would not, authenticate.
func (c *call) failAuthentication(r, method *record, why *apiError) {
	why.paymentMethod = method
	if r.resource.Object == "setup_intent" {
		_ = c.failSetup(r, method, why) // the customer is told by redirect_status
		return
	}
	c.backToMethod(r, why)
	c.emit("payment_intent.payment_failed", r)
}

// returnTo adds to a return_url what Stripe adds.
func returnTo(back string, r *record, status string) string {
	if back == "" {
		return ""
	}
	u, err := url.Parse(back)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set(r.resource.Object, r.id)
	q.Set(r.resource.Object+"_client_secret", r.object().String("client_secret"))
	q.Set("redirect_status", status)
	u.RawQuery = q.Encode()
	return u.String()
}
