package sandbox

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// Bounds of a request's parameters, in bytes: how many are taken, and how many more are let pass before the refusal.
const (
	maxBody    = 1 << 20
	maxDrained = 32 << 20
)

// call is one request to one operation, under the world's lock.
type call struct {
	*realm  // of the account that the request is about
	op      spec.Op
	params  *spec.Params
	path    []spec.PathParam
	expand  *expansion
	id      string    // of the request: req_…
	key     string    // Idempotency-Key
	version string    // of the API
	older   []*change // what that version has otherwise; nil for the newest
	base    string    // scheme and host under which the caller reached the sandbox
	browser bool      // called with a publishable key
	upload  *upload
	toCash  bool     // a refund goes to the customer's cash balance
	source  *record  // the card that a new customer comes with
	bank    *decline // what the card's bank says to a charge, by a rule; nil where the card decides
}

// reply is an answer on its way out.
type reply struct {
	status int
	body   []byte
	header [][2]string
	buffer *[]byte // that the body is in, to be used again once it is sent; nil where somebody keeps the body
}

// ServeHTTP answers Stripe's API, the control API under /_sandbox/, the hosted 3D Secure page, and the page at / that shows a world.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !ownHost(r) {
		http.Error(w, "This sandbox is reached under a loopback address only, so that no web page can reach it by a name of its own.", http.StatusForbidden)
		return
	}
	switch {
	case r.URL.Path == "/_sandbox" || strings.HasPrefix(r.URL.Path, "/_sandbox/"):
		s.serveControl(w, r)
	case strings.HasPrefix(r.URL.Path, challengePath), strings.HasPrefix(r.URL.Path, hostedPath):
		s.serveChallenge(w, r)
	case strings.HasPrefix(r.URL.Path, sourcePath):
		s.serveSourcePage(w, r)
	case strings.HasPrefix(r.URL.Path, linkPath):
		s.serveLink(w, r)
	case strings.HasPrefix(r.URL.Path, setupPath):
		s.serveSetup(w, r)
	case strings.HasPrefix(r.URL.Path, dashboardPath):
		s.serveDashboard(w, r)
	case strings.HasPrefix(r.URL.Path, oauthPath), strings.HasPrefix(r.URL.Path, expressPath):
		s.serveOAuth(w, r)
	case isPage(r):
		s.servePage(w, r)
	default:
		s.serveAPI(w, r)
	}
}

// ownHost says whether the request names the sandbox by a loopback address or by the address that its connection arrived at. A name
// that merely resolves here (DNS rebinding) is neither.
func ownHost(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	if ip.IsLoopback() {
		return true
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return local != nil && local.AddrPort().Addr().Unmap() == ip.Unmap()
}

// serveAPI answers one request of Stripe's API, through all that can go wrong on the way.
func (s *Server) serveAPI(out http.ResponseWriter, r *http.Request) {
	x := &exchange{sandbox: s, out: out, request: r}
	defer x.recovered()
	body, err := x.readBody()
	if err == nil {
		err = x.authenticate()
	}
	if err == nil {
		err = x.readVersion()
	}
	if err != nil {
		if x.world != nil {
			x.refuse("", asAPIError(err))
			return
		}
		x.fail(err)
		return
	}
	if file, ok := contentsOf(r); ok {
		x.serveContents(file)
		return
	}
	x.serve(body)
}

// readBody reads the parameters, and the file of the one operation that takes any.
func (x *exchange) readBody() (form string, err error) {
	if uploads(x.request) {
		form, x.upload, err = readUpload(x.request)
		return form, err
	}
	return readBody(x.request)
}

// exchange is one request and its answer.
type exchange struct {
	sandbox *Server
	out     http.ResponseWriter
	request *http.Request

	world   *world
	realm   *realm // of the account that it is about; the world's own until it is admitted
	own     string // the account whose key it is, where that was granted by OAuth
	browser bool
	id      string
	version string
	older   []*change // what that version has otherwise; nil for the newest
	key     string
	upload  *upload  // the file that came with it
	intent  string   // the id of the PaymentIntent that the path names
	first   *attempt // set while this request holds its idempotency key
	op      spec.Op  // where matched
	matched bool     // the path is one of Stripe's

	fault                 *fault        // scripted for this request
	slowBefore, slowAfter time.Duration // how long it takes, on purpose
}

// readBody reads the parameters: those of the query for a GET; for everything else, those of the body count over those of the query.
// stripe-go sends those of DELETE in the body.
func readBody(r *http.Request) (string, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.ContentLength == 0 {
		return r.URL.RawQuery, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return "", &apiError{status: http.StatusBadRequest, kind: invalidRequest, message: "The request's body could not be read."}
	}
	if len(body) > maxBody {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained) // whoever sends it all listens only then
		return "", &apiError{status: http.StatusRequestEntityTooLarge, kind: invalidRequest, message: "The request is too large: at most " + strconv.Itoa(maxBody) + " bytes are read."}
	}
	if kind := r.Header.Get("Content-Type"); len(body) > 0 && strings.HasPrefix(kind, "application/json") {
		return "", &apiError{status: http.StatusBadRequest, kind: invalidRequest,
			message: "Invalid request: the Content-Type of requests to this API is application/x-www-form-urlencoded, not " + strconv.Quote(kind) + "."}
	}
	if r.URL.RawQuery == "" {
		return string(body), nil
	}
	return r.URL.RawQuery + "&" + string(body), nil
}

