// Paying: customers and their cards, tokens, charges, intents, methods and refunds.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {missing, newKey, pay, refuses, wait, world} from './sandbox.mjs';

test('a token is spent once', async () => {
  const stripe = world();
  const token = await stripe.tokens.create({card: {number: '4242424242424242', exp_month: '12', exp_year: '2040', cvc: '123'}});
  assert.deepEqual([token.used, token.card.last4], [false, '4242']);
  await stripe.customers.create({source: token.id});
  assert.equal((await stripe.tokens.retrieve(token.id)).used, true);
  await refuses(stripe.customers.create({source: token.id}), {statusCode: 400, code: 'token_already_used'});
  await refuses(stripe.tokens.create({card: {number: '4242424242424241', exp_month: '12', exp_year: '2040'}}), {statusCode: 402, code: 'incorrect_number'});
});

test('a customer keeps cards', async () => {
  const stripe = world();
  const {id} = await stripe.customers.create({source: 'tok_visa', name: 'Ada'});
  const card = await stripe.customers.createSource(id, {source: 'tok_mastercard'});
  assert.equal((await stripe.customers.updateSource(id, card.id, {exp_year: '2041'})).exp_year, 2041);
  assert.equal((await stripe.customers.update(id, {default_source: card.id})).default_source, card.id);
  assert.equal((await stripe.customers.retrieveSource(id, card.id)).brand, 'MasterCard');
  assert.equal((await stripe.customers.listSources(id, {object: 'card'})).data.length, 2);
  assert.equal((await stripe.customers.deleteSource(id, card.id)).deleted, true);
  await refuses(stripe.customers.deleteSource(id, card.id), missing);
  await refuses(stripe.customers.createSource(id, {source: 'tok_chargeDeclined'}), {statusCode: 402, code: 'card_declined'});
});

test('a charge without an intent is captured, found and refunded', async () => {
  const stripe = world();
  const held = await stripe.charges.create({amount: 2000, currency: 'usd', source: 'tok_visa', capture: false});
  assert.deepEqual([held.captured, held.payment_intent], [false, null]);
  await refuses(stripe.charges.capture(held.id, {amount: 2001}), {statusCode: 400});
  const charge = await stripe.charges.capture(held.id, {amount: 1500});
  assert.deepEqual([charge.captured, charge.amount_captured], [true, 1500]);
  assert.equal((await stripe.charges.update(charge.id, {metadata: {order: '7'}})).metadata.order, '7');
  const found = await stripe.charges.search({query: 'metadata["order"]:"7"'});
  assert.deepEqual(found.data.map(({id}) => id), [charge.id]);
  const refund = await stripe.refunds.create({charge: charge.id, amount: 1000});
  await stripe.refunds.update(refund.id, {metadata: {why: 'cold'}});
  assert.equal((await stripe.refunds.retrieve(refund.id)).metadata.why, 'cold');
  assert.equal((await stripe.refunds.list({charge: charge.id})).data.length, 1);
  await refuses(stripe.refunds.create({charge: charge.id, amount: 1001}), {statusCode: 400, param: 'amount'});
  await refuses(stripe.refunds.cancel(refund.id), {statusCode: 400});
  await refuses(stripe.charges.create({amount: 2000, currency: 'usd', source: 'tok_chargeDeclined'}), {statusCode: 402, decline_code: 'generic_decline'});
});

test('an intent is changed, given up, and not to be had again', async () => {
  const stripe = world();
  const {id} = await stripe.paymentIntents.create({amount: 2000, currency: 'usd', payment_method_types: ['card']});
  assert.equal((await stripe.paymentIntents.update(id, {amount: 2100, metadata: {a: 'b'}})).amount, 2100);
  assert.equal((await stripe.paymentIntents.cancel(id, {cancellation_reason: 'abandoned'})).status, 'canceled');
  await refuses(stripe.paymentIntents.confirm(id, {payment_method: 'pm_card_visa'}), {statusCode: 400, code: 'payment_intent_unexpected_state'});
  const paid = await pay(stripe, 'visa', {metadata: {order: '8'}});
  const {data} = await stripe.paymentIntents.search({query: 'metadata["order"]:"8" AND status:"succeeded"'});
  assert.deepEqual(data.map((one) => one.id), [paid.id]);
  await refuses(stripe.paymentIntents.search({query: 'order'}), {statusCode: 400, param: 'query'});
});

