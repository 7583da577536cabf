// What an account sets up: where it sells, with what, what it is told, and its files.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import Stripe from 'stripe';
import {missing, pay, refuses, world} from './sandbox.mjs';

test('events are listed by type', async () => {
  const stripe = world();
  const {latest_charge: charge} = await pay(stripe, 'visa');
  const {data: [event, ...rest]} = await stripe.events.list({types: ['charge.succeeded', 'charge.refunded']});
  assert.equal(rest.length, 0);
  assert.equal((await stripe.events.retrieve(event.id)).data.object.id, charge.id);
  await refuses(stripe.events.retrieve('evt_none'), missing);
});

test('an endpoint shows its secret once', async () => {
  const stripe = world();
  const {id, secret} = await stripe.webhookEndpoints.create({url: 'http://127.0.0.1:1/hooks', enabled_events: ['charge.succeeded']});
  assert.match(secret, /^whsec_/);
  assert.equal((await stripe.webhookEndpoints.retrieve(id)).secret, undefined);
  assert.equal((await stripe.webhookEndpoints.update(id, {disabled: true})).status, 'disabled');
  assert.equal((await stripe.webhookEndpoints.list()).data.length, 1);
  assert.equal((await stripe.webhookEndpoints.del(id)).deleted, true);
  await refuses(stripe.webhookEndpoints.retrieve(id), missing);
  await refuses(stripe.webhookEndpoints.create({url: 'shop.example.com', enabled_events: ['*']}), {statusCode: 400, param: 'url'});
});

test('a domain is registered for wallets', async () => {
  const stripe = world();
  const domain = await stripe.paymentMethodDomains.create({domain_name: 'shop.example.com'});
  assert.equal((await stripe.paymentMethodDomains.update(domain.id, {enabled: false})).enabled, false);
  assert.equal((await stripe.paymentMethodDomains.validate(domain.id)).id, domain.id);
  assert.equal((await stripe.paymentMethodDomains.retrieve(domain.id)).domain_name, 'shop.example.com');
  assert.equal((await stripe.paymentMethodDomains.list({enabled: false})).data.length, 1);
  await refuses(stripe.paymentMethodDomains.create({domain_name: 'shop'}), {statusCode: 400, param: 'domain_name'});
  const apple = await stripe.applePayDomains.create({domain_name: 'shop.example.com'});
  assert.equal((await stripe.applePayDomains.retrieve(apple.id)).domain_name, 'shop.example.com');
  assert.equal((await stripe.applePayDomains.list({domain_name: 'shop.example.com'})).data.length, 1);
  assert.equal((await stripe.applePayDomains.del(apple.id)).deleted, true);
  await refuses(stripe.applePayDomains.retrieve(apple.id), missing);
});

test('methods of payment are switched off', async () => {
  const stripe = world();
  const {data: [first]} = await stripe.paymentMethodConfigurations.list();
  assert.equal(first.is_default, true);
  await stripe.paymentMethodConfigurations.update(first.id, {link: {display_preference: {preference: 'off'}}});
  assert.equal((await stripe.paymentMethodConfigurations.retrieve(first.id)).link.available, false);
  const kiosk = await stripe.paymentMethodConfigurations.create({name: 'Kiosk'});
  assert.deepEqual([kiosk.name, kiosk.is_default], ['Kiosk', false]);
  await refuses(stripe.paymentMethodConfigurations.update(kiosk.id, {link: {display_preference: {preference: 'sometimes'}}}), {statusCode: 400});
});

test('an app gets a key for a customer', async () => {
  const stripe = world();
  const customer = (await stripe.customers.create({})).id;
  const key = await stripe.ephemeralKeys.create({customer}, {apiVersion: Stripe.API_VERSION});
  assert.equal(key.expires, key.created + 3600);
  assert.equal((await stripe.ephemeralKeys.del(key.id)).id, key.id);
  await refuses(stripe.ephemeralKeys.del(key.id), missing);
});

test('a file is linked until the link is ended', async () => {
  const stripe = world();
  const {id} = await stripe.files.create({purpose: 'dispute_evidence', file: {data: Buffer.from('%PDF-1.7 Dear issuer,'), name: 'a.pdf'}});
  assert.equal((await stripe.files.retrieve(id)).filename, 'a.pdf');
  assert.equal((await stripe.files.list({purpose: 'dispute_evidence'})).data.length, 1);
  const link = await stripe.fileLinks.create({file: id});
  assert.equal((await fetch(link.url)).status, 200);
  assert.equal((await stripe.fileLinks.update(link.id, {expires_at: 'now'})).expired, true);
  assert.equal((await fetch(link.url)).status, 404);
  assert.equal((await stripe.fileLinks.list({file: id, expired: true})).data[0].id, link.id);
  assert.equal((await stripe.fileLinks.retrieve(link.id, {expand: ['file']})).file.id, id);
  await refuses(stripe.fileLinks.create({file: 'file_none'}), {code: 'resource_missing'});
  await refuses(stripe.files.retrieve('file_none'), missing);
});
