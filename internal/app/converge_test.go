package app_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/tilltest"
	"github.com/till-pay/till/sandbox"
)

// tale is something that happens between a shop, its payer and Stripe while no webhook arrives. It returns the payment, and the refund or
// the card, if there is one.
type tale struct {
	name string
	live func(*tilltest.Till) []string
	want string // is in what becomes of it
}

func (b body) with(name, value string) body {
	c := body{name: value}
	for k, v := range b {
		if k != name {
			c[k] = v
		}
	}
	return c
}

var (
	fifty = body{"amount": "50.00", "currency": "USD", "provider": "stripe", "payment_method": "pm_card_visa"}
	tales = []tale{
		{"payment", func(till *tilltest.Till) []string { return []string{till.Post("/v1/payments", fifty).Want(201).ID()} }, "completed"},
		{"3-D Secure", func(till *tilltest.Till) []string {
			p := till.Post("/v1/payments", fifty.with("payment_method", "pm_card_threeDSecure2Required").with("return_url", "https://shop.example/")).Want(201)
			till.Stripe(till.Shop).Authenticate(p.String("data", "next_action", "url"), "complete")
			return []string{p.ID()}
		}, "completed"},
		{"capture", func(till *tilltest.Till) []string {
			p := till.Post("/v1/payments", fifty.with("capture_method", "manual")).Want(201).ID()
			till.Post("/v1/payments/"+p+"/capture", body{"amount": "30.00"}).Want(200)
			return []string{p}
		}, "completed 30.00"},
		{"refund that fails later", func(till *tilltest.Till) []string {
			p := till.Post("/v1/payments", fifty.with("payment_method", "pm_card_refundFail")).Want(201).ID()
			r := till.Post("/v1/refunds", body{"payment_id": p, "amount": "20.00"}).Want(201).ID()
			till.Stripe(till.Shop).Advance(24 * time.Hour)
			return []string{p, r}
		}, "refund.failed"},
		{"two refunds that fail later", func(till *tilltest.Till) []string { // more events than can be heard in every order
			p := till.Post("/v1/payments", fifty.with("payment_method", "pm_card_refundFail")).Want(201).ID()
			for _, amount := range []string{"20.00", "15.00"} {
				till.Post("/v1/refunds", body{"payment_id": p, "amount": amount}).Want(201)
			}
			till.Stripe(till.Shop).Advance(24 * time.Hour)
			return []string{p}
		}, "refund.failed"},
		{"refund in the dashboard", func(till *tilltest.Till) []string {
			p := till.Post("/v1/payments", fifty).Want(201)
			till.Stripe(till.Shop).Do("POST", "/v1/refunds", "amount=700&payment_intent="+p.String("data", "provider_ref")).Want(200)
			return []string{p.ID()}
		}, "refunded 7.00"},
		{"refund of a payment that is disputed then", func(till *tilltest.Till) []string {
			p := till.Post("/v1/payments", fifty.with("payment_method", "pm_card_createDispute")).Want(201).ID()
			r := till.Post("/v1/refunds", body{"payment_id": p, "amount": "20.00"}).Want(201).ID()
			till.Stripe(till.Shop).Advance(time.Minute)
			return []string{p, r}
		}, "refund.completed"},
		{"chargeback that is won", func(till *tilltest.Till) []string {
			return []string{contested(till, "createDispute", "winning_evidence")}
		}, "won"},
		{"chargeback that is lost", func(till *tilltest.Till) []string {
			return []string{contested(till, "createDispute", "losing_evidence")}
		}, "lost"},
		{"inquiry that escalates, is answered and lost", func(till *tilltest.Till) []string { // more events than can be heard in every order
			return []string{contested(till, "createDisputeInquiry", "escalate_inquiry_evidence", "losing_evidence")}
		}, "lost"},
		{"card update", func(till *tilltest.Till) []string {
			c := till.Post("/v1/payments/cards", body{"payment_method_id": "pm_card_visa", "customer_email": fmt.Sprintf("%d@shop.example", rand.Int64()), "customer_name": "Jane"}).Want(201).ID()
			box := sandbox.Open(till.T, till.StripeURL, till.Shop.StripeKey)
			all := till.Stripe(till.Shop).Do(http.MethodGet, "/v1/events", "limit=1&type=payment_method.attached").Want(200)
			for _, year := range []int{2031, 2035} {
				box.Control("POST", "/_sandbox/cards/update", body{"payment_method": all.String("data", 0, "data", "object", "id"), "exp_year": year}, nil)
			}
			return []string{c}
		}, "2035"},
	}
)

// contested is a payment that its bank disputes, with the evidence that is sent for it.
func contested(till *tilltest.Till, card string, evidence ...string) string {
	till.T.Helper()
	p := till.Post("/v1/payments", fifty.with("payment_method", "pm_card_"+card)).Want(201)
	stripe := till.Stripe(till.Shop)
	stripe.Advance(3 * time.Second)
	disputes := stripe.Do(http.MethodGet, "/v1/disputes", "payment_intent="+p.String("data", "provider_ref")).Want(200)
	for _, text := range evidence {
		stripe.Do(http.MethodPost, "/v1/disputes/"+disputes.String("data", 0, "id"), "evidence[uncategorized_text]="+text).Want(200)
		stripe.Advance(5 * time.Second)
	}
	return p.ID()
}

