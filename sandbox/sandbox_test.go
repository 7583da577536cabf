package sandbox_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/till-pay/till/sandbox"
)

// TestWorldClock steers the clock of a world in all ways.
func TestWorldClock(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)
	w := sandbox.New(t, sandbox.WithStart(start), sandbox.WithRate(0))
	hold := func(what string, is, want time.Time) {
		t.Helper()
		if !is.Equal(want) {
			t.Errorf("%s: the clock shows %s, not %s", what, is, want)
		}
	}
	hold("at first", w.Now(), start)
	hold("a minute on", w.Advance(time.Minute), start.Add(time.Minute))
	hold("half a second on", w.Advance(time.Second/2), start.Add(time.Minute+time.Second/2))
	hold("to a time", w.AdvanceTo(start.Add(time.Hour)), start.Add(time.Hour))
	hold("set back, while nothing has happened", w.FreezeAt(start), start)
	if begun := w.Run(86_400); begun.Before(start) {
		t.Errorf("the clock runs from %s", begun)
	}
	w.Run(1)
	if held := w.Freeze(); !w.Now().Equal(held) {
		t.Errorf("the clock is frozen at %s and goes on", held)
	}
}

// TestWorldFaults: a reply is held and released, a fault is forgotten, and the log tells.
func TestWorldFaults(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t)
	w.Fault(sandbox.Fault{Kind: sandbox.Error429, Method: "POST"})
	w.ClearFaults()
	if status := w.Call("POST", "/v1/customers", nil, nil); status != http.StatusOK {
		t.Errorf("a fault that was forgotten answers %d", status)
	}
	w.Fault(sandbox.Fault{Kind: sandbox.Hold, Path: "/v1/customers"})
	held := make(chan int)
	go func() { held <- w.Call("GET", "/v1/customers", nil, nil) }()
	// The log shows the request once its reply is held or about to be.
	for released := 0; released == 0; {
		released = w.Release()
	}
	if status := <-held; status != http.StatusOK {
		t.Errorf("the reply that was held is %d", status)
	}
	log := w.Requests()
	if len(log) != 2 || log[0].Method != "POST" || log[1].Path != "/v1/customers" || log[1].Status != http.StatusOK || log[0].ID == "" || log[0].At.IsZero() {
		t.Errorf("the log is %+v", log)
	}
}

// TestWorldEvents: events are waited for, listed beyond a page in order, and read.
func TestWorldEvents(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t)
	const many = 130
	go func() {
		for i := range many {
			w.Call("POST", "/v1/customers", url.Values{"name": {strconv.Itoa(i)}}, nil)
		}
	}()
	last := w.Event("customer.created", many, 30*time.Second)
	all := w.Events("customer.created")
	if len(all) != many || all[many-1].ID != last.ID || len(w.Events("")) != many {
		t.Fatalf("there are %d events, the last is %s", len(all), last.ID)
	}
	for i, e := range all {
		var customer struct{ Name string }
		if err := json.Unmarshal(e.Object, &customer); err != nil || customer.Name != strconv.Itoa(i) || e.Previous != nil || !strings.HasPrefix(e.Request, "req_") {
			t.Fatalf("event %d is %s: %v", i, e.JSON, err)
		}
	}
	var customer struct{ ID string }
	w.Call("POST", "/v1/customers", nil, &customer)
	w.Call("POST", "/v1/customers/"+customer.ID, url.Values{"name": {"Ada"}}, nil)
	if e := w.Event("customer.updated", 1, 0); string(e.Previous) != `{"name":null}` || e.Created.IsZero() {
		t.Errorf("the update is %s", e.JSON)
	}
}

