package sandbox_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/till-pay/till/sandbox"
)

// ids of a page, in order.
func ids(got answer) []string {
	var all []string
	for _, one := range got.list("data") {
		all = append(all, one.(map[string]any)["id"].(string))
	}
	return all
}

// TestPages: whatever the page size, the direction, the filter and what is deleted meanwhile, walking the pages sees each object
// exactly once, newest first.
func TestPages(t *testing.T) {
	t.Parallel()
	a := bare(t)
	rapid.Check(t, func(rt *rapid.T) {
		a.key = "sk_" + "test_pages_" + strconv.FormatInt(time.Now().UnixNano(), 36) // a fresh world each time
		n := rapid.IntRange(0, 25).Draw(rt, "objects")
		limit := rapid.IntRange(1, 12).Draw(rt, "limit")
		email := rapid.SampledFrom([]string{"", "a@example.com"}).Draw(rt, "filter")
		deleted := rapid.SliceOfNDistinct(rapid.IntRange(0, 24), 0, 3, rapid.ID[int]).Draw(rt, "deleted")
		var want []string
		for i := range n {
			form := ""
			if i%3 == 0 {
				form = "email=a%40example.com"
			}
			id := a.must("/v1/customers", form).text("id")
			if slices.Contains(deleted, i) {
				a.do(http.MethodDelete, "/v1/customers/"+id, "")
				continue
			}
			if email == "" || i%3 == 0 {
				want = append(want, id)
			}
		}
		slices.Reverse(want)
		query := "limit=" + strconv.Itoa(limit)
		if email != "" {
			query += "&email=" + escaped(email)
		}
		var forward []string
		for after := ""; ; {
			got := a.get("/v1/customers", query+after)
			page := ids(got)
			forward = append(forward, page...)
			if more := got.at("has_more") == true; !more {
				break
			} else if len(page) != limit {
				rt.Fatalf("a page of %d with more to come, limit %d", len(page), limit)
			}
			after = "&starting_after=" + page[len(page)-1]
		}
		if !slices.Equal(forward, want) {
			rt.Fatalf("forward %v, want %v", forward, want)
		}
		if len(want) < 2 {
			return
		}
		backward := want[len(want)-1:]
		for {
			got := a.get("/v1/customers", query+"&ending_before="+backward[0])
			backward = append(ids(got), backward...)
			if got.at("has_more") != true {
				break
			}
		}
		if !slices.Equal(backward, want) {
			rt.Fatalf("backward %v, want %v", backward, want)
		}
	})
}

func TestPageErrors(t *testing.T) {
	t.Parallel()
	a := bare(t)
	one, two := a.must("/v1/customers", "").text("id"), a.must("/v1/customers", "").text("id")
	for query, want := range map[string]map[string]any{
		"starting_after=" + one + "&ending_before=" + two:   {"error.message": "Received both starting_after and ending_before parameters. Please pass in only one.", "error.code": nil},
		"starting_after=cus_none":                           {"error.message": "No such customer: 'cus_none'", "error.code": "resource_missing", "error.param": "starting_after"},
		"starting_after=" + one + "&ending_before=cus_none": {"error.message": "No such customer: 'cus_none'", "error.code": "resource_missing"},
		"limit=ten":       {"error.code": "parameter_invalid_integer"},
		"expand[]=colour": {"error.message": "This property cannot be expanded because it doesn't exist: colour."},
	} {
		a.get("/v1/customers", query).wants(t, http.StatusBadRequest, want)
	}
	for query, n := range map[string]int{"limit=0": 1, "limit=-5": 1, "limit=1000": 2, "expand[]=data": 2, "": 2} {
		if got := a.get("/v1/customers", query); got.status != http.StatusOK || len(ids(got)) != n {
			t.Errorf("%q: %d objects, want %d", query, len(ids(got)), n)
		}
	}
	for range 101 {
		a.must("/v1/customers", "")
	}
	if got := a.get("/v1/customers", "limit=1000"); len(ids(got)) != 100 || got.at("has_more") != true {
		t.Errorf("limit=1000 gave %d", len(ids(got)))
	}
	if got := a.get("/v1/customers", ""); len(ids(got)) != 10 || got.text("url") != "/v1/customers" {
		t.Errorf("no limit gave %d", len(ids(got)))
	}
	// What a list cannot filter by is not ignored.
	a.get("/v1/customers", "test_clock=clock_1").wants(t, http.StatusNotImplemented, nil)
}

