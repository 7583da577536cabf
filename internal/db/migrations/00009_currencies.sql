-- +goose Up
-- Stripe's middle rates as they were when they were asked for, the last of each day (UTC) for each currency they are from. rates is a document:
-- units of the other currency for one of this. settles is one too: the currencies in which the account had bank accounts then.
create table exchange_rates (
	merchant text   not null,
	mode     text   not null,
	base     text   not null,
	day      text   not null,
	rates    text   not null,
	settles  text   not null,
	asked_at bigint not null,
	primary key (merchant, mode, base, day)
);

-- Customers may pay in the currency of their country: whether, in which ones (a document; an empty list is all), and since when.
alter table merchant_settings add column local_currencies boolean not null default false;
alter table merchant_settings add column local_chosen text not null default '[]';
alter table merchant_settings add column local_since bigint;

-- +goose Down
alter table merchant_settings drop column local_since;
alter table merchant_settings drop column local_chosen;
alter table merchant_settings drop column local_currencies;
drop table exchange_rates;
