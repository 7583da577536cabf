package spec_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/till-pay/till/sandbox/spec"
)

// operation is that of a request to method and path.
func operation(t testing.TB, method, path string) spec.Op {
	t.Helper()
	op, _, ok := spec.Match(method, path)
	if !ok {
		t.Fatalf("there is no %s %s", method, path)
	}
	return op
}

func TestDecodeRefusesInStripesWords(t *testing.T) {
	t.Parallel()
	const create = "amount=2000&currency=usd"
	empty := func(name string) string {
		return strings.ReplaceAll("You passed an empty string for 'X'. We assume empty values are an attempt to unset a parameter; however 'X' cannot be unset. You should remove 'X' from your request or supply a non-empty value.", "X", name)
	}
	for name, c := range map[string]struct {
		op, encoded string
		want        spec.Error
	}{
		"unknown": {"", create + "&foo=1", spec.Error{Code: "parameter_unknown", Param: "foo", Message: "Received unknown parameter: foo"}},
		"misspelt": {"", create + "&capture_methd=manual", spec.Error{
			Code: "parameter_unknown", Param: "capture_methd", Message: "Received unknown parameter: capture_methd. Did you mean capture_method?",
		}},
		"several unknown": {"", create + "&foo=1&bar=2&foo=3", spec.Error{Code: "parameter_unknown", Param: "foo", Message: "Received unknown parameters: foo, bar"}},
		"unknown within": {"", create + "&payment_method_data[type]=card&payment_method_data[billing_details][address][planet]=x", spec.Error{
			Code: "parameter_unknown", Param: "payment_method_data[billing_details][address][planet]",
			Message: "Received unknown parameter: payment_method_data[billing_details][address][planet]",
		}},
		"unknown before the rest": {"", "amount=x&zoom=1", spec.Error{Code: "parameter_unknown", Param: "zoom", Message: "Received unknown parameter: zoom"}},
		"crooked brackets":        {"", create + "&metadata[a=1", spec.Error{Code: "parameter_unknown", Param: "metadata[a", Message: "Received unknown parameter: metadata[a. Did you mean metadata?"}},
		"no name":                 {"", create + "&=1", spec.Error{Code: "parameter_unknown", Param: "", Message: "Received unknown parameter: "}},

		"missing":             {"", "currency=usd", spec.Error{Code: "parameter_missing", Param: "amount", Message: "Missing required param: amount."}},
		"missing within":      {"", create + "&transfer_data[amount]=1", spec.Error{Code: "parameter_missing", Param: "transfer_data[destination]", Message: "Missing required param: transfer_data[destination]."}},
		"missing in a list":   {"POST /v1/invoices/create_preview", "invoice_items[0][period][end]=1", spec.Error{Code: "parameter_missing", Param: "invoice_items[0][period][start]", Message: "Missing required param: invoice_items[0][period][start]."}},
		"decimal":             {"POST /v1/prices", "currency=usd&unit_amount_decimal=1e3", spec.Error{Param: "unit_amount_decimal", Message: "Invalid decimal: 1e3"}},
		"number":              {"POST /v1/coupons", "percent_off=half", spec.Error{Param: "percent_off", Message: "Invalid decimal: half"}},
		"integer":             {"", "amount=20.00&currency=usd", spec.Error{Code: "parameter_invalid_integer", Param: "amount", Message: "Invalid integer: 20.00"}},
		"integer of 64 bits":  {"", "amount=9223372036854775808&currency=usd", spec.Error{Code: "parameter_invalid_integer", Param: "amount", Message: "Invalid integer: 9223372036854775808"}},
		"integer with a plus": {"", "amount=%2B1&currency=usd", spec.Error{Code: "parameter_invalid_integer", Param: "amount", Message: "Invalid integer: +1"}},
		"integer as object":   {"", "amount[value]=1&currency=usd", spec.Error{Code: "parameter_invalid_integer", Param: "amount", Message: `Invalid integer: {"value": …}`}},
		"boolean":             {"", create + "&confirm=yes", spec.Error{Param: "confirm", Message: "Invalid boolean: yes"}},
		"boolean within":      {"", create + "&automatic_payment_methods[enabled]=1", spec.Error{Param: "automatic_payment_methods[enabled]", Message: "Invalid boolean: 1"}},
		"enumeration":         {"", create + "&capture_method=later", spec.Error{Param: "capture_method", Message: "Invalid capture_method: must be one of automatic, automatic_async, or manual"}},
		"enumeration of two":  {"", create + "&confirmation_method=never", spec.Error{Param: "confirmation_method", Message: "Invalid confirmation_method: must be one of automatic or manual"}},
		"enumeration in a list": {"POST /v1/balance_settings", "payments[payouts][schedule][weekly_payout_days][]=friday&payments[payouts][schedule][weekly_payout_days][]=x", spec.Error{
			Param:   "payments[payouts][schedule][weekly_payout_days][1]",
			Message: "Invalid payments[payouts][schedule][weekly_payout_days][1]: must be one of friday, monday, thursday, tuesday, or wednesday",
		}},
		"object in a list of strings": {"POST /v1/refunds/re_1/cancel", "expand[0][x]=1", spec.Error{Param: "expand[0]", Message: `Invalid string: {"x": …}`}},
		"enumeration within":          {"", create + "&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=x", spec.Error{Param: "automatic_payment_methods[allow_redirects]", Message: "Invalid automatic_payment_methods[allow_redirects]: must be one of always or never"}},
		"union of word and flag":      {"", create + "&off_session=perhaps", spec.Error{Param: "off_session", Message: "Invalid boolean: perhaps"}},
		"union of range":              {"GET /v1/charges", "created=soon", spec.Error{Code: "parameter_invalid_integer", Param: "created", Message: "Invalid integer: soon"}},
		"within a range":              {"GET /v1/charges", "created[gte]=soon", spec.Error{Code: "parameter_invalid_integer", Param: "created[gte]", Message: "Invalid integer: soon"}},
		"array":                       {"", create + "&expand=customer", spec.Error{Param: "expand", Message: "Invalid array"}},
		"array by name":               {"", create + "&expand[first]=customer", spec.Error{Param: "expand", Message: "Invalid array"}},
		"array far out":               {"", create + "&expand[1000]=customer", spec.Error{Param: "expand", Message: "Invalid array"}},
		"object":                      {"", create + "&shipping=home", spec.Error{Param: "shipping", Message: "Invalid object"}},
		"object as array":             {"", create + "&shipping[]=home", spec.Error{Param: "shipping", Message: "Invalid object"}},
		"map":                         {"", create + "&metadata=x", spec.Error{Param: "metadata", Message: "Invalid object"}},
		"map as array":                {"", create + "&metadata[]=x", spec.Error{Param: "metadata", Message: "Invalid object"}},
		"string":                      {"", create + "&customer[id]=cus_1", spec.Error{Param: "customer", Message: `Invalid string: {"id": …}`}},
		"too long":                    {"", create + "&statement_descriptor_suffix=" + strings.Repeat("ab", 12), spec.Error{Param: "statement_descriptor_suffix", Message: "Invalid string: abab...abab; must be at most 22 characters"}},
		"too long a descriptor":       {"", create + "&statement_descriptor=1+year+period+with+auto+renew", spec.Error{Param: "statement_descriptor", Message: "The statement descriptor must be at most 22 characters. 1 year period with auto renew is 29 characters long."}},
		"not empty":                   {"", create + "&customer=", spec.Error{Code: "parameter_invalid_empty", Param: "customer", Message: empty("customer")}},
		"no empty amount":             {"", "amount=&currency=usd", spec.Error{Code: "parameter_invalid_empty", Param: "amount", Message: empty("amount")}},
		"no empty object":             {"", create + "&shipping=", spec.Error{Code: "parameter_invalid_empty", Param: "shipping", Message: empty("shipping")}},
		"clash":                       {"", create + "&shipping=x&shipping[name]=y", spec.Error{Param: "shipping[name]", Message: "Invalid request: part of shipping[name] is given both as a value and by its fields."}},
		"clash the other way":         {"", create + "&shipping[name]=y&shipping=", spec.Error{Param: "shipping", Message: "Invalid request: part of shipping is given both as a value and by its fields."}},
		"broken escape":               {"", create + "&description=%2", spec.Error{Message: "Invalid request: the parameters are not form-encoded UTF-8."}},
		"no UTF-8":                    {"", create + "&description=%ff", spec.Error{Message: "Invalid request: the parameters are not form-encoded UTF-8."}},
		"DELETE":                      {"DELETE /v1/customers/cus_1", "name=x", spec.Error{Code: "parameter_unknown", Param: "name", Message: "Received unknown parameter: name"}},

		"metadata key":   {"", create + "&metadata[" + strings.Repeat("k", 41) + "]=x", spec.Error{Param: "metadata", Message: "Metadata keys can have up to 40 characters, but you passed in a key that is 41 characters. Invalid key: " + strings.Repeat("k", 41)}},
		"metadata value": {"", create + "&metadata[k]=" + strings.Repeat("é", 501), spec.Error{Param: "metadata", Message: "Metadata values can have up to 500 characters, but you passed in a value that is 501 characters. Invalid value: " + strings.Repeat("é", 501)}},
		"metadata tree":  {"", create + "&metadata[k][x]=1", spec.Error{Param: "metadata[k]", Message: `Invalid string: {"x": …}`}},
		"metadata keys":  {"", create + manyKeys(51), spec.Error{Param: "metadata", Message: "Metadata can have up to 50 keys, but you've set 51"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			method, path := "POST", "/v1/payment_intents"
			if c.op != "" {
				method, path, _ = strings.Cut(c.op, " ")
			}
			p, err := operation(t, method, path).Decode(c.encoded)
			if err == nil {
				t.Fatalf("%s is taken as %s", c.encoded, p.Canonical())
			}
			if *err != c.want {
				t.Errorf("got  %+v\nwant %+v", *err, c.want)
			}
		})
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "&metadata[k%d]=v", i)
	}
	return b.String()
}

