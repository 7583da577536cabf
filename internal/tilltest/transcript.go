package tilltest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	diff "github.com/google/go-cmp/cmp"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest"
)

var update = flag.Bool("update", false, "rewrite the transcripts from what till answers")

// Transcripts plays each file that a pattern matches against a till of its own, on both engines, and compares what happens with what
// is written. With -update it writes the file anew, and a review reads the difference.
//
// A file is steps parted by blank lines. A step is what is asked, each line with ">", and what comes of it:
//
//	# A remark, kept as it is.
//	> POST /v1/payments
//	> Idempotency-Key: order-1
//	> {"amount":"50.00","currency":"USD","provider":"stripe","payment_method":"pm_card_visa"}
//	< 201
//	{ … }
//
// The shop's key is sent where no X-API-Key is written. Ids, secrets and addresses are named in the order of their first sight
// (<payment-1>, <pi-1>), and a request may use the names, and <shop> and <stripe-key> beside. Beside requests a step may be
//
//	> heard                            what the shop's webhook has been told since the last such step
//	> wait 24h                         the clock moves on
//	> authenticate <payment-1> fail    the payer answers the 3-D Secure page of a payment: complete or fail
//	> lose payment_intent.succeeded    the next webhook of a type never comes
//	> cost 3.1 30                      what Stripe takes for the account's cards from now on: percent, and minor units
//
// After each step everything in the background has come to rest, so that the next one sees all of it. Left out of what is heard are
// the fee, the charge and the number of attempts: whether they are known when an event is written hangs on whether Stripe's reply or its
// webhook comes first. For the same reason the answer that brings a decline shows nothing of its charge.
func Transcripts(t *testing.T, pattern string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts at %s: %v", pattern, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			dbtest.EachURL(t, func(t *testing.T, url string) {
				was, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				is := play(t, url, string(was))
				switch {
				case is == string(was):
				case *update:
					if err := os.WriteFile(file, []byte(is), 0o644); err != nil {
						t.Fatal(err)
					}
				default:
					t.Errorf("%s is not what happens (- written, + happens); go test -update writes it:\n%s", file, diff.Diff(strings.Split(string(was), "\n"), strings.Split(is, "\n")))
				}
			})
		})
	}
}

// play writes a transcript anew.
func play(t *testing.T, url, was string) string {
	p := &player{t: t, till: Open(t, url), names: map[string]string{}, values: map[string]string{}, seen: map[string]int{}}
	p.name(p.till.Shop.Merchant, "merchant")
	p.values["<stripe-key>"], p.values["<shop>"] = p.till.Shop.StripeKey, p.till.Shop.Hears.URL
	var is []string
	for _, step := range strings.Split(strings.TrimSpace(was), "\n\n") {
		var kept, asked []string
		for _, line := range strings.Split(step, "\n") {
			switch {
			case strings.HasPrefix(line, "#"):
				kept = append(kept, line)
			case strings.HasPrefix(line, "> "):
				kept, asked = append(kept, line), append(asked, line[2:])
			}
		}
		if len(asked) > 0 {
			if came := p.step(asked); came != "" {
				kept = append(kept, came)
			}
		}
		is = append(is, strings.Join(kept, "\n"))
	}
	return strings.Join(is, "\n\n") + "\n"
}

type player struct {
	t      *testing.T
	till   *Till
	names  map[string]string // of values
	values map[string]string // of names
	seen   map[string]int    // how many of a noun have names
	heard  int               // of what the shop was told

	document *openapi3.T
}

func (p *player) step(asked []string) string {
	p.t.Helper()
	for i, line := range asked {
		asked[i] = p.named(line)
	}
	words := strings.Fields(asked[0])
	var came string
	switch {
	case words[0] == "heard":
		came = p.hear()
	case words[0] == "wait" && len(words) == 2:
		d, err := time.ParseDuration(words[1])
		if err != nil {
			p.t.Fatal(err)
		}
		p.till.Clock.Advance(d)
	case words[0] == "authenticate" && len(words) == 3:
		p.authenticate(words[1], words[2])
	case words[0] == "lose" && len(words) == 2:
		p.till.Stripe(p.till.Shop).BreakWebhook("lost", words[1], 0)
	case words[0] == "cost" && len(words) == 3:
		p.till.Stripe(p.till.Shop).Control("POST", "/_sandbox/account", map[string]any{"card_fee": map[string]any{"percent": words[1], "fixed": json.Number(words[2])}})
	case len(words) == 2 && strings.HasPrefix(words[1], "/"):
		came = p.request(words[0], words[1], asked[1:])
	default:
		p.t.Fatalf("a step that is none: %s", asked[0])
	}
	p.rest()
	return came
}

