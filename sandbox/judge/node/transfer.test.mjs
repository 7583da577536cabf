// Bank transfers, and the cash balance that they fund.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {missing, refuses, world} from './sandbox.mjs';

test('a bank transfer is held for the customer', async () => {
  const stripe = world();
  const {id} = await stripe.customers.create({email: 'jenny@example.com', cash_balance: {settings: {reconciliation_mode: 'manual'}}});
  assert.deepEqual((await stripe.customers.retrieveCashBalance(id)).settings, {reconciliation_mode: 'manual', using_merchant_default: false});
  const funded = await stripe.testHelpers.customers.fundCashBalance(id, {amount: 5000, currency: 'eur', reference: 'order 7'});
  assert.deepEqual([funded.type, funded.ending_balance, funded.funded.bank_transfer.reference], ['funded', 5000, 'order 7']);
  assert.deepEqual((await stripe.customers.retrieve(id, {expand: ['cash_balance']})).cash_balance.available, {eur: 5000});
  assert.equal((await stripe.customers.listCashBalanceTransactions(id)).data[0].id, funded.id);
  assert.equal((await stripe.customers.retrieveCashBalanceTransaction(id, funded.id)).net_amount, 5000);
  await refuses(stripe.customers.retrieveCashBalanceTransaction(id, 'ccsbtxn_none'), missing);
  await refuses(stripe.testHelpers.customers.fundCashBalance(id, {amount: 0, currency: 'eur'}), {statusCode: 400, param: 'amount'});
  await refuses(stripe.customers.del(id), {statusCode: 400});
  const where = {currency: 'eur', funding_type: 'bank_transfer', bank_transfer: {type: 'eu_bank_transfer', eu_bank_transfer: {country: 'NL'}}};
  const told = await stripe.customers.createFundingInstructions(id, where);
  assert.match(told.bank_transfer.financial_addresses[0].iban.iban, /^NL/);
  assert.deepEqual(await stripe.customers.createFundingInstructions(id, where), told);
});
