package sandbox

import "time"

// The rows are those of docs.stripe.com/payments/<name> and of Stripe's list of payment methods, as of 2026. Not confirmed are: how long a customer has where Stripe names no
// time, the bounds of amounts, and the days of refunds and holds where the documentation of a kind names none. The prices are of stripe.com/pricing as
// published in 2024, for accounts in the countries of the kind.

const hour = time.Hour

// lendersCountries are where customers of the lenders live.
const (
	klarnaCountries   = "AT AU BE CA CH CZ DE DK ES FI FR GB GR IE IT NL NO NZ PL PT RO SE US"
	afterpayCountries = "AU CA GB NZ US"
)

// Currencies of kinds that take many.
const (
	klarnaCurrencies = "aud cad chf czk dkk eur gbp nok nzd pln ron sek usd"
	alipayCurrencies = "aud cad cny eur gbp hkd jpy myr nzd sgd usd"
	wechatCurrencies = "aud cad chf cny dkk eur gbp hkd jpy nok sek sgd usd"
	paypalCurrencies = "aud cad chf czk dkk eur gbp hkd nok nzd pln sek sgd usd"
)

// share is a price by amount, in hundredths of a percent and minor units.
func share(part, fixed int64, currency string) methodPrice {
	return methodPrice{since: "2024-01-01", currency: currency, share: part, fixed: fixed, source: publishedPrice}
}

