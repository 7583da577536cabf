package merchant

import (
	"context"
	"time"

	"github.com/till-pay/till/internal/db"
)

func plantCanary(name, ciphertext string) db.Change {
	return db.Change{SQL: `insert into canary (name, ciphertext) values ($1, $2) on conflict do nothing`, Args: []any{name, ciphertext}, Rows: db.Any}
}

func findCanary(ctx context.Context, q db.Querier, name string) (string, error) {
	return db.One(ctx, q, db.Value[string], `select ciphertext from canary where name = $1`, name)
}

func insertMerchant(m Merchant) db.Change {
	return db.Change{
		SQL:  `insert into merchants (id, name, created_at) values ($1, $2, $3) on conflict do nothing`,
		Args: []any{m.ID, m.Name, db.Micros(m.CreatedAt)}, Rows: 1,
	}
}

func scanMerchant(r db.Row) (m Merchant, err error) {
	return m, r.Scan(&m.ID, &m.Name, db.At(&m.CreatedAt))
}

// findMerchant looks by id or name: no name has the form of an id.
func findMerchant(ctx context.Context, q db.Querier, idOrName string) (Merchant, error) {
	return db.One(ctx, q, scanMerchant, `select id, name, created_at from merchants where id = $1 or name = $1`, idOrName)
}

func listMerchants(ctx context.Context, q db.Querier, most int) ([]Merchant, error) {
	return db.All(ctx, q, scanMerchant, `select id, name, created_at from merchants order by created_at, id limit $1`, most)
}

