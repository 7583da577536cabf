package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The two books never feed each other: what is expected is not copied from what is observed. That holds by what the code of the rooms reads.
//
//   - room ledger knows nothing of Stripe;
//   - in a room that foretells, no function that names a posting rule of the ledger's reads a balance transaction, itself or by what it calls there:
//     not Stripe's object, not the table of those that were read, and, of a payment, not the fee that was learnt from one;
//   - room reconcile posts to the observed book alone, and no other room posts to that one;
//   - nobody but the ledger writes its tables.
var (
	foretelling = []string{"payment", "refund", "dispute", "payout"}
	rules       = []string{"Charge", "ChargeFee", "Refund", "RefundFailed", "Dispute", "DisputeReversed", "Payout", "PayoutReversed"}
)

// learnt is where a room keeps what a balance transaction said, for people: payment.learnFee fills it.
var learnt = map[string][]string{"payment": {"Fee", "Net"}}

// room is what is read of a room: its functions by name (methods of several types share one), and what its package-level values hold.
type room struct {
	name      string
	functions map[string][]*ast.FuncDecl
	values    map[string]ast.Node
}

func readRoom(name string, files ...*ast.File) room {
	r := room{name, map[string][]*ast.FuncDecl{}, map[string]ast.Node{}}
	for _, f := range files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				r.functions[d.Name.Name] = append(r.functions[d.Name.Name], d)
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if v, ok := s.(*ast.ValueSpec); ok {
						for _, n := range v.Names {
							r.values[n.Name] = v
						}
					}
				}
			}
		}
	}
	return r
}

// ofLedger is the name in ledger.NAME, or "".
func ofLedger(n ast.Node) string {
	if s, ok := n.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok && x.Name == "ledger" {
			return s.Sel.Name
		}
	}
	return ""
}

// holds says whether any node below one is such.
func holds(in ast.Node, such func(ast.Node) bool) (found bool) {
	ast.Inspect(in, func(n ast.Node) bool {
		found = found || n != nil && such(n)
		return !found
	})
	return found
}

// builds says whether a function names a posting rule or makes a transaction.
func builds(f *ast.FuncDecl) bool {
	return f.Body != nil && holds(f.Body, func(n ast.Node) bool {
		made, literal := n.(*ast.CompositeLit)
		return slices.Contains(rules, ofLedger(n)) || literal && ofLedger(made.Type) == "Transaction"
	})
}

// readsObserved says what of a balance transaction is read at a node, or "".
func (r room) readsObserved(n ast.Node) string {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		if strings.Contains(n.Sel.Name, "BalanceTransaction") || slices.Contains(learnt[r.name], n.Sel.Name) {
			return n.Sel.Name
		}
	case *ast.BasicLit:
		if n.Kind == token.STRING && strings.Contains(n.Value, "balance_transactions") {
			return "balance_transactions"
		}
	}
	return ""
}

// reads is what of a balance transaction a function reads, itself or by what it names of its room: "learnFee: BalanceTransaction", or "".
func (r room) reads(name string, in ast.Node, seen map[ast.Node]bool) (found string) {
	if seen[in] {
		return ""
	}
	seen[in] = true
	ast.Inspect(in, func(n ast.Node) bool {
		if n == nil || found != "" {
			return false
		}
		if what := r.readsObserved(n); what != "" {
			found = name + ": " + what
			return false
		}
		if id, ok := n.(*ast.Ident); ok {
			for _, f := range r.functions[id.Name] {
				if found == "" {
					found = r.reads(id.Name, f, seen)
				}
			}
			if v := r.values[id.Name]; v != nil && found == "" {
				found = r.reads(id.Name, v, seen)
			}
		}
		return found == ""
	})
	return found
}

// mixes is what is wrong in a room.
func (r room) mixes() (wrong []string) {
	for name, all := range r.functions {
		for _, f := range all {
			for _, w := range r.faults(f) {
				wrong = append(wrong, r.name+"."+name+" "+w)
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

func (r room) faults(f *ast.FuncDecl) (wrong []string) {
	names := func(book string) bool { return holds(f, func(n ast.Node) bool { return ofLedger(n) == book }) }
	writes := holds(f, func(n ast.Node) bool {
		l, ok := n.(*ast.BasicLit)
		text := ""
		if ok && l.Kind == token.STRING {
			text, _ = strconv.Unquote(l.Value)
			text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
		}
		return slices.ContainsFunc([]string{"into ledger_", "into movements", "update ledger_"}, func(s string) bool { return strings.Contains(text, s) })
	})
	if writes && r.name != "ledger" {
		wrong = append(wrong, "writes the ledger's tables past it")
	}
	switch {
	case slices.Contains(foretelling, r.name):
		if what := r.reads(f.Name.Name, f, map[ast.Node]bool{}); what != "" && builds(f) {
			wrong = append(wrong, "foretells, and reads what was observed ("+what+")")
		}
		if names("Observed") {
			wrong = append(wrong, "names the observed book")
		}
	case r.name == "reconcile":
		if holds(f, func(n ast.Node) bool { return slices.Contains(rules, ofLedger(n)) }) {
			wrong = append(wrong, "names a rule of the expected book")
		}
		posts := holds(f, func(n ast.Node) bool { return ofLedger(n) == "Post" }) || builds(f)
		if posts && names("Expected") || holds(f, r.unobserved) {
			wrong = append(wrong, "posts to another book than the observed one")
		}
	}
	return wrong
}

// unobserved says whether a node makes a transaction of another book than the observed one, or turns one into such.
func (r room) unobserved(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CompositeLit:
		return ofLedger(n.Type) == "Transaction" && len(n.Elts) > 0 && !holds(n, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return false
			}
			key, ok := kv.Key.(*ast.Ident)
			return ok && key.Name == "Book" && ofLedger(kv.Value) == "Observed"
		})
	case *ast.AssignStmt:
		return slices.ContainsFunc(n.Lhs, func(e ast.Expr) bool {
			s, ok := e.(*ast.SelectorExpr)
			return ok && s.Sel.Name == "Book"
		})
	}
	return false
}

// knowsStripe says whether a file imports Stripe's client, or anybody else's.
func knowsStripe(f *ast.File) bool {
	return slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return strings.Contains(strings.ToLower(i.Path.Value), "stripe") })
}

// TestTheBooksDoNotFeedEachOther reads every room.
func TestTheBooksDoNotFeedEachOther(t *testing.T) {
	t.Parallel()
	files := map[string][]*ast.File{}
	if err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		files[filepath.ToSlash(filepath.Dir(name))] = append(files[filepath.ToSlash(filepath.Dir(name))], f)
		if filepath.Dir(name) == "ledger" && err == nil && knowsStripe(f) {
			t.Error(name + " imports Stripe's client: what is expected is told to the ledger")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	built := 0
	for name, all := range files {
		r := readRoom(name, all...)
		for _, wrong := range r.mixes() {
			t.Error(wrong)
		}
		for _, f := range r.functions {
			if slices.Contains(foretelling, name) && slices.ContainsFunc(f, builds) {
				built++
			}
		}
	}
	if built < 2 { // payment and refund post at least: or the test looks past them
		t.Errorf("only %d functions foretell", built)
	}
	if r := readRoom("payment", files["payment"]...); len(r.functions["learnFee"]) != 1 || r.reads("learnFee", r.functions["learnFee"][0], map[ast.Node]bool{}) == "" {
		t.Error("payment.learnFee reads no balance transaction: this test looks for another reader")
	}
}
