// Radar: value lists, rules of one's own, reviews and 3D Secure on request.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {authenticate, base, missing, newKey, pay, refusal, refuses, wait, world} from './sandbox.mjs';

// rule adds a rule to the world of a key, as the Dashboard does at Stripe.
async function rule(key, text) {
  const reply = await fetch(`${base}/_sandbox/radar`, {method: 'POST', headers: {Authorization: `Bearer ${key}`}, body: JSON.stringify({rule: text})});
  assert.equal(reply.status, 200, await reply.clone().text());
  return (await reply.json()).id;
}

test('a rule blocks what is on a list', async () => {
  const key = newKey();
  const stripe = world(key);
  const list = await stripe.radar.valueLists.create({alias: 'banks', name: 'Banks', item_type: 'card_bin'});
  const item = await stripe.radar.valueListItems.create({value_list: list.id, value: '424242'});
  await refuses(stripe.radar.valueListItems.create({value_list: list.id, value: 'visa'}), {statusCode: 400, param: 'value'});
  await refuses(stripe.radar.valueLists.create({alias: 'banks', name: 'Again'}), {statusCode: 400, param: 'alias'});
  const id = await rule(key, "Block if :card_bin: IN @banks AND ::tier:: != 'gold'");
  const error = await refusal(pay(stripe, 'visa', {metadata: {tier: 'silver'}}));
  assert.deepEqual([error.statusCode, error.code, error.payment_intent.status], [402, 'card_declined', 'requires_payment_method']);
  const {outcome} = await stripe.charges.retrieve(error.charge, {expand: ['outcome.rule']});
  assert.deepEqual([outcome.type, outcome.reason, outcome.rule.id, outcome.rule.action], ['blocked', 'rule', id, 'block']);
  assert.equal((await pay(stripe, 'visa', {metadata: {tier: 'Gold'}})).status, 'succeeded');
  assert.equal((await pay(stripe, 'visa')).status, 'succeeded'); // what is missing is not "not gold"
  assert.deepEqual((await stripe.radar.valueListItems.list({value_list: list.id})).data.map((one) => one.id), [item.id]);
  assert.equal((await stripe.radar.valueListItems.del(item.id)).deleted, true);
  await refuses(stripe.radar.valueListItems.retrieve(item.id), missing);
  assert.equal((await pay(stripe, 'visa', {metadata: {tier: 'silver'}})).status, 'succeeded');
});

test('a rule asks a person, and the person approves', async () => {
  const key = newKey();
  const stripe = world(key);
  await rule(key, 'Review if :amount_in_usd: >= 20');
  const {latest_charge: charge} = await pay(stripe, 'visa');
  assert.deepEqual([charge.outcome.type, charge.outcome.reason], ['manual_review', 'rule']);
  assert.equal((await stripe.reviews.approve(charge.review)).closed_reason, 'approved');
  const events = await stripe.events.list({types: ['review.opened', 'review.closed']});
  assert.deepEqual(events.data.map(({type}) => type), ['review.closed', 'review.opened']);
});

test('a rule requests 3D Secure', async () => {
  const key = newKey();
  const stripe = world(key);
  await rule(key, "Request 3D Secure if :card_country: = 'US'");
  const asked = await pay(stripe, 'threeDSecureOptional', {return_url: 'https://shop.example/back'});
  assert.equal(asked.status, 'requires_action');
  const back = await authenticate(asked.next_action.redirect_to_url.url, 'complete');
  assert.equal(back.searchParams.get('redirect_status'), 'succeeded');
  const paid = await stripe.paymentIntents.retrieve(asked.id, {expand: ['latest_charge']});
  assert.deepEqual([paid.status, paid.latest_charge.payment_method_details.card.three_d_secure.result], ['succeeded', 'authenticated']);
  assert.equal((await pay(stripe, 'visa')).status, 'succeeded'); // supported, and nothing to ask
});

test('a rule counts what a card has tried', async () => {
  const key = newKey();
  const stripe = world(key);
  await rule(key, 'Block if :declined_charges_per_card_number_hourly: > 1');
  await refuses(pay(stripe, 'chargeDeclined'), {decline_code: 'generic_decline'});
  await refuses(pay(stripe, 'chargeDeclined'), {decline_code: 'generic_decline'});
  await refuses(pay(stripe, 'chargeDeclined'), {decline_code: 'fraudulent'});
  assert.equal((await pay(stripe, 'visa')).status, 'succeeded');
  await wait(key, 3601);
  await refuses(pay(stripe, 'chargeDeclined'), {decline_code: 'generic_decline'});
});

test('what was fraud is on the default block lists', async () => {
  const stripe = world();
  const {latest_charge: charge} = await pay(stripe, 'visa', {receipt_email: 'mallory@example.com'});
  await stripe.charges.update(charge.id, {fraud_details: {user_report: 'fraudulent'}});
  const {data: [list]} = await stripe.radar.valueLists.list({contains: 'mallory@example.com'});
  assert.equal(list.alias, 'email_blocklist');
  await refuses(stripe.radar.valueLists.update(list.id, {name: 'Mine'}), {statusCode: 400});
  await refuses(pay(stripe, 'mastercard', {receipt_email: 'mallory@example.com'}), {decline_code: 'merchant_blacklist'});
});

test('a payment that another processor takes is evaluated', async () => {
  const stripe = world();
  const evaluate = (card, customer) => stripe.radar.paymentEvaluations.create({
    customer_details: customer,
    payment_details: {
      amount: 2000, currency: 'usd',
      payment_method_details: {payment_method: `pm_card_${card}`, billing_details: {name: 'Ada', address: {country: 'DE'}}},
      shipping_details: {name: 'Ada', address: {city: 'Bonn'}},
    },
    expand: ['payment_details.payment_method_details.payment_method'],
  });
  const safe = await evaluate('visa', {email: 'ada@example.com'});
  const {payment_method: method} = safe.payment_details.payment_method_details;
  assert.deepEqual([safe.recommended_action, safe.signals.fraudulent_payment.risk_level, method.card.last4], ['continue', 'normal', '4242']);
  const risky = await evaluate('riskLevelHighest', {name: 'Mallory'});
  assert.equal(risky.recommended_action, 'block');
  assert.ok(risky.signals.fraudulent_payment.score >= 75);
  await refuses(evaluate('visa', {customer: 'cus_none'}), {statusCode: 400, code: 'resource_missing'});
});
