package cli

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/till-pay/till/client"
)

// remote is the running till that a command speaks to, as a merchant: it knows no more than the API says.
type remote struct {
	URL string `name:"url" placeholder:"URL" env:"TILL" default:"http://127.0.0.1:8080" help:"Where till runs (${default})."`
}

// apiKeyVariable holds the merchant's API key. There is no flag for it: a command line can be read by others.
const apiKeyVariable = "TILL_API_KEY"

// client speaks to that till with the key of the environment.
func (r remote) client() (*client.Client, error) {
	key := strings.TrimSpace(os.Getenv(apiKeyVariable))
	if key == "" {
		return nil, errors.New(apiKeyVariable + " is not set: export an API key of the merchant's, from till key create or till up")
	}
	at, err := url.Parse(r.URL)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" {
		return nil, fmt.Errorf("--url must be where till runs, such as http://127.0.0.1:8080")
	}
	return client.New(r.URL, key), nil
}
