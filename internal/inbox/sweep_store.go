package inbox

import (
	"context"
	"time"

	"github.com/huandu/go-sqlbuilder"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/db"
)

// account is a Stripe account of a merchant that is not looked at yet.
type account struct {
	db.Scope
	generation int64
	name       string
	since      time.Time // the merchant turned to it
	before     time.Time // how far an earlier generation of it was looked through; zero where there is none
}

// unswept are accounts, of all merchants, whose newest generation has no look yet.
func (i *Inbox) unswept(ctx context.Context, limit int) ([]account, error) {
	return db.All(ctx, i.DB, func(r db.Row) (a account, err error) {
		return a, r.Scan(&a.Merchant, &a.Mode, &a.generation, &a.name, db.At(&a.since), db.At(&a.before))
	}, `select merchant, mode, generation, account, created_at, (select max(s.swept_to) from event_sweeps s join providers o
				on o.merchant = s.merchant and o.mode = s.mode and o.generation = s.generation
				where s.merchant = p.merchant and s.mode = p.mode and o.account = p.account)
		from providers p where not exists (select 1 from event_sweeps s where s.merchant = p.merchant and s.mode = p.mode and s.generation = p.generation)
			and not exists (select 1 from providers n where n.merchant = p.merchant and n.mode = p.mode and n.generation > p.generation and n.account = p.account)
		order by merchant, mode, generation limit $1`, limit)
}

func insertLook(a account, to, now time.Time) db.Change {
	return db.Change{
		SQL: `insert into event_sweeps (merchant, mode, generation, swept_to, look_after, checked_at, missed, failures, error, due_at, lease_until)
			values ($1, $2, $3, $4, '', $5, 0, 0, '', $6, 0) on conflict do nothing`,
		Args: []any{a.Merchant, a.Mode, a.generation, db.Micros(to), db.Micros(now), db.Micros(now.Add(between))}, Rows: 1,
	}
}

// supersede ends the looks of earlier generations of the same account.
func supersede(a account) db.Change {
	return db.Change{
		SQL: `update event_sweeps set due_at = null where merchant = $1 and mode = $2 and generation < $3
			and generation in (select generation from providers where merchant = $1 and mode = $2 and account = $4)`,
		Args: []any{a.Merchant, a.Mode, a.generation, a.name}, Rows: db.Any,
	}
}

// dueNow is the condition of a look that may begin: $1 is the clock's time, $2 the machine's. A rest ends a minute ahead at the most: one that
// ends two minutes ahead or later was begun in another time, real time above all, before the clock began to follow a sandbox's world.
const dueNow = `(due_at <= $1 or due_at > $1 + 120000000) and lease_until <= $2`

func (i *Inbox) anyLookDue(ctx context.Context) (bool, error) {
	found, err := db.All(ctx, i.DB, db.Value[string], `select merchant from event_sweeps where `+dueNow+` limit 1`, db.Micros(i.Clock.Now()), db.Micros(i.machine()))
	return len(found) > 0, err
}

// claimLooks leases the looks that are longest due, at most n, of all merchants. As in claim, the condition stands outside too.
func (i *Inbox) claimLooks(ctx context.Context, n int) (due []look, err error) {
	now := i.machine()
	err = i.DB.Tx(ctx, func(tx db.Tx) (err error) {
		due, err = db.All(ctx, tx, func(r db.Row) (l look, err error) {
			return l, r.Scan(&l.Merchant, &l.Mode, &l.generation, db.At(&l.sweptTo), &l.after, db.At(&l.newest), db.At(&l.young), db.At(&l.began), &l.failures)
		}, `update event_sweeps set lease_until = $3
			where `+dueNow+` and (merchant, mode, generation) in (select merchant, mode, generation from event_sweeps where `+dueNow+` order by due_at limit $4)
			returning merchant, mode, generation, swept_to, look_after, look_newest, look_young, look_began, failures`,
			db.Micros(i.Clock.Now()), db.Micros(now), db.Micros(now.Add(lease)), n)
		return err
	})
	return due, err
}