var hostedKinds = []hostedKind{
	// Banks.
	{name: "bancontact", title: "Bancontact", currencies: "eur", needs: "name", open: hour, bank: true, refundable: 180, fails: bankDeclines, price: share(140, 25, "eur")},
	{name: "blik", title: "BLIK", currencies: "pln", action: "blik_authorize", open: time.Minute, refundable: 180, fails: customerDeclines, price: share(160, 100, "pln")},
	{name: "eps", title: "EPS", currencies: "eur", needs: "name", open: hour, refundable: 180, fails: bankDeclines, price: share(160, 25, "eur")},
	{name: "fpx", title: "FPX", currencies: "myr", least: 200, most: 3_000_000, must: "bank", open: hour, refundable: 60, fails: bankDeclines, price: share(300, 100, "myr")},
	{name: "giropay", title: "giropay", currencies: "eur", needs: "name", open: hour, refundable: 180, fails: bankDeclines, price: share(140, 25, "eur")},
	{name: "ideal", title: "iDEAL", currencies: "eur", open: hour, bank: true, refundable: 180, fails: bankDeclines, price: share(0, 29, "eur")},
	{name: "p24", title: "Przelewy24", currencies: "eur pln", needs: "email", open: hour, refundable: 180, fails: bankDeclines, price: share(220, 30, "eur")},
	{name: "pay_by_bank", title: "Pay by Bank", currencies: "gbp eur", open: hour, refundable: 180, fails: customerDeclines, price: share(150, 20, "gbp")},
	{name: "sofort", title: "Sofort", currencies: "eur", must: "country", open: hour, bank: true, slow: true, refundable: 180, fails: bankDeclines, price: share(140, 25, "eur")},
	{name: "twint", title: "TWINT", currencies: "chf", most: 500_000, open: hour, refundable: 180, fails: customerDeclines, price: share(190, 30, "chf")},

	// Lenders.
	{name: "affirm", title: "Affirm", currencies: "cad usd", countries: "CA US", open: 12 * hour, held: 30, refundable: 120, fails: customerDeclines, price: share(600, 30, "usd")},
	{name: "afterpay_clearpay", title: "Afterpay / Clearpay", currencies: "aud cad gbp nzd usd", countries: afterpayCountries, needs: "name email", open: 3 * hour, held: 13, refundable: 120, fails: customerDeclines, price: share(600, 30, "usd")},
	{name: "alma", title: "Alma", currencies: "eur", least: 5_000, most: 200_000, open: hour, held: 7, refundable: 365, fails: customerDeclines, price: share(450, 0, "eur")},
	{name: "billie", title: "Billie", currencies: "eur gbp sek", open: hour, held: 7, refundable: 180, fails: customerDeclines, price: share(399, 35, "eur")},
	{name: "klarna", title: "Klarna", currencies: klarnaCurrencies, countries: klarnaCountries, open: 48 * hour, held: 28, reusable: true, refundable: 180, fails: customerDeclines, price: share(299, 35, "eur")},
	{name: "scalapay", title: "Scalapay", currencies: "eur", open: hour, held: 7, refundable: 180, fails: customerDeclines, price: share(450, 0, "eur")},
	{name: "sunbit", title: "Sunbit", currencies: "usd", countries: "US", open: hour, held: 7, refundable: 180, fails: customerDeclines, price: share(600, 30, "usd")},
	{name: "zip", title: "Zip", currencies: "aud usd", countries: "AU US", open: hour, refundable: 180, fails: customerDeclines, price: share(499, 30, "aud")},

	// Wallets.
	{name: "alipay", title: "Alipay", currencies: alipayCurrencies, action: "alipay_handle_redirect", open: hour, refundable: 90, fails: bankDeclines, price: share(290, 30, "usd")},
	{name: "amazon_pay", title: "Amazon Pay", currencies: "aud chf dkk eur gbp hkd jpy nok nzd sek usd zar", open: 24 * hour, held: 7, reusable: true, refundable: 180, fails: customerDeclines, price: share(290, 30, "usd")},
	{name: "cashapp", title: "Cash App Pay", currencies: "usd", countries: "US", action: "cashapp_handle_redirect_or_display_qr_code", open: hour, held: 7, reusable: true, refundable: 90, fails: customerDeclines, price: share(290, 30, "usd")},
	{name: "grabpay", title: "GrabPay", currencies: "myr sgd", open: hour, refundable: 90, fails: bankDeclines, price: share(330, 0, "sgd")},
	{name: "kakao_pay", title: "Kakao Pay", currencies: "krw", least: 100, open: hour, held: 7, reusable: true, refundable: 365, fails: customerDeclines, price: share(350, 0, "krw")},
	{name: "kr_card", title: "Korean cards", currencies: "krw", least: 100, open: hour, held: 7, reusable: true, refundable: 365, fails: customerDeclines, price: share(350, 0, "krw")},
	{name: "mobilepay", title: "MobilePay", currencies: "dkk eur nok sek", open: hour, held: 7, refundable: 365, fails: customerDeclines, price: share(150, 180, "dkk")},
	{name: "naver_pay", title: "Naver Pay", currencies: "krw", least: 100, open: hour, held: 7, reusable: true, refundable: 365, fails: customerDeclines, price: share(350, 0, "krw")},
	{name: "payco", title: "PAYCO", currencies: "krw", least: 100, open: hour, held: 7, refundable: 365, fails: customerDeclines, price: share(350, 0, "krw")},
	{name: "paypal", title: "PayPal", currencies: paypalCurrencies, open: 3 * hour, held: 10, reusable: true, refundable: 180, fails: customerDeclines, price: share(0, 10, "eur")},
	{name: "revolut_pay", title: "Revolut Pay", currencies: "eur gbp", open: hour, held: 7, reusable: true, refundable: 365, fails: customerDeclines, price: share(120, 20, "gbp")},
	{name: "samsung_pay", title: "Samsung Pay", currencies: "krw", least: 100, open: hour, held: 7, refundable: 365, fails: customerDeclines, price: share(350, 0, "krw")},
	{name: "satispay", title: "Satispay", currencies: "eur", open: hour, held: 7, refundable: 365, fails: customerDeclines, price: share(150, 25, "eur")},

	// Apps that read a code.
	{name: "paynow", title: "PayNow", currencies: "sgd", action: "paynow_display_qr_code", open: hour, refundable: 90, fails: bankDeclines, price: share(130, 0, "sgd")},
	{name: "pix", title: "Pix", currencies: "brl", least: 50, action: "pix_display_qr_code", open: 24 * hour, refundable: 90, fails: bankDeclines, price: share(119, 0, "brl")},
	{name: "promptpay", title: "PromptPay", currencies: "thb", action: "promptpay_display_qr_code", needs: "email", open: 24 * hour, asks: true, refundable: 180, fails: bankDeclines, price: share(165, 0, "thb")},
	{name: "swish", title: "Swish", currencies: "sek", action: "swish_handle_redirect_or_display_qr_code", open: 3 * time.Minute, refundable: 365, fails: customerDeclines, price: share(100, 300, "sek")},
	{name: "wechat_pay", title: "WeChat Pay", currencies: wechatCurrencies, action: "wechat_pay_display_qr_code", open: hour, refundable: 180, fails: bankDeclines, price: share(290, 30, "usd")},

	// Vouchers.
	{name: "boleto", title: "Boleto", currencies: "brl", least: 500, most: 4_999_999, needs: "name email", must: "tax_id", action: "boleto_display_details", fails: bankDeclines, price: share(0, 345, "brl")},
	{name: "konbini", title: "Konbini", currencies: "jpy", least: 120, most: 300_000, needs: "name email", action: "konbini_display_details", asks: true, refundable: 180, fails: bankDeclines, price: share(360, 0, "jpy")},
	{name: "multibanco", title: "Multibanco", currencies: "eur", needs: "email", action: "multibanco_display_details", asks: true, refundable: 180, fails: bankDeclines, price: share(150, 25, "eur")},
	{name: "oxxo", title: "OXXO", currencies: "mxn", least: 1_000, most: 1_000_000, needs: "name email", action: "oxxo_display_details", fails: bankDeclines, price: share(360, 300, "mxn")},
}

// idealBanks are the codes of the banks that take part in iDEAL (docs.stripe.com/api, payment_method.ideal).
var idealBanks = map[string]string{
	"abn_amro": "ABNANL2A", "adyen": "ADYBNL2A", "asn_bank": "ASNBNL21", "bunq": "BUNQNL2A", "buut": "BUUTNL2A", "finom": "FNOMNL22", "handelsbanken": "HANDNL2A",
	"ing": "INGBNL2A", "knab": "KNABNL2H", "mollie": "MLLENL2A", "moneyou": "MOYONL21", "n26": "NTSBDEB1", "nn": "NNBANL2G", "rabobank": "RABONL2U", "regiobank": "RBRBNL21",
	"revolut": "REVOLT21", "sns_bank": "SNSBNL2A", "triodos_bank": "TRIONL2U", "van_lanschot": "FVLBNL22", "yoursafe": "BITSNL2A",
}
