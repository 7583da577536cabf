package sandbox

import (
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// The life of a source: pending until its owner has done what the type asks, chargeable, and consumed by the charge that uses it up. One
// whose owner refuses has failed, and one that nobody goes on with is canceled.

// sourceMade begins the wait of a new source, or announces that there is none.
func sourceMade(c *call, r *record) error {
	switch o := r.object(); o.String("status") {
	case "chargeable":
		c.sourceReady(r)
	case "failed":
		c.emit("source.failed", r)
	default:
		wait := sourcePending
		if o.String("flow") == "receiver" {
			wait = receiverPending
		}
		if o.String("flow") != "code_verification" && o.String("type") != "ach_credit_transfer" {
			c.in(wait, "source.cancel", r, "pending")
		}
		c.receiveByEmail(r)
	}
	return nil
}

// sourceReady makes a source chargeable, and announces it. One for a single charge waits for that only so long.
func (c *call) sourceReady(r *record) {
	r.object().Set("status", "chargeable")
	if r.object().String("usage") == "single_use" && r.object().String("flow") != "none" {
		c.in(sourceChargeable, "source.cancel", r, "chargeable")
	}
	c.emit("source.chargeable", r)
}

func (c *call) sourceFailed(r *record) {
	r.object().Set("status", "failed")
	c.emit("source.failed", r)
}

// expireSource cancels a source that has gone no further since.
func (c *call) expireSource(r *record, since string) {
	if r.text("status") == since {
		private[sourceState](r).Page.Ended = true
		if flow := r.object().Sub("redirect"); flow != nil && since == "pending" {
			flow.Set("status", "failed")
		}
		r.object().Set("status", "canceled")
		c.emit("source.canceled", r)
	}
}

// receiveByEmail lets the test mode's money come in as the owner's e-mail address says: amount_4242@… at once to a bank account of the
// United States (docs.stripe.com/sources/ach-credit-transfer), and after three minutes to Multibanco, if it does not say otherwise.
func (c *call) receiveByEmail(r *record) {
	o := r.object()
	if o.String("status") != "pending" || o.Sub("receiver") == nil {
		return
	}
	local, _, _ := strings.Cut(o.Sub("owner").String("email"), "@")
	switch o.String("type") {
	case "ach_credit_transfer":
		if text, asked := strings.CutPrefix(local, "amount_"); asked {
			if amount := wholeText(text); amount > 0 {
				c.fillSource(r, amount)
			}
		}
	case "multibanco":
		switch {
		case strings.Contains(local, "fill_never"):
		case strings.Contains(local, "fill_now"):
			c.fillSource(r, o.Int("amount"))
		case strings.Contains(local, "expire_immediately"):
			c.expireSource(r, "pending")
		case strings.Contains(local, "expire_with_delay"):
			c.in(slowDebitAfter, "source.cancel", r, "pending")
		default:
			c.in(slowDebitAfter, "source.fill", r)
		}
	}
}

// wholeText reads an amount of at most eight digits; 0 is none.
func wholeText(text string) (n int64) {
	if len(text) > 8 {
		return 0
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0
		}
		n = n*10 + int64(text[i]-'0')
	}
	return n
}

// fillSource books money that has come in for a source, with the transaction that brought it.
func (c *call) fillSource(r *record, amount int64) {
	o := r.object()
	if o.String("status") != "pending" {
		return
	}
	t := c.record("source_transaction", c.newID("srctxn_"))
	t.object().Set("amount", amount).Set("currency", o.String("currency")).Set("source", r.id).Set("status", "succeeded").Set("type", o.String("type"))
	if from := o.Sub("ach_credit_transfer"); from != nil && o.String("type") == "ach_credit_transfer" {
		t.object().Set("ach_credit_transfer", spec.New("source_transaction_ach_credit_transfer_data").Set("customer_data", "TEST").
			Set("fingerprint", from.String("fingerprint")).Set("last4", "6789").Set("routing_number", testRouting))
	}
	c.insert(t)
	o.Sub("receiver").Set("amount_received", o.Sub("receiver").Int("amount_received")+amount)
	c.emit("source.transaction.created", t)
	c.sourceReady(r)
}

