// Clients of 2015, of 2020, of 2022 and of today read one world, each as it was written to.
import assert from 'node:assert/strict';
import http from 'node:http';
import {test} from 'node:test';
import {createRequire} from 'node:module';
import {newKey, wait, world, base} from './sandbox.mjs';

const require = createRequire(import.meta.url);
const [Stripe2015, Stripe2020, Stripe2022] = ['stripe-2015', 'stripe-2020', 'stripe-2022'].map(require);
const {hostname, port} = new URL(base);
const here = {host: hostname, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false};

// clients are of one world: four of their time, and that of 2015 with a version from before sources.
function clients(key) {
  const of2015 = (version) => {
    const client = Stripe2015(key, version);
    client.setHost(hostname, port, 'http');
    client.setHttpAgent(new http.Agent({keepAlive: false})); // it waits for a connection that it has already, where Node keeps it
    return client;
  };
  return {
    before: of2015('2015-01-26'), in2015: of2015('2015-02-18'),
    in2020: new Stripe2020(key, {...here, apiVersion: '2020-08-27'}), in2022: new Stripe2022(key, {...here, apiVersion: '2022-11-15'}),
    now: world(key),
  };
}

// received is a webhook endpoint of a version, and the events that it gets, each once its signature is found right.
async function received(stripe, version, t) {
  const events = [], waiting = [];
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const event = stripe.webhooks.constructEvent(body, request.headers['stripe-signature'], endpoint.secret);
    response.end();
    events.push(event);
    waiting.splice(0).forEach((told) => told());
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const endpoint = await stripe.webhookEndpoints.create({url: `http://127.0.0.1:${server.address().port}/`, enabled_events: ['*'], api_version: version});
  return async (type) => {
    for (;;) {
      const found = events.find((event) => event.type === type);
      if (found) return found;
      await new Promise((told) => waiting.push(told));
    }
  };
}

test('clients of 2015 and of 2020 read one world', async (t) => {
  const key = newKey();
  const {before, in2015, in2020, in2022, now} = clients(key);
  const heard = {};
  for (const version of ['2015-01-26', '2015-02-18', '2020-08-27', '2022-11-15']) {
    heard[version] = await received(now, version, t);
  }

  // A shop of January 2015 keeps a card and charges it.
  const customer = await before.customers.create({card: 'tok_visa', email: 'ada@example.com'});
  const card = customer.default_card;
  assert.equal(customer.cards.data[0].id, card);
  assert.equal(customer.cards.data[0].brand, 'Visa');
  assert.equal(customer.sources.data[0].id, card);
  assert.equal(customer.account_balance, 0);
  const charge = await before.charges.create({amount: 1000, currency: 'usd', customer: customer.id});
  assert.equal(charge.status, 'paid');
  assert.deepEqual(charge.card, charge.source);
  assert.equal(charge.card.last4, '4242');

  // Five years later the same customer pays with an intent, by the same card.
  const intent = await in2020.paymentIntents.create({amount: 700, currency: 'usd', customer: customer.id, payment_method: card, confirm: true});
  assert.equal(intent.status, 'succeeded');
  assert.equal(intent.charges.data[0].source.id, card);
  assert.equal(intent.charges.total_count, 1);
  assert.equal((await in2022.paymentIntents.retrieve(intent.id)).charges, undefined);
  const refund = await in2015.charges.createRefund(charge.id, {amount: 300});
  assert.equal(refund.charge, charge.id);

  // Each sees the customer and the charge as of its time.
  const [c2015, c2020, cNow] = await Promise.all([in2015, in2020, now].map((stripe) => stripe.customers.retrieve(customer.id)));
  assert.equal(c2015.cards, undefined);
  assert.equal(c2015.default_source, card);
  assert.equal(c2015.sources.data[0].id, card);
  assert.equal(c2015.subscriptions.total_count, 0);
  assert.equal(c2020.sources, undefined);
  assert.equal(c2020.balance, 0);
  assert.equal(cNow.default_currency, undefined);
  const [first, second, third, last] = await Promise.all([before, in2015, in2020, now].map((stripe) => stripe.charges.retrieve(charge.id)));
  assert.deepEqual([first.status, second.status, third.status, last.status], ['paid', 'succeeded', 'succeeded', 'succeeded']);
  assert.deepEqual([first.card.id, second.card, third.card, last.card], [card, undefined, undefined, undefined]);
  for (const old of [first, second, third]) {
    assert.equal(old.source.id, card);
    assert.equal(old.refunds.data[0].amount, 300);
    assert.equal(old.invoice, null);
  }
  assert.equal(last.refunds, undefined);
  assert.deepEqual([first.amount_refunded, last.amount_refunded], [300, 300]);
  const ofIntent = await in2015.charges.retrieve(intent.charges.data[0].id);
  assert.equal(ofIntent.source.id, card);

  // So do their webhooks.
  const [h1, h2, h3, h4] = await Promise.all(['2015-01-26', '2015-02-18', '2020-08-27', '2022-11-15'].map((version) => heard[version]('charge.refunded')));
  assert.deepEqual([h1, h2, h3, h4].map((event) => event.api_version), ['2015-01-26', '2015-02-18', '2020-08-27', '2022-11-15']);
  assert.equal(h1.data.object.card.id, card);
  assert.equal(h1.data.object.status, 'paid');
  assert.match(h1.request, /^req_/);
  assert.equal(h2.data.object.card, undefined);
  assert.match(h2.request, /^req_/);
  assert.match(h3.request.id, /^req_/);
  assert.equal(h3.data.object.refunds.data[0].amount, 300);
  assert.equal(h4.data.object.refunds, undefined);
  assert.equal(h4.data.previous_attributes.amount_refunded, 0);
  assert.equal((await heard['2015-01-26']('customer.card.created')).data.object.id, card);
  assert.equal((await heard['2020-08-27']('payment_intent.succeeded')).data.object.charges.data[0].id, intent.latest_charge);
});

test('a dispute, a payout and movements of money as 2015 sees them', async () => {
  const key = newKey();
  const {before, in2015, in2020, now} = clients(key);
  const charge = await in2015.charges.create({amount: 5000, currency: 'usd', source: 'tok_createDispute'});
  await wait(key, 3);
  const [old, dispute] = await Promise.all([in2015.charges.retrieve(charge.id, {expand: ['balance_transaction']}), in2020.disputes.list({charge: charge.id})]);
  assert.equal(old.dispute, dispute.data[0].id);
  const [then, today] = await Promise.all([in2015, now].map((stripe) => stripe.balance.listTransactions ?
    stripe.balance.listTransactions({type: 'adjustment'}) : stripe.balanceTransactions.list({type: 'adjustment'})));
  assert.equal(then.data[0].source, charge.id);
  assert.equal(today.data[0].source, dispute.data[0].id);

  await in2015.charges.create({amount: 9000, currency: 'usd', source: 'tok_bypassPending'});
  const payout = await now.payouts.create({amount: 100, currency: 'usd'});
  const transfer = await before.transfers.retrieve(payout.id);
  assert.deepEqual([transfer.object, transfer.amount, transfer.date], ['transfer', 100, payout.arrival_date]);
  assert.equal(transfer.bank_account.last4, '6789');
  const made = await in2015.transfers.create({amount: 200, currency: 'usd', recipient: 'self'});
  assert.deepEqual([made.object, made.amount], ['transfer', 200]);
  assert.deepEqual((await in2015.transfers.list()).data.map((one) => one.id), [made.id, payout.id]);
  assert.equal((await in2020.payouts.retrieve(made.id)).object, 'payout');
});
