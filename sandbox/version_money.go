package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// beforePayouts is the version before which payouts were transfers.
const beforePayouts = "2017-04-06"

var moneyChanges = []*change{
	{
		Version: undocumented, Name: "list.total_count", Objects: []string{"list"}, down: countList,
		What:   "lists within objects have `total_count`; the sandbox leaves it out where a list goes on",
		Source: recorded,
	},
	{
		Version: beforePayouts, Name: "payout", Objects: []string{"payout", "list"}, down: payoutAsTransfer, Moved: payoutsFromTransfers,
		Types: map[string]string{
			"payout.created": "transfer.created", "payout.updated": "transfer.updated", "payout.paid": "transfer.paid",
			"payout.failed": "transfer.failed", "payout.canceled": "transfer.canceled",
		},
		What:   "payouts are transfers, with `date` for `arrival_date` and their `bank_account` or `card`, under `/v1/transfers`, and so are their events; that list has payouts only here, unless it is asked for a `destination` or a `transfer_group`",
		Source: changelog(beforePayouts, "transfers-split-payouts-transfers") + ", docs.stripe.com/transfer-payout-split",
	},
	{
		Version: beforePayouts, Name: "transfer.status", Objects: []string{"transfer"}, down: transferFields,
		What:   "transfers between accounts have what payouts have too: `status`, `type`, `method`, `date`, `statement_descriptor` and the reasons of a failure",
		Source: changelog(beforePayouts, "transfers-split-payouts-transfers") + ", docs.stripe.com/transfer-payout-split",
	},
	{
		Version: beforePayouts, Name: "balance_transaction.type", Objects: []string{"balance_transaction"}, down: transferTypes,
		What:   "balance transactions of payouts are of type `transfer`, `transfer_cancel` and `transfer_failure`",
		Source: "docs.stripe.com/transfer-payout-split",
	},
	{
		Version: "2017-01-27", Name: "balance_transaction.sourced_transfers", Objects: []string{"balance_transaction"}, down: sourcedTransfers,
		What:   "balance transactions have `sourced_transfers`",
		Source: changelog("2017-01-27", "balance-transactions-no-longer-include-sourced-transfers"),
	},
	{
		Version: "2015-08-19", Name: "balance_transaction.source", Objects: []string{"balance_transaction"}, down: chargeAsSource,
		What:   "`source` of a balance transaction for a refund or a dispute is the charge",
		Source: changelog("2015-08-19", "balance-transactions-refunds-disputes-specify-source"),
	},
	{
		Version: "2014-07-26", Name: "application_fee.refunds", Objects: []string{"application_fee"}, down: func(_ *view, t *tree) { t.set("refunds", t.get("refunds").listOnly()) },
		What:   "`refunds` of application fees is an array",
		Source: changelog("2014-07-26", "application-fees-include-refunds-sublist-refunds-field"),
	},
}

// countList counts a list within an object.
func countList(v *view, list *tree) {
	if list == v.page || !list.is("has_more", "false") {
		return
	}
	list.set("total_count", plain(strconv.Itoa(len(list.elements()))))
}

// payoutAsTransfer gives a payout the fields that it had when it was a transfer. Those that only transfers between accounts had are
// empty.
func payoutAsTransfer(v *view, payout *tree) {
	if payout.string("object") == "list" {
		if payout.is("url", `"/v1/payouts"`) {
			payout.set("url", quoted("/v1/transfers"))
		}
		return
	}
	payout.set("object", quoted("transfer"))
	payout.rename("arrival_date", "date")
	for name, text := range map[string]string{
		"amount_reversed": "0", "destination_payment": "null", "recipient": "null", "reversed": "false", "source_transaction": "null",
	} {
		payout.set(name, plain(text))
	}
	list := spec.New("list").Set("url", "/v1/transfers/"+payout.string("id")+"/reversals")
	payout.set("reversals", parseTree(list.AppendJSON(nil)))
	account := payout.get("destination")
	if account != nil && account.word() != "" {
		account = v.stored(account.word())
	}
	switch {
	case account == nil || account.kind != '{':
		return
	case account.string("object") == "card":
		payout.set("card", account.clone())
	default:
		payout.set("bank_account", account.clone())
	}
}

// transferFields gives a transfer between accounts, which is always paid at once, the fields that went to payouts.
func transferFields(_ *view, transfer *tree) {
	for name, text := range map[string]string{
		"application_fee": "null", "failure_code": "null", "failure_message": "null", "method": `"standard"`, "recipient": "null",
		"statement_descriptor": "null", "status": `"paid"`, "type": `"stripe_account"`,
	} {
		transfer.set(name, plain(text))
	}
	if created := transfer.get("created"); created != nil {
		transfer.set("date", created.clone())
	}
}

// payoutsFromTransfers sends what is about payouts to where they are now: what names one, a new transfer that goes to no account, and
// the list.
func payoutsFromTransfers(method, path, form string) (newPath, newForm string) {
	rest, of := strings.CutPrefix(path, "/v1/transfers")
	between := strings.Contains(form, "destination=acct_") || strings.Contains(form, "transfer_group=")
	switch {
	case !of || rest == "" && between || rest != "" && !strings.HasPrefix(rest, "/po_"):
		return path, form
	case rest == "" && method == http.MethodPost:
		form = without(form, "recipient=self", "destination=default_for_currency")
	}
	return "/v1/payouts" + rest, form
}

// without is a form without some of its pairs.
func without(form string, pairs ...string) string {
	all := strings.Split(form, "&")
	return strings.Join(slices.DeleteFunc(all, func(pair string) bool { return slices.Contains(pairs, pair) }), "&")
}

// transferTypes names movements of payouts as those of transfers.
func transferTypes(_ *view, txn *tree) {
	kind := txn.string("type")
	if rest, of := strings.CutPrefix(kind, "payout"); of {
		txn.set("type", quoted("transfer"+rest))
	}
}

func sourcedTransfers(_ *view, txn *tree) {
	source := txn.string("source")
	if of := txn.get("source"); of != nil && of.kind == '{' {
		source = of.string("id")
	}
	list := spec.New("list").Set("url", "/v1/transfers?source_transaction="+source)
	txn.set("sourced_transfers", parseTree(list.AppendJSON(nil)))
}

// chargeAsSource names the charge in place of its refund or its dispute.
func chargeAsSource(v *view, txn *tree) {
	source := txn.get("source")
	switch {
	case source == nil:
	case source.kind == '{':
		if kind := source.string("object"); kind == "refund" || kind == "dispute" {
			txn.set("source", source.get("charge").clone())
		}
	case v.call != nil:
		for _, kind := range []string{"refund", "dispute"} {
			if r := v.call.find(kind, source.word()); r != nil {
				txn.set("source", quoted(r.text("charge")))
			}
		}
	}
}
