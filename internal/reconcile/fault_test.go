package reconcile_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/reconcile"
	"github.com/till-pay/till/internal/stripe"
	"github.com/till-pay/till/internal/tilltest"
)

// way is what lies between till and Stripe's list of balance transactions. It makes pages of two lines, and lets a test bend the answers.
type way struct {
	*httptest.Server
	to string

	mu    sync.Mutex
	bend  bend
	pages int
	asked []url.Values
}

// bend answers for Stripe, where it says so; page counts from 1, told is the page as Stripe told it.
type bend func(w http.ResponseWriter, r *http.Request, page int, told map[string]any) (answered bool)

// beside is a second room on the till's database that reaches Stripe by the way.
func beside(t *testing.T, till *tilltest.Till) (*reconcile.Reconcile, *way) {
	t.Helper()
	between := &way{to: till.StripeURL}
	between.Server = httptest.NewServer(between)
	t.Cleanup(between.Close)
	m := till.Merchants
	return &reconcile.Reconcile{DB: till.DB, Clock: till.Clock, Log: m.Log, Payments: till.Payments, Refunds: till.Refunds,
		Merchants: &merchant.Merchants{DB: m.DB, Clock: m.Clock, Log: m.Log, Sealer: m.Sealer, Base: between.URL, HTTP: stripe.HTTPClient()}}, between
}

// sold runs a test on both engines, with a till that has sold so often and all of it heard, and a room that reaches Stripe by the way.
func sold(t *testing.T, sales int, test func(t *testing.T, till *tilltest.Till, room *reconcile.Reconcile, between *way)) {
	t.Helper()
	t.Parallel()
	tilltest.Each(t, func(t *testing.T, till *tilltest.Till) {
		for range sales {
			pay(till, "20.00", "USD", "pm_card_visa")
		}
		settle(till)
		room, between := beside(t, till)
		test(t, till, room, between)
	})
}

// mended fails where the reading does not come to its end once Stripe's list is as it should be.
func (b *way) mended(t *testing.T, room *reconcile.Reconcile, till *tilltest.Till, name string, lines int64) {
	t.Helper()
	b.set(nil)
	untilDone(t, room, till)
	whole(t, room, till, name, lines)
}

func (b *way) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list := r.URL.Path == "/v1/balance_transactions"
	if list {
		q.Set("limit", "2")
	}
	ask, _ := http.NewRequestWithContext(r.Context(), r.Method, b.to+r.URL.Path+"?"+q.Encode(), nil)
	ask.Header = r.Header.Clone()
	ask.Header.Del("Accept-Encoding")
	reply, err := http.DefaultClient.Do(ask)
	if err != nil {
		return
	}
	defer reply.Body.Close()
	body, _ := io.ReadAll(reply.Body)
	if list && (reply.StatusCode == http.StatusOK || q.Has("payout")) {
		told := map[string]any{}
		_ = json.Unmarshal(body, &told)
		b.mu.Lock()
		b.pages++
		b.asked = append(b.asked, r.URL.Query())
		bend, page := b.bend, b.pages
		b.mu.Unlock()
		if bend != nil && bend(w, r, page, told) {
			return
		}
		body, _ = json.Marshal(told)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(reply.StatusCode)
	_, _ = w.Write(body)
}

// set bends from now on, and counts anew.
func (b *way) set(to bend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bend, b.pages, b.asked = to, 0, nil
}

func first(told map[string]any) map[string]any { return told["data"].([]any)[0].(map[string]any) }

// onSecond bends the second page.
func onSecond(do func(told map[string]any)) bend {
	return func(_ http.ResponseWriter, _ *http.Request, page int, told map[string]any) bool {
		if page == 2 {
			do(told)
		}
		return false
	}
}

