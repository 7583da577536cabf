package payment_test

import (
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/internal/tilltest"
)

// row is a payment as the list shows it.
type row map[string]any

func (r row) text(path ...string) string {
	var v any = map[string]any(r)
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	s, _ := v.(string)
	return s
}

// walk follows a list to its end and checks the form of each page.
func walk(t interface {
	Helper()
	Fatalf(string, ...any)
}, till *tilltest.Till, query url.Values) (all []row) {
	t.Helper()
	limit := 20
	fmt.Sscan(query.Get("limit"), &limit)
	for range 200 {
		page := till.Get("/v1/payments?" + query.Encode()).Want(200)
		n, next := page.Len(), page.String("page", "next")
		if more := page.At("page", "has_more"); more != (next != "") || n > limit || next != "" && n != limit {
			t.Fatalf("a page of %d with a limit of %d: %s", n, limit, page.Raw)
		}
		for i := range n {
			all = append(all, page.At("data", i).(map[string]any))
		}
		if next == "" {
			return all
		}
		query.Set("cursor", next)
	}
	t.Fatalf("the list has no end")
	return nil
}

func ids(all []row) (ids []string) {
	for _, r := range all {
		ids = append(ids, r.text("id"))
	}
	return ids
}

// filters are a query, and what it should let pass.
type filters struct {
	query  url.Values
	passes []func(row) bool
}

func (f *filters) add(name, value string, passes func(row) bool) {
	f.query.Set(name, value)
	f.passes = append(f.passes, passes)
}

func (f *filters) pass(r row) bool {
	for _, p := range f.passes {
		if !p(r) {
			return false
		}
	}
	return true
}

func amount(s string) *big.Rat { r, _ := new(big.Rat).SetString(s); return r }

// draw is any set of filters over the payments that stock makes.
func draw(r *rapid.T, card string) filters {
	f := filters{query: url.Values{}}
	some := func(name string) bool { return rapid.IntRange(0, 3).Draw(r, name) == 0 }
	if some("by provider") {
		f.add("provider", "stripe", func(row) bool { return true })
	}
	if some("by status") {
		s := rapid.SampledFrom([]string{"pending", "authorized", "completed", "failed", "cancelled", "refunded"}).Draw(r, "status")
		f.add("status", s, func(p row) bool { return p.text("status") == s })
	}
	one := some("by currency")
	if one {
		c := rapid.SampledFrom([]string{"USD", "EUR", "jpy", "KWD", "GBP"}).Draw(r, "currency")
		f.add("currency", c, func(p row) bool { return p.text("currency") == strings.ToUpper(c) })
	}
	bounds := []string{"0", "10", "20", "500", "30", "999999"}
	if !one {
		bounds = append(bounds, "19.99", "20.000", "20.5", "29.995", "499.999")
	}
	if some("by least") {
		b := rapid.SampledFrom(bounds).Draw(r, "min_amount")
		f.add("min_amount", b, func(p row) bool { return amount(p.text("amount")).Cmp(amount(b)) >= 0 })
	}
	if some("by most") {
		b := rapid.SampledFrom(bounds).Draw(r, "max_amount")
		f.add("max_amount", b, func(p row) bool { return amount(p.text("amount")).Cmp(amount(b)) <= 0 })
	}
	at := func(name string) time.Time {
		return tilltest.Start.Add(time.Duration(rapid.IntRange(-1, 25).Draw(r, name)) * 30 * time.Second)
	}
	if some("since") {
		t := at("since time")
		f.add("since", t.In(time.FixedZone("", 7200)).Format(time.RFC3339), func(p row) bool { return made(p).Compare(t) >= 0 })
	}
	if some("until") {
		t := at("until time")
		f.add("until", t.Format(time.RFC3339Nano), func(p row) bool { return made(p).Before(t) })
	}
	if some("by card") {
		f.add("card", card, func(p row) bool { return p.text("saved_card_id") == card })
	}
	if some("by customer") {
		e := rapid.SampledFrom([]string{"jane@example.com", "JOE@example.com", "nobody@example.com"}).Draw(r, "email")
		f.add("customer_email", e, func(p row) bool { return p.text("customer", "email") == strings.ToLower(e) })
	}
	for _, key := range []string{"shop", "order"} {
		if some("by metadata " + key) {
			v := rapid.SampledFrom([]string{"1", "2", "ü&="}).Draw(r, key)
			f.add("metadata["+key+"]", v, func(p row) bool { return p.text("metadata", key) == v })
		}
	}
	return f
}

func made(p row) time.Time { t, _ := time.Parse(time.RFC3339Nano, p.text("created_at")); return t }

