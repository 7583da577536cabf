package analytics

import (
	"context"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/money"
)

// Reports read the tables of rooms on their own floor and below as they are kept: sums over many rows belong where the rows are. What they read
// of balance transactions is the observed book; nothing of it goes back.

const microsOfDay = int64(24 * time.Hour / time.Microsecond)

// countEnded counts the payments of a time by currency, country of the card and status, before and after a day (the zero time parts nothing).
func (s *Reports) countEnded(ctx context.Context, scope db.Scope, in Span, parts time.Time) ([]ended, error) {
	return db.All(ctx, s.DB, func(r db.Row) (e ended, err error) {
		var after int64
		err = r.Scan(&e.currency, &e.card, &e.status, &after, &e.payments, &e.strong, &e.captured, &e.refunded)
		e.after = after == 1
		return e, err
	}, `select currency, card_country, status, case when created_at >= $5 then 1 else 0 end, count(*), cast(sum(case when three_d_secure = 'authenticated' then 1 else 0 end) as bigint),
		cast(sum(captured) as bigint), cast(sum(refunded) as bigint) from payments where merchant = $1 and mode = $2 and created_at >= $3 and created_at < $4 group by 1, 2, 3, 4`,
		scope.Merchant, scope.Mode, db.Micros(in.Since), db.Micros(in.Until), parts.UnixMicro())
}

// charged are the charges of a time by the currencies that were paid and settled in, and by day.
func (s *Reports) charged(ctx context.Context, scope db.Scope, in Span) ([]dayOf, error) {
	return db.All(ctx, s.DB, func(r db.Row) (d dayOf, err error) {
		var day int64
		err = r.Scan(&d.from, &d.to, &day, &d.charges, &d.charged, &d.settled, &d.fees)
		d.day = time.UnixMicro(day * microsOfDay).UTC()
		return d, err
	}, `select source_currency, currency, created_at / $5, count(*), cast(sum(source_amount) as bigint), cast(sum(amount) as bigint), cast(sum(fee) as bigint)
		from balance_transactions where merchant = $1 and mode = $2 and created_at >= $3 and created_at < $4 and kind = 'charge' group by 1, 2, 3`,
		scope.Merchant, scope.Mode, db.Micros(in.Since), db.Micros(in.Until), microsOfDay)
}

// taken is what Stripe took of charges in a currency, by cards of a country.
type taken struct {
	paid, settled money.Currency
	card          money.Country
	charges       int64
	gross, fees   int64
}

// feesTaken are the fees of the charges of a time.
func (s *Reports) feesTaken(ctx context.Context, scope db.Scope, in Span) ([]taken, error) {
	return db.All(ctx, s.DB, func(r db.Row) (f taken, err error) {
		return f, r.Scan(&f.paid, &f.settled, &f.card, &f.charges, &f.gross, &f.fees)
	}, `select b.source_currency, b.currency, p.card_country, count(*), cast(sum(b.amount) as bigint), cast(sum(b.fee) as bigint)
		from balance_transactions b join payments p on p.merchant = b.merchant and p.mode = b.mode and p.id = b.payment
		where b.merchant = $1 and b.mode = $2 and b.created_at >= $3 and b.created_at < $4 and b.kind = 'charge' group by 1, 2, 3`,
		scope.Merchant, scope.Mode, db.Micros(in.Since), db.Micros(in.Until))
}

// movedWeekly is what became available in a time, by week, currencies and kind.
func (s *Reports) movedWeekly(ctx context.Context, scope db.Scope, in Span) ([]moved, error) {
	return db.All(ctx, s.DB, func(r db.Row) (m moved, err error) {
		return m, r.Scan(&m.week, &m.paid, &m.settled, &m.kind, &m.count, &m.paidMinor, &m.amount, &m.fee, &m.net)
	}, `select (available_on - $5) / $6, source_currency, currency, kind, count(*), cast(sum(source_amount) as bigint), cast(sum(amount) as bigint), cast(sum(fee) as bigint),
		cast(sum(net) as bigint) from balance_transactions where merchant = $1 and mode = $2 and created_at >= $7 and created_at < $4
		and available_on >= $3 and available_on < $4 group by 1, 2, 3, 4`,
		scope.Merchant, scope.Mode, db.Micros(in.Since), db.Micros(in.Until), aMonday.UnixMicro(), int64(week/time.Microsecond), db.Micros(in.Since.Add(-longestDelay)))
}

// longestDelay is more than Stripe lets money be pending: 31 days (docs.stripe.com/connect/manage-payout-schedule), and a weekend or two.
const longestDelay = 45 * 24 * time.Hour

// notBooked counts the payments of a time that took money and whose balance transaction has not been read.
func (s *Reports) notBooked(ctx context.Context, scope db.Scope, in Span) (int64, error) {
	return db.One(ctx, s.DB, db.Value[int64], `select count(*) from payments p where p.merchant = $1 and p.mode = $2 and p.created_at >= $3 and p.created_at < $4 and p.captured > 0
		and not exists (select 1 from balance_transactions b where b.merchant = p.merchant and b.mode = p.mode and b.source = p.charge_ref and b.kind = 'charge')`,
		scope.Merchant, scope.Mode, db.Micros(in.Since), db.Micros(in.Until))
}
