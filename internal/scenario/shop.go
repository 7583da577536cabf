package scenario

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/till-pay/till/internal/money"
)

// shop is the merchant's own program: a list of orders, and an address where Stripe tells it of payments. It believes whoever tells it, until
// it is given the secret to check with.
type shop struct {
	listener net.Listener
	server   *http.Server
	mu       sync.Mutex
	orders   []*sale
	secret   string // "": it checks nothing
}

// sale is one order in the shop's books.
type sale struct {
	number string
	amount money.Money
	intent string
	paid   bool
}

func openShop() (*shop, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &shop{listener: l}
	s.server = &http.Server{Handler: s, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

// reopen opens the shop anew, with its orders, and with the secret to check signatures by.
func (s *shop) reopen(secret string) (*shop, error) {
	again, err := openShop()
	if err == nil {
		again.orders, again.secret = s.orders, secret
	}
	return again, err
}

func (s *shop) url() string { return "http://" + s.listener.Addr().String() + "/stripe" }

func (s *shop) close() { _ = s.server.Close() }

// order opens an order that is not paid yet.
func (s *shop) order(number string, amount money.Money) *sale {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &sale{number: number, amount: amount}
	s.orders = append(s.orders, o)
	return o
}

// mark notes what the shop knows of an order.
func (s *shop) mark(o *sale, intent string, paid bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.intent, o.paid = intent, paid
}

// ServeHTTP implements http.Handler: a payment_intent.succeeded marks its order as paid.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var event struct {
		Type string
		Data struct {
			Object struct {
				ID       string
				Metadata map[string]string
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || json.Unmarshal(body, &event) != nil || s.secret != "" && !genuine(string(body), r.Header.Get("Stripe-Signature"), s.secret, time.Now()) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, o := range s.orders {
		if event.Type == "payment_intent.succeeded" && o.number == event.Data.Object.Metadata["order"] {
			o.intent, o.paid = event.Data.Object.ID, true
		}
	}
}

// genuine is the check that the shop did not make: the signature is by the secret, and not older than five minutes (docs.stripe.com/webhooks).
func genuine(body, header, secret string, now time.Time) bool {
	at, _, _ := strings.Cut(strings.TrimPrefix(header, "t="), ",")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)) > 5*time.Minute {
		return false
	}
	return header == signed(body, time.Unix(seconds, 0), secret)
}

// export is the list of orders as the shop hands it over, in CSV.
func (s *shop) export() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out strings.Builder
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"order", "payment_intent", "amount", "currency", "paid"}) // to memory
	for _, o := range s.orders {
		_ = w.Write([]string{o.number, o.intent, o.amount.String(), string(o.amount.Currency), strconv.FormatBool(o.paid)})
	}
	w.Flush()
	return out.String()
}

// isPaid says whether the shop takes an order for paid.
func (s *shop) isPaid(o *sale) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return o.paid
}
