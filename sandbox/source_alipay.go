package sandbox

import (
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// Alipay accounts (aliacc_…) came with Alipay as the first source beside cards (changelog 2015-02-18), and went out of Stripe's document.
// They are kept as Sources of type alipay that are reusable, which is how the newest version shows them; older ones show them as they were.

// alipayToken is the token of the test mode's account. Stripe's were made by its Checkout only; the name is the sandbox's own.
const (
	alipayToken = "tok_alipay"
	alipayOwner = "test@example.com"
	alipayID    = "aliacc_"
)

// namesAlipay says whether a parameter that names a source names an Alipay account.
func (c *call) namesAlipay(name string) bool {
	return name == "alipay_account" || c.params.String(name) == alipayToken
}

// newAlipay makes the Alipay account that a parameter stands for.
func (c *call) newAlipay(name string) (*record, error) {
	if id := c.params.String(name); id != alipayToken {
		return nil, missingIn(name, "token", id)
	}
	r := c.record("source", c.newID(alipayID))
	r.hidden = &sourceState{Page: challenge{Ended: true}}
	o := r.object().Set("type", "alipay").Set("flow", "none").Set("usage", "reusable").Set("status", "chargeable").Set("client_secret", "src_client_secret_"+c.letters(24))
	o.Set("receiver", spec.Absent).Set("owner", spec.New("source_owner").Set("email", alipayOwner)).Set("metadata", map[string]string{})
	typed(r, "alipay")
	return r, nil
}

// alipayAccount is such a Source as versions before show it.
func alipayAccount(_ *view, source *tree) {
	if !strings.HasPrefix(source.string("id"), alipayID) {
		return
	}
	owner := source.at("owner", "email")
	for _, name := range alipayLacks {
		source.remove(name)
	}
	source.set("object", quoted("alipay_account"))
	for _, name := range []string{"fingerprint", "payment_amount", "payment_currency"} {
		source.set(name, null())
	}
	if source.get("customer") == nil {
		source.set("customer", null())
	}
	source.set("reusable", plain("true"))
	source.set("used", plain("false"))
	source.set("username", owner.clone())
}

// alipayLacks are the fields of a Source that an Alipay account has not.
var alipayLacks = []string{"alipay", "allow_redisplay", "amount", "client_secret", "currency", "flow", "owner", "redirect", "statement_descriptor", "status", "type", "usage"}