// TestWorldSaysWhatIsWrong: what cannot be ends the test with a sentence.
func TestWorldSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	live := "sk_" + "live_x"
	for name, c := range map[string]struct {
		do   func(*sandbox.World, sandbox.TB)
		says []string
	}{
		"an event that does not come": {func(w *sandbox.World, _ sandbox.TB) { w.Event("charge.failed", 1, 0) }, []string{"no event charge.failed (number 1)", "customer.created ×2, customer.deleted ×1"}},
		"an event of no number":       {func(w *sandbox.World, _ sandbox.TB) { w.Event("charge.failed", 0, 0) }, []string{"counted from 1"}},
		"a fault of no kind":          {func(w *sandbox.World, _ sandbox.TB) { w.Fault(sandbox.Fault{Kind: "rain"}) }, []string{"400", "kind is one of"}},
		"a clock that goes back":      {func(w *sandbox.World, _ sandbox.TB) { w.Advance(-time.Second) }, []string{"goes forward"}},
		"a webhook to nowhere":        {func(w *sandbox.World, _ sandbox.TB) { w.Subscribe("nowhere") }, []string{"no webhook endpoint for nowhere", "Invalid URL"}},
		"a live key":                  {func(w *sandbox.World, t sandbox.TB) { sandbox.Open(t, w.URL, live) }, []string{"secret key of the test mode"}},
		"nobody there":                {func(_ *sandbox.World, t sandbox.TB) { sandbox.Open(t, "http://127.0.0.1:1", newTestKey()).Now() }, []string{"refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sandbox.New(t)
			var customer struct{ ID string }
			w.Call("POST", "/v1/customers", nil, nil)
			w.Call("POST", "/v1/customers", nil, &customer)
			w.Call("DELETE", "/v1/customers/"+customer.ID, nil, nil)
			said := &failing{TB: t}
			func() {
				defer func() {
					if recover() == nil {
						t.Error("nothing is wrong")
					}
				}()
				c.do(sandbox.Open(said, w.URL, w.Key), said)
			}()
			for _, want := range c.says {
				if !strings.Contains(said.text, want) {
					t.Errorf("it says %q, which lacks %q", said.text, want)
				}
			}
			if strings.Contains(said.text, w.Key) || strings.Contains(said.text, live) {
				t.Errorf("it tells a key: %q", said.text)
			}
		})
	}
}

func newTestKey() string { return "sk_" + "test_nobody" }

// failing keeps what a test is failed with.
type failing struct {
	sandbox.TB
	text string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	panic(f.text)
}

// TestWorldDelivers: webhooks of the types asked for come signed to a handler.
func TestWorldDelivers(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t)
	got := make(chan string, 10)
	endpoint := w.Deliver(func(secret string) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			event, err := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), secret)
			if err != nil {
				t.Errorf("a webhook: %v", err)
			}
			got <- string(event.Type)
		})
	}, "customer.deleted")
	if !strings.HasPrefix(endpoint.ID, "we_") || !strings.HasPrefix(endpoint.Secret, "whsec_") || endpoint.URL == "" {
		t.Errorf("the endpoint is %+v", endpoint)
	}
	var customer struct{ ID string }
	w.Call("POST", "/v1/customers", nil, &customer)
	w.Call("DELETE", "/v1/customers/"+customer.ID, nil, nil)
	if kind := <-got; kind != "customer.deleted" {
		t.Errorf("delivered is %s", kind)
	}
}

// TestWorldsApart: what is put aside comes back, and what is reset is gone.
func TestWorldsApart(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t)
	w.Call("POST", "/v1/customers", nil, nil)
	w.Snapshot("one")
	var second struct{ ID string }
	w.Call("POST", "/v1/customers", nil, &second)
	d := w.DiffSnapshot("one")
	if len(d.Removed) != 2 || d.Removed[0] != second.ID || len(d.Added)+len(d.Changed) != 0 || d.Truncated {
		t.Errorf("before, there was %+v", d)
	}
	fork := w.Fork()
	w.Restore("one")
	if n, kept := len(w.Events("")), len(fork.Events("")); n != 1 || kept != 2 {
		t.Errorf("%d events were restored, and the fork has %d", n, kept)
	}
	w.Reset()
	if n := len(w.Events("")); n != 0 {
		t.Errorf("a world that was reset has %d events", n)
	}
}