// says answers the second page with a status and a body.
func says(status int, body string) bend {
	return func(w http.ResponseWriter, _ *http.Request, page int, _ map[string]any) bool {
		if page != 2 {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

func problem(kind, code, param string) string {
	return `{"error":{"type":"` + kind + `","code":"` + code + `","param":"` + param + `","message":"No."}}`
}

const unavailable = fault.ProviderUnavailable

// ways in which Stripe's list goes wrong on its second page, and what till says of it.
var ways = []struct {
	name  string
	bend  bend
	code  fault.Code // "" where nothing stands against it
	words string
}{
	{"no id", onSecond(func(told map[string]any) { delete(first(told), "id") }), unavailable, "has no id"},
	{"an id with a zero byte", onSecond(func(told map[string]any) { first(told)["id"] = "txn_\x00" }), unavailable, "has no id"},
	{"no type", onSecond(func(told map[string]any) { delete(first(told), "type") }), unavailable, "has no type"},
	{"no currency", onSecond(func(told map[string]any) { delete(first(told), "currency") }), unavailable, "currency that is not known"},
	{"a currency of nobody's", onSecond(func(told map[string]any) { first(told)["currency"] = "zzz" }), unavailable, "currency that is not known"},
	{"no time", onSecond(func(told map[string]any) { delete(first(told), "created") }), unavailable, "does not say when"},
	{"a time in milliseconds", onSecond(func(told map[string]any) { first(told)["created"] = tilltest.Start.UnixMilli() }), unavailable, "does not say when"},
	{"a net that does not add up", onSecond(func(told map[string]any) { first(told)["net"] = 1 }), unavailable, "does not add up"},
	{"sums beyond all", onSecond(func(told map[string]any) { first(told)["amount"], first(told)["net"] = 1<<62, 1<<62 }), unavailable, "more money than there is"},
	{"an amount that is no number", onSecond(func(told map[string]any) { first(told)["amount"] = "much" }), unavailable, "cannot be read"},
	{"more, and then none", onSecond(func(told map[string]any) { told["data"], told["has_more"] = []any{}, true }), unavailable, "and then by none"},
	{"the same line twice", onSecond(func(told map[string]any) { told["data"] = append(told["data"].([]any), told["data"].([]any)...) }), "", ""},
	{"something else", says(200, `{"object":"charge","id":"ch_1"}`), unavailable, "cannot be read"},
	{"no JSON", says(200, `<html>`), unavailable, "cannot be read"},
	{"too long", says(200, `{"object":"list","has_more":false,"data":[],"x":"`+strings.Repeat("x", 5<<20)+`"}`), unavailable, "cannot be read"},
	{"cut short", says(200, `{"object":"list","has_more":true,"data":[{"id":"txn_1","amo`), unavailable, "cannot be read"},
	{"a place that is no more", says(400, problem("invalid_request_error", "resource_missing", "starting_after")), unavailable, "400 Bad Request"},
	{"a key that is none", says(401, problem("invalid_request_error", "", "")), fault.ProviderCredentials, "refuses the merchant's secret key"},
	{"a key that may not", says(403, problem("invalid_request_error", "", "")), unavailable, "give it that permission"},
	{"too fast", says(429, problem("rate_limit_error", "", "")), unavailable, "asks to slow down"},
	{"a failure of Stripe's", says(500, problem("api_error", "", "")), unavailable, "500 Internal Server Error"},
	{"a failure on the way", says(502, `bad gateway`), unavailable, "cannot be read"},
	{"cut connection", func(w http.ResponseWriter, _ *http.Request, page int, _ map[string]any) bool {
		if page >= 2 { // the transport asks once more by itself
			panic(http.ErrAbortHandler)
		}
		return false
	}, unavailable, "does not answer"},
}

// Wrong or partial data ends in a state with a name: nothing of its page is booked, all before it stays, and the next run goes on to the end.
func TestWrongDataBooksNothingAndIsNamed(t *testing.T) {
	sold(t, 5, func(t *testing.T, till *tilltest.Till, room *reconcile.Reconcile, between *way) {
		for _, one := range ways {
			wiped(t, till)
			between.set(one.bend)
			_, err := room.Run(t.Context(), till.Shop.Scope, false)
			named(t, one.name, err, one.code, one.words)
			if one.code == "" {
				whole(t, room, till, one.name, 5)
				continue
			}
			standing(t, room, till, one.name, one.words)
			between.mended(t, room, till, one.name, 5)
			between.mu.Lock()
			if anew := !between.asked[0].Has("starting_after"); anew != (one.name == "a place that is no more") {
				t.Errorf("%s: it begins anew: %v", one.name, anew)
			}
			between.mu.Unlock()
		}
	})
}

// wiped forgets all that was read.
func wiped(t *testing.T, till *tilltest.Till) {
	t.Helper()
	var changes []db.Change
	for _, sql := range []string{`delete from balance_readings`, `delete from balance_transactions`, `delete from balance_days`, `delete from ledger_chain`,
		`delete from ledger_entries where book = 'observed'`, `update movements set matched = ''`} {
		changes = append(changes, db.Change{SQL: sql, Rows: db.Any})
	}
	if err := till.DB.Write(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
}

// named fails where an error is not the one that a caller is to see.
func named(t *testing.T, name string, err error, code fault.Code, words string) {
	t.Helper()
	switch said, ok := fault.As(err); {
	case code == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case code != "" && (!ok || said.Code != code || !strings.Contains(said.Message, words)):
		t.Errorf("%s: %v", name, err)
	}
}

// standing fails where the state does not say what stands against the reading, or half a page was booked.
func standing(t *testing.T, room *reconcile.Reconcile, till *tilltest.Till, name, words string) {
	t.Helper()
	now, err := room.Summary(t.Context(), till.Shop.Scope)
	if err != nil || len(now.Accounts) != 1 || !strings.Contains(now.Accounts[0].Error, words) || now.Accounts[0].Lines != 2 {
		t.Errorf("%s: it stands at %+v, %v", name, now.Accounts, err)
	}
	counted(t, till, name, 2)
}

// counted fails where the lines, their days and their entries are not so many.
func counted(t *testing.T, till *tilltest.Till, name string, lines int64) {
	t.Helper()
	for _, sql := range []string{`select count(*) from balance_transactions`, `select cast(coalesce(sum(lines), 0) as bigint) from balance_days`,
		`select count(distinct transaction_key) from ledger_entries where book = 'observed'`, `select lines from balance_readings`} {
		if n, err := db.One(t.Context(), till.DB, db.Value[int64], sql); err != nil || n != lines {
			t.Errorf("%s: %s: %d, and %d was expected; %v", name, sql, n, lines, err)
		}
	}
	if err := ledger.Check(t.Context(), till.DB, till.Shop.Scope); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func untilDone(t *testing.T, room *reconcile.Reconcile, till *tilltest.Till) {
	t.Helper()
	tilltest.Until(t, "the reading's end", func() bool {
		run, err := room.Run(t.Context(), till.Shop.Scope, false)
		if err != nil {
			t.Fatal(err)
		}
		return run.Done
	})
}

// whole fails where not every line is there once, or anything is left.
func whole(t *testing.T, room *reconcile.Reconcile, till *tilltest.Till, name string, lines int64) {
	t.Helper()
	counted(t, till, name, lines)
	now, err := room.Summary(t.Context(), till.Shop.Scope)
	if err != nil || len(now.Currencies) != 1 || !now.Currencies[0].Remainder.IsZero() || len(now.Items) > 0 || now.Accounts[0].Error != "" || now.Accounts[0].At != nil {
		t.Errorf("%s: it ends at %+v, %v", name, now, err)
	}
}

// A line that is not any more what it was is not passed over.
func TestALineThatHasChangedIsNamed(t *testing.T) {
	sold(t, 1, func(t *testing.T, till *tilltest.Till, room *reconcile.Reconcile, between *way) {
		untilDone(t, room, till)
		between.set(func(_ http.ResponseWriter, _ *http.Request, _ int, told map[string]any) bool {
			one := first(told)
			one["amount"], one["net"] = one["amount"].(float64)+1, one["net"].(float64)+1
			return false
		})
		_, err := room.Run(t.Context(), till.Shop.Scope, false)
		named(t, "changed", err, unavailable, "is not what it was")
		counted(t, till, "changed", 1)
		between.mended(t, room, till, "changed", 1)
	})
}

// Stripe that does not answer is not the same as a reading that takes its time.
func TestSilenceIsNamed(t *testing.T) {
	sold(t, 1, func(t *testing.T, till *tilltest.Till, room *reconcile.Reconcile, between *way) {
		between.set(func(_ http.ResponseWriter, r *http.Request, _ int, _ map[string]any) bool {
			<-r.Context().Done()
			return true
		})
		_, err := room.Run(t.Context(), till.Shop.Scope, false)
		named(t, "silence", err, unavailable, "Stripe does not answer.")
		between.mended(t, room, till, "silence", 1)
	})
}

// A database that fails in the midst of a commit has nothing of it.
func TestAFailingDatabaseBooksNothing(t *testing.T) {
	sold(t, 3, func(t *testing.T, till *tilltest.Till, room *reconcile.Reconcile, between *way) {
		exec := func(sql string) {
			if err := till.DB.Write(context.Background(), db.Change{SQL: sql, Rows: db.Any}); err != nil {
				t.Error(err)
			}
		}
		between.set(onSecond(func(map[string]any) { exec(`alter table balance_days rename to balance_days_away`) }))
		if _, err := room.Run(t.Context(), till.Shop.Scope, false); err == nil {
			t.Error("it did not fail")
		}
		exec(`alter table balance_days_away rename to balance_days`)
		standing(t, room, till, "database", "Something failed on our side.")
		between.mended(t, room, till, "database", 3)
	})
}

// One who stood still for longer than his lease neither books what another has booked nor takes him back.
func TestWhoComesLateBooksNothing(t *testing.T) {
	sold(t, 5, func(t *testing.T, till *tilltest.Till, slow *reconcile.Reconcile, held *way) {
		other, _ := beside(t, till)
		arrived, goOn := make(chan struct{}), make(chan struct{})
		held.set(func(_ http.ResponseWriter, _ *http.Request, page int, _ map[string]any) bool {
			if page == 2 {
				close(arrived)
				<-goOn
			}
			return false
		})
		ended := make(chan error)
		go func() {
			_, err := slow.Run(context.Background(), till.Shop.Scope, false)
			ended <- err
		}()
		<-arrived
		if run, err := other.Run(t.Context(), till.Shop.Scope, false); err != nil || run.Done || !run.Accounts[0].Busy {
			t.Errorf("it is not busy: %+v, %v", run, err)
		}
		till.Clock.Advance(time.Minute)
		untilDone(t, other, till)
		whole(t, other, till, "the other", 5)
		close(goOn)
		if err := <-ended; err != nil {
			t.Errorf("the late one: %v", err)
		}
		whole(t, other, till, "the late one", 5)
		untilDone(t, slow, till)
		whole(t, slow, till, "afterwards", 5)
	})
}

// The lines of a payout may be more than one stretch of work gets through: the next goes on where it stood.
func TestTheLinesOfAPayoutAreGoneOnWith(t *testing.T) {
	sold(t, 1, func(t *testing.T, till *tilltest.Till, room *reconcile.Reconcile, between *way) {
		untilDone(t, room, till)
		paid := db.Change{SQL: `insert into balance_transactions (` + lineColumns + `) select merchant, mode, 'txn_paid', account, 'payout', 'payout', 'po_1', currency, 0, 0, 0, '', 0,
			currency, '', '', '', 'matched', '', 0, created_at, available_on from balance_transactions`, Rows: 1}
		if err := till.DB.Write(t.Context(), paid); err != nil {
			t.Fatal(err)
		}
		made := tilltest.Start.Unix()
		line, err := db.One(t.Context(), till.DB, db.Value[string], `select id from balance_transactions where kind = 'charge'`)
		if err != nil {
			t.Fatal(err)
		}
		var asked []url.Values
		between.set(func(w http.ResponseWriter, r *http.Request, _ int, _ map[string]any) bool {
			q := r.URL.Query()
			if !q.Has("payout") {
				return false
			}
			asked = append(asked, q)
			if len(asked) == 2 { // it is cut short
				return says(500, problem("api_error", "", ""))(w, r, 2, nil)
			}
			_, _ = io.WriteString(w, db.JSON(map[string]any{"object": "list", "has_more": len(asked) == 1, "data": []any{map[string]any{"id": line, "created": made}}}))
			return true
		})
		_, err = room.Run(t.Context(), till.Shop.Scope, false)
		named(t, "cut short", err, unavailable, "500 Internal Server Error")
		untilDone(t, room, till)
		if len(asked) != 3 || asked[0].Has("created[lte]") || !asked[2].Has("created[lte]") {
			t.Errorf("it was asked for %v", asked)
		}
		if n, err := db.One(t.Context(), till.DB, db.Value[int64], `select count(*) from balance_transactions where payout = 'po_1'`); n != 2 {
			t.Errorf("%d lines are of the payout, %v", n, err)
		}
	})
}

const lineColumns = `merchant, mode, id, account, type, kind, source, currency, amount, fee, net, exchange_rate, source_amount, source_currency, description, payment, payout,
	state, reason, difference, created_at, available_on`
