package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/till-pay/till/sandbox/spec"
)

// challengePath is where the hosted 3D Secure pages are.
const challengePath = "/3d_secure_2/hosted/"

// Bounds of a sandbox: how many pages are open at once (confirming its intent again opens a new one for whom it lost), and how many
// answered ones are remembered.
const (
	maxChallenges = 100_000
	maxAnswered   = 1000
)

// challenge is a customer who has to authenticate. Its id is in the page's address; the token is in the form only and moves the intent
// once. To send the form again, as a second click and a browser's way back do, only leads where the first answer led.
type challenge struct {
	id, token string
	world     *world
	intent    *record

	ended, answered bool   // guarded by the world's lock: nothing waits for it any more; its form was the reason
	back            string // guarded by the world's lock: where its answer led
}

//go:embed challenge.html
var challengeSource string

var challengePage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("challenge").Parse(challengeSource))
})

// unguessable is a random name, unlike the ids of a world, which follow from its seed.
func unguessable() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}

// newChallenge opens one for an intent.
func (c *call) newChallenge(r *record) *challenge {
	ch := &challenge{id: unguessable(), token: unguessable(), world: c.world, intent: r}
	c.sandbox.keepChallenge(ch)
	r.private.(*intent).challenge = ch
	return ch
}

// keepChallenge makes a challenge reachable. When too many are open, any other is given up.
func (s *Sandbox) keepChallenge(ch *challenge) {
	s.challengesMu.Lock()
	defer s.challengesMu.Unlock()
	if len(s.challenges) >= maxChallenges {
		for id := range s.challenges {
			delete(s.challenges, id)
			break
		}
	}
	s.challenges[ch.id] = ch
}

// rememberAnswered lets an answered challenge stay known for a while.
func (s *Sandbox) rememberAnswered(ch *challenge) {
	s.challengesMu.Lock()
	defer s.challengesMu.Unlock()
	s.answered = append(s.answered, ch.id)
	if len(s.answered) > maxAnswered {
		delete(s.challenges, s.answered[0])
		s.answered = s.answered[1:]
	}
}

func (s *Sandbox) dropChallenge(ch *challenge) {
	s.challengesMu.Lock()
	defer s.challengesMu.Unlock()
	delete(s.challenges, ch.id)
}

func (s *Sandbox) findChallenge(id string) *challenge {
	s.challengesMu.Lock()
	defer s.challengesMu.Unlock()
	return s.challenges[id]
}

// endChallenge gives up the challenge that an intent waits for, if any.
func (c *call) endChallenge(state *intent) {
	if state.challenge == nil {
		return
	}
	state.challenge.ended = true
	c.sandbox.dropChallenge(state.challenge)
	state.challenge = nil
}

// challengePayment asks for the customer and waits.
func (c *call) challengePayment(r *record) {
	r.object.Set("status", requiresAction).Set("next_action", c.nextAction(r, "payment_intent_next_action"))
	c.emit("payment_intent.requires_action", r)
}

func (c *call) challengeSetup(r, method *record) {
	c.attempt(r, method, requiresAction)
	r.object.Set("status", requiresAction).Set("next_action", c.nextAction(r, "setup_intent_next_action"))
	c.emit("setup_intent.requires_action", r)
}

// nextAction says what the customer has to do: go to the hosted page and come back where there is a return_url, else let Stripe.js
// show it. Stripe.js does not reach a sandbox, but the page can be opened all the same.
func (c *call) nextAction(r *record, shape string) *spec.Object {
	ch := c.newChallenge(r)
	at := c.base + challengePath + ch.id
	o := spec.New(shape)
	if state := r.private.(*intent); state.returnURL != "" && !state.script {
		back := state.returnURL
		to := spec.New(shape+"_redirect_to_url").Set("return_url", back).Set("url", at)
		return o.Set("type", "redirect_to_url").Set("redirect_to_url", to)
	}
	sdk := map[string]string{"type": "three_d_secure_redirect", "stripe_js": at, "source": c.newID("src_")}
	return o.Set("type", "use_stripe_sdk").Set("use_stripe_sdk", sdk)
}