// TestControlIndex: the index needs no key, and has a line for each control that there is.
func TestControlIndex(t *testing.T) {
	t.Parallel()
	w := sandbox.New(t)
	answer, err := http.Get(w.URL + "/_sandbox/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var index struct {
		Controls []struct{ Method, Path, Does string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&index); err != nil || len(index.Controls) < 20 {
		t.Fatalf("%d controls: %v", len(index.Controls), err)
	}
	for _, c := range index.Controls {
		if c.Does == "" || !strings.HasPrefix(c.Path, "/_sandbox/") || c.Method == "" {
			t.Errorf("%s %s says %q; controlHelp has its line", c.Method, c.Path, c.Does)
		}
	}
}

// TestSeedNamesTheKey: one seed, one key; without one, every world has a key of its own.
func TestSeedNamesTheKey(t *testing.T) {
	t.Parallel()
	a, b := sandbox.New(t, sandbox.WithSeed(7)), sandbox.New(t, sandbox.WithSeed(7))
	if c := sandbox.New(t); a.Key != b.Key || c.Key == a.Key || a.URL == b.URL || "sk"+strings.TrimPrefix(a.PublishableKey, "pk") != a.Key {
		t.Error("keys are not as seeds say")
	}
}

// TestAPIIsItsOwn holds the exported API against this: no type of till's other packages is in it, and none that others cannot name.
func TestAPIIsItsOwn(t *testing.T) {
	t.Parallel()
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	exported := 0
	for _, entry := range names {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ours := map[string]bool{}
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			local := path[strings.LastIndex(path, "/")+1:]
			if spec.Name != nil {
				local = spec.Name.Name
			}
			ours[local] = strings.HasPrefix(path, "github.com/till-pay/till/")
			if path == "testing" || local == "." {
				t.Errorf("%s imports %s as %s", name, path, local)
			}
		}
		for _, decl := range file.Decls {
			for _, shown := range surface(decl) {
				exported++
				for _, alien := range aliens(shown, ours) {
					t.Errorf("%s: %s is in the API", name, alien)
				}
			}
		}
	}
	if exported < 50 {
		t.Errorf("only %d parts of an API were seen", exported)
	}
}

// aliens are the names in a type that others cannot or should not use: those of till's other packages, and those that are not exported.
func aliens(shown ast.Expr, ours map[string]bool) (all []string) {
	ast.Inspect(shown, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field: // its name is of no matter
			all = append(all, aliens(n.Type, ours)...)
			return false
		case *ast.SelectorExpr:
			if from, ok := n.X.(*ast.Ident); ok && ours[from.Name] {
				all = append(all, from.Name+"."+n.Sel.Name)
			}
			return false
		case *ast.Ident:
			if !n.IsExported() && !predeclared[n.Name] {
				all = append(all, n.Name)
			}
		}
		return true
	})
	return all
}

var predeclared = map[string]bool{
	"any": true, "bool": true, "byte": true, "error": true, "float64": true, "int": true, "int64": true, "string": true, "uint": true, "uint64": true,
}

// surface is the types that a declaration shows to others: of parameters, results, fields, methods and underlying types.
func surface(decl ast.Decl) (all []ast.Expr) {
	fields := func(list *ast.FieldList, always bool) {
		if list == nil {
			return
		}
		for _, f := range list.List {
			if always || len(f.Names) == 0 || f.Names[0].IsExported() {
				all = append(all, f.Type)
			}
		}
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() || d.Recv != nil && !owner(d).IsExported() {
			return nil
		}
		fields(d.Type.Params, true)
		fields(d.Type.Results, true)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if !s.Name.IsExported() {
					continue
				}
				switch is := s.Type.(type) {
				case *ast.StructType:
					fields(is.Fields, false)
				case *ast.FuncType:
					fields(is.Params, true)
					fields(is.Results, true)
				case *ast.InterfaceType:
					for _, m := range is.Methods.List {
						if of, ok := m.Type.(*ast.FuncType); ok {
							fields(of.Params, true)
							fields(of.Results, true)
						}
					}
				default:
					all = append(all, s.Type)
				}
			case *ast.ValueSpec:
				if s.Names[0].IsExported() && s.Type != nil {
					all = append(all, s.Type)
				}
			}
		}
	}
	return all
}

// owner is the type that a method belongs to.
func owner(d *ast.FuncDecl) *ast.Ident {
	of := d.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	return of.(*ast.Ident)
}

// seedLog is a test that remembers what it logs.
type seedLog struct {
	*testing.T
	lines []string
}

func (l *seedLog) Logf(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

// TestSeedInTheLog: the seed that a test's log tells brings the same world again, whether it was drawn or given.
func TestSeedInTheLog(t *testing.T) {
	t.Parallel()
	given := &seedLog{T: t}
	if sandbox.New(given, sandbox.WithSeed(7)); len(given.lines) != 1 || !strings.HasSuffix(given.lines[0], ", seed 7") {
		t.Errorf("a seed of its own: %q", given.lines)
	}
	drawn := &seedLog{T: t}
	box := sandbox.New(drawn)
	_, number, _ := strings.Cut(strings.Join(drawn.lines, ""), ", seed ")
	seed, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		t.Fatalf("no seed in %q", drawn.lines)
	}
	if again := sandbox.New(t, sandbox.WithSeed(seed)); again.Key != box.Key {
		t.Errorf("seed %d opens %s, not %s", seed, again.Key, box.Key)
	}
}
