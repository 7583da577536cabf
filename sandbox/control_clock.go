package sandbox

import (
	"net/http"
	"strconv"
	"time"
)

// maxAwait bounds how long a request waits for the clock to be set or advanced, in real time.
const maxAwait = time.Minute

// clockView is a world's clock as the control API shows it.
type clockView struct {
	Now     string `json:"now"`
	Mode    string `json:"mode"`    // real, frozen or faster
	Rate    int64  `json:"rate"`    // seconds that pass while one passes outside
	Version uint64 `json:"version"` // how often it was set or advanced
}

// modes are the rates that have names.
var modes = map[int64]string{0: "frozen", 1: "real"}

func (w *world) clockView() clockView {
	w.mu.Lock()
	defer w.mu.Unlock()
	mode := modes[w.rate]
	if mode == "" {
		mode = "faster"
	}
	return clockView{Now: w.now().Format(time.RFC3339Nano), Mode: mode, Rate: w.rate, Version: w.version}
}

// showClock answers at once; or with ?after=<version>&wait=<seconds>, once the clock has been set or advanced since that version, or
// the time is over. Whoever follows the clock asks so.
func showClock(w *realm, r *http.Request, _ []byte) (any, error) {
	q := r.URL.Query()
	if q.Get("after") == "" {
		return w.clockView(), nil
	}
	after, err := strconv.ParseUint(q.Get("after"), 10, 64)
	if err != nil {
		return nil, badControl("after is a version of the clock.")
	}
	wait, err := strconv.Atoi(q.Get("wait"))
	if err != nil || wait < 0 || time.Duration(wait)*time.Second > maxAwait {
		return nil, badControl("wait is 0 to 60 seconds.")
	}
	w.awaitClock(r, after, time.Duration(wait)*time.Second)
	return w.clockView(), nil
}

// awaitClock returns once the clock is beyond a version, or after a time.
func (w *world) awaitClock(r *http.Request, after uint64, limit time.Duration) {
	w.mu.Lock()
	if w.version > after {
		w.mu.Unlock()
		return
	}
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	changed := w.changed
	w.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-r.Context().Done():
	case <-w.sandbox.live.Done():
	}
}

// setClock freezes the clock, lets it run as outside, or faster; and lets it show a later time.
func setClock(w *realm, _ *http.Request, body []byte) (any, error) {
	in := struct {
		Mode string    `json:"mode"`
		Rate int64     `json:"rate"`
		Now  time.Time `json:"now"`
	}{}
	if err := readControl(body, &in); err != nil {
		return nil, err
	}
	rate := in.Rate
	switch {
	case in.Mode == "frozen" && in.Rate == 0:
	case in.Mode == "real" && in.Rate <= 1 && in.Rate >= 0:
		rate = 1
	case in.Mode == "faster" && in.Rate > 1 && in.Rate <= maxRate:
	case in.Mode == "faster":
		return nil, badControl("rate is 2 to 86400 seconds that pass while one passes outside.")
	default:
		return nil, badControl("mode is frozen, real or faster; rate goes with faster.")
	}
	if err := w.setClock(rate, in.Now); err != nil {
		return nil, err
	}
	return w.clockView(), nil
}

// advanceClock moves the clock forward. What falls due on the way has happened when it answers.
func advanceClock(w *realm, _ *http.Request, body []byte) (any, error) {
	var in struct {
		Seconds *int64     `json:"seconds"`
		To      *time.Time `json:"to"`
	}
	if err := readControl(body, &in); err != nil {
		return nil, err
	}
	if (in.Seconds == nil) == (in.To == nil) {
		return nil, badControl(`Give either "seconds" or "to".`)
	}
	err := w.advance(func(now time.Time) time.Duration {
		if in.To != nil {
			return in.To.Sub(now)
		}
		return time.Duration(min(max(*in.Seconds, -1), int64(maxAdvance/time.Second)+1)) * time.Second
	})
	if err != nil {
		return nil, err
	}
	return w.clockView(), nil
}
