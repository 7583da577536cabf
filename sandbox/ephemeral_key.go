package sandbox

import "time"

// ephemeralLife is how long an ephemeral key lives.
const ephemeralLife = time.Hour

// ephemeralKeys let an app on a phone act for a customer for an hour. Nothing takes one here: the SDKs that would send it speak to
// Stripe's own address only. So a secret is good for what a server does with it, which is to hand it on.
var ephemeralKeys = &resource{
	Object: "ephemeral_key",
	Path:   singleton,
	Prefix: "ephkey_",
	Takes:  []string{"customer"},
	Create: createEphemeralKey,
	Others: map[string]func(*call) (appender, error){
		"POST /v1/ephemeral_keys":       makeEphemeralKey,
		"DELETE /v1/ephemeral_keys/x_1": dropEphemeralKey,
	},
}

func createEphemeralKey(c *call, r *record) error {
	customer := c.params.String("customer")
	if customer == "" {
		return invalid("parameter_missing", "customer", "Missing required param: customer.")
	}
	if c.find("customer", customer) == nil {
		return missingIn("customer", "customer", customer)
	}
	r.object().Set("expires", r.created+int64(ephemeralLife/time.Second))
	return nil
}

// makeEphemeralKey is the creation, whose answer alone shows the secret.
func makeEphemeralKey(c *call) (appender, error) {
	made, err := kinds["ephemeral_key"].create(c)
	if err != nil {
		return nil, err
	}
	r, plain := made.(*record)
	if !plain {
		return made, nil
	}
	return r.object().Clone().Set("secret", "ek_test_"+c.letters(48)), nil
}

// dropEphemeralKey ends a key, which is expired then.
func dropEphemeralKey(c *call) (appender, error) {
	key, err := c.named("ephemeral_key")
	if err != nil {
		return nil, err
	}
	c.remove(key)
	return key.object().Set("expires", c.now().Unix()), nil
}
