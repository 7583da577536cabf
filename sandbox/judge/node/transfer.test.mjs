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

test('a payment waits for its bank transfer, in two parts', async () => {
  const stripe = world();
  const customer = (await stripe.customers.create({email: 'jenny@example.com'})).id;
  const intent = await stripe.paymentIntents.create({
    amount: 5000, currency: 'eur', customer, confirm: true, payment_method_types: ['customer_balance'], payment_method_data: {type: 'customer_balance'},
    payment_method_options: {customer_balance: {funding_type: 'bank_transfer', bank_transfer: {type: 'eu_bank_transfer', eu_bank_transfer: {country: 'FR'}}}},
  });
  const told = intent.next_action.display_bank_transfer_instructions;
  assert.deepEqual([intent.status, told.amount_remaining, told.financial_addresses[0].iban.country], ['requires_action', 5000, 'FR']);
  await stripe.testHelpers.customers.fundCashBalance(customer, {amount: 2000, currency: 'eur', reference: told.reference});
  const partly = await stripe.paymentIntents.retrieve(intent.id);
  assert.equal(partly.next_action.display_bank_transfer_instructions.amount_remaining, 3000);
  await stripe.testHelpers.customers.fundCashBalance(customer, {amount: 4000, currency: 'eur'});
  assert.equal((await stripe.paymentIntents.retrieve(intent.id)).status, 'succeeded');
  assert.deepEqual((await stripe.customers.retrieveCashBalance(customer)).available, {eur: 1000});
  const {data} = await stripe.customers.listCashBalanceTransactions(customer);
  assert.deepEqual(data.map(({type, net_amount: net}) => [type, net]), [['applied_to_payment', -3000], ['funded', 4000], ['applied_to_payment', -2000], ['funded', 2000]]);
  await refuses(stripe.paymentIntents.applyCustomerBalance(intent.id), {statusCode: 400, code: 'payment_intent_unexpected_state'});
  const refund = await stripe.refunds.create({payment_intent: intent.id, amount: 1000});
  assert.equal(refund.status, 'requires_action');
  assert.equal((await stripe.refunds.cancel(refund.id)).status, 'canceled');
});
