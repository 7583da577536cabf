-- +goose Up
-- chain is the hash of the ids of deliveries 1 to chain_seq, each hash over the one before: h(n) = sha256(h(n-1), newline, id n), h(0) empty.
-- Numbering moves it on; deliveries that were numbered before this column are taken in by steps, until chain_seq has come up with next_seq.
-- A checkpoint states the chain to the merchant: the last one stands beside it, and checkpoint_due is when the next one is owed.
-- previous_secret is ciphertext: what deliveries are signed with as well, until previous_until.
alter table endpoints add column chain text not null default '';
alter table endpoints add column chain_seq bigint not null default 0;
alter table endpoints add column checkpoint_seq bigint not null default 0;
alter table endpoints add column checkpoint_hash text not null default '';
alter table endpoints add column checkpoint_at bigint;
alter table endpoints add column checkpoint_due bigint;
alter table endpoints add column previous_secret text not null default '';
alter table endpoints add column previous_until bigint;
update endpoints set checkpoint_due = updated_at where next_seq > 1;
create index endpoints_checkpoint_due on endpoints (checkpoint_due) where checkpoint_due is not null;

-- +goose Down
drop index endpoints_checkpoint_due;
alter table endpoints drop column previous_until;
alter table endpoints drop column previous_secret;
alter table endpoints drop column checkpoint_due;
alter table endpoints drop column checkpoint_at;
alter table endpoints drop column checkpoint_hash;
alter table endpoints drop column checkpoint_seq;
alter table endpoints drop column chain_seq;
alter table endpoints drop column chain;
