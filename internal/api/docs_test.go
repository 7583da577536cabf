package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/till-pay/till/internal/fault"
)

func openAPI(t *testing.T, r *room) (*openapi3.T, string) {
	t.Helper()
	a := r.do(t, "GET", "/openapi.json", "", "X-API-Key: ")
	if a.Code != 200 || a.Header().Get("Content-Type") != "application/json" || a.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("%d %v", a.Code, a.Header())
	}
	doc, err := openapi3.NewLoader().LoadFromData(a.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return doc, a.Body.String()
}

func TestOpenAPIDocumentIsValid(t *testing.T) {
	t.Parallel()
	doc, text := openAPI(t, newRoom(t))
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || doc.Info.Version != "1.2.3" {
		t.Errorf("%s, version %s", doc.OpenAPI, doc.Info.Version)
	}
	var names []string
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			names = append(names, op.OperationID)
			for status, response := range op.Responses.Map() {
				media := response.Value.Content["application/json"]
				if status >= "400" && (media == nil || media.Schema.Ref != "#/components/schemas/Failure") {
					t.Errorf("%s %s has not our form of an error", op.OperationID, status)
				}
			}
		}
	}
	want := []string{"createNote", "getNote", "listNotes", "takeHook"}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(names))); diff != "" {
		t.Error(diff)
	}
	names = nil
	for name := range doc.Components.Schemas {
		names = append(names, name)
	}
	want = []string{"Author", "CreateNoteRequest", "Failure", "Note", "NoteList", "NoteReply", "PageInfo", "Problem", "TakeHookReply"}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(names))); diff != "" {
		t.Error(diff)
	}
	for _, noise := range []string{"$schema", "patternDescription", "Struct", "internal/", `[` + "github"} {
		if strings.Contains(text, noise) {
			t.Errorf("the document holds %q", noise)
		}
	}
}

// The document says of each endpoint what it does: the errors it can answer, the key it needs.
func TestOpenAPIDocumentIsTrue(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	doc, _ := openAPI(t, r)
	for path, want := range map[string]string{
		"POST /v1/notes":     "201 400 401 403 404 409 413 422 429 500 503",
		"GET /v1/notes":      "200 400 401 403 422 429 500 503",
		"GET /v1/notes/{id}": "200 400 401 403 404 422 429 500 503",
		"POST /v1/hook":      "200 400 404 409 413 422 429 500 503",
	} {
		method, path, _ := strings.Cut(path, " ")
		op := doc.Paths.Value(path).GetOperation(method)
		var got []string
		for status := range op.Responses.Map() {
			got = append(got, status)
		}
		if s := strings.Join(slices.Sorted(slices.Values(got)), " "); s != want {
			t.Errorf("%s %s answers %s, want %s", method, path, s, want)
		}
		if open := op.Security == nil || len(*op.Security) == 0; open != (path == "/v1/hook") {
			t.Errorf("%s %s: security %v", method, path, op.Security)
		}
	}
	body := doc.Components.Schemas["CreateNoteRequest"].Value
	if diff := cmp.Diff([]string{"price", "title"}, slices.Sorted(slices.Values(body.Required))); diff != "" {
		t.Error(diff)
	}
	if cost := doc.Components.Schemas["Note"].Value.Properties["cost"].Value; !cost.Type.Is("string") || cost.Format != "decimal" {
		t.Errorf("money is %v %s", cost.Type, cost.Format)
	}
	var got map[string]any
	r.do(t, "GET", "/v1/notes/missing", "").ok(404, &got)
	if err := doc.Components.Schemas["Failure"].Value.VisitJSON(got); err != nil {
		t.Error(err)
	}
	got = nil
	r.do(t, "POST", "/v1/notes", `{"title":"a","price":"1","author":{"name":"b"},"labels":{}}`).ok(201, &got)
	if err := doc.Components.Schemas["NoteReply"].Value.VisitJSON(got); err != nil {
		t.Error(err)
	}
}

func TestReference(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	a := r.do(t, "GET", "/docs", "", "X-API-Key: ")
	page := a.Body.String()
	if a.Code != 200 || a.Header().Get("Content-Type") != "text/html; charset=utf-8" || a.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("%d %v", a.Code, a.Header())
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("no style sheet")
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := a.Header().Get("Content-Security-Policy"); got != want {
		t.Errorf("policy %s\nwant   %s", got, want)
	}
	if outside := regexp.MustCompile(`<script|<link|<img|<iframe| style=| on[a-z]+=|https?://[^"< ]*\.(?:js|css)|@import|url\(`).FindString(page); outside != "" {
		t.Errorf("the page holds %q", outside)
	}
	for _, needed := range []string{"till <small>1.2.3</small>", `id="createNote"`, "Create a note", "What it costs.", "author.name", "Makes a repeat safe.", "<code>payments:write</code>",
		"Writes a <code>note</code>.", "Needs no key.", "decimal, as string or number", "at most 255 characters", "one of plain loud", "object-Note", `href="#status-413"`,
		`curl -X POST &#34;$TILL/v1/notes&#34;`, `-H &#34;Idempotency-Key: order-1042&#34;`, "metadata"} {
		if !strings.Contains(page, needed) {
			t.Errorf("the page lacks %q", needed)
		}
	}
	for _, c := range fault.Codes {
		if !strings.Contains(page, "<code>"+string(c.Code)+"</code></td><td>"+strings.ReplaceAll(c.Sentence, "'", "&#39;")) {
			t.Errorf("the page lacks %s", c.Code)
		}
	}
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if anchors[m[1]] {
			t.Errorf("two places are called %q", m[1])
		}
		anchors[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !anchors[m[1]] {
			t.Errorf("a link leads to %q, which is nowhere", m[1])
		}
	}
}

// What the reference shows as a request is a request: its body is taken as it stands.
func TestExamplesWork(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	page := r.do(t, "GET", "/docs", "").Body.String()
	bodies := regexp.MustCompile(`(?s)-d &#39;(.*?)&#39;</code>`).FindAllStringSubmatch(page, -1)
	if len(bodies) != 1 {
		t.Fatalf("%d bodies", len(bodies))
	}
	body := strings.ReplaceAll(bodies[0][1], "&#34;", `"`)
	if a := r.do(t, "POST", "/v1/notes", body); a.Code != 201 {
		t.Errorf("%s\n%s", body, a.Body)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(body)); err != nil || compact.String() != `{"title":"Milk","price":"50.00"}` {
		t.Errorf("%s", compact.String())
	}
	for i, sample := range regexp.MustCompile(`(?s)Answer \d+.*?<pre><code>(.*?)</code>`).FindAllStringSubmatch(page, -1) {
		if text := strings.ReplaceAll(sample[1], "&#34;", `"`); !json.Valid([]byte(text)) {
			t.Errorf("answer %d is no JSON: %s", i, text)
		}
	}
}
