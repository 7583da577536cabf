-- +goose Up
-- What a merchant has chosen, per mode. No row means the defaults: everything off.
create table merchant_settings (
	merchant          text    not null,
	mode              text    not null,
	duplicate_guard   boolean not null,
	duplicate_minutes bigint  not null,
	updated_at        bigint  not null,
	primary key (merchant, mode)
);

-- likeness is what two payments must share to be taken for one: the customer, the amount and the card, as a hash; empty where the guard was
-- off. card_fingerprint is Stripe's name for the card's number, where it was asked for. held says why a payment was held back.
alter table payments add column likeness text not null default '';
alter table payments add column card_fingerprint text not null default '';
alter table payments add column held text not null default '';
create index payments_likeness on payments (merchant, mode, likeness, created_at) where likeness <> '';
create index payments_card on payments (merchant, mode, payment_method, created_at) where card_fingerprint <> '';
-- With the order of the list behind it, or SQLite walks all payments of the merchant for the one.
drop index payments_provider_ref;
create index payments_provider_ref on payments (merchant, mode, provider_ref, created_at, id);
create index payments_key on payments (merchant, mode, idempotency_key, created_at, id);
create index payments_customer_ref on payments (merchant, mode, customer_ref, created_at, id) where customer_ref <> '';

-- Who decides about payments of one likeness takes turns by this row: its version moves with each one that is let through.
create table duplicate_guards (
	merchant text   not null,
	mode     text   not null,
	likeness text   not null,
	version  bigint not null,
	primary key (merchant, mode, likeness)
);

-- The story of a call: what was sent to Stripe and looked up there, and who asked again. Nothing is decided by it.
create table call_attempts (
	merchant       text   not null,
	mode           text   not null,
	key            text   not null,
	id             text   not null,
	kind           text   not null,
	at             bigint not null,
	took_us        bigint,
	outcome        text   not null,
	status_code    bigint not null,
	code           text   not null,
	stripe_request text   not null,
	request_id     text   not null,
	primary key (merchant, mode, key, id)
);

-- +goose Down
drop table call_attempts;
drop table duplicate_guards;
drop index payments_customer_ref;
drop index payments_key;
drop index payments_provider_ref;
create index payments_provider_ref on payments (merchant, mode, provider_ref);
drop index payments_card;
drop index payments_likeness;
alter table payments drop column held;
alter table payments drop column card_fingerprint;
alter table payments drop column likeness;
drop table merchant_settings;
