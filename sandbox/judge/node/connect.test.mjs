// Accounts that are connected to a platform: what they have to say, who they are, and how they come and go.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {base, newKey, refuses, wait, world} from './sandbox.mjs';

const anna = {
  first_name: 'Anna', last_name: 'Kowalska', email: 'anna@example.com', phone: '+49301234567', dob: {day: 1, month: 1, year: 1901},
  address: {line1: 'address_full_match', city: 'Berlin', postal_code: '10115'},
};
const capabilities = {card_payments: {requested: true}, transfers: {requested: true}};

function tradeswoman(stripe, more = {}) {
  return stripe.accounts.create({
    type: 'custom', country: 'DE', business_type: 'individual', capabilities, individual: anna, business_profile: {mcc: '1520', url: 'https://kowalska.example'},
    external_account: {object: 'bank_account', country: 'DE', currency: 'eur', account_number: 'DE89370400440532013000'},
    tos_acceptance: {date: Math.floor(Date.now() / 1000) - 60, ip: '127.0.0.1'}, ...more,
  });
}

test('an account says what it lacks, and is on when nothing is missing', async () => {
  const key = newKey();
  const stripe = world(key);
  const {id, requirements} = await stripe.accounts.create({type: 'express', country: 'PL'});
  assert.equal(requirements.disabled_reason, 'requirements.past_due');
  assert.ok(requirements.past_due.includes('representative.dob.day'));
  await refuses(stripe.accounts.createLoginLink(id), {statusCode: 400, message: 'Cannot create a login link for an account that has not completed onboarding.'});
  const link = await stripe.accountLinks.create({account: id, type: 'account_onboarding', refresh_url: 'https://shop.example/again', return_url: 'https://shop.example/back'});
  assert.equal(link.expires_at - link.created, 300);
  const once = await fetch(link.url, {redirect: 'manual'});
  assert.ok(once.headers.get('location').startsWith(link.url.slice(base.length)));
  assert.equal((await fetch(link.url, {redirect: 'manual'})).headers.get('location'), 'https://shop.example/again');
  await refuses(stripe.accounts.update(id, {individual: {first_name: 'Jan'}}), {statusCode: 403, code: 'oauth_not_supported'});
  const session = await stripe.accountSessions.create({account: id, components: {account_onboarding: {enabled: true}}});
  assert.match(session.client_secret, /^accs_secret__/);
  const account = await tradeswoman(stripe);
  assert.deepEqual([account.charges_enabled, account.payouts_enabled, account.individual.verification.status], [true, true, 'pending']);
  await wait(key, 3);
  assert.equal((await stripe.accounts.retrieve(account.id)).individual.verification.status, 'verified');
});

test('a document beats a date of birth, and a deadline switches off', async () => {
  const key = newKey();
  const stripe = world(key);
  const {id} = await tradeswoman(stripe, {individual: {...anna, dob: {day: 2, month: 3, year: 1980}}});
  await wait(key, 3);
  const account = await stripe.accounts.retrieve(id);
  assert.deepEqual([account.charges_enabled, account.requirements.errors[0].code], [false, 'verification_failed_keyed_identity']);
  const {data: [person]} = await stripe.accounts.listPersons(id);
  await stripe.accounts.updatePerson(id, person.id, {verification: {document: {front: 'file_identity_document_success'}}});
  assert.equal((await stripe.accounts.retrieve(id)).charges_enabled, true);
  const reply = await fetch(`${base}/_sandbox/connect`, {
    method: 'POST', headers: {Authorization: `Bearer ${key}`}, body: JSON.stringify({account: id, action: 'restrict', requirements: ['business_profile.url'], seconds: 3600}),
  });
  assert.equal(reply.status, 200);
  await wait(key, 3600);
  assert.equal((await stripe.accounts.retrieveCapability(id, 'card_payments')).status, 'inactive');
  const {data: [event]} = await stripe.events.list({type: 'account.updated', limit: 1}, {stripeAccount: id});
  assert.deepEqual([event.account, event.data.previous_attributes.charges_enabled], [id, true]);
  await stripe.accounts.update(id, {business_profile: {url: 'https://kowalska.example'}});
  assert.equal((await stripe.accounts.retrieveCapability(id, 'card_payments')).status, 'active');
});

test('an account connects by OAuth, and leaves', async () => {
  const key = newKey();
  const stripe = world(key);
  const {client_id} = await (await fetch(`${base}/_sandbox/connect`, {headers: {Authorization: `Bearer ${key}`}})).json();
  const page = `${base}/oauth/authorize?${new URLSearchParams({response_type: 'code', client_id, scope: 'read_write', redirect_uri: 'https://shop.example/'})}`;
  const back = await fetch(page, {method: 'POST', body: new URLSearchParams({answer: 'connect'}), redirect: 'manual'});
  const code = new URL(back.headers.get('location')).searchParams.get('code');
  const post = async (path, body) => (await fetch(base + path, {method: 'POST', body: new URLSearchParams(body), headers: {Authorization: `Bearer ${key}`}})).json();
  const {stripe_user_id: id, access_token} = await post('/oauth/token', {grant_type: 'authorization_code', code});
  assert.equal((await world(access_token).rawRequest('GET', '/v1/account')).id, id);
  assert.equal((await post('/oauth/deauthorize', {client_id, stripe_user_id: id})).stripe_user_id, id);
  await refuses(stripe.customers.list({}, {stripeAccount: id}), {statusCode: 403, code: 'account_invalid'});
});
