-- +goose Up
-- A word to a customer about a payment. subject and body are kept as they were written, so that what was said stays known. due_at is when
-- it may be sent; lease_until, in the machine's time, is until when a node is at it: one whose node died was perhaps sent, and is not
-- sent again.
create table messages (
	merchant    text   not null,
	mode        text   not null,
	id          text   not null,
	payment     text   not null,
	template    text   not null,
	recipient   text   not null,
	subject     text   not null,
	body        text   not null,
	figures     text   not null,
	state       text   not null,
	attempts    bigint not null,
	error       text   not null,
	created_at  bigint not null,
	sent_at     bigint,
	due_at      bigint,
	lease_until bigint not null,
	primary key (merchant, mode, id),
	unique (merchant, mode, payment, template)
);
create index messages_new on messages (merchant, mode, created_at, id);
create index messages_due on messages (due_at) where due_at is not null;

-- +goose Down
drop table messages;
