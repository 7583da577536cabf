package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// mostBody is how long a message may be, in bytes; till's are some thousands.
const mostBody = 1 << 20

// Handler hears till. deal gets each message that is proved: where it returns nil the answer is 204, and till is done; where it returns an
// error the answer is 500, and till sends the message again, after seconds at first and for three days. What is not proved is answered 400
// and deal does not hear of it.
//
// The same message may come twice, also at the same time: deal should write down m.ID, under a unique key, in one transaction with what the
// message changes, and return nil where it is there already. It has ten seconds, counted by till: what takes longer belongs behind a queue.
func Handler(v *Verifier, deal func(ctx context.Context, m Message) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "webhooks are sent by POST", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			http.Error(w, "the body is too long for a webhook", http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "the body did not arrive", http.StatusBadRequest)
			return
		}
		m, err := v.Verify(r.Header, body)
		if err != nil {
			http.Error(w, reason(err), http.StatusBadRequest)
			return
		}
		if err := deal(r.Context(), m); err != nil { // what went wrong is our business, not the sender's
			http.Error(w, "not dealt with; send it again", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// reason is why a message was refused, without what was in it.
func reason(err error) string {
	for _, one := range []error{ErrHeader, ErrSignature, ErrTime, ErrBody} {
		if errors.Is(err, one) {
			return one.Error()
		}
	}
	return "refused"
}
