-- +goose Up
-- Disputes as Stripe tells of them. withdrawn and reinstated are how far the money has moved; fee_received, fee_countered and fee_returned what
-- Stripe takes for it by its price list. answered: evidence was sent for it as a chargeback; inquired: how often before it was one, -1 where
-- that is not known.
create table disputes (
	merchant       text    not null,
	mode           text    not null,
	id             text    not null,
	version        bigint  not null,
	generation     bigint  not null,
	payment        text    not null,
	status         text    not null,
	currency       text    not null,
	amount         bigint  not null,
	reason         text    not null,
	network_code   text    not null,
	case_type      text    not null,
	provider_ref   text    not null,
	withdrawn      bigint  not null,
	reinstated     bigint  not null,
	fee_received   bigint  not null,
	fee_countered  bigint  not null,
	fee_returned   bigint  not null,
	answered       boolean not null,
	inquired       bigint  not null,
	due_by         bigint,
	past_due       boolean not null,
	evidence_given boolean not null,
	submissions    bigint  not null,
	opened_at      bigint  not null,
	created_at     bigint  not null,
	updated_at     bigint  not null,
	primary key (merchant, mode, id)
);
create unique index disputes_provider_ref on disputes (merchant, mode, provider_ref);
create index disputes_new on disputes (merchant, mode, created_at, id);
create index disputes_payment on disputes (merchant, mode, payment, created_at, id);
create index disputes_due on disputes (merchant, mode, due_by) where due_by is not null;

-- What chargebacks hold of a payment: taken, and not given back.
alter table payments add column disputed bigint not null default 0;

-- +goose Down
alter table payments drop column disputed;
drop table disputes;
