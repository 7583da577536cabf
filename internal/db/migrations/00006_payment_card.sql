-- +goose Up
-- What a payment knows of its charge: the card that was charged, and what the bank, the network and Radar made of it. '' is not known.
-- account_country is that of the merchant's Stripe account, as it was when the payment was made.
alter table payments add column account_country text not null default '';
alter table payments add column card_brand text not null default '';
alter table payments add column card_country text not null default '';
alter table payments add column card_funding text not null default '';
alter table payments add column card_last4 text not null default '';
alter table payments add column three_d_secure text not null default '';
alter table payments add column outcome_type text not null default '';
alter table payments add column outcome_network_status text not null default '';
alter table payments add column outcome_reason text not null default '';
alter table payments add column risk_level text not null default '';

-- Where a Stripe account is, and the currency that it settles in by default; '' of one that was configured before till asked.
alter table providers add column country text not null default '';
alter table providers add column currency text not null default '';

-- +goose Down
alter table providers drop column currency;
alter table providers drop column country;
alter table payments drop column risk_level;
alter table payments drop column outcome_reason;
alter table payments drop column outcome_network_status;
alter table payments drop column outcome_type;
alter table payments drop column three_d_secure;
alter table payments drop column card_last4;
alter table payments drop column card_funding;
alter table payments drop column card_country;
alter table payments drop column card_brand;
alter table payments drop column account_country;
