package refund_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/refund"
	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/internal/tilltest"
)

// drawLife is any life of a refund as Stripe tells it: pending, or not; then there, or not; and perhaps returned by the bank later.
func drawLife(r *rapid.T) (words []string) {
	if rapid.Bool().Draw(r, "pending") {
		words = append(words, rapid.SampledFrom([]string{"pending", "requires_action"}).Draw(r, "first"))
	}
	switch rapid.IntRange(0, 3).Draw(r, "end") {
	case 0:
		words = append(words, "succeeded")
	case 1:
		words = append(words, rapid.SampledFrom([]string{"failed", "canceled"}).Draw(r, "never"))
	case 2:
		words = append(words, "succeeded", "failed")
	}
	if len(words) == 0 {
		words = []string{"pending"}
	}
	return words
}

func TestAnyOrderOfWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		words := drawLife(r)
		heard := append(slices.Clone(words), rapid.SliceOfN(rapid.SampledFrom(words), 0, 3).Draw(r, "twice")...)
		heard = rapid.Permutation(heard).Draw(r, "heard")
		was := refund.Refund{ID: "r", Status: refund.Pending, Amount: money.FromMinor(100, "USD"), Currency: "USD"}
		hear := func(words []string) refund.Refund {
			now := was
			for _, w := range words {
				now = refund.Observe(now, stripe.Refund{ID: "re_1", Status: w, FailureReason: "declined"})
			}
			return now
		}
		inOrder, got := hear(words), hear(heard)
		if got.Status != inOrder.Status || got.ProviderRef != "re_1" || (got.Failure == nil) != (inOrder.Failure == nil) || (got.Failure != nil) != (got.Status == refund.Failed) {
			r.Fatalf("%v gives %+v, in order %+v", heard, got, inOrder)
		}
		unknown := rapid.StringMatching(`[a-z_]{3,20}`).Draw(r, "unknown")
		if slices.Contains([]string{"succeeded", "failed", "canceled"}, unknown) {
			return
		}
		if moved := refund.Observe(got, stripe.Refund{ID: "re_1", Status: unknown}); moved.Status != got.Status || moved.Failure != got.Failure {
			r.Fatalf("%q moved it to %+v", unknown, moved)
		}
	})
}

// The same through the database: whatever the order, the payment's amounts, the book and the story agree with the end.
func TestAnyOrderOfWordsInTheBooks(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := paid(till)
		kept, err := till.Payments.Get(t.Context(), till.Shop.Scope, p.ID())
		if err != nil {
			t.Fatal(err)
		}
		refunding, refunded := int64(0), int64(0)
		rapid.Check(t, func(r *rapid.T) {
			words := drawLife(r)
			heard := rapid.Permutation(append(slices.Clone(words), rapid.SliceOfN(rapid.SampledFrom(words), 0, 3).Draw(r, "twice")...)).Draw(r, "heard")
			seen := stripe.Refund{ID: "re_" + id.Hex(8), Amount: rapid.Int64Range(1, 9).Draw(r, "amount"), Currency: "usd", FailureReason: "declined"}
			seen.PaymentIntent.ID = kept.ProviderRef
			hear := func(word string) {
				at := seen
				at.Status = word
				if err := till.Refunds.Heard(t.Context(), till.Shop.Scope, kept.Generation(), at); err != nil {
					r.Fatal(err)
				}
			}
			if rapid.Bool().Draw(r, "all at once") {
				var wg sync.WaitGroup
				for _, w := range heard {
					wg.Go(func() { hear(w) })
				}
				wg.Wait()
			} else {
				for _, w := range heard {
					hear(w)
				}
			}
			end := "pending"
			if slices.Contains(words, "succeeded") {
				refunded += seen.Amount
				end = "completed"
			}
			if slices.Contains(words, "failed") || slices.Contains(words, "canceled") {
				if end == "completed" {
					refunded -= seen.Amount
				}
				end = "failed"
			}
			if end == "pending" {
				refunding += seen.Amount
			}
			list := till.Get("/v1/refunds?limit=1&payment_id=" + p.ID()).Want(200)
			if list.String("data", 0, "provider_ref") != seen.ID {
				r.Fatalf("the newest refund is not %s: %s", seen.ID, list.Raw)
			}
			mine := till.Get("/v1/refunds/" + list.String("data", 0, "id")).Want(200)
			if mine.String("data", "status") != end {
				r.Fatalf("%v ended as %s, want %s", heard, mine.Raw, end)
			}
			usd := func(minor int64) string { return money.FromMinor(minor, "USD").String() }
			stands(t, till, p.ID(), "completed", usd(refunding), usd(refunded), 5000-refunded)
			story := types(till, mine.ID())
			if n := len(story); story[0] != "refund.created" || end != "pending" && story[n-1] != "refund."+end || len(slices.Compact(slices.Sorted(slices.Values(story)))) != n {
				r.Fatalf("%v told %v", heard, story)
			}
			till.Clock.Advance(time.Millisecond) // so that the next one is the newest
		})
		if err := ledger.Check(t.Context(), till.DB, till.Shop.Scope); err != nil {
			t.Error(err)
		}
	})
}

