// Drives a sandbox, at the address in STRIPE_SANDBOX_URL, with Stripe's own client for Node.
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {test} from 'node:test';
import Stripe from 'stripe';
import {authenticate, newKey, refusal, wait, world} from './sandbox.mjs';

test('a payment with 3D Secure is captured and refunded', async () => {
  const stripe = world();
  const customer = await stripe.customers.create({
    name: 'Jörg Müller', email: 'joerg@example.com', metadata: {ref: 'ä=&+'}, address: {line1: '1 Weg', line2: '', country: 'DE'},
  });
  assert.equal(customer.metadata.ref, 'ä=&+');
  const card = await stripe.paymentMethods.create({type: 'card', card: {number: '4000002760003184', exp_month: 12, exp_year: 2040, cvc: '123'}});
  await stripe.paymentMethods.attach(card.id, {customer: customer.id});
  let intent = await stripe.paymentIntents.create({
    amount: 1000, currency: 'eur', customer: customer.id, payment_method: card.id, payment_method_types: ['card'], capture_method: 'manual', confirm: true,
    return_url: 'https://shop.example/back',
  });
  assert.equal(intent.status, 'requires_action');
  const back = await authenticate(intent.next_action.redirect_to_url.url, 'complete');
  assert.equal(back.searchParams.get('payment_intent'), intent.id);
  assert.equal(back.searchParams.get('redirect_status'), 'succeeded');
  intent = await stripe.paymentIntents.retrieve(intent.id, {expand: ['latest_charge', 'customer']});
  assert.equal(intent.status, 'requires_capture');
  assert.equal(intent.customer.email, 'joerg@example.com');
  assert.equal(intent.latest_charge.payment_method_details.card.last4, '3184');
  intent = await stripe.paymentIntents.capture(intent.id, {amount_to_capture: 900, expand: ['latest_charge.balance_transaction']});
  assert.equal(intent.status, 'succeeded');
  const booked = intent.latest_charge.balance_transaction;
  assert.equal(booked.net, booked.amount - booked.fee);
  await stripe.refunds.create({payment_intent: intent.id, amount: 400});
  await stripe.refunds.create({charge: intent.latest_charge.id});
  const charge = await stripe.charges.retrieve(intent.latest_charge.id, {expand: ['refunds']});
  assert.equal(charge.refunded, true);
  assert.equal(charge.refunds.data.length, 2);
  const types = new Set();
  for await (const event of stripe.events.list({limit: 5})) {
    types.add(event.type);
  }
  for (const type of ['customer.created', 'payment_intent.requires_action', 'payment_intent.amount_capturable_updated', 'payment_intent.succeeded', 'charge.refunded']) {
    assert.ok(types.has(type), `${type} is not among ${[...types]}`);
  }
  await stripe.customers.del(customer.id);
  assert.equal((await stripe.customers.retrieve(customer.id)).deleted, true);
});

test('a card is saved and charged later without its holder', async () => {
  const stripe = world();
  const customer = await stripe.customers.create({});
  const setup = await stripe.setupIntents.create({
    customer: customer.id, payment_method: 'pm_card_visa', payment_method_types: ['card'], confirm: true, expand: ['latest_attempt'],
  });
  assert.equal(setup.status, 'succeeded');
  assert.equal(setup.latest_attempt.status, 'succeeded');
  const {data: [saved]} = await stripe.customers.listPaymentMethods(customer.id, {type: 'card'});
  const later = await stripe.paymentIntents.create({
    amount: 500, currency: 'usd', customer: customer.id, payment_method: saved.id, confirm: true, off_session: true,
  });
  assert.equal(later.status, 'succeeded');
});

test('lists and searches go on to their end', async () => {
  const stripe = world();
  const made = [];
  for (let i = 0; i < 5; i++) {
    made.unshift((await stripe.customers.create({email: `c${i}@example.com`, metadata: {parity: String(i % 2)}})).id);
  }
  const listed = await stripe.customers.list({limit: 2}).autoPagingToArray({limit: 100});
  assert.deepEqual(listed.map(({id}) => id), made);
  const found = await stripe.customers.search({query: 'metadata["parity"]:"0"', limit: 2}).autoPagingToArray({limit: 100});
  assert.equal(found.length, 3);
  assert.equal((await stripe.customers.list({created: {lt: 1}})).data.length, 0);
});

test('refusals are the errors that the client knows', async () => {
  const stripe = world();
  const declined = await refusal(stripe.paymentIntents.create({
    amount: 1000, currency: 'usd', payment_method: 'pm_card_chargeDeclinedInsufficientFunds', payment_method_types: ['card'], confirm: true,
  }));
  assert.ok(declined instanceof Stripe.errors.StripeCardError);
  assert.equal(declined.statusCode, 402);
  assert.equal(declined.decline_code, 'insufficient_funds');
  assert.equal(declined.payment_intent.status, 'requires_payment_method');
  const absent = await refusal(stripe.customers.retrieve('cus_absent'));
  assert.ok(absent instanceof Stripe.errors.StripeInvalidRequestError);
  assert.deepEqual([absent.statusCode, absent.code, absent.param], [404, 'resource_missing', 'id']);
  assert.ok(absent.requestId.startsWith('req_'));
  const unknown = await refusal(stripe.customers.create({nmae: 'x'}));
  assert.deepEqual([unknown.statusCode, unknown.code, unknown.param], [400, 'parameter_unknown', 'nmae']);
  const reused = {idempotencyKey: randomUUID()};
  const first = await stripe.customers.create({name: 'a'}, reused);
  assert.equal((await stripe.customers.create({name: 'a'}, reused)).id, first.id);
  assert.ok((await refusal(stripe.customers.create({name: 'b'}, reused))) instanceof Stripe.errors.StripeIdempotencyError);
  const keyless = await refusal(world('nonsense').balance.retrieve());
  assert.ok(keyless instanceof Stripe.errors.StripeAuthenticationError);
});

test('a dispute is answered with a file', async () => {
  const key = newKey();
  const stripe = world(key);
  const {latest_charge: charge} = await stripe.paymentIntents.create({
    amount: 2000, currency: 'usd', payment_method: 'pm_card_createDispute', payment_method_types: ['card'], confirm: true,
  });
  await wait(key, 2);
  const {data: [dispute]} = await stripe.disputes.list({charge});
  assert.equal(dispute.status, 'needs_response');
  const content = Buffer.from('%PDF-1.7 Dear issuer,\u0000\u00ff', 'latin1');
  const file = await stripe.files.create({purpose: 'dispute_evidence', file: {data: content, name: 'letter.pdf', type: 'application/octet-stream'}});
  assert.deepEqual([file.type, file.size, file.filename], ['pdf', content.length, 'letter.pdf']);
  const back = await fetch(file.url, {headers: {Authorization: `Bearer ${key}`}});
  assert.deepEqual(Buffer.from(await back.arrayBuffer()), content);
  const link = await stripe.fileLinks.create({file: file.id});
  assert.deepEqual(Buffer.from(await (await fetch(link.url)).arrayBuffer()), content);
  const sent = await stripe.disputes.update(dispute.id, {evidence: {customer_communication: file.id, uncategorized_text: 'winning_evidence'}});
  assert.equal(sent.status, 'under_review');
  await wait(key, 3);
  assert.equal((await stripe.disputes.retrieve(dispute.id)).status, 'won');
  const picture = await refusal(stripe.files.create({purpose: 'dispute_evidence', file: {data: Buffer.from('GIF89a'), name: 'letter.pdf'}}));
  assert.ok(picture instanceof Stripe.errors.StripeInvalidRequestError);
  assert.equal(picture.param, 'file');
});
