package sandbox

import (
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// hostedPath is where the hosted pages of payment methods are: below it, by the world's tag.
const hostedPath = "/payment_methods/hosted/"

// sendAway gives the customer something to do, and arranges what becomes of it when nobody opens the page: what the customer's e-mail
// address says, as in Stripe's test mode, or that the time runs out.
func (c *call) sendAway(r, method *record, h *hostedKind) {
	at := c.openPage(r, hostedPath)
	f := h.foresee(c, r, method)
	c.foresee(r, f.after, f.outcome)
	if f.outcome == completed && f.expires.After(c.now().Add(f.after)) {
		c.foresee(r, f.expires.Sub(c.now()), lapsed)
	}
	r.object().Set("status", requiresAction).Set("next_action", h.nextAction(c, r, at, f.expires))
}

// foresee arranges the end of an intent's open page.
func (c *call) foresee(r *record, after time.Duration, outcome string) {
	c.in(after, r.resource.Object+".page", r, private[intent](r).Challenge.ID+" "+outcome)
}

// foreseen ends a page as was arranged, if it is still open.
func foreseen(c *call, r *record, detail string) {
	id, outcome, _ := strings.Cut(detail, " ")
	state := private[intent](r)
	if state.Challenge.ID != id || state.Challenge.Ended {
		return
	}
	c.answerPage(r, outcome)
}

// future is what becomes of a payment that nobody sees to, and until when the customer can.
type future struct {
	after   time.Duration
	outcome string
	expires time.Time
}

// foretold are the kinds of which the customer's e-mail address foretells the outcome, with what is usual of the test mode: paid after
// so long (docs.stripe.com/payments/oxxo, boleto, konbini, multibanco, pix, swish; of BLIK it is unconfirmed).
var foretold = map[string]time.Duration{
	"oxxo": 3 * time.Minute, "boleto": 3 * time.Minute, "konbini": 3 * time.Minute, "multibanco": 3 * time.Minute, "pix": 3 * time.Minute,
	"swish": time.Minute, "blik": time.Minute,
}

// konbiniNumbers are confirmation numbers that foretell the outcome too, by what the address would have to begin with.
var konbiniNumbers = map[string]string{
	"11111111110": "anyone", "22222222220": "succeed_immediately", "33333333330": "expire_immediately", "44444444440": "expire_with_delay", "55555555550": "fill_never",
}

// Times of the test mode: "within several seconds", and "after about 3 minutes".
const (
	foretoldSoon  = 2 * time.Second
	foretoldLater = 3 * time.Minute
)

// foresee is the future of a payment that begins now.
func (h *hostedKind) foresee(c *call, r, method *record) future {
	now := c.now()
	expires := h.expiry(c, r)
	usual, told := foretold[h.name]
	if !told {
		return future{expires.Sub(now), lapsed, expires}
	}
	email, _ := method.object().At("billing_details", "email").(string)
	name, _, _ := strings.Cut(email, "@")
	if number, _ := r.object().At("payment_method_options", "konbini", "confirmation_number").(string); konbiniNumbers[number] != "" {
		name = konbiniNumbers[number]
	}
	switch {
	case strings.HasSuffix(name, "succeed_immediately"):
		return future{foretoldSoon, completed, expires}
	case strings.HasSuffix(name, "expire_immediately"):
		return future{foretoldSoon, lapsed, now}
	case strings.HasSuffix(name, "expire_with_delay"):
		return future{foretoldLater, lapsed, now.Add(foretoldLater)}
	case strings.HasSuffix(name, "fill_never"):
		return future{expires.Sub(now), lapsed, expires}
	}
	return future{usual, completed, expires}
}

// voucherZones are where vouchers are good until the end of a day, in hours from UTC, and for how many days unless the merchant says
// otherwise (docs.stripe.com/payments/oxxo, boleto, konbini, multibanco).
var voucherZones = map[string]struct{ hours, days int }{"oxxo": {-6, 3}, "boleto": {-3, 3}, "konbini": {9, 3}, "multibanco": {0, 7}}

// expiry is until when the customer can pay.
func (h *hostedKind) expiry(c *call, r *record) time.Time {
	number := func(name string) (int64, bool) {
		n, given := r.object().At("payment_method_options", h.name, name).(int64)
		return n, given
	}
	if at, given := number("expires_at"); given {
		return time.Unix(at, 0).UTC()
	}
	if seconds, given := number("expires_after_seconds"); given {
		return c.now().Add(time.Duration(seconds) * time.Second)
	}
	zone, voucher := voucherZones[h.name]
	if !voucher {
		return c.now().Add(h.open)
	}
	days := int64(zone.days)
	if given, ok := number("expires_after_days"); ok {
		days = given
	}
	local := c.now().In(time.FixedZone("", zone.hours*3600))
	return time.Date(local.Year(), local.Month(), local.Day()+int(days), 23, 59, 59, 0, local.Location()).UTC()
}

// picture is the address of a QR code. None is drawn: it answers so.
func picture(at, format string) string { return at + "&image=" + format }

// noPicture stands where Stripe has the picture itself.
const noPicture = "data:text/plain,This%20sandbox%20draws%20no%20QR%20codes."

// nextAction is what the customer has to do.
func (h *hostedKind) nextAction(c *call, r *record, at string, expires time.Time) *spec.Object {
	shape := r.resource.Object + "_next_action"
	o := spec.New(shape)
	if h.leads() || r.resource.Object == "setup_intent" {
		return h.redirect(r, o, at)
	}
	o.Set("type", h.action)
	field, _ := spec.FieldOf(shape, h.action)
	of := spec.New(field.Shapes[0])
	o.Set(h.action, of)
	show := func(from *spec.Object, name string, value any) {
		if _, declared := spec.FieldOf(from.Shape(), name); declared {
			from.Set(name, value)
		}
	}
	codes := []*spec.Object{of}
	if f, nested := spec.FieldOf(of.Shape(), "qr_code"); nested {
		codes = append(codes, spec.New(f.Shapes[0]))
		of.Set("qr_code", codes[1])
	}
	for _, part := range codes {
		show(part, "data", at)
		show(part, "expires_at", expires.Unix())
		show(part, "image_url_png", picture(at, "png"))
		show(part, "image_url_svg", picture(at, "svg"))
	}
	show(of, "expires_after", expires.Unix())
	show(of, "hosted_instructions_url", at)
	show(of, "hosted_voucher_url", at)
	show(of, "mobile_auth_url", at)
	show(of, "image_data_url", noPicture)
	h.voucher(c, of, at)
	return o
}

func (h *hostedKind) redirect(r *record, o *spec.Object, at string) *spec.Object {
	state := private[intent](r)
	if state.ReturnURL == "" || state.Script {
		return o.Set("type", "use_stripe_sdk").Set("use_stripe_sdk", map[string]string{"type": h.name + "_redirect", "stripe_js": at})
	}
	kind := "redirect_to_url"
	if h.action != "" && r.resource.Object == "payment_intent" {
		kind = h.action
	}
	return o.Set("type", kind).Set(kind, spec.New(o.Shape()+"_"+kind).Set("return_url", state.ReturnURL).Set("url", at))
}

// voucher writes the numbers of a voucher.
func (h *hostedKind) voucher(c *call, of *spec.Object, at string) {
	switch h.name {
	case "oxxo":
		of.Set("number", c.digits(16)+c.digits(16)+c.digits(2))
	case "boleto":
		of.Set("number", c.digits(16)+c.digits(16)+c.digits(15)).Set("pdf", picture(at, "pdf"))
	case "multibanco":
		of.Set("entity", "12345").Set("reference", c.digits(9))
	case "konbini":
		stores := spec.New("payment_intent_next_action_konbini_stores")
		for _, store := range []string{"familymart", "lawson", "ministop", "seicomart"} {
			stores.Set(store, spec.New("payment_intent_next_action_konbini_"+store).Set("payment_code", c.digits(6)).Set("confirmation_number", c.digits(11)))
		}
		of.Set("stores", stores)
	}
}

// detail tells of a payment what only its customer's bank or wallet knows. All of it is made up.
func (h *hostedKind) detail(c *call, r, method *record, o *spec.Object) {
	tell := func(name string, value any) {
		if _, declared := spec.FieldOf(o.Shape(), name); declared && o.Get(name) == nil {
			o.Set(name, value)
		}
	}
	holder, _ := method.object().At("billing_details", "name").(string)
	if holder != "" {
		tell("verified_name", holder)
	}
	if iban := hostedIBANs[h.name]; iban != "" {
		tell("iban_last4", iban[len(iban)-4:])
		h.showBank(r, o)
	}
	tell("transaction_id", c.digits(16))
	tell("fingerprint", c.fingerprint(h.name+method.id))
	for _, name := range []string{"number", "reference", "entity"} {
		if shown, ok := shownVoucher(r).Get(name).(string); ok {
			tell(name, shown)
		}
	}
}

// shownVoucher is what the intent's next_action shows of its type; an empty object where it shows nothing.
func shownVoucher(r *record) *spec.Object {
	next := r.object().Sub("next_action")
	if next == nil {
		return spec.New("payment_intent_next_action")
	}
	if of := next.Sub(next.String("type")); of != nil {
		return of
	}
	return next
}
