package payout

import (
	"time"

	"github.com/till-pay/till/internal/money"
)

// Result is how a check ended.
type Result string

// The results. Unknown says that Stripe did not tell: the check's text has the reason.
const (
	OK      Result = "ok"
	Warning Result = "warning"
	Problem Result = "problem"
	Unknown Result = "unknown"
)

// Check is one of the five questions of a diagnosis.
type Check struct {
	Name    string   `json:"name" enum:"payouts_enabled,requirements,bank_account,balance,disputes"`
	Result  Result   `json:"result" enum:"ok,warning,problem,unknown"`
	Text    string   `json:"text" doc:"What was found, in a sentence."`
	Details []string `json:"details" doc:"The parts of it, such as each thing that Stripe asks for."`
}

// Action is what ends the trouble.
type Action struct {
	Who        string     `json:"who" enum:"merchant,merchant's bank,stripe,nobody"`
	Text       string     `json:"text" doc:"Exactly what is to be done."`
	Expected   string     `json:"expected" doc:"When money moves after it, in words."`
	ExpectedOn *time.Time `json:"expected_on" doc:"The first day on which the next payout is made once it is done, by the account's schedule, without public holidays; null where that hangs on somebody else."`
}

// Attempt is a payout as the diagnosis lists it.
type Attempt struct {
	ProviderRef string         `json:"provider_ref" example:"po_…"`
	Status      Status         `json:"status" enum:"pending,in_transit,paid,failed,cancelled"`
	Amount      money.Money    `json:"amount" example:"1250.00"`
	Currency    money.Currency `json:"currency" example:"EUR"`
	Automatic   bool           `json:"automatic"`
	Method      string         `json:"method"`
	Destination string         `json:"destination" doc:"The bank account as Stripe shows it, such as STRIPE TEST BANK ···· 3001."`
	CreatedAt   time.Time      `json:"created_at"`
	ArrivalDate time.Time      `json:"arrival_date"`
	FailedAt    *time.Time     `json:"failed_at" doc:"When the money came back to the balance; null where it did not."`
	FailureCode string         `json:"failure_code" example:"account_closed"`
	FailureText string         `json:"failure_text" doc:"The code in plain words; empty where it did not fail."`
}

// Failing is the run of failures that goes on now, by all payouts that have ended.
type Failing struct {
	Since    *time.Time `json:"since" doc:"When the first payout of the run failed; null where the last one to end was paid, or none has ended."`
	Attempts int        `json:"attempts" doc:"Payouts that have failed since, without one that was paid in between."`
	AtLeast  bool       `json:"at_least" doc:"true where the run is longer than the payouts that were read."`
	Codes    []string   `json:"codes" doc:"The failure codes of the run, newest first, each once."`
	LastPaid *Attempt   `json:"last_paid" doc:"The last payout that was paid; null where none was among those that were read."`
}

// OnDay is money that becomes available on a day.
type OnDay struct {
	Day    string      `json:"day" format:"date" example:"2026-11-30"`
	Amount money.Money `json:"amount"`
}

// Funds are the money of a currency, by where it is.
type Funds struct {
	Currency     money.Currency `json:"currency"`
	Available    money.Money    `json:"available" doc:"Free to be paid out. A payout that fails comes back to here."`
	Pending      money.Money    `json:"pending" doc:"Captured, and not available yet."`
	PendingByDay []OnDay        `json:"pending_by_day" doc:"When it becomes available, days in UTC. Where Stripe has more of it than was read, the rest is in pending_undated."`
	Undated      money.Money    `json:"pending_undated"`
	InTransit    money.Money    `json:"in_transit" doc:"Payouts on their way to the bank."`
	Reserved     money.Money    `json:"reserved" doc:"Kept by Stripe for connected accounts."`
	Disputed     money.Money    `json:"disputed" doc:"Taken by open disputes until they are decided."`
	AtStripe     money.Money    `json:"at_stripe" doc:"available and pending: what will be paid out once payouts go out."`
}

// Diagnosis says why money does not arrive at the bank, and what ends it.
type Diagnosis struct {
	AsOf     time.Time `json:"as_of"`
	Account  string    `json:"account" example:"acct_…"`
	Livemode bool      `json:"livemode"`
	Verdict  Side      `json:"verdict" enum:"stripe_side,bank_side,system_side,none"`
	Cause    string    `json:"cause" enum:"payouts_disabled,bank_refuses,bank_account_errored,no_bank_account,insufficient_funds,disputes_hold_funds,balance_negative,schedule_manual,minimum_balance,repaired,in_transit,all_pending,no_money,healthy"`
	Summary  string    `json:"summary" doc:"The verdict in a sentence."`
	Action   Action    `json:"action"`
	Schedule string    `json:"schedule" doc:"manual, daily, weekly or monthly; empty where Stripe did not tell."`
	Checks   []Check   `json:"checks" doc:"Always the five, in this order."`
	Failing  Failing   `json:"failing"`
	Attempts []Attempt `json:"attempts" doc:"The last ten payouts, newest first."`
	Money    []Funds   `json:"money" doc:"By currency."`
}
