package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The control API steers one world, the one that the secret key names, as Bearer or as the user name of Basic. It speaks JSON:
//
//	GET  /_sandbox/                 lists what follows, in a line each; see control_index.go
//	GET  /_sandbox/account          {"country":"US","default_currency":"usd",…}; see control_account.go
//	POST /_sandbox/account          the same, of an account that shall be another
//	GET  /_sandbox/clock            {"now":"2026-01-02T03:04:05Z","mode":"real","rate":1,"version":0}; see control_clock.go
//	POST /_sandbox/clock            {"mode":"frozen"}, {"mode":"real"} or {"mode":"faster","rate":60}, and "now" if it shall show another time
//	POST /_sandbox/clock/advance    {"seconds":N} or {"to":"2026-01-02T03:04:05Z"}
//	GET  /_sandbox/connect          the connected accounts, and what they lack; see control_connect.go
//	POST /_sandbox/connect          {"account":"acct_…","action":"restrict","requirements":["business_profile.url"]}
//	POST /_sandbox/faults           {"method":"POST","path":"/v1/refunds","nth":1,"kind":"cut"} adds a rule; see chaos.go
//	GET  /_sandbox/faults           the rules, and how often each has matched and struck
//	DELETE /_sandbox/faults         forgets them all; below it, the one that is named
//	POST /_sandbox/faults/release   lets go of held replies
//	GET  /_sandbox/events?type=T&nth=N&wait=SECONDS   the Nth event of a type, once it is there; see control_events.go
//	GET  /_sandbox/rate_limits      Stripe's rate limits, which are off at first
//	POST /_sandbox/rate_limits      {"on":true}, with limits of one's own where wanted; see rate_limit.go
//	GET  /_sandbox/requests         the latest requests of the API, oldest first: ?method= path= status=429 or 4xx key= since=req_… limit=
//	GET  /_sandbox/webhooks         the latest tries to deliver, oldest first: ?event= type= endpoint= status= limit=
//	POST /_sandbox/webhooks/wait    {"seconds":10} answers once nothing is queued or under way, at latest after so long in real time
//	POST /_sandbox/webhooks/send    {"event":"evt_…"} sends an event again, as Stripe's Dashboard and CLI do; {"endpoint":"we_…"} to that one alone
//	POST /_sandbox/cards/update     {"payment_method":"pm_…","exp_year":2031,"last4":"1234"}: its network has replaced a saved card
//	POST /_sandbox/refunds/cancel   {"refund":"re_…"}: canceled in the Dashboard, within 30 minutes
//	POST /_sandbox/refunds/bank     {"refund":"pyr_…"}: its customer, asked by e-mail, tells a bank account
//	POST /_sandbox/refunds/cash     {"charge":"py_…","amount":500}: refunded in the Dashboard to the customer's cash balance
//	GET  /_sandbox/radar            the rules of Radar and the risk settings; see control_radar.go
//	POST /_sandbox/radar            {"rule":"Block if …"}, {"id":"ssr_…","enabled":false} or {"settings":{"highest_from":80}}
//	DELETE /_sandbox/radar          makes them those of a new account; below it, forgets the rule that is named
//	POST /_sandbox/radar/test       {"rule":"Block if …"}: which of the charges that there are it would have met
//	POST /_sandbox/debits/return    {"charge":"py_…","reason":"insufficient_funds"}: its bank returns a debit, before or after its success
//	POST /_sandbox/payouts/return   {"payout":"po_…","failure_code":"no_account"}: its bank sends a payout back, before or after it was paid
//	GET  /_sandbox/state            how many objects of each kind there are, and what is under way
//
// Errors are {"error":{"message":…}}.

// maxControlBody bounds a request of the control API, in bytes.
const maxControlBody = 64 << 10

var controls = map[string]func(*realm, *http.Request, []byte) (any, error){
	"GET /_sandbox/account":         showControlAccount,
	"POST /_sandbox/account":        changeAccount,
	"GET /_sandbox/clock":           showClock,
	"POST /_sandbox/clock":          setClock,
	"POST /_sandbox/clock/advance":  advanceClock,
	"POST /_sandbox/faults":         scriptFault,
	"GET /_sandbox/connect":         showConnect,
	"POST /_sandbox/connect":        changeConnected,
	"GET /_sandbox/faults":          listFaults,
	"DELETE /_sandbox/faults":       forgetFaults,
	"DELETE /_sandbox/faults/{id}":  forgetFault,
	"POST /_sandbox/faults/release": releaseReplies,
	"GET /_sandbox/events":          awaitEvent,
	"GET /_sandbox/rate_limits":     showLimits,
	"POST /_sandbox/rate_limits":    setLimits,
	"GET /_sandbox/requests":        listRequests,
	"GET /_sandbox/webhooks":        listDeliveries,
	"POST /_sandbox/webhooks/wait":  waitForWebhooks,
	"POST /_sandbox/webhooks/send":  sendAgain,
	"GET /_sandbox/state":           showState,
	"GET /_sandbox/radar":           showRadar,
	"POST /_sandbox/radar":          changeRadar,
	"DELETE /_sandbox/radar":        forgetRadar,
	"DELETE /_sandbox/radar/{id}":   forgetRule,
	"POST /_sandbox/radar/test":     testRule,
	"POST /_sandbox/cards/update":   updateCard,
	"POST /_sandbox/refunds/cancel": withdrawRefund,
	"POST /_sandbox/refunds/bank":   tellAccount,
	"POST /_sandbox/refunds/cash":   refundToCash,
	"POST /_sandbox/debits/return":  returnDebit,
	"POST /_sandbox/payouts/return": bouncePayout,
	"POST /_sandbox/snapshots":      takeSnapshot,
	"GET /_sandbox/snapshots":       listSnapshots,
	"DELETE /_sandbox/snapshots":    forgetSnapshots,
	"POST /_sandbox/restore":        restoreSnapshot,
	"POST /_sandbox/reset":          resetWorld,
	"POST /_sandbox/fork":           forkWorld,
	"POST /_sandbox/diff":           diffWorlds,
}

