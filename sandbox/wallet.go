package sandbox

import (
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// wallet is what a card is paid through. A wallet hands over a card's token, which Stripe.js makes in the customer's browser: a client
// of a sandbox names one by putting the wallet's name behind a test card's, tok_visa_apple_pay or pm_card_visa_apple_pay. These names
// are this sandbox's own. Stripe has none, for it tests wallets with real devices (docs.stripe.com/testing/wallets).
type wallet struct {
	name    string // type of the wallet: apple_pay
	device  bool   // the customer authenticates with the device, so that the issuer challenges nobody
	dynamic bool   // the card has another number on the device, of which dynamic_last4 are the last digits
	old     string // tokenization_method of cards of the older kind
}

var wallets = []wallet{
	{name: "apple_pay", device: true, dynamic: true, old: "apple_pay"},
	{name: "google_pay", device: true, dynamic: true, old: "android_pay"},
	{name: "samsung_pay", device: true, dynamic: true},
	{name: "link"},
	{name: "amex_express_checkout", old: "amex_express_checkout"},
	{name: "masterpass", old: "masterpass"},
	{name: "visa_checkout", old: "visa_checkout"},
}

// walletCalled is a wallet by its name; nil where there is none.
func walletCalled(name string) *wallet {
	for i := range wallets {
		if wallets[i].name == name {
			return &wallets[i]
		}
	}
	return nil
}

// instrumentCalled is what pm_card_<name> and tok_<name> stand for: a test card, or one in a wallet; nil where there is none.
func instrumentCalled(name string) *instrument {
	if known := cardByName(name); known != nil {
		return &instrument{Number: known.number, CVC: true}
	}
	for i := range wallets {
		if known := cardByName(strings.TrimSuffix(name, "_"+wallets[i].name)); known != nil {
			return &instrument{Number: known.number, Wallet: wallets[i].name}
		}
	}
	return nil
}

// device says whether the customer has authenticated with the device that the wallet is on.
func (in *instrument) device() bool {
	if in.Wallet == "" {
		return false
	}
	return walletCalled(in.Wallet).device
}

// dynamicLast4 are the last digits of the card's number on the device, nil where it has none of its own. In test mode they are those
// of Visa's test card (unconfirmed).
func (w *wallet) dynamicLast4() any {
	if w.dynamic {
		return "4242"
	}
	return nil
}

// wallet is the card's wallet in a shape, for payment methods or for charges; nil is none.
func (in *instrument) wallet(shape string, billing *spec.Object) any {
	if in.Wallet == "" {
		return nil
	}
	w := walletCalled(in.Wallet)
	of := spec.New(shape + "_" + w.name)
	if _, tells := spec.FieldOf(of.Shape(), "billing_address"); tells {
		of.Set("billing_address", billing.Sub("address").Clone()).Set("email", billing.Get("email")).Set("name", billing.Get("name"))
	}
	return spec.New(shape).Set("type", w.name).Set(w.name, of).Set("dynamic_last4", w.dynamicLast4())
}

// asOldCard adds to a card of the older kind what it tells of its wallet.
func (in *instrument) asOldCard(o *spec.Object) *spec.Object {
	w := walletCalled(in.Wallet)
	if w == nil {
		return o
	}
	if w.old != "" {
		o.Set("tokenization_method", w.old)
	}
	return o.Set("dynamic_last4", w.dynamicLast4())
}
