package sandbox_test

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/till-pay/till/internal/clock"
)

// TestStorm: payments, captures, cancels, refunds, disputes and payouts race each other, the clock, snapshots, restores, resets and forks,
// in a world that is kept and whose webhooks fail at times. Nothing fails in the sandbox itself, the books agree after each step (see
// audit_test.go), and a restart shows the world that was.
func TestStorm(t *testing.T) {
	t.Parallel()
	folder, key, held := t.TempDir(), newKey(t), clock.NewFake(start)
	a := kept(t, folder, key, held)
	hooks := newReceiver(t, 200, 500, 200, 500)
	go func() { // its room is bounded
		for range hooks.got {
		}
	}()
	t.Cleanup(func() { close(hooks.got) })
	a.subscribe(hooks, "*")
	s := &storm{api: a}
	together(8, func(i int) {
		s.blow(rand.New(rand.NewPCG(7, uint64(i))), 60)
	})
	a.steer(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":8640000}`)
	a.until("deliveries are over", func(s answer) bool { return s.text("webhooks_queued") == "0" && s.text("webhooks_sending") == "0" })
	before := a.look()
	a.sandbox().Close()
	again := kept(t, folder, key, held)
	if after := again.look(); after != before {
		t.Errorf("after a restart:\n%.3000s\nbefore:\n%.3000s", after, before)
	}
}

// storm is what the callers have made so far; much of it is gone again with a restore.
type storm struct {
	*api
	mu      sync.Mutex
	intents []string
}

func (s *storm) pick(r *rand.Rand) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.intents) == 0 {
		return "none"
	}
	return s.intents[r.IntN(len(s.intents))]
}

var stormCards = []string{"pm_card_visa", "pm_card_bypassPending", "pm_card_createDispute", "pm_card_pendingRefund", "pm_card_refundFail", "pm_card_chargeDeclined", "pm_card_gb"}

func (s *storm) blow(r *rand.Rand, steps int) {
	for range steps {
		var got answer
		n := strconv.Itoa(1 + r.IntN(1000))
		switch r.IntN(16) {
		case 0, 1, 2, 3:
			got = s.post("/v1/payment_intents", "amount=1000&currency="+[]string{"usd", "eur", "jpy"}[r.IntN(3)]+"&confirm=true&payment_method_types[]=card&payment_method="+stormCards[r.IntN(len(stormCards))]+"&capture_method="+[]string{"automatic", "manual"}[r.IntN(2)], "Idempotency-Key", n)
			if id := got.text("id"); got.status == http.StatusOK {
				s.mu.Lock()
				s.intents = append(s.intents, id)
				s.mu.Unlock()
			}
		case 4, 5:
			got = s.post("/v1/payment_intents/"+s.pick(r)+"/capture", "amount_to_capture="+n)
		case 6:
			got = s.post("/v1/payment_intents/"+s.pick(r)+"/cancel", "")
		case 7, 8, 9:
			got = s.post("/v1/refunds", "payment_intent="+s.pick(r)+"&amount="+n)
		case 10:
			if all := ids(s.get("/v1/disputes", "")); len(all) > 0 {
				id := all[r.IntN(len(all))]
				got = s.post("/v1/disputes/"+id+[]string{"", "/close"}[r.IntN(2)], "evidence[uncategorized_text]="+[]string{"winning_evidence", "losing_evidence"}[r.IntN(2)])
			}
		case 11:
			got = s.post("/v1/payouts", "currency=usd&amount="+n)
		case 12:
			got = s.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":`+strconv.Itoa(r.IntN(200_000))+`}`)
		case 13:
			got = s.control(http.MethodPost, "/_sandbox/snapshots", `{"name":"s`+strconv.Itoa(r.IntN(3))+`"}`)
		case 14:
			got = s.control(http.MethodPost, []string{"/_sandbox/restore", "/_sandbox/diff"}[r.IntN(2)], `{"snapshot":"s`+strconv.Itoa(r.IntN(3))+`"}`)
		case 15:
			other := s.beside("o" + strconv.Itoa(r.IntN(2)))
			got = other.control(http.MethodPost, "/_sandbox/reset", "")
			got = s.control(http.MethodPost, "/_sandbox/fork", `{"to":"`+other.key+`"}`)
			other.post("/v1/refunds", "payment_intent="+s.pick(r))
			other.control(http.MethodPost, "/_sandbox/clock/advance", `{"seconds":900000}`)
		}
		if got.status >= http.StatusInternalServerError {
			s.t.Errorf("%d %s", got.status, got.raw)
		}
	}
}
