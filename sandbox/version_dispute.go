package sandbox

var disputeChanges = []*change{
	{
		Version: "2014-12-08", Name: "dispute.evidence", Objects: []string{"dispute"}, down: evidenceText,
		Params: []olderParam{{path: "/v1/disputes/", old: "evidence", new: "evidence[uncategorized_text]", whole: true}},
		What:   "`evidence` of a dispute is one text, and there is `evidence_due_by` in place of `evidence_details`",
		Source: changelog("2014-12-08", "disputes-include-evidence-details-object"),
	},
	{
		Version: "2014-11-20", Name: "dispute.charge_refunded", Objects: []string{"dispute"}, down: refundedDispute,
		What:   "a dispute that is won over a charge that was refunded is `charge_refunded`",
		Source: changelog("2014-11-20", "disputes-reported-won-refunded-charge"),
	},
	{
		Version: "2014-08-20", Name: "dispute.balance_transactions", Objects: []string{"dispute"}, down: firstMovement,
		What:   "disputes have one `balance_transaction`",
		Source: changelog("2014-08-20", "disputes-include-multiple-balance-transactions"),
	},
	{
		Version: "2014-08-20", Name: "dispute.status", Objects: []string{"dispute"}, down: fewStatuses,
		What:   "an inquiry is `needs_response`, `under_review` or `won`, without the `warning_`",
		Source: changelog("2014-08-20", "disputes-provide-several-new-statuses") + ", which does not say what they were; these are the others",
	},
}

func evidenceText(_ *view, dispute *tree) {
	text, due := null(), null()
	if said := dispute.at("evidence", "uncategorized_text"); said != nil {
		text = said
	}
	if by := dispute.at("evidence_details", "due_by"); by != nil {
		due = by
	}
	dispute.set("evidence", text)
	dispute.set("evidence_due_by", due)
	dispute.remove("evidence_details")
}

func refundedDispute(v *view, dispute *tree) {
	if dispute.string("status") != "won" || v.call == nil {
		return
	}
	if charge := v.call.find("charge", dispute.string("charge")); charge != nil && charge.flag("refunded") {
		dispute.set("status", quoted("charge_refunded"))
	}
}

func firstMovement(_ *view, dispute *tree) {
	first := null()
	if all := dispute.get("balance_transactions"); all != nil && len(all.values) > 0 {
		first = quoted(all.values[0].string("id"))
	}
	dispute.set("balance_transaction", first)
	dispute.remove("balance_transactions")
}

func fewStatuses(_ *view, dispute *tree) {
	switch dispute.string("status") {
	case "warning_needs_response":
		dispute.set("status", quoted("needs_response"))
	case "warning_under_review":
		dispute.set("status", quoted("under_review"))
	case "warning_closed":
		dispute.set("status", quoted("won"))
	}
}
