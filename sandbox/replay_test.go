package sandbox_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
)

// How many steps of the recording are answered alike, at least. The others need what the recorded account had before it began: its
// webhook endpoints, intents and charges that were made elsewhere, taxes.
const (
	replayedSteps = 64
	equalSteps    = 45
)

// TestReplay sends the recorded requests of a real integration again, step by step, with the ids that the sandbox gives in place of
// the recorded ones, and counts the answers that are alike in status and in the fields that clients go by.
func TestReplay(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/traffic/spree_stripe.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	box := sandbox.New(t)
	steps, equal, lack := 0, 0, map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		var c cassette
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		c.lack = lack
		played, alike := c.replay(t, box)
		steps, equal = steps+played, equal+alike
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d steps are equal", equal, steps)
	if got := slices.Sorted(maps.Keys(lack)); !slices.Equal(got, lacking) {
		t.Errorf("what recorded objects have beyond the sandbox's of their version is %q, not %q", got, lacking)
	}
	if steps != replayedSteps || equal < equalSteps {
		t.Errorf("%d of %d steps are equal, not %d of %d", equal, steps, equalSteps, replayedSteps)
	}
}

// cassette is a recorded conversation.
type cassette struct {
	Name  string `json:"cassette"`
	Steps []struct {
		Method, Host, Path, Body string
		Headers                  map[string]string
		Idempotent               bool
		Status                   int
		Response                 any
	}
	ids  map[string]string // of the sandbox, by the recorded ones
	seen map[string]bool   // recorded ids that were answered before
	lack map[string]bool   // fields that recorded objects have and the sandbox's of the same version have not, as object.field
}

// replay plays a conversation. A step about an object that was recorded elsewhere is played, but does not count.
func (c *cassette) replay(t *testing.T, box *sandbox.World) (steps, equal int) {
	t.Helper()
	c.ids, c.seen = map[string]string{}, map[string]bool{}
	for i, s := range c.Steps {
		if s.Host != "api.stripe.com" {
			continue
		}
		said, _ := url.QueryUnescape(s.Path + " " + s.Body)
		elsewhere := slices.ContainsFunc(recordedID.FindAllString(said, -1), func(id string) bool { return !c.seen[id] && !namedCard.MatchString(id) })
		if s.Idempotent {
			s.Headers["Idempotency-Key"] = fmt.Sprintf("%s-%d", c.Name, i)
		}
		status, got := c.ask(t, box, s.Method, s.Path, s.Body, s.Headers)
		raw, _ := json.Marshal(s.Response) // it comes from JSON
		for _, id := range recordedID.FindAllString(string(raw), -1) {
			c.seen[id] = true
		}
		if elsewhere && s.Status < http.StatusBadRequest {
			c.pair(s.Response, got)
			continue
		}
		steps++
		wrong := unlike(s.Status, status, s.Response, got)
		if status == s.Status {
			c.pair(s.Response, got)
			c.compareFields(s.Response, got)
		}
		if len(wrong) == 0 {
			equal++
		} else {
			t.Logf("%s: %s %s: %s", c.Name, s.Method, s.Path, strings.Join(wrong, ", "))
		}
	}
	return steps, equal
}

// ask sends a recorded request with the sandbox's ids.
func (c *cassette) ask(t *testing.T, box *sandbox.World, method, path, body string, headers map[string]string) (status int, got any) {
	t.Helper()
	replace := func(text string) string {
		return recordedID.ReplaceAllStringFunc(text, func(id string) string {
			if here := c.ids[id]; here != "" {
				return here
			}
			return id
		})
	}
	r, err := http.NewRequestWithContext(t.Context(), method, box.URL+replace(path), strings.NewReader(replace(body)))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		r.Header.Set(name, replace(value))
	}
	r.Header.Set("Authorization", "Bearer "+box.Key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, got
}

// lacking are the fields that the recorded account has by what was switched on for it.
var lacking = []string{"payment_intent.shared_payment_granted_token", "payment_method.shared_payment_granted_token"}

