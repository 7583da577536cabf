package dispute

import (
	"fmt"
	"time"

	"github.com/till-pay/till/internal/event"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/internal/stripe"
)

// Word is what Stripe says of a dispute: the object, and of its money what the event said that brought it, if it was an event of money.
type Word struct {
	stripe.Dispute
	Moved string // "", stripe.FundsWithdrawn or stripe.FundsReinstated
}

// Outcome is what a word of Stripe's makes of a dispute.
type Outcome struct {
	Now     Dispute
	Holds   int64 // by how much more of the payment's money the dispute holds, in minor units
	Entries []ledger.Transaction
	Events  []event.Event
}

// Observe takes in what Stripe says of a dispute. It is the only way a dispute changes, by events and by Stripe's answers alike, in any
// order and more than once. country is that of the Stripe account, which decides on Stripe's fees; "" is not known.
func Observe(was Dispute, seen Word, country string, at time.Time) Outcome {
	now := was
	follow(&now, seen)
	moveMoney(&now, seen)
	charge(&now, seen, country)
	if unchanged(was, now) {
		return Outcome{Now: was}
	}
	now.UpdatedAt = at
	return Outcome{Now: now, Holds: now.holds() - was.holds(), Entries: entries(was, now, at), Events: events(was, now, at)}
}

// holds is what of the payment's money the dispute has taken and not given back.
func (d Dispute) holds() int64 { return d.Withdrawn.Minor - d.Reinstated.Minor }

// ranks orders the statuses as a dispute's life goes, for words come in any order: a word of a status that is past says nothing new. A
// dispute that is lost may still be won, never the other way round.
var ranks = map[Status]int{InquiryOpen: 1, InquiryReviewed: 2, InquiryClosed: 3, Prevented: 4, NeedsResponse: 5, UnderReview: 6, Lost: 7, Won: 8}

func (s Status) isKnown() bool { return ranks[s] > 0 }

// isChargeback says that the bank has taken the money, whatever became of it since.
func (s Status) isChargeback() bool { return ranks[s] >= ranks[NeedsResponse] }

// follow goes with Stripe to the status that the dispute has reached. Two words of one status may differ in what can only grow.
func follow(now *Dispute, seen Word) {
	rank, known := ranks[Status(seen.Status)], ranks[now.Status]
	switch {
	case rank == 0 || rank < known:
	case rank > known:
		now.Status, now.Amount.Minor = Status(seen.Status), seen.Amount
		now.Reason, now.NetworkCode, now.CaseType = seen.Reason, seen.PaymentMethodDetails.Card.NetworkCode, seen.PaymentMethodDetails.Card.CaseType
		now.Evidence.DueBy, now.Evidence.PastDue = dueBy(seen), seen.EvidenceDetails.PastDue
	default:
		now.Amount.Minor = max(now.Amount.Minor, seen.Amount)
		now.Evidence.PastDue = now.Evidence.PastDue || seen.EvidenceDetails.PastDue
		if due := dueBy(seen); due != nil && (now.Evidence.DueBy == nil || due.After(*now.Evidence.DueBy)) {
			now.Evidence.DueBy = due
		}
	}
	now.Evidence.Given = now.Evidence.Given || seen.EvidenceDetails.HasEvidence
	now.Evidence.Submissions = max(now.Evidence.Submissions, seen.EvidenceDetails.SubmissionCount)
}

func dueBy(seen Word) *time.Time {
	if seen.EvidenceDetails.DueBy == 0 {
		return nil
	}
	due := time.Unix(seen.EvidenceDetails.DueBy, 0).UTC()
	return &due
}

// moveMoney is the other machine: what has left the balance, and what has come back. A chargeback's status says the first and won the second,
// and so do the events of money, whatever the status; what came back had left.
func moveMoney(now *Dispute, seen Word) {
	switch {
	case now.Status.isChargeback():
		now.Withdrawn.Minor = now.Amount.Minor
	case seen.Moved == stripe.FundsWithdrawn:
		now.Withdrawn.Minor = max(now.Withdrawn.Minor, seen.Amount)
	}
	switch {
	case now.Status == Won:
		now.Reinstated.Minor = now.Amount.Minor
	case seen.Moved == stripe.FundsReinstated:
		now.Reinstated.Minor = max(now.Reinstated.Minor, seen.Amount)
	}
	now.Withdrawn.Minor = max(now.Withdrawn.Minor, now.Reinstated.Minor)
	now.Discrepancy = discrepancy(*now)
}

