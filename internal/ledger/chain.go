package ledger

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/task"
)

// Books are the ledgers of all merchants as they are chained, closed and shown.
type Books struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
}

// ChainTask is the task that chains what was posted.
const ChainTask = "ledger.chain"

// Tasks is the due work of the room. It is not woken by commits: a payment that has just been posted may wait for its place in the chain, and
// what comes together is chained in one commit.
func (b *Books) Tasks() []task.Task {
	return []task.Task{{Name: ChainTask, Every: 2 * time.Second, Run: b.Chain}}
}

// How much one turn takes: a commit stays small enough not to hold up SQLite's one writer.
const (
	scopesPerTurn = 64
	perCommit     = 100
)

// Chain gives transactions that are in no chain yet the next numbers of their merchant's chain. It says whether more may be waiting. Trouble
// with one merchant does not stop the others.
func (b *Books) Chain(ctx context.Context) (more bool, err error) {
	scopes, err := unchainedScopes(ctx, b.DB, scopesPerTurn)
	if err != nil {
		return false, err
	}
	var trouble []error
	for _, scope := range scopes {
		n, err := b.chain(ctx, scope)
		if err != nil {
			trouble = append(trouble, err)
		}
		more = more || n == perCommit
	}
	return more || len(scopes) == scopesPerTurn, errors.Join(trouble...)
}

// ChainAll chains all that a merchant has waiting, for as long as ctx lasts.
func (b *Books) ChainAll(ctx context.Context, scope db.Scope) error {
	for {
		if n, err := b.chain(ctx, scope); err != nil || n == 0 {
			return err
		}
	}
}

// chain takes the oldest transactions that wait, at most a commit's worth, and says how many. Where another node was first, it reads again.
func (b *Books) chain(ctx context.Context, scope db.Scope) (n int, err error) {
	err = b.DB.Decide(ctx, func(ctx context.Context) ([]db.Change, error) {
		waiting, err := unchained(ctx, b.DB, scope, perCommit)
		n = len(waiting)
		if err != nil || n == 0 {
			return nil, err
		}
		last, err := b.end(ctx, scope)
		if err != nil {
			return nil, err
		}
		records, err := readRecords(ctx, b.DB, scope, waiting)
		if err != nil {
			return nil, err
		}
		closed, err := lastClose(ctx, b.DB, scope, "")
		if err != nil {
			return nil, err
		}
		return appended(scope, last, fresh(waiting, records, closed.EndsAt), waiting, b.Clock.Now()), nil
	})
	return n, err
}

// fresh are the contents of the transactions that wait, without their numbers. What is in the chain already, because somebody has reset its
// flag, is not chained again. What was posted into a period that has been closed since counts from now on.
func fresh(waiting []waits, records map[string][]record, closed time.Time) (all []content) {
	for _, w := range waiting {
		if w.chained {
			continue
		}
		c := content{key: w.key, countsAt: w.postedAt, records: records[w.key]}
		if w.postedAt < closed.UnixMicro() && !closed.IsZero() {
			c.countsAt = 0
		}
		all = append(all, c)
	}
	return all
}

// appended is the changes that add contents to the end of a chain and to the sums of their days, move the head of the day, and take the transactions
// off the waiting list. The
// key of the first row is the guard: of two nodes one adds it.
func appended(scope db.Scope, last Mark, all []content, waiting []waits, now time.Time) []db.Change {
	at := max(now.UnixMicro(), last.at) // the days of a chain never go back
	var rows []row
	for _, c := range all {
		c.seq, c.chainedAt = last.Sequence+1, at
		if c.countsAt == 0 {
			c.countsAt = at
		}
		text := c.text()
		last = Mark{c.seq, link(last.Hash, text), at}
		rows = append(rows, row{content: c, text: text, hash: last.Hash})
	}
	var changes []db.Change
	if len(rows) > 0 {
		changes = append(changes, insertRows(scope, rows), addDays(scope, rows[0].seq), moveHead(scope, dayOf(at), last))
	}
	if len(waiting) > 0 {
		changes = append(changes, flag(scope, waiting))
	}
	return changes
}

// end is the last row of a chain, or what its first row is to follow.
func (b *Books) end(ctx context.Context, scope db.Scope) (Mark, error) {
	m, err := db.One(ctx, b.DB, scanMark, `select seq, hash, chained_at from ledger_chain where merchant = $1 and mode = $2 order by seq desc limit 1`, scope.Merchant, scope.Mode)
	if errors.Is(err, db.ErrNone) {
		return Mark{Hash: origin(scope)}, nil
	}
	return m, err
}

// dayOf is the day of a time in UTC.
func dayOf(micros int64) string { return time.UnixMicro(micros).UTC().Format(time.DateOnly) }