// sourceTransactions are what has come in for receivers.
var sourceTransactions = &resource{
	Object: "source_transaction",
	Path:   singleton,
	Index:  []string{"source"},
	Others: map[string]func(*call) (appender, error){
		"GET /v1/sources/x_1/source_transactions":     listSourceTransactions,
		"GET /v1/sources/x_1/source_transactions/x_1": showOfSource("source_transaction"),
	},
}

func listSourceTransactions(c *call) (appender, error) {
	r, err := c.named("source")
	if err != nil {
		return nil, err
	}
	return c.listOf("source_transaction", "source", r.id, "/v1/sources/"+r.id+"/source_transactions", func(*record) bool { return true })
}

// showOfSource answers for an object of a kind that belongs to a source.
func showOfSource(kind string) func(*call) (appender, error) {
	return func(c *call) (appender, error) {
		r, err := c.named("source")
		if err != nil {
			return nil, err
		}
		id := c.path[1].Value
		found := c.find(kind, id)
		if found == nil || found.key("source") != r.id {
			return nil, kinds[kind].notFound(id)
		}
		return c.show(found)
	}
}

// mandateNotifications are what owners of bank accounts have to be told before a debit, where the merchant tells them himself.
var mandateNotifications = &resource{
	Object:  "source_mandate_notification",
	Path:    singleton,
	Private: func() any { return new(notified) },
	Keys:    map[string]func(*record) string{"source": func(r *record) string { return known[notified](r).Source }},
	Others: map[string]func(*call) (appender, error){
		"GET /v1/sources/x_1/mandate_notifications/x_1": showOfSource("source_mandate_notification"),
	},
}

// notified is the source of a notification, which shows it whole.
type notified struct{ Source string }

// notifyMandate announces a debit to whoever has to tell the owner of the bank account.
func (c *call) notifyMandate(r *record, amount int64) {
	if r.text("type") != "sepa_debit" || private[sourceState](r).Mandated != "manual" {
		return
	}
	n := c.record("source_mandate_notification", c.newID("smn_"))
	n.hidden = &notified{r.id}
	from := r.object().Sub("sepa_debit")
	n.object().Set("amount", amount).Set("reason", "debit_initiated").Set("status", "pending").Set("type", "sepa_debit").Set("source", r.object().Clone())
	n.object().Set("sepa_debit", spec.New("source_mandate_notification_sepa_debit_data").Set("creditor_identifier", "DE98ZZZ09999999999").
		Set("last4", from.String("last4")).Set("mandate_reference", from.String("mandate_reference")))
	c.insert(n)
	c.emit("source.mandate_notification", n)
}

// attachable finds the Source that shall become a customer's, and refuses what cannot.
func (c *call) attachable(id string) (*record, error) {
	r := c.find("source", id)
	switch {
	case r == nil:
		return nil, missingIn("source", "source", id)
	case r.text("customer") != "":
		return nil, refused("", "source", "The source %s is attached to a customer already.", id)
	case r.text("usage") != "reusable":
		return nil, refused("", "source", "The source %s is good for one charge only, and cannot be attached to a customer.", id)
	case r.text("status") != "chargeable" && r.text("status") != "pending":
		return nil, refused("", "source", "The source %s cannot be attached to a customer: its status is %s.", id, r.text("status"))
	}
	if r.text("type") == "card" {
		if err := c.validateCard(c.sourceMethod(r)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// changeSourceOf changes a customer's Source as the parameters of an update want it.
func (c *call) changeSourceOf(r *record) error {
	if err := c.fillMetadata(r.object()); err != nil {
		return err
	}
	return fillSourceOwner(c, r, nil)
}

// detachSource takes a Source from its customer: it is used up then.
func (c *call) detachSource(r *record) {
	r.object().Set("status", "consumed").Set("customer", spec.Absent)
}
