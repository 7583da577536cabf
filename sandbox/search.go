package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

// Bounds of a search.
const (
	maxClauses = 10
	maxQuery   = 2000
	maxTotal   = 10_000 // up to which total_count is exact
)

// search answers GET <path>/search. It finds everything at once, where Stripe's index lags by up to a minute.
func (r *resource) search(c *call) (appender, error) {
	q, err := r.parseQuery(c.params.String("query"))
	if err != nil {
		return nil, err
	}
	all := q.candidates(r, c.shelf(r.Object))
	from := len(all)
	if c.params.Has("page") {
		order, err := strconv.ParseInt(c.params.String("page"), 36, 64)
		if err != nil || order < 0 {
			return nil, invalid("", "page", "Invalid page token: %s", c.params.String("page"))
		}
		from = place(all, order)
	}
	p := &page{object: "search_result", url: r.Path + "/search", total: -1}
	var last *record
	i := from - 1
	for limit := c.limit(); i >= 0; i-- {
		if all[i].gone || !q.matches(r, all[i]) {
			continue
		}
		if len(p.data) == limit {
			p.more, p.next = true, strconv.FormatInt(last.order, 36)
			break
		}
		last = all[i]
		p.data = append(p.data, c.element(last))
	}
	if c.expand.wants("total_count") {
		p.total = 0
		for _, one := range all {
			if p.total == maxTotal {
				break
			}
			if !one.gone && q.matches(r, one) {
				p.total++
			}
		}
	}
	return p, nil
}

// query is clauses that all hold, or of which any holds.
type query struct {
	clauses []clause
	any     bool
}

// clause is one comparison: -amount>=1000, email~"example", metadata["order"]:"7", customer:null.
type clause struct {
	negated bool
	field   string // metadata["order"] is the field "metadata" with the key "order"
	key     string
	op      string // : ~ > < >= <=
	text    string
	null    bool
}

const cannotParse = "We were unable to parse your search query. Try using the format `metadata[\"key\"]:\"value\"` to query for metadata or key:\"value\" to query for other fields."

// parseQuery reads Stripe's query language: clauses joined by AND or by OR, without parentheses.
func (r *resource) parseQuery(text string) (query, error) {
	var q query
	rest := strings.TrimSpace(text)
	if len(rest) > maxQuery {
		return q, invalid("", "query", "The search query is too long: at most %d characters.", maxQuery)
	}
	joined := ""
	for {
		one, after, ok := parseClause(rest)
		if !ok {
			return q, invalid("", "query", "%s", cannotParse)
		}
		if err := r.checkClause(one); err != nil {
			return q, err
		}
		if q.clauses = append(q.clauses, one); len(q.clauses) > maxClauses {
			return q, invalid("", "query", "Search queries can have at most %d clauses.", maxClauses)
		}
		if strings.TrimSpace(after) == "" {
			return q, nil
		}
		word, more, ok := parseJoint(after)
		if !ok {
			return q, invalid("", "query", "%s", cannotParse)
		}
		if joined != "" && joined != word {
			return q, invalid("", "query", "Search queries can't combine AND and OR.")
		}
		joined, q.any, rest = word, word == "OR", more
	}
}

// parseJoint takes what stands between two clauses: AND, OR, or only space, which means AND.
func parseJoint(s string) (word, rest string, ok bool) {
	trimmed := strings.TrimLeft(s, " ")
	if len(trimmed) == len(s) {
		return "", "", false
	}
	for _, word := range []string{"AND", "OR"} {
		if rest, found := strings.CutPrefix(trimmed, word+" "); found {
			return word, strings.TrimLeft(rest, " "), true
		}
	}
	return "AND", trimmed, true
}

