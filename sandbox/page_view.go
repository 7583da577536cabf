package sandbox

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed page_world.html
var pageSource string

//go:embed page_world.js
var pageScript string

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(pageSource))
})

// scriptHash lets the browser run the page's own script, and no other.
var scriptHash = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(pageScript))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
})

// Bounds of the page's lists: how many entries one has beside others, and by itself.
const (
	fewRows   = 12
	manyRows  = 200
	maxLooked = 10_000 // records that are looked at for a list, deleted ones among them
)

// worldView is what the page shows: without a world the form that asks for its key, with Object a single object, and else the world.
type worldView struct {
	Message string
	World   bool

	Account, Key  string // the key masked
	Of, Platform  string // the connected account that is shown, if it is one, and whose it is
	Home          string // the path of the overview
	Accounts      []objectRow
	Connected     int
	Now, NowISO   string
	Frozen        bool
	Rate          int64
	Steps         any
	Show          string // the list that is shown by itself; empty is all in short
	Balances      []balanceRow
	Kinds         []kindRow
	Latest        []objectRow // of each kind but events
	Events        []objectRow
	Webhooks      []attempted
	Requests      []logged
	Faults        []fault
	Endpoints     int
	Queued, Later int
	Held          int
	Objects       []objectRow // of the kind that is shown
	Object, Title string
	JSON          []textPart
	Script        template.JS
	TotalEvents   int
	TotalRequests int
	NextDue       string // when the next thing falls due
}

// balanceRow is the balance in a currency, written for people.
type balanceRow struct{ Currency, Available, Pending string }

// kindRow is how many objects there are of a kind, and the latest.
type kindRow struct {
	Kind   string
	Count  int
	Latest objectRow
}

// objectRow is an object in a line.
type objectRow struct {
	ID, Kind, Type, Status, Amount, About, At string
	order                                     int64 // of making
}

// textPart is a piece of text, which leads to an object where ID is set.
type textPart struct{ Text, ID string }

