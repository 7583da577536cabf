package sandbox

import (
	"cmp"
	"context"
	"net/http"
	"path"
	"slices"
	"strconv"
	"time"
)

func scriptFault(w *realm, _ *http.Request, body []byte) (any, error) {
	f := &fault{}
	if err := readControl(body, f); err != nil {
		return nil, err
	}
	if wrong := f.check(); wrong != "" {
		return nil, badControl(wrong + ".")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.script(f); err != nil {
		return nil, err
	}
	return *f, nil
}

// listFaults shows all rules, those that are spent among them, with how often each has met something.
func listFaults(w *realm, _ *http.Request, _ []byte) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	type view struct {
		fault
		Spent bool `json:"spent"` // it will never strike again
	}
	all := make([]view, len(w.faults))
	for i, f := range w.faults {
		all[i] = view{*f, f.spent(w.now())}
	}
	return map[string]any{"faults": all}, nil
}

// forgetFaults drops all rules.
func forgetFaults(w *realm, _ *http.Request, _ []byte) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.setFaults(nil)
	return map[string]any{}, nil
}

// forgetFault drops the rule that the path names.
func forgetFault(w *realm, r *http.Request, _ []byte) (any, error) {
	id := path.Base(r.URL.Path)
	w.mu.Lock()
	defer w.mu.Unlock()
	at := slices.IndexFunc(w.faults, func(f *fault) bool { return f.ID == id })
	if at < 0 {
		return nil, &errControl{http.StatusNotFound, "There is no fault " + id + " here."}
	}
	f := *w.faults[at]
	w.setFaults(slices.Delete(w.faults, at, at+1))
	return f, nil
}

func releaseReplies(w *realm, _ *http.Request, _ []byte) (any, error) {
	return map[string]int{"released": w.releaseHeld()}, nil
}

// waitForWebhooks answers once no webhook is queued or under way, at latest after so many seconds of real time. What waits for a later
// time of the world's clock does not keep it.
func waitForWebhooks(w *realm, r *http.Request, body []byte) (any, error) {
	in := struct {
		Seconds int64 `json:"seconds"`
	}{10}
	if len(body) > 0 {
		if err := readControl(body, &in); err != nil {
			return nil, err
		}
	}
	if in.Seconds < 0 || in.Seconds > int64(maxAwait/time.Second) {
		return nil, badControl("seconds is 0 to 60.")
	}
	limit, cancel := context.WithTimeout(r.Context(), time.Duration(in.Seconds)*time.Second)
	defer cancel()
	w.awaitQuiet(limit)
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string]any{"idle": w.queued+w.sending == 0, "queued": w.queued, "sending": w.sending, "later": w.later}, nil
}

// awaitQuiet returns once no webhook is queued or under way, or when ctx ends.
func (w *world) awaitQuiet(ctx context.Context) {
	var quiet chan struct{}
	_ = w.step(func() { // what is due by now is queued before it is looked at
		if w.queued+w.sending == 0 {
			return
		}
		if w.quiet == nil {
			w.quiet = make(chan struct{})
		}
		quiet = w.quiet
	})
	if quiet == nil {
		return
	}
	select {
	case <-quiet:
	case <-ctx.Done():
	case <-w.sandbox.live.Done():
	}
}

// sendAgain sends an event once more, to every endpoint that wants its type or to the one that is named, as stripe events resend does.
// It neither stops nor causes other tries.
func sendAgain(w *realm, _ *http.Request, body []byte) (any, error) {
	var in struct {
		Event    string `json:"event"`
		Endpoint string `json:"endpoint"`
	}
	if err := readControl(body, &in); err != nil {
		return nil, err
	}
	sent := []string{}
	var refusal error
	err := w.step(func() {
		event := w.find("event", in.Event)
		if event == nil {
			refusal = &errControl{http.StatusNotFound, "There is no event " + strconv.Quote(in.Event) + " here."}
			return
		}
		for endpoint := range w.each("webhook_endpoint") {
			if in.Endpoint == endpoint.id || in.Endpoint == "" && wanted(endpoint, event.text("type")) {
				sent = append(sent, endpoint.id)
			}
		}
		for _, endpoint := range sent {
			w.push(w.mailbox(endpoint), delivery{Event: event.id, Endpoint: endpoint, Pending: known[announcement](event).Pending, Resent: true})
		}
	})
	if refusal != nil || err != nil {
		return nil, cmp.Or(refusal, err)
	}
	if in.Endpoint != "" && len(sent) == 0 {
		return nil, &errControl{http.StatusNotFound, "There is no endpoint " + strconv.Quote(in.Endpoint) + " here."}
	}
	return map[string]any{"endpoints": sent}, nil
}
