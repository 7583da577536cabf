package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// awaited tells those who wait for an event that there is another one.
type awaited struct {
	emitted chan struct{} // closed at the next event; nil while nobody waits
}

// emittedEvent wakes those who wait for an event. The lock is held.
func (a *awaited) emittedEvent() {
	if a.emitted != nil {
		close(a.emitted)
		a.emitted = nil
	}
}

// awaitEvent answers GET /_sandbox/events?type=…&nth=N&wait=SECONDS once there are N events of a type, one where N is left out, with the
// Nth; or when the time is over, with null and how many there are of each type.
func awaitEvent(w *realm, r *http.Request, _ []byte) (any, error) {
	q := r.URL.Query()
	kind := q.Get("type")
	nth, err := strconv.Atoi(cmp.Or(q.Get("nth"), "1"))
	if kind == "" || err != nil || nth < 1 {
		return nil, badControl("Say which event: type=payment_intent.succeeded&nth=1, counted from 1.")
	}
	wait, err := strconv.ParseFloat(q.Get("wait"), 64)
	if q.Get("wait") != "" && (err != nil || !(wait >= 0 && wait <= maxAwait.Seconds())) {
		return nil, badControl("wait is 0 to 60 seconds.")
	}
	timer := time.NewTimer(time.Duration(wait * float64(time.Second)))
	defer timer.Stop()
	for {
		event, emitted, err := w.nthEvent(kind, nth)
		if event != nil || err != nil {
			return map[string]any{"event": event}, err
		}
		select {
		case <-emitted:
			continue
		case <-timer.C:
		case <-r.Context().Done():
		case <-w.sandbox.live.Done():
		}
		seen, err := w.eventCounts()
		return map[string]any{"event": nil, "seen": seen}, err
	}
}

// nthEvent is the nth event of a type, or what is closed when there is another one.
func (w *realm) nthEvent(kind string, nth int) (event json.RawMessage, emitted chan struct{}, err error) {
	err = w.step(func() {
		if all := w.having("event", "type", kind); nth <= len(all) {
			event = w.render(all[nth-1])
			return
		}
		if w.emitted == nil {
			w.emitted = make(chan struct{})
		}
		emitted = w.emitted
	})
	return event, emitted, err
}

// eventCounts is how many events of each type there are.
func (w *realm) eventCounts() (map[string]int, error) {
	seen := map[string]int{}
	err := w.step(func() {
		for e := range w.each("event") {
			seen[e.text("type")]++
		}
	})
	return seen, err
}
