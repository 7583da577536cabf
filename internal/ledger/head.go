package ledger

import (
	"context"
	"strconv"
	"time"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
)

// Head is the last row of a chain on one day.
type Head struct {
	Day      string `json:"day" format:"date" doc:"In UTC." example:"2026-11-30"`
	Sequence int64  `json:"sequence" example:"1042"`
	Hash     string `json:"hash" doc:"SHA-256, in hex, over the hash before it and what was chained."`
	Final    bool   `json:"final" doc:"The day is over: the head will not move."`
}

// Waiting is what has been posted and is not chained yet: seconds after its commit it is.
type Waiting struct {
	Transactions int64 `json:"transactions" doc:"100001 is more than 100000." example:"3"`
	Seconds      int64 `json:"oldest_seconds" doc:"How long ago the oldest of them was posted." example:"1"`
}

// mostWaiting bounds how far the waiting are counted.
const mostWaiting = 100_001

func (b *Books) waiting(ctx context.Context, scope db.Scope) (w Waiting, err error) {
	type found struct{ n, oldest int64 }
	f, err := db.One(ctx, b.DB, func(r db.Row) (f found, err error) { return f, r.Scan(&f.n, &f.oldest) },
		`select count(*), coalesce(min(posted_at), 0) from (select posted_at from ledger_entries
		where merchant = $1 and mode = $2 and line = 0 and not chained order by posted_at limit $3) w`, scope.Merchant, scope.Mode, mostWaiting)
	if f.n > 0 {
		w = Waiting{f.n, max(0, int64(b.Clock.Now().Sub(time.UnixMicro(f.oldest))/time.Second))}
	}
	return w, err
}

// Tip is where a chain stands.
type Tip struct {
	Mark
	Day     string  `json:"day" doc:"The day of the last row, in UTC; empty where nothing is chained." example:"2026-11-30"`
	Waiting Waiting `json:"waiting"`
}

// Tip is the end of a merchant's chain and what waits for its place in it.
func (b *Books) Tip(ctx context.Context, scope db.Scope) (t Tip, err error) {
	if t.Mark, err = b.end(ctx, scope); err != nil {
		return t, err
	}
	if t.Sequence > 0 {
		t.Day = dayOf(t.at)
	}
	t.Waiting, err = b.waiting(ctx, scope)
	return t, err
}

// Heads is a page of the daily heads, newest first.
func (b *Books) Heads(ctx context.Context, scope db.Scope, in api.PageInput) (api.Page[Head], error) {
	after, err := in.Position()
	if err != nil {
		return api.Page[Head]{}, err
	}
	sql, args := `select day, seq, hash from ledger_heads where merchant = $1 and mode = $2`, []any{scope.Merchant, scope.Mode}
	if !after.IsStart() {
		sql, args = sql+` and day < $3`, append(args, after.At.Format(time.DateOnly))
	}
	today := dayOf(b.Clock.Now().Add(-margin).UnixMicro()) // a node whose clock is behind may still add to yesterday
	found, err := db.All(ctx, b.DB, func(r db.Row) (h Head, err error) {
		err = r.Scan(&h.Day, &h.Sequence, &h.Hash)
		h.Final = h.Day < today
		return h, err
	}, sql+` order by day desc limit `+strconv.Itoa(in.Limit+1), args...)
	if err != nil {
		return api.Page[Head]{}, err
	}
	return api.NewPage(in, found, func(h Head) api.Position {
		day, _ := time.Parse(time.DateOnly, h.Day)
		return api.Position{At: day, ID: strconv.FormatInt(h.Sequence, 10)}
	}), nil
}
