package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// sink is the demo merchant's own server: it hears webhooks and checks their signatures, as a shop would.
type sink struct {
	net.Listener
	server *http.Server
	mu     sync.Mutex
	secret string
	told   []told
}

type told struct {
	Type     string `json:"type"`
	Sequence int64  `json:"sequence"`
	Data     struct {
		ID string `json:"id"`
	} `json:"data"`
}

func newSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for webhooks: %w", err)
	}
	s := &sink{Listener: l}
	s.server = &http.Server{Handler: s, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

func (s *sink) url() string { return "http://" + s.Addr().String() + "/webhooks" }

// Close stops hearing.
func (s *sink) Close() error { return s.server.Close() }

// expect sets the secret that deliveries are signed with.
func (s *sink) expect(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
}

// most bounds what is remembered: the latest deliveries.
const most = 1000

// ServeHTTP implements http.Handler.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	check, err := standardwebhooks.NewWebhook(s.secret)
	var t told
	if err != nil || check.Verify(body, r.Header) != nil || json.Unmarshal(body, &t) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if s.told = append(s.told, t); len(s.told) > most {
		s.told = s.told[len(s.told)-most:]
	}
}

// heard says what was told of a type and an object, or "".
func (s *sink) heard(kind, object string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.told {
		if t.Type == kind && t.Data.ID == object {
			return fmt.Sprintf("signature good, sequence %d", t.Sequence)
		}
	}
	return ""
}
