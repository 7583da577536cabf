//go:build prove

package crash

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"
)

var register sync.Map // of *sync.Once by name

// Driver is a database driver with a point before and after each begin, statement, commit and rollback.
func Driver(name string) string {
	once, _ := register.LoadOrStore(name, new(sync.Once))
	once.(*sync.Once).Do(func() {
		d, err := sql.Open(name, "")
		if err != nil {
			panic(err)
		}
		sql.Register(name+" with points", pointed{d.Driver(), name})
	})
	return name + " with points"
}

type pointed struct {
	driver.Driver
	name string
}

func (d pointed) Open(dsn string) (driver.Conn, error) {
	c, err := d.Driver.Open(dsn)
	if err != nil {
		return nil, err
	}
	return &session{inner: c.(inner), name: d.name}, nil
}

// inner is what the driver's connections can do; a session can do the same.
type inner interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// session is one connection; database/sql lets nobody else use it meanwhile.
type session struct {
	inner
	name  string
	story story
}

func (s *session) BeginTx(ctx context.Context, options driver.TxOptions) (tx driver.Tx, err error) {
	s.story.hear("begin")
	err = Step(s.name+" begin", func() error {
		tx, err = s.inner.BeginTx(ctx, options)
		return err
	})
	return &pointedTx{tx, s}, err
}

func (s *session) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (result driver.Result, err error) {
	err = Step(s.name+" "+s.story.hear(text), func() error {
		result, err = s.inner.ExecContext(ctx, text, args)
		return err
	})
	return result, err
}

func (s *session) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (rows driver.Rows, err error) {
	err = Step(s.name+" "+s.story.hear(text), func() error {
		rows, err = s.inner.QueryContext(ctx, text, args)
		return err
	})
	return rows, err
}

type pointedTx struct {
	driver.Tx
	session *session
}

func (t *pointedTx) Commit() error {
	return Step(t.session.name+" "+t.session.story.commit(), t.Tx.Commit)
}

func (t *pointedTx) Rollback() error {
	t.session.story.changed = nil
	return Step(t.session.name+" rollback", t.Tx.Rollback)
}