func insertKey(k Key, hash string) db.Change {
	return db.Change{
		SQL:  `insert into api_keys (merchant, mode, hash, id, name, hint, scopes, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		Args: []any{k.Merchant, k.Mode, hash, k.ID, k.Name, k.Hint, db.JSON(k.Scopes), db.Micros(k.CreatedAt)}, Rows: 1,
	}
}

// revokeKey guards nothing: a key stays revoked from the first time on, and whether there is one is asked afterwards.
func revokeKey(s db.Scope, id string, at time.Time) db.Change {
	return db.Change{
		SQL:  `update api_keys set revoked_at = $4 where merchant = $1 and mode = $2 and id = $3 and revoked_at is null`,
		Args: []any{s.Merchant, s.Mode, id, db.Micros(at)}, Rows: db.Any,
	}
}

const keyColumns = `merchant, mode, id, name, hint, scopes, created_at, revoked_at`

func scanKey(r db.Row) (Key, error) {
	var k Key
	err := r.Scan(&k.Merchant, &k.Mode, &k.ID, &k.Name, &k.Hint, db.Document(&k.Scopes), db.At(&k.CreatedAt), db.At(&k.RevokedAt))
	return k, err
}

func findKeyByHash(ctx context.Context, q db.Querier, s db.Scope, hash string) (Key, error) {
	return db.One(ctx, q, scanKey, `select `+keyColumns+` from api_keys where merchant = $1 and mode = $2 and hash = $3`, s.Merchant, s.Mode, hash)
}

func findKey(ctx context.Context, q db.Querier, s db.Scope, id string) (Key, error) {
	return db.One(ctx, q, scanKey, `select `+keyColumns+` from api_keys where merchant = $1 and mode = $2 and id = $3`, s.Merchant, s.Mode, id)
}

func listKeys(ctx context.Context, q db.Querier, s db.Scope) ([]Key, error) {
	return db.All(ctx, q, scanKey, `select `+keyColumns+` from api_keys where merchant = $1 and mode = $2 order by created_at, id`, s.Merchant, s.Mode)
}

func insertProvider(p Provider) db.Change {
	return db.Change{
		SQL: `insert into providers (merchant, mode, generation, account, secret_key, publishable_key, webhook_secret, webhook_endpoint, webhook_url, webhook_token,
			created_at, updated_at, country, currency) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing`,
		Args: []any{p.Merchant, p.Mode, p.Generation, p.Account, p.secretKey, p.PublishableKey, p.webhookSecret, p.WebhookEndpoint, p.webhookURL, p.WebhookToken,
			db.Micros(p.CreatedAt), db.Micros(p.UpdatedAt), p.Country, p.Currency}, Rows: 1,
	}
}

// updateProvider misses where the row changed since it was seen.
func updateProvider(p Provider, seen time.Time) db.Change {
	return db.Change{
		SQL: `update providers set secret_key = $4, publishable_key = $5, webhook_secret = $6, webhook_endpoint = $7, webhook_url = $8, updated_at = $9, country = $11, currency = $12
			where merchant = $1 and mode = $2 and generation = $3 and updated_at = $10`,
		Args: []any{p.Merchant, p.Mode, p.Generation, p.secretKey, p.PublishableKey, p.webhookSecret, p.WebhookEndpoint, p.webhookURL,
			db.Micros(p.UpdatedAt), db.Micros(seen), p.Country, p.Currency}, Rows: 1,
	}
}

const providerColumns = `merchant, mode, generation, account, secret_key, publishable_key, webhook_secret, webhook_endpoint, webhook_url, webhook_token, created_at, updated_at, country, currency`

func scanProvider(r db.Row) (Provider, error) {
	var p Provider
	err := r.Scan(&p.Merchant, &p.Mode, &p.Generation, &p.Account, &p.secretKey, &p.PublishableKey, &p.webhookSecret, &p.WebhookEndpoint, &p.webhookURL,
		&p.WebhookToken, db.At(&p.CreatedAt), db.At(&p.UpdatedAt), &p.Country, &p.Currency)
	return p, err
}

func findProvider(ctx context.Context, q db.Querier, s db.Scope, generation int64) (Provider, error) {
	return db.One(ctx, q, scanProvider, `select `+providerColumns+` from providers where merchant = $1 and mode = $2 and generation = $3`, s.Merchant, s.Mode, generation)
}

// listProviders are all generations of a merchant in one mode, the newest first.
func listProviders(ctx context.Context, q db.Querier, s db.Scope) ([]Provider, error) {
	return db.All(ctx, q, scanProvider, `select `+providerColumns+` from providers where merchant = $1 and mode = $2 order by generation desc`, s.Merchant, s.Mode)
}

func newestProvider(ctx context.Context, q db.Querier, s db.Scope) (Provider, error) {
	return db.One(ctx, q, scanProvider, `select `+providerColumns+` from providers where merchant = $1 and mode = $2 order by generation desc limit 1`, s.Merchant, s.Mode)
}

// listNewest are the accounts that merchants use in one mode now, at most limit of them. It is over all merchants, as the clock is.
func listNewest(ctx context.Context, q db.Querier, mode string, limit int) ([]Provider, error) {
	return db.All(ctx, q, scanProvider, `select `+providerColumns+` from providers p where mode = $1 and not exists (
			select 1 from providers n where n.merchant = p.merchant and n.mode = p.mode and n.generation > p.generation)
		order by merchant limit $2`, mode, limit)
}

// listInbound are the generations, of all merchants, that have a signing secret: those that had theirs first, at most limit of them.
// Of an account that a merchant returned to, only the newest counts: the others hold the same secret. It is one of the few
// statements over all merchants: it is asked before anybody knows whose event has come.
func listInbound(ctx context.Context, q db.Querier, limit int) ([]Provider, error) {
	return db.All(ctx, q, scanProvider, `select `+providerColumns+` from providers p where webhook_secret <> '' and not exists (
			select 1 from providers n where n.merchant = p.merchant and n.mode = p.mode and n.generation > p.generation and n.account = p.account)
		order by created_at, merchant, mode, generation limit $1`, limit)
}

// listByMerchant are all generations of a merchant in both modes, the newest first: of an event on a merchant's own URL
// the token tells the mode.
func listByMerchant(ctx context.Context, q db.Querier, merchant string) ([]Provider, error) {
	return db.All(ctx, q, scanProvider, `select `+providerColumns+` from providers where merchant = $1 order by generation desc, mode`, merchant)
}

// anyLive says whether any merchant has live credentials.
func anyLive(ctx context.Context, q db.Querier) (bool, error) {
	n, err := db.One(ctx, q, db.Value[int64], `select count(*) from providers where mode = $1`, Live)
	return n > 0, err
}

// insertEndpoint misses where the merchant has an endpoint by now.
func insertEndpoint(e Endpoint, secret string) db.Change {
	return db.Change{
		SQL:  `insert into endpoints (merchant, mode, id, url, secret, next_seq, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
		Args: []any{e.Merchant, e.Mode, e.ID, e.URL, secret, e.NextSeq, db.Micros(e.CreatedAt), db.Micros(e.UpdatedAt)}, Rows: 1,
	}
}

// sealedSecrets are an endpoint's signing secrets as its row holds them. previous is "" where there is none.
type sealedSecrets struct {
	current, previous string
	previousUntil     time.Time
}

// updateEndpoint misses where the row changed since it was seen. It leaves the numbers, the chain and the checkpoints alone: they are the
// outbox's.
func updateEndpoint(e Endpoint, sealed sealedSecrets, seen time.Time) db.Change {
	return db.Change{
		SQL: `update endpoints set url = $4, secret = $5, previous_secret = $6, previous_until = $7, updated_at = $8
			where merchant = $1 and mode = $2 and id = $3 and updated_at = $9`,
		Args: []any{e.Merchant, e.Mode, e.ID, e.URL, sealed.current, sealed.previous, db.Micros(sealed.previousUntil), db.Micros(e.UpdatedAt), db.Micros(seen)}, Rows: 1,
	}
}

const endpointColumns = `merchant, mode, id, url, next_seq, chain, chain_seq, checkpoint_seq, checkpoint_hash, checkpoint_at, checkpoint_due, previous_until,
	created_at, updated_at`

func scanEndpoint(r db.Row) (Endpoint, error) {
	var e Endpoint
	err := r.Scan(&e.Merchant, &e.Mode, &e.ID, &e.URL, &e.NextSeq, &e.Chain, &e.ChainSeq, &e.Checkpoint.Sequence, &e.Checkpoint.Hash, db.At(&e.Checkpoint.At),
		db.At(&e.CheckpointDue), db.At(&e.PreviousUntil), db.At(&e.CreatedAt), db.At(&e.UpdatedAt))
	return e, err
}

func findEndpoint(ctx context.Context, q db.Querier, s db.Scope) (Endpoint, error) {
	return db.One(ctx, q, scanEndpoint, `select `+endpointColumns+` from endpoints where merchant = $1 and mode = $2`, s.Merchant, s.Mode)
}

func findEndpointSecrets(ctx context.Context, q db.Querier, s db.Scope, id string) (sealedSecrets, error) {
	return db.One(ctx, q, func(r db.Row) (k sealedSecrets, err error) {
		return k, r.Scan(&k.current, &k.previous, db.At(&k.previousUntil))
	},
		`select secret, previous_secret, previous_until from endpoints where merchant = $1 and mode = $2 and id = $3`, s.Merchant, s.Mode, id)
}
