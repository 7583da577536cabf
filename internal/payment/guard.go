package payment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/once"
)

// The duplicate guard. Idempotency keys make one request one charge; they cannot help a shop whose program makes a new key for each attempt.
// Where the merchant has switched it on, a payment of the same customer, amount and card as one made shortly before under another key is
// claimed as held: nothing is sent to Stripe, and the merchant says whether it is meant.

// alike is what two payments must share to be taken for one, as a hash: the customer, by the best name that is known of them; the amount; and
// the card, by Stripe's fingerprint of its number, or else by the id of the payment method.
func (p Payment) alike() string {
	who, email := "", strings.TrimSpace(p.Customer.Email)
	switch {
	case email != "": // of a customer with an id it is always known: one who pays by a new card first and by a saved one then is one
		who = "email " + email
	case p.Customer.ID != "":
		who = "id " + p.Customer.ID
	case p.Customer.Reference != "":
		who = "reference " + p.Customer.Reference
	}
	card := "fingerprint " + p.cardFingerprint
	if p.cardFingerprint == "" {
		card = "method " + p.PaymentMethod
	}
	sum := sha256.Sum256([]byte(db.JSON([]any{who, p.Amount.Minor, p.Currency, card})))
	return hex.EncodeToString(sum[:])
}

// duplicated is why a payment is held, in view of those of its likeness that were let go within the guard's time, newest first; nil where it
// may go. Only a payment that took money, or still may, stands in the way: one that failed or was cancelled must not hold back the honest
// next try, nor one whose money all went back, nor one that is itself held.
func duplicated(p Payment, earlier []Payment, within time.Duration) *Hold {
	for _, e := range earlier {
		age, asked := p.CreatedAt.Sub(e.letGoAt()), "asked for"
		if e.ID == p.ID || e.IdempotencyKey == p.IdempotencyKey || age > within {
			continue
		}
		if e.Held != nil {
			asked = "released"
		}
		switch e.Shown().Status {
		case Pending, Authorized, Completed:
			return &Hold{DuplicateOf: e.ID, Until: p.ResolveBy, Reason: fmt.Sprintf("%s %s from the same customer and card was %s %s before, under another key.",
				money.FromMinor(p.Amount.Minor, p.Currency), p.Currency, asked, ago(age))}
		}
	}
	return nil
}

// letGoAt is when a payment that was sent was let go to Stripe: when it was made, or when it was released, however long it was held before.
// The time that its payer has begins there.
func (p Payment) letGoAt() time.Time { return p.ResolveBy.Add(-resolveWithin) }

