// Package localprice says what a price is in the currency of a customer's country: the amount to charge, the rate and where it is from, how it
// was rounded, and what is expected to be left of it. It moves no money: the payment is an ordinary one, in the currency that is answered.
//
//	price     the merchant's, in a currency of its own
//	country   of the customer: what people pay in there (money/country.go), where Stripe charges it and the merchant wants it
//	rate      Stripe's middle rate of the day, kept, or the merchant's own
//	settles   what becomes of the charge in Stripe's balance: converted or not, less a fee that is foretold
package localprice

import (
	"time"

	"github.com/till-pay/till/internal/clock"
	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/merchant"
	"github.com/till-pay/till/internal/money"
)

// Prices answers what prices are elsewhere.
type Prices struct {
	DB        *db.DB
	Clock     clock.Clock
	Merchants *merchant.Merchants
}

// Reason is why a price is in its currency.
type Reason string

// The reasons. Only the first converts.
const (
	Local      Reason = "local_currency" // of the customer's country
	Same       Reason = "same_currency"  // which is the price's own
	Off        Reason = "switched_off"   // the merchant does not charge in local currencies
	NotChosen  Reason = "not_chosen"     // the merchant does not charge in this one
	NotCharged Reason = "not_charged"    // Stripe does not charge in this one
)

// Price is a price for a customer in a country.
type Price struct {
	Country       money.Country  `json:"country" example:"PL"`
	Currency      money.Currency `json:"currency" example:"PLN" doc:"To charge in."`
	Amount        money.Money    `json:"amount" example:"252.99" doc:"To charge."`
	LocalCurrency string         `json:"local_currency" example:"PLN" doc:"What people pay in there, charged or not."`
	Reason        Reason         `json:"reason" enum:"local_currency,same_currency,switched_off,not_chosen,not_charged" doc:"Why the price is in this currency: that of the customer's country, or your own because it is the same, local currencies are switched off, you have not chosen this one, or Stripe does not charge in it."`
	Price         Amount         `json:"price" doc:"As you gave it."`
	Rate          *Rate          `json:"rate" doc:"Null where nothing was converted."`
	Rounding      *Rounding      `json:"rounding" doc:"Null where nothing was converted."`
	Minimum       *money.Money   `json:"minimum" example:"2.00" doc:"The least that Stripe charges, from that of the currency it settles in; null where that is not known. Stripe's answer decides."`
	TooLittle     bool           `json:"below_minimum"`
	Strong        bool           `json:"strong_authentication" doc:"The law asks for strong customer authentication: the customer's card and your account are in the European Economic Area or the United Kingdom. Give payments a return_url."`
	Settlement    *Settlement    `json:"settlement" doc:"What is expected to arrive in Stripe's balance; null where no rate tells."`
}

// Amount is money with its currency beside it.
type Amount struct {
	Amount   money.Money    `json:"amount" example:"49.00"`
	Currency money.Currency `json:"currency" example:"GBP"`
}

// Of is money as an Amount.
func Of(m money.Money) Amount { return Amount{m, m.Currency} }

// Rate is what a price was converted at.
type Rate struct {
	Value  string    `json:"value" example:"5.1557" doc:"Units of the customer's currency for one of the price's."`
	Source string    `json:"source" enum:"stripe,merchant" doc:"Stripe's middle rate, or the one you gave."`
	AsOf   time.Time `json:"as_of" doc:"When Stripe was asked for it, or you gave it."`
}

// Rounding is how an amount was rounded.
type Rounding struct {
	Exact string `json:"exact" example:"252.6293" doc:"The price at the rate, before rounding."`
	Step  string `json:"step" example:"1.00" doc:"To a multiple of this…"`
	Less  string `json:"less" example:"0.01" doc:"…and this much less."`
	Way   string `json:"way" enum:"nearest,up"`
}

// Settlement is what is expected of a charge in Stripe's balance.
type Settlement struct {
	Currency   money.Currency `json:"currency" example:"GBP"`
	Reason     string         `json:"reason" enum:"bank_account,default_currency" doc:"You have a bank account in the currency, or Stripe converts into your account's default one."`
	Amount     money.Money    `json:"amount" example:"48.08"`
	Fee        *money.Money   `json:"fee" example:"1.76" doc:"Stripe's, for a card of the customer's country, at standard prices; null where they are not known."`
	Net        *money.Money   `json:"net" example:"46.32"`
	Conversion *Conversion    `json:"conversion" doc:"Null where nothing is converted."`
	Estimated  bool           `json:"estimated" doc:"Always true: what Stripe takes is known when it has."`
}

// Conversion is what changing the money costs.
type Conversion struct {
	Rate    string      `json:"rate" example:"0.190083" doc:"That Stripe is expected to apply: units of the currency it settles in for one charged."`
	Middle  string      `json:"middle" example:"0.193962"`
	Percent string      `json:"percent" example:"2.00" doc:"How far the rate is below the middle one."`
	Cost    money.Money `json:"cost" example:"0.99" doc:"What is lost by that, in the currency it settles in."`
}

// Account is what is known of the merchant's Stripe account.
type Account struct {
	Country  string           // as ISO 3166 has it; "" where it is not known
	Currency money.Currency   // that it settles in by default; "" likewise
	Banks    []money.Currency // in which it can be paid out, and so settles without conversion
}
