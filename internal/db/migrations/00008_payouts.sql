-- +goose Up
-- Payouts, as Stripe has told of them. provider_ref is Stripe's own name for one; it is empty while a payout that was asked for through till
-- has no answer yet. amount is negative where Stripe takes money from the bank account. due_at is when Stripe is asked next.
create table payouts (
	merchant        text    not null,
	mode            text    not null,
	id              text    not null,
	version         bigint  not null,
	generation      bigint  not null,
	provider_ref    text    not null,
	status          text    not null,
	currency        text    not null,
	amount          bigint  not null,
	fee             bigint  not null,
	automatic       boolean not null,
	method          text    not null,
	destination     text    not null,
	description     text    not null,
	descriptor      text    not null,
	arrival_date    bigint,
	trace_id        text    not null,
	reconciled      boolean not null,
	original_payout text    not null,
	reversed_by     text    not null,
	failure         text    not null,
	attempts        bigint  not null,
	idempotency_key text    not null,
	origin          text    not null,
	created_at      bigint  not null,
	updated_at      bigint  not null,
	paid_at         bigint,
	returned_at       bigint,
	due_at          bigint,
	primary key (merchant, mode, id)
);
create index payouts_new on payouts (merchant, mode, created_at, id);
create index payouts_status on payouts (merchant, mode, status, created_at, id);
create unique index payouts_provider_ref on payouts (merchant, mode, provider_ref) where provider_ref <> '';
create index payouts_due on payouts (due_at) where due_at is not null;

-- +goose Down
drop table payouts;