test('a payment method is attached, changed and detached', async () => {
  const stripe = world();
  const customer = (await stripe.customers.create({})).id;
  const {id} = await stripe.paymentMethods.attach('pm_card_visa', {customer});
  assert.equal((await stripe.paymentMethods.update(id, {billing_details: {name: 'Ada'}})).billing_details.name, 'Ada');
  assert.equal((await stripe.paymentMethods.list({customer, type: 'card'})).data.length, 1);
  assert.equal((await stripe.customers.retrievePaymentMethod(customer, id)).id, id);
  assert.equal((await stripe.paymentMethods.detach(id)).customer, null);
  await refuses(stripe.paymentMethods.attach(id, {customer}), {statusCode: 400});
  await refuses(stripe.customers.retrievePaymentMethod(customer, id), missing);
});

test('a card that cannot be saved leaves an attempt', async () => {
  const stripe = world();
  const setup = await stripe.setupIntents.create({payment_method_types: ['card']});
  await refuses(stripe.setupIntents.confirm(setup.id, {payment_method: 'pm_card_chargeDeclined'}), {statusCode: 402, code: 'card_declined'});
  const {data: [attempt]} = await stripe.setupAttempts.list({setup_intent: setup.id});
  assert.deepEqual([attempt.status, attempt.setup_error.code], ['failed', 'card_declined']);
  await stripe.setupIntents.update(setup.id, {metadata: {a: 'b'}});
  assert.equal((await stripe.setupIntents.cancel(setup.id)).status, 'canceled');
  assert.equal((await stripe.setupIntents.list()).data[0].metadata.a, 'b');
  await refuses(stripe.setupIntents.cancel(setup.id), {statusCode: 400, code: 'setup_intent_unexpected_state'});
  await refuses(stripe.setupAttempts.list({setup_intent: 'seti_none'}), {code: 'resource_missing'});
});

test('a dispute is accepted, a warning answered and a review approved', async () => {
  const key = newKey();
  const stripe = world(key);
  const disputed = await pay(stripe, 'createDispute');
  const warned = await pay(stripe, 'createIssuerFraudRecord');
  await wait(key, 2);
  const {data: [dispute]} = await stripe.disputes.list({payment_intent: disputed.id});
  await refuses(stripe.refunds.create({payment_intent: disputed.id}), {statusCode: 400, code: 'charge_disputed'});
  assert.equal((await stripe.disputes.close(dispute.id)).status, 'lost');
  await refuses(stripe.disputes.close('dp_none'), missing);
  const {data: [warning]} = await stripe.radar.earlyFraudWarnings.list({payment_intent: warned.id});
  assert.equal(warning.actionable, true);
  await stripe.refunds.create({payment_intent: warned.id});
  assert.equal((await stripe.radar.earlyFraudWarnings.retrieve(warning.id)).actionable, false);
  await refuses(stripe.radar.earlyFraudWarnings.retrieve('issfr_none'), missing);
  const {latest_charge: charge} = await pay(stripe, 'riskLevelElevated');
  assert.deepEqual((await stripe.reviews.list()).data.map(({id}) => id), [charge.review]);
  assert.equal((await stripe.reviews.approve(charge.review)).closed_reason, 'approved');
  await refuses(stripe.reviews.approve(charge.review), {statusCode: 400});
  assert.equal((await stripe.reviews.retrieve(charge.review, {expand: ['charge']})).charge.id, charge.id);
});
