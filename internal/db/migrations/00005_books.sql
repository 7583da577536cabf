-- +goose Up
-- Two books. expected is what till foretells from payments, refunds, disputes and payouts; observed is what Stripe's balance transactions say.
alter table ledger_entries add column book text not null default 'expected';
drop index ledger_account;
create index ledger_account on ledger_entries (merchant, mode, book, account, currency);

-- What the expected book says of Stripe's balance: by how much one of Stripe's objects moves it, before fees, and the fee that is foretold.
-- kind is Stripe's reporting category; what is compared with a balance transaction is the sum over one kind and source.
create table movements (
	merchant   text   not null,
	mode       text   not null,
	key        text   not null,
	generation bigint not null,
	kind       text   not null,
	source     text   not null,
	currency   text   not null,
	amount     bigint not null,
	fee        bigint not null,
	payment    text   not null,
	posted_at  bigint not null,
	matched    text   not null default '',
	primary key (merchant, mode, key)
);
create index movements_source on movements (merchant, mode, source, kind);
create index movements_open on movements (merchant, mode, posted_at) where matched = '';

-- The money that was booked before is of charges and refunds that a movement must be known of too.
insert into movements (merchant, mode, key, generation, kind, source, currency, amount, fee, payment, posted_at)
	select e.merchant, e.mode, e.transaction_key, p.generation, 'charge', p.charge_ref, e.currency, e.amount, 0, e.payment, e.posted_at
	from ledger_entries e join payments p on p.merchant = e.merchant and p.mode = e.mode and p.id = e.payment
	where e.account = 'assets:stripe' and e.transaction_key like 'payment/%/charge/%';
insert into movements (merchant, mode, key, generation, kind, source, currency, amount, fee, payment, posted_at)
	select e.merchant, e.mode, e.transaction_key, r.generation, case when e.amount > 0 then 'refund_failure' else 'refund' end, r.provider_ref, e.currency, e.amount, 0,
		e.payment, e.posted_at
	from ledger_entries e join refunds r on r.merchant = e.merchant and r.mode = e.mode and e.transaction_key in ('refund/' || r.id, 'refund/' || r.id || '/failed')
	where e.account = 'assets:stripe';

-- Whether the money of a refund has left the balance: Stripe takes it at once, long before the bank has it.
alter table refunds add column left_balance boolean not null default false;
update refunds set left_balance = true where exists (select 1 from ledger_entries e
	where e.merchant = refunds.merchant and e.mode = refunds.mode and e.transaction_key = 'refund/' || refunds.id);

-- Stripe's balance transactions as they were read, and what each was found to be. source_amount and source_currency are its source's own, where
-- Stripe has converted it. state is open (to be looked into), matched (till foretold it) or explained (it is none of till's, and known for what it
-- is); difference is what is left of it that nothing accounts for, in its own currency.
create table balance_transactions (
	merchant        text   not null,
	mode            text   not null,
	id              text   not null,
	account         text   not null,
	type            text   not null,
	kind            text   not null,
	source          text   not null,
	currency        text   not null,
	amount          bigint not null,
	fee             bigint not null,
	net             bigint not null,
	exchange_rate   text   not null,
	source_amount   bigint not null,
	source_currency text   not null,
	description     text   not null,
	payment         text   not null,
	payout          text   not null,
	state           text   not null,
	reason          text   not null,
	difference      bigint not null,
	created_at      bigint not null,
	available_on    bigint not null,
	primary key (merchant, mode, id)
);
create index balance_transactions_new on balance_transactions (merchant, mode, created_at, id);
create index balance_transactions_source on balance_transactions (merchant, mode, source, kind);
create index balance_transactions_payout on balance_transactions (merchant, mode, payout, created_at, id) where payout <> '';
create index balance_transactions_open on balance_transactions (merchant, mode, account, created_at, id) where state = 'open';
create index balance_transactions_waiting on balance_transactions (merchant, mode, currency) where state = 'waiting';
create index balance_transactions_different on balance_transactions (merchant, mode, created_at, id) where difference <> 0;
create index balance_transactions_unlisted on balance_transactions (merchant, mode, account, created_at, id) where kind = 'payout' and payout = '';

-- What they add up to: by the day in UTC on which they become available.
create table balance_days (
	merchant text   not null,
	mode     text   not null,
	account  text   not null,
	currency text   not null,
	day      bigint not null,
	net      bigint not null,
	lines    bigint not null,
	primary key (merchant, mode, account, currency, day)
);

-- How far Stripe's balance transactions have been read, for each Stripe account of a merchant. read_to is the newest that was dealt with; what
-- begins with look_ is a reading under way, newest first: gone on with after look_after, which was made at look_at. Those are Stripe's times;
-- due_at is the clock's, lease_until the machine's: somebody is at work until then.
create table balance_readings (
	merchant    text   not null,
	mode        text   not null,
	account     text   not null,
	read_to     bigint,
	look_after  text   not null,
	look_at     bigint,
	look_newest bigint,
	lines       bigint not null,
	checked_at  bigint,
	failures    bigint not null,
	error       text   not null,
	due_at      bigint not null,
	lease_until bigint not null,
	primary key (merchant, mode, account)
);
create index balance_readings_due on balance_readings (due_at);

-- +goose Down
drop table balance_readings;
drop table balance_days;
drop table balance_transactions;
drop table movements;
alter table refunds drop column left_balance;
delete from ledger_entries where book <> 'expected';
drop index ledger_account;
create index ledger_account on ledger_entries (merchant, mode, account, currency);
alter table ledger_entries drop column book;
