// What older integrations and Stripe's newer pages use: sources, bank accounts of customers, tokens, confirmation tokens, sessions.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {authenticate, missing, newKey, refuses, wait, world} from './sandbox.mjs';

test('a source is authorized on its page and charged once', async () => {
  const stripe = world();
  const source = await stripe.sources.create({
    type: 'bancontact', amount: 1500, currency: 'eur', owner: {name: 'Ada Lovelace'}, redirect: {return_url: 'https://shop.example/back'},
  });
  assert.deepEqual([source.status, source.redirect.status], ['pending', 'pending']);
  await refuses(stripe.charges.create({amount: 1500, currency: 'eur', source: source.id}), {statusCode: 400});
  assert.equal((await authenticate(source.redirect.url, 'authorize')).searchParams.get('source'), source.id);
  const charge = await stripe.charges.create({amount: 1500, currency: 'eur', source: source.id});
  assert.deepEqual([charge.status, charge.payment_method_details.type], ['succeeded', 'bancontact']);
  assert.equal((await stripe.sources.retrieve(source.id)).status, 'consumed');
  await refuses(stripe.sources.retrieve('src_none'), missing);
  await refuses(stripe.sources.create({type: 'ideal', amount: 1500, currency: 'usd', redirect: {return_url: 'https://shop.example/back'}}), {statusCode: 400, param: 'currency'});
});

test('an owner refuses', async () => {
  const stripe = world();
  const source = await stripe.sources.create({type: 'giropay', amount: 1500, currency: 'eur', redirect: {return_url: 'https://shop.example/back'}});
  await authenticate(source.redirect.url, 'fail');
  assert.equal((await stripe.sources.retrieve(source.id)).status, 'failed');
  assert.equal((await stripe.events.list({type: 'source.failed'})).data.length, 1);
});

test('money comes in on a receiver', async () => {
  const stripe = world();
  const source = await stripe.sources.create({type: 'ach_credit_transfer', currency: 'usd', owner: {email: 'amount_4242@example.com'}});
  assert.deepEqual([source.status, source.receiver.amount_received], ['chargeable', 4242]);
  const {data} = await stripe.sources.listSourceTransactions(source.id);
  assert.equal(data[0].amount, 4242);
  await refuses(stripe.charges.create({amount: 4243, currency: 'usd', source: source.id}), {statusCode: 400, param: 'amount'});
  assert.equal((await stripe.charges.create({amount: 4242, currency: 'usd', source: source.id})).status, 'succeeded');
});

test('a bank account is verified and pays later', async () => {
  const key = newKey();
  const stripe = world(key);
  const token = await stripe.tokens.create({bank_account: {country: 'US', currency: 'usd', routing_number: '110000000', account_number: '000123456789'}});
  const {id} = await stripe.customers.create({source: token.id});
  const {data: [bank]} = await stripe.customers.listSources(id, {object: 'bank_account'});
  await refuses(stripe.customers.verifySource(id, bank.id, {amounts: [1, 2]}), {statusCode: 402, code: 'bank_account_verification_failed'});
  assert.equal((await stripe.customers.verifySource(id, bank.id, {amounts: [32, 45]})).status, 'verified');
  const charge = await stripe.charges.create({amount: 900, currency: 'usd', customer: id});
  assert.equal(charge.status, 'pending');
  await wait(key, 60);
  assert.equal((await stripe.charges.retrieve(charge.id)).status, 'succeeded');
  assert.equal((await stripe.customers.deleteSource(id, bank.id)).deleted, true);
});

test('a confirmation token confirms once', async () => {
  const stripe = world();
  const token = await stripe.testHelpers.confirmationTokens.create({payment_method: 'pm_card_visa', return_url: 'https://shop.example/back'});
  const paid = await stripe.paymentIntents.create({amount: 900, currency: 'usd', confirm: true, confirmation_token: token.id});
  assert.equal(paid.status, 'succeeded');
  assert.equal((await stripe.confirmationTokens.retrieve(token.id)).payment_intent, paid.id);
  await refuses(stripe.paymentIntents.create({amount: 900, currency: 'usd', confirm: true, confirmation_token: token.id}), {statusCode: 400, param: 'confirmation_token'});
});

test('a session and what countries ask', async () => {
  const stripe = world();
  const {id} = await stripe.customers.create();
  const session = await stripe.customerSessions.create({customer: id, components: {pricing_table: {enabled: true}}});
  assert.equal(session.expires_at - session.created, 30 * 60);
  assert.equal((await stripe.countrySpecs.retrieve('DE')).default_currency, 'eur');
  await refuses(stripe.countrySpecs.retrieve('XX'), missing);
});
