package sandbox

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/till-pay/till/sandbox/spec"
)

// maxSearchIndexes bounds how many fields of a kind, and keys of its metadata, have an index for searches.
const maxSearchIndexes = 16

// unselective are fields that say the same of so many objects that an index of them would be large and of no use.
var unselective = []string{"status", "currency", "active", "type", "disputed", "refunded", "shippable", "created"}

// postings are the records of a kind by the value of one field, in order of making. Searches alone use them, so they are made when a
// search first asks for the field, and worlds that are never searched have none.
type postings struct {
	field clause // of which field and key they are
	by    map[string][]*record
}

// posting is what a packed object is found by, "" where it has no value there.
func (p *postings) posting(packed []byte) string {
	if packed == nil {
		return ""
	}
	return folded(p.field.valueOf(packed))
}

// folded is a value in the form in which those that a clause takes for equal are equal.
func folded(value any) string {
	switch is := value.(type) {
	case string:
		return "=" + strings.Map(fold, is)
	case int64:
		return "#" + strconv.FormatInt(is, 10)
	}
	return ""
}

// fold is the least of all cases of a letter.
func fold(r rune) rune {
	if r <= unicode.MaxASCII {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}

// valueOf is the value of the clause's field in a packed object: text, a number, true or false, or nil.
func (one clause) valueOf(packed []byte) any {
	if one.field == "metadata" {
		all, _ := spec.PackedGet(packed, "metadata").(map[string]string)
		if value, ok := all[one.key]; ok {
			return value
		}
		return nil
	}
	return spec.PackedGet(packed, strings.Split(one.field, ".")...)
}

// repost brings the postings of a kind up to what a record says now, from what it said; nil is nothing.
func (s *shelf) repost(r *record, was, now []byte) {
	for _, p := range s.postings {
		old, is := p.posting(was), p.posting(now)
		if old == is {
			continue
		}
		if same := p.by[old]; old != "" {
			if at := place(same, r.order); at < len(same) && same[at] == r {
				p.by[old] = slices.Delete(same, at, at+1)
			}
			if len(p.by[old]) == 0 {
				delete(p.by, old)
			}
		}
		if same := p.by[is]; is != "" {
			p.by[is] = slices.Insert(same, place(same, r.order), r)
		}
	}
}

// postingsOf gives the postings of a clause's field, made now where a search asks for it the first time; nil where there are none.
func (s *shelf) postingsOf(one clause) *postings {
	for _, p := range s.postings {
		if p.field.field == one.field && p.field.key == one.key {
			return p
		}
	}
	if len(s.postings) >= maxSearchIndexes {
		return nil
	}
	p := &postings{field: clause{field: one.field, key: one.key}, by: map[string][]*record{}}
	for _, r := range s.all {
		if r.gone {
			continue
		}
		if is := p.posting(r.packed); is != "" {
			p.by[is] = append(p.by[is], r)
		}
	}
	s.postings = append(s.postings, p)
	return p
}

// candidates is the records that a search has to look at, in order of making: all that may match, and as few others as the indexes
// allow.
func (q query) candidates(r *resource, s *shelf) []*record {
	if q.any {
		return q.union(r, s)
	}
	fewest := s.all
	for _, one := range q.clauses {
		if having, known := one.having(r, s); known && len(having) < len(fewest) {
			fewest = having
		}
	}
	from, to := q.times()
	return since(fewest, from, to)
}

// union is the candidates of clauses of which any may hold.
func (q query) union(r *resource, s *shelf) []*record {
	var all []*record
	for _, one := range q.clauses {
		having, known := one.having(r, s)
		if !known || len(all)+len(having) > len(s.all) {
			return s.all
		}
		all = append(all, having...)
	}
	slices.SortFunc(all, func(a, b *record) int { return int(a.order - b.order) })
	return slices.Compact(all)
}

// having is the records of which a clause may hold, where an index knows them.
func (one clause) having(r *resource, s *shelf) ([]*record, bool) {
	if one.op != ":" || one.negated || one.null || slices.Contains(unselective, one.field) || r.Searched[one.field] != nil {
		return nil, false
	}
	p := s.postingsOf(one)
	if p == nil {
		return nil, false
	}
	if n, err := strconv.ParseInt(one.text, 10, 64); err == nil { // the field may hold a number, or text that looks like one
		if having := p.by[folded(n)]; having != nil {
			return having, true
		}
	}
	return p.by[folded(one.text)], true
}

// times is when what matches was made, at the earliest and at the latest, where all clauses hold.
func (q query) times() (from, to int64) {
	from, to = math.MinInt64, math.MaxInt64
	for _, one := range q.clauses {
		at, err := strconv.ParseInt(one.text, 10, 64)
		if one.field != "created" || one.negated || err != nil {
			continue
		}
		switch one.op {
		case ":":
			from, to = max(from, at), min(to, at)
		case ">", ">=":
			from = max(from, at)
		case "<", "<=":
			to = min(to, at)
		}
	}
	return from, to
}
