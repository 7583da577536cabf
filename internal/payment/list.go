package payment

import (
	"strings"

	"github.com/huandu/go-sqlbuilder"

	"github.com/till-pay/till/internal/api"
	"github.com/till-pay/till/internal/fault"
	"github.com/till-pay/till/internal/money"
)

// ListInput filters the list of payments. Every filter narrows.
type ListInput struct {
	api.PageInput
	api.Between
	api.MetadataFilter
	Provider      string `query:"provider" enum:"stripe"`
	Status        string `query:"status" maxLength:"20" doc:"pending, held, authorized, completed, failed, cancelled or refunded (all money sent back). completed includes payments refunded in part."`
	Currency      string `query:"currency" maxLength:"3"`
	MinAmount     string `query:"min_amount" maxLength:"24" doc:"At least this much, each payment in its own currency."`
	MaxAmount     string `query:"max_amount" maxLength:"24" doc:"At most this much, each payment in its own currency."`
	Card          string `query:"card" maxLength:"36" doc:"Charged to this saved card."`
	CustomerEmail string `query:"customer_email" maxLength:"320"`
	CustomerRef   string `query:"customer_reference" maxLength:"200" doc:"The merchant's own name for the customer, exactly as it was given."`
	ProviderRef   string `query:"provider_ref" maxLength:"255" doc:"The payment behind one of Stripe's PaymentIntents."`
	Key           string `query:"idempotency_key" maxLength:"255" doc:"The payment that was made under this key."`
}

// filter puts the filters that are set into the query.
func (in ListInput) filter(b *sqlbuilder.SelectBuilder) error {
	if err := in.filterStatus(b); err != nil {
		return err
	}
	if err := in.filterAmount(b); err != nil {
		return err
	}
	api.Filter(b, "provider", in.Provider)
	api.Filter(b, "saved_card", in.Card)
	api.Filter(b, "customer_email", strings.ToLower(in.CustomerEmail))
	if in.CustomerRef != "" {
		b.Where(b.Equal("customer_ref", in.CustomerRef), "customer_ref <> ''") // as its index says
	}
	api.Filter(b, "provider_ref", in.ProviderRef)
	api.Filter(b, "idempotency_key", in.Key)
	for key, value := range in.Metadata {
		b.Where("exists (select 1 from payment_metadata m where m.merchant = payments.merchant and m.mode = payments.mode and m.payment = payments.id and m.key = " +
			b.Var(key) + " and m.value = " + b.Var(value) + ")")
	}
	return nil
}

func (in ListInput) filterStatus(b *sqlbuilder.SelectBuilder) error {
	switch {
	case in.Status == "":
	case !knownStatus(in.Status):
		return fault.New(fault.ParameterInvalid, "status", "status is pending, held, authorized, completed, failed, cancelled or refunded.")
	case Status(in.Status) == Refunded:
		b.Where(b.Equal("status", string(Completed)), "refunded = captured")
	case Status(in.Status) == Completed:
		b.Where(b.Equal("status", string(Completed)), "refunded < captured")
	default:
		b.Where(b.Equal("status", in.Status))
	}
	return nil
}

// filterAmount compares in the payment's own currency: 50 is fifty dollars, fifty yen, fifty dinars.
func (in ListInput) filterAmount(b *sqlbuilder.SelectBuilder) error {
	currencies := money.Currencies()
	if in.Currency != "" {
		c, err := money.ParseCurrency(in.Currency)
		if err != nil {
			return at("currency", err)
		}
		b.Where(b.Equal("currency", string(c)))
		currencies = []money.Currency{c}
	}
	for _, bound := range []struct{ param, value, compare string }{{"min_amount", in.MinAmount, ">="}, {"max_amount", in.MaxAmount, "<="}} {
		if bound.value == "" {
			continue
		}
		cond, err := amountBound(b, bound.value, bound.compare, currencies)
		if err != nil {
			return at(bound.param, err)
		}
		b.Where(cond)
	}
	return nil
}

// amountBound is one comparison for each amount that the bound means in a currency. A bound that names one currency must be an amount of it.
func amountBound(b *sqlbuilder.SelectBuilder, value, compare string, currencies []money.Currency) (string, error) {
	type bound struct {
		minor int64
		exact bool
	}
	of := map[bound][]any{}
	var refusal error
	for _, c := range currencies {
		m, exact, err := atMost(value, c)
		if err == nil && !exact && len(currencies) == 1 {
			_, err = money.Parse(value, c)
		}
		if err != nil {
			refusal = err
			continue
		}
		of[bound{m.Minor, exact}] = append(of[bound{m.Minor, exact}], string(c))
	}
	if len(of) == 0 {
		return "", refusal
	}
	var any []string
	for at, codes := range of {
		compare := compare
		if !at.exact { // the bound lies above at.minor: at least so much is more than at.minor, at most so much is at most at.minor
			compare = strings.Replace(compare, ">=", ">", 1)
		}
		any = append(any, "("+b.In("currency", codes...)+" and amount "+compare+" "+b.Var(at.minor)+")")
	}
	return b.Or(any...), nil
}

// atMost is the greatest amount of a currency that is no more than a decimal number, and whether it is that number: yen know no half ones.
func atMost(value string, c money.Currency) (m money.Money, exact bool, err error) {
	m, err = money.Parse(value, c)
	if !fault.Is(err, fault.AmountTooPrecise) {
		return m, true, err
	}
	whole, fraction, _ := strings.Cut(value, ".")
	kept := min(c.Digits(), 2) // the third digit of three is always 0
	if kept > 0 {
		whole += "." + fraction[:kept]
	}
	m, err = money.Parse(whole, c)
	return m, strings.Trim(fraction[kept:], "0") == "", err
}
