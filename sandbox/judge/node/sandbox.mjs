// What the journeys share: clients of the sandbox at the address in STRIPE_SANDBOX_URL, and the parts that are not Stripe's client's.
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import Stripe from 'stripe';

export const base = process.env.STRIPE_SANDBOX_URL;
assert.ok(base, 'STRIPE_SANDBOX_URL is the address of a running sandbox');
const {hostname, port, protocol} = new URL(base);

// newKey is a key that no other test uses, and so one of a world of its own in the sandbox.
export function newKey() {
  return ['sk', 'test', randomUUID().replaceAll('-', '')].join('_');
}

// world is a client of the world of a key.
export function world(key = newKey()) {
  return new Stripe(key, {host: hostname, port, protocol: protocol.replace(':', ''), maxNetworkRetries: 0, telemetry: false});
}

// wait lets seconds go by in the world of a key.
export async function wait(key, seconds) {
  const reply = await fetch(`${base}/_sandbox/clock/advance`, {
    method: 'POST', headers: {Authorization: `Bearer ${key}`}, body: JSON.stringify({seconds}),
  });
  assert.equal(reply.status, 200, await reply.text());
}

// pay pays with a test card and gives the intent with its charge.
export function pay(stripe, card, more = {}) {
  return stripe.paymentIntents.create({
    amount: 2000, currency: 'usd', payment_method: `pm_card_${card}`, payment_method_types: ['card'], capture_method: 'automatic', confirm: true, expand: ['latest_charge'], ...more,
  });
}

// authenticate opens the hosted 3D Secure page, answers it, and gives the address that the customer is sent back to.
export async function authenticate(page, outcome) {
  const html = await (await fetch(page)).text();
  const token = /name="token" value="([^"]+)"/.exec(html);
  assert.ok(token, html);
  const reply = await fetch(page, {method: 'POST', body: new URLSearchParams({token: token[1], outcome}), redirect: 'manual'});
  assert.equal(reply.status, 303);
  return new URL(reply.headers.get('location'));
}

// refusal is the error that a promise ends in.
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail('nothing was refused');
}

// refuses holds that a promise ends in a refusal with these properties.
export async function refuses(promise, want) {
  const error = await refusal(promise);
  assert.ok(error instanceof Stripe.errors.StripeError, error);
  for (const [name, value] of Object.entries(want)) {
    assert.equal(error[name], value, `${name} of the refusal: ${error.message}`);
  }
}

// missing is what is said of an object that is not there.
export const missing = {statusCode: 404, code: 'resource_missing'};
