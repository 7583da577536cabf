package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bounds of webhook delivery.
const (
	maxWorkers      = 4      // at once, per endpoint: one that hangs keeps no other waiting
	maxQueue        = 10_000 // deliveries queued, per endpoint; the newest beyond it are dropped
	deliveryTimeout = 10 * time.Second
	maxReplyRead    = 64 << 10 // bytes of an endpoint's answer
)

// retryAfter is when a failed delivery is tried again. Stripe tries three more times over a few hours in test mode, and does not say when.
var retryAfter = []time.Duration{30 * time.Second, 15 * time.Minute, 2 * time.Hour}

// mailroom counts the deliveries of a world's events. Each endpoint has a queue of its own.
type mailroom struct {
	queued  int
	sending int // under way
	later   int // waiting for another try, or delayed on purpose
	dropped int // because a queue was full
}

// delivery is one event on its way to one endpoint.
type delivery struct {
	event, endpoint *record
	tries           int
	spared          bool // comes from a scripted fault and meets no other
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

// post queues an event for every endpoint that wants it.
func (w *world) post(e *record) {
	pending := 0
	for _, endpoint := range w.all("webhook_endpoint") {
		if !wanted(endpoint, e.object.String("type")) {
			continue
		}
		pending++
		w.enqueue(&delivery{event: e, endpoint: endpoint})
	}
	e.object.Set("pending_webhooks", pending)
}

func wanted(endpoint *record, kind string) bool {
	if endpoint.gone || endpoint.object.String("status") != "enabled" {
		return false
	}
	enabled, _ := endpoint.object.Get("enabled_events").([]string)
	for _, pattern := range enabled {
		if matchesType(pattern, kind) {
			return true
		}
	}
	return false
}

// enqueue hands a delivery to a worker of its endpoint. The lock is held.
func (w *world) enqueue(d *delivery) {
	at := d.endpoint.private.(*endpointState)
	if len(at.queue) >= maxQueue {
		w.dropped++
		return
	}
	at.queue = append(at.queue, d)
	w.queued++
	if at.workers < maxWorkers {
		at.workers++
		go w.deliverQueue(at)
	}
}

// enqueueIn queues a delivery when some time has passed on the world's clock.
func (w *world) enqueueIn(after time.Duration, d *delivery) {
	w.later++
	w.in(after, func() {
		w.later--
		w.enqueue(d)
	})
}

// deliverQueue is a worker: it sends what is queued for an endpoint and ends when nothing is.
func (w *world) deliverQueue(at *endpointState) {
	for {
		w.mu.Lock()
		d, request := w.nextDelivery(at)
		if d == nil {
			at.workers--
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		if request == nil {
			continue
		}
		delivered := w.sandbox.send(request)
		w.mu.Lock()
		w.delivered(d, delivered)
		w.mu.Unlock()
	}
}

// nextDelivery takes the next delivery off the queue and signs it; the request is nil when there is nothing to send after all.
func (w *world) nextDelivery(at *endpointState) (*delivery, *http.Request) {
	if w.sandbox.live.Err() != nil {
		w.queued -= len(at.queue)
		at.queue = nil
	}
	if len(at.queue) == 0 {
		return nil, nil
	}
	d := at.queue[0]
	at.queue[0] = nil
	at.queue = at.queue[1:]
	w.queued--
	if d.endpoint.gone || d.endpoint.object.String("status") != "enabled" || !w.mishap(d) {
		return d, nil
	}
	d.tries++
	request, err := w.signed(d)
	if err != nil { // a URL that cannot be requested was refused when the endpoint was made
		return d, nil
	}
	w.sending++
	return d, request
}

// delivered books the end of a try: the event has one endpoint less to reach, or another try is arranged.
func (w *world) delivered(d *delivery, success bool) {
	w.sending--
	if success {
		if pending := d.event.object.Int("pending_webhooks"); pending > 0 {
			d.event.object.Set("pending_webhooks", pending-1)
		}
		return
	}
	if d.tries > len(retryAfter) {
		return
	}
	w.enqueueIn(retryAfter[d.tries-1], d)
}

// signed is the request of one try. Every try has a signature and a time of its own.
func (w *world) signed(d *delivery) (*http.Request, error) {
	event := d.event.object
	if version := d.endpoint.object.String("api_version"); version != "" && version != event.String("api_version") {
		event = event.Clone().Set("api_version", version)
	}
	body := event.AppendJSON(nil)
	request, err := http.NewRequestWithContext(w.sandbox.live, http.MethodPost, d.endpoint.object.String("url"), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	request.Header.Set("Stripe-Signature", signature(d.endpoint.private.(*endpointState).secret, w.now().Unix(), body))
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

// send makes one try; any 2xx is success.
func (s *Sandbox) send(request *http.Request) bool {
	answer, err := s.client.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxReplyRead) // so that the connection can be used again
	return answer.StatusCode/100 == 2
}
