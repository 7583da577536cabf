package api

import (
	"bytes"
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

	"github.com/danielgtaylor/huma/v2"

	"github.com/till-pay/till/internal/fault"
)

//go:embed docs.html
var docsPage string

// reference is the OpenAPI document as bytes for programs and as a page for people. Both are made once, at the first request.
type reference struct {
	doc        *huma.OpenAPI
	operations []Operation // in the order of their registration, which the document's own map does not keep
}

func newReference(doc *huma.OpenAPI) *reference { return &reference{doc: doc} }

func (r *reference) add(o Operation) { r.operations = append(r.operations, o) }

func (r *reference) json() http.Handler {
	document := sync.OnceValues(func() ([]byte, error) { return json.Marshal(r.doc) })
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b, err := document()
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(b)
	})
}

func (r *reference) page() http.Handler {
	type page struct {
		html   []byte
		policy string
	}
	render := sync.OnceValues(func() (page, error) {
		t, err := template.New("docs").Funcs(template.FuncMap{"prose": prose}).Parse(docsPage)
		if err != nil {
			return page{}, err
		}
		var b bytes.Buffer
		err = t.Execute(&b, r.data())
		return page{b.Bytes(), policy(b.String())}, err
	})
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p, err := render()
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", p.policy)
		w.Header().Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(p.html)
	})
}

// policy lets a page have its own style sheet, known by its hash, and nothing else: no script, image, frame or form.
func policy(page string) string {
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// What the page shows.
type (
	docsData struct {
		Version  string
		Scopes   []string
		Sections []section
		Objects  []shown
		Statuses []answered
	}
	section struct {
		Name      string
		Endpoints []endpoint
	}
	endpoint struct {
		ID, Method, Path, Summary, Text, Scope string
		Open                                   bool
		Parameters, Body                       []field
		Request, Answer                        string
		Status                                 int
		Object                                 string // the object that the answer holds, or lists
		Fails                                  []int
	}
	shown struct {
		Name   string
		Fields []field
	}
	answered struct {
		Status int
		Name   string
		Codes  []fault.Info
	}
)

func (r *reference) data() docsData {
	d := docsData{Version: r.doc.Info.Version, Scopes: Scopes}
	for _, o := range r.operations {
		at := slices.IndexFunc(d.Sections, func(s section) bool { return s.Name == o.Tag })
		if at < 0 {
			at = len(d.Sections)
			d.Sections = append(d.Sections, section{Name: o.Tag})
		}
		e := r.endpoint(o)
		d.Sections[at].Endpoints = append(d.Sections[at].Endpoints, e)
		if e.Object != "" && !slices.ContainsFunc(d.Objects, func(s shown) bool { return s.Name == e.Object }) {
			d.Objects = append(d.Objects, shown{e.Object, r.fieldsOf(&huma.Schema{Ref: refPrefix + e.Object})})
		}
	}
	for _, c := range fault.Codes {
		number := status(c.Code, c.Kind)
		at := slices.IndexFunc(d.Statuses, func(a answered) bool { return a.Status == number })
		if at < 0 {
			at = len(d.Statuses)
			d.Statuses = append(d.Statuses, answered{Status: number, Name: http.StatusText(number)})
		}
		d.Statuses[at].Codes = append(d.Statuses[at].Codes, c)
	}
	slices.SortFunc(d.Statuses, func(a, b answered) int { return a.Status - b.Status })
	return d
}

func (r *reference) endpoint(o Operation) endpoint {
	op := r.operation(o)
	e := endpoint{ID: op.OperationID, Method: o.Method, Path: o.Path, Summary: o.Summary, Text: o.Text, Scope: o.Scope, Open: o.Open, Status: op.DefaultStatus}
	for _, p := range op.Parameters {
		f := r.field(p.Name, p.Schema, p.Required)
		f.In = p.In
		e.Parameters = append(e.Parameters, f)
	}
	if op.RequestBody != nil {
		if media := op.RequestBody.Content[contentType]; media != nil {
			e.Body = r.fieldsOf(media.Schema)
		}
	}
	e.Request = r.curl(o, op)
	if media := op.Responses[strconv.Itoa(op.DefaultStatus)].Content[contentType]; media != nil {
		e.Answer = r.example(media.Schema, "")
		envelope, _ := r.resolve(media.Schema)
		if data := envelope.Properties["data"]; data != nil {
			if data.Items != nil {
				data = data.Items
			}
			e.Object = strings.TrimPrefix(data.Ref, refPrefix)
		}
	}
	for name := range op.Responses {
		if s, _ := strconv.Atoi(name); s >= 400 {
			e.Fails = append(e.Fails, s)
		}
	}
	slices.Sort(e.Fails)
	return e
}

// operation finds what huma made of an endpoint.
func (r *reference) operation(o Operation) *huma.Operation {
	p := r.doc.Paths[o.Path]
	return map[string]*huma.Operation{
		http.MethodGet: p.Get, http.MethodPost: p.Post, http.MethodPut: p.Put, http.MethodPatch: p.Patch, http.MethodDelete: p.Delete,
	}[o.Method]
}

var inBackticks = regexp.MustCompile("`([^`]+)`")

// prose is text as paragraphs, with what stands in backticks as code.
func prose(text string) template.HTML {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if paragraph != "" {
			b.WriteString("<p>" + inBackticks.ReplaceAllString(template.HTMLEscapeString(paragraph), "<code>$1</code>") + "</p>")
		}
	}
	return template.HTML(b.String())
}
