package ledger

import (
	"context"
	"net/http"

	"github.com/till-pay/till/internal/api"
)

// Routes registers the room's endpoints.
func (b *Books) Routes(a *api.API) {
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/ledger/trial_balance", Summary: "Get the trial balance", Tag: "Ledger", Scope: api.PaymentsRead,
		Text: "Every account of a book, per currency: its balance at the last close, what has been debited and credited since, and its balance. Each currency sums to zero, or `wrong` says why not."},
		func(ctx context.Context, c api.Caller, in *TrialInput) (api.Reply[TrialBalance], error) {
			t, err := b.TrialBalance(ctx, c.Scope, *in)
			return api.Reply[TrialBalance]{Data: t}, err
		})
	api.Add(a, api.Operation{Method: "POST", Path: "/v1/ledger/closes", Summary: "Close a period", Tag: "Ledger", Scope: api.MerchantWrite, Status: http.StatusCreated,
		Text: "Records what every account of both books held at the end of a day in UTC, in the chain: it is not changed any more. The day must have ended an hour ago. " +
			"What is posted later with a time of the closed period, because a commit was long on its way, is refused nowhere, for it is true: it counts in the period that is open then. The same day again answers 200 with the close that there is."},
		func(ctx context.Context, c api.Caller, in *CloseInput) (api.Reply[Close], error) {
			made, isNew, err := b.Close(ctx, c.Scope, in.Body.Through)
			r := api.Reply[Close]{Data: made}
			if !isNew {
				r.Status = http.StatusOK
			}
			return r, err
		})
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/ledger/head", Summary: "Get the head of the ledger", Tag: "Ledger", Scope: api.PaymentsRead,
		Text: "The last row of the chain of hashes over both books, and what has been posted and is not chained yet."},
		func(ctx context.Context, c api.Caller, _ *struct{}) (api.Reply[Tip], error) {
			t, err := b.Tip(ctx, c.Scope)
			return api.Reply[Tip]{Data: t}, err
		})
	api.AddList(a, api.Operation{Method: "GET", Path: "/v1/ledger/heads", Summary: "List the daily heads of the ledger", Tag: "Ledger", Scope: api.PaymentsRead,
		Text: "The last row of the chain on each day in UTC, newest first. Keep them where this till cannot write: nobody can then change what came before unnoticed."},
		func(ctx context.Context, c api.Caller, in *api.PageInput) (api.Page[Head], error) {
			return b.Heads(ctx, c.Scope, *in)
		})
	api.Add(a, api.Operation{Method: "GET", Path: "/v1/ledger/verification", Summary: "Verify the ledger", Tag: "Ledger", Scope: api.PaymentsRead,
		Text: "Walks the chain and holds it against the books: a value that was changed, a line that is missing or was added, a row of the chain that was removed, moved or written anew is named. " +
			"A part is answered after a few seconds: go on with `next` until `complete`."},
		func(ctx context.Context, c api.Caller, in *VerifyInput) (api.Reply[Verification], error) {
			v, err := b.Verify(ctx, c.Scope, *in)
			return api.Reply[Verification]{Data: v}, err
		})
}
