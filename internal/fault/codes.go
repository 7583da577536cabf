package fault

// Code names one thing that can go wrong. Codes are part of the API: they are never renamed.
type Code string

// The codes. Their kinds and sentences are in the table below.
const (
	InternalError          Code = "internal_error"
	ParameterMissing       Code = "parameter_missing"
	ParameterUnknown       Code = "parameter_unknown"
	ParameterInvalid       Code = "parameter_invalid"
	BodyInvalid            Code = "body_invalid"
	BodyTooLarge           Code = "body_too_large"
	ContentTypeUnsupported Code = "content_type_unsupported"
	AmountInvalid          Code = "amount_invalid"
	AmountTooPrecise       Code = "amount_too_precise"
	AmountTooLarge         Code = "amount_too_large"
	CurrencyUnknown        Code = "currency_unknown"
	CountryUnknown         Code = "country_unknown"
	RateUnavailable        Code = "rate_unavailable"
	IdempotencyKeyRequired Code = "idempotency_key_required"
	IdempotencyKeyTooLong  Code = "idempotency_key_too_long"
	IdempotencyKeyReused   Code = "idempotency_key_reused"
	APIKeyMissing          Code = "api_key_missing"
	APIKeyInvalid          Code = "api_key_invalid"
	APIKeyRevoked          Code = "api_key_revoked"
	StripeKeyAsAPIKey      Code = "stripe_key_as_api_key"
	ScopeMissing           Code = "scope_missing"
	ResourceMissing        Code = "resource_missing"
	RouteUnknown           Code = "route_unknown"
	MethodNotAllowed       Code = "method_not_allowed"
	StateConflict          Code = "state_conflict"
	ProviderUnset          Code = "provider_unset"
	ProviderCredentials    Code = "provider_credentials"
	ProviderRefused        Code = "provider_refused"
	ProviderUnavailable    Code = "provider_unavailable"
	ProviderModeMismatch   Code = "provider_mode_mismatch"
	ProviderAddress        Code = "provider_address"
	ProviderClock          Code = "provider_clock"
	CardDeclined           Code = "card_declined"
	CardCustomerMismatch   Code = "card_customer_mismatch"
	CardInactive           Code = "card_inactive"
	RefundTooLarge         Code = "refund_too_large"
	CaptureTooLarge        Code = "capture_too_large"
	PaymentStatus          Code = "payment_status"
	PayoutStatus           Code = "payout_status"
	LineState              Code = "line_state"
	PaymentDisputed        Code = "payment_disputed"
	WebhookSignature       Code = "webhook_signature_invalid"
	WebhookUnset           Code = "webhook_unset"
	WebhookAddress         Code = "webhook_address_refused"
	EventUnhandled         Code = "event_unhandled"
	DatabaseUnavailable    Code = "database_unavailable"
	TooManyRequests        Code = "too_many_requests"
)

// Info is what the reference says of a code.
type Info struct {
	Code     Code
	Kind     Kind
	Sentence string
}

// Codes lists every code with its kind and one sentence, in the order of the reference page.
var Codes = []Info{
	{InternalError, Internal, "Something failed on our side; nothing is known to be lost, and the request id finds it in the log."},
	{ParameterMissing, Invalid, "A required field is absent."},
	{ParameterUnknown, Invalid, "A field is not one that this call takes."},
	{ParameterInvalid, Invalid, "A field has the wrong type or form."},
	{BodyInvalid, Invalid, "The body is not well-formed JSON."},
	{BodyTooLarge, TooLarge, "The body is longer than the limit."},
	{ContentTypeUnsupported, Invalid, "The body's Content-Type is not application/json."},
	{AmountInvalid, Invalid, "The amount is not a positive decimal number."},
	{AmountTooPrecise, Invalid, "The amount has more digits after the point than its currency; it is refused, never rounded."},
	{AmountTooLarge, Invalid, "The amount is above the largest that Stripe takes in its currency."},
	{CurrencyUnknown, Invalid, "The currency is not a three-letter code that Stripe takes."},
	{CountryUnknown, Invalid, "The country is not an ISO 3166 code of two letters."},
	{RateUnavailable, Refused, "Stripe gives no exchange rate for this currency; give the rate of your own."},
	{IdempotencyKeyRequired, Invalid, "Calls that move money need an Idempotency-Key header, or key_parts in the body, so that a repeat cannot move it twice."},
	{IdempotencyKeyTooLong, Invalid, "The Idempotency-Key is longer than 255 characters."},
	{IdempotencyKeyReused, Refused, "The Idempotency-Key was used before with other input."},
	{APIKeyMissing, Unauthenticated, "The X-API-Key header is absent."},
	{APIKeyInvalid, Unauthenticated, "The API key is not one of ours."},
	{APIKeyRevoked, Unauthenticated, "The API key was revoked."},
	{StripeKeyAsAPIKey, Unauthenticated, "X-API-Key holds a key of Stripe's; it takes a key of till's own."},
	{ScopeMissing, Forbidden, "The API key lacks the scope that this call needs."},
	{ResourceMissing, NotFound, "There is no such object for this API key."},
	{RouteUnknown, NotFound, "There is no such URL."},
	{MethodNotAllowed, NotFound, "The URL exists, but not with this method."},
	{StateConflict, Conflict, "The object changed while the call was at work; ask again."},
	{ProviderUnset, Refused, "The merchant has no Stripe credentials yet: PUT /v1/merchant/providers first."},
	{ProviderCredentials, Refused, "Stripe refuses the merchant's secret key."},
	{ProviderRefused, Refused, "Stripe refused the request; its own words are in the message."},
	{ProviderUnavailable, Unavailable, "Stripe cannot be reached, or does not answer in time."},
	{ProviderModeMismatch, Refused, "A live key was given where a test key belongs, or the other way round."},
	{ProviderAddress, Refused, "A live key is sent only to Stripe's own address, and this till talks to another."},
	{ProviderClock, Refused, "This till follows the clock of one world of the sandbox, and the key opens another."},
	{CardDeclined, Refused, "The card's bank declined to save or set up the card."},
	{CardCustomerMismatch, Refused, "The saved card belongs to another customer."},
	{CardInactive, Refused, "The saved card was deleted."},
	{RefundTooLarge, Refused, "The refund is more than is left of the captured amount."},
	{CaptureTooLarge, Refused, "The capture is more than was authorized."},
	{PaymentStatus, Refused, "The payment's status does not allow this."},
	{PayoutStatus, Refused, "The payout's status does not allow this."},
	{LineState, Refused, "The line of the balance is in a state that does not allow this."},
	{PaymentDisputed, Refused, "A chargeback holds money of the payment, so that nothing of it can be refunded."},
	{WebhookSignature, Invalid, "The Stripe-Signature header is absent, too old, or not made with a secret we know."},
	{WebhookUnset, Refused, "The merchant has no webhook URL yet: PUT /v1/merchant/webhook first."},
	{WebhookAddress, Refused, "The webhook URL leads to an address that deliveries may not go to."},
	{EventUnhandled, Refused, "The event of Stripe's is of a type that till does nothing with, or of a connected account."},
	{DatabaseUnavailable, Unavailable, "The database cannot be reached."},
	{TooManyRequests, Limited, "Too many requests at once; wait as the Retry-After header says."},
}

var kinds = func() map[Code]Kind {
	m := make(map[Code]Kind, len(Codes))
	for _, c := range Codes {
		m[c.Code] = c.Kind
	}
	return m
}()

// Kind is the class of answer that the code belongs to; an unlisted code is Internal.
func (c Code) Kind() Kind { return kinds[c] }
