package transcript

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 16 << 20

// Player plays a transcript against a sandbox and writes it anew as the sandbox answers.
type Player struct {
	client    *http.Client
	base, key string

	names map[string]string // what a random value is called
	value map[string]string // and back
	count map[string]int
}

// New is a player whose requests go through client to the sandbox at base, with a secret key.
func New(client *http.Client, base, key string) *Player {
	return &Player{client: client, base: base, key: key, names: map[string]string{}, value: map[string]string{}, count: map[string]int{}}
}

// Play plays a transcript. It fails when a request cannot be sent, not when the answer is another than the transcript's.
func (p *Player) Play(ctx context.Context, text string) (string, error) {
	var steps []string
	for _, s := range Parse(text) {
		played, err := p.step(ctx, s)
		if err != nil {
			return "", fmt.Errorf("transcript: %s %s: %w", s.Method, s.Path, err)
		}
		steps = append(steps, played)
	}
	return strings.Join(steps, "\n\n") + "\n", nil
}

// step plays one request and writes the step anew.
func (p *Player) step(ctx context.Context, s Step) (string, error) {
	kept := strings.Join(s.Kept, "\n")
	if s.Method == "" {
		return kept, nil
	}
	request, err := p.request(ctx, s)
	if err != nil {
		return "", err
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return "", err
	}
	kept += fmt.Sprintf("\n< %d", answer.StatusCode)
	if replayed := answer.Header.Get("Idempotent-Replayed"); replayed != "" {
		kept += "\n< Idempotent-Replayed: " + replayed
	}
	plain, err := p.plain(body)
	return kept + "\n" + plain, err
}

// request is a step's request, with real values in place of names.
func (p *Player) request(ctx context.Context, s Step) (*http.Request, error) {
	var missing error
	fill := func(text string) string {
		return reference.ReplaceAllStringFunc(text, func(name string) string {
			value, ok := p.value[name[1:len(name)-1]]
			if !ok {
				missing = fmt.Errorf("nothing is called %s yet", name)
			}
			return value
		})
	}
	target, body := p.base+fill(s.Path), fill(s.Form)
	switch {
	case s.JSON != "":
		body = fill(s.JSON)
	case s.Method == http.MethodGet && body != "":
		target, body = target+"?"+body, ""
	}
	kind := "application/x-www-form-urlencoded"
	if strings.Contains(body, fileMark) {
		body, kind = multiparted(body)
	}
	r, err := http.NewRequestWithContext(ctx, s.Method, target, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", kind)
	if s.JSON != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+p.key)
	if s.Browser {
		r.Header.Set("Authorization", "Bearer pk"+strings.TrimPrefix(p.key, "sk"))
	}
	for _, pair := range s.Header {
		r.Header.Set(pair[0], fill(pair[1]))
	}
	return r, missing
}

var reference = regexp.MustCompile(`\{[a-z_]+_\d+\}`)

// What is random in answers.
var (
	randomValue  = regexp.MustCompile(`((?:pi|seti)_[0-9A-Za-z]{14,}_secret)_[0-9A-Za-z]{20,}|\b(?:pi|seti|setatt|pm|pmc|ch|re|txn|cus|evt|we|req|acct|src_client_secret|src|srctxn|smn|ccsbtxn|aliacc|ct|cpt|ca|ac|rt|accs_secret_|pii|cvctok|ctoken|cuss_secret|whsec|payatt|dp|du|issfr|prv|rsl|rsli|ssr|peval|po|tu|ba|card|btok|tok|file|link|person|tr|trr|fee|fr|py|pyr|pmd|apwc|mandate|ephkey|ek_test)_[0-9A-Za-z]{14,}`)
	randomFields = regexp.MustCompile(`"(risk_score|score|authorization_code|network_transaction_id|payment_reference|fingerprint|reference|account_number|payment_code|confirmation_number|transaction_id|number|iban|clabe|invoice_prefix)": ("[^"]*"|\d+(?:\.\d+)?)`)
	links        = regexp.MustCompile(`(/links/)[0-9A-Za-z]{30,}`)
	banks        = regexp.MustCompile(`(/microdeposit/pacs_test_|/adapter/[a-z_]+/file/)[0-9A-Za-z]{20,}`)
	entrances    = regexp.MustCompile(`(/(?:setup/[a-z]|express/dashboard)/)[0-9a-f]{16}/([a-z]+_\d+)/[0-9A-Za-z]{32}`)
	hosted       = regexp.MustCompile(`(/(?:3d_secure_2|payment_methods)/hosted/)[0-9a-f]{16}`)
)

// What is random in answers about sources.
var (
	sourceFields = regexp.MustCompile(`"(mandate_reference|prepay_id)": "[^"]*"`)
	sourcePages  = regexp.MustCompile(`(/redirect/authenticate/)[0-9a-f]{16}`)
)

// groups are those of transfers, which are named after their payments.
var groups = regexp.MustCompile(`\bgroup_(?:pi|ch)_[0-9A-Za-z]{14,}`)

// What is left out of answers.
var (
	nulls     = regexp.MustCompile(`(?m)^ *"[^"]+": null,?\n`)
	lastComma = regexp.MustCompile(`,(\n *\})`)
	emptied   = regexp.MustCompile(`\{\n *\}`)
)

// plain is an answer's JSON with names in place of what is random, and without nulls.
func (p *Player) plain(answer []byte) (string, error) {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(answer), "", "  "); err != nil {
		return "", err
	}
	text := links.ReplaceAllString(b.String(), "${1}{link}")
	text = banks.ReplaceAllString(text, "${1}…")
	text = groups.ReplaceAllStringFunc(text, p.name)
	text = randomValue.ReplaceAllStringFunc(text, p.name)
	text = strings.ReplaceAll(text, p.base, "http://sandbox")
	text = entrances.ReplaceAllString(text, "${1}{page}/${2}/{link}")
	text = hosted.ReplaceAllString(text, "${1}{page}")
	text = randomFields.ReplaceAllString(text, `"$1": "…"`)
	text = sourcePages.ReplaceAllString(text, "${1}{page}")
	text = sourceFields.ReplaceAllString(text, `"$1": "…"`)
	text = nulls.ReplaceAllString(text, "")
	text = lastComma.ReplaceAllString(text, "$1")
	return emptied.ReplaceAllString(text, "{}"), nil
}

// name is what a random value is called: its prefix and a number. A group of transfers is called by its payment.
func (p *Player) name(value string) string {
	if of, grouped := strings.CutPrefix(value, "group_"); grouped {
		return "group_" + p.name(of)
	}
	if name, known := p.names[value]; known {
		return name
	}
	prefix, _, _ := strings.Cut(value, "_")
	if strings.Contains(value, "_secret_") {
		prefix = "secret"
	}
	p.count[prefix]++
	name := fmt.Sprintf("%s_%d", prefix, p.count[prefix])
	p.names[value], p.value[name] = name, value
	return name
}
