package inbox_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/inbox"
	"github.com/till-pay/till/internal/merchant"
)

// archive is Stripe's list of events, of each account by its key, as far as the inbox asks for it: for what a sandbox cannot be brought to,
// such as an event that enters the list late.
type archive struct {
	t   *testing.T
	url string

	mu     sync.Mutex
	events map[string][]archived                             // by key
	asked  []string                                          // the queries of the list, in order
	answer func(w http.ResponseWriter, r *http.Request) bool // answers in its place where it returns true
}

type archived struct {
	id, kind string
	created  int64
	body     string
}

// withArchive is a node whose Stripe is an archive.
func withArchive(t *testing.T, d *db.DB) (*node, *archive) {
	t.Helper()
	a := &archive{t: t, events: map[string][]archived{}}
	s := httptest.NewUnstartedServer(a)
	s.Config.SetKeepAlivesEnabled(false) // Go's transport asks anew by itself where a kept connection was cut
	s.Start()
	t.Cleanup(s.Close)
	a.url = s.URL
	sealer, err := merchant.OpenMasterKey(filepath.Join(t.TempDir(), "key"), true)
	if err != nil {
		t.Fatal(err)
	}
	return join(t, d, sealer, clock.NewFake(start), s.URL), a
}

// add puts an event of a type into the list of an account, made at a time, and gives its body.
func (a *archive) add(of account, kind string, created time.Time) (body string) {
	a.t.Helper()
	var e map[string]any
	if err := json.Unmarshal([]byte(sample(a.t, kind)), &e); err != nil {
		a.t.Fatal(err)
	}
	e["created"] = created.Unix()
	body = db.JSON(e)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events[of.key()] = append(a.events[of.key()], archived{e["id"].(string), kind, created.Unix(), body})
	slices.SortStableFunc(a.events[of.key()], func(x, y archived) int { return cmp.Compare(y.created, x.created) })
	return body
}

// refuse has the list answered in another way; nil ends that.
func (a *archive) refuse(answer func(w http.ResponseWriter, r *http.Request) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}

// queries are what the list was asked so far.
func (a *archive) queries() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

// ServeHTTP implements http.Handler.
func (a *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	answer := a.answer
	a.asked = append(a.asked, r.URL.RawQuery)
	a.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	a.mu.Lock()
	all := slices.Clone(a.events[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")])
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if id, one := strings.CutPrefix(r.URL.Path, "/v1/events/"); one {
		n := slices.IndexFunc(all, func(e archived) bool { return e.id == id })
		if n < 0 {
			stripeError(w, 404, "No such event.")
			return
		}
		fmt.Fprint(w, all[n].body)
		return
	}
	q := r.URL.Query()
	from, _ := strconv.ParseInt(q.Get("created[gte]"), 10, 64)
	to, _ := strconv.ParseInt(cmp.Or(q.Get("created[lte]"), "99999999999"), 10, 64)
	limit, _ := strconv.Atoi(q.Get("limit"))
	const most = 20 // types that Stripe takes; more than those cannot be asked for, and the list holds every event
	if narrowed := q.Has("types[0]"); r.URL.Path != "/v1/events" || from == 0 || limit == 0 || narrowed != (len(inbox.Events()) <= most) || q.Has("types[20]") {
		a.t.Errorf("Stripe was asked for %s", r.URL)
	}
	after := q.Get("starting_after")
	page, more, begun := []string{}, false, after == ""
	for _, e := range all {
		if e.created < from || e.created > to {
			continue
		}
		if !begun {
			begun = e.id == after
			continue
		}
		if more = len(page) == limit; more {
			break
		}
		page = append(page, e.body)
	}
	if !begun {
		stripeError(w, 400, "No such event: "+after)
		return
	}
	fmt.Fprintf(w, `{"object":"list","url":"/v1/events","has_more":%v,"data":[%s]}`, more, strings.Join(page, ","))
}

func stripeError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"type":"invalid_request_error","message":%q}}`, message)
}

// idOf is the id in an event's body.
func idOf(body string) string {
	var e struct{ ID string }
	_ = json.Unmarshal([]byte(body), &e)
	return e.ID
}

// sweepOnce runs the sweep's task until it has nothing to do now, and then what it has found.
func (n *node) sweepOnce() {
	n.t.Helper()
	for {
		more, err := n.Tasks()[1].Run(ctx)
		if err != nil {
			n.t.Fatal(err)
		}
		if !more && n.number(`select count(*) from event_sweeps where due_at <= $1 and lease_until <= $1`, n.clock.Now().UnixMicro()) == 0 {
			break
		}
	}
	n.work()
}

// pass lets a time pass and sweeps then.
func (n *node) pass(d time.Duration) {
	n.t.Helper()
	n.clock.Advance(d)
	n.sweepOnce()
}

func (n *node) number(sql string, args ...any) int64 {
	n.t.Helper()
	found, err := db.One(ctx, n.DB, db.Value[int64], sql, args...)
	if err != nil {
		n.t.Fatal(err)
	}
	return found
}

// bySource are the ids of what is kept, by how it came.
func (n *node) bySource() map[string][]string {
	n.t.Helper()
	all := map[string][]string{}
	for _, k := range n.kept() {
		all[k.source] = append(all[k.source], k.id)
	}
	return all
}

func sorted(ids ...string) []string { slices.Sort(ids); return ids }
