package scenario

import (
	"fmt"
	"time"

	"github.com/till-pay/till/client"
	"github.com/till-pay/till/internal/ledger"
	"github.com/till-pay/till/internal/money"
)

// business is a day of it; on weekends the shop is closed.
func (s *stopped) business(day time.Time) error {
	if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		return nil
	}
	if err := s.reach(day.Add(trades)); err != nil {
		return err
	}
	target := s.target(day)
	const orders = 14
	sold := int64(0)
	for range orders - 1 {
		amount := target / orders * (70 + s.rand.Int64N(41)) / 100
		net, err := s.sell(amount)
		if err != nil {
			return err
		}
		sold += net
	}
	_, err := s.sell(s.grossOf(target-sold, day))
	return err
}

// target is what a day is to bring after Stripe's fees. Of the case itself it is known what the three days bring together whose money does
// not arrive.
func (s *stopped) target(day time.Time) int64 {
	const own, least, spread = 47_230_00, 15_000_00, 4_200_00
	stuck := int(day.Sub(s.monday.Add(-week)) / (24 * time.Hour))
	if !s.own || stuck < 0 || stuck > 2 {
		return least + s.rand.Int64N(spread)
	}
	return []int64{own/3 - 150_00, own/3 + 240_00, own - 2*(own/3) - 90_00}[stuck]
}

// grossOf is the price of which so much is left after Stripe's fee.
func (s *stopped) grossOf(net int64, day time.Time) int64 {
	for gross := net; gross < 2*net; gross++ {
		if left, _ := s.netOf(gross, day); left >= net {
			return gross
		}
	}
	return net
}

func (s *stopped) netOf(gross int64, day time.Time) (int64, bool) {
	fee, known := ledger.CardFee(germany, germany, money.FromMinor(gross, "EUR"), day)
	return gross - fee.Minor, known
}

// sell takes a payment for an order, and says what is expected to be left of it.
func (s *stopped) sell(minor int64) (net int64, err error) {
	s.number++
	name := fmt.Sprintf("SW-%d", 1000+s.number)
	var p payment
	if err = s.call("POST", "/v1/payments", map[string]any{"amount": money.FromMinor(minor, "EUR").String(), "currency": "EUR", "provider": "stripe", "payment_method": "pm_card_de",
		"metadata": map[string]string{"order": name}}, &p, client.Key("order-"+name)); err != nil {
		return 0, err
	}
	if p.Status != "completed" {
		return 0, fmt.Errorf("order %s of %s EUR is %s", name, p.Amount, p.Status)
	}
	net, _ = s.netOf(minor, p.CreatedAt)
	return net, nil
}
