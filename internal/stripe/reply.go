package stripe

import (
	"context"

	sdk "github.com/stripe/stripe-go/v85"
)

// Reply is how Stripe answered the first request that was made within a context: what an audit trail keeps of it, beside what it means.
type Reply struct {
	Status    int    // HTTP; 0 where no whole reply came
	Code      string // Stripe's, of an error or a decline
	RequestID string // Stripe's Request-Id, by which its support and its log find the request

	heard bool
}

type replyKey struct{}

// Listen is a context whose first reply is kept. It is for one goroutine.
func Listen(ctx context.Context) (context.Context, *Reply) {
	r := &Reply{}
	return context.WithValue(ctx, replyKey{}, r), r
}

// note keeps the reply for whoever listens. A decline is an error here: it is turned into its intent later.
func note(ctx context.Context, of *sdk.APIResponse, err error) {
	r, _ := ctx.Value(replyKey{}).(*Reply)
	if r == nil || r.heard {
		return
	}
	r.heard = true
	if of != nil {
		r.Status, r.RequestID = of.StatusCode, of.RequestID
	}
	if e, ok := As(err); ok {
		r.Status, r.Code, r.RequestID = e.Status, e.Code, e.RequestID
	}
}
