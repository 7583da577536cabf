-- +goose Up
-- Whether a transaction of the ledger is in the chain: the flag stands on its line 0. Payments write it and never wait for the chain.
alter table ledger_entries add column chained boolean not null default false;
create index ledger_unchained on ledger_entries (merchant, mode, posted_at, transaction_key) where line = 0 and not chained;

-- The chain over the ledger, numbered without gaps after the commit that posted. content is the canonical text of what the transaction's lines
-- and its movement were when they were chained (internal/ledger/content.go); hash is SHA-256, in hex, over the hash before, a newline and
-- content. counts_at is the time by which a transaction belongs to a period: posted_at, or chained_at where its period was closed by then.
create table ledger_chain (
	merchant        text   not null,
	mode            text   not null,
	seq             bigint not null,
	transaction_key text   not null,
	chained_at      bigint not null,
	counts_at       bigint not null,
	content         text   not null,
	hash            text   not null,
	primary key (merchant, mode, seq),
	unique (merchant, mode, transaction_key)
);
create index ledger_chain_counts on ledger_chain (merchant, mode, counts_at, seq);

-- The last row of the chain of each day (UTC): what is given out, so that nobody can write the chain anew unnoticed.
create table ledger_heads (
	merchant text   not null,
	mode     text   not null,
	day      text   not null,
	seq      bigint not null,
	hash     text   not null,
	primary key (merchant, mode, day)
);

-- A period that is closed: all that counts before ends_at, which is the midnight (UTC) that ends the day through. It is a row of the chain too.
create table ledger_closes (
	merchant  text   not null,
	mode      text   not null,
	through   text   not null,
	ends_at   bigint not null,
	closed_at bigint not null,
	primary key (merchant, mode, through)
);
create table ledger_close_balances (
	merchant text   not null,
	mode     text   not null,
	through  text   not null,
	book     text   not null,
	account  text   not null,
	currency text   not null,
	balance  bigint not null,
	primary key (merchant, mode, through, book, account, currency)
);

-- +goose Down
drop table ledger_close_balances;
drop table ledger_closes;
drop table ledger_heads;
drop table ledger_chain;
drop index ledger_unchained;
alter table ledger_entries drop column chained;
