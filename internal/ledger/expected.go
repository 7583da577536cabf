package ledger

import (
	"strconv"
	"time"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/money"
)

// The rules of the expected book: what each fact does. A fact is told by its room in Stripe's objects; nothing here has seen a balance
// transaction.

// Fact is what is booked: of whom, under which Stripe account, for which payment, moved by which of Stripe's objects, and when.
type Fact struct {
	db.Scope
	Generation int64
	Payment    string // "" where it is of none
	Source     string // ch_…, re_…, du_…, po_…
	At         time.Time
}

func (f Fact) books(key, kind string, amount, fee money.Money, lines ...Line) Transaction {
	return Transaction{f.Scope, Expected, key, f.Payment, f.At, lines, Movement{f.Generation, kind, f.Source, amount, fee}}
}

func none(like money.Money) money.Money { return money.Money{Currency: like.Currency} }

// moved is the two lines of money that comes into Stripe's balance; it leaves it where m is negative.
func moved(against Account, m money.Money) []Line {
	return []Line{{StripeBalance, m}, {against, negative(m)}}
}

// taken is the two lines of a fee; what costs nothing has none.
func taken(fee money.Money) []Line {
	if fee.IsZero() {
		return nil
	}
	return []Line{{Fees, fee}, {FeesTaken, negative(fee)}}
}

// Charge books money that was captured: Stripe holds it for us, and it is income. captured is the total by now, which tells one capture
// from another.
func Charge(f Fact, captured int64, m money.Money) Transaction {
	return f.books("payment/"+f.Payment+"/charge/"+strconv.FormatInt(captured, 10), "charge", m, none(m), moved(Sales, m)...)
}

// ChargeFee books what Stripe is expected to take for a captured payment. Until the card is known, it is outstanding.
func ChargeFee(f Fact, captured int64, fee money.Money) Transaction {
	return f.books("payment/"+f.Payment+"/fee/"+strconv.FormatInt(captured, 10), "charge", none(fee), fee, taken(fee)...)
}

// Refund books money that went back to the customer. Stripe keeps its fee.
func Refund(f Fact, refund string, m money.Money) Transaction {
	return f.books("refund/"+refund, "refund", negative(m), none(m), moved(Refunds, negative(m))...)
}

// RefundFailed books that a refund came back: the exact reverse of Refund.
func RefundFailed(f Fact, refund string, m money.Money) Transaction {
	return f.books("refund/"+refund+"/failed", "refund_failure", m, none(m), moved(Refunds, m)...)
}

// Dispute books what a bank takes back for its cardholder, and what Stripe takes for that. part tells one withdrawal from another.
func Dispute(f Fact, part string, m, fee money.Money) Transaction {
	return f.books("dispute/"+f.Source+"/"+part, "dispute", negative(m), fee, append(moved(Disputes, negative(m)), taken(fee)...)...)
}

// DisputeReversed books that money of a dispute came back, and how much of the fee.
func DisputeReversed(f Fact, part string, m, fee money.Money) Transaction {
	return f.books("dispute/"+f.Source+"/"+part, "dispute_reversal", m, negative(fee), append(moved(Disputes, m), taken(negative(fee))...)...)
}

// Payout books money that leaves for the merchant's bank, with the price of an instant one.
func Payout(f Fact, m, fee money.Money) Transaction {
	return f.books("payout/"+f.Source, "payout", negative(m), fee, append(moved(InTransit, negative(m)), taken(fee)...)...)
}

// PayoutReversed books that a payout came back, for it failed or was cancelled, and its price with it.
func PayoutReversed(f Fact, m, fee money.Money) Transaction {
	return f.books("payout/"+f.Source+"/reversed", "payout_reversal", m, negative(fee), append(moved(InTransit, m), taken(negative(fee))...)...)
}