func TestDecodeRefusesACurrencyThatStripeLacks(t *testing.T) {
	t.Parallel()
	_, err := operation(t, "POST", "/v1/payment_intents").Decode("amount=1&currency=EURO")
	if err == nil || err.Param != "currency" || err.Code != "" ||
		!strings.HasPrefix(err.Message, "Invalid currency: euro. Stripe currently supports these currencies: usd, aed, afn, ") {
		t.Errorf("got %+v", err)
	}
}

func TestDecodeTakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ op, encoded, want string }{
		"nothing":               {"GET /v1/balance", "", `{}`},
		"empty pairs":           {"GET /v1/charges", "&&limit=3&", `{"limit":"3"}`},
		"the last of several":   {"GET /v1/charges", "limit=3&limit=4", `{"limit":"4"}`},
		"escapes":               {"POST /v1/customers", "name=J%C3%B6rg+%2b&metadata%5Border+id%5D=a%26b", `{"metadata":{"order id":"a&b"},"name":"Jörg +"}`},
		"zeros before a number": {"GET /v1/charges", "limit=003", `{"limit":"3"}`},
		"currency in capitals":  {"POST /v1/payment_intents", "amount=1&currency=USD", `{"amount":"1","currency":"usd"}`},
		"array by index":        {"GET /v1/charges", "expand[1]=data.b&expand[0]=data.a", `{"expand":["data.a","data.b"]}`},
		"array by brackets":     {"GET /v1/charges", "expand[]=data.a&expand[]=data.b", `{"expand":["data.a","data.b"]}`},
		"array with gaps":       {"GET /v1/charges", "expand[7]=data.b&expand[3]=data.a", `{"expand":["data.a","data.b"]}`},
		"objects by index":      {"POST /v1/subscriptions", "customer=c&items[0][price]=a&items[1][price]=b&items[0][quantity]=2", `{"customer":"c","items":[{"price":"a","quantity":"2"},{"price":"b"}]}`},
		"objects by brackets":   {"POST /v1/subscriptions", "customer=c&items[][price]=a&items[][quantity]=2&items[][price]=b", `{"customer":"c","items":[{"price":"a","quantity":"2"},{"price":"b"}]}`},
		"range":                 {"GET /v1/charges", "created[gte]=5&created[lt]=9", `{"created":{"gte":"5","lt":"9"}}`},
		"equality":              {"GET /v1/charges", "created=5", `{"created":"5"}`},
		"unset":                 {"POST /v1/payment_intents/pi_1", "metadata=&receipt_email=", `{"metadata":"","receipt_email":""}`},
		"removal of a key":      {"POST /v1/payment_intents/pi_1", "metadata[a]=", `{"metadata":{"a":""}}`},
		"flag of a union":       {"POST /v1/payment_intents/pi_1/confirm", "off_session=true", `{"off_session":"true"}`},
		"word of a union":       {"POST /v1/payment_intents/pi_1/confirm", "off_session=recurring", `{"off_session":"recurring"}`},
		"card data":             {"POST /v1/payment_methods", "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123", `{"card":{"cvc":"123","exp_month":"12","exp_year":"2040","number":"4242424242424242"},"type":"card"}`},
		"card token":            {"POST /v1/payment_methods", "type=card&card[token]=tok_visa", `{"card":{"token":"tok_visa"},"type":"card"}`},
		"card of an intent":     {"POST /v1/payment_intents", "amount=1&currency=usd&payment_method_data[type]=card&payment_method_data[card][token]=tok_visa", `{"amount":"1","currency":"usd","payment_method_data":{"card":{"token":"tok_visa"},"type":"card"}}`},
		"source of any sort":    {"POST /v1/charges", "amount=1&currency=usd&source[object]=card&source[number]=4242424242424242", `{"amount":"1","currency":"usd","source":{"number":"4242424242424242","object":"card"}}`},
		"body of DELETE":        {"DELETE /v1/subscriptions/sub_1", "prorate=true&cancellation_details[comment]=x", `{"cancellation_details":{"comment":"x"},"prorate":"true"}`},
		"blank in an address":   {"POST /v1/customers", "address[line1]=1+Way&address[line2]=", `{"address":{"line1":"1 Way","line2":""}}`},
		"fifty metadata keys":   {"POST /v1/customers", manyKeys(50)[1:], ""},
		"negative amount":       {"POST /v1/customers/cus_1/balance_transactions", "amount=-500&currency=usd", `{"amount":"-500","currency":"usd"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			method, path, _ := strings.Cut(c.op, " ")
			p, err := operation(t, method, path).Decode(c.encoded)
			if err != nil {
				t.Fatalf("%+v", err)
			}
			if got := p.Canonical(); c.want != "" && got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestDecodeIsBounded(t *testing.T) {
	t.Parallel()
	op := operation(t, "POST", "/v1/customers")
	for name, encoded := range map[string]string{
		"bytes":   "description=" + strings.Repeat("x", 1<<20),
		"pairs":   strings.Repeat("name=x&", 5000),
		"depth":   "metadata" + strings.Repeat("[a]", 1000) + "=x",
		"unknown": strings.Repeat("&"+url.QueryEscape("ü")+"[x]=1", 4000),
	} {
		if p, err := op.Decode(encoded); err == nil {
			t.Errorf("too many %s are taken as %.100s", name, p.Canonical())
		}
	}
}

// TestEveryOperationRefusesWhatIsUnknown holds for all, because all bodies are closed in the document.
func TestEveryOperationRefusesWhatIsUnknown(t *testing.T) {
	t.Parallel()
	for _, op := range spec.Ops() {
		_, err := op.Decode("no_such_parameter_anywhere=1")
		if err == nil || err.Code != "parameter_unknown" || err.Param != "no_such_parameter_anywhere" {
			t.Errorf("%s gives %v", op, err)
		}
	}
}
