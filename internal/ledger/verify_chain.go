package ledger

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/till-pay/till/internal/db"
)

// stored is a row of the chain as it stands, and what can be said of it.
type stored struct {
	row              // as the columns say
	copied  content  // what its content says
	read    bool     // its content can be read
	trusted string   // the hash that it must have had; what the next row follows
	named   []record // what stands in the ledger under its key
	records []record // and under the key that its content holds
}

// own is the number under which the row was chained, as far as it says so itself.
func (s stored) own() int64 {
	if s.read {
		return s.copied.seq
	}
	return s.seq
}

// about is the key of what a row is about: its content's, for that is what the hash is over.
func (s stored) about() string {
	if s.read {
		return s.copied.key
	}
	return s.key
}

func (s stored) day() string {
	if s.read {
		return dayOf(s.copied.chainedAt)
	}
	return dayOf(s.chainedAt)
}

// standing is the text that the row would have, were it chained under a number as all stands.
func (s stored) standing(seq int64) string {
	return content{seq, s.chainedAt, s.countsAt, s.key, s.named}.text()
}

// chained verifies the next rows of the chain. One row more is read than is verified: what follows a row tells whether its hash was changed.
func (w *walk) chained(ctx context.Context) (ended bool, err error) {
	page, err := w.page(ctx)
	if err != nil {
		return false, err
	}
	mine := page[:min(len(page), rowsPerPage)]
	for len(mine) > 0 && mine[len(mine)-1].seq > w.at.Until {
		mine = mine[:len(mine)-1]
	}
	if len(mine) == 0 {
		return true, w.heads(ctx, nil, 0, true)
	}
	w.found.Transactions += int64(len(mine))
	byOwn := map[int64]int{} // where each row of the page stands by its own word
	for i, s := range page {
		byOwn[s.own()] = i
	}
	w.gaps(mine, byOwn)
	w.verify(mine, page, byOwn)
	last := mine[len(mine)-1].seq
	ended = last >= w.at.Until
	if err := w.heads(ctx, page, last, ended); err != nil {
		return false, err
	}
	w.at.After, w.at.Hash = last, ""
	if i, ok := byOwn[last]; ok {
		w.at.Hash = page[i].trusted
	}
	return ended, nil
}

