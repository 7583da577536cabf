package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"
)

// world is all that one API key sees: a Stripe account in test mode with its objects, clock, events and deliveries.
// One lock guards it. Nothing waits while holding it: webhooks are sent and replies held back without.
type world struct {
	sandbox *Sandbox
	suffix  string // of the keys that name it
	account string // acct_…
	methods string // pmc_…: which payment methods are switched on

	mu      sync.Mutex
	random  *rand.Rand
	made    time.Time
	scratch []byte // for rendering

	store
	timeline
	ledger
	mailroom
	chaos
	once idempotency
	log  requestLog
}

func newWorld(s *Sandbox, suffix string) *world {
	w := &world{sandbox: s, suffix: suffix}
	seed := sha256.Sum256(append(s.seed[:], suffix...))
	w.random = rand.New(rand.NewChaCha8(seed))
	// The account is a function of the key alone, so that it is the same after a restart.
	name := sha256.Sum256([]byte("account of " + suffix))
	n := binary.BigEndian.Uint64(name[:])
	w.account = "acct_1" + string(base62(nil, n, 7)) + string(base62(nil, binary.BigEndian.Uint64(name[8:]), 8))
	w.methods = "pmc_" + w.account[len("acct_"):] + string(base62(nil, binary.BigEndian.Uint64(name[16:]), 8))
	w.made = w.now()
	w.kick = make(chan struct{}, 1)
	return w
}