// shown are the headers of an answer that a transcript holds, where they are there.
var shown = []string{"Idempotent-Replayed", "Retry-After", "Allow", "Location"}

func (p *player) request(method, path string, rest []string) string {
	p.t.Helper()
	client := p.till.As(p.till.Shop)
	var body any
	for i, line := range rest {
		name, value, header := strings.Cut(line, ":")
		if !header || strings.ContainsAny(name, `{"[ `) {
			body = strings.Join(rest[i:], "\n")
			break
		}
		if value = strings.TrimSpace(value); http.CanonicalHeaderKey(name) == "X-Api-Key" {
			client.key = value
			continue
		}
		client = client.With(name, value)
	}
	a := client.Do(method, path, body)
	lines := []string{fmt.Sprintf("< %d", a.Status)}
	for _, name := range shown {
		if v := a.Header.Get(name); v != "" {
			lines = append(lines, "< "+name+": "+v)
		}
	}
	p.documented(method, path, a)
	came := p.pretty(path, a.Raw)
	if method == http.MethodPost && a.Status == http.StatusCreated && strings.Contains(came, `"status": "failed"`) {
		came = charged.ReplaceAllString(came, `"$1": null`)
	}
	return strings.Join(append(lines, came), "\n")
}

// charged is what an answer shows of a charge.
var charged = regexp.MustCompile(`"(card|outcome)": \{[^}]*\}`)

// documented holds an answer against till's own OpenAPI document: the operation, the status and the body must be as it says.
func (p *player) documented(method, path string, a Answer) {
	p.t.Helper()
	if p.document == nil {
		var err error
		if p.document, err = openapi3.NewLoader().LoadFromData(p.till.Get("/openapi.json").Want(200).Raw); err != nil {
			p.t.Fatal(err)
		}
	}
	path, _, _ = strings.Cut(path, "?")
	op := operation(p.document, method, path)
	if op == nil {
		if code := a.String("error", "code"); code != "route_unknown" && code != "method_not_allowed" {
			p.t.Errorf("%s %s is not in the document, and answers %s", method, path, a.Raw)
		}
		return
	}
	response := op.Responses.Status(a.Status)
	if response == nil {
		p.t.Errorf("%s answered %d, which the document does not say it may", op.OperationID, a.Status)
		return
	}
	if table := response.Value.Content["text/csv"]; table != nil {
		if kind := a.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/csv;") {
			p.t.Errorf("%s answered %s", op.OperationID, kind)
		}
		return
	}
	if err := response.Value.Content["application/json"].Schema.Value.VisitJSON(a.JSON); err != nil {
		p.t.Errorf("%s answered what the document does not describe: %.500s", op.OperationID, err)
	}
}

// operation finds the operation of a request. A path without a parameter wins over one with.
func operation(document *openapi3.T, method, path string) *openapi3.Operation {
	var found *openapi3.Operation
	for template, item := range document.Paths.Map() {
		pattern := regexp.MustCompile("^" + regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(template, "[^/]+") + "$")
		if op := item.GetOperation(method); op != nil && (template == path || found == nil && pattern.MatchString(path)) {
			found = op
		}
	}
	return found
}

func (p *player) hear() string {
	p.t.Helper()
	told := p.till.Shop.Hears.Told()
	fresh := slices.SortedStableFunc(slices.Values(told[p.heard:]), func(a, b Told) int { return cmp.Compare(a.Sequence, b.Sequence) }) // they overtake each other
	var lines []string
	for _, one := range fresh {
		for _, soonOrLate := range []string{"fee", "net", "attempts", "card", "outcome"} {
			delete(one.Data, soonOrLate)
		}
		raw, err := json.Marshal(one.Data)
		if err != nil {
			p.t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("< %d %s", one.Sequence, one.Type), p.pretty("", raw))
	}
	if p.heard = len(told); len(lines) == 0 {
		return "< nothing"
	}
	return strings.Join(lines, "\n")
}

