// Package internal_test keeps the plan of the house (ARCHITECTURE.md): who may import whom, and what nothing may be called.
package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/till-pay/till/"

// floors, from the top: a room may import the rooms of lower lines. Rooms on one line do not know each other.
var floors = []string{"proof/prove proof/million", "tilltest proof proof/search", "cmd/till", "cli", "scenario", "app", "dashboard", "diagnose", "inbox outbox reconcile analytics", "billing payout",
	"refund dispute transfer message", "payment", "card radar seller localprice", "merchant customer", "once ledger", "event task", "api stripe", "db", "money", "id clock fault crash"}

// beside are the rooms on no floor: all that each may import, and all that may import it. "tests" are the tests of any floor.
var beside = map[string]struct{ imports, importers string }{
	"sandbox":             {"clock id money sandbox/radar sandbox/spec sandbox/transcript", "bench cli scenario tilltest proof proof/search tests"},
	"sandbox/radar":       {"", "sandbox tests"},
	"sandbox/spec":        {"money", "sandbox sandbox/spec/gen sandbox/judge"},
	"sandbox/spec/gen":    {"sandbox/spec", ""},
	"sandbox/judge":       {"sandbox sandbox/spec sandbox/transcript clock id money", "tests"},
	"sandbox/transcript":  {"", "sandbox sandbox/judge tests"},
	"db/dbtest":           {"db id", "tilltest tests db/dbtest/throwaway"},
	"db/dbtest/cluster":   {"", "db/dbtest/throwaway proof proof/million"},
	"db/dbtest/throwaway": {"db/dbtest db/dbtest/cluster", ""},
	"bench":               {"sandbox", ""},
	"client":              {"tilltest", "webhook scenario diagnose cli tests"},
	"webhook":             {"client tilltest", "scenario tests"},
}

const forbidden = "util utils common helper helpers model models type types misc shared base core lib manager impl"

// has says whether a list of words holds one of them.
func has(list string, words ...string) bool {
	return slices.ContainsFunc(strings.Fields(list), func(s string) bool { return slices.Contains(words, s) })
}

func floor(room string) int {
	return slices.IndexFunc(floors, func(line string) bool { return has(line, room) })
}

// may says whether a file of one room may import another room. A test may import its own room too.
func may(room, other string, test bool) bool {
	from, apart := beside[room]
	to, guarded := beside[other]
	switch {
	case apart && room != other:
		return has(from.imports, other) && (test || other != "tilltest")
	case room == other, other == "tilltest":
		return test
	case guarded:
		return has(to.importers, room) || test && has(to.importers, "tests")
	}
	return floor(other) > floor(room)
}

// faults is what is wrong with a folder or file: its path in the module, and the imports of a Go file.
func faults(file string, imports []string) (wrong []string) {
	if name, _, _ := strings.Cut(filepath.Base(file), "."); has(forbidden, strings.Split(name, "_")...) {
		wrong = append(wrong, file+": the name says nothing of what it holds")
	}
	room := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "internal/")
	if _, apart := beside[room]; !strings.HasSuffix(file, ".go") || room == "internal" {
		return wrong
	} else if !apart && floor(room) < 0 {
		return append(wrong, file+": the room is not on the plan")
	}
	for _, i := range imports {
		if other, ours := strings.CutPrefix(i, module); ours && !may(room, strings.TrimPrefix(other, "internal/"), strings.HasSuffix(file, "_test.go")) {
			wrong = append(wrong, file+": "+room+" may not import "+other)
		}
	}
	return wrong
}

func TestTheHouseStandsAsPlanned(t *testing.T) {
	t.Parallel()
	if err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == ".." {
			return err
		} else if d.IsDir() && (strings.HasPrefix(d.Name(), ".") || has("bin tmp testdata node_modules", d.Name())) {
			return fs.SkipDir
		}
		source := &ast.File{}
		if strings.HasSuffix(name, ".go") {
			source, err = parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		}
		var imports []string
		for _, i := range source.Imports {
			imports = append(imports, strings.Trim(i.Path.Value, `"`))
		}
		for _, wrong := range faults(strings.TrimPrefix(filepath.ToSlash(name), "../"), imports) {
			t.Error(wrong)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