// compareFields notes which fields recorded objects have, in the version of the request, that the sandbox's have not.
func (c *cassette) compareFields(was, is any) {
	switch was := was.(type) {
	case map[string]any:
		is, _ := is.(map[string]any)
		kind, _ := was["object"].(string)
		same := kind != "" && is["object"] == kind
		for name, value := range was {
			if _, has := is[name]; same && !has {
				c.lack[kind+"."+name] = true
			}
			c.compareFields(value, is[name])
		}
	case []any:
		is, _ := is.([]any)
		for i := range min(len(was), len(is)) {
			c.compareFields(was[i], is[i])
		}
	}
}

// pair learns which of the sandbox's ids stand where recorded ones stood.
func (c *cassette) pair(was, is any) {
	switch was := was.(type) {
	case map[string]any:
		is, _ := is.(map[string]any)
		for name, value := range was {
			c.pair(value, is[name])
		}
	case []any:
		is, _ := is.([]any)
		for i := range min(len(was), len(is)) {
			c.pair(was[i], is[i])
		}
	case string:
		is, _ := is.(string)
		from, to := recordedID.FindAllString(was, -1), recordedID.FindAllString(is, -1)
		for i := range from {
			if len(from) == len(to) && c.ids[from[i]] == "" {
				c.ids[from[i]] = to[i]
			}
		}
	}
}

var (
	recordedID = regexp.MustCompile(`\b(?:cus|pi|seti|pm|card|src|tok|ch|py|re|pyr|acct|ba|prod|price|plan|sub|si|in|ii|il|tr|trr|po|txn|dp|du|evt|we|cs|bpc|person|file|link|fr|fee|prv|issfr|txr|mandate|ephkey|pmd|req)_[A-Za-z0-9_]{6,}`)
	namedCard  = regexp.MustCompile(`^(tok|pm|src|card|btok)_[a-z]`) // pm_card_visa
)

// The fields that clients go by.
var (
	keyFields = strings.Fields("object status type amount amount_received amount_capturable amount_refunded currency captured refunded paid" +
		" capture_method confirmation_method deleted livemode balance email name reason setup_future_usage usage country charges_enabled" +
		" payouts_enabled details_submitted business_type brand cancellation_reason reversed")
	errorFields = []string{"type", "code", "decline_code", "param"}
)

// unlike names what differs between a recorded answer and the sandbox's.
func unlike(wasStatus, isStatus int, was, is any) (all []string) {
	if wasStatus != isStatus {
		return []string{fmt.Sprintf("status %d, not %d", isStatus, wasStatus)}
	}
	old, _ := was.(map[string]any)
	now, _ := is.(map[string]any)
	if refusal, ok := old["error"].(map[string]any); ok {
		return differs("error.", errorFields, refusal, now["error"])
	}
	for _, name := range keyFields {
		value, had := old[name]
		_, nested := value.(map[string]any)
		_, list := value.([]any)
		if had && !nested && !list && !reflect.DeepEqual(value, now[name]) {
			all = append(all, name)
		}
	}
	if action, ok := old["next_action"].(map[string]any); ok {
		all = append(all, differs("next_action.", []string{"type"}, action, now["next_action"])...)
	}
	if failure, ok := old["last_payment_error"].(map[string]any); ok {
		all = append(all, differs("last_payment_error.", errorFields[:3], failure, now["last_payment_error"])...)
	}
	if old["object"] == "list" {
		wasData, _ := old["data"].([]any)
		isData, _ := now["data"].([]any)
		if len(wasData) != len(isData) {
			all = append(all, fmt.Sprintf("a list of %d, not %d", len(isData), len(wasData)))
		}
	}
	return all
}

func differs(of string, names []string, was map[string]any, is any) (all []string) {
	now, _ := is.(map[string]any)
	for _, name := range names {
		if !reflect.DeepEqual(was[name], now[name]) {
			all = append(all, of+name)
		}
	}
	return all
}