// errControl is a refusal of the control API.
type errControl struct {
	status  int
	message string
}

func (e *errControl) Error() string { return e.message }

func badControl(message string) error { return &errControl{http.StatusBadRequest, message} }

func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	answer, err := s.control(w, r)
	status := http.StatusOK
	if err != nil {
		status = http.StatusInternalServerError
		if refusal := (*errControl)(nil); errors.As(err, &refusal) {
			status = refusal.status
		}
		answer = map[string]any{"error": map[string]string{"message": err.Error()}}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	reply := json.NewEncoder(w)
	reply.SetEscapeHTML(false) // an & of a form is one
	_ = reply.Encode(answer)   // a caller who has gone is no business of ours
}

func (s *Server) control(out http.ResponseWriter, r *http.Request) (any, error) {
	if strings.TrimSuffix(r.URL.Path, "/") == "/_sandbox" && r.Method == http.MethodGet {
		return controlIndex(), nil
	}
	do := controls[r.Method+" "+r.URL.Path]
	if do == nil {
		do = controls[r.Method+" "+path.Dir(r.URL.Path)+"/{id}"]
	}
	if do == nil {
		return nil, &errControl{http.StatusNotFound, "There is no " + r.Method + " " + r.URL.Path + " here; GET /_sandbox/ lists what there is."}
	}
	if foreign(r) {
		return nil, &errControl{http.StatusForbidden, "This is not for web pages of another origin."}
	}
	key, _ := apiKey(r)
	kind, suffix := parseKey(key)
	if suffix == "" || kind == publishableKey {
		return nil, &errControl{http.StatusUnauthorized, "Name the world with its secret key: Authorization: Bearer sk_test_…, or curl -u sk_test_…:"}
	}
	w, err := s.world(suffix, true)
	if err != nil {
		return nil, &errControl{http.StatusTooManyRequests, err.Error()}
	}
	body, err := io.ReadAll(http.MaxBytesReader(out, r.Body, maxControlBody))
	if err != nil {
		return nil, &errControl{http.StatusRequestEntityTooLarge, "The body could not be read, or is too large."}
	}
	of, err := w.admitted(r)
	if err != nil {
		return nil, err
	}
	answer, err := do(of, r, body)
	if r.Method != http.MethodGet && err == nil {
		err = w.keepRules()
	}
	return answer, err
}

// admitted is the realm that a request to the control API is about: the platform's, or that of the account in its Stripe-Account header.
func (w *world) admitted(r *http.Request) (of *realm, err error) {
	account := r.Header.Get("Stripe-Account")
	w.mu.Lock()
	defer w.mu.Unlock()
	if of = w.realmOf(account); of == nil {
		return nil, &errControl{http.StatusNotFound, "This world has no account " + account + "."}
	}
	return of, nil
}

// keepRules writes the rules of faults and limits to the journal, if there is one.
func (w *world) keepRules() error {
	return w.step(func() {
		if w.journal != nil {
			w.journal.line.Rules = w.rules()
		}
	})
}

// foreign says whether a browser sent the request from another page than one of the sandbox's own.
func foreign(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}

// readControl reads a JSON object strictly.
func readControl(body []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return badControl(wrongBody(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return badControl("The body is more than one JSON value.")
	}
	return nil
}

// wrongBody says in the words of JSON, not of Go, why a body could not be read.
func wrongBody(err error) string {
	if errors.Is(err, io.EOF) {
		return "The body is missing: this takes a JSON object, as GET /_sandbox/ shows."
	}
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		name := strconv.Quote(wrong.Field)
		if wrong.Field == "" {
			name = "The body"
		}
		return name + " cannot be a JSON " + wrong.Value + " here; GET /_sandbox/ shows what it is."
	}
	if wrong := (*time.ParseError)(nil); errors.As(err, &wrong) {
		return "A time is written as 2026-01-02T03:04:05Z, not " + strconv.Quote(wrong.Value) + "."
	}
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return "There is no " + name + " here; GET /_sandbox/ shows what there is."
	}
	return "The body is not JSON: " + err.Error() + "."
}

func showState(w *realm, _ *http.Request, _ []byte) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.commit()
	w.settle()
	objects := map[string]int{}
	for kind, all := range w.shelves {
		if n := len(all.all) - all.gone; n > 0 {
			objects[kind] = n
		}
	}
	return map[string]any{
		"account":          w.account,
		"objects":          objects,
		"webhooks_queued":  w.queued,
		"webhooks_sending": w.sending,
		"webhooks_later":   w.later,
		"webhooks_dropped": w.dropped,
		"replies_held":     len(w.held),
		"fault_pending":    slices.ContainsFunc(w.faults, func(f *fault) bool { return !f.spent(w.now()) }),
	}, nil
}
