// Money of the account: its balance, what moves it, and where it goes.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {missing, newKey, pay, refuses, wait, world} from './sandbox.mjs';

test('the balance is the sum of its transactions', async () => {
  const stripe = world();
  const {id} = await pay(stripe, 'bypassPending');
  await stripe.refunds.create({payment_intent: id, amount: 500});
  const {data} = await stripe.balanceTransactions.list({expand: ['data.source']});
  assert.deepEqual(data.map(({type, source}) => [type, source.object]), [['refund', 'refund'], ['charge', 'charge']]);
  const {available, pending} = await stripe.balance.retrieve();
  assert.equal(available[0].amount + pending[0].amount, data.reduce((sum, {net}) => sum + net, 0));
  assert.equal((await stripe.balanceTransactions.retrieve(data[1].id)).amount, 2000);
  await refuses(stripe.balanceTransactions.retrieve('txn_none'), missing);
});

test('the schedule of payouts is chosen', async () => {
  const stripe = world();
  const {payments} = await stripe.balanceSettings.update({payments: {payouts: {schedule: {interval: 'monthly', monthly_payout_days: [1, 15]}}}});
  assert.deepEqual(payments.payouts.schedule.monthly_payout_days, [1, 15]);
  await refuses(stripe.balanceSettings.update({payments: {payouts: {schedule: {interval: 'monthly', monthly_payout_days: [32]}}}}), {statusCode: 400});
  assert.equal((await stripe.balanceSettings.retrieve()).payments.payouts.schedule.interval, 'monthly');
});

test('a top-up is paid out again', async () => {
  const key = newKey();
  const stripe = world(key);
  await stripe.balanceSettings.update({payments: {payouts: {schedule: {interval: 'manual'}}}});
  const topup = await stripe.topups.create({amount: 20000, currency: 'usd', source: 'btok_us_verified'});
  const other = await stripe.topups.create({amount: 30000, currency: 'usd'});
  assert.equal((await stripe.topups.cancel(other.id)).status, 'canceled');
  await wait(key, 60);
  await stripe.topups.update(topup.id, {metadata: {a: 'b'}});
  assert.equal((await stripe.topups.retrieve(topup.id)).status, 'succeeded');
  assert.equal((await stripe.topups.list({status: 'succeeded'})).data.length, 1);
  await refuses(stripe.topups.cancel(topup.id), {statusCode: 400});
  const payout = await stripe.payouts.create({amount: 15000, currency: 'usd', expand: ['balance_transaction', 'destination']});
  assert.deepEqual([payout.automatic, payout.balance_transaction.amount, payout.destination.object], [false, -15000, 'bank_account']);
  await refuses(stripe.payouts.create({amount: 15000, currency: 'usd'}), {statusCode: 400, code: 'balance_insufficient'});
  assert.equal((await stripe.payouts.update(payout.id, {metadata: {a: 'b'}})).metadata.a, 'b');
  assert.equal((await stripe.payouts.cancel(payout.id)).status, 'canceled');
  assert.equal((await stripe.payouts.list({status: 'canceled'})).data[0].id, payout.id);
  assert.equal((await stripe.balance.retrieve()).available[0].amount, 20000);
});

test('payouts have somewhere to go', async () => {
  const stripe = world();
  const {id: own} = await stripe.accounts.retrieveCurrent();
  assert.equal((await stripe.accounts.retrieve(own)).id, own);
  const card = await stripe.accounts.createExternalAccount(own, {external_account: 'tok_visa_debit_us_transferSuccess'});
  assert.deepEqual([card.object, card.funding], ['card', 'debit']);
  const bank = await stripe.accounts.createExternalAccount(own, {
    external_account: {object: 'bank_account', country: 'DE', currency: 'eur', account_number: 'DE89370400440532013000'},
  });
  assert.equal((await stripe.accounts.updateExternalAccount(own, bank.id, {account_holder_name: 'Ada'})).account_holder_name, 'Ada');
  assert.equal((await stripe.accounts.retrieveExternalAccount(own, bank.id)).last4, '3000');
  assert.equal((await stripe.accounts.listExternalAccounts(own, {object: 'bank_account'})).data.length, 2);
  assert.equal((await stripe.accounts.deleteExternalAccount(own, bank.id)).deleted, true);
  await refuses(stripe.accounts.retrieveExternalAccount(own, bank.id), missing);
  await refuses(stripe.accounts.createExternalAccount(own, {external_account: 'tok_visa'}), {statusCode: 400, code: 'invalid_card_type'});
  await refuses(stripe.accounts.retrieve('acct_1234567890123456'), {statusCode: 403});
});

test('money in another currency is booked at a rate that can be read', async () => {
  const stripe = world();
  const {rates} = await stripe.exchangeRates.retrieve('eur');
  assert.ok(rates.usd > 0.5 && rates.usd < 2, `a euro is ${rates.usd} dollars`);
  assert.equal((await stripe.exchangeRates.list({limit: 2})).data.length, 2);
  const {latest_charge: charge} = await pay(stripe, 'de', {currency: 'eur', expand: ['latest_charge.balance_transaction']});
  const {amount, currency, exchange_rate: rate} = charge.balance_transaction;
  assert.deepEqual([currency, amount], ['usd', Math.round(2000 * rate)]);
  await refuses(stripe.exchangeRates.retrieve('xyz'), {code: 'resource_missing'});
});
