package sandbox_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata from what the sandbox answers")

// TestTranscripts plays each file of testdata against a sandbox of its own and compares the answers.
//
// A file is steps separated by blank lines. A step is a request and its answer:
//
//	# A remark, kept as it is.
//	> POST /v1/payment_intents
//	> Idempotency-Key: order-1
//	> amount=1000
//	> currency=usd
//	< 200
//	{ … }
//
// Parameters stand unescaped, one a line. {pi_1} in a request is the first id that the answers have shown with that prefix; in answers
// ids and other random values are written so, and fields that are null are left out. A path under /_sandbox/ takes a line of JSON. With a line "> as browser" the request
// carries the publishable key.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			was, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			is := play(t, string(was))
			if *update {
				if err := os.WriteFile(file, []byte(is), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if is != string(was) {
				t.Errorf("%s is not what the sandbox answers; look at the difference, then run the tests with -update:\n%s", file, firstDifference(string(was), is))
			}
		})
	}
}

// TestEachResourceHasATranscript holds the list of resources against the files, both ways.
func TestEachResourceHasATranscript(t *testing.T) {
	t.Parallel()
	names := sandbox.ResourceNames()
	for _, name := range names {
		if _, err := os.Stat("testdata/" + name + ".txt"); err != nil {
			t.Errorf("resource %s has no transcript: %v", name, err)
		}
	}
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".txt"); !slices.Contains(names, name) {
			t.Errorf("%s belongs to no resource", file)
		}
	}
	if !slices.IsSorted(names) && len(names) == 0 {
		t.Error("there are no resources")
	}
}

func firstDifference(was, is string) string {
	a, b := strings.Split(was, "\n"), strings.Split(is, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n  file:    %s\n  sandbox: %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("one has %d lines, the other %d", len(a), len(b))
}

// player plays one transcript.
type player struct {
	*api
	names map[string]string // what a random value is called
	value map[string]string // and back
	count map[string]int
}

func play(t *testing.T, script string) string {
	p := &player{bare(t), map[string]string{}, map[string]string{}, map[string]int{}}
	var out strings.Builder
	for i, step := range strings.Split(strings.TrimSpace(script), "\n\n") {
		if i > 0 {
			out.WriteString("\n\n")
		}
		out.WriteString(p.step(step))
	}
	return out.String() + "\n"
}

// step plays one request and writes the step anew.
func (p *player) step(text string) string {
	var kept, params []string
	var method, path, body string
	var header []string
	for _, line := range strings.Split(text, "\n") {
		sent, isRequest := strings.CutPrefix(line, "> ")
		if !isRequest {
			if strings.HasPrefix(line, "#") {
				kept = append(kept, line)
			}
			continue
		}
		kept = append(kept, line)
		sent = p.filled(sent)
		switch name, value, isHeader := strings.Cut(sent, ": "); {
		case method == "":
			method, path, _ = strings.Cut(sent, " ")
		case sent == "as browser":
			header = append(header, "Authorization", "Bearer pk"+strings.TrimPrefix(p.key, "sk"))
		case strings.HasPrefix(sent, "{"):
			body = sent
		case isHeader && !strings.Contains(name, "="):
			header = append(header, name, value)
		default:
			name, value, _ := strings.Cut(sent, "=")
			params = append(params, url.QueryEscape(name)+"="+url.QueryEscape(value))
		}
	}
	if method == "" {
		return strings.Join(kept, "\n")
	}
	var got answer
	if strings.HasPrefix(path, "/_sandbox/") {
		got = p.control(method, path, body)
	} else {
		got = p.do(method, path, strings.Join(params, "&"), header...)
	}
	kept = append(kept, fmt.Sprintf("< %d", got.status))
	if replayed := got.header.Get("Idempotent-Replayed"); replayed != "" {
		kept = append(kept, "< Idempotent-Replayed: "+replayed)
	}
	return strings.Join(kept, "\n") + "\n" + p.normal(got)
}

var reference = regexp.MustCompile(`\{[a-z_]+_\d+\}`)

// filled puts real values in place of their names.
func (p *player) filled(line string) string {
	return reference.ReplaceAllStringFunc(line, func(name string) string {
		value, ok := p.value[name[1:len(name)-1]]
		if !ok {
			p.t.Fatalf("nothing is called %s yet", name)
		}
		return value
	})
}

var randomValue = regexp.MustCompile(`((?:pi|seti)_[0-9A-Za-z]{14,}_secret)_[0-9A-Za-z]{20,}|\b(?:pi|seti|setatt|pm|ch|re|txn|cus|evt|we|req|acct|src|whsec)_[0-9A-Za-z]{14,}`)

var randomFields = regexp.MustCompile(`"(risk_score|authorization_code|network_transaction_id|fingerprint|reference|invoice_prefix)": ("[^"]*"|\d+)`)

// normal is an answer's JSON with names in place of what is random.
func (p *player) normal(got answer) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(ordered(got)); err != nil {
		p.t.Fatal(err)
	}
	text := randomValue.ReplaceAllStringFunc(strings.TrimSpace(b.String()), p.name)
	text = strings.ReplaceAll(text, p.server.URL, "http://sandbox")
	text = hosted.ReplaceAllString(text, "${1}{page}")
	text = randomFields.ReplaceAllString(text, `"$1": "…"`)
	text = nulls.ReplaceAllString(text, "")
	text = lastComma.ReplaceAllString(text, "$1")
	return emptied.ReplaceAllString(text, "{}")
}

var (
	nulls     = regexp.MustCompile(`(?m)^ *"[^"]+": null,?\n`)
	lastComma = regexp.MustCompile(`,(\n *\})`)
	emptied   = regexp.MustCompile(`\{\n *\}`)
)

var hosted = regexp.MustCompile(`(/3d_secure_2/hosted/)[0-9a-f]{32}`)

// name is what a random value is called: its prefix and a number.
func (p *player) name(value string) string {
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

// ordered is an answer's JSON in the order of its rendering, which a map would lose.
func ordered(got answer) any {
	if got.raw == "" {
		return got.body
	}
	return json.RawMessage(got.raw)
}

// TestTranscriptsAreNotEmpty keeps a transcript from shrinking to nothing by -update.
func TestTranscriptsAreNotEmpty(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), fmt.Sprintf("< %d\n", http.StatusOK)) {
			t.Errorf("%s has no success in it", file)
		}
	}
}
