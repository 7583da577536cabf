package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// stripe is Stripe as the stage sees it: its API by plain HTTP, and what steers a sandbox.
type stripe struct {
	base, key string
	http      *http.Client
}

func newStripe(base, key string) *stripe {
	return &stripe{base: strings.TrimRight(base, "/"), key: key, http: &http.Client{Timeout: 70 * time.Second}}
}

const mostReply = 16 << 20 // bytes

func (s *stripe) do(ctx context.Context, method, path, kind string, body []byte, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	reply, err := s.http.Do(r)
	if err != nil {
		return fmt.Errorf("the sandbox at %s: %w", s.base, err)
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(reply.Body, mostReply))
	if err != nil {
		return err
	}
	if reply.StatusCode != http.StatusOK {
		var said struct{ Error struct{ Message string } }
		_ = json.Unmarshal(raw, &said)
		return fmt.Errorf("%s %s at Stripe: %d %s", method, path, reply.StatusCode, said.Error.Message)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// get asks Stripe's API.
func (s *stripe) get(ctx context.Context, path string, out any) error {
	return s.do(ctx, http.MethodGet, path, "", nil, out)
}

// post asks Stripe's API to do something.
func (s *stripe) post(ctx context.Context, path string, form url.Values, out any) error {
	return s.do(ctx, http.MethodPost, path, "application/x-www-form-urlencoded", []byte(form.Encode()), out)
}

// control steers the sandbox's world.
func (s *stripe) control(ctx context.Context, method, path string, in map[string]any, out any) error {
	var body []byte
	if in != nil {
		body, _ = json.Marshal(in) // plain data
	}
	return s.do(ctx, method, "/_sandbox/"+path, "application/json", body, out)
}

const mostPages = 1_000

// each walks one of Stripe's lists, newest first.
func each[T any](ctx context.Context, s *stripe, path string, q url.Values, id func(T) string, see func(T)) error {
	after := url.Values{"limit": {"100"}}
	for k, v := range q {
		after[k] = v
	}
	for range mostPages {
		var page struct {
			Data    []T  `json:"data"`
			HasMore bool `json:"has_more"`
		}
		if err := s.get(ctx, path+"?"+after.Encode(), &page); err != nil {
			return err
		}
		for _, one := range page.Data {
			see(one)
		}
		if !page.HasMore || len(page.Data) == 0 {
			return nil
		}
		after.Set("starting_after", id(page.Data[len(page.Data)-1]))
	}
	return fmt.Errorf("%s at Stripe has no end", path)
}

// authenticate is a payer at the bank's page, who confirms: what a browser does with it.
func (s *stripe) authenticate(ctx context.Context, page string) error {
	return s.atTheBank(ctx, page, "complete")
}

// atTheBank is a payer at the bank's page, and how that ends: complete or fail.
func (s *stripe) atTheBank(ctx context.Context, page, outcome string) error {
	said, err := s.page(ctx, http.MethodGet, page, nil)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(said, `name="token" value="`)
	token, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return fmt.Errorf("the bank's page has no form")
	}
	_, err = s.page(ctx, http.MethodPost, page, url.Values{"token": {token}, "outcome": {outcome}})
	return err
}

func (s *stripe) page(ctx context.Context, method, address string, form url.Values) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	stay := *s.http
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the shop's page is not of interest
	reply, err := stay.Do(r)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(reply.Body, 1<<20))
	if err == nil && reply.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("the bank's page answers %d", reply.StatusCode)
	}
	return string(raw), err
}
