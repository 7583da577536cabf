package fault_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/till-pay/till/internal/fault"
)

// declared reads the names and values of the constants of type Code from the source, since no program can list its constants.
func declared(t *testing.T) map[fault.Code]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[fault.Code]string{}
	for _, d := range file.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		for _, s := range block.Specs {
			spec := s.(*ast.ValueSpec)
			if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != "Code" || len(spec.Values) != 1 {
				t.Fatalf("%s is not declared as one Code with its text", spec.Names[0])
			}
			text, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				t.Fatalf("%s is not a plain text", spec.Names[0])
			}
			value, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			if other, twice := names[fault.Code(value)]; twice {
				t.Errorf("%s and %s are both %q", other, spec.Names[0], value)
			}
			names[fault.Code(value)] = spec.Names[0].Name
		}
	}
	return names
}

func TestEveryCodeIsListedOnce(t *testing.T) {
	t.Parallel()
	missing := declared(t)
	if len(missing) == 0 {
		t.Fatal("no constants found")
	}
	for _, info := range fault.Codes {
		if _, ok := missing[info.Code]; !ok {
			t.Errorf("%s is listed twice, or is no constant", info.Code)
		}
		delete(missing, info.Code)
	}
	for code, name := range missing {
		t.Errorf("%s (%s) is not listed", name, code)
	}
}

func TestListIsFitToPublish(t *testing.T) {
	t.Parallel()
	snake := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	sentences := map[string]fault.Code{}
	for _, info := range fault.Codes {
		if !snake.MatchString(string(info.Code)) {
			t.Errorf("%s is not in snake case", info.Code)
		}
		s := info.Sentence
		if !strings.HasSuffix(s, ".") || strings.HasSuffix(s, "..") || strings.TrimSpace(s) != s || s == "." || !unicode.IsUpper([]rune(s)[0]) {
			t.Errorf("%s: %q is no sentence", info.Code, s)
		}
		if other, twice := sentences[s]; twice {
			t.Errorf("%s and %s say the same", other, info.Code)
		}
		sentences[s] = info.Code
		if internal := info.Code == fault.InternalError; (info.Kind == fault.Internal) != internal || info.Kind < fault.Internal || info.Kind > fault.TooLarge {
			t.Errorf("%s has kind %d", info.Code, info.Kind)
		}
		if got := info.Code.Kind(); got != info.Kind {
			t.Errorf("%s: Kind() is %d, the list says %d", info.Code, got, info.Kind)
		}
	}
}

func TestUnlistedCodeIsInternal(t *testing.T) {
	t.Parallel()
	if got := fault.Code("never_heard_of").Kind(); got != fault.Internal {
		t.Errorf("kind %d", got)
	}
}

func TestFaultInAChain(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection reset")
	made := fault.New(fault.ProviderUnavailable, "", "Stripe did not answer within %d s.", 30).Because(cause)
	err := fmt.Errorf("payment: %w", made)

	found, ok := fault.As(err)
	if !ok || found != made || found.Kind != fault.Unavailable {
		t.Errorf("As(%v) = %v, %v", err, found, ok)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	if !fault.Is(err, fault.ProviderUnavailable) || fault.Is(err, fault.ProviderRefused) {
		t.Error("Is does not tell codes apart")
	}
	for _, other := range []error{nil, cause} {
		if _, ok := fault.As(other); ok || fault.Is(other, fault.ProviderUnavailable) {
			t.Errorf("a fault was found in %v", other)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  *fault.Error
		want string
	}{
		{fault.New(fault.CardDeclined, "", "Declined."), "card_declined: Declined."},
		{fault.New(fault.ParameterMissing, "amount", "It is absent."), "parameter_missing: It is absent. (amount)"},
		{fault.New(fault.BodyInvalid, "", "No JSON.").Because(errors.New("EOF")), "body_invalid: No JSON.: EOF"},
		{fault.New(fault.ParameterInvalid, "note", "100%% of %q.", "50%"), `parameter_invalid: 100% of "50%". (note)`},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
