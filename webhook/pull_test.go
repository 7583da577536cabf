package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/tilltest"
	"github.com/till-pay/till/webhook"
)

// told has a till tell its shop n test events and a checkpoint of them, and waits until all of it is numbered.
func told(t *testing.T, till *tilltest.Till, n int) (at webhook.Endpoint) {
	t.Helper()
	for range n {
		till.As(till.Shop).Want(202, "POST", "/v1/merchant/webhook/test", nil)
	}
	var last int64 // of the test events
	numbered := func() (at webhook.Endpoint, tests int, stated webhook.Checkpoint) {
		err := webhook.Pull(t.Context(), client.New(till.URL, till.Shop.Key), endpoint(t, till).ID, 0, func(m webhook.Message) error {
			if c, ok := m.Checkpoint(); ok {
				stated = c
			} else {
				tests, last = tests+1, m.Sequence
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return endpoint(t, till), tests, stated
	}
	tilltest.Until(t, "the numbers", func() bool { _, tests, _ := numbered(); return tests == n })
	till.Clock.Advance(time.Hour)
	tilltest.Until(t, "the last checkpoint", func() bool {
		var stated webhook.Checkpoint
		at, _, stated = numbered()
		return at.Checkpoint != nil && stated.Hash == at.Checkpoint.Hash && at.Checkpoint.Sequence >= last
	})
	return at
}

func endpoint(t *testing.T, till *tilltest.Till) webhook.Endpoint {
	t.Helper()
	all, err := webhook.Endpoints(t.Context(), client.New(till.URL, till.Shop.Key))
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	return all[0]
}

// Against a real till: whatever was lost, doubled and out of order, catching up fetches exactly what did not come and proves the checkpoint; and an
// id that is not till's is named.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		at := told(t, till, 130)
		c := client.New(till.URL, till.Shop.Key)
		var all []webhook.Message
		if err := webhook.Pull(t.Context(), c, at.ID, 0, func(m webhook.Message) error { all = append(all, m); return nil }); err != nil || int64(len(all)) != at.LastSequence {
			t.Fatalf("pulled %d of %d: %v", len(all), at.LastSequence, err)
		}
		for i, m := range all {
			if m.Sequence != int64(i)+1 {
				t.Fatalf("number %d stands at place %d", m.Sequence, i+1)
			}
		}
		if stop := errors.New("stop"); webhook.Pull(t.Context(), c, at.ID, 7, func(m webhook.Message) error {
			if m.Sequence != 8 {
				t.Errorf("after 7 comes %d", m.Sequence)
			}
			return stop
		}) != stop {
			t.Error("an error does not end the pull")
		}
		rapid.Check(t, func(rt *rapid.T) {
			tr, have := &webhook.Tracker{}, map[int64]bool{}
			forged := rapid.Int64Range(0, at.Checkpoint.Sequence).Draw(rt, "forged") // 0 is none
			for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(all)-1), 0, 2*len(all)).Draw(rt, "came") {
				m := all[i]
				if m.Sequence == forged {
					m.ID = "forged"
				}
				if _, err := tr.Add(m); err != nil {
					rt.Fatal(err)
				}
				have[m.Sequence] = true
			}
			tr = again(rt, tr)
			var dealt []int64
			fetched, err := webhook.CatchUp(t.Context(), c, at.ID, tr, func(m webhook.Message) error {
				if m.ID != all[m.Sequence-1].ID || string(m.Data) != string(all[m.Sequence-1].Data) {
					rt.Errorf("fetched %+v", m)
				}
				dealt = append(dealt, m.Sequence)
				return nil
			})
			var missing []int64
			for _, m := range all {
				if !have[m.Sequence] {
					missing = append(missing, m.Sequence)
				}
			}
			if !slices.Equal(dealt, missing) || fetched != len(missing) || len(tr.Missing()) != 0 {
				rt.Fatalf("missing were %v, fetched %v", missing, dealt)
			}
			var conflict *webhook.Conflict
			if have[forged] && forged > 0 {
				if !errors.As(err, &conflict) || conflict.Sequence != forged || conflict.Known != "forged" {
					rt.Fatalf("%d was forged: %v", forged, err)
				}
				return
			}
			if whole, proved := tr.Heard(); err != nil || whole != at.LastSequence || proved != at.Checkpoint.Sequence {
				rt.Fatalf("heard %d, proved %d of %+v: %v", whole, proved, at, err)
			}
		})
	})
}

func TestCatchUpStops(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	at := told(t, till, 3)
	c := client.New(till.URL, till.Shop.Key)
	tr := &webhook.Tracker{}
	full := errors.New("the disk is full")
	n, err := webhook.CatchUp(t.Context(), c, at.ID, tr, func(m webhook.Message) error {
		if m.Sequence == 3 {
			return full
		}
		return nil
	})
	if n != 2 || err != full || fmt.Sprint(tr.Missing()) != "[3-4]" {
		t.Errorf("fetched %d, %v; missing %v", n, err, tr.Missing())
	}
	never := func(webhook.Message) error { t.Error("dealt with"); return nil }
	if _, err := webhook.CatchUp(t.Context(), c, "x", tr, never); err == nil {
		t.Error("an endpoint that is none")
	}
	if _, err := webhook.CatchUp(t.Context(), client.New(till.URL, "nobody"), at.ID, tr, never); !client.Is(err, "api_key_invalid") {
		t.Errorf("a key that is none: %v", err)
	}
}

// A server that was down hears what it missed, each message once, with the secret changed meanwhile.
func TestReceiverThatWasDown(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	var mu sync.Mutex
	times := map[int64]int{}
	tr := &webhook.Tracker{}
	deal := func(m webhook.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if came, err := tr.Add(m); err != nil || came == webhook.Duplicate {
			return err
		}
		times[m.Sequence]++
		return nil
	}
	v, err := webhook.New(till.As(till.Shop).Want(200, "PUT", "/v1/merchant/webhook", map[string]any{"rotate_secret": true}).String("data", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	v.Now = till.Clock.Now
	till.Shop.Hears.Hand(webhook.Handler(v, func(_ context.Context, m webhook.Message) error { return deal(m) }))

	till.As(till.Shop).Want(202, "POST", "/v1/merchant/webhook/test", nil)
	tilltest.Until(t, "the first", func() bool { whole, _ := tr.Heard(); return whole == 1 })
	till.Shop.Hears.Down.Store(true)
	at := endpoint(t, till)
	for range 5 {
		till.As(till.Shop).Want(202, "POST", "/v1/merchant/webhook/test", nil)
	}
	tilltest.Until(t, "the outage", func() bool { return endpoint(t, till).LastSequence == 6 })
	if n, err := webhook.CatchUp(t.Context(), client.New(till.URL, till.Shop.Key), at.ID, tr, deal); err != nil || n != 5 {
		t.Errorf("fetched %d: %v", n, err)
	}
	till.Shop.Hears.Down.Store(false)
	till.Clock.Advance(2 * time.Hour)
	tilltest.Until(t, "the checkpoint to come", func() bool { whole, _ := tr.Heard(); return whole == 7 })
	tilltest.Until(t, "all deliveries to end", func() bool {
		if till.Get("/v1/webhooks/deliveries?status=pending").Want(200).Len() == 0 {
			return true
		}
		till.Clock.Advance(time.Minute) // one that was on its way during the outage failed after the leap, and waits for its next try
		return false
	})
	mu.Lock()
	defer mu.Unlock()
	for seq := int64(1); seq <= 7; seq++ {
		if times[seq] != 1 {
			t.Errorf("%d was dealt with %d times", seq, times[seq])
		}
	}
}
