-- +goose Up
-- One text for PostgreSQL and SQLite. merchant and mode lead every key: tenants cannot meet, and the schema shards by merchant.
-- Times are UTC microseconds; money is minor units of the currency beside it; documents are text.

create table merchants (
	id         text   not null primary key,
	name       text   not null unique,
	created_at bigint not null
);

-- An API key holds its merchant's id and mode, so that it is found inside its scope. Only its SHA-256 is kept.
create table api_keys (
	merchant   text   not null,
	mode       text   not null,
	hash       text   not null,
	id         text   not null,
	name       text   not null,
	hint       text   not null,
	scopes     text   not null,
	created_at bigint not null,
	revoked_at bigint,
	primary key (merchant, mode, hash),
	unique (merchant, mode, id)
);

-- One row per Stripe account that the merchant turned to: a generation. Secrets are ciphertext. webhook_url is what the endpoint
-- at Stripe was registered with, where till registered it itself.
create table providers (
	merchant         text   not null,
	mode             text   not null,
	generation       bigint not null,
	account          text   not null,
	secret_key       text   not null,
	publishable_key  text   not null,
	webhook_secret   text   not null,
	webhook_endpoint text   not null,
	webhook_url      text   not null,
	webhook_token    text   not null,
	created_at       bigint not null,
	updated_at       bigint not null,
	primary key (merchant, mode, generation)
);
create index providers_inbound on providers (created_at, merchant, mode, generation) where webhook_secret <> '';

-- A money-moving call: claimed before the first network byte, never deleted.
create table calls (
	merchant     text   not null,
	mode         text   not null,
	key          text   not null,
	name         text   not null,
	hash         text   not null,
	row_id       text   not null,
	provider_key text   not null,
	generation   bigint not null,
	state        text   not null,
	unsure       boolean not null,
	attempts     bigint not null,
	claimed_at   bigint not null,
	sent_at      bigint not null,
	lease_until  bigint not null,
	resolve_by   bigint not null,
	closed_at    bigint,
	position     text   not null,
	takes        bigint not null,
	error        text   not null,
	primary key (merchant, mode, key)
);
create index calls_open on calls (lease_until) where state = 'open';
create index calls_row on calls (merchant, mode, row_id, name);

create table customers (
	merchant     text   not null,
	mode         text   not null,
	id           text   not null,
	generation   bigint not null,
	email        text   not null,
	name         text   not null,
	provider_ref text   not null,
	created_at   bigint not null,
	primary key (merchant, mode, id),
	unique (merchant, mode, generation, email)
);

create table cards (
	merchant       text   not null,
	mode           text   not null,
	id             text   not null,
	version        bigint not null,
	generation     bigint not null,
	customer       text   not null,
	customer_email text   not null,
	asked_method   text   not null,
	payment_method text   not null,
	status         text   not null,
	brand          text   not null,
	last4          text   not null,
	exp_month      bigint not null,
	exp_year       bigint not null,
	fingerprint    text   not null,
	failure        text   not null,
	created_at     bigint not null,
	updated_at     bigint not null,
	primary key (merchant, mode, id)
);
create index cards_customer on cards (merchant, mode, customer_email, created_at, id);
create index cards_new on cards (merchant, mode, created_at, id);
create index cards_of_customer on cards (merchant, mode, customer, created_at, id);

create table payments (
	merchant        text   not null,
	mode            text   not null,
	id              text   not null,
	version         bigint not null,
	generation      bigint not null,
	status          text   not null,
	currency        text   not null,
	amount          bigint not null,
	capturing       bigint not null,
	captured        bigint not null,
	refunding       bigint not null,
	refunded        bigint not null,
	fee             bigint,
	provider        text   not null,
	provider_ref    text   not null,
	provider_status text   not null,
	charge_ref      text   not null,
	payment_method  text   not null,
	saved_card      text   not null,
	customer        text   not null,
	customer_email  text   not null,
	customer_ref    text   not null,
	provider_customer text not null,
	description     text   not null,
	suffix          text   not null,
	capture_method  text   not null,
	return_url      text   not null,
	metadata        text   not null,
	failure         text   not null,
	next_action     text   not null,
	cancelling      boolean not null,
	attempts        bigint not null,
	idempotency_key text   not null,
	created_at      bigint not null,
	updated_at      bigint not null,
	resolve_by      bigint not null,
	due_at          bigint,
	primary key (merchant, mode, id)
);
create index payments_new on payments (merchant, mode, created_at, id);
create index payments_provider_ref on payments (merchant, mode, provider_ref);
create index payments_charge_ref on payments (merchant, mode, charge_ref);
create index payments_customer_email on payments (merchant, mode, customer_email, created_at, id);
create index payments_saved_card on payments (merchant, mode, saved_card, created_at, id);
create index payments_due on payments (due_at) where due_at is not null;

