package diagnose

import "time"

// Action is what can be done about a declined payment.
type Action string

// The actions, the most hopeful first.
const (
	RetryNow     Action = "retry_now"    // the same card again, in a minute: the bank never said no
	Authenticate Action = "authenticate" // the same card, with the customer at the bank's page
	UpdateCard   Action = "update_card"  // the card's data are wrong or out of date
	RetryLater   Action = "retry_later"  // the same card in some days; until then another one
	AnotherCard  Action = "another_card" // this card will not do
	LookInto     Action = "look_into"    // a person should look first: Stripe stopped it
	Unclear      Action = "unclear"      // nobody has said why
)

// actions in the order in which they are shown.
var actions = []Action{RetryNow, Authenticate, UpdateCard, RetryLater, AnotherCard, LookInto, Unclear}

// does says an action in the words of a merchant.
var does = map[Action]string{
	RetryNow: "try the same card again", Authenticate: "have the customer confirm at the bank's page", UpdateCard: "ask for the card's data again",
	RetryLater: "ask for another card now, or try this one again in some days", AnotherCard: "ask for another card",
	LookInto: "look at it before anything is tried", Unclear: "nothing known",
}

// declineCode is what a decline code of Stripe's asks for. wait is when the same card may be tried again: 0 where at once, or never.
type declineCode struct {
	action Action
	wait   time.Duration
	words  string
}

const day = 24 * time.Hour

// declineCodes is docs.stripe.com/declines/codes as it stood in November 2026, with what to do next. Insufficient funds count as final for a
// try at once, and are worth another one some days later: the schedule is till's, Stripe names none. Who declined is not in this table,
// and must not be read from a code: "fraudulent" is said by banks and by Radar alike.
var declineCodes = map[string]declineCode{
	"approve_with_id":                       {RetryNow, 0, "the bank could not be asked"},
	"issuer_not_available":                  {RetryNow, 0, "the bank could not be reached"},
	"processing_error":                      {RetryNow, 0, "an error on the way to the bank"},
	"reenter_transaction":                   {RetryNow, 0, "the bank could not process it"},
	"try_again_later":                       {RetryNow, 0, "the bank asks to try again"},
	"authentication_required":               {Authenticate, 0, "the bank wants 3-D Secure"},
	"mobile_device_authentication_required": {Authenticate, 0, "the bank wants it confirmed on the phone"},
	"expired_card":                          {UpdateCard, 0, "the card has expired"},
	"incorrect_address":                     {UpdateCard, 0, "the address is not the card's"},
	"incorrect_cvc":                         {UpdateCard, 0, "the security code is wrong"},
	"incorrect_number":                      {UpdateCard, 0, "the card number is wrong"},
	"incorrect_zip":                         {UpdateCard, 0, "the postal code is not the card's"},
	"invalid_cvc":                           {UpdateCard, 0, "the security code is wrong"},
	"invalid_expiry_month":                  {UpdateCard, 0, "the expiry date is wrong"},
	"invalid_expiry_year":                   {UpdateCard, 0, "the expiry date is wrong"},
	"invalid_number":                        {UpdateCard, 0, "the card number is wrong"},
	"card_velocity_exceeded":                {RetryLater, 3 * day, "the card's limit is used up"},
	"insufficient_funds":                    {RetryLater, 3 * day, "not enough money on the card"},
	"withdrawal_count_limit_exceeded":       {RetryLater, 3 * day, "the card's limit is used up"},
	"call_issuer":                           {AnotherCard, 0, "the bank gave no reason"},
	"card_not_supported":                    {AnotherCard, 0, "the card is not made for such purchases"},
	"currency_not_supported":                {AnotherCard, 0, "the card does not take this currency"},
	"do_not_honor":                          {AnotherCard, 0, "the bank gave no reason"},
	"do_not_try_again":                      {AnotherCard, 0, "the bank gave no reason and wants no other try"},
	"fraudulent":                            {AnotherCard, 0, "taken for fraud"},
	"generic_decline":                       {AnotherCard, 0, "the bank gave no reason"},
	"invalid_account":                       {AnotherCard, 0, "the account behind the card is not valid"},
	"lost_card":                             {AnotherCard, 0, "the card is reported lost"},
	"no_action_taken":                       {AnotherCard, 0, "the bank gave no reason"},
	"not_permitted":                         {AnotherCard, 0, "the card is not made for such purchases"},
	"pickup_card":                           {AnotherCard, 0, "the card is reported lost or stolen"},
	"restricted_card":                       {AnotherCard, 0, "the card is blocked"},
	"revocation_of_all_authorizations":      {AnotherCard, 0, "the customer has told the bank to stop"},
	"revocation_of_authorization":           {AnotherCard, 0, "the customer has told the bank to stop"},
	"security_violation":                    {AnotherCard, 0, "the bank gave no reason"},
	"service_not_allowed":                   {AnotherCard, 0, "the bank gave no reason"},
	"stolen_card":                           {AnotherCard, 0, "the card is reported stolen"},
	"stop_payment_order":                    {AnotherCard, 0, "the customer has told the bank to stop"},
	"transaction_not_allowed":               {AnotherCard, 0, "the bank does not allow it for this card"},
	"merchant_blacklist":                    {LookInto, 0, "it matches one of your block lists"},
	"payment_intent_authentication_failure": {AnotherCard, 0, "the customer did not pass 3-D Secure"},
}

// code is why a payment failed, in Stripe's word.
func (p Payment) code() string {
	return first(p.Failure.DeclineCode, p.Failure.Code, p.Outcome.Reason, "not_told")
}

// words is a code for people.
func words(code string) string { return first(declineCodes[code].words, "the bank's own word") }

// remedy is what to do about a declined payment, and when the same card may be tried again. Stripe stopped what is blocked, whatever its code
// says. What the card network advises comes before the table: to ignore "do not try again" is fined.
func (p Payment) remedy() (Action, time.Duration) {
	known, ok := declineCodes[p.code()]
	switch {
	case p.class() == Radar:
		return LookInto, 0
	case p.Failure.Advice == "do_not_try_again":
		return AnotherCard, 0
	case p.Failure.Advice == "confirm_card_data":
		return UpdateCard, 0
	case ok:
		return known.action, known.wait
	case p.Failure.Advice == "try_again_later":
		return RetryLater, 3 * day
	case p.class() == Technical:
		return RetryNow, 0
	}
	return Unclear, 0
}