// challengeView is what the hosted page shows: the question while there is a token, else a message.
type challengeView struct {
	Title                   string
	Kind, ID, Amount, Token string
	Message                 string
	Back                    template.URL // checked when the intent was confirmed
}

const (
	challengeGone = "This authentication is not, or no longer, open."
	challengeOver = "This authentication is over."
	challengeDone = "Done. You can close this page."
)

// serveChallenge shows the hosted page, and takes its answer.
func (s *Sandbox) serveChallenge(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'")
	ch := s.findChallenge(strings.TrimPrefix(r.URL.Path, challengePath))
	switch {
	case ch == nil:
		challengeView{Message: challengeGone}.write(w, http.StatusNotFound)
	case r.Method == http.MethodGet:
		ch.show(w)
	case r.Method == http.MethodPost:
		ch.answer(w, r)
	default:
		h.Set("Allow", "GET, POST")
		challengeView{Message: "This page takes GET and POST."}.write(w, http.StatusMethodNotAllowed)
	}
}

func (v challengeView) write(w http.ResponseWriter, status int) {
	v.Title = "3D Secure test page"
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = challengePage().Execute(w, v) // a reader who has gone is no business of ours
}

func (ch *challenge) show(w http.ResponseWriter) {
	ch.world.mu.Lock()
	o := ch.intent.object
	page, status := challengeView{Kind: ch.intent.kind(), ID: ch.intent.id, Token: ch.token}, http.StatusOK
	if amount := o.Int("amount"); amount > 0 {
		page.Amount = display(amount, currencyOf(o))
	}
	if ch.ended {
		page, status = challengeView{Message: challengeOver, Back: template.URL(ch.back)}, http.StatusGone
	}
	ch.world.mu.Unlock()
	page.write(w, status)
}

// answer ends the challenge as the form says and sends the customer back.
func (ch *challenge) answer(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if err := r.ParseForm(); err != nil {
		challengeView{Message: "The form could not be read."}.write(w, http.StatusBadRequest)
		return
	}
	outcome := r.PostForm.Get("outcome")
	if outcome != "complete" && outcome != "fail" {
		challengeView{Message: "The outcome is complete or fail."}.write(w, http.StatusBadRequest)
		return
	}
	if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("token")), []byte(ch.token)) != 1 {
		challengeView{Message: "The form's token is wrong."}.write(w, http.StatusForbidden)
		return
	}
	back, answered := ch.finish(outcome == "complete")
	switch {
	case !answered:
		challengeView{Message: challengeGone}.write(w, http.StatusConflict)
	case back == "":
		challengeView{Message: challengeDone}.write(w, http.StatusOK)
	default:
		w.Header().Set("Location", back)
		w.WriteHeader(http.StatusSeeOther)
	}
}

// finish carries the customer's first answer out and says where to go then; answered is false when the intent had moved on before.
func (ch *challenge) finish(complete bool) (back string, answered bool) {
	w := ch.world
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settle()
	if ch.ended {
		return ch.back, ch.answered
	}
	state := ch.intent.private.(*intent)
	state.challenge = nil
	ch.ended, ch.answered = true, true
	w.sandbox.rememberAnswered(ch)
	ch.back = returnTo(state.returnURL, ch.intent, w.own().authenticated(ch.intent, complete))
	return ch.back, true
}

// authenticated goes on with an intent whose customer has answered, and says what its redirect_status becomes.
func (c *call) authenticated(r *record, complete bool) string {
	method := c.find("payment_method", r.object.String("payment_method"))
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
	case r.object.String("confirmation_method") == "manual":
		r.private.(*intent).authenticated = method.id
		r.object.Set("status", requiresConfirmation).Set("next_action", nil)
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
	q.Set(r.resource.Object+"_client_secret", r.object.String("client_secret"))
	q.Set("redirect_status", status)
	u.RawQuery = q.Encode()
	return u.String()
}
