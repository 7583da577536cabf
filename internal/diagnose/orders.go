package diagnose

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/till-pay/till/internal/money"
)

// Order is a line of a shop's own list.
type Order struct {
	Order  string
	Intent string // Stripe's PaymentIntent; "" where the shop has none
	Amount money.Money
	Paid   bool // the shop takes it for paid
}

const mostOrders = 100_000

// ReadOrders reads a shop's list: CSV whose first line names the columns order, payment_intent, amount, currency and paid, in any order and
// among others, or a JSON list of objects with these names. An amount is a decimal number, "49.00".
func ReadOrders(r io.Reader) ([]Order, error) {
	in := bufio.NewReader(r)
	for {
		b, err := in.ReadByte()
		if err != nil {
			return nil, errors.New("the list of orders is empty")
		}
		if strings.IndexByte(" \t\r\n", b) >= 0 {
			continue
		}
		if err := in.UnreadByte(); err != nil {
			return nil, err
		}
		if b == '[' {
			return ordersJSON(in)
		}
		return ordersCSV(in)
	}
}

func ordersJSON(r io.Reader) (all []Order, err error) {
	var rows []struct {
		Order    string      `json:"order"`
		Intent   string      `json:"payment_intent"`
		Amount   json.Number `json:"amount"`
		Currency string      `json:"currency"`
		Paid     bool        `json:"paid"`
	}
	var wrong *json.UnmarshalTypeError
	if err := json.NewDecoder(r).Decode(&rows); errors.As(err, &wrong) {
		return nil, fmt.Errorf("the list of orders: %s is not to be written as a JSON %s", first(wrong.Field, "an order"), wrong.Value)
	} else if err != nil {
		return nil, fmt.Errorf("the list of orders is not JSON as it is expected: %w", err)
	}
	for n, row := range rows {
		o, err := order(row.Order, row.Intent, row.Amount.String(), row.Currency, row.Paid)
		if err != nil {
			return nil, fmt.Errorf("order %d of the list: %w", n+1, err)
		}
		all = append(all, o)
	}
	return all, few(all)
}

func ordersCSV(r io.Reader) (all []Order, err error) {
	rows := csv.NewReader(r)
	rows.TrimLeadingSpace = true
	head, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("the list of orders is not CSV: %w", err)
	}
	at := map[string]int{}
	for _, name := range []string{"order", "payment_intent", "amount", "currency", "paid"} {
		if at[name] = slices.Index(head, name); at[name] < 0 {
			return nil, fmt.Errorf("the list of orders has no column %q; its first line names order, payment_intent, amount, currency and paid", name)
		}
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return all, few(all)
		}
		if err != nil {
			return nil, fmt.Errorf("the list of orders: %w", err)
		}
		line, _ := rows.FieldPos(0)
		paid, err := strconv.ParseBool(row[at["paid"]])
		if err != nil {
			return nil, fmt.Errorf("line %d of the orders: paid is true or false, not %q", line, row[at["paid"]])
		}
		o, err := order(row[at["order"]], row[at["payment_intent"]], row[at["amount"]], row[at["currency"]], paid)
		if err != nil {
			return nil, fmt.Errorf("line %d of the orders: %w", line, err)
		}
		if all = append(all, o); len(all) > mostOrders {
			return nil, few(all)
		}
	}
}

func order(name, intent, amount, currency string, paid bool) (Order, error) {
	c, err := money.ParseCurrency(currency)
	if err != nil {
		return Order{}, err
	}
	m, err := money.Parse(amount, c)
	return Order{name, intent, m, paid}, err
}

func few(all []Order) error {
	if len(all) > mostOrders {
		return fmt.Errorf("these are more than %d orders: give a part of them", mostOrders)
	}
	return nil
}
