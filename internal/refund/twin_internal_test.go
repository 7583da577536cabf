package refund

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/payment"
	"github.com/till-pay/till/internal/stripe"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// What an outcome writes to the rows of a refund and its payment is what the twin does to its own, misses included, on both engines: a refund
// that is decided from rows of which either may have moved since.
func TestTheTwinIsTheTable(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		written, missed := 0, 0
		for seed := range uint64(60) {
			h := newHistory(t, d, seed)
			for range 10 {
				hit, wrote := h.turn()
				if wrote && hit {
					written++
				} else if !hit {
					missed++
				}
			}
		}
		if written < 50 || missed < 50 {
			t.Errorf("%d written, %d missed: the histories say little", written, missed)
		}
	})
}

type history struct {
	t      *testing.T
	s      *Refunds
	chance *rand.Rand
	r, was Refund
	p, of  payment.Payment
}

// newHistory is a completed payment of 50.00 of which 20.00 are asked back.
func newHistory(t *testing.T, d *db.DB, seed uint64) *history {
	t.Helper()
	payments := &payment.Payments{DB: d, Clock: clock.NewFake(noon)}
	h := &history{t: t, s: &Refunds{DB: d, Clock: payments.Clock, Payments: payments}, chance: rand.New(rand.NewPCG(seed, 3))}
	claimed := payment.Claimed(db.Scope{Merchant: "m", Mode: "test"}, id.New(), money.FromMinor(5000, "USD"), "automatic", noon)
	completed := db.Change{SQL: `update payments set status = 'completed', captured = amount, provider_ref = 'pi_1', provider_status = 'succeeded' where id = $1`,
		Args: []any{claimed.ID}, Rows: 1}
	if err := d.Write(t.Context(), append(claimed.Insert(), completed)...); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.p, err = payments.Get(t.Context(), claimed.Scope(), claimed.ID); err != nil {
		t.Fatal(err)
	}
	h.r = Claimed(h.p, id.New(), 2000, noon)
	if err := d.Write(t.Context(), payment.Refunding(h.p.Scope(), h.p.ID, 2000, 1), insert(h.r)); err != nil {
		t.Fatal(err)
	}
	var ok bool
	if h.p, ok = h.p.SetAside(2000); !ok {
		t.Fatal("the twin had nothing to set aside")
	}
	return h
}

// turn decides from what was read last, or just now, and writes it.
func (h *history) turn() (hit, wrote bool) {
	h.t.Helper()
	if h.chance.IntN(3) > 0 || h.was.ID == "" {
		h.was, h.of = h.read()
	}
	if h.chance.IntN(4) == 0 { // another refund moves the payment meanwhile
		if moved, ok := h.p.SetAside(1); ok {
			if err := h.s.DB.Write(h.t.Context(), payment.Refunding(h.p.Scope(), h.p.ID, 1, 1)); err != nil {
				h.t.Fatal(err)
			}
			h.p = moved
		}
	}
	o := h.outcome()
	changes, err := h.s.changes(h.was, o, h.of)
	if err != nil {
		h.t.Fatal(err)
	}
	err = h.s.DB.Write(h.t.Context(), changes...)
	if err != nil && !db.IsMoved(err) {
		h.t.Fatal(err)
	}
	h.r, h.p, hit = Written(h.r, h.p, h.was, h.of, o)
	if len(changes) > 0 && hit == errors.As(err, new(*db.Moved)) {
		h.t.Fatalf("the table: %v, the twin hit: %v", err, hit)
	}
	r, p := h.read()
	if diff := cmp.Diff(h.r, r, cmp.AllowUnexported(Refund{}, money.Money{}), cmpopts.IgnoreFields(Refund{}, "UpdatedAt")); diff != "" {
		h.t.Fatalf("the twin (-) and the table (+):\n%s", diff)
	}
	if p.Essence() != h.p.Essence() || !p.Same(h.p) {
		h.t.Fatalf("the twin has the payment as %s, the table as %s", h.p.Essence(), p.Essence())
	}
	return hit, len(changes) > 0
}

func (h *history) outcome() Outcome {
	if h.chance.IntN(5) == 0 {
		return Refused(h.was, &stripe.Error{Status: 400, Code: "c"}, 1, h.of, noon)
	}
	status := []string{"pending", "succeeded", "succeeded", "failed"}[h.chance.IntN(4)]
	return Answered(h.was, stripe.Refund{ID: "re_1", Status: status, Amount: 2000, FailureReason: "declined"}, int64(h.chance.IntN(2)), h.of, noon)
}

func (h *history) read() (Refund, payment.Payment) {
	h.t.Helper()
	r, p, err := h.s.pair(h.t.Context(), h.p.Scope(), h.r.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return r, p
}