var token = regexp.MustCompile(`name="token" value="([^"]+)"`)

// authenticate does what a payer's browser does: it opens the page that next_action names, and sends its form.
func (p *player) authenticate(payment, outcome string) {
	p.t.Helper()
	page := p.till.Get("/v1/payments/"+payment).Want(200).String("data", "next_action", "url")
	get := func(reply *http.Response, err error) string {
		p.t.Helper()
		if err != nil {
			p.t.Fatal(err)
		}
		defer reply.Body.Close()
		text, err := io.ReadAll(reply.Body)
		if err != nil || reply.StatusCode >= 400 {
			p.t.Fatalf("the 3-D Secure page answered %d: %v %s", reply.StatusCode, err, text)
		}
		return string(text)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	m := token.FindStringSubmatch(get(browser.Get(page)))
	if m == nil {
		p.t.Fatal("the 3-D Secure page has no form")
	}
	get(browser.PostForm(page, url.Values{"token": {m[1]}, "outcome": {outcome}}))
}

// rest returns when nothing is under way: no webhook of the sandbox, no event not taken in, none not told to the shop, and all that was posted is chained.
func (p *player) rest() {
	p.t.Helper()
	count := func(sql string, args ...any) int64 {
		n, err := db.One(p.t.Context(), p.till.DB, db.Value[int64], sql, args...)
		if err != nil {
			p.t.Fatal(err)
		}
		return n
	}
	Until(p.t, "everything to come to rest", func() bool {
		return p.posted() &&
			count(`select count(*) from stripe_events where applied_at is null and due_at is not null and error = ''`) == 0 &&
			count(`select count(*) from endpoints where checkpoint_due <= $1`, p.till.Clock.Now().UnixMicro()) == 0 &&
			count(`select count(*) from events where not fanned`) == 0 &&
			count(`select count(*) from deliveries where due_at <= $1`, p.till.Clock.Now().UnixMicro()) == 0
	})
	if err := p.till.Books.ChainAll(p.t.Context(), p.till.Shop.Scope); err != nil {
		p.t.Fatal(err)
	}
}

// posted says whether the sandbox has sent all its webhooks.
func (p *player) posted() bool {
	p.t.Helper()
	is := p.till.Stripe(p.till.Shop).state()
	return is.Queued+is.Sending == 0
}

// What a transcript names instead of showing: it differs from run to run.
var (
	uuid    = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	changes = regexp.MustCompile(`\b(?:` + uuid + `|whsec_[A-Za-z0-9+/]+=*|till_(?:test|live)_[A-Za-z0-9]+|[a-z]+_(?:[a-z]+_)?[A-Za-z0-9]{12,})`)
	hidden  = []struct {
		pattern *regexp.Regexp
		words   string
	}{
		{regexp.MustCompile(`http://127\.0\.0\.1:\d+/till`), "<shop>"},
		{regexp.MustCompile(`(/3d_secure_2/hosted/)\w+`), "$1<page>"},
		{regexp.MustCompile(`_secret_[A-Za-z0-9]{8,}`), "_secret"},
		{regexp.MustCompile(`(/v1/webhooks/stripe/[^/"]+/)[\w-]+`), "$1<token>"},
		{regexp.MustCompile(`Shop [0-9a-f]{8}\b`), "Shop"},
		{regexp.MustCompile(`("next": ")[\w-]+"`), `$1<cursor>"`},
		{regexp.MustCompile(`("duration_ms": )\d+`), "$1<duration>"},
		{regexp.MustCompile(`("hash": ")[0-9a-f]{64}"`), `$1<hash>"`},
	}
	mixed = regexp.MustCompile(`[0-9A-Z]`)
)

// pretty is a body with its lines indented, and names in place of what changes.
func (p *player) pretty(path string, raw []byte) string {
	p.t.Helper()
	if next := regexp.MustCompile(`"next":"([\w-]+)"`).FindSubmatch(raw); next != nil {
		p.values["<cursor>"] = string(next[1])
	}
	var b bytes.Buffer
	text := ""
	if err := json.Indent(&b, bytes.TrimSpace(raw), "", "  "); err == nil {
		p.nouns(path, raw)
		text = b.String()
	} else if !strings.HasPrefix(path, "/v1/exports/") {
		return strings.TrimSpace(string(raw))
	} else {
		text = strings.TrimSpace(strings.ReplaceAll(string(raw), "\r\n", "\n"))
	}
	text = strings.NewReplacer(p.till.StripeURL, "<stripe>", p.till.URL, "<till>").Replace(text)
	for _, h := range hidden {
		text = h.pattern.ReplaceAllString(text, h.words)
	}
	return changes.ReplaceAllStringFunc(text, func(value string) string {
		prefix, suffix, _ := strings.Cut(value, "_")
		if strings.Contains(value, "-") {
			return p.name(value, "id")
		}
		if !mixed.MatchString(suffix) {
			return value // a word, such as payment_method_authentication
		}
		if prefix == "till" {
			prefix = "key"
		}
		return p.name(value, prefix)
	})
}

// collections say what an id is in the answers of a path.
var collections = []struct{ path, noun string }{
	{"/v1/payments/cards", "card"}, {"/v1/payments", "payment"}, {"/v1/refunds", "refund"}, {"/v1/disputes", "dispute"}, {"/v1/payouts", "payout"}, {"/v1/events", "event"}, {"/v1/webhooks/deliveries", "delivery"},
	{"/v1/webhooks/endpoints/", "event"}, {"/v1/webhooks/endpoints", "endpoint"}, {"/v1/merchant/webhook/test", "event"}, {"/v1/merchant/webhook", "endpoint"},
	{"/v1/merchant", "merchant"}, {"/v1/messages", "message"},
}

// nouns names the ids of a body in its order, each after the field that holds it: payment_id, customer.id, data.id.
func (p *player) nouns(path string, raw []byte) {
	here := "object"
	for _, c := range collections {
		if strings.HasPrefix(path, c.path) {
			here = c.noun
			break
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	type place struct {
		key    string // of the object or list itself
		object bool
		named  string // the key whose value comes next
	}
	stack := []place{{}}
	isKey := false
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		top := &stack[len(stack)-1]
		switch v := token.(type) {
		case json.Delim:
			switch v {
			case '{', '[':
				key := top.named
				if !top.object {
					key = top.key
				}
				stack, isKey = append(stack, place{key: key, object: v == '{'}), v == '{'
				continue
			default:
				stack = stack[:len(stack)-1]
			}
		case string:
			if top.object && isKey {
				top.named, isKey = v, false
				continue
			}
			p.noun(top.named, top.key, here, v)
		}
		isKey = stack[len(stack)-1].object
	}
}

var wholeUUID = regexp.MustCompile(`^` + uuid + `$`)

func (p *player) noun(key, parent, here, value string) {
	if !wholeUUID.MatchString(value) {
		return
	}
	noun := strings.TrimPrefix(strings.TrimSuffix(key, "_id"), "saved_")
	if key == "id" {
		if noun = parent; parent == "data" || parent == "" {
			noun = here
		}
	}
	p.name(value, noun)
}

// name is the name of a value: the one it has, or the next of its noun.
func (p *player) name(value, noun string) string {
	if name, ok := p.names[value]; ok {
		return name
	}
	p.seen[noun]++
	name := fmt.Sprintf("<%s-%d>", noun, p.seen[noun])
	p.names[value], p.values[name] = name, value
	return name
}

var aName = regexp.MustCompile(`<[a-z]+(?:-[a-z0-9]+)?>`)

// named puts the values of names into a line of a request.
func (p *player) named(line string) string {
	return aName.ReplaceAllStringFunc(line, func(name string) string {
		if value, ok := p.values[name]; ok {
			return value
		}
		p.t.Fatalf("nothing is called %s yet: %s", name, line)
		return ""
	})
}
