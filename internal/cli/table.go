package cli

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"text/tabwriter"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/db"
)

// errEnough ends a walk that has shown what was asked for.
var errEnough = errors.New("enough")

// filters are the parameters of a request that have a value.
func filters(all map[string]string) url.Values {
	q := url.Values{}
	for name, value := range all {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// table is a list of the API as people read it, a row an object, or with --json an object a line.
type table[T any] struct {
	path  string
	query url.Values
	limit int // of rows, the first ones of the list
	json  bool
	heads string // of the columns, parted by tabs, as the cells of a row are
	row   func(T) string
}

// print shows the list, and says how many rows it has.
func (t table[T]) print(c *console, till *client.Client) (shown int, err error) {
	if t.limit > 0 {
		t.query.Set("limit", strconv.Itoa(min(t.limit, 100)))
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	err = client.Each(c.ctx, till, t.path, t.query, func(one T) error {
		if shown == t.limit {
			return errEnough
		}
		if shown++; t.json {
			fmt.Fprintln(c.out, db.JSON(one))
			return nil
		}
		if shown == 1 {
			fmt.Fprintln(w, t.heads)
		}
		fmt.Fprintln(w, t.row(one))
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return shown, err
	}
	return shown, w.Flush()
}
