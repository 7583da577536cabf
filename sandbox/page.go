package sandbox

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// The bounds of a page.
const (
	defaultLimit = 10
	maxLimit     = 100
)

// page is a Stripe list, or a search_result.
type page struct {
	object string
	data   []appender
	more   bool
	url    string
	next   string // of a search_result: the page after this one
	total  int    // of a search_result whose total_count was asked for; -1 otherwise
}

// AppendJSON implements appender.
func (p *page) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"object":"`...)
	dst = append(dst, p.object...)
	dst = append(dst, `","data":[`...)
	for i, one := range p.data {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one.AppendJSON(dst)
	}
	dst = append(dst, `],"has_more":`...)
	dst = strconv.AppendBool(dst, p.more)
	if p.object == "search_result" {
		dst = append(dst, `,"next_page":`...)
		if p.next == "" {
			dst = append(dst, "null"...)
		} else {
			dst = strconv.AppendQuote(dst, p.next)
		}
		if p.total >= 0 {
			dst = append(dst, `,"total_count":`...)
			dst = strconv.AppendInt(dst, int64(p.total), 10)
		}
	}
	dst = append(dst, `,"url":`...)
	dst = strconv.AppendQuote(dst, p.url)
	return append(dst, '}')
}

// limit is how many objects a page holds. Stripe documents 1 to 100 and moves everything else to the nearer end.
func (c *call) limit() int {
	if !c.params.Has("limit") {
		return defaultLimit
	}
	return int(min(max(c.params.Int("limit"), 1), maxLimit))
}

// paging are the parameters that every list takes.
var paging = []string{"limit", "starting_after", "ending_before", "expand", "created"}

func (r *resource) list(c *call) (appender, error) {
	for _, name := range []string{"customer", "charge", "payment_intent"} {
		if id := c.params.String(name); id != "" && slices.Contains(r.Filters, name) && c.byID[id] == nil && !c.elsewhereCharged(r, id) {
			return nil, missingIn(name, name, id)
		}
	}
	for _, name := range c.params.Names() {
		if !slices.Contains(paging, name) && !slices.Contains(r.Filters, name) && r.Matches[name] == nil {
			return nil, unbuilt("the parameter %s of %s", name, c.op)
		}
	}
	return c.pageFrom(r.candidates(c), r.Object, r.Path, func(one *record) bool { return r.passes(c, one) })
}

// candidates is the records that a list has to look through: the fewest that one of its filters leaves.
func (r *resource) candidates(c *call) []*record {
	fewest := c.all(r.Object)
	for _, name := range r.indexed {
		if value := c.params.String(name); value != "" && !strings.HasSuffix(value, "*") { // which is a group of types of events
			if having := c.having(r.Object, name, value); len(having) < len(fewest) {
				fewest = having
			}
		}
	}
	return within(fewest, c.params)
}

// within cuts records in order of making down to those made in the times that "created" asks for.
func within(all []*record, p *spec.Params) []*record {
	if !p.Has("created") {
		return all
	}
	from, to := int64(math.MinInt64), int64(math.MaxInt64) // both included
	if p.IsInt("created") {
		from, to = p.Int("created"), p.Int("created")
	} else {
		bounds := p.Sub("created")
		if bounds.Has("gte") {
			from = bounds.Int("gte")
		}
		if bounds.Has("gt") && bounds.Int("gt") >= from {
			from = min(bounds.Int("gt"), math.MaxInt64-1) + 1
		}
		if bounds.Has("lte") {
			to = bounds.Int("lte")
		}
		if bounds.Has("lt") && bounds.Int("lt") <= to {
			to = max(bounds.Int("lt"), math.MinInt64+1) - 1
		}
	}
	return since(all, from, to)
}

// since cuts records in order of making down to those made between two times, both included.
func since(all []*record, from, to int64) []*record {
	first := sort.Search(len(all), func(i int) bool { return all[i].created >= from })
	end := sort.Search(len(all), func(i int) bool { return all[i].created > to })
	return all[first:max(first, end)]
}

