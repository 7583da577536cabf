package db

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/till-pay/till/internal/crash"
)

type postgres struct{ pool *pgxpool.Pool }

func openPostgres(ctx context.Context, url string) (*postgres, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the PostgreSQL URL cannot be read") // the library's words would echo the password
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = 16
	}
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	config.ConnConfig.DialFunc = crash.Dial("postgres", config.ConnConfig.DialFunc)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	p := &postgres{pool}
	if err := p.ping(ctx); err != nil {
		pool.Close()
		c := config.ConnConfig
		return nil, fmt.Errorf("cannot reach PostgreSQL at %s (database %q, user %q): %w", net.JoinHostPort(c.Host, fmt.Sprint(c.Port)), c.Database, c.User, cause(err))
	}
	return p, nil
}

// cause is the innermost error: pgx's own text repeats the address for each way it tried.
func cause(err error) error {
	var refused *net.OpError
	if errors.As(err, &refused) {
		return refused.Err
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return errors.New(said.Message)
	}
	return err
}

func (p *postgres) close()                         { p.pool.Close() }
func (p *postgres) ping(ctx context.Context) error { return p.pool.Ping(ctx) }

func (p *postgres) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	return p.pool.Query(ctx, sql, args...)
}

func (p *postgres) begin(ctx context.Context) (transaction, error) {
	tx, err := p.pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &postgresTx{tx}, nil
}

type postgresTx struct{ tx pgx.Tx }

func (t *postgresTx) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	return t.tx.Query(ctx, sql, args...)
}

func (t *postgresTx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	tag, err := t.tx.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

func (t *postgresTx) commit(ctx context.Context) error { return t.tx.Commit(ctx) }

// rollback has a context of its own: the caller's may be over, and a connection must not go back to the pool inside a transaction.
func (t *postgresTx) rollback() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = t.tx.Rollback(ctx)
}

// migrate holds PostgreSQL's session lock, so that nodes that start together migrate once.
func (p *postgres) migrate(ctx context.Context) error {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	pool := stdlib.OpenDBFromPool(p.pool)
	defer pool.Close()
	return migrate(ctx, goose.DialectPostgres, pool, goose.WithSessionLocker(locker))
}

// Classes of SQLSTATE (PostgreSQL 15 manual, appendix A).
func (p *postgres) transient(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && (said.Code == "40001" || said.Code == "40P01")
}

func (p *postgres) unreachable(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		class := said.Code[:min(2, len(said.Code))]
		return class == "08" || class == "53" || class == "57" // connection, resources (disk full), operator intervention
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err)
}
