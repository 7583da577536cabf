package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of webhook delivery.
const (
	maxWorkers      = 4      // at once, per endpoint: one that hangs keeps no other waiting; one alone where the clock stands still
	maxQueue        = 10_000 // deliveries queued, per endpoint; the newest beyond it are dropped
	deliveryTimeout = 10 * time.Second
	maxReplyRead    = 64 << 10 // bytes of an endpoint's answer
)

// retryAfter is when a failed delivery is tried again. Stripe tries three more times over a few hours in test mode, and does not say when.
var retryAfter = []time.Duration{30 * time.Second, 15 * time.Minute, 2 * time.Hour}

// mailroom is the deliveries of a world's events. Each endpoint has a queue of its own.
type mailroom struct {
	boxes   map[string]*mailbox // by endpoint
	mailed  uint64              // number of the newest delivery
	queued  int
	sending int // under way
	later   int // waiting for another try, or delayed on purpose
	dropped int // because a queue was full

	attempts ring[attempted] // the latest
	quiet    chan struct{}   // closed once nothing is queued or under way
}

// mailbox is what waits to be sent to one endpoint, and how many are sending it.
type mailbox struct {
	queue    []queued
	parked   []parked
	underway []delivery // as they were queued; at most so many as there are workers
	workers  int
}

// queued is a delivery whose turn has not come. It holds on to its event, which may grow too old to be listed meanwhile.
type queued struct {
	delivery
	event *record
}

// delivery is one event on its way to one endpoint, by their ids.
type delivery struct {
	Number   uint64 `json:"number"`
	Account  string `json:"account,omitempty"` // whose event it is, where that is not the world's own account
	Event    string `json:"event"`
	Endpoint string `json:"endpoint"`
	Pending  int    `json:"pending"` // how many endpoints the event was to reach at first: what each of them is told
	Tries    int    `json:"tries,omitempty"`
	Spared   bool   `json:"spared,omitempty"`  // comes from a scripted fault and meets no other
	Corrupt  bool   `json:"corrupt,omitempty"` // is signed wrongly
	Resent   bool   `json:"resent,omitempty"`  // sent by hand, beside what else becomes of the event: it is tried once and counts for nothing
	Turn     uint64 `json:"turn,omitempty"`    // when it was queued, in the order of appointments: its next try comes in that order
}

// attempted is one try to deliver, as the control API shows it.
type attempted struct {
	At       time.Time `json:"at"`
	Event    string    `json:"event"`
	Type     string    `json:"type"`
	Endpoint string    `json:"endpoint"`
	Try      int       `json:"try"`             // from 1
	Status   int       `json:"status"`          // of the endpoint's answer; 0 is none
	Fault    string    `json:"fault,omitempty"` // lost or corrupted
}

// webhookClient never follows a redirect and uses no proxy.
func webhookClient() *http.Client {
	return &http.Client{
		Timeout:       deliveryTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: deliveryTimeout}).DialContext,
			MaxIdleConnsPerHost:   maxWorkers,
			IdleConnTimeout:       30 * time.Second,
			ResponseHeaderTimeout: deliveryTimeout,
		},
	}
}

// matchesType says whether one of enabled_events, or of a list's types, covers a type: itself, "*", or a group such as "charge.*".
func matchesType(pattern, kind string) bool {
	if prefix, group := strings.CutSuffix(pattern, "*"); group {
		return strings.HasPrefix(kind, prefix)
	}
	return pattern == kind
}

// post sends an event on its way to every endpoint that wants it, and gives the oldest version in which it will be seen.
func (w *realm) post(e *record) (oldest string) {
	oldest = private[announcement](e).Version
	var all []delivery
	send := func(endpoint *record, connected bool) {
		if !wanted(endpoint, e.text("type")) || endpoint.ofConnected() != connected {
			return
		}
		all = append(all, delivery{Account: w.name(), Event: e.id, Endpoint: endpoint.id})
		if version := endpoint.text("api_version"); version != "" {
			oldest = min(oldest, version)
		}
	}
	for endpoint := range w.each("webhook_endpoint") {
		send(endpoint, false)
	}
	if !w.isPlatform() {
		for endpoint := range w.home.each("webhook_endpoint") {
			send(endpoint, true)
		}
	}
	private[announcement](e).Pending = len(all)
	for _, d := range all {
		d.Pending = len(all)
		w.dispatch(d, e)
	}
	return oldest
}

