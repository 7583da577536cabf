package webhook_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/till-pay/till/webhook"
)

func message(seq int64) webhook.Message {
	return webhook.Message{Type: "payment.completed", ID: fmt.Sprintf("id-%d", seq), Sequence: seq}
}

// over is the hash over ids, written down a second time.
func over(ids []string) (h string) {
	for _, id := range ids {
		sum := sha256.Sum256([]byte(h + "\n" + id))
		h = hex.EncodeToString(sum[:])
	}
	return h
}

// stated is the checkpoint over messages 1 to n.
func stated(n int64) webhook.Checkpoint {
	var ids []string
	for seq := range n {
		ids = append(ids, message(seq+1).ID)
	}
	return webhook.Checkpoint{Sequence: n, Count: n, Hash: over(ids)}
}

// again is a tracker after a restart.
func again(t rapid.TB, was *webhook.Tracker) *webhook.Tracker {
	t.Helper()
	is := &webhook.Tracker{}
	raw, err := json.Marshal(was)
	if err == nil {
		err = json.Unmarshal(raw, is)
	}
	if err != nil {
		t.Fatal(err)
	}
	return is
}

func add(t rapid.TB, tr *webhook.Tracker, seq int64) webhook.Arrival {
	t.Helper()
	came, err := tr.Add(message(seq))
	if err != nil {
		t.Fatal(err)
	}
	return came
}

