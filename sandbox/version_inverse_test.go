package sandbox

import (
	"slices"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// inverse undoes a change's function, for the tests that nothing is lost on the way to an older version but what is said here.
type inverse struct {
	objects []string    // that it applies to, as they are before the change; nil is those of the change
	up      func(*tree) // undoes down
	lost    func(*tree) // removes from an object of the newest version what down loses, and what it shows by itself; nil is nothing
}

func removed(names ...string) func(*tree) {
	return func(t *tree) {
		for _, name := range names {
			t.remove(name)
		}
	}
}

func renamed(from, to string) func(*tree) {
	return func(t *tree) { t.rename(from, to) }
}

// inverses are by the name of the change.
var inverses = map[string]inverse{
	"list.total_count":                      {up: removed("total_count")},
	"payment.invoice":                       {up: removed("invoice")},
	"charge.source":                         {up: removed("source", "dispute", "destination", "order")},
	"alipay_account":                        {objects: []string{"alipay_account", "source"}, up: alipayAsSource, lost: withoutSecret},
	"payment_intent.source":                 {up: removed("source")},
	"charge.refunds":                        {up: removed("refunds"), lost: removed("refunds")},
	"payment_intent.charges":                {up: removed("charges")},
	"charge.three_d_secure":                 {up: unsaySecured},
	"customer.sources":                      {up: removed("sources"), lost: removed("sources")},
	"customer.subscriptions":                {up: removed("subscriptions"), lost: removed("subscriptions")},
	"customer.tax_ids":                      {up: removed("tax_ids"), lost: removed("tax_ids")},
	"customer.balance":                      {up: renamed("account_balance", "balance")},
	"payment_intent.status":                 {up: methodStatus},
	"payment_intent.next_action":            {up: methodAction},
	"payment_intent.payment_method_types":   {up: renamed("allowed_source_types", "payment_method_types")},
	"event.request":                         {up: requestHash, lost: func(t *tree) { requestID(nil, t); requestHash(t) }},
	"payout":                                {objects: []string{"transfer", "list"}, up: transferAsPayout, lost: asPayoutList},
	"balance_transaction.type":              {up: payoutTypes},
	"balance_transaction.sourced_transfers": {up: removed("sourced_transfers")},
	"bank_account.account_holder_name":      {up: renamed("name", "account_holder_name")},
	"balance_transaction.source":            {up: sourceUnlessPayout, lost: sourceUnlessPayout},
	"ephemeral_key.associated_objects":      {up: removed("associated_objects")},
	"customer.default_currency":             {up: removed("default_currency")},
	"customer.tax_info":                     {up: removed("tax_info", "tax_info_verification")},
	"card.checks":                           {up: withoutChecks, lost: withoutChecks},
	"card.brand":                            {up: renamed("type", "brand")},
	"charge.refunds.data":                   {up: removed("refunds"), lost: removed("refunds")},
	"application_fee.refunds":               {up: removed("refunds"), lost: removed("refunds")},
	"dispute.evidence":                      {up: removed("evidence", "evidence_due_by"), lost: removed("evidence", "evidence_details")},
	"dispute.charge_refunded":               {up: wonDispute},
	"dispute.balance_transactions":          {up: removed("balance_transaction"), lost: removed("balance_transactions")},
	"dispute.status":                        {up: removed("status"), lost: removed("status")},
	"person.representative":                 {up: isRepresentative},
	"account.capabilities.transfers":        {up: capableOfTransfers},
	"account.settings":                      {up: withSettings, lost: onlySettings},
	"account.verification":                  {up: withRequirements, lost: onlyRequirements},
	"account.legal_entity":                  {up: withParties, lost: onlyParties},
	"account.managed":                       {up: removed("managed"), lost: removed("type")},
	"account.payouts_enabled":               {up: payoutsEnabled},
	"account.external_accounts":             {up: renamed("bank_accounts", "external_accounts")},
	"transfer.status":                       {up: betweenAccounts},
	"charge.card":                           {up: removed("card")},
	"charge.status":                         {up: succeededStatus},
	"charge.statement_descriptor":           {up: renamed("statement_description", "statement_descriptor")},
	"customer.cards":                        {up: removed("cards", "default_card")},
}

func unsaySecured(charge *tree) {
	removed("authenticated", "succeeded")(orEmpty(charge.at("payment_method_details", "card", "three_d_secure")))
}

func orEmpty(t *tree) *tree {
	if t == nil {
		return &tree{kind: '{'}
	}
	return t
}

func methodStatus(intent *tree) {
	for is, was := range sourceStatuses {
		if intent.string("status") == was {
			intent.set("status", quoted(is))
		}
	}
}

func methodAction(intent *tree) {
	intent.rename("next_source_action", "next_action")
	action := orEmpty(intent.get("next_action"))
	action.rename("authorize_with_url", "redirect_to_url")
	if action.string("type") == "authorize_with_url" {
		action.set("type", quoted("redirect_to_url"))
	}
}

func requestHash(event *tree) {
	if id := event.get("request"); id != nil && id.kind == 0 {
		event.set("request", &tree{kind: '{', names: []string{"id"}, values: []*tree{id}})
	}
	event.rename("user_id", "account")
}

// asPayoutList forgets which of two lists one is: both are under /v1/transfers before.
func asPayoutList(list *tree) {
	if list.is("url", `"/v1/transfers"`) {
		list.set("url", quoted("/v1/payouts"))
	}
}

func betweenAccounts(transfer *tree) {
	if strings.HasPrefix(transfer.string("id"), "tr_") {
		removed("application_fee", "failure_code", "failure_message", "method", "recipient", "statement_descriptor", "status", "type", "date")(transfer)
	}
}

func transferAsPayout(transfer *tree) {
	asPayoutList(transfer)
	if !strings.HasPrefix(transfer.string("id"), "po_") {
		return
	}
	transfer.set("object", quoted("payout"))
	transfer.rename("date", "arrival_date")
	removed("amount_reversed", "destination_payment", "recipient", "reversed", "source_transaction", "reversals", "bank_account", "card")(transfer)
}

func payoutTypes(txn *tree) {
	if rest, of := strings.CutPrefix(txn.string("type"), "transfer"); of && strings.HasPrefix(txn.string("source"), "po_") || txn.at("source", "object").word() == "payout" {
		txn.set("type", quoted("payout"+rest))
	}
}

// sourceUnlessPayout forgets the source of what is not of a payout: whether it was the charge or its refund is lost.
func sourceUnlessPayout(txn *tree) {
	if !strings.HasPrefix(txn.string("source"), "po_") && txn.at("source", "object").word() != "payout" {
		txn.remove("source")
	}
}

func isRepresentative(person *tree) {
	orEmpty(person.get("relationship")).rename("account_opener", "representative")
}

func capableOfTransfers(account *tree) {
	orEmpty(account.get("capabilities")).rename("platform_payments", "transfers")
}

// put sets what is at the end of a path, and makes the way to it.
func (t *tree) put(value *tree, path ...string) {
	for _, name := range path[:len(path)-1] {
		if !t.has(name) {
			t.set(name, &tree{kind: '{'})
		}
		t = t.get(name)
	}
	t.set(path[len(path)-1], value)
}

func withSettings(account *tree) {
	for was, path := range settingsBefore {
		account.put(account.remove(was), path...)
	}
}

// onlySettings leaves of an account's settings what it had before there were any.
func onlySettings(account *tree) {
	kept := account.clone()
	removed("settings", "business_profile")(account)
	for _, path := range settingsBefore {
		account.put(kept.copyOf(path...), path...)
	}
}

func withRequirements(account *tree) {
	was, now := account.remove("verification"), &tree{kind: '{'}
	now.set("disabled_reason", was.copyOf("disabled_reason"))
	if was.string("disabled_reason") == "fields_needed" {
		now.set("disabled_reason", quoted("requirements.past_due"))
	}
	now.set("current_deadline", was.copyOf("due_by"))
	now.set("currently_due", was.copyOf("fields_needed"))
	account.set("requirements", now)
}

func onlyRequirements(account *tree) {
	fieldsNeeded(nil, account)
	withRequirements(account)
}

func withParties(account *tree) {
	entity := account.remove("legal_entity")
	account.set("business_type", entity.copyOf("type"))
	individual, company := &tree{kind: '{'}, &tree{kind: '{'}
	for is, was := range individualBefore {
		individual.set(is, entity.copyOf(was))
	}
	for is, was := range companyBefore {
		company.set(is, entity.copyOf(was))
	}
	account.set("individual", individual)
	account.set("company", company)
}

func onlyParties(account *tree) {
	legalEntity(nil, account)
	withParties(account)
}

func payoutsEnabled(account *tree) {
	account.rename("transfers_enabled", "payouts_enabled")
	account.rename("transfer_schedule", "payout_schedule")
	account.rename("transfer_statement_descriptor", "payout_statement_descriptor")
}

func withoutChecks(card *tree) {
	noChecks(nil, card)
}

func wonDispute(dispute *tree) {
	if dispute.string("status") == "charge_refunded" {
		dispute.set("status", quoted("won"))
	}
}

func succeededStatus(charge *tree) {
	if charge.string("status") == "paid" {
		charge.set("status", quoted(succeeded))
	}
}

// VersionChange is a line of the list of changes, as the tests see it.
type VersionChange struct {
	Version, Name, What, Source string
	Objects                     []string
	Types                       map[string]string
	Renders, Inverted           bool
}

// Changes are all, the latest first.
func Changes() (all []VersionChange) {
	for _, c := range changes {
		_, inverted := inverses[c.Name]
		all = append(all, VersionChange{c.Version, c.Name, c.What, c.Source, c.Objects, c.Types, c.down != nil, inverted})
	}
	return all
}

// Inverses are the names of the changes that there is an inverse of.
func Inverses() (all []string) {
	for name := range inverses {
		all = append(all, name)
	}
	return all
}

// Down is a body as the changes that are named make it older; without a server nothing can be looked up.
func Down(s *Server, suffix string, body []byte, names ...string) []byte {
	t := parseTree(body)
	v := view{older: namedChanges(names), page: t}
	if s != nil {
		w, _ := s.world(suffix, true)
		w.mu.Lock()
		defer w.mu.Unlock()
		v.call = w.home.own()
	}
	v.walk(t)
	return t.AppendJSON(nil)
}

// Up undoes Down.
func Up(body []byte, names ...string) []byte {
	t := parseTree(body)
	older := namedChanges(names)
	slices.Reverse(older)
	walkUp(t, older, func(i inverse) func(*tree) { return i.up })
	return t.AppendJSON(nil)
}

// Without is a body without what Down loses.
func Without(body []byte, names ...string) []byte {
	t := parseTree(body)
	walkUp(t, namedChanges(names), func(i inverse) func(*tree) { return i.lost })
	return t.AppendJSON(nil)
}

func namedChanges(names []string) (some []*change) {
	for _, c := range changes {
		if slices.Contains(names, c.Name) {
			some = append(some, c)
		}
	}
	return some
}

// walkUp applies inverses to what is within a value first, and then to the value.
func walkUp(t *tree, older []*change, of func(inverse) func(*tree)) {
	for i, value := range t.values {
		if value.kind != 0 && t.string("object") != "event" && (t.kind == '[' || t.names[i] != "metadata") {
			walkUp(value, older, of)
		}
	}
	if t.kind != '{' || t.is("deleted", "true") {
		return
	}
	for _, c := range older {
		i := inverses[c.Name]
		objects := c.Objects
		if i.objects != nil {
			objects = i.objects
		}
		if do := of(i); do != nil && slices.Contains(objects, t.string("object")) {
			do(t)
		}
	}
}

// Previous is what an event would say of a change from before to after, by comparing what its data say.
func Previous(data []byte) []byte {
	is := parseTree(data).get("object")
	was := is.clone()
	was.restore(parseTree(data).get("previous_attributes"))
	if changed := is.previous(was, true); changed != nil {
		return changed.AppendJSON(nil)
	}
	return []byte("{}")
}

// Reparsed is a JSON text as the tree reads and writes it.
func Reparsed(text []byte) []byte { return parseTree(text).AppendJSON(nil) }

// NewerRequest is a request of an older version as the newest has it.
func NewerRequest(version, method, path, form string) (newPath, newForm string) {
	older := changesSince(version)
	path, form = newerRequest(older, method, path, form)
	op, _, _ := spec.Match(method, path)
	return path, newerForm(older, op, form)
}

// OldestVersion is the oldest that is taken.
const OldestVersion = oldestVersion

// alipayAsSource is an Alipay account as the newest version shows it, but for its secret and status.
func alipayAsSource(t *tree) {
	if t.string("object") != "alipay_account" {
		return
	}
	username := t.get("username").clone()
	for _, name := range []string{"fingerprint", "payment_amount", "payment_currency", "reusable", "used", "username"} {
		t.remove(name)
	}
	if t.is("customer", "null") {
		t.remove("customer")
	}
	t.set("object", quoted("source"))
	owner := &tree{kind: '{'}
	for _, name := range []string{"address", "email", "name", "phone", "verified_address", "verified_email", "verified_name", "verified_phone"} {
		owner.set(name, null())
	}
	owner.set("email", username)
	alipay := &tree{kind: '{'}
	for _, name := range []string{"data_string", "native_url", "statement_descriptor"} {
		alipay.set(name, null())
	}
	t.set("owner", owner)
	t.set("alipay", alipay)
	for name, text := range map[string]string{"flow": "none", "type": "alipay", "usage": "reusable"} {
		t.set(name, quoted(text))
	}
	for _, name := range []string{"allow_redisplay", "amount", "currency", "statement_descriptor"} {
		t.set(name, null())
	}
}

// withoutSecret leaves out what an Alipay account does not tell: the secret of the Source, and that it is used up.
func withoutSecret(t *tree) {
	if len(t.string("id")) > len(alipayID) && t.string("id")[:len(alipayID)] == alipayID {
		t.remove("client_secret")
		t.remove("status")
	}
}
