// Money between a platform and the accounts that are connected to it.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {newKey, pay, refuses, wait, world} from './sandbox.mjs';

// market is a platform that keeps its money, with a seller who may do everything.
async function market() {
  const key = newKey();
  const stripe = world(key);
  await stripe.balanceSettings.update({payments: {payouts: {schedule: {interval: 'manual'}}}});
  const {id} = await stripe.accounts.create({
    type: 'custom', country: 'US', business_type: 'individual', email: 'seller@example.com',
    capabilities: {card_payments: {requested: true}, transfers: {requested: true}},
    business_profile: {mcc: '5734', url: 'https://accessible.stripe.com'},
    individual: {
      first_name: 'Jenny', last_name: 'Rosen', email: 'jenny@example.com', phone: '0000000000', id_number: '222222222', ssn_last_4: '0000',
      dob: {day: 1, month: 1, year: 1902}, address: {line1: 'address_full_match', city: 'Berkeley', state: 'CA', postal_code: '94704'},
    },
    tos_acceptance: {date: 1767614400, ip: '127.0.0.1'}, external_account: 'btok_us_verified', settings: {payouts: {schedule: {interval: 'manual'}}},
  });
  await wait(key, 60);
  return {key, stripe, seller: id, as: {stripeAccount: id}};
}

// has is what an account has in dollars: available and reserved for others.
async function has(stripe, as) {
  const {available, connect_reserved: kept} = await stripe.balance.retrieve({}, as);
  return [available[0].amount, kept[0].amount];
}

test('a direct charge is refunded to the last cent, and the fee with it', async () => {
  const {stripe, as} = await market();
  const {id} = await stripe.paymentIntents.create({
    amount: 1000, currency: 'usd', payment_method: 'pm_card_bypassPending', payment_method_types: ['card'], capture_method: 'automatic', confirm: true, application_fee_amount: 123,
  }, as);
  assert.deepEqual([await has(stripe), await has(stripe, as)], [[123, 0], [818, 0]]);
  for (const amount of [333, 333, 334]) {
    await stripe.refunds.create({payment_intent: id, amount, refund_application_fee: true}, as);
  }
  const {data: [fee]} = await stripe.applicationFees.list();
  assert.deepEqual([fee.refunded, fee.amount_refunded, fee.refunds.data.length], [true, 123, 3]);
  assert.deepEqual([await has(stripe), await has(stripe, as)], [[-59, 59], [-59, 0]]);
  await refuses(stripe.applicationFees.createRefund(fee.id), {statusCode: 400});
});

test('a charge with a destination is refunded to the last cent, with its transfer and its fee', async () => {
  const {stripe, seller, as} = await market();
  const paid = await pay(stripe, 'bypassPending', {amount: 1000, application_fee_amount: 123, transfer_data: {destination: seller}, expand: ['latest_charge.transfer']});
  assert.equal(paid.latest_charge.transfer.transfer_group, `group_${paid.id}`);
  assert.deepEqual([await has(stripe), await has(stripe, as)], [[64, 0], [877, 0]]);
  for (const amount of [333, 333, 334]) {
    const refund = await stripe.refunds.create({payment_intent: paid.id, amount, reverse_transfer: true, refund_application_fee: true, expand: ['transfer_reversal']});
    assert.equal(refund.transfer_reversal.amount, amount);
  }
  assert.deepEqual([await has(stripe), await has(stripe, as)], [[-59, 0], [0, 0]]);
  await refuses(pay(stripe, 'visa', {application_fee_amount: 2001, transfer_data: {destination: seller}}), {statusCode: 400, param: 'application_fee_amount'});
  await refuses(pay(stripe, 'visa', {transfer_data: {destination: 'acct_none'}}), {code: 'resource_missing', param: 'transfer_data[destination]'});
});

test('a charge is transferred in parts, and the parts are taken back', async () => {
  const {stripe, seller, as} = await market();
  const {latest_charge: {id: source_transaction}} = await pay(stripe, 'bypassPending');
  const transfer = await stripe.transfers.create({amount: 1200, currency: 'usd', destination: seller, source_transaction, metadata: {order: '7'}});
  await refuses(stripe.transfers.create({amount: 801, currency: 'usd', destination: seller, source_transaction}), {statusCode: 400});
  await refuses(stripe.transfers.create({amount: 10000, currency: 'usd', destination: seller}), {code: 'balance_insufficient'});
  const {id} = await stripe.transfers.createReversal(transfer.id, {amount: 201});
  assert.equal((await stripe.transfers.updateReversal(transfer.id, id, {metadata: {a: 'b'}})).metadata.a, 'b');
  assert.equal((await stripe.transfers.retrieve(transfer.id)).amount_reversed, 201);
  assert.equal((await stripe.transfers.createReversal(transfer.id)).amount, 999);
  assert.deepEqual((await stripe.transfers.listReversals(transfer.id)).data.map(({amount}) => amount), [999, 201]);
  assert.deepEqual(await has(stripe, as), [0, 0]);
});

test('a seller below nothing is backed by the platform, and debited', async () => {
  const {key, stripe, seller, as} = await market();
  await pay(stripe, 'bypassPending', {amount: 20000});
  const sale = await stripe.paymentIntents.create({
    amount: 1000, currency: 'usd', payment_method: 'pm_card_bypassPending', payment_method_types: ['card'], capture_method: 'automatic', confirm: true,
  }, as);
  const payout = await stripe.payouts.create({amount: 941, currency: 'usd'}, as);
  await stripe.refunds.create({payment_intent: sale.id}, as);
  assert.deepEqual([await has(stripe), await has(stripe, as)], [[18390, 1000], [-1000, 0]]);
  await stripe.transfers.create({amount: 2500, currency: 'usd', destination: seller});
  const debit = await stripe.charges.create({amount: 500, currency: 'usd', source: seller});
  assert.match(debit.id, /^py_/);
  assert.deepEqual([await has(stripe), await has(stripe, as)], [[17390, 0], [1000, 0]]);
  await wait(key, 180);
  assert.equal((await stripe.payouts.retrieve(payout.id, {}, as)).status, 'paid');
});

test("a payout that a seller's bank refuses comes back", async () => {
  const {key, stripe, seller, as} = await market();
  await pay(stripe, 'bypassPending', {amount: 5000, transfer_data: {destination: seller, amount: 4000}});
  const bank = await stripe.accounts.createExternalAccount(seller, {external_account: 'btok_us_verified_noAccount'});
  const {id} = await stripe.payouts.create({amount: 3000, currency: 'usd', destination: bank.id}, as);
  await wait(key, 180);
  const {status, failure_code} = await stripe.payouts.retrieve(id, {}, as);
  assert.deepEqual([status, failure_code, (await has(stripe, as))[0]], ['failed', 'no_account', 4000]);
  await refuses(stripe.payouts.create({amount: 3000, currency: 'usd', destination: bank.id}, as), {code: 'bank_account_unusable'});
  await refuses(stripe.payouts.retrieve(id), {statusCode: 404});
});