// ofConnected says whether an endpoint of the platform is for what happens in the accounts that are connected to it.
func (r *record) ofConnected() bool { return known[endpointState](r).Connect }

// eventOf and endpointOf are what a delivery is of and to. An endpoint is the platform's, or the account's own.
func (w *world) eventOf(d delivery) *record {
	if of := w.realmOf(d.Account); of != nil {
		return of.byID[d.Event]
	}
	return nil
}

func (w *world) endpointOf(d delivery) *record {
	if r := w.home.find("webhook_endpoint", d.Endpoint); r != nil {
		return r
	}
	if of := w.realmOf(d.Account); of != nil {
		return of.find("webhook_endpoint", d.Endpoint)
	}
	return nil
}

func wanted(endpoint *record, kind string) bool {
	if endpoint.text("status") != "enabled" {
		return false
	}
	enabled, _ := endpoint.object().Get("enabled_events").([]string)
	for _, pattern := range enabled {
		if matchesType(pattern, kind) {
			return true
		}
	}
	return wantedAsOlder(endpoint, enabled, kind)
}

// wantedAsOlder says whether an endpoint of an older version asks for a type by the name that it has there.
func wantedAsOlder(endpoint *record, enabled []string, kind string) bool {
	version := endpoint.text("api_version")
	if version == "" {
		version = endpoint.realm.pinned()
	}
	was := olderType(changesSince(version), kind)
	return was != kind && slices.ContainsFunc(enabled, func(pattern string) bool { return matchesType(pattern, was) })
}

func (w *world) mailbox(endpoint string) *mailbox {
	box := w.boxes[endpoint]
	if box == nil {
		if w.boxes == nil {
			w.boxes = map[string]*mailbox{}
		}
		box = &mailbox{}
		w.boxes[endpoint] = box
	}
	return box
}

// enqueue hands a delivery to a worker of its endpoint. The lock is held.
func (w *world) enqueue(d delivery) {
	box := w.mailbox(d.Endpoint)
	w.push(box, d)
	if len(box.parked) > 0 {
		w.overtaken(box)
	}
}

// push puts a delivery at the end of a queue. Where the clock stands still one worker sends one after another, so that they arrive in
// the order in which they were caused.
func (w *world) push(box *mailbox, d delivery) {
	if len(box.queue) >= maxQueue {
		w.dropped++
		return
	}
	w.order++
	d.Turn = w.order
	w.number(&d)
	if w.journal != nil {
		w.journal.line.Mail = append(w.journal.line.Mail, d)
	}
	box.queue = append(box.queue, queued{d, w.eventOf(d)})
	w.queued++
	limit := maxWorkers
	if w.rate == 0 {
		limit = 1
	}
	if box.workers < limit {
		box.workers++
		go w.deliverQueue(box)
	}
}

// number gives a delivery its number, unless it has one.
func (w *world) number(d *delivery) {
	if d.Number == 0 {
		d.Number = w.mailed + 1
	}
	w.mailed = max(w.mailed, d.Number)
}

// enqueueIn queues a delivery when some time has passed on the world's clock. Where several fall due at once, their order is that in
// which they were queued before, however quickly their endpoints have answered.
func (w *world) enqueueIn(after time.Duration, d delivery) {
	w.later++
	if d.Turn == 0 {
		w.order++
		d.Turn = w.order
	}
	d.Number = 0
	detail, _ := json.Marshal(d) // plain text and numbers
	w.arrange(appointment{At: w.now().Add(after), Order: d.Turn, What: "event.deliver", Detail: string(detail)})
}

// deliverLater is what enqueueIn has arranged.
func deliverLater(c *call, _ *record, detail string) {
	c.later--
	var d delivery
	if json.Unmarshal([]byte(detail), &d) != nil {
		return
	}
	if event := c.eventOf(d); event != nil {
		c.dispatch(d, event)
	}
}

