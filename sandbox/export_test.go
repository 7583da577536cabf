package sandbox

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// Card is a row of the tables of test cards, as the tests see it.
type Card struct {
	Number, Brand, Country, Funding string
	Names                           []string
	Declines, Attachable            bool
}

// AllCards are all rows.
func AllCards() (all []Card) {
	for _, table := range [][]card{brandCards, countryCards, declineCards, radarCards, disputeCards, secureCards, triggerCards} {
		for i := range table {
			c := &table[i]
			all = append(all, Card{c.number, c.brand(), c.country, c.funding, strings.Fields(c.names), c.does.decline != nil || c.does.risk == "highest", c.does.attachable})
		}
	}
	return all
}

// ResourceNames are the names of the resources' objects.
func ResourceNames() (all []string) {
	for _, r := range resources {
		all = append(all, r.Object)
	}
	return all
}

// MethodKinds are the names of the kinds of payment methods beside cards. Those that are rows of hostedKinds share one transcript.
func MethodKinds() (all []string) {
	for _, k := range kindsOfMethods() {
		if hostedByName[k.name] == nil {
			all = append(all, k.name)
		}
	}
	return append(all, "hosted")
}

// DebitAccount is a row of the tables of test bank accounts, as the tests see it.
type DebitAccount struct {
	Kind, Currency, Number     string
	Names                      []string
	Fails, Disputed, Refused   string
	Unusable, Mandate          string
	Slow, Stuck, Blocked, Deaf bool // Deaf: no microdeposit reaches it
}

// AllDebitAccounts are all rows.
func AllDebitAccounts() (all []DebitAccount) {
	tabulated.Do(tabulate)
	for kind, rows := range map[string][]debitAccount{"au_becs_debit": becsAccounts, "bacs_debit": bacsAccounts, "sepa_debit": sepaAccounts(), "us_bank_account": achAccounts} {
		for _, row := range rows {
			k := methodKinds[kind]
			one := DebitAccount{Kind: kind, Currency: k.currencies[0], Number: row.number, Fails: row.does.fails, Disputed: row.does.disputed, Refused: row.does.refused,
				Unusable: row.does.unusable, Mandate: row.does.mandate, Slow: row.does.slow, Stuck: row.does.stuck, Blocked: row.does.blocked, Deaf: row.does.deposits != ""}
			for _, name := range strings.Fields(row.names) {
				one.Names = append(one.Names, k.test+name)
			}
			all = append(all, one)
		}
	}
	return all
}

// ValidIBAN and WithCheckDigits are those of IBANs.
var (
	ValidIBAN       = validIBAN
	WithCheckDigits = withCheckDigits
)

// Break stores a record that makes whatever touches it panic.
func Break(s *Server, suffix, id string) {
	w, _ := s.world(suffix, true)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.home.byID[id] = &record{id: id}
}

// What is pure is tested as it is.
var (
	Settlement = delayOf("US").after
	Luhn       = luhn
	Fee        = func(amount int64) int64 { return priceOf("US", time.Now()).fee(amount, "usd", "US") }
)

// Converted is an amount in another currency, at the middle rate.
func Converted(amount int64, from, to string) int64 {
	amount, _ = exchanged(amount, from, to, middle)
	return amount
}

// CardFee is what a card payment costs an account of a country.
func CardFee(country, settled, card string, amount int64) int64 {
	return priceOf(country, time.Now()).fee(amount, settled, card)
}

// ParseQuery reads a search query of charges and says whether it could.
func ParseQuery(text string) bool {
	_, err := charges.parseQuery(text)
	return err == nil
}

// MaxKeyAge is how long idempotency keys live at least.
const MaxKeyAge time.Duration = keyLifetime

// Connect connects an account to the world of a key, with a bank account in its currency, and gives its id.
func Connect(s *Server, key, country, currency string) (id string) {
	return ConnectAs(s, key, country, currency, "stripe", "account")
}

// ConnectAs is Connect of an account of which is said who is liable for its losses and who pays Stripe's fees.
func ConnectAs(s *Server, key, country, currency, losses, payer string) (id string) {
	_, suffix := parseKey(key)
	w, _ := s.world(suffix, true)
	_ = w.step(func() {
		r := w.home.record("account", w.home.newAccountID())
		o := r.object().Set("charges_enabled", true).Set("payouts_enabled", true).Set("country", country).Set("default_currency", currency)
		o.Set("capabilities", spec.New("account_capabilities").Set("card_payments", "active").Set("transfers", "active"))
		o.Set("controller", spec.New("account_unification_account_controller").Set("type", "application").
			Set("fees", spec.New("account_unification_account_controller_fees").Set("payer", payer)).
			Set("losses", spec.New("account_unification_account_controller_losses").Set("payments", losses)))
		made := w.home.own().connect(r, &standing{Country: country, Currency: currency, Schedule: firstSchedule(country)})
		made.establishBank(currency)
		id = r.id
	})
	return id
}

// Populate fills the world of a key with customers.
func Populate(s *Server, key string, n int) {
	_, suffix := parseKey(key)
	w, _ := s.world(suffix, true)
	_ = w.step(func() {
		for i := range n {
			r := w.home.record("customer", w.home.newShortID("cus_"))
			r.object().Set("email", "customer"+strconv.Itoa(i)+"@example.com").Set("metadata", map[string]string{"number": strconv.Itoa(i)})
			w.home.insert(r)
		}
	})
}

// FillList puts so many values into a list.
func FillList(s *Server, key, list string, n int) {
	_, suffix := parseKey(key)
	w, _ := s.world(suffix, true)
	_ = w.step(func() {
		for i := range n {
			r := w.home.record("radar.value_list_item", w.home.newID("rsli_"))
			r.object().Set("value", "value "+strconv.Itoa(i)).Set("value_list", list).Set("created_by", "test")
			w.home.insert(r)
		}
	})
}

// BreakJournal makes the next write to a world's journal fail.
func BreakJournal(s *Server, key string) {
	_, suffix := parseKey(key)
	w, _ := s.world(suffix, true)
	_ = w.journal.file.Close()
}

// Folded is the form in which searches compare text.
func Folded(text string) string { return folded(text) }

// FaultKinds are the kinds of all faults.
func FaultKinds() []string { return append(slices.Clone(apiFaults), webhookFaults...) }

// FillDisk lets a world's journal take half a line and then no more, until the disk is emptied again.
func FillDisk(s *Server, key string) (empty func(), err error) {
	_, suffix := parseKey(key)
	w, _ := s.world(suffix, true)
	full, err := os.Open(w.journal.path) // to read alone
	if err != nil {
		return nil, err
	}
	if _, err := w.journal.file.WriteString(`{"records":[{"ki`); err != nil {
		return nil, err
	}
	swap := func(to *os.File) (was *os.File) {
		w.journal.writing.Lock()
		defer w.journal.writing.Unlock()
		was, w.journal.file = w.journal.file, to
		return was
	}
	right := swap(full)
	return func() { _ = swap(right).Close() }, nil
}

// Restrict takes a connected account all that it may do.
func Restrict(s *Server, key, account string) {
	_, suffix := parseKey(key)
	w, _ := s.world(suffix, true)
	_ = w.step(func() {
		o := w.home.byID[account].object().Set("charges_enabled", false).Set("payouts_enabled", false)
		o.Set("capabilities", spec.New("account_capabilities").Set("card_payments", "inactive").Set("transfers", "inactive"))
	})
}

// What is said of connected accounts, as it is read.
var (
	PhoneOf      = phoneOf
	AsDescriptor = asDescriptor
	IsSite       = isSite
	Bracketed    = bracketed
)
