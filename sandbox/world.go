package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/till-pay/till/sandbox/radar"
)

// world is all that one API key sees: a Stripe account in test mode, the accounts that are connected to it, their objects, and one clock.
// One lock guards it. Nothing waits while holding it: webhooks are sent and replies held back without.
type world struct {
	sandbox   *Server
	suffix    string // of the keys that name it
	tag       string // names the world in addresses of pages, without telling the key
	home      *realm // of its own account
	connected map[string]*realm

	mu         sync.Mutex
	random     *rand.ChaCha8
	made       time.Time
	born       int64                  // order of the newest record that was there from the beginning
	scratch    []byte                 // for rendering
	likes      map[string]likeMethod  // by card number
	parsed     map[string]*radar.Rule // by text
	era        uint64                 // how often the world has become another
	journal    *journal
	apiVersion atomic.Pointer[string] // of the account, once it was set; see pin

	snapshots map[string]*image

	store
	timeline
	mailroom
	awaited
	chaos
	once idempotency
	limiter
	log ring[logged]
}

// tagOf names the world of a key without telling the key.
func tagOf(suffix string) string {
	name := sha256.Sum256([]byte("world of " + suffix))
	return hex.EncodeToString(name[:8])
}

func newWorld(s *Server, suffix, tag string) *world {
	w := &world{sandbox: s, suffix: suffix, tag: tag}
	seed := sha256.Sum256(append(s.seed[:], suffix...))
	w.random = rand.NewChaCha8(seed)
	// The account is a function of the key alone, so that it is the same after a restart.
	name := sha256.Sum256([]byte("account of " + suffix))
	n := binary.BigEndian.Uint64(name[:])
	w.home = &realm{world: w}
	w.home.account = "acct_1" + string(base62(nil, n, 7)) + string(base62(nil, binary.BigEndian.Uint64(name[8:]), 8))
	w.home.methods = "pmc_" + w.home.account[len("acct_"):] + string(base62(nil, binary.BigEndian.Uint64(name[16:]), 8))
	w.anchor = s.clock.Now()
	w.base, w.rate = w.anchor.UTC(), s.rate
	if !s.start.IsZero() {
		w.base = s.start
	}
	w.made = w.now()
	w.limits = s.limits
	w.kick = make(chan struct{}, 1)
	w.home.openAccount(s.country, s.currency)
	return w
}
