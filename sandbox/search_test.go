package sandbox_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/till-pay/till/sandbox"
)

// search gives the names of the customers that a query finds, over all its pages, and how many there are in all.
func (a *api) search(query string, limit int) (names []string, total string) {
	a.t.Helper()
	form := url.Values{"query": {query}, "limit": {strconv.Itoa(limit)}, "expand[]": {"total_count"}}
	for range 1000 {
		got := a.get("/v1/customers/search", form.Encode())
		if got.status != http.StatusOK {
			a.t.Fatalf("%s: %s", query, got.raw)
		}
		for _, one := range got.list("data") {
			names = append(names, one.(map[string]any)["name"].(string))
		}
		total, _ = got.at("total_count").(string)
		if got.at("has_more") != true {
			return names, total
		}
		form.Set("page", got.text("next_page"))
	}
	a.t.Fatal("the pages do not end")
	return nil, ""
}

// TestSearchFindsWhatIsThere: whatever customers are made, changed and deleted between searches, an indexed search finds exactly those
// that a look at all of them finds, newest first, on pages of any size.
func TestSearchFindsWhatIsThere(t *testing.T) {
	t.Parallel()
	type customer struct{ id, name, email, order string }
	emails := []string{"ada@example.com", "ADA@example.com", "bob@example.com", "Straße@example.com"}
	orders := []string{"7", "8", "007", ""}
	rapid.Check(t, func(r *rapid.T) {
		a := bare(t)
		var all []customer // oldest first
		for i := range rapid.IntRange(1, 25).Draw(r, "steps") {
			c := customer{name: fmt.Sprint(i), email: rapid.SampledFrom(emails).Draw(r, "email"), order: rapid.SampledFrom(orders).Draw(r, "order")}
			form := url.Values{"name": {c.name}, "email": {c.email}, "metadata[order]": {c.order}}.Encode()
			at := rapid.IntRange(0, max(len(all)-1, 0)).Draw(r, "which")
			switch act := rapid.IntRange(0, 4).Draw(r, "act"); {
			case act < 2 || len(all) == 0:
				c.id = a.must("/v1/customers", form).text("id")
				all = append(all, c)
			case act == 2:
				c.id = a.must("/v1/customers/"+all[at].id, form).text("id")
				all[at] = c
			case act == 3:
				a.do(http.MethodDelete, "/v1/customers/"+all[at].id, "")
				all = slices.Delete(all, at, at+1)
			}
			email, order := rapid.SampledFrom(emails).Draw(r, "wanted email"), rapid.SampledFrom(orders[:3]).Draw(r, "wanted order")
			queries := map[string]func(customer) bool{
				`email:"` + email + `"`:                                                    func(c customer) bool { return strings.EqualFold(c.email, email) },
				`metadata["order"]:"` + order + `"`:                                        func(c customer) bool { return c.order == order },
				`-email:"` + email + `"`:                                                   func(c customer) bool { return !strings.EqualFold(c.email, email) },
				`metadata["order"]:null`:                                                   func(c customer) bool { return c.order == "" },
				`email:"` + email + `" AND metadata["order"]:"` + order + `"`:              func(c customer) bool { return strings.EqualFold(c.email, email) && c.order == order },
				`email:"` + email + `" OR metadata["order"]:"` + order + `"`:               func(c customer) bool { return strings.EqualFold(c.email, email) || c.order == order },
				`email~"example" AND created>0`:                                            func(customer) bool { return true },
				`created>` + strconv.FormatInt(start.Unix(), 10):                           func(customer) bool { return false },
				`email:"` + email + `" OR created<=` + strconv.FormatInt(start.Unix(), 10): func(customer) bool { return true },
			}
			for range 2 {
				query := rapid.SampledFrom(slices.Sorted(maps.Keys(queries))).Draw(r, "query")
				holds := queries[query]
				var want []string
				for _, c := range slices.Backward(all) {
					if holds(c) {
						want = append(want, c.name)
					}
				}
				got, total := a.search(query, rapid.IntRange(1, 4).Draw(r, "limit"))
				if !slices.Equal(got, want) || total != strconv.Itoa(len(want)) {
					r.Fatalf("%s finds %v (%s in all), want %v", query, got, total, want)
				}
			}
		}
	})
}

// TestSearchPagesAreStable: objects that are made while somebody turns pages do not move those on the next ones.
func TestSearchPagesAreStable(t *testing.T) {
	t.Parallel()
	for _, query := range []string{`metadata["k"]:"v"`, `name~"cus"`} {
		a := bare(t)
		for i := range 6 {
			a.must("/v1/customers", fmt.Sprintf("name=cus%d&metadata[k]=v", i))
		}
		form := url.Values{"query": {query}, "limit": {"2"}}
		var names []string
		for range 3 {
			got := a.get("/v1/customers/search", form.Encode())
			for _, one := range got.list("data") {
				names = append(names, one.(map[string]any)["name"].(string))
			}
			form.Set("page", got.text("next_page"))
			a.must("/v1/customers", "name=cusnew&metadata[k]=v")
		}
		if !slices.Equal(names, []string{"cus5", "cus4", "cus3", "cus2", "cus1", "cus0"}) {
			t.Errorf("%s: pages %v", query, names)
		}
	}
}

// TestFolded: text is folded alike exactly where a comparison that ignores case says that it is the same.
func TestFolded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		letters := rapid.StringOfN(rapid.RuneFrom([]rune("aAkKsSſKßẞéÉΣσς1-İıI")), 0, 3, -1)
		a, b := letters.Draw(r, "a"), letters.Draw(r, "b")
		if (sandbox.Folded(a) == sandbox.Folded(b)) != strings.EqualFold(a, b) {
			r.Fatalf("%q and %q: folded %q and %q", a, b, sandbox.Folded(a), sandbox.Folded(b))
		}
	})
}