// Whatever the order in which Stripe's events come, and whichever of them come twice, late or never but by a repair, on both engines the
// payment, its refunds and its card end as they do when all come once and in order; so do the books, and so does what the shop is told.
func TestEventsInAnyOrder(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		chance := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
		sandbox.Open(t, till.StripeURL, till.Shop.StripeKey).Fault(sandbox.Fault{Kind: sandbox.Lost, Every: 1}) // no webhook comes by itself
		seen := map[string]bool{}
		for _, c := range tales {
			want := ""
			for n := range 8 {
				ids := c.live(till)
				told := news(till, seen)
				if n > 0 {
					told = shuffled(chance, told)
				}
				for _, e := range told {
					till.Stripe(till.Shop).Tell(e).Want(200)
				}
				till.As(till.Shop).Want(200, "POST", "/v1/stripe/events/repair", body{"since": "72h"})
				rest(t, till, till.Shop)
				got := becomes(till, ids)
				if n == 0 {
					want = got
				}
				if got != want || !strings.Contains(got, c.want) {
					t.Errorf("%s ends as\n%s\nin order as\n%s\nhaving heard\n%s", c.name, got, want, strings.Join(told, "\n"))
				}
			}
		}
	})
}

// news are Stripe's events that were not seen yet, oldest first.
func news(till *tilltest.Till, seen map[string]bool) (told []string) {
	list := till.Stripe(till.Shop).Do(http.MethodGet, "/v1/events", "limit=100").Want(200)
	for i := list.Len() - 1; i >= 0; i-- {
		if id := list.String("data", i, "id"); !seen[id] {
			seen[id] = true
			told = append(told, db.JSON(list.At("data", i)))
		}
	}
	return told
}

// shuffled is news as a bad line brings it: in any order, some of it twice, some of it never.
func shuffled(chance *rand.Rand, told []string) (heard []string) {
	for _, e := range told {
		for range chance.IntN(3) {
			heard = append(heard, e)
		}
	}
	chance.Shuffle(len(heard), func(i, j int) { heard[i], heard[j] = heard[j], heard[i] })
	return heard
}

// becomes is what has become of a tale's objects, without ids and times: the rows, the books, and what the shop is told, less the news that
// was overtaken before it was heard.
func becomes(till *tilltest.Till, ids []string) string {
	var told, shown []string
	p := till.Get("/v1/payments/" + ids[0])
	if p.Status != http.StatusOK { // a card
		c := till.Get("/v1/payments/cards").Want(200)
		for i := range c.Len() {
			if c.String("data", i, "id") == ids[0] {
				shown = append(shown, fmt.Sprint(c.At("data", i, "exp_year")))
			}
		}
		return fmt.Sprint(shown)
	}
	shown = append(shown, fmt.Sprintf("%s %s refunding %s refunded %s fee %v", p.String("data", "status"), p.String("data", "captured"), p.String("data", "refunding"),
		p.String("data", "refunded"), p.At("data", "fee")))
	refunds := till.Get("/v1/refunds?payment_id=" + ids[0]).Want(200)
	objects := []string{ids[0]}
	for i := range refunds.Len() {
		objects = append(objects, refunds.String("data", i, "id"))
		shown = append(shown, fmt.Sprint(refunds.String("data", i, "status"), refunds.String("data", i, "amount")))
	}
	disputes := till.Get("/v1/disputes?payment_id=" + ids[0]).Want(200)
	for i := range disputes.Len() {
		objects = append(objects, disputes.String("data", i, "id"))
		shown = append(shown, fmt.Sprint(disputes.String("data", i, "status"), disputes.String("data", i, "amount"), disputes.String("data", i, "withdrawn"),
			disputes.String("data", i, "reinstated"), disputes.String("data", i, "fee"), disputes.String("data", i, "discrepancy"), p.String("data", "disputed")))
	}
	for _, id := range objects {
		events := till.Get("/v1/events?object_id=" + id).Want(200)
		for i := range events.Len() {
			told = append(told, events.String("data", i, "type"))
		}
	}
	sort.Strings(told)
	failed := slices.Contains(told, "refund.failed")
	told = slices.DeleteFunc(told, func(kind string) bool {
		return kind == "payment.requires_action" || kind == "payment.authorized" || kind == "dispute.updated" || kind == "refund.completed" && failed
	})
	balances, err := ledger.Balances(till.T.Context(), till.DB, till.Shop.Scope, ids[0])
	if err != nil {
		till.T.Fatal(err)
	}
	for _, b := range balances {
		if b.Minor != 0 {
			shown = append(shown, fmt.Sprint(b.Account, " ", b.Minor))
		}
	}
	return fmt.Sprint(shown, told)
}