// parseClause takes one clause off the beginning of a query.
func parseClause(s string) (one clause, rest string, ok bool) {
	s, one.negated = strings.CutPrefix(s, "-")
	n := 0
	for n < len(s) && (s[n] == '_' || s[n] == '.' || s[n] >= 'a' && s[n] <= 'z' || s[n] >= '0' && s[n] <= '9') {
		n++
	}
	one.field, s = s[:n], s[n:]
	if one.field == "" {
		return one, "", false
	}
	if inner, keyed := strings.CutPrefix(s, "["); keyed {
		if one.key, s, ok = parseText(inner); !ok || !strings.HasPrefix(s, "]") {
			return one, "", false
		}
		s = s[1:]
	}
	for _, op := range []string{">=", "<=", ">", "<", ":", "~"} {
		if after, found := strings.CutPrefix(s, op); found {
			one.op = op
			return one.value(strings.TrimLeft(after, " "))
		}
	}
	return one, "", false
}

// value takes the right side of a clause: a text in quotes, a number, or null.
func (one clause) value(s string) (clause, string, bool) {
	if strings.HasPrefix(s, `"`) || strings.HasPrefix(s, "'") {
		text, rest, ok := parseText(s)
		one.text = text
		return one, rest, ok
	}
	n := strings.IndexByte(s, ' ')
	if n < 0 {
		n = len(s)
	}
	one.text = s[:n]
	if one.text == "null" {
		one.null = true
		return one, s[n:], one.op == ":"
	}
	_, err := strconv.ParseInt(one.text, 10, 64)
	bare := one.text == "true" || one.text == "false"
	return one, s[n:], err == nil || bare
}

// parseText takes a text in quotes, with backslashes before quotes within.
func parseText(s string) (text, rest string, ok bool) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return "", "", false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == s[0]:
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// checkClause refuses fields that the resource is not searched by, and operators that make no sense.
func (r *resource) checkClause(one clause) error {
	collection := r.Path[strings.LastIndexByte(r.Path, '/')+1:]
	known := one.field == "metadata" && one.key != "" || one.key == "" && (one.field == "created" || slices.Contains(r.Search, one.field) || r.Searched[one.field] != nil)
	if !known {
		return invalid("", "query", "Field `%s` is an unsupported search field for resource `%s`. See http://stripe.com/docs/search#query-fields-for-%s for a list of supported fields.", one.field, collection, strings.ReplaceAll(collection, "_", "-"))
	}
	if one.op == "~" && len(one.text) < 3 {
		return invalid("", "query", "The substring of a `~` clause has at least 3 characters.")
	}
	if one.op != ":" && one.op != "~" {
		if _, err := strconv.ParseFloat(one.text, 64); err != nil || one.field == "metadata" {
			return invalid("", "query", "Field `%s` does not support the operator `%s` with this value.", one.field, one.op)
		}
	}
	return nil
}

func (q query) matches(r *resource, one *record) bool {
	for _, each := range q.clauses {
		if each.matches(r, one) == q.any {
			return q.any
		}
	}
	return !q.any
}

func (one clause) matches(r *resource, of *record) bool {
	return one.holds(r.searched(one, of)) != one.negated
}

// searched is the value of a clause's field: text, a number, true or false, or nil.
func (r *resource) searched(one clause, of *record) any {
	switch {
	case one.field == "created":
		return of.created
	case r.Searched[one.field] != nil:
		return r.Searched[one.field](of)
	}
	return one.valueOf(of.packed)
}

func (one clause) holds(value any) bool {
	if one.null {
		return value == nil
	}
	switch is := value.(type) {
	case string:
		if one.op == "~" {
			return strings.Contains(strings.ToLower(is), strings.ToLower(one.text))
		}
		return one.op == ":" && strings.EqualFold(is, one.text)
	case bool:
		return one.op == ":" && strconv.FormatBool(is) == one.text
	case int64:
		n, err := strconv.ParseInt(one.text, 10, 64)
		return err == nil && compare(is, one.op, n)
	}
	return false
}

func compare(a int64, op string, b int64) bool {
	switch op {
	case ":":
		return a == b
	case ">":
		return a > b
	case "<":
		return a < b
	case ">=":
		return a >= b
	case "<=":
		return a <= b
	}
	return false
}
