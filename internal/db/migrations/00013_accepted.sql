-- +goose Up
-- What somebody accepted of a line although nothing accounts for it: the amount in the line's currency, why, and with which API key. The state
-- accepted says that it holds; a line that was settled again to another amount keeps what was accepted before, and is unexplained.
alter table balance_transactions add column accepted bigint not null default 0;
alter table balance_transactions add column accepted_note text not null default '';
alter table balance_transactions add column accepted_by text not null default '';
alter table balance_transactions add column accepted_at bigint;
create index balance_transactions_accepted on balance_transactions (merchant, mode, created_at, id) where state = 'accepted';

-- +goose Down
drop index balance_transactions_accepted;
update balance_transactions set state = 'unexplained', difference = accepted where state = 'accepted';
alter table balance_transactions drop column accepted_at;
alter table balance_transactions drop column accepted_by;
alter table balance_transactions drop column accepted_note;
alter table balance_transactions drop column accepted;
