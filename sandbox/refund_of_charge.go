package sandbox

import (
	"net/url"

	"github.com/till-pay/till/sandbox/spec"
)

// The older operations on refunds, below the charge that they are about.

// refundCharge makes a refund of the charge that the path names, as POST /v1/refunds does of one among its parameters.
func refundCharge(c *call) (appender, error) {
	ch, err := c.named("charge")
	if err != nil {
		return nil, err
	}
	form := url.Values{"charge": {ch.id}}
	for _, name := range c.params.Names() {
		if given, ok := c.params.Map(name); ok {
			for key, value := range given {
				form.Set(name+"["+key+"]", value)
			}
			continue
		}
		if name != "expand" { // it has been read
			form.Set(name, c.params.String(name))
		}
	}
	op, _, _ := spec.Match("POST", "/v1/refunds")
	params, bad := op.Decode(form.Encode())
	if bad != nil {
		return nil, fromSpec(bad)
	}
	c.op, c.params = op, params
	return kinds["refund"].create(c)
}

// refundAndShowCharge is the oldest form: it answers with the charge.
func refundAndShowCharge(c *call) (appender, error) {
	ch, err := c.named("charge")
	if err != nil {
		return nil, err
	}
	shown := c.expand
	c.expand = nil
	if _, err := refundCharge(c); err != nil {
		return nil, err
	}
	c.expand = shown
	return c.show(ch)
}

func listChargesRefunds(c *call) (appender, error) {
	ch, err := c.named("charge")
	if err != nil {
		return nil, err
	}
	return c.listOf("refund", "charge", ch.id, "/v1/charges/"+ch.id+"/refunds", func(*record) bool { return true })
}

// ofItsCharge is an operation on a refund that the path names after its charge.
func ofItsCharge(do handler) handler {
	return func(c *call) (appender, error) {
		ch, err := c.named("charge")
		if err != nil {
			return nil, err
		}
		found := c.find("refund", c.path[1].Value)
		if found == nil || found.text("charge") != ch.id {
			return nil, kinds["refund"].notFound(c.path[1].Value)
		}
		c.path = c.path[1:]
		return do(c)
	}
}