// deliverQueue is a worker: it sends what is queued for an endpoint and ends when nothing is.
func (w *world) deliverQueue(box *mailbox) {
	for {
		var next *delivery
		var request *http.Request
		var era uint64
		err := w.step(func() {
			era = w.era
			if next, request = w.nextDelivery(box); next == nil {
				box.workers--
			}
			w.hush()
		})
		switch {
		case next == nil:
			return
		case err != nil: // what the event tells of is not in the journal
			continue
		case request == nil:
			continue
		}
		status := w.sandbox.send(request)
		_ = w.step(func() { // the next step tells of a failure
			if w.era == era {
				box.underway = slices.DeleteFunc(box.underway, func(d delivery) bool { return d.Number == next.Number })
				w.delivered(*next, status)
			}
			w.hush()
		})
	}
}

// hush tells those who wait for it that nothing is queued or under way.
func (w *world) hush() {
	if w.quiet != nil && w.queued == 0 && w.sending == 0 {
		close(w.quiet)
		w.quiet = nil
	}
}

// nextDelivery takes the next delivery off the queue and signs it; the request is nil when there is nothing to send after all.
func (w *world) nextDelivery(box *mailbox) (*delivery, *http.Request) {
	if w.sandbox.live.Err() != nil {
		w.queued -= len(box.queue)
		box.queue = nil
	}
	if len(box.queue) == 0 {
		return nil, nil
	}
	d, event := box.queue[0].delivery, box.queue[0].event
	box.queue[0].event = nil
	box.queue = box.queue[1:]
	w.queued--
	endpoint := w.endpointOf(d)
	if event == nil || endpoint == nil || endpoint.text("status") != "enabled" {
		w.sent(d)
		return &d, nil
	}
	asQueued := d
	d.Tries++
	request, err := w.signed(d, event, endpoint)
	if err != nil { // a URL that cannot be requested was refused when the endpoint was made
		return &d, nil
	}
	w.sending++
	box.underway = append(box.underway, asQueued)
	return &d, request
}

// delivered books the end of a try: the event has one endpoint less to reach, or another try is arranged.
func (w *world) delivered(d delivery, status int) {
	w.sending--
	w.sent(d)
	event := w.eventOf(d)
	if event == nil {
		return
	}
	one := attempted{At: w.now(), Event: d.Event, Type: event.text("type"), Endpoint: d.Endpoint, Try: d.Tries, Status: status}
	if d.Corrupt {
		one.Fault = corrupted
	}
	w.attempts.add(one)
	switch {
	case d.Resent:
	case status/100 == 2:
		w.reached(event)
	case d.Tries <= len(retryAfter):
		d.Spared, d.Corrupt = d.Spared && !d.Corrupt, false
		w.enqueueIn(retryAfter[d.Tries-1], d)
	}
}

// sent notes that a delivery no longer waits.
func (w *world) sent(d delivery) {
	if w.journal != nil {
		w.journal.line.Sent = append(w.journal.line.Sent, d.Number)
	}
}

// reached notes that an event has one endpoint less to reach.
func (w *world) reached(event *record) {
	if a := private[announcement](event); a.Pending > 0 {
		a.Pending--
	}
}

// signed is the request of one try. Every try has a signature and a time of its own.
func (w *world) signed(d delivery, event, endpoint *record) (*http.Request, error) {
	body := eventBody(event, endpoint, d.Pending)
	request, err := http.NewRequestWithContext(w.sandbox.live, http.MethodPost, endpoint.text("url"), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	secret := private[endpointState](endpoint).Secret
	if d.Corrupt {
		secret = "corrupted " + secret
	}
	request.Header.Set("Stripe-Signature", signature(secret, w.now().Unix(), body))
	return request, nil
}

// signature is the Stripe-Signature header: v1 is the hex HMAC-SHA256 of "<time>.<body>" under the whole text of the secret.
// Stripe adds a fake v0 in test mode, which checks that a receiver ignores every scheme but v1.
func signature(secret string, at int64, body []byte) string {
	t := strconv.FormatInt(at, 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	v1 := hex.EncodeToString(mac.Sum(nil))
	fake := sha256.Sum256([]byte(v1))
	return "t=" + t + ",v1=" + v1 + ",v0=" + hex.EncodeToString(fake[:])
}

// send makes one try and gives the status of the answer, 0 where there is none. Any 2xx is success.
func (s *Server) send(request *http.Request) int {
	answer, err := s.client.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxReplyRead) // so that the connection can be used again
	return answer.StatusCode
}