// stock makes payments of every status, in several currencies, some at the same moment.
func stock(t *testing.T, till *tilltest.Till) (card string) {
	t.Helper()
	card = till.As(till.Shop).Want(201, "POST", "/v1/payments/cards", body{"payment_method_id": "pm_card_visa", "customer_email": "joe@example.com"}).ID()
	amounts := []body{
		{"amount": "20.00", "currency": "USD"}, {"amount": "19.99", "currency": "USD"}, {"amount": "20.01", "currency": "EUR"}, {"amount": "500", "currency": "JPY"},
		{"amount": "501", "currency": "JPY"}, {"amount": "20.500", "currency": "KWD"}, {"amount": "29.990", "currency": "KWD"},
	}
	for i := range 36 {
		o := body{"provider": "stripe"}.with("amount", amounts[i%7]["amount"], "currency", amounts[i%7]["currency"])
		switch i % 4 {
		case 0:
			o["metadata"] = body{"shop": "1", "order": fmt.Sprint(1 + i%3)}
		case 1:
			o["metadata"] = body{"shop": "ü&=", "order": "2"}
			o["customer"] = body{"email": "Jane@example.com"}
		}
		switch kind := i % 6; kind {
		case 0, 5:
			o["payment_method"] = "pm_card_visa"
		case 1:
			o["payment_method"] = "pm_card_chargeDeclined"
		case 2:
			o["payment_method"] = "pm_card_threeDSecure2Required"
		case 3:
			o["payment_method"], o["capture_method"] = "pm_card_visa", "manual"
		case 4:
			o["saved_card_id"] = card
			delete(o, "customer")
		}
		p := till.Post("/v1/payments", o).Want(201)
		switch i % 12 {
		case 0:
			till.Post("/v1/refunds", body{"payment_id": p.ID()}).Want(201)
		case 5, 10:
			till.Post("/v1/refunds", body{"payment_id": p.ID(), "amount": "10"}).Want(201)
		case 2, 3:
			cancel(till, p.ID()).Want(200)
		}
		if i%3 == 0 {
			till.Clock.Advance(time.Minute)
		}
	}
	return card
}

// Walking a list's pages, with any filters and any limit, is the whole list, filtered: newest first, nothing twice, nothing left out.
func TestListIsTheWholeFiltered(t *testing.T) {
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		card := stock(t, till)
		whole := walk(t, till, url.Values{"limit": {"100"}})
		if len(whole) != 36 {
			t.Fatalf("%d payments, want 36", len(whole))
		}
		for i := 1; i < len(whole); i++ {
			if a, b := whole[i-1], whole[i]; made(a).Before(made(b)) || made(a).Equal(made(b)) && a.text("id") <= b.text("id") {
				t.Fatalf("%v comes before %v", a, b)
			}
		}
		statuses := map[string]int{}
		for _, p := range whole {
			statuses[p.text("status")]++
		}
		if len(statuses) != 6 {
			t.Fatalf("not every status is there: %v", statuses)
		}
		rapid.Check(t, func(r *rapid.T) {
			f := draw(r, card)
			var want []string
			for _, p := range whole {
				if f.pass(p) {
					want = append(want, p.text("id"))
				}
			}
			f.query.Set("limit", fmt.Sprint(rapid.SampledFrom([]int{1, 5, 7, 12, 35, 36, 37, 100}).Draw(r, "limit")))
			asked := f.query.Encode()
			if got := ids(walk(r, till, f.query)); !slices.Equal(got, want) {
				r.Fatalf("%s: got %v, want %v", asked, got, want)
			}
		})
	})
}

func TestListRefuses(t *testing.T) {
	t.Parallel()
	till := tilltest.New(t)
	for query, c := range map[string][2]string{
		"limit=0": {"parameter_invalid", "limit"}, "limit=101": {"parameter_invalid", "limit"}, "limit=-1": {"parameter_invalid", "limit"}, "limit=ten": {"parameter_invalid", "limit"},
		"limit=99999999999999999999": {"parameter_invalid", "limit"}, "limit=": {"parameter_invalid", "limit"}, "limit=5&limit=6": {"parameter_invalid", "limit"},
		"cursor=x": {"parameter_invalid", "cursor"}, "cursor=" + strings.Repeat("x", 121): {"parameter_invalid", "cursor"}, "cursor='%20or%201=1": {"parameter_invalid", "cursor"},
		"status=paid": {"parameter_invalid", "status"}, "status=Completed": {"parameter_invalid", "status"}, "provider=paypal": {"parameter_invalid", "provider"},
		"currency=XYZ": {"currency_unknown", "currency"}, "currency=DOLLAR": {"parameter_invalid", "currency"},
		"min_amount=abc": {"amount_invalid", "min_amount"}, "min_amount=-1": {"amount_invalid", "min_amount"}, "max_amount=1e3": {"amount_invalid", "max_amount"},
		"max_amount=NaN": {"amount_invalid", "max_amount"}, "min_amount=99999999999999999999": {"amount_too_large", "min_amount"},
		"currency=JPY&min_amount=0.5": {"amount_too_precise", "min_amount"}, "currency=USD&max_amount=0.001": {"amount_too_precise", "max_amount"},
		"since=yesterday": {"parameter_invalid", "since"}, "since=2026-01-01": {"parameter_invalid", "since"}, "until=1700000000": {"parameter_invalid", "until"},
		"sort=amount": {"parameter_unknown", "sort"}, "metadata=a": {"parameter_unknown", "metadata"}, "metadata[a]=": {"parameter_invalid", "metadata[a]"},
		"metadata[a][b]=1": {"parameter_unknown", "metadata[a][b]"}, "metadata[]=1": {"parameter_unknown", "metadata[]"}, "customer_email=" + strings.Repeat("x", 321): {"parameter_invalid", "customer_email"},
		"status=completed'%20or%20'1'='1": {"parameter_invalid", "status"}, "card=" + strings.Repeat("c", 37): {"parameter_invalid", "card"},
	} {
		no := till.Get("/v1/payments?" + query)
		if no.Status != 400 || no.String("error", "code") != c[0] || no.String("error", "param") != c[1] {
			t.Errorf("%s: %d %s, want %v", query, no.Status, no.Raw, c)
		}
	}
	for _, query := range []string{"customer_email=%27%3B%20drop%20table%20payments%3B--", "card=nothing", "metadata[%27%20or%201%3D1--]=1", "since=9999-12-31T23:59:59Z", "until=0001-01-02T00:00:00Z"} {
		if n := till.Get("/v1/payments?" + query).Want(200).Len(); n != 0 {
			t.Errorf("%s: %d payments", query, n)
		}
	}
}
