package sandbox

import (
	"strings"
	"time"
)

// Hosted is a row of the kinds of payment methods whose customers pay away from the merchant, as the tests see it.
type Hosted struct {
	Name, Currency, Needs, Must, Action, Fails string
	Most, Held, Refundable                     int64
	Leads, Reusable, Slow, Foretold, Asks      bool
	Open                                       time.Duration
}

// AllHosted are all rows.
func AllHosted() (all []Hosted) {
	for _, h := range hostedKinds {
		_, told := foretold[h.name]
		all = append(all, Hosted{h.name, strings.Fields(h.currencies)[0], h.needs, h.must, h.action, h.fails, h.most, h.held, h.refundable, h.leads(), h.reusable, h.slow, told, h.asks, h.open})
	}
	return all
}
