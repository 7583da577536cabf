// Payments that lead the customer away, or give the customer a voucher.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {authenticate, newKey, refuses, wait, world} from './sandbox.mjs';

const ideal = {amount: 2000, currency: 'eur', confirm: true, payment_method_types: ['ideal'], payment_method_data: {type: 'ideal', ideal: {bank: 'ing'}}};

test('an iDEAL payment succeeds, and fails', async () => {
  const stripe = world();
  await refuses(stripe.paymentIntents.create(ideal), {statusCode: 400, type: 'StripeInvalidRequestError'});
  for (const [outcome, status, redirect] of [['complete', 'succeeded', 'succeeded'], ['fail', 'requires_payment_method', 'failed']]) {
    const intent = await stripe.paymentIntents.create({...ideal, return_url: 'https://shop.example/back?order=7'});
    assert.equal(intent.next_action.type, 'redirect_to_url');
    const back = await authenticate(intent.next_action.redirect_to_url.url, outcome);
    assert.deepEqual(Object.fromEntries(back.searchParams), {
      order: '7', payment_intent: intent.id, payment_intent_client_secret: intent.client_secret, redirect_status: redirect,
    });
    const is = await stripe.paymentIntents.retrieve(intent.id, {expand: ['latest_charge']});
    assert.equal(is.status, status);
    if (outcome === 'complete') {
      assert.equal(is.latest_charge.payment_method_details.ideal.bank, 'ing');
      assert.equal((await stripe.refunds.create({payment_intent: intent.id, amount: 500})).destination_details.type, 'ideal');
    } else {
      assert.equal(is.last_payment_error.code, 'payment_intent_authentication_failure');
    }
  }
});

test('Klarna holds money until it is captured', async () => {
  const stripe = world();
  const intent = await stripe.paymentIntents.create({
    amount: 20000, currency: 'eur', confirm: true, capture_method: 'manual', return_url: 'https://shop.example/', payment_method_types: ['klarna'],
    payment_method_data: {type: 'klarna', billing_details: {email: 'ada@example.com', address: {country: 'DE'}}},
  });
  await authenticate(intent.next_action.redirect_to_url.url, 'complete');
  assert.equal((await stripe.paymentIntents.capture(intent.id, {amount_to_capture: 15000})).amount_received, 15000);
});

test('an OXXO voucher is paid, another expires', async () => {
  const key = newKey();
  const stripe = world(key);
  const voucher = (email) => stripe.paymentIntents.create({
    amount: 20000, currency: 'mxn', confirm: true, payment_method_types: ['oxxo'], payment_method_data: {type: 'oxxo', billing_details: {name: 'Fulano', email}},
  });
  const [paid, left] = [await voucher('fulano@example.com'), await voucher('expire_with_delay@example.com')];
  assert.equal(paid.next_action.oxxo_display_details.number.length, 34);
  await wait(key, 180);
  assert.equal((await stripe.paymentIntents.retrieve(paid.id)).status, 'succeeded');
  assert.equal((await stripe.paymentIntents.retrieve(left.id)).last_payment_error.code, 'payment_intent_payment_attempt_expired');
  await refuses(stripe.refunds.create({payment_intent: paid.id}), {code: 'charge_not_refundable'});
});
