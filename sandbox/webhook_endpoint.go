package sandbox

import (
	"net/url"
)

// maxEndpoints is Stripe's bound per account.
const maxEndpoints = 16

// endpointState is what an endpoint's object does not show.
type endpointState struct {
	Secret  string
	Connect bool `json:",omitempty"` // it is for the events of connected accounts
}

var webhookEndpoints = &resource{
	Object:  "webhook_endpoint",
	Path:    "/v1/webhook_endpoints",
	Prefix:  "we_",
	Plain:   []string{"description", "enabled_events", "url"},
	Takes:   []string{"api_version", "connect", "disabled"},
	Private: func() any { return new(endpointState) },
	Create:  createEndpoint,
	Update:  updateEndpoint,
	Delete:  none,
	Others: map[string]func(*call) (appender, error){
		"POST /v1/webhook_endpoints": makeEndpoint,
	},
}

func createEndpoint(c *call, r *record) error {
	if c.count("webhook_endpoint") >= maxEndpoints {
		return invalid("", "", "You have reached the maximum of %d test webhook endpoints.", maxEndpoints)
	}
	if err := checkEndpointURL(c); err != nil {
		return err
	}
	if c.params.Bool("connect") && !c.isPlatform() {
		return invalid("", "connect", "Only a platform can have webhook endpoints for connected accounts, and %s is connected to one.", c.account)
	}
	if version := c.params.String("api_version"); version != "" {
		if wrong := wrongVersion(version); wrong != "" {
			return invalid("", "api_version", "%s", wrong)
		}
		r.object().Set("api_version", version)
	}
	r.object().Set("status", "enabled")
	r.hidden = &endpointState{Secret: "whsec_" + c.letters(32), Connect: c.params.Bool("connect")}
	return nil
}

// makeEndpoint is the creation, whose answer alone shows the secret.
func makeEndpoint(c *call) (appender, error) {
	made, err := kinds["webhook_endpoint"].create(c)
	if err != nil {
		return nil, err
	}
	r, plain := made.(*record)
	if !plain {
		return made, nil
	}
	return r.object().Clone().Set("secret", private[endpointState](r).Secret), nil
}

func updateEndpoint(c *call, r *record) error {
	if c.params.Has("url") {
		if err := checkEndpointURL(c); err != nil {
			return err
		}
	}
	if c.params.Has("disabled") {
		status := "enabled"
		if c.params.Bool("disabled") {
			status = "disabled"
		}
		r.object().Set("status", status)
	}
	return nil
}

func checkEndpointURL(c *call) error {
	u, err := url.Parse(c.params.String("url"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return invalid("url_invalid", "url", "Invalid URL: An explicit scheme (such as https) must be provided.")
	}
	return nil
}