func writePage(out http.ResponseWriter, status int, view *worldView) {
	view.Script, view.Steps = template.JS(pageScript), steps
	var page bytes.Buffer
	if err := pageTemplate().Execute(&page, view); err != nil {
		http.Error(out, "The page could not be written.", http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Type", "text/html; charset=utf-8")
	out.WriteHeader(status)
	_, _ = out.Write(page.Bytes()) // a caller who has gone is no business of ours
}

// view looks at the world. show is the list to show by itself: events, webhooks, requests, faults or a kind of object.
func (w *realm) view(show string) (*worldView, error) {
	var v *worldView
	err := w.step(func() {
		v = w.viewed()
		rows := fewRows
		if kinds[show] != nil || slices.Contains([]string{"webhooks", "requests", "events"}, show) {
			v.Show, rows = show, manyRows
		}
		now := w.now()
		v.Accounts, v.Connected = w.accountRows(fewRows)
		v.Account, v.Now, v.NowISO, v.Frozen, v.Rate = w.account, shownTime(now), now.Format(time.RFC3339), w.rate == 0, w.rate
		if len(w.agenda) > 0 {
			v.NextDue = shownTime(w.agenda[0].At)
		}
		v.Balances, v.Kinds = w.balanceRows(), w.kindRows()
		v.Latest = latestOf(v.Kinds)
		v.Events, v.TotalEvents = w.newest("event", rows), w.count("event")
		v.Endpoints, v.Queued, v.Later, v.Held = w.count("webhook_endpoint"), w.queued+w.sending, w.later, len(w.held)
		v.Requests, v.TotalRequests = lastFirst(w.log.all(), rows)
		v.Webhooks, _ = lastFirst(w.attempts.all(), rows)
		for _, f := range w.faults {
			v.Faults = append(v.Faults, *f)
		}
		if kinds[show] != nil {
			v.Objects = w.newest(show, rows)
		}
	})
	return v, err
}

// viewed is the beginning of a page about the world, or about one of its connected accounts.
func (w *realm) viewed() *worldView {
	v := &worldView{World: true, Key: "sk_test_…" + w.suffix[max(0, len(w.suffix)-4):], Home: "/"}
	if !w.isPlatform() {
		v.Of, v.Platform, v.Home = w.account, w.home.account, accountPath+w.account
	}
	return v
}

// accountRows is the newest of the accounts that are connected to this one, and how many there are.
func (w *realm) accountRows(n int) (rows []objectRow, all int) {
	if !w.isPlatform() {
		return nil, 0
	}
	for _, row := range w.newest("account", n+1) {
		if row.ID != w.account && len(rows) < n {
			rows = append(rows, row)
		}
	}
	return rows, w.count("account") - 1
}

// lastFirst is the last of a log, newest first, and how many it has.
func lastFirst[T any](all []T, n int) ([]T, int) {
	last := slices.Clone(all[max(0, len(all)-n):])
	slices.Reverse(last)
	return last, len(all)
}

// newest is the newest objects of a kind in a line each, newest first.
func (w *realm) newest(kind string, n int) (rows []objectRow) {
	all := w.all(kind)
	for i := len(all) - 1; i >= max(0, len(all)-maxLooked) && len(rows) < n; i-- {
		if !all[i].gone {
			rows = append(rows, w.row(all[i]))
		}
	}
	return rows
}

// row is an object in a line: what people look for in a list.
func (w *realm) row(r *record) objectRow {
	row := objectRow{order: r.order, ID: r.id, Kind: r.resource.Object, Type: cmp.Or(r.text("type"), r.text("action")), Status: r.text("status"), At: shownTime(time.Unix(r.created, 0))}
	if currency := r.text("currency"); currency != "" && r.number("amount") != 0 {
		row.Amount = display(r.number("amount"), currencyCalled(currency))
	}
	for _, field := range []string{"email", "domain_name", "url", "name", "description", "predicate", "value"} {
		if row.About = r.text(field); row.About != "" {
			break
		}
	}
	if row.Kind == "account" {
		row.Status, row.About = accountState(r), strings.TrimSpace(r.text("country")+" "+row.About)
	}
	return row
}

// accountState is in a word, as Stripe's Dashboard has it, whether an account may take payments and be paid out.
func accountState(r *record) string {
	if r.flag("charges_enabled") && r.flag("payouts_enabled") {
		return "enabled"
	}
	return "restricted"
}

// kindRows is the kinds of objects that there are, by name.
func (w *realm) kindRows() (rows []kindRow) {
	for _, r := range resources {
		if n := w.count(r.Object); n > 0 {
			row := kindRow{Kind: r.Object, Count: n}
			if latest := w.newest(r.Object, 1); len(latest) > 0 {
				row.Latest = latest[0]
			}
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b kindRow) int { return strings.Compare(a.Kind, b.Kind) })
	return rows
}

// latestOf is the latest of each kind but events, newest first.
func latestOf(kinds []kindRow) (rows []objectRow) {
	for _, kind := range kinds {
		if kind.Kind != "event" && kind.Latest.ID != "" {
			rows = append(rows, kind.Latest)
		}
	}
	slices.SortFunc(rows, func(a, b objectRow) int { return cmp.Compare(b.order, a.order) })
	return rows
}

// balanceRows asks for the balance as the API shows it.
func (w *realm) balanceRows() (rows []balanceRow) {
	shown, err := showBalance(w.own())
	if err != nil {
		return nil
	}
	type amounts []struct {
		Amount   int64
		Currency string
	}
	var balance struct{ Available, Pending amounts }
	if json.Unmarshal(w.render(shown), &balance) != nil {
		return nil
	}
	at := map[string]int{}
	row := func(currency string) *balanceRow {
		i, there := at[currency]
		if !there {
			i = len(rows)
			at[currency] = i
			zero := display(0, currencyCalled(currency))
			rows = append(rows, balanceRow{strings.ToUpper(currency), zero, zero})
		}
		return &rows[i]
	}
	for _, one := range balance.Available {
		row(one.Currency).Available = display(one.Amount, currencyCalled(one.Currency))
	}
	for _, one := range balance.Pending {
		row(one.Currency).Pending = display(one.Amount, currencyCalled(one.Currency))
	}
	return rows
}

func shownTime(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05") }

// Shown is when a request was made, in short.
func (l logged) Shown() string { return shownTime(l.At) }

// Shown is when a try was made, in short.
func (a attempted) Shown() string { return shownTime(a.At) }

// When says when a rule strikes, in short.
func (f fault) When() string {
	said := "the " + ordinal(f.Nth)
	switch {
	case f.Every > 1:
		said = "from " + said + " on each " + ordinal(f.Every)
	case f.Probability > 0:
		said = "from " + said + " on by chance, " + strconv.FormatFloat(100*f.Probability, 'f', -1, 64) + " %"
	case f.Every == 1:
		said = "from " + said + " on each"
	}
	return said
}

func ordinal(n int) string {
	n = max(n, 1)
	suffix := "th"
	if tens := n % 100; tens < 11 || tens > 13 {
		suffix = [...]string{"th", "st", "nd", "rd", "th", "th", "th", "th", "th", "th"}[n%10]
	}
	return strconv.Itoa(n) + suffix
}

// pageOfObject shows one object as the API does, with the ids in it leading on.
func (w *realm) pageOfObject(out http.ResponseWriter, id string) {
	v := w.viewed()
	status := http.StatusOK
	err := w.step(func() {
		r := w.lookup(id)
		if r != nil {
			v = r.realm.viewed()
		}
		v.Account, v.Object = w.account, id
		if r == nil {
			status, v.Message = http.StatusNotFound, "This world has no object of that id."
			return
		}
		v.Title = r.resource.Object
		shown, err := r.realm.own().show(r)
		if err != nil {
			status, v.Message = http.StatusInternalServerError, err.Error()
			return
		}
		var text bytes.Buffer
		if json.Indent(&text, w.render(shown), "", "  ") == nil {
			v.JSON = w.linked(text.String(), id)
		}
	})
	if err != nil {
		status, v.Message = http.StatusInternalServerError, err.Error()
	}
	writePage(out, status, v)
}

var quotedID = regexp.MustCompile(`"[a-z]+_[0-9A-Za-z_]{8,}"`)

// linked is a text in pieces, of which the ids of this world's objects lead to them, but for the one that it is about.
func (w *realm) linked(text, about string) (parts []textPart) {
	from := 0
	for _, at := range quotedID.FindAllStringIndex(text, -1) {
		id := text[at[0]+1 : at[1]-1]
		if id == about || w.lookup(id) == nil {
			continue
		}
		parts = append(parts, textPart{Text: text[from : at[0]+1]}, textPart{Text: id, ID: id})
		from = at[1] - 1
	}
	return append(parts, textPart{Text: text[from:]})
}
