-- +goose Up
-- What each account was debited and credited with by what counts on a day (UTC, numbered since 1970). The commit that chains transactions adds
-- them, so that a balance costs days and not history; `till ledger verify` holds the sums against the entries.
create table ledger_days (
	merchant text   not null,
	mode     text   not null,
	day      bigint not null,
	book     text   not null,
	account  text   not null,
	currency text   not null,
	debits   bigint not null,
	credits  bigint not null, -- negative
	primary key (merchant, mode, day, book, account, currency)
);
insert into ledger_days (merchant, mode, day, book, account, currency, debits, credits)
	select c.merchant, c.mode, c.counts_at / 86400000000, e.book, e.account, e.currency, cast(sum(case when e.amount > 0 then e.amount else 0 end) as bigint),
		cast(sum(case when e.amount < 0 then e.amount else 0 end) as bigint)
	from ledger_chain c join ledger_entries e on e.merchant = c.merchant and e.mode = c.mode and e.transaction_key = c.transaction_key
	group by c.merchant, c.mode, c.counts_at / 86400000000, e.book, e.account, e.currency;

-- Nothing sums accounts over all history any more, and each payment wrote into this index at four places.
drop index ledger_account;

-- +goose Down
create index ledger_account on ledger_entries (merchant, mode, book, account, currency);
drop table ledger_days;
