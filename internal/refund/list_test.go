package refund_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/tilltest"
)

// Walking the pages with any filters and any limit is the whole list, filtered: newest first.
func TestListIsTheWholeFiltered(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		payments := []string{paid(till).ID(), paid(till).ID()}
		type row struct{ id, payment, status, made string }
		var whole []row
		for i := range 14 {
			p := payments[i%2]
			r := ask(till, p, "1.00").Want(201)
			if i%4 == 0 {
				object := body{"id": r.String("data", "provider_ref"), "object": "refund", "amount": 100, "currency": "usd", "status": "failed", "payment_intent": "pi"}
				till.Stripe(till.Shop).Tell(tilltest.Event("refund.failed", object)).Want(200)
				till.Shop.Hears.Await("refund.failed", r.ID())
				r = till.Get("/v1/refunds/" + r.ID()).Want(200)
			}
			whole = append(whole, row{r.ID(), p, r.String("data", "status"), r.String("data", "created_at")})
			if i%3 == 0 {
				till.Clock.Advance(time.Minute)
			}
		}
		slices.Reverse(whole)
		rapid.Check(t, func(r *rapid.T) {
			query := url.Values{"limit": {fmt.Sprint(rapid.SampledFrom([]int{1, 5, 13, 14, 15, 100}).Draw(r, "limit"))}}
			passes := func(row) bool { return true }
			narrow := func(name, value string, more func(row) bool) {
				before := passes
				query.Set(name, value)
				passes = func(x row) bool { return before(x) && more(x) }
			}
			if rapid.Bool().Draw(r, "by payment") {
				p := rapid.SampledFrom(append(payments, "none")).Draw(r, "payment")
				narrow("payment_id", p, func(x row) bool { return x.payment == p })
			}
			if rapid.Bool().Draw(r, "by status") {
				s := rapid.SampledFrom([]string{"completed", "failed", "pending"}).Draw(r, "status")
				narrow("status", s, func(x row) bool { return x.status == s })
			}
			at := func(name string) string {
				return tilltest.Start.Add(time.Duration(rapid.IntRange(-1, 10).Draw(r, name)) * 30 * time.Second).Format(time.RFC3339)
			}
			if rapid.Bool().Draw(r, "since") { // times of whole seconds in UTC order as their texts do
				s := at("since time")
				narrow("since", s, func(x row) bool { return x.made >= s })
			}
			if rapid.Bool().Draw(r, "until") {
				u := at("until time")
				narrow("until", u, func(x row) bool { return x.made < u })
			}
			var want, got []string
			for _, x := range whole {
				if passes(x) {
					want = append(want, x.id)
				}
			}
			asked := query.Encode()
			for range 20 {
				page := till.Get("/v1/refunds?" + query.Encode()).Want(200)
				for i := range page.Len() {
					got = append(got, page.String("data", i, "id"))
				}
				if page.At("page", "has_more") != true {
					break
				}
				query.Set("cursor", page.String("page", "next"))
			}
			if !slices.Equal(got, want) {
				r.Fatalf("%s: got %v, want %v", asked, got, want)
			}
		})
		for query, param := range map[string]string{"status=refunded": "status", "limit=0": "limit", "cursor=x": "cursor", "since=now": "since", "payment_id=" + fmt.Sprintf("%040d", 1): "payment_id"} {
			till.Get("/v1/refunds?"+query).Refused(400, "parameter_invalid", param)
		}
		till.Get("/v1/refunds?payment="+payments[0]).Refused(400, "parameter_unknown", "payment")
	})
}
