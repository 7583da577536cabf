package sandbox

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// Bounds of the verification by microdeposits: "There is a limit of 10 failed verification attempts", and "a timeout of 10 days"
// (docs.stripe.com/payments/ach-direct-debit/accept-a-payment).
const (
	maxDepositAttempts = 10
	depositsLife       = 10 * 24 * time.Hour
	depositsArrive     = 2 // business days
)

// deposits are the small amounts that an account was sent, so that its holder can tell them.
type deposits struct {
	ID       string // of these, for what falls due about them
	Attempts int    // to tell them that have failed
}

// What tells the deposits of the test mode (docs.stripe.com/testing#test-microdeposit-amounts-and-descriptor-codes).
var depositTests = map[string]string{
	"32,45": "", "45,32": "", "SM11AA": "",
	"10,11": "attempts_exceeded", "11,10": "attempts_exceeded", "SM33CC": "attempts_exceeded",
	"40,41": "timeout", "41,40": "timeout", "SM44DD": "timeout",
}

// depositErrors are how verifications end badly (the wording is that of Stripe's guides).
var depositErrors = map[string]string{
	"attempts_exceeded": "You have exceeded the number of allowed verification attempts.",
	"timeout":           "Microdeposit timeout. Customer hasn't verified their bank account within the required 10 day period.",
	"failed":            "Microdeposit transfers failed. Please check the account and routing numbers provided.",
}

// needsDeposits says whether the holder of an account has to show first that it is theirs.
func (c *call) needsDeposits(r, method *record) bool {
	return method.object().String("type") == "us_bank_account" && !private[instrument](method).Verified && c.verification(r) != "skip"
}

// verification is the method that an intent asks for.
func (c *call) verification(r *record) string {
	of, _ := r.object().At("payment_method_options", "us_bank_account", "verification_method").(string)
	return of
}

// sendMicrodeposits sends an account small amounts, and waits for its holder to tell them.
func (c *call) sendMicrodeposits(r, method *record) {
	state := private[intent](r)
	state.Deposits = deposits{ID: c.letters(8)}
	shape := r.resource.Object + "_next_action"
	arrival := delay{days: depositsArrive, business: true}.after(c.now())
	next := spec.New(shape+"_verify_with_microdeposits").Set("arrival_date", arrival.Unix()).Set("microdeposit_type", "descriptor_code").
		Set("hosted_verification_url", "https://payments.stripe.com/microdeposit/pacs_test_"+c.letters(24))
	r.object().Set("status", requiresAction).Set("next_action", spec.New(shape).Set("type", "verify_with_microdeposits").Set("verify_with_microdeposits", next))
	c.emit(r.resource.Object+".requires_action", r)
	if debitOf(method).deposits == "failed" {
		c.in(debitedAfter, r.resource.Object+".unverified", r, state.Deposits.ID+" failed")
		return
	}
	c.in(depositsLife, r.resource.Object+".unverified", r, state.Deposits.ID+" timeout")
}

// failMicrodeposits ends a verification that nobody has ended: the deposits have come back, or their time is over.
func (c *call) failMicrodeposits(r *record, detail string) {
	id, why, _ := strings.Cut(detail, " ")
	if private[intent](r).Deposits.ID == id && awaitsDeposits(r) {
		c.endMicrodeposits(r, why)
	}
}

// awaitsDeposits says whether an intent waits for its customer to tell the deposits.
func awaitsDeposits(r *record) bool {
	next, _ := r.object().At("next_action", "type").(string)
	return r.object().String("status") == requiresAction && next == "verify_with_microdeposits"
}

// verifyMicrodeposits answers POST …/verify_microdeposits of both kinds of intents.
func verifyMicrodeposits(c *call, r *record) error {
	if !awaitsDeposits(r) {
		return c.unexpected(r, "You cannot verify this "+r.kind()+" with microdeposits because it has a status of "+r.object().String("status")+", or is not waiting for them.")
	}
	answer, wrong, err := c.readDeposits()
	if err != nil {
		return err
	}
	why, told := depositTests[answer]
	state := private[intent](r)
	if !told {
		if state.Deposits.Attempts++; state.Deposits.Attempts < maxDepositAttempts {
			return refused("payment_method_microdeposit_verification_"+wrong+"_mismatch", "", depositMismatch[wrong], maxDepositAttempts-state.Deposits.Attempts)
		}
		why = "attempts_exceeded"
	}
	if why != "" {
		return c.endMicrodeposits(r, why)
	}
	method := c.find("payment_method", r.object().String("payment_method"))
	if err := c.belongs(r, method); err != nil {
		return err
	}
	private[instrument](method).Verified = true
	c.activateMandate(state.Mandate)
	r.object().Set("next_action", nil)
	if r.resource.Object == "setup_intent" {
		r.object().Set("mandate", state.Mandate)
		return c.finishSetup(r, method, nil)
	}
	c.debit(r, method)
	return nil
}

// depositMismatch says that an answer is wrong.
var depositMismatch = map[string]string{
	"amounts":         "The amounts provided do not match the amounts that were sent to the bank account. You have %d verification attempts remaining.",
	"descriptor_code": "The verification code provided does not match the one sent to the bank account. You have %d verification attempts remaining.",
}

var depositCode = regexp.MustCompile(`^SM[0-9A-Z]{4}$`)

// readDeposits is what the customer has told, and whether by amounts or by descriptor_code.
func (c *call) readDeposits() (answer, by string, err error) {
	amounts, code := c.params.Strings("amounts"), strings.ToUpper(c.params.String("descriptor_code"))
	switch {
	case len(amounts) > 0 && code != "":
		return "", "", exclusive("amounts", "amounts", "descriptor_code")
	case code != "" && !depositCode.MatchString(code):
		return "", "", invalid("", "descriptor_code", "The descriptor code must be six characters that begin with SM.")
	case code != "":
		return code, "descriptor_code", nil
	case len(amounts) == 0:
		return "", "", invalid("parameter_missing", "amounts", "Missing required param: amounts or descriptor_code.")
	case len(amounts) != 2 || slices.ContainsFunc(amounts, func(amount string) bool { return strings.HasPrefix(amount, "-") || amount == "0" }):
		return "", "", invalid("payment_method_microdeposit_verification_amounts_invalid", "amounts", "You must provide exactly two microdeposit amounts, which are positive.")
	}
	return strings.Join(amounts, ","), "amounts", nil
}

// endMicrodeposits gives an account up that could not be verified.
func (c *call) endMicrodeposits(r *record, why string) error {
	code := "payment_method_microdeposit_verification_" + why
	if why == "failed" {
		code = "payment_method_microdeposit_failed"
	}
	refusal := refused(code, "", "%s", depositErrors[why])
	method := c.find("payment_method", r.object().String("payment_method"))
	if m := c.find("mandate", private[intent](r).Mandate); m != nil {
		c.endMandate(m, "")
	}
	if r.resource.Object == "setup_intent" {
		return c.failSetup(r, method, refusal)
	}
	refusal.paymentMethod = method
	c.backToMethod(r, refusal)
	c.emit("payment_intent.payment_failed", r)
	refusal.paymentIntent = r
	return refusal
}