-- Metadata a second time, by key, for filters: JSON operators differ between the engines.
create table payment_metadata (
	merchant text not null,
	mode     text not null,
	payment  text not null,
	key      text not null,
	value    text not null,
	primary key (merchant, mode, payment, key)
);
create index payment_metadata_value on payment_metadata (merchant, mode, key, value, payment);

create table refunds (
	merchant        text   not null,
	mode            text   not null,
	id              text   not null,
	version         bigint not null,
	generation      bigint not null,
	payment         text   not null,
	status          text   not null,
	currency        text   not null,
	amount          bigint not null,
	reason          text   not null,
	provider_ref    text   not null,
	failure         text   not null,
	attempts        bigint not null,
	idempotency_key text   not null,
	origin          text   not null,
	created_at      bigint not null,
	updated_at      bigint not null,
	due_at          bigint,
	primary key (merchant, mode, id)
);
create index refunds_new on refunds (merchant, mode, created_at, id);
create index refunds_payment on refunds (merchant, mode, payment, created_at, id);
create index refunds_provider_ref on refunds (merchant, mode, provider_ref);
create index refunds_due on refunds (due_at) where due_at is not null;

-- Double entry: rows are only added. The lines of one transaction sum to zero in each currency.
create table ledger_entries (
	merchant    text   not null,
	mode        text   not null,
	transaction_key text not null,
	line        bigint not null,
	account     text   not null,
	currency    text   not null,
	amount      bigint not null,
	payment     text   not null,
	posted_at   bigint not null,
	primary key (merchant, mode, transaction_key, line)
);
create index ledger_account on ledger_entries (merchant, mode, account, currency);
create index ledger_payment on ledger_entries (merchant, mode, payment);

-- The story of a merchant: written in the commit that made it true. fanned is false until the outbox has numbered it.
create table events (
	merchant   text    not null,
	mode       text    not null,
	id         text    not null,
	type       text    not null,
	object     text    not null,
	data       text    not null,
	created_at bigint  not null,
	fanned     boolean not null,
	primary key (merchant, mode, id)
);
create index events_new on events (merchant, mode, created_at, id);
create index events_object on events (merchant, mode, object);
create index events_unfanned on events (merchant, mode, created_at, id) where not fanned;

-- What Stripe told us, kept as it came: one row per event id.
create table stripe_events (
	merchant    text   not null,
	mode        text   not null,
	id          text   not null,
	generation  bigint not null,
	type        text   not null,
	object      text   not null,
	payload     text   not null,
	verified    boolean not null,
	received_at bigint not null,
	applied_at  bigint,
	attempts    bigint not null,
	due_at      bigint,
	error       text   not null,
	primary key (merchant, mode, id)
);
create index stripe_events_due on stripe_events (due_at) where due_at is not null;

-- Where a merchant hears of it: one URL per merchant and mode. next_seq is the number that the next delivery gets: numbers have no gaps.
create table endpoints (
	merchant   text   not null,
	mode       text   not null,
	id         text   not null,
	url        text   not null,
	secret     text   not null,
	next_seq   bigint not null,
	created_at bigint not null,
	updated_at bigint not null,
	primary key (merchant, mode, id),
	unique (merchant, mode)
);

-- retries is how far the schedule has come since the delivery was last asked for; attempts counts all of them.
create table deliveries (
	merchant    text   not null,
	mode        text   not null,
	endpoint    text   not null,
	seq         bigint not null,
	id          text   not null,
	event       text   not null,
	type        text   not null,
	status      text   not null,
	attempts    bigint not null,
	retries     bigint not null,
	created_at  bigint not null,
	ended_at    bigint,
	due_at      bigint,
	lease_until bigint not null,
	primary key (merchant, mode, endpoint, seq),
	unique (merchant, mode, endpoint, event),
	unique (merchant, mode, id)
);
create index deliveries_new on deliveries (merchant, mode, created_at, id);
create index deliveries_due on deliveries (merchant, mode, endpoint, due_at, seq) where due_at is not null;

create table delivery_attempts (
	merchant    text   not null,
	mode        text   not null,
	delivery    text   not null,
	attempt     bigint not null,
	started_at  bigint not null,
	took_us     bigint not null,
	status_code bigint not null,
	error       text   not null,
	primary key (merchant, mode, delivery, attempt)
);

-- Who does a piece of background work now, so that nodes share it.
create table leases (
	name   text   not null primary key,
	holder text   not null,
	until  bigint not null
);

-- The canary that tells at start whether the master key is the one this database was written with.
create table canary (
	name       text not null primary key,
	ciphertext text not null
);

-- +goose Down
drop table canary;
drop table leases;
drop table delivery_attempts;
drop table deliveries;
drop table endpoints;
drop table stripe_events;
drop table events;
drop table ledger_entries;
drop table refunds;
drop table payment_metadata;
drop table payments;
drop table cards;
drop table customers;
drop table calls;
drop table providers;
drop table api_keys;
drop table merchants;
