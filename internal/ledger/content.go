package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/till-pay/till/internal/db"
)

// The canonical text of what is chained. Every value is written as its length in bytes, a colon, the value and a comma, so that no two lists of
// values make one text. In order: the version, seq, chained_at, counts_at and the transaction's key; then each record: its kind, what tells it
// from others of its kind, and its columns as recordColumns lists them. Times are microseconds, amounts minor units, both in decimal.
const contentVersion = "till-ledger-1"

// The kinds of records. A transaction of the ledger has lines, and a movement where it moves Stripe's balance; a close has balances.
const (
	lineRecord     = "line"
	movementRecord = "movement"
	closeRecord    = "close"
	balanceRecord  = "balance"
)

// recordColumns are the columns of a record that are chained. chained (of a line) and matched (of a movement) come later, and are not.
var recordColumns = map[string][]string{
	lineRecord:     {"book", "account", "currency", "amount", "payment", "posted_at"},
	movementRecord: {"generation", "kind", "source", "currency", "amount", "fee", "payment", "posted_at"},
	closeRecord:    {"ends_at", "closed_at"},
	balanceRecord:  {"balance"},
}

// recordTables says where the records of a kind stand.
var recordTables = map[string]string{lineRecord: "ledger_entries", movementRecord: "movements", closeRecord: "ledger_closes", balanceRecord: "ledger_close_balances"}

// record is one row that is chained, as texts.
type record struct {
	kind, name string
	values     []string
}

// content is what one row of the chain is about.
type content struct {
	seq, chainedAt, countsAt int64
	key                      string
	records                  []record
}

// text is the canonical text.
func (c content) text() string {
	var b strings.Builder
	put := func(values ...string) {
		for _, v := range values {
			b.WriteString(strconv.Itoa(len(v)))
			b.WriteByte(':')
			b.WriteString(v)
			b.WriteByte(',')
		}
	}
	put(contentVersion, strconv.FormatInt(c.seq, 10), strconv.FormatInt(c.chainedAt, 10), strconv.FormatInt(c.countsAt, 10), c.key)
	for _, r := range c.records {
		put(r.kind, r.name)
		put(r.values...)
	}
	return b.String()
}

var errContent = errors.New("ledger: the text is no content of a chain")

// parseContent reads a canonical text. A text that text() would not have written is refused.
func parseContent(text string) (c content, err error) {
	values, err := cutContent(text)
	if err != nil || len(values) < 5 || values[0] != contentVersion {
		return c, errContent
	}
	for i, to := range []*int64{&c.seq, &c.chainedAt, &c.countsAt} {
		if *to, err = strconv.ParseInt(values[i+1], 10, 64); err != nil {
			return c, errContent
		}
	}
	c.key = values[4]
	for rest := values[5:]; len(rest) > 0; {
		n := 2
		if len(rest) >= n {
			n += len(recordColumns[rest[0]])
		}
		if n == 2 || len(rest) < n {
			return c, errContent
		}
		c.records = append(c.records, record{rest[0], rest[1], rest[2:n]})
		rest = rest[n:]
	}
	if c.text() != text {
		return c, errContent
	}
	return c, nil
}

func cutContent(text string) (values []string, err error) {
	for text != "" {
		size, rest, ok := strings.Cut(text, ":")
		n, err := strconv.Atoi(size)
		if !ok || err != nil || n < 0 || n >= len(rest) || rest[n] != ',' {
			return nil, errContent
		}
		values, text = append(values, rest[:n]), rest[n+1:]
	}
	return values, nil
}

// link is the hash of a row of the chain.
func link(before, text string) string {
	sum := sha256.Sum256([]byte(before + "\n" + text))
	return hex.EncodeToString(sum[:])
}

// origin is what the first row of a chain follows: it tells the chain of one merchant and mode from every other.
func origin(scope db.Scope) string {
	return link("", contentVersion+"\n"+scope.Merchant+"\n"+scope.Mode)
}