// ago is a time in whole units, as a person would say it.
func ago(d time.Duration) string {
	n, unit := int64(max(d, 0)/time.Second), "second"
	if n == 0 {
		return "less than a second"
	}
	if n >= 120 {
		n, unit = n/60, "minute"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// claim takes the key of a payment and sends it, or holds it. Where others of its likeness are decided at the same time, on any node, they
// take turns by the guard's version: who was slower looks again, and finds the first.
func (s *Payments) claim(ctx context.Context, p Payment, c once.Call, own []db.Change) (row string, replayed bool, err error) {
	settings, err := s.Merchants.Settings(ctx, p.scope)
	if err != nil {
		return "", false, err
	}
	within, repeat := settings.DuplicateGuard.Within(), false
	if within > 0 {
		if repeat, err = s.Once.Known(ctx, c.Scope, c.Key); err != nil {
			return "", false, err
		}
	}
	if within == 0 || repeat { // a repeat is answered by its key: nothing is asked for it again
		return s.Once.Run(ctx, c, append(insert(p), own...)...)
	}
	p.cardFingerprint = s.fingerprint(ctx, p)
	p.likeness = p.alike()
	const tries = 20
	for range tries {
		version, why, err := s.suspect(ctx, p, within)
		if err != nil {
			return "", false, err
		}
		if why != nil {
			p.Status, p.Held = Held, why
			s.Log.LogAttrs(ctx, slog.LevelInfo, "payment held", slog.String("payment", p.ID), slog.String("duplicate_of", why.DuplicateOf))
			return s.Once.Hold(ctx, c, append(append(insert(p), own...), event.Insert(event.New(p.scope, "payment.held", p.ID, p.Shown(), p.CreatedAt)))...)
		}
		row, replayed, err := s.Once.Run(ctx, c, append(append([]db.Change{letThrough(p, version)}, insert(p)...), own...)...)
		var moved *db.Moved
		switch {
		case errors.As(err, &moved) && moved.At == 0:
			continue
		case errors.As(err, &moved):
			return "", false, &db.Moved{At: moved.At - 1}
		}
		return row, replayed, err
	}
	return "", false, fault.New(fault.StateConflict, "", "Too many payments like this one are asked for at once; send this one again.")
}

// suspect reads what the decision stands on: the guard's version first, so that whatever is let through after that moves it.
func (s *Payments) suspect(ctx context.Context, p Payment, within time.Duration) (version int64, why *Hold, err error) {
	version, err = db.One(ctx, s.DB, db.Value[int64], `select version from duplicate_guards where merchant = $1 and mode = $2 and likeness = $3`,
		p.scope.Merchant, p.scope.Mode, p.likeness)
	if err != nil && !errors.Is(err, db.ErrNone) {
		return 0, nil, err
	}
	earlier, err := s.alikeSince(ctx, p, p.CreatedAt.Add(-within))
	if err != nil {
		return 0, nil, err
	}
	return version, duplicated(p, earlier, within), nil
}

// letThrough counts a payment that is sent; it misses where another of its likeness was let through since version was read.
func letThrough(p Payment, version int64) db.Change {
	return db.Change{
		SQL: `insert into duplicate_guards (merchant, mode, likeness, version) values ($1, $2, $3, $4)
			on conflict (merchant, mode, likeness) do update set version = excluded.version where duplicate_guards.version = $5`,
		Args: []any{p.scope.Merchant, p.scope.Mode, p.likeness, version + 1, version}, Rows: 1,
	}
}

// released counts a held payment that the merchant lets go: whoever decides at the same time looks again.
func released(p Payment) db.Change {
	return db.Change{
		SQL: `insert into duplicate_guards (merchant, mode, likeness, version) values ($1, $2, $3, 1)
			on conflict (merchant, mode, likeness) do update set version = duplicate_guards.version + 1`,
		Args: []any{p.scope.Merchant, p.scope.Mode, p.likeness}, Rows: 1,
	}
}

// alikeSince are the payments of a likeness that were let go since a time and took money or still may, newest first. Twenty are enough: only
// those whose money all went back are passed over. That none was held for longer than two days before bounds the search.
func (s *Payments) alikeSince(ctx context.Context, p Payment, since time.Time) ([]Payment, error) {
	return db.All(ctx, s.DB, scan, `select `+columns+` from payments where merchant = $1 and mode = $2 and likeness = $3 and likeness <> '' and created_at >= $4
		and resolve_by >= $5 and status in ('pending', 'authorized', 'completed') order by resolve_by desc limit 20`,
		p.scope.Merchant, p.scope.Mode, p.likeness, db.Micros(since.Add(-2*resolveWithin)), db.Micros(since.Add(resolveWithin)))
}

// lookWithin bounds the question to Stripe whose card a payment method is: the payer waits for it.
const lookWithin = 3 * time.Second

// fingerprint is Stripe's name for the number of the card that a payment charges: of a saved card as it is kept, else as an earlier payment
// by the same method has it, else as Stripe says. "" where nobody knows: then the method's id stands for the card.
func (s *Payments) fingerprint(ctx context.Context, p Payment) string {
	if p.cardFingerprint != "" {
		return p.cardFingerprint
	}
	known, err := db.One(ctx, s.DB, db.Value[string], `select card_fingerprint from payments where merchant = $1 and mode = $2 and payment_method = $3 and card_fingerprint <> ''
		order by created_at desc limit 1`, p.scope.Merchant, p.scope.Mode, p.PaymentMethod)
	if err == nil {
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	client, err := s.Merchants.Client(ctx, p.scope, p.generation)
	if err == nil {
		m, lookErr := client.PaymentMethod(ctx, p.PaymentMethod)
		if err = lookErr; err == nil && m.Card != nil {
			return m.Card.Fingerprint
		}
	}
	s.Log.LogAttrs(ctx, slog.LevelInfo, "card not known to the duplicate guard; its payment method stands for it", slog.String("payment", p.ID), slog.Any("error", err))
	return ""
}
