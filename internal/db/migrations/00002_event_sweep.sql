-- +goose Up
-- How Stripe's events came, and when Stripe made them. What was kept before came by webhook, within seconds.
alter table stripe_events add column source text not null default 'webhook';
alter table stripe_events add column created_at bigint not null default 0;
update stripe_events set created_at = received_at;
create index stripe_events_new on stripe_events (merchant, mode, created_at, id);
create index stripe_events_object on stripe_events (merchant, mode, object, created_at, id);

-- How far Stripe's list of events has been looked through for each Stripe account of a merchant, under its newest generation. swept_to
-- and what begins with look_ are a look under way: the event to go on after, the newest and the oldest young event that it has seen, and
-- when it began. Those are Stripe's times; checked_at, when the last whole look began, and due_at are the clock's, and due_at is null where a
-- later generation of the same account looks; lease_until is the machine's: somebody is at work until then, or it rests after a failure.
create table event_sweeps (
	merchant    text   not null,
	mode        text   not null,
	generation  bigint not null,
	swept_to    bigint not null,
	look_after  text   not null,
	look_newest bigint,
	look_young  bigint,
	look_began  bigint,
	checked_at  bigint not null,
	missed      bigint not null,
	failures    bigint not null,
	error       text   not null,
	due_at      bigint,
	lease_until bigint not null,
	primary key (merchant, mode, generation)
);
create index event_sweeps_due on event_sweeps (due_at) where due_at is not null;

-- An event about a payment method finds its card.
create index cards_payment_method on cards (merchant, mode, payment_method);

-- +goose Down
drop index cards_payment_method;
drop table event_sweeps;
drop index stripe_events_object;
drop index stripe_events_new;
alter table stripe_events drop column created_at;
alter table stripe_events drop column source;