func TestCreatedRanges(t *testing.T) {
	t.Parallel()
	a := bare(t)
	var at []int64
	for range 4 {
		a.must("/v1/customers", "")
		at = append(at, a.clock.Now().Unix())
		a.clock.Advance(10 * time.Second)
	}
	for query, n := range map[string]int{
		fmt.Sprintf("created=%d", at[1]):                            1,
		fmt.Sprintf("created[gt]=%d", at[1]):                        2,
		fmt.Sprintf("created[gte]=%d", at[1]):                       3,
		fmt.Sprintf("created[lt]=%d", at[1]):                        1,
		fmt.Sprintf("created[lte]=%d&created[gt]=%d", at[2], at[0]): 2,
		fmt.Sprintf("created[gt]=%d&created[lt]=%d", at[2], at[1]):  0,
	} {
		if got := a.get("/v1/customers", query); len(ids(got)) != n {
			t.Errorf("%s: %d, want %d", query, len(ids(got)), n)
		}
	}
}

// TestExpand is the paths that a request may name, and what becomes of them.
func TestExpand(t *testing.T) {
	t.Parallel()
	a := bare(t)
	customer := a.must("/v1/customers", "").text("id")
	intent := a.must("/v1/payment_intents", pay+"&payment_method=pm_card_visa&customer="+customer).text("id")
	path := "/v1/payment_intents/" + intent
	got := a.get(path, "expand[]=latest_charge.balance_transaction&expand[]=customer&expand[]=payment_method&expand[]=latest_charge.refunds")
	got.wants(t, http.StatusOK, map[string]any{
		"customer.id": customer, "latest_charge.object": "charge", "latest_charge.balance_transaction.fee": "59",
		"payment_method.card.last4": "4242", "latest_charge.refunds.object": "list", "latest_charge.customer": customer,
	})
	a.must("/v1/refunds", "payment_intent="+intent+"&amount=100")
	refunds := "expand[]=latest_charge.refunds.data.balance_transaction&expand[]=latest_charge.refunds&expand[]=latest_charge&expand[]=latest_charge"
	a.get(path, refunds).wants(t, http.StatusOK, map[string]any{"latest_charge.refunds.data.0.balance_transaction.net": "-100", "latest_charge.refunds.data.0.charge": got.text("latest_charge.id")})
	a.get("/v1/charges", "expand[]=data.refunds.data.payment_intent").wants(t, http.StatusOK, map[string]any{"data.0.refunds.data.0.payment_intent.object": "payment_intent"})
	if plain := a.get(path, ""); plain.text("customer") != customer {
		t.Error("expanding changed the object")
	}
	listed := a.get("/v1/payment_intents", "expand[]=data.latest_charge.balance_transaction.source")
	first, _ := listed.list("data")[0].(map[string]any)
	charge, _ := first["latest_charge"].(map[string]any)
	txn, _ := charge["balance_transaction"].(map[string]any)
	if source, _ := txn["source"].(map[string]any); source["object"] != "charge" {
		t.Errorf("expanded in a list: %v", first["latest_charge"])
	}
	a.do(http.MethodDelete, "/v1/customers/"+customer, "")
	a.get(path, "expand[]=customer").wants(t, http.StatusOK, map[string]any{"customer.deleted": true, "customer.id": customer})
	for path, message := range map[string]string{
		"amount":             "This property cannot be expanded (amount).",
		"latest_charge.paid": "This property cannot be expanded (latest_charge.paid).",
		"nothing":            "This property cannot be expanded because it doesn't exist: nothing.",
		"latest_charge.balance_transaction.source.balance_transaction.source": "You cannot expand more than 4 levels of a property. Property: latest_charge.balance_transaction.source.balance_transaction.source",
	} {
		refused := a.post("/v1/payment_intents", pay+"&payment_method=pm_card_visa&expand[]="+path)
		refused.wants(t, http.StatusBadRequest, map[string]any{"error.message": message, "error.code": nil})
	}
	if n := len(ids(a.get("/v1/payment_intents", ""))); n != 1 {
		t.Errorf("a refused expansion left %d intents", n-1)
	}
	a.get("/v1/payment_intents", "expand[]=latest_charge").wants(t, http.StatusBadRequest, map[string]any{
		"error.message": "This property cannot be expanded (latest_charge). You may want to try expanding 'data.latest_charge' instead."})
}