// page is the rows after a place, with what they are about.
func (w *walk) page(ctx context.Context) ([]stored, error) {
	page, err := db.All(ctx, w.DB, func(r db.Row) (s stored, err error) {
		if err = r.Scan(&s.seq, &s.key, &s.chainedAt, &s.countsAt, &s.text, &s.hash); err != nil {
			return s, err
		}
		parsed, bad := parseContent(s.text)
		s.copied, s.read, s.trusted = parsed, bad == nil, s.hash
		return s, nil
	}, `select seq, transaction_key, chained_at, counts_at, content, hash from ledger_chain
		where merchant = $1 and mode = $2 and seq > $3 order by seq limit $4`, w.scope.Merchant, w.scope.Mode, w.at.After, rowsPerPage+1)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, s := range page {
		keys = append(keys, s.about(), s.key)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	all, err := recordsOf(ctx, w.DB, w.scope, keys)
	if err == nil {
		err = closeRecords(ctx, w.DB, w.scope, all, keys)
	}
	before := w.at.Hash
	for i := range page {
		s := &page[i]
		s.records, s.named = all[s.about()], all[s.key]
		if s.own() != s.seq && before != "" && link(before, s.standing(s.seq)) == s.hash {
			s.read = false // its content was written over: the row stands where it belongs
		}
		before = s.hash
	}
	return page, err
}

// gaps tells of numbers at which no row stands. One whose row stands elsewhere is told of there.
func (w *walk) gaps(mine []stored, byOwn map[int64]int) {
	before := w.at.After
	for _, s := range mine {
		first, last := before+1, s.seq-1
		before = s.seq
		_, elsewhere := byOwn[first]
		switch {
		case first > last, first == last && elsewhere:
		case first == last:
			w.tell(Finding{Sequence: first, Table: "ledger_chain", Text: fmt.Sprintf("Row %d of the chain was removed.", first)})
		default:
			w.tell(Finding{Sequence: first, Table: "ledger_chain", Text: fmt.Sprintf("Rows %d to %d of the chain were removed.", first, last)})
		}
	}
}

// chainedOrder is rows in the order in which they were chained, by their own word.
func chainedOrder(page []stored) []*stored {
	order := make([]*stored, len(page))
	for i := range page {
		order[i] = &page[i]
	}
	slices.SortStableFunc(order, func(a, b *stored) int { return cmp.Compare(a.own(), b.own()) })
	return order
}

// verify looks at each row, in the order in which they were chained: whether it stands in its place, and whether it is as it was.
func (w *walk) verify(mine, page []stored, byOwn map[int64]int) {
	for _, s := range chainedOrder(mine) {
		if was := s.own(); was != s.seq {
			w.tell(Finding{s.seq, s.about(), "ledger_chain", "", "seq", strconv.FormatInt(was, 10), strconv.FormatInt(s.seq, 10),
				fmt.Sprintf("The order of the chain was changed: transaction %s was chained as row %d and stands at %d.", s.about(), was, s.seq)})
		}
		before := ""
		if s.own() == w.at.After+1 {
			before = w.at.Hash
		} else if p, ok := byOwn[s.own()-1]; ok {
			before = page[p].trusted
		}
		var next *stored
		if n, ok := byOwn[s.own()+1]; ok {
			next = &page[n]
		}
		w.judge(s, before, next)
	}
}

// judge holds a row against the hash before it, its copy of what was chained, what stands in the ledger, and the row that follows.
func (w *walk) judge(s *stored, before string, next *stored) {
	standing := s.standing(s.own()) // that it stands elsewhere is told of already
	same := standing == s.text
	follows := func(text string) bool { // the next row is one that was chained after this text
		return before != "" && next != nil && link(link(before, text), next.text) == next.hash
	}
	switch {
	case same && (before == "" || link(before, s.text) == s.hash):
	case before == "", link(before, s.text) == s.hash: // the copy is what was chained
		w.compare(s)
	case link(before, standing) == s.hash:
		w.differs(s.seq, s.about(), "ledger_chain", "", "content", standing, s.text)
	case follows(s.text):
		s.trusted = link(before, s.text)
		w.differs(s.seq, s.about(), "ledger_chain", "", "hash", s.trusted, s.hash)
		w.compare(s)
	case follows(standing):
		s.trusted = link(before, standing)
		w.differs(s.seq, s.about(), "ledger_chain", "", "hash", s.trusted, s.hash)
		w.differs(s.seq, s.about(), "ledger_chain", "", "content", standing, s.text)
	default:
		w.tell(Finding{Sequence: s.seq, Transaction: s.about(), Table: "ledger_chain", Is: s.hash, Was: link(before, s.text), Column: "hash",
			Text: fmt.Sprintf("Row %d of the chain, transaction %s, does not follow the one before it: its hash, or both the ledger and the chain's copy of it, were written anew.", s.seq, s.about())})
		w.compare(s)
	}
}

// compare names what differs between the chain's copy of a transaction and what stands in the ledger.
func (w *walk) compare(s *stored) {
	if !s.read {
		w.differs(s.seq, s.about(), "ledger_chain", "", "content", "", s.text)
		return
	}
	for _, c := range []struct{ column, was, is string }{
		{"transaction_key", s.copied.key, s.key},
		{"chained_at", strconv.FormatInt(s.copied.chainedAt, 10), strconv.FormatInt(s.chainedAt, 10)},
		{"counts_at", strconv.FormatInt(s.copied.countsAt, 10), strconv.FormatInt(s.countsAt, 10)},
	} {
		if c.was != c.is {
			w.differs(s.seq, s.copied.key, "ledger_chain", "", c.column, c.was, c.is)
		}
	}
	for _, was := range s.copied.records {
		is, there := find(s.records, was)
		if !there {
			w.tell(Finding{s.seq, s.copied.key, recordTables[was.kind], was.name, "", fmt.Sprint(was.values), "",
				fmt.Sprintf("Row %d of the chain, transaction %s: the %s %s is missing; it was %q.", s.seq, s.copied.key, was.kind, was.name, was.values)})
			continue
		}
		for i, column := range recordColumns[was.kind] {
			if was.values[i] != is.values[i] {
				w.differs(s.seq, s.copied.key, recordTables[was.kind], was.name, column, was.values[i], is.values[i])
			}
		}
	}
	for _, is := range s.records {
		if _, there := find(s.copied.records, is); !there {
			w.tell(Finding{s.seq, s.copied.key, recordTables[is.kind], is.name, "", "", fmt.Sprint(is.values),
				fmt.Sprintf("Row %d of the chain, transaction %s: the %s %s was added; it is %q.", s.seq, s.copied.key, is.kind, is.name, is.values)})
		}
	}
}

func find(all []record, like record) (record, bool) {
	i := slices.IndexFunc(all, func(r record) bool { return r.kind == like.kind && r.name == like.name })
	if i < 0 {
		return record{}, false
	}
	return all[i], true
}

// heads holds the daily heads up to a row against the chain: each day's last row has one, and no other day has any.
func (w *walk) heads(ctx context.Context, page []stored, last int64, ended bool) error {
	if w.at.Day == noDay {
		return nil
	}
	want := map[string]Mark{}
	newest := w.at.Day
	order := chainedOrder(page)
	for i, s := range order {
		if s.seq > last || i+1 < len(order) && order[i+1].day() == s.day() {
			continue
		}
		want[s.day()], newest = Mark{Sequence: s.own(), Hash: s.trusted}, max(newest, s.day())
	}
	sql, args := `select day, seq, hash from ledger_heads where merchant = $1 and mode = $2 and day > $3`, []any{w.scope.Merchant, w.scope.Mode, w.at.Day}
	if !ended {
		sql, args = sql+` and day <= $4`, append(args, newest)
	}
	found, err := db.All(ctx, w.DB, func(r db.Row) (h Head, err error) { return h, r.Scan(&h.Day, &h.Sequence, &h.Hash) }, sql+` order by day`, args...)
	if err != nil {
		return err
	}
	for _, h := range found {
		m, ok := want[h.Day]
		delete(want, h.Day)
		w.head(h, m, ok)
	}
	for _, day := range slices.Sorted(maps.Keys(want)) {
		m := want[day]
		w.tell(Finding{Sequence: m.Sequence, Table: "ledger_heads", Line: day, Was: m.Hash, Text: fmt.Sprintf("The head of %s, which was row %d, is missing.", day, m.Sequence)})
	}
	w.at.Day = newest
	return nil
}

// head holds one head against the row that was its day's last. What has been chained since the verification began may have moved it, or made it.
func (w *walk) head(h Head, want Mark, known bool) {
	switch {
	case h.Sequence > w.at.Until, !known && h.Sequence == w.at.After && h.Hash == w.at.Hash: // the second is the head that the walk began after
	case !known:
		w.tell(Finding{Sequence: h.Sequence, Table: "ledger_heads", Line: h.Day, Column: "day", Is: h.Day,
			Text: fmt.Sprintf("There is a head of %s, row %d, and nothing was last chained on that day.", h.Day, h.Sequence)})
	case h.Sequence != want.Sequence:
		w.differs(want.Sequence, "", "ledger_heads", h.Day, "seq", strconv.FormatInt(want.Sequence, 10), strconv.FormatInt(h.Sequence, 10))
	case h.Hash != want.Hash:
		w.differs(want.Sequence, "", "ledger_heads", h.Day, "hash", want.Hash, h.Hash)
	}
}