// Till gave a refund up, because Stripe had nothing of it, and Stripe made it after all: the books follow the money.
func TestRefundMadeAfterAll(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		line := till.Line(time.Minute)
		p := paid(till)
		kept, err := till.Payments.Get(t.Context(), till.Shop.Scope, p.ID())
		if err != nil {
			t.Fatal(err)
		}
		line.Down()
		r := slowly(t, till, p.ID(), "20.00")
		till.Clock.Advance(15 * time.Minute)
		failed := becomes(t, till, r.ID(), "failed")
		if failed.String("data", "failure", "code") != "provider_unavailable" {
			t.Errorf("why did it fail? %s", failed.Raw)
		}
		stands(t, till, p.ID(), "completed", "0.00", "0.00", 5000)
		for _, word := range []struct{ status, ours, refunded string }{
			{"pending", "failed", "0.00"}, {"succeeded", "completed", "20.00"}, {"pending", "completed", "20.00"}, {"failed", "failed", "0.00"}, {"succeeded", "failed", "0.00"},
		} {
			seen := stripe.Refund{ID: "re_late", Status: word.status, Amount: 2000, Currency: "usd", FailureReason: "declined", Metadata: map[string]string{"till_id": r.ID()}}
			seen.PaymentIntent.ID = kept.ProviderRef
			if err := till.Refunds.Heard(t.Context(), till.Shop.Scope, kept.Generation(), seen); err != nil {
				t.Fatal(err)
			}
			now := till.Get("/v1/refunds/" + r.ID()).Want(200)
			shows(t, now, "status", word.ours)
			if (now.At("data", "failure") != nil) != (word.ours == "failed") {
				t.Errorf("after %s: %s", word.status, now.Raw)
			}
			left := map[string]int64{"0.00": 5000, "20.00": 3000}[word.refunded]
			stands(t, till, p.ID(), "completed", "0.00", word.refunded, left)
		}
		if got := fmt.Sprint(types(till, r.ID())); got != "[refund.created refund.failed refund.completed refund.failed]" {
			t.Errorf("events %s", got)
		}
	})
}

// What is not a refund of this merchant's payments changes nothing.
func TestRefundsOfOthers(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		p := paid(till)
		kept, err := till.Payments.Get(t.Context(), till.Shop.Scope, p.ID())
		if err != nil {
			t.Fatal(err)
		}
		r := ask(till, p.ID(), "10.00").Want(201)
		for name, c := range map[string]struct {
			id, intent, tag string
			generation      int64
		}{
			"another intent": {"re_x", "pi_x", "", kept.Generation()}, "another account": {"re_x", kept.ProviderRef, "", kept.Generation() + 1},
			"no id": {"", kept.ProviderRef, "", kept.Generation()}, "no intent": {"re_x", "", r.ID(), kept.Generation()},
		} {
			seen := stripe.Refund{ID: c.id, Status: "succeeded", Amount: 100, Currency: "usd", Metadata: map[string]string{"till_id": c.tag}}
			seen.PaymentIntent.ID = c.intent
			if err := till.Refunds.Heard(t.Context(), till.Shop.Scope, c.generation, seen); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			stands(t, till, p.ID(), "completed", "0.00", "10.00", 4000)
		}
		if n := till.Get("/v1/refunds").Want(200).Len(); n != 1 || strings.Contains(fmt.Sprint(types(till, p.ID())), "refunded") {
			t.Errorf("%d refunds", n)
		}
	})
}
