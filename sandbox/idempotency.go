package sandbox

import (
	"crypto/sha256"
	"net/http"
	"time"
)

// Bounds of idempotency keys: Stripe's length and least lifetime, and how many a world keeps before it drops the oldest early.
const (
	maxKeyLength = 255
	keyLifetime  = 24 * time.Hour
	maxKeys      = 200_000
)

// idempotency remembers the results of requests that carried a key.
type idempotency struct {
	keys  map[string]*attempt
	order []*attempt // oldest first
}

// attempt is the first request under a key.
type attempt struct {
	key         string
	fingerprint [sha256.Size]byte // of method, path and parameters
	at          time.Time
	requestID   string
	result      *reply
	held        bool // the request is not over: its reply is kept back on purpose
}

// begin takes a key for a request, which is its method, path and parameters in one text. It gives the stored reply of an earlier one, or an error when the key cannot be used.
// Each account has keys of its own. The lock is held.
func (w *realm) begin(key, request, requestID string) (*attempt, *reply, error) {
	if len(key) > maxKeyLength {
		return nil, nil, invalid("", "", "Idempotency keys are restricted to a maximum length of %d characters. Your Idempotency-Key header was %d characters long.", maxKeyLength, len(key))
	}
	w.forgetKeys()
	digest := sha256.Sum256([]byte(request))
	kept := key
	if !w.isPlatform() {
		kept = w.account + "\x00" + key
	}
	first := w.once.keys[kept]
	if first == nil {
		a := &attempt{key: kept, fingerprint: digest, at: w.now(), requestID: requestID}
		if w.once.keys == nil {
			w.once.keys = map[string]*attempt{}
		}
		w.once.keys[kept] = a
		w.once.order = append(w.once.order, a)
		return a, nil, nil
	}
	if first.held || first.result == nil {
		return nil, nil, keyInUse(key)
	}
	if first.fingerprint != digest {
		return nil, nil, &apiError{status: http.StatusBadRequest, kind: idempotencyErr,
			message: "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '" + key + "' if you meant to execute a different request."}
	}
	return nil, first.replay(), nil
}

// keyInUse refuses a request whose key another one holds. Sources disagree about this error's type; stripe-go maps none of them
// specially.
func keyInUse(key string) *apiError {
	return &apiError{status: http.StatusConflict, kind: idempotencyErr, code: "idempotency_key_in_use",
		message: "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): " + key + ". Please try again later."}
}

// finish stores the result under the key, or frees the key when the endpoint never began. The lock is held, and has been since begin:
// no other request sees a key without a result.
func (w *world) finish(a *attempt, result *reply, keep bool) {
	if a == nil {
		return
	}
	if keep {
		a.result = result
	} else if w.once.keys[a.key] == a {
		delete(w.once.keys, a.key)
	}
	if keep && w.journal != nil {
		w.journal.line.Keys = append(w.journal.line.Keys, a.state())
	}
}

// keep and let mark the request under a key as running although its result is there, and as over. Without a key they do nothing.
func (a *attempt) keep() {
	if a != nil {
		a.held = true
	}
}

func (a *attempt) let() {
	if a != nil {
		a.held = false
	}
}

// forgetKeys drops the keys whose time is over, a few at a time, and the oldest when there are too many.
func (w *world) forgetKeys() {
	for range 4 {
		if len(w.once.order) == 0 {
			return
		}
		oldest := w.once.order[0]
		freed := w.once.keys[oldest.key] != oldest
		if !freed && w.now().Sub(oldest.at) < keyLifetime && len(w.once.order) <= maxKeys {
			return
		}
		if !freed {
			delete(w.once.keys, oldest.key)
		}
		w.once.order[0] = nil
		w.once.order = w.once.order[1:]
	}
}

// replay is the stored reply as a repeat of the request gets it.
func (a *attempt) replay() *reply {
	again := *a.result
	again.header = append(append([][2]string(nil), a.result.header...),
		[2]string{"Idempotent-Replayed", "true"}, [2]string{"Original-Request", a.requestID})
	return &again
}