func TestArrivals(t *testing.T) {
	t.Parallel()
	tr := &webhook.Tracker{}
	for _, c := range []struct {
		seq     int64
		came    webhook.Arrival
		missing string
	}{
		{1, webhook.Next, "[]"}, {1, webhook.Duplicate, "[]"}, {2, webhook.Next, "[]"}, {5, webhook.Early, "[3-4]"}, {7, webhook.Early, "[3-4 6]"}, {7, webhook.Duplicate, "[3-4 6]"},
		{4, webhook.Late, "[3 6]"}, {3, webhook.Late, "[6]"}, {8, webhook.Early, "[6]"}, {6, webhook.Late, "[]"}, {9, webhook.Next, "[]"}, {3, webhook.Duplicate, "[]"},
	} {
		if came := add(t, tr, c.seq); came != c.came || fmt.Sprint(tr.Missing()) != c.missing {
			t.Errorf("%d came %s and %v is missing, not %s and %s", c.seq, came, tr.Missing(), c.came, c.missing)
		}
		tr = again(t, tr)
	}
	tr.Expect(11)
	if tr = again(t, tr); fmt.Sprint(tr.Missing()) != "[10-11]" {
		t.Errorf("expected and missing: %v", tr.Missing())
	}
	for _, bad := range []webhook.Message{{ID: "x"}, {Sequence: 12}, {ID: "x", Sequence: -1}} {
		if _, err := tr.Add(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// Whatever is lost, doubled and out of order, over any restarts: what is missing is exactly what did not come; a checkpoint holds when all of it
// has come, and an id that is not till's is noticed.
func TestTracker(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		sent := rapid.Int64Range(1, 60).Draw(rt, "sent")
		came := rapid.SliceOfN(rapid.Int64Range(1, sent), 0, 120).Draw(rt, "came")
		checks := rapid.Int64Range(1, sent).Draw(rt, "checkpoint")
		tr := &webhook.Tracker{}
		have := map[int64]bool{}
		for i, seq := range came {
			if was := add(rt, tr, seq); (was == webhook.Duplicate) != have[seq] {
				rt.Fatalf("%d came %s", seq, was)
			}
			have[seq] = true
			if rapid.Bool().Draw(rt, "restart") {
				tr = again(rt, tr)
			}
			if i%10 == 9 { // checks at any time do no harm
				_ = tr.Check(stated(min(checks, seq)))
			}
		}
		tr.Expect(sent)
		missing := map[int64]bool{}
		for _, r := range tr.Missing() {
			for seq := r.From; seq <= r.To; seq++ {
				missing[seq] = true
			}
		}
		upto := true
		for seq := int64(1); seq <= sent; seq++ {
			if missing[seq] == have[seq] {
				rt.Fatalf("%d came: %v, missing: %v", seq, have[seq], missing[seq])
			}
			upto = upto && (have[seq] || seq > checks)
		}
		err := tr.Check(stated(checks))
		var incomplete *webhook.Incomplete
		if upto != (err == nil) || !upto && !errors.As(err, &incomplete) {
			rt.Fatalf("with %v missing the checkpoint at %d: %v", tr.Missing(), checks, err)
		}
		for seq := range missing {
			add(rt, tr, seq)
		}
		if err := again(rt, tr).Check(stated(sent)); err != nil || len(tr.Missing()) != 0 {
			rt.Fatalf("all have come: %v, missing %v", err, tr.Missing())
		}

		forged := rapid.Int64Range(1, sent).Draw(rt, "forged")
		tr = &webhook.Tracker{}
		for seq := int64(1); seq <= sent; seq++ {
			m := message(seq)
			if seq == forged {
				m.ID += "x"
			}
			if _, err := tr.Add(m); err != nil {
				rt.Fatal(err)
			}
		}
		var differs *webhook.Difference
		var conflict *webhook.Conflict
		if err := tr.Check(stated(sent)); !errors.As(err, &differs) || differs.Within.From > forged || differs.Within.To < forged {
			rt.Errorf("with %d forged: %v", forged, err)
		}
		if forged > 1 {
			if err := tr.Check(stated(forged - 1)); err != nil {
				rt.Errorf("before the forged one: %v", err)
			}
		}
		if _, err := tr.Add(message(forged)); !errors.As(err, &conflict) || conflict.Sequence != forged || conflict.Known != conflict.Got+"x" {
			rt.Errorf("till's own %d: %v", forged, err)
		}
	})
}

func size(t *testing.T, tr *webhook.Tracker) int {
	t.Helper()
	raw, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	return len(raw)
}

func TestTrackerIsBounded(t *testing.T) {
	t.Parallel()
	tr := &webhook.Tracker{}
	for seq := range int64(50_000) { // nobody ever checks
		add(t, tr, seq+1)
	}
	if n := size(t, tr); n > 40_000 {
		t.Errorf("after 50,000 in turn it is %d bytes", n)
	}
	if err := tr.Check(stated(48_999)); !errors.Is(err, webhook.ErrPast) {
		t.Errorf("a checkpoint that is past: %v", err)
	}
	if err := tr.Check(stated(49_500)); err != nil {
		t.Error(err)
	}
	if err := tr.Check(stated(48_999)); err != nil {
		t.Errorf("one before a proved one: %v", err)
	}
	if err := tr.Check(stated(50_000)); err != nil || size(t, tr) > 200 {
		t.Errorf("proved, it is %d bytes; %v", size(t, tr), err)
	}

	tr = &webhook.Tracker{}
	var full int64
	for seq := int64(2); full == 0; seq++ { // the first never comes
		if _, err := tr.Add(message(seq)); errors.Is(err, webhook.ErrFull) {
			full = seq
		} else if err != nil || seq > 20_000 {
			t.Fatal(err)
		}
	}
	if full != 10_002 {
		t.Errorf("full at %d", full)
	}
	if came := add(t, tr, 5000); came != webhook.Duplicate {
		t.Errorf("one that is there, when it is full: %s", came)
	}
	if came := add(t, tr, 1); came != webhook.Late {
		t.Errorf("the first came %s", came)
	}
	if came := add(t, tr, full); came != webhook.Next || len(tr.Missing()) != 0 {
		t.Errorf("there is no room again: %s, %v", came, tr.Missing())
	}
}

func TestTrackingFromACheckpoint(t *testing.T) {
	t.Parallel()
	tr := webhook.From(stated(40))
	if came := add(t, tr, 40); came != webhook.Duplicate {
		t.Errorf("40 came %s", came)
	}
	add(t, tr, 42)
	if !slices.Equal(tr.Missing(), []webhook.Range{{From: 41, To: 41}}) {
		t.Errorf("missing %v", tr.Missing())
	}
	add(t, tr, 41)
	if err := tr.Check(stated(42)); err != nil {
		t.Error(err)
	}
	if whole, proved := tr.Heard(); whole != 42 || proved != 42 {
		t.Errorf("heard %d, proved %d", whole, proved)
	}
	for _, c := range []webhook.Checkpoint{{}, {Sequence: 43, Count: 42, Hash: stated(43).Hash}, {Sequence: 43, Count: 43, Hash: "x"}} {
		var incomplete *webhook.Incomplete
		if err := tr.Check(c); err == nil || errors.As(err, &incomplete) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestStatesThatAreNone(t *testing.T) {
	t.Parallel()
	hash := stated(1).Hash
	for _, bad := range []string{`[]`, `{"sequence":-1}`, `{"sequence":1}`, `{"hash":"` + hash + `"}`, `{"sequence":1,"hash":"` + hash + `","proved":2}`, `{"ids":{"0":"a"}}`, `{"ids":{"1":""}}`,
		`{"ids":{"x":"a"}}`, `{"expected":-1}`, `{"sequence":1,"hash":"` + hash + `","ids":{"1":"a"}}`} {
		tr := &webhook.Tracker{}
		if err := json.Unmarshal([]byte(bad), tr); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	tr := &webhook.Tracker{}
	if err := json.Unmarshal([]byte(`{}`), tr); err != nil || add(t, tr, 1) != webhook.Next || !strings.Contains(string(must(json.Marshal(tr))), `"id-1"`) {
		t.Error("an empty state is a new tracker")
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
