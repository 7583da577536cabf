package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/till-pay/till/internal/fault"
)

// admit bounds how many requests are at work at once, so that a flood ends in clear refusals and not in a dead process.
func (a *API) admit(ctx huma.Context, next func(huma.Context)) {
	defer a.inside.Add(-1)
	if a.inside.Add(1) > a.crowd {
		a.write(ctx, fault.New(fault.TooManyRequests, "", "Too many requests are at work; send this one again in a second."))
		return
	}
	next(ctx)
}

// authorize lets a request in whose key is valid and carries the scope, before anything of it is read.
func (a *API) authorize(scope string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, _ := humago.Unwrap(ctx)
		caller, err := a.authenticate(ctx.Context(), r.Header)
		Concerns(ctx.Context(), caller.Merchant)
		if err == nil && scope != "" && !slices.Contains(caller.Scopes, scope) {
			err = fault.New(fault.ScopeMissing, "", "This API key lacks the scope %s.", scope)
		}
		if err != nil {
			a.write(ctx, err)
			return
		}
		next(huma.WithValue(ctx, callerKey{}, caller))
	}
}

// pair is the form of a query parameter such as metadata[order].
var pair = regexp.MustCompile(`^([^\[\]]+)\[[^\[\]]+\]$`)

// query refuses parameters that an operation does not take, takes once, or that are empty: a mistyped filter must not widen a list.
func (a *API) query(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	values := r.URL.Query()
	for _, name := range sorted(values) {
		var err error
		switch {
		case !takes(ctx.Operation(), name):
			err = fault.New(fault.ParameterUnknown, clip(name), "The parameter %s is not one that this call takes.", clip(name))
		case len(values[name]) > 1:
			err = fault.New(fault.ParameterInvalid, clip(name), "The parameter %s is there twice.", clip(name))
		case values[name][0] == "":
			err = fault.New(fault.ParameterInvalid, clip(name), "The parameter %s is empty: leave it out, or give it a value.", clip(name))
		}
		if err != nil {
			a.write(ctx, err)
			return
		}
	}
	next(ctx)
}

func takes(op *huma.Operation, name string) bool {
	style := ""
	if m := pair.FindStringSubmatch(name); m != nil {
		name, style = m[1], "deepObject"
	}
	return slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.In == "query" && p.Name == name && p.Style == style })
}

// body reads a request's body whole, within its bounds, and refuses what is no JSON or JSON with a trap in it. A raw body, such
// as a signed webhook's, is only bounded. Who asks for money to move without a key hears of that before the fields are looked at.
func (a *API) body(limit int64, keyed bool) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		want := ctx.Operation().RequestBody
		if want == nil {
			next(ctx)
			return
		}
		r, w := humago.Unwrap(ctx)
		_, decoded := want.Content[contentType]
		data, err := a.read(w, r, decoded, limit)
		switch {
		case err != nil:
		case decoded && len(data) > 0:
			err = strict(data)
		case want.Required && len(data) == 0:
			err = fault.New(fault.BodyInvalid, "", "The body is missing: this call takes a JSON object.")
		}
		if err == nil && keyed && r.Header.Get("Idempotency-Key") == "" && !hasKeyParts(data) {
			err = KeyRequired()
		}
		if err != nil {
			a.write(ctx, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(data))
		next(ctx)
	}
}

// hasKeyParts says whether a body names its key by parts; whether they are good is the room's to say.
func hasKeyParts(data []byte) bool {
	var in struct {
		KeyParts json.RawMessage `json:"key_parts"`
	}
	return json.Unmarshal(data, &in) == nil && len(in.KeyParts) > 0 && string(in.KeyParts) != "null"
}

// KeyRequired is the refusal of a call that moves money and has no key.
func KeyRequired() *fault.Error {
	return fault.New(fault.IdempotencyKeyRequired, "Idempotency-Key", "This call moves money: send an Idempotency-Key header, or key_parts in the body, and the same again when you repeat the call.")
}

func (a *API) read(w http.ResponseWriter, r *http.Request, decoded bool, limit int64) ([]byte, error) {
	if decoded && r.ContentLength != 0 {
		if err := isJSON(r.Header.Get("Content-Type")); err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", contentType)
	}
	tooLarge := fault.New(fault.BodyTooLarge, "", "The body is longer than the %d bytes that this call reads.", limit)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fault.New(fault.BodyInvalid, "", "The body did not arrive within %s.", a.bodyWithin)
	case err != nil:
		return nil, fault.New(fault.BodyInvalid, "", "The body ends early, or its encoding is broken.").Because(err)
	case int64(len(data)) > limit:
		return nil, tooLarge
	}
	// A read deadline that passes while the handler is at work would end the request's context (net/http): it ends here.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return data, nil
}

const contentType = "application/json"

// isJSON checks the Content-Type of a JSON body. Absent is taken for JSON; a form's or text's is refused, so that no page of
// another origin can send a body without asking the browser first.
func isJSON(header string) error {
	media, params, err := mime.ParseMediaType(header)
	charset := strings.ToLower(params["charset"])
	if header == "" || err == nil && media == contentType && (charset == "" || charset == "utf-8") {
		return nil
	}
	return fault.New(fault.ContentTypeUnsupported, "", "The body must be JSON in UTF-8: send Content-Type: application/json.")
}

func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
