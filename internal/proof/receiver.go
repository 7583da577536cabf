package proof

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// receiver is the merchant's own server: it keeps what it was told, where the signature is right.
type receiver struct {
	*httptest.Server
	t      T
	mu     sync.Mutex
	secret string
	down   bool
	told   map[string]map[string]int // by object and type, how often
	seen   map[int64]string          // the event of each number
	twice  []int64                   // numbers that came with two events
}

func newReceiver(t T) *receiver {
	r := &receiver{t: t, told: map[string]map[string]int{}, seen: map[int64]string{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(func() { r.CloseClientConnections(); r.Close() })
	return r
}

func (r *receiver) trust(secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret = secret
}

// out makes it refuse everything, or no longer.
func (r *receiver) out(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // cut: its sender was killed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	check, err := standardwebhooks.NewWebhook(r.secret)
	if err == nil {
		err = check.Verify(body, q.Header)
	}
	var said struct {
		ID, Type string
		Sequence int64
		Data     struct{ ID string }
	}
	if err == nil {
		err = json.Unmarshal(body, &said)
	}
	if err != nil {
		r.t.Errorf("a delivery that cannot be trusted: %v: %s", err, body)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.told[said.Data.ID] == nil {
		r.told[said.Data.ID] = map[string]int{}
	}
	r.told[said.Data.ID][said.Type]++
	if first := r.seen[said.Sequence]; first != "" && first != said.ID {
		r.twice = append(r.twice, said.Sequence)
	}
	r.seen[said.Sequence] = said.ID
}

// heard is how often it was told of a type of event about an object.
func (r *receiver) heard(object, kind string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told[object][kind]
}

// gaps are the numbers below the highest that it did not hear, and those that it heard of two events.
func (r *receiver) gaps() (missing, twice []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := int64(1); n <= int64(len(r.seen)); n++ {
		if r.seen[n] == "" {
			missing = append(missing, n)
		}
	}
	return missing, r.twice
}