// passes says whether a record passes the list's filters.
func (r *resource) passes(c *call, one *record) bool {
	for _, name := range r.Filters {
		if !c.equals(one, name) {
			return false
		}
	}
	for name, matches := range r.Matches {
		if c.params.Has(name) && !matches(c, one) {
			return false
		}
	}
	return true
}

// equals says whether a field has the value that the parameter of the same name asks for, if it is given.
func (c *call) equals(r *record, name string) bool {
	return !c.params.Has(name) || r.text(name) == c.params.String(name)
}

// inRange holds a time against an equality or the bounds gt, gte, lt and lte.
func inRange(p *spec.Params, name string, at int64) bool {
	switch {
	case !p.Has(name):
		return true
	case p.IsInt(name):
		return p.Int(name) == at
	}
	bounds := p.Sub(name)
	return (!bounds.Has("gt") || at > bounds.Int("gt")) && (!bounds.Has("gte") || at >= bounds.Int("gte")) &&
		(!bounds.Has("lt") || at < bounds.Int("lt")) && (!bounds.Has("lte") || at <= bounds.Int("lte"))
}

// listOf is the page that the request asks for of those records of a kind whose indexed field has a value and that pass, newest first.
func (c *call) listOf(kind, field, value, url string, passes func(*record) bool) (appender, error) {
	return c.pageFrom(within(c.having(kind, field, value), c.params), kind, url, passes)
}

// pageFrom is the page that the request asks for of records of one kind, in order of making, that pass, newest first.
func (c *call) pageFrom(all []*record, kind, url string, passes func(*record) bool) (appender, error) {
	after, err := c.cursor(kind, "starting_after")
	if err != nil {
		return nil, err
	}
	until, err := c.cursor(kind, "ending_before")
	if err != nil {
		return nil, err
	}
	if after != nil && until != nil {
		return nil, invalid("", "starting_after", "Received both starting_after and ending_before parameters. Please pass in only one.")
	}
	var found []*record
	limit := c.limit()
	if until != nil { // the nearest newer ones, still newest first
		for i := place(all, until.order+1); i < len(all) && len(found) <= limit; i++ {
			if !all[i].gone && passes(all[i]) {
				found = append(found, all[i])
			}
		}
		more := len(found) > limit
		found = found[:min(len(found), limit)]
		slices.Reverse(found)
		return c.pageOf(found, more, url), nil
	}
	from := len(all)
	if after != nil {
		from = place(all, after.order)
	}
	for i := from - 1; i >= 0 && len(found) <= limit; i-- {
		if !all[i].gone && passes(all[i]) {
			found = append(found, all[i])
		}
	}
	more := len(found) > limit
	return c.pageOf(found[:min(len(found), limit)], more, url), nil
}

func (c *call) pageOf(found []*record, more bool, url string) *page {
	p := &page{object: "list", data: make([]appender, 0, len(found)), more: more, url: url, total: -1}
	for _, one := range found {
		p.data = append(p.data, c.element(one))
	}
	return p
}

// element is a record as a page shows it.
func (c *call) element(r *record) appender {
	below := c.expand.at("data")
	if below == nil && !c.showsMore(r) {
		c.refresh(r)
		return r
	}
	return c.shown(r, below)
}

// cursor finds the record that a paging parameter names; it may have been deleted since.
func (c *call) cursor(kind, name string) (*record, error) {
	if !c.params.Has(name) {
		return nil, nil
	}
	id := c.params.String(name)
	if at := c.byID[id]; at != nil && at.resource.Object == kind {
		return at, nil
	}
	return nil, missingIn(name, kinds[kind].noun(), id)
}

// place is the index of the first record whose order is not below the given one.
func place(all []*record, order int64) int {
	lo, hi := 0, len(all)
	for lo < hi {
		mid := (lo + hi) / 2
		if all[mid].order < order {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
