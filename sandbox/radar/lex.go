package radar

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error says what is wrong with a rule, and where.
type Error struct {
	Column  int // of the character at which it goes wrong; the first is 1
	Message string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("at character %d: %s", e.Column, e.Message) }

// sort is what a token is.
type sort int

const (
	end       sort = iota
	word           // Block, if, AND, IN, is_missing; 3D too
	number         // 12.50
	text           // 'highest'
	attribute      // :risk_level:
	metadata       // ::order::
	alias          // @card_bin_blocklist
	symbol         // ( ) , = != < > <= >= && || !
)

// token is a piece of a rule.
type token struct {
	sort
	text string // without what surrounds it
	at   int    // where it begins, in bytes
}

// described is how a message calls the token.
func (t token) described() string {
	switch t.sort {
	case end:
		return "the end of the rule"
	case text:
		return printed(t.text)
	case attribute:
		return ":" + t.text + ":"
	case metadata:
		return "::" + t.text + "::"
	case alias:
		return "@" + t.text
	}
	return t.text
}

// lexer takes tokens off the beginning of what is left of a rule.
type lexer struct {
	rule string
	at   int
}

// wrong is an error at a place in the rule.
func (l *lexer) wrong(at int, format string, values ...any) *Error {
	return &Error{Column: utf8.RuneCountInString(l.rule[:min(at, len(l.rule))]) + 1, Message: fmt.Sprintf(format, values...)}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isName(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c)
}

// run is how many bytes at the beginning of a text are of a sort.
func run(s string, is func(byte) bool) int {
	n := 0
	for n < len(s) && is(s[n]) {
		n++
	}
	return n
}

// next takes the next token.
func (l *lexer) next() (token, *Error) {
	l.at += run(l.rule[l.at:], isSpace)
	rest := l.rule[l.at:]
	switch {
	case rest == "":
		return token{end, "", l.at}, nil
	case strings.HasPrefix(rest, "::"):
		return l.enclosed(metadata, "::", "::")
	case rest[0] == ':':
		return l.attribute()
	case rest[0] == '\'', rest[0] == '"':
		return l.quoted(rest[0])
	case rest[0] == '@':
		n := run(rest[1:], func(c byte) bool { return isName(c) || c == '-' })
		if n == 0 {
			return token{}, l.wrong(l.at+1, "after @ comes the alias of a list")
		}
		return l.take(alias, 1, n), nil
	case isDigit(rest[0]), rest[0] == '-' && len(rest) > 1 && isDigit(rest[1]):
		return l.number(rest)
	case isName(rest[0]):
		return l.take(word, 0, run(rest, isName)), nil
	}
	for _, one := range []string{"!=", "<=", ">=", "&&", "||", "(", ")", ",", "=", "<", ">", "!"} {
		if strings.HasPrefix(rest, one) {
			return l.take(symbol, 0, len(one)), nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return token{}, l.wrong(l.at, "%q has no meaning in a rule", r)
}

// take is the token of n bytes, which begin a few bytes on.
func (l *lexer) take(of sort, skip, n int) token {
	t := token{of, l.rule[l.at+skip : l.at+skip+n], l.at}
	l.at += skip + n
	return t
}

// enclosed is the token between two marks.
func (l *lexer) enclosed(of sort, open, shut string) (token, *Error) {
	inner, _, closed := strings.Cut(l.rule[l.at+len(open):], shut)
	switch {
	case !closed:
		return token{}, l.wrong(l.at, "this begins with %s and does not end with %s", open, shut)
	case strings.TrimSpace(inner) == "":
		return token{}, l.wrong(l.at, "between %s and %s there is a name", open, shut)
	}
	t := l.take(of, len(open), len(inner))
	l.at += len(shut)
	return t, nil
}

func (l *lexer) attribute() (token, *Error) {
	at, n := l.at, run(l.rule[l.at+1:], isName)
	if after := l.rule[at+1+n:]; n == 0 || !strings.HasPrefix(after, ":") {
		return token{}, l.wrong(at, "an attribute is written as :risk_score:, with a colon before and after it")
	}
	t := l.take(attribute, 1, n)
	l.at++
	t.text = strings.ToLower(t.text)
	return t, nil
}

// quoted is a text between quotes of one sort; a backslash takes the meaning off the character that follows.
func (l *lexer) quoted(quote byte) (token, *Error) {
	var b strings.Builder
	for i := l.at + 1; i < len(l.rule); i++ {
		switch c := l.rule[i]; {
		case c == '\\' && i+1 < len(l.rule):
			i++
			b.WriteByte(l.rule[i])
		case c == quote:
			t := token{text, b.String(), l.at}
			l.at = i + 1
			return t, nil
		default:
			b.WriteByte(c)
		}
	}
	return token{}, l.wrong(l.at, "this text has no closing %c", quote)
}

// number is a whole or decimal number. 3D, as in 3D Secure, is a word.
func (l *lexer) number(rest string) (token, *Error) {
	n := 0
	if rest[0] == '-' {
		n = 1
	}
	n += run(rest[n:], isDigit)
	if n < len(rest)-1 && rest[n] == '.' && isDigit(rest[n+1]) {
		n += 1 + run(rest[n+1:], isDigit)
	}
	if n < len(rest) && isName(rest[n]) {
		if rest[0] == '-' || strings.Contains(rest[:n], ".") {
			return token{}, l.wrong(l.at, "a number is digits, and at most one point among them")
		}
		return l.take(word, 0, run(rest, isName)), nil
	}
	t := l.take(number, 0, n)
	if _, ok := parseNumber(t.text); !ok {
		return token{}, l.wrong(t.at, "a number has at most 12 digits before the point and 6 after it")
	}
	return t, nil
}