func TestSearch(t *testing.T) {
	t.Parallel()
	a := bare(t)
	var made []string
	for i, email := range []string{"ada@example.com", "grace@example.org", "Edsger@Example.com"} {
		made = append(made, a.must("/v1/customers", fmt.Sprintf("email=%s&name=Person+%d&metadata[n]=%d&metadata[odd+key]=x", escaped(email), i, i)).text("id"))
	}
	named := a.must("/v1/customers", "name=Nobody").text("id")
	for query, want := range map[string][]string{
		`email:"ada@example.com"`:                                      {made[0]},
		`email:"EDSGER@example.com"`:                                   {made[2]},
		`email~"example.com"`:                                          {made[2], made[0]},
		`-email~"example.com" AND email~"example"`:                     {made[1]},
		`metadata["n"]:"1"`:                                            {made[1]},
		`metadata["odd key"]:"x" metadata["n"]:"0"`:                    {made[0]},
		`metadata["n"]:null`:                                           {named},
		`email:null`:                                                   {named},
		`name:"person 0" OR name:'Person 2'`:                           {made[2], made[0]},
		`created>=1767614400 AND name:"Nobody"`:                        {named},
		`created<1767614400`:                                           nil,
		`-metadata["n"]:"1" AND -metadata["n"]:"2" AND -name:"nobody"`: {made[0]},
	} {
		if got := ids(a.get("/v1/customers/search", "query="+escaped(query))); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{``, `email`, `email:`, `email:"a`, `email:"a" AND`, `email:"a" AND name:"b" OR name:"c"`, `phone~"ab"`, `colour:"red"`, `email>"a"`, `(email:"a")`, `metadata["n"]>1`, `email:ada`, `email:"a"name:"b"`, `created>1e3`, `created>0x10`, `created>NaN`, `created>9223372036854775808`, `created>1_000`, `created>1.5`, `email:"a" OR 1=1`,
		strings.Repeat(`email:"a" `, 11), `email:"` + strings.Repeat("a", 2000) + `"`} {
		if got := a.get("/v1/customers/search", "query="+escaped(query)); got.status != http.StatusBadRequest {
			t.Errorf("%q: %d %s", query, got.status, got.raw)
		}
	}
	quoted := a.must("/v1/customers", "name="+escaped(`x" OR email:"ada@example.com`)).text("id")
	if got := ids(a.get("/v1/customers/search", "query="+escaped(`name:"x\" OR email:\"ada@example.com"`))); !slices.Equal(got, []string{quoted}) {
		t.Errorf("quotes within a text find %v, want %s", got, quoted)
	}
	a.do(http.MethodDelete, "/v1/customers/"+quoted, "")
	page := a.get("/v1/customers/search", "limit=3&expand[]=total_count&query="+escaped(`created>0`))
	page.wants(t, http.StatusOK, map[string]any{"object": "search_result", "has_more": true, "total_count": "4", "url": "/v1/customers/search"})
	rest := a.get("/v1/customers/search", "limit=3&query="+escaped(`created>0`)+"&page="+page.text("next_page"))
	rest.wants(t, http.StatusOK, map[string]any{"has_more": false, "next_page": nil})
	if all := append(ids(page), ids(rest)...); !slices.Equal(all, []string{named, made[2], made[1], made[0]}) {
		t.Errorf("pages %v", all)
	}
	a.get("/v1/customers/search", "query="+escaped(`created>0`)+"&page=!").wants(t, http.StatusBadRequest, nil)
}

// FuzzSearch: no query makes the parser panic or run on.
func FuzzSearch(f *testing.F) {
	for _, query := range []string{`amount>1000 AND -refunded:"true"`, `metadata["a\"b"]:'c' OR status~"ccee"`, `payment_method_details.card.last4:"4242"`, `-`, `"`, `a:"\`, `created>=1 created<=2`} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) { sandbox.ParseQuery(query) })
}
