package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/till-pay/till/client"
)

// Endpoint is where till sends a merchant's messages.
type Endpoint struct {
	ID           string      `json:"id"`
	URL          string      `json:"url"`
	LastSequence int64       `json:"last_sequence"` // so many have been numbered
	Checkpoint   *Checkpoint `json:"checkpoint"`    // the last that was told; nil before the first
}

// Endpoints are those of the client's API key, which needs the scope webhooks:read.
func Endpoints(ctx context.Context, c *client.Client) (all []Endpoint, err error) {
	return all, c.Call(ctx, "GET", "/v1/webhooks/endpoints", nil, &all)
}

// perPage is how many messages are asked for at once: as many as till gives.
const perPage = 100

func page(ctx context.Context, c *client.Client, endpoint string, after int64) (found []Message, err error) {
	return found, c.Call(ctx, "GET", fmt.Sprintf("/v1/webhooks/endpoints/%s/events?after=%d&limit=%d", url.PathEscape(endpoint), after, perPage), nil, &found)
}

// Pull calls see with every message of an endpoint after a sequence, in order, whether it was delivered or not, until see returns an error or
// there are no more. That they come from till is proved by the client's connection and key: they carry no signature.
func Pull(ctx context.Context, c *client.Client, endpoint string, after int64, see func(Message) error) error {
	for {
		found, err := page(ctx, c, endpoint, after)
		if err != nil {
			return err
		}
		for _, m := range found {
			if m.Sequence <= after {
				return fmt.Errorf("webhook: till answered message %d after %d", m.Sequence, after)
			}
			if err := see(m); err != nil {
				return err
			}
			after = m.Sequence
		}
		if len(found) < perPage {
			return nil
		}
	}
}

// CatchUp makes a tracker whole: it asks what has been sent, fetches what has not come, calls deal with each such message and then adds it, and
// checks the last checkpoint. fetched counts them. A nil error says that nothing is missing up to the endpoint's last message of the moment, and
// that the last checkpoint, where there is one, is proved. *Conflict names the first message that came with another id than till's; *Difference
// says between which numbers it is where the ids are no longer kept.
//
// deal may meet a message at the same time as Handler's does. Whoever keeps the tracker keeps it afterwards, and also where there was an error:
// what was added was dealt with.
func CatchUp(ctx context.Context, c *client.Client, endpoint string, t *Tracker, deal func(Message) error) (fetched int, err error) {
	at, err := find(ctx, c, endpoint)
	if err != nil {
		return 0, err
	}
	t.Expect(at.LastSequence)
	for gaps := t.Missing(); len(gaps) > 0; {
		n, err := fill(ctx, c, endpoint, t, gaps, deal)
		fetched += n
		if err != nil {
			return fetched, err
		}
		still := t.Missing()
		if n == 0 && len(still) > 0 && still[0] == gaps[0] {
			return fetched, fmt.Errorf("webhook: till does not give message %d", gaps[0].From)
		}
		gaps = still
	}
	if at.Checkpoint == nil {
		return fetched, nil
	}
	err = t.Check(*at.Checkpoint)
	var differs *Difference
	if errors.As(err, &differs) {
		err = name(ctx, c, endpoint, t, differs)
	}
	return fetched, err
}

func find(ctx context.Context, c *client.Client, endpoint string) (Endpoint, error) {
	all, err := Endpoints(ctx, c)
	if err != nil {
		return Endpoint{}, err
	}
	for _, e := range all {
		if e.ID == endpoint {
			return e, nil
		}
	}
	return Endpoint{}, fmt.Errorf("webhook: till has no endpoint %s for this key", endpoint)
}

// fill fetches one page from where the first gap begins, and takes what lies in a gap.
func fill(ctx context.Context, c *client.Client, endpoint string, t *Tracker, gaps []Range, deal func(Message) error) (n int, err error) {
	found, err := page(ctx, c, endpoint, gaps[0].From-1)
	if err != nil {
		return 0, err
	}
	for _, m := range found {
		for len(gaps) > 0 && gaps[0].To < m.Sequence {
			gaps = gaps[1:]
		}
		if len(gaps) == 0 {
			break
		}
		if m.Sequence < gaps[0].From {
			continue
		}
		if err := deal(m); err != nil {
			return n, err
		}
		if _, err := t.Add(m); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

var errEnough = errors.New("enough")

// name finds the first message whose id is not till's, among those whose ids are kept.
func name(ctx context.Context, c *client.Client, endpoint string, t *Tracker, d *Difference) error {
	t.mu.Lock()
	kept := t.base
	t.mu.Unlock()
	err := Pull(ctx, c, endpoint, kept, func(m Message) error {
		if m.Sequence > d.Within.To {
			return errEnough
		}
		_, err := t.Add(m)
		return err
	})
	if err == nil || errors.Is(err, errEnough) {
		return &Difference{Range{d.Within.From, min(kept, d.Within.To)}} // every id that is kept is till's
	}
	return err
}
