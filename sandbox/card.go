package sandbox

import (
	"strings"
	"sync"
)

// card is a test card: a number, the names under which Stripe's documentation offers it (pm_card_<name>, tok_<name>) and what it does.
type card struct {
	number  string
	names   string // separated by spaces
	funding string // credit, debit or prepaid
	country string // of the issuer
	does    behaviour
}

// behaviour is what a test card does beyond paying. The zero value pays, is supported by 3D Secure and is never challenged.
type behaviour struct {
	decline    *decline // what every charge ends in
	attachable bool     // a declining card that attaches to a customer nevertheless
	secure     secure   // how it takes part in 3D Secure
	risk       string   // elevated or highest; empty is normal
	blocked    bool     // Radar stops the charge before it reaches the network, whatever the rules are
	cvcFails   bool     // the check of the security code, where one is given, fails
	zipFails   bool     // the check of the postal code, where one is given, fails
	lineFails  bool     // the check of the first address line, where one is given, fails
	unchecked  bool     // addresses are not checked
	instant    bool     // the funds are available at once
	refund     fate     // of its refunds
	claims     []claim  // the disputes over its charges
	warning    string   // fraud_type of the early fraud warning about its charges
	trigger    string   // what its charges do to the requirements of the connected account that is paid
}

// fate says what becomes of a card's refunds. The zero value is success at once.
type fate int

const (
	refundPending fate = iota + 1 // pending, and successful some time later
	refundFails                   // successful, and failed some time later
)

// secure says how a card takes part in 3D Secure.
type secure int

const (
	secureNotEnrolled  secure = iota // supported, but there is nothing to challenge
	secureUnsupported                // the network has no 3D Secure for it
	secureOptional                   // challenged only when the request asks for it
	secureOptionalErr                // asking for it ends in a processing error
	secureFrictionless               // authenticated without a challenge
	secureRequired                   // challenged on every payment and set-up
	secureUnlessSetUp                // challenged, except off session after it has been set up
	secureSetUp                      // as secureUnlessSetUp, and set up from the beginning
	secureLookupErr                  // required, but looking it up ends in a processing error
)

// decline is how an issuer, or Stripe for it, refuses: the fields of a card error.
type decline struct {
	code, declineCode, advice     string
	networkAdvice, networkDecline string
	param, message                string
}

// declineOf is the decline with a code that a bank can be made to answer; nil is none.
func declineOf(code string) *decline {
	for _, d := range bankSays {
		if d.declineCode == code {
			return d
		}
	}
	return nil
}

func bankCodes() (all []string) {
	for _, d := range bankSays {
		all = append(all, d.declineCode)
	}
	return all
}

// challenged says whether paying with the card needs the cardholder now.
func (b behaviour) challenged(offSession, setUp, asked bool) bool {
	switch b.secure {
	case secureRequired:
		return true
	case secureUnlessSetUp:
		return !offSession || !setUp
	case secureSetUp:
		return !offSession
	case secureOptional:
		return asked && !offSession
	default:
		return false
	}
}

// brand is the card network, by the number's leading digits (ISO/IEC 7812), spelled as in Stripe's API.
func (c *card) brand() string {
	n := c.number
	switch {
	case n[0] == '4':
		return "visa"
	case n[:2] == "34", n[:2] == "37":
		return "amex"
	case n[:2] == "30", n[:2] == "36", n[:2] == "38":
		return "diners"
	case n[:2] == "35":
		return "jcb"
	case n[:2] == "60", n[:2] == "65":
		return "discover"
	case n[:2] == "62":
		return "unionpay"
	case n[0] == '5', n[0] == '2':
		return "mastercard"
	default:
		return "unknown"
	}
}

func (c *card) last4() string { return c.number[len(c.number)-4:] }

// cardIndex finds cards by number and by name. It is built on first use, so that starting costs nothing.
var cardIndex = sync.OnceValue(func() (index struct{ numbers, names map[string]*card }) {
	index.numbers, index.names = map[string]*card{}, map[string]*card{}
	for _, table := range [][]card{brandCards, countryCards, declineCards, radarCards, disputeCards, secureCards, triggerCards} {
		for i := range table {
			c := &table[i]
			if _, twice := index.numbers[c.number]; !twice {
				index.numbers[c.number] = c
			}
			for _, name := range strings.Fields(c.names) {
				index.names[name] = c
				// Stripe's documentation has some decline names with the brand and some without it; both are taken for all.
				if short, branded := strings.CutPrefix(name, "visa_charge"); branded {
					index.names["charge"+short] = c
				} else if short, plain := strings.CutPrefix(name, "charge"); plain {
					index.names["visa_charge"+short] = c
				}
			}
		}
	}
	return index
})

// noCard is the card of what is none.
var noCard card

// cardByNumber finds a test card by its digits.
func cardByNumber(number string) *card { return cardIndex().numbers[number] }

// cardByName finds what pm_card_<name> and tok_<name> stand for.
func cardByName(name string) *card { return cardIndex().names[name] }

// luhn says whether the last digit of a card number fits the others (ISO/IEC 7812-1, annex B).
func luhn(number string) bool {
	if len(number) < 12 || len(number) > 19 {
		return false
	}
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if d < 0 || d > 9 {
			return false
		}
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
