// Debits of bank accounts: mandates, payments that are known later, and microdeposits.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {base, missing, newKey, refuses, wait, world} from './sandbox.mjs';

const offline = {customer_acceptance: {type: 'offline'}};
const day = 86400;

function debit(stripe, type, currency, method, more = {}) {
  return stripe.paymentIntents.create({
    amount: 5000, currency, payment_method: method, payment_method_types: [type], mandate_data: offline, confirm: true, expand: ['latest_charge'], ...more,
  });
}

test('an ACH debit fails after four days', async () => {
  const key = newKey();
  const stripe = world(key);
  const steer = (path, body) => fetch(`${base}/_sandbox/${path}`, {method: 'POST', headers: {Authorization: `Bearer ${key}`}, body: JSON.stringify(body)});
  await steer('clock', {mode: 'frozen', now: '2026-01-05T12:00:00Z'});
  assert.equal((await (await steer('account', {bank_debits: 'real'})).json()).bank_debits, 'real');
  const {id, status, latest_charge: charge} = await debit(stripe, 'us_bank_account', 'usd', 'pm_usBankAccount_noAccount');
  assert.deepEqual([status, charge.status], ['processing', 'pending']);
  await wait(key, 4 * day - 1);
  assert.equal((await stripe.paymentIntents.retrieve(id)).status, 'processing');
  await wait(key, 1);
  const failed = await stripe.paymentIntents.retrieve(id, {expand: ['latest_charge.failure_balance_transaction']});
  assert.deepEqual([failed.status, failed.latest_charge.failure_code, failed.latest_charge.failure_balance_transaction.type],
    ['requires_payment_method', 'no_account', 'payment_failure_refund']);
  const {data} = await stripe.balanceTransactions.list();
  const {available, pending} = await stripe.balance.retrieve();
  assert.equal(available[0].amount + pending[0].amount, data.reduce((sum, {net}) => sum + net, 0));
});

test('a SEPA debit is disputed, and lost', async () => {
  const key = newKey();
  const stripe = world(key);
  const {latest_charge: charge} = await debit(stripe, 'sepa_debit', 'eur', 'pm_sepaDebit_disputed_fr');
  await wait(key, 5);
  const {data: [dispute]} = await stripe.disputes.list({charge: charge.id});
  assert.deepEqual([dispute.status, dispute.reason], ['lost', 'debit_not_authorized']);
  const mandate = await stripe.mandates.retrieve(charge.payment_method_details.sepa_debit.mandate);
  assert.equal(mandate.status, 'inactive');
  await refuses(stripe.mandates.retrieve('mandate_none'), missing);
});

test('Bacs and BECS pay, and are refunded', async () => {
  const key = newKey();
  const stripe = world(key);
  for (const [type, currency, method] of [['bacs_debit', 'gbp', 'pm_bacsDebit_successDelayed'], ['au_becs_debit', 'aud', 'pm_auBecsDebit_successDelayed']]) {
    const {id} = await debit(stripe, type, currency, method);
    await wait(key, 180);
    assert.equal((await stripe.paymentIntents.retrieve(id)).status, 'succeeded');
    const refund = await stripe.refunds.create({payment_intent: id});
    assert.equal(refund.status, 'pending');
    await wait(key, 10);
    assert.equal((await stripe.refunds.retrieve(refund.id)).status, 'succeeded');
  }
  await refuses(debit(stripe, 'bacs_debit', 'gbp', 'pm_bacsDebit_exceedsWeeklyLimit'), {statusCode: 402, code: 'charge_exceeds_source_limit'});
});

test('microdeposits show whose an account is', async () => {
  const key = newKey();
  const stripe = world(key);
  const intent = await stripe.paymentIntents.create({
    amount: 5000, currency: 'usd', payment_method_types: ['us_bank_account'], mandate_data: offline, confirm: true,
    payment_method_data: {
      type: 'us_bank_account', billing_details: {name: 'Ada'},
      us_bank_account: {account_holder_type: 'individual', account_number: '000123456789', routing_number: '110000000'},
    },
  });
  assert.equal(intent.next_action.type, 'verify_with_microdeposits');
  await refuses(stripe.paymentIntents.verifyMicrodeposits(intent.id, {amounts: [1, 2]}), {code: 'payment_method_microdeposit_verification_amounts_mismatch'});
  assert.equal((await stripe.paymentIntents.verifyMicrodeposits(intent.id, {descriptor_code: 'SM11AA'})).status, 'processing');
  await wait(key, 5);
  assert.equal((await stripe.paymentIntents.retrieve(intent.id)).status, 'succeeded');
});