// serve runs the request through scripted faults, idempotency and the operation, and sends the answer.
func (x *exchange) serve(form string) {
	if x.request.Method == http.MethodPost {
		x.key = x.request.Header.Get("Idempotency-Key")
	}
	x.scripted(form)
	if x.breakBefore(form) {
		return
	}
	answer := x.answer(form)
	x.pause(x.slowAfter)
	if x.fault != nil {
		x.sendBroken(x.fault, answer)
		return
	}
	x.send(answer)
	answer.done()
}

// answer reads the parameters and, under the world's lock, does what was asked. The answer is rendered under the lock too, so that it
// shows what this request has done and nothing later.
func (x *exchange) answer(form string) *reply {
	w := x.world
	c, do, err := x.prepare(form)
	var result *reply
	unwritten := w.step(func() {
		x.id = w.home.newShortID("req_")
		if refused := x.admit(); refused != nil {
			err = refused
		}
		if limited := x.limited(); limited != nil {
			err = limited
		}
		if err == nil {
			c.id, c.realm = x.id, x.realm
			result, err = x.perform(c, do)
		}
		if err != nil {
			result = x.refusal(err)
		}
		w.finish(x.first, result, err == nil || asAPIError(err).executed)
		if x.fault != nil && x.fault.Kind == hold {
			x.first.keep()
		}
		code := ""
		if err != nil {
			code = asAPIError(err).code
		}
		x.log(form, result.status, code)
	})
	if unwritten != nil {
		return &reply{status: http.StatusInternalServerError, body: notKept(unwritten).body(w.accountName(), x.id, x.browser)}
	}
	return result
}

// notKept is the answer to a request of a world whose journal could not be written.
func notKept(why error) *apiError {
	return &apiError{status: http.StatusInternalServerError, kind: apiFailure,
		message: "The sandbox could not write to the folder in which it keeps its worlds (" + why.Error() + "). It acknowledges nothing more of this world until it is started again; what it has acknowledged is kept."}
}

// perform takes the idempotency key and does what was asked. Until the key is taken, nothing has happened; from then on the answer
// belongs to the key.
func (x *exchange) perform(c *call, do handler) (*reply, error) {
	post := x.request.Method == http.MethodPost
	if c.key != "" {
		first, stored, err := x.realm.begin(c.key, x.request.Method+" "+x.request.URL.Path+" "+c.params.Canonical(), c.id)
		if stored != nil || err != nil {
			return stored, err
		}
		x.first = first
	}
	if post && x.world.full() {
		return nil, &apiError{status: http.StatusTooManyRequests, kind: invalidRequest, code: "rate_limit", message: "This world of the sandbox holds no more objects."}
	}
	if x.fault.fails() && !x.fault.AfterEffect {
		return nil, x.fault.failure()
	}
	object, err := do(c)
	if err == nil && x.fault.fails() {
		err = x.fault.failure()
	}
	if err != nil {
		return nil, err
	}
	if len(c.older) > 0 {
		object = olderReply{c, object}
	}
	result := &reply{status: http.StatusOK}
	if c.key == "" { // nobody keeps it
		result.buffer = bodies.Get().(*[]byte)
		*result.buffer = object.AppendJSON((*result.buffer)[:0])
		result.body = *result.buffer
	} else {
		result.body = x.world.render(object)
	}
	if post {
		result.header = noRetry
	}
	return result, nil
}

// bodies are buffers for answers.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// maxPooled is the size of a buffer, in bytes, above which it is not kept.
const maxPooled = 64 << 10

// done gives the buffer of an answer that was sent to a later one.
func (r *reply) done() {
	if r.buffer == nil {
		return
	}
	if *r.buffer = r.body; cap(r.body) <= maxPooled {
		bodies.Put(r.buffer)
	}
	r.buffer, r.body = nil, nil
}

// render writes an object as JSON, in a buffer that is as long as the text.
func (w *world) render(object appender) []byte {
	w.scratch = object.AppendJSON(w.scratch[:0])
	return bytes.Clone(w.scratch)
}

// refusal is the answer that an error is. What is refused of a PaymentIntent, be it the parameters, shows the intent as it stands.
func (x *exchange) refusal(err error) *reply {
	e := asAPIError(err)
	if e.status == http.StatusBadRequest && e.kind == invalidRequest && e.paymentIntent == nil && !x.browser {
		e.paymentIntent = x.realm.find("payment_intent", x.intent)
	}
	result := &reply{status: e.status, body: x.inVersion(e.body(x.world.home.account, x.id, x.browser)), header: e.header}
	if e.status == http.StatusPaymentRequired {
		result.header = noRetry
	}
	return result
}

var noRetry = [][2]string{{"Stripe-Should-Retry", "false"}}

