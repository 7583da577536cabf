package sandbox

import "slices"

// changes are those that the sandbox knows, the latest first. To add one is a line here, a function beside it if objects look otherwise,
// and what undoes that function in version_inverse_test.go; the table in docs/sandbox.md is written from this list by
// go test ./sandbox -run Versions -update.
var changes = ordered(paymentChanges, customerChanges, moneyChanges, disputeChanges, accountChanges, eventChanges)

// ordered brings groups of changes into one list, the latest first.
func ordered(groups ...[]*change) []*change {
	all := slices.Concat(groups...)
	slices.SortStableFunc(all, func(a, b *change) int {
		switch {
		case a.Version > b.Version:
			return -1
		case a.Version < b.Version:
			return 1
		}
		return 0
	})
	return all
}

var eventChanges = []*change{
	{
		Version: wholeLists, Name: "event.request", Objects: []string{"event"}, down: requestID,
		What:   "`request` of an event is the id of the request alone, without its idempotency key, and its `account` is `user_id`; in `previous_attributes` a list has only the elements that are otherwise",
		Source: changelog(wholeLists, "events-specify-request-id-idempotency-key"),
	},
}

func requestID(_ *view, event *tree) {
	if id := event.at("request", "id"); id != nil {
		event.set("request", id)
	} else {
		event.set("request", null())
	}
	event.rename("account", "user_id")
}
