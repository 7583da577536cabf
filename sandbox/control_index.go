package sandbox

import (
	"maps"
	"slices"
	"strings"
)

// controlHelp says in a line what each control does; GET /_sandbox/ shows it.
var controlHelp = map[string]string{
	"GET /_sandbox/account":         "the account: its country, its currencies and when it is paid out",
	"POST /_sandbox/account":        `{"country":"DE","settlement_currencies":["eur","usd"],"payout_interval":"manual","bank_debits":"real"} makes it another; {"card_fee":{"percent":"3.1","fixed":30}} has its cards cost that; {"payouts":"requirements.past_due"} stops its payouts`,
	"GET /_sandbox/clock":           "what the clock shows; with ?after=VERSION&wait=SECONDS once it was set or advanced since",
	"POST /_sandbox/clock":          `{"mode":"frozen"}, {"mode":"real"} or {"mode":"faster","rate":60}, and "now" to show a later time`,
	"POST /_sandbox/clock/advance":  `{"seconds":N} or {"to":"2026-01-02T03:04:05Z"}: lets time pass, with what falls due in it`,
	"POST /_sandbox/faults":         `{"kind":"cut","method":"POST","path":"/v1/refunds","nth":3} adds a rule`,
	"GET /_sandbox/connect":         "the connected accounts and what they lack, and what OAuth calls the platform",
	"POST /_sandbox/connect":        `{"account":"acct_…","action":"restrict","requirements":["business_profile.url"],"seconds":86400}; also require_document, review, reject, threshold, clear, complete, disconnect`,
	"GET /_sandbox/faults":          "the rules, and how often each has matched and struck",
	"DELETE /_sandbox/faults":       "forgets all rules",
	"DELETE /_sandbox/faults/{id}":  "forgets a rule",
	"POST /_sandbox/faults/release": "lets go of held replies",
	"GET /_sandbox/events":          "?type=T&nth=N&wait=SECONDS: the Nth event of a type, once it is there",
	"GET /_sandbox/rate_limits":     "Stripe's rate limits, which are off at first",
	"POST /_sandbox/rate_limits":    `{"on":true}, with limits of one's own where wanted`,
	"GET /_sandbox/requests":        "the latest requests: ?method= path= status= key= since= limit=",
	"GET /_sandbox/webhooks":        "the latest tries to deliver: ?event= type= endpoint= status= limit=",
	"POST /_sandbox/webhooks/wait":  `{"seconds":10} answers once nothing is queued or under way`,
	"POST /_sandbox/webhooks/send":  `{"event":"evt_…"} sends an event again, as stripe events resend does; with "endpoint" to that one alone`,
	"GET /_sandbox/radar":           "the rules of Radar, how often each has acted, and the risk settings",
	"POST /_sandbox/radar":          `{"rule":"Block if :risk_score: > 60"} adds a rule; {"id":"ssr_…","enabled":false} switches one; {"settings":{"fraud_teams":false}}`,
	"DELETE /_sandbox/radar":        "makes rules and settings those of a new account",
	"DELETE /_sandbox/radar/{id}":   "forgets a rule",
	"POST /_sandbox/radar/test":     `{"rule":"Block if :card_country: = 'DE'"} says which of the charges that there are it would have met`,
	"GET /_sandbox/state":           "how many objects of each kind there are, and what is under way",
	"POST /_sandbox/snapshots":      `{"name":"before"} keeps the world as it is under a name`,
	"GET /_sandbox/snapshots":       "the snapshots of the world",
	"DELETE /_sandbox/snapshots":    `{"name":"before"} forgets a snapshot, {} forgets all`,
	"POST /_sandbox/restore":        `{"snapshot":"before"} makes the world what it was`,
	"POST /_sandbox/reset":          "makes the world what it was before its first request",
	"POST /_sandbox/fork":           `{"to":"sk_test_another"} makes the world of another key the same as this`,
	"POST /_sandbox/cards/update":   `{"payment_method":"pm_…","exp_year":2031,"last4":"1234"}: its network has replaced a saved card`,
	"POST /_sandbox/refunds/cancel": `{"refund":"re_…"}: canceled as in the Dashboard, within 30 minutes`,
	"POST /_sandbox/refunds/bank":   `{"refund":"pyr_…"}: its customer, asked by e-mail, tells a bank account`,
	"POST /_sandbox/refunds/cash":   `{"charge":"py_…","amount":500}: to the customer's cash balance, as in the Dashboard`,
	"POST /_sandbox/debits/return":  `{"charge":"py_…","reason":"insufficient_funds"}: its bank returns a debit, before or after its success`,
	"POST /_sandbox/payouts/return": `{"payout":"po_…","failure_code":"no_account"}: its bank sends a payout back, before or after it was paid`,
	"POST /_sandbox/diff":           `{"with":"sk_test_another"} or {"snapshot":"before"} says how that differs from this world`,
}

// controlLine is a control in the index.
type controlLine struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Does   string `json:"does"`
}

// controlIndex lists the control API, by path. It needs no key.
func controlIndex() any {
	lines := []controlLine{}
	for _, name := range slices.SortedFunc(maps.Keys(controls), byPath) {
		method, path, _ := strings.Cut(name, " ")
		lines = append(lines, controlLine{method, path, controlHelp[name]})
	}
	return map[string]any{
		"controls":      lines,
		"authorization": "Bearer and the secret key of the world: sk_test_…",
		"documentation": "https://github.com/till-pay/till/blob/main/docs/sandbox.md",
	}
}

// byPath orders "METHOD PATH" by path, then method.
func byPath(a, b string) int {
	_, x, _ := strings.Cut(a, " ")
	_, y, _ := strings.Cut(b, " ")
	if x != y {
		return strings.Compare(x, y)
	}
	return strings.Compare(a, b)
}