// changed is a change of a look that misses where another node has gone on with it, or a later generation has taken its place.
func changed(was look, set string, args ...any) db.Change {
	return db.Change{
		SQL: `update event_sweeps set ` + set + ` where merchant = $1 and mode = $2 and generation = $3 and swept_to = $4 and look_after = $5
			and due_at is not null`,
		Args: append([]any{was.Merchant, was.Mode, was.generation, db.Micros(was.sweptTo), was.after}, args...), Rows: 1,
	}
}

// sweptTo sets the cursor of a look that stands in another time.
func sweptTo(was look, to time.Time) db.Change { return changed(was, `swept_to = $6`, db.Micros(to)) }

// cameTo writes how far a look came, and renews its lease.
func (i *Inbox) cameTo(was, now look) db.Change {
	return changed(was, `look_after = $6, look_newest = $7, look_young = $8, look_began = $9, lease_until = $10`,
		now.after, db.Micros(now.newest), db.Micros(now.young), db.Micros(now.began), db.Micros(i.machine().Add(lease)))
}

// goOn lets a look go on when the others that are due had their turn.
func (i *Inbox) goOn(l look) db.Change {
	return changed(l, `due_at = $6, lease_until = 0`, db.Micros(i.Clock.Now()))
}

// lookEnded moves the cursor: the whole list has been seen. The next look is a rest away on the clock, which may run faster than the
// machine's, so that it follows a leap, and shortest on the machine's, so that it does not look all the time.
// Its rest counts from its beginning: a clock that leapt meanwhile has made it due again.
func (i *Inbox) lookEnded(l look) db.Change {
	return changed(l, `swept_to = $6, look_after = '', look_newest = null, look_young = null, look_began = null, checked_at = $7, failures = 0, error = '',
			due_at = $8, lease_until = $9`,
		db.Micros(l.next()), db.Micros(l.began), db.Micros(l.began.Add(between)), db.Micros(i.machine().Add(shortest)))
}

// onceMore has events of the account tried once more that were given up: what stood against asking Stripe for its list, a revoked key above
// all, stood against asking for their objects too. No list shows them as missed, for they are kept.
func (i *Inbox) onceMore(l look) db.Change {
	return db.Change{
		SQL: `update stripe_events set due_at = $4 where merchant = $1 and mode = $2 and applied_at is null and due_at is null and created_at >= $5
			and generation in (select o.generation from providers o join providers p on p.merchant = o.merchant and p.mode = o.mode and p.account = o.account
				where p.merchant = $1 and p.mode = $2 and p.generation = $3)`,
		Args: []any{l.Merchant, l.Mode, l.generation, db.Micros(i.machine()), db.Micros(i.Clock.Now().Add(-retained))}, Rows: db.Any,
	}
}

// lookFailed keeps what stood against a look, and lets it rest on the machine's clock. now is where it goes on.
func (i *Inbox) lookFailed(was, now look, why string, pause time.Duration) db.Change {
	return changed(was, `look_after = $6, failures = $7, error = $8, lease_until = $9`, now.after, now.failures, why, db.Micros(i.machine().Add(pause)))
}

// countMissed goes into the commit that keeps a missed event, so that each is counted once.
func countMissed(scope db.Scope, generation int64) db.Change {
	return db.Change{
		SQL:  `update event_sweeps set missed = missed + 1 where merchant = $1 and mode = $2 and generation = $3`,
		Args: []any{scope.Merchant, scope.Mode, generation}, Rows: db.Any,
	}
}

// standing is how a kept event stands.
type standing struct {
	id       string
	applied  bool
	open     bool // the task has it, or somebody is at work on it
	attempts int64
	failure  string
}

func (i *Inbox) standings(ctx context.Context, scope db.Scope, ids []string) ([]standing, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	b := api.Select("id, applied_at, due_at, attempts, error", "stripe_events", scope)
	sql, args := b.Where(b.In("id", sqlbuilder.List(ids))).Build()
	return db.All(ctx, i.DB, func(r db.Row) (s standing, err error) {
		var applied, due time.Time
		err = r.Scan(&s.id, db.At(&applied), db.At(&due), &s.attempts, &s.failure)
		s.applied, s.open = !applied.IsZero(), !due.IsZero()
		return s, err
	}, sql, args...)
}