func discrepancy(d Dispute) string {
	switch {
	case d.Reinstated.Positive() && d.Status != Won:
		return fmt.Sprintf("Stripe has given %s %s back, and the dispute is %s.", d.Reinstated, d.Currency, d.Status)
	case d.Withdrawn.Positive() && !d.Status.isChargeback():
		return fmt.Sprintf("Stripe has taken %s %s, and the dispute is %s, which takes nothing.", d.Withdrawn, d.Currency, d.Status)
	}
	return ""
}

// charge is what Stripe takes for the dispute, by the prices of the day on which it was raised. A fee that is once known stays.
func charge(now *Dispute, seen Word, country string) {
	answer(now, seen)
	if price, known := ledger.DisputeFee(country, now.Currency, now.OpenedAt); known && now.Withdrawn.Positive() {
		now.received = max(now.received, price.Minor)
	}
	if price, known := ledger.CounterFee(country, now.Currency, now.OpenedAt); known && now.answered {
		now.countered = max(now.countered, price.Minor)
	}
	if now.Status == Won {
		now.returned = now.countered
		if !ledger.DisputeFeeKept(country, now.OpenedAt) {
			now.returned += now.received
		}
	}
	now.Fee.Minor = now.received + now.countered - now.returned
}

// answer learns whether evidence was sent for a chargeback, which costs. Stripe's count of submissions holds those for the inquiry that it was
// before too: how many these were is what it shows while it waits for an answer.
func answer(now *Dispute, seen Word) {
	switch Status(seen.Status) {
	case NeedsResponse:
		now.inquired = max(now.inquired, seen.EvidenceDetails.SubmissionCount)
	case UnderReview:
		now.answered = true
	}
	if decided := now.Status == Won || now.Status == Lost; decided && now.inquired != unknown && now.Evidence.Submissions > now.inquired {
		now.answered = true
	}
}

// entries books what has moved, each fact by itself. The key holds the total, so that a total is booked once.
func entries(was, now Dispute, at time.Time) (all []ledger.Transaction) {
	f := ledger.Fact{Scope: now.scope, Generation: now.generation, Payment: now.PaymentID, Source: now.ProviderRef, At: at}
	of := func(minor int64) money.Money { return money.FromMinor(minor, now.Currency) }
	book := func(rule func(ledger.Fact, string, money.Money, money.Money) ledger.Transaction, part string, total, amount, fee int64) {
		if amount != 0 || fee != 0 {
			all = append(all, rule(f, fmt.Sprintf("%s/%d", part, total), of(amount), of(fee)))
		}
	}
	book(ledger.Dispute, "withdrawn", now.Withdrawn.Minor, now.Withdrawn.Minor-was.Withdrawn.Minor, 0)
	book(ledger.Dispute, "fee", now.received, 0, now.received-was.received)
	book(ledger.Dispute, "countered", now.countered, 0, now.countered-was.countered)
	book(ledger.DisputeReversed, "reinstated", now.Reinstated.Minor, now.Reinstated.Minor-was.Reinstated.Minor, 0)
	book(ledger.DisputeReversed, "returned", now.returned, 0, now.returned-was.returned)
	return all
}

// events tells that a dispute is there, each move of its money, and each change of its status, in this order and once.
func events(was, now Dispute, at time.Time) (all []event.Event) {
	tell := func(when bool, kind string) {
		if when {
			all = append(all, event.New(now.scope, "dispute."+kind, now.ID, now, at))
		}
	}
	tell(was.version == 0, "opened")
	tell(!was.Withdrawn.Positive() && now.Withdrawn.Positive(), "funds_withdrawn")
	tell(!was.Reinstated.Positive() && now.Reinstated.Positive(), "funds_reinstated")
	if was.Status == now.Status {
		return all
	}
	switch now.Status {
	case Won, Lost:
		tell(true, string(now.Status))
	case InquiryClosed, Prevented:
		tell(true, "closed")
	default:
		tell(was.version != 0, "updated")
	}
	return all
}

// unchanged says that a word leaves the row as it is.
func unchanged(was, now Dispute) bool {
	return was.version != 0 && was.Status == now.Status && was.Amount == now.Amount && was.Withdrawn == now.Withdrawn && was.Reinstated == now.Reinstated &&
		was.received == now.received && was.countered == now.countered && was.returned == now.returned && was.answered == now.answered &&
		was.inquired == now.inquired && was.Reason == now.Reason && was.NetworkCode == now.NetworkCode && was.CaseType == now.CaseType && was.Evidence.same(now.Evidence)
}

func (e Evidence) same(other Evidence) bool {
	due := e.DueBy == other.DueBy || e.DueBy != nil && other.DueBy != nil && e.DueBy.Equal(*other.DueBy)
	return due && e.PastDue == other.PastDue && e.Given == other.Given && e.Submissions == other.Submissions
}
