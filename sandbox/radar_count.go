package sandbox

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/till-pay/till/internal/money"
	"github.com/till-pay/till/sandbox/radar"
)

// Bounds of counting: what a rule is told at most, as at Stripe, and how many charges are looked at for it, newest first.
const (
	mostCounted = 25
	mostSeen    = 10_000
)

// windows are how far counts look back, in seconds.
var windows = map[string]int64{"hourly": 3600, "daily": 86_400, "weekly": 604_800, "yearly": 31_536_000, "all_time": math.MaxInt32}

// patterns says what is known of the attributes of a pattern, by its family; see radar.Attribute.
var patterns = map[string]func(*screening, []string) radar.Value{
	"address":              addressFact,
	"amount":               amountFact,
	"usd_amount":           usdFact,
	"charges":              chargesFact,
	"card_count":           func(s *screening, p []string) radar.Value { return s.distinct(p[0], p[1], "card") },
	"email_count":          func(s *screening, p []string) radar.Value { return s.distinct(p[0], p[1], "email") },
	"name_count":           func(s *screening, p []string) radar.Value { return s.distinct(p[0], p[1], "name") },
	"customers":            func(s *screening, p []string) radar.Value { return s.distinct(p[0], p[1], "customer") },
	"fraudulent_customers": func(s *screening, p []string) radar.Value { return s.distinct(p[0], p[1], "defrauder") },
	"complaints":           complaintsFact,
	"since":                sinceFact,
}

// keyOf is what charges of one payer, of a sort, have in common; empty where nothing is known of it.
func (s *screening) keyOf(by string, p paid) string {
	switch by {
	case "card", "card_number":
		return p.said("payment_method_details", "card", "fingerprint")
	case "customer":
		return p.said("customer")
	case "defrauder":
		if disputed, _ := p.at("disputed").(bool); !disputed && p.said("fraud_details", "user_report") != "fraudulent" {
			return ""
		}
		return p.said("customer")
	case "email":
		return strings.ToLower(s.email(p))
	case "ip", "ip_address":
		return s.intent(p).IP
	case "name":
		return strings.ToLower(p.said("billing_details", "name"))
	case "billing_address":
		return strings.ToLower(p.address("billing_details", "address"))
	case "shipping_address":
		return strings.ToLower(p.address("shipping", "address"))
	}
	return ""
}