// prepare finds the operation and reads the parameters.
func (x *exchange) prepare(form string) (*call, handler, error) {
	r := x.request
	asked := r.URL.EscapedPath()
	if len(x.older) > 0 {
		asked, form = newerRequest(x.older, r.Method, asked, form)
	}
	op, path, ok := spec.Match(r.Method, asked)
	x.op, x.matched = op, ok
	if !ok && strings.HasPrefix(r.URL.Path, "/v2/") { // Stripe has a second API, of which the document of the first says nothing
		return nil, nil, unbuilt("Stripe's API v2, and so not %s %s: what it has is below /v1/", r.Method, r.URL.Path)
	}
	if !ok {
		return nil, nil, &apiError{status: http.StatusNotFound, kind: invalidRequest,
			message: "Unrecognized request URL (" + r.Method + ": " + r.URL.Path + "). Please see https://stripe.com/docs or we can help at https://support.stripe.com/."}
	}
	if r.Method == http.MethodPost && strings.HasPrefix(op.Path(), "/v1/payment_intents/{intent}") {
		x.intent = path[0].Value
	}
	do := table[op.ID()]
	if do == nil {
		return nil, nil, noOperation(op)
	}
	if err := x.allowed(op); err != nil {
		return nil, nil, err
	}
	params, bad := op.Decode(newerForm(x.older, op, form))
	if bad != nil {
		return nil, nil, fromSpec(bad)
	}
	expand, err := parseExpand(op, newerPaths(x.version, op, params.Strings("expand")), x.older)
	if err != nil {
		return nil, nil, err
	}
	c := &call{op: op, params: params, path: path, expand: expand, key: x.key, version: x.version, older: x.older, base: baseURL(r), browser: x.browser, upload: x.upload}
	if x.fault != nil && x.fault.Kind == issuerDeclines {
		c.bank = declineOf(x.fault.Reason)
	}
	return c, do, nil
}

// baseURL is how the caller reached the sandbox.
func baseURL(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host
}

// send writes an answer with the headers of Stripe's API.
func (x *exchange) send(answer *reply) {
	x.head(answer)
	x.out.WriteHeader(answer.status)
	_, _ = x.out.Write(answer.body) // a caller who has gone is no business of ours
}

func (x *exchange) head(answer *reply) {
	h := x.out.Header()
	h["Content-Type"] = contentType
	h["Cache-Control"] = noStore
	h["Strict-Transport-Security"] = transportSecurity
	h["Access-Control-Expose-Headers"] = exposed
	h["X-Stripe-Routing-Context-Priority-Tier"] = priorityTier
	h["Content-Length"] = []string{strconv.Itoa(len(answer.body))}
	if x.id != "" {
		h["Request-Id"] = []string{x.id}
	}
	if x.version != "" {
		h["Stripe-Version"] = []string{x.version}
	}
	if len(x.older) > 0 {
		h["Stripe-Notice"] = []string{outdated(x.version)}
	}
	if account := x.request.Header.Get("Stripe-Account"); account != "" {
		h["Stripe-Account"] = []string{account}
	} else if rest, named := strings.CutPrefix(x.request.URL.Path, "/v1/accounts/acct_"); named { // recorded
		id, _, _ := strings.Cut(rest, "/")
		h["Stripe-Account"] = []string{"acct_" + id}
	}
	if x.key != "" {
		h["Idempotency-Key"] = []string{x.key}
		h["Original-Request"] = []string{x.id}
	}
	for _, pair := range answer.header {
		h.Set(pair[0], pair[1])
	}
}

// The headers that every answer has.
var (
	contentType       = []string{"application/json"}
	noStore           = []string{"no-cache, no-store"}
	transportSecurity = []string{"max-age=63072000; includeSubDomains; preload"}
	exposed           = []string{"Request-Id, Stripe-Manage-Version, Stripe-Should-Retry, X-Stripe-External-Auth-Required, X-Stripe-Privileged-Session-Required"}
	priorityTier      = []string{"api-testmode"}
)

// fail answers a request that never reached an operation.
func (x *exchange) fail(err error) {
	e := asAPIError(err)
	account := ""
	if x.world != nil {
		account = x.world.accountName()
	}
	if x.id == "" {
		x.id = x.sandbox.newRequestID()
	}
	x.send(&reply{status: e.status, body: e.body(account, x.id, x.browser), header: e.header})
}

// recovered turns a panic into Stripe's shape of a failure of its own. The key, if any, keeps that result as Stripe would.
func (x *exchange) recovered() {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler { // a scripted fault cuts the connection
		panic(cause)
	}
	slog.Error("sandbox: a request failed in the sandbox itself", "method", x.request.Method, "path", x.request.URL.Path, "cause", cause, "stack", string(debug.Stack()))
	e := asAPIError(errors.New("panic"))
	answer := &reply{status: e.status, body: e.body("", x.id, x.browser)}
	if x.world != nil {
		x.world.mu.Lock()
		x.world.finish(x.first, answer, true)
		x.world.mu.Unlock()
	}
	x.send(answer)
}