// address is a whole address in a line.
func (p paid) address(path ...string) string {
	var parts []string
	for _, name := range []string{"line1", "line2", "city", "state", "postal_code", "country"} {
		if part := p.said(append(slices.Clone(path), name)...); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}

// earlier is the charges of the same payer before this one, in a window, the newest first.
func (s *screening) earlier(by, window string) iter.Seq[paid] {
	return func(yield func(paid) bool) {
		key := s.keyOf(by, s.paid)
		if key == "" {
			return
		}
		all, since := s.candidates(by, key), s.created-windows[window]
		for i, looked := len(all)-1, 0; i >= 0 && looked < mostSeen && all[i].created >= since; i-- {
			p := paid{all[i]}
			if p.gone || s.order != 0 && p.order >= s.order {
				continue
			}
			looked++
			if s.keyOf(by, p) == key && !yield(p) {
				return
			}
		}
	}
}

// candidates are charges among which all of a payer's are, in order of making. The indexes by cards and addresses are those that
// searches have: they are there from the first rule that asks. Of other payers all charges are candidates.
func (s *screening) candidates(by, key string) []*record {
	switch by {
	case "customer":
		return s.c.having("charge", "customer", key)
	case "card", "card_number":
		if all, indexed := s.c.indexed("charge", "payment_method_details.card.fingerprint", key); indexed {
			return all
		}
	case "email":
		return s.ofAddress(key)
	}
	return s.c.all("charge")
}

// indexed is the records of a kind of which a field is a text, in any case; false where no more indexes are made.
func (w *realm) indexed(kind, field, text string) ([]*record, bool) {
	p := w.shelf(kind).postingsOf(clause{field: field})
	if p == nil {
		return nil, false
	}
	return p.by[folded(text)], true
}

// ofAddress is the charges that an e-mail address may be of: their own, their card's or their customer's.
func (s *screening) ofAddress(email string) []*record {
	own, first := s.c.indexed("charge", "receipt_email", email)
	billed, second := s.c.indexed("charge", "billing_details.email", email)
	customers, third := s.c.indexed("customer", "email", email)
	if !first || !second || !third {
		return s.c.all("charge")
	}
	all := slices.Concat(own, billed)
	for _, customer := range customers {
		all = append(all, s.c.having("charge", "customer", customer.id)...)
	}
	slices.SortFunc(all, func(a, b *record) int { return cmp.Compare(a.order, b.order) })
	return slices.Compact(all)
}

// outcomes are the charges that counts go by.
var outcomes = map[string]func(paid) bool{
	"total":      func(paid) bool { return true },
	"attempted":  func(paid) bool { return true },
	"authorized": func(p paid) bool { return p.said("status") == "succeeded" },
	"successful": func(p paid) bool { return p.said("status") == "succeeded" },
	"charged":    func(p paid) bool { return p.said("status") == "succeeded" },
	"failed":     func(p paid) bool { return p.said("status") == "failed" },
	"blocked":    func(p paid) bool { return p.said("outcome", "type") == "blocked" },
	"declined":   func(p paid) bool { return p.said("outcome", "type") == "issuer_declined" },
}

// chargesFact is {authorized,blocked,declined,total}_charges_per_<payer>_<window>.
func chargesFact(s *screening, parts []string) radar.Value {
	which, by, n := outcomes[parts[0]], parts[1], int64(0)
	if s.keyOf(by, s.paid) == "" {
		return radar.Value{}
	}
	for p := range s.earlier(by, parts[2]) {
		if which(p) {
			n++
		}
		if n == mostCounted {
			break
		}
	}
	return radar.NumberValue(n)
}

// distinct is how many of a sort have been seen with the same payer.
func (s *screening) distinct(by, window, what string) radar.Value {
	if s.keyOf(by, s.paid) == "" {
		return radar.Value{}
	}
	seen := map[string]bool{}
	for p := range s.earlier(by, window) {
		if key := s.keyOf(what, p); key != "" {
			seen[key] = true
		}
		if len(seen) == mostCounted {
			break
		}
	}
	return radar.NumberValue(int64(len(seen)))
}

// complaintsFact is {dispute_count,efw_count,refund_count}_on_<payer>_<window>: those that came within the window.
func complaintsFact(s *screening, parts []string) radar.Value {
	kind := map[string]string{"dispute_count": "dispute", "efw_count": "radar.early_fraud_warning", "refund_count": "refund"}[parts[0]]
	if s.keyOf(parts[1], s.paid) == "" {
		return radar.Value{}
	}
	n, since := 0, s.created-windows[parts[2]]
	for p := range s.earlier(parts[1], "all_time") {
		for _, one := range s.c.having(kind, "charge", p.id) {
			if one.created >= since && one.created <= s.created {
				n++
			}
		}
		if n >= mostCounted {
			break
		}
	}
	return radar.NumberValue(int64(min(n, mostCounted)))
}

// in is an amount in another currency, in that currency's own units, exactly as far as it has minor units.
func (p paid) in(currency string) radar.Value {
	from := p.said("currency")
	to, err := money.ParseCurrency(strings.ToUpper(currency))
	if from == "" || err != nil {
		return radar.Value{}
	}
	minor, _ := exchanged(p.amount("amount"), from, currency, middle)
	unit := int64(1)
	for range to.Digits() {
		unit *= 10
	}
	return radar.Value{Type: radar.Number, Number: minor/unit*radar.Unit + minor%unit*(radar.Unit/unit)}
}

func amountFact(s *screening, parts []string) radar.Value { return s.in(parts[0]) }

// usdFact is {average,total}_usd_amount_<which>_on_{card,customer}_all_time.
func usdFact(s *screening, parts []string) radar.Value {
	if s.keyOf(parts[2], s.paid) == "" {
		return radar.Value{}
	}
	sum, n := int64(0), int64(0)
	for p := range s.earlier(parts[2], "all_time") {
		if outcomes[parts[1]](p) {
			sum += p.in("usd").Number
			n++
		}
	}
	if parts[0] == "average" {
		if n == 0 {
			return radar.Value{}
		}
		sum /= n
	}
	return radar.Value{Type: radar.Number, Number: sum}
}

// addressFact is {billing,shipping}_address, whole or one part of it.
func addressFact(s *screening, parts []string) radar.Value {
	path := []string{"billing_details", "address"}
	if parts[0] == "shipping" {
		path[0] = "shipping"
	}
	switch {
	case len(parts) == 1:
		return radar.TextValue(s.address(path...))
	case parts[1] == "country":
		return countryValue(s.said(append(path, "country")...))
	}
	return radar.TextValue(s.said(append(path, parts[1])...))
}

// sinceFact is {hours,minutes,seconds}_since_<what>; missing where that has not been.
func sinceFact(s *screening, parts []string) radar.Value {
	at := int64(0)
	switch parts[1] {
	case "customer_was_created":
		if customer := s.c.find("customer", s.said("customer")); customer != nil {
			at = customer.created
		}
	case "email_first_seen", "email_first_seen_on_stripe":
		at = s.firstSeen("email", "total")
	case "card_first_seen":
		at = s.firstSeen("card", "total")
	case "first_successful_auth_on_card":
		at = s.firstSeen("card", "authorized")
	}
	if at == 0 {
		return radar.Value{}
	}
	unit := map[string]int64{"hours": 3600, "minutes": 60, "seconds": 1}[parts[0]]
	return radar.NumberValue((s.created - at) / unit)
}

// firstSeen is when the first charge of the same payer was made; 0 where there is none.
func (s *screening) firstSeen(by, which string) (at int64) {
	for p := range s.earlier(by, "all_time") {
		if outcomes[which](p) {
			at = p.created
		}
	}
	return at
}
