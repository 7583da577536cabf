package proof

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest/cluster"
	"github.com/till-pay/till/internal/id"
	"github.com/till-pay/till/sandbox"
)

// Config is what the matrix is asked to prove.
type Config struct {
	Runs     int      // deaths for each engine
	Faults   int      // trials of each fault on each engine
	Seed     uint64   // of all that is left to chance
	Only     string   // one trial, as a summary names it, in place of all
	Engines  []string // sqlite, postgres; both where it is empty
	Parallel int      // trials at a time: they mostly wait for leases to end
	Program  string   // till with points; built where it is ""
	Bug      string   // planted in till
	Folder   string   // where what fails leaves its traces
	Keep     bool     // what does not fail too
	Patience time.Duration
	// Progress is told now and then how far it is.
	Progress func(string)
}

// matrix is a proof that is under way.
type matrix struct {
	Config
	program  string
	stripe   string
	server   *cluster.Cluster
	template map[string]string // by engine: a file, or the name of a database
	making   sync.Mutex        // PostgreSQL copies a template only while nobody else uses it
}

// attempt is what goes wrong in one trial.
type attempt struct {
	engine, kind, detail string
	seed                 uint64
}

// String is the name by which ONLY asks for it.
func (a attempt) String() string {
	return fmt.Sprintf("%s/%s/%s@%d", a.engine, a.kind, a.detail, a.seed)
}

func parse(s string) (a attempt, err error) {
	parts := strings.SplitN(s, "/", 3)
	at := strings.LastIndexByte(s, '@')
	if len(parts) == 3 && at > 0 {
		a.engine, a.kind = parts[0], parts[1]
		a.detail, _, _ = strings.Cut(parts[2], "@")
		a.seed, err = strconv.ParseUint(s[at+1:], 10, 64)
	}
	if a.kind == "" || err != nil || !slices.Contains(engines, a.engine) {
		return a, fmt.Errorf("%q does not name a trial, as ENGINE/KIND/WHAT@SEED does", s)
	}
	return a, nil
}

const (
	sqlite   = "sqlite"
	postgres = "postgres"
)

var engines = []string{sqlite, postgres}

// Prove runs the matrix. An error says that it could not be run; what it found is in the summary.
func Prove(ctx context.Context, c Config) (*Summary, error) {
	began := time.Now()
	m := &matrix{Config: c, template: map[string]string{}}
	if m.Only != "" {
		a, err := parse(m.Only)
		if err != nil {
			return nil, err
		}
		m.Engines = []string{a.engine}
	}
	if m.Progress == nil {
		m.Progress = func(string) {}
	}
	if m.Parallel == 0 {
		m.Parallel = 24
	}
	if m.Patience == 0 {
		m.Patience = patience
	}
	work, err := os.MkdirTemp("", "till-prove-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	if m.Folder == "" {
		m.Folder = filepath.Join(os.TempDir(), "till-prove-failures")
	}
	end, err := m.prepare(ctx, work)
	defer end()
	if err != nil {
		return nil, err
	}
	s := &Summary{Seed: c.Seed, Points: map[string]int{}, points: map[string][]string{}}
	plan, err := m.plan(ctx, s)
	if err != nil {
		return nil, err
	}
	m.all(ctx, s, plan)
	s.end()
	s.Seconds = time.Since(began).Seconds()
	return s, ctx.Err()
}

// prepare builds and starts what all trials share.
func (m *matrix) prepare(ctx context.Context, work string) (end func(), err error) {
	var ends []func()
	end = func() {
		for i := len(ends) - 1; i >= 0; i-- {
			ends[i]()
		}
	}
	if m.program = m.Program; m.program == "" {
		m.Progress("building till with points")
		if m.program, err = Program(work, true); err != nil {
			return end, err
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return end, err
	}
	box := sandbox.NewServer()
	server := &http.Server{Handler: box}
	go func() { _ = server.Serve(listener) }()
	ends = append(ends, func() { _ = server.Close(); box.Close() })
	m.stripe = "http://" + listener.Addr().String()
	if _, missing := cluster.Binaries(); len(m.Engines) == 0 {
		if m.Engines = engines; missing != nil {
			m.Engines = []string{sqlite}
			m.Progress("*** " + missing.Error() + ": only SQLite is proved. For the other half: apt-get install postgresql ***")
		}
	}
	for _, e := range m.Engines {
		if e == postgres {
			m.Progress("starting PostgreSQL")
			dir := filepath.Join(work, "postgres")
			if err := os.Mkdir(dir, 0o700); err != nil {
				return end, err
			}
			if err := os.Chmod(work, 0o711); err != nil { // PostgreSQL runs as another user
				return end, err
			}
			if m.server, err = cluster.Start(dir, "max_connections=1000", "log_min_messages=panic"); err != nil {
				return end, err
			}
			ends = append(ends, m.server.Stop)
		}
		if err := m.makeTemplate(ctx, e, work); err != nil {
			return end, err
		}
	}
	return end, nil
}

// makeTemplate is a migrated database that each trial gets a copy of.
func (m *matrix) makeTemplate(ctx context.Context, engine, work string) error {
	m.template[engine] = filepath.Join(work, "template.db")
	url := "sqlite:" + m.template[engine]
	if engine == postgres {
		m.template[engine] = "template_till"
		if err := m.admin(ctx, "create database template_till"); err != nil {
			return err
		}
		url = m.at("template_till")
	}
	d, err := db.Open(ctx, url)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Migrate(ctx)
}

func (m *matrix) at(database string) string {
	return strings.Replace(m.server.URL, "/postgres?", "/"+database+"?", 1) + "&pool_max_conns=8"
}

func (m *matrix) admin(ctx context.Context, sql string) error {
	m.making.Lock()
	defer m.making.Unlock()
	c, err := pgx.Connect(ctx, m.server.URL)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql)
	return err
}

// database is the URL of a trial's own.
func (m *matrix) database(t *trial, engine string, fresh bool) string {
	if engine == sqlite {
		path := filepath.Join(t.TempDir(), "till.db")
		if !fresh {
			if err := copyFile(path, m.template[sqlite]); err != nil {
				t.Fatalf("%v", err)
			}
		}
		return "sqlite:" + path
	}
	name := "t_" + strings.ReplaceAll(id.New(), "-", "")
	sql := "create database " + name
	if !fresh {
		sql += " template " + m.template[postgres]
	}
	if err := m.admin(t.Context(), sql); err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = m.admin(context.Background(), "drop database if exists "+name+" with (force)") })
	return m.at(name)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// env is the environment of every till.
func (m *matrix) env(log string) []string {
	env := []string{"TILL_CRASH_LOG=" + log}
	if m.Bug != "" {
		env = append(env, "TILL_BUG="+m.Bug)
	}
	return env
}

// all runs the trials, a bounded number at a time.
func (m *matrix) all(ctx context.Context, s *Summary, plan []attempt) {
	free := make(chan struct{}, m.Parallel)
	var running sync.WaitGroup
	for i, a := range plan {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			running.Wait()
			return
		}
		running.Go(func() {
			defer func() { <-free }()
			folder := filepath.Join(m.Folder, fmt.Sprintf("%d-%d-%s-%s", os.Getpid(), i, a.engine, a.kind))
			t := try(ctx, m.Patience, folder, func(t *trial) {
				t.all = m.Keep
				m.play(t, a)
			})
			if ctx.Err() != nil {
				_ = os.RemoveAll(folder)
				return
			}
			t.keep(again(a))
			m.Progress(s.add(a, t, len(plan)))
		})
	}
	running.Wait()
}

// again is the command that repeats a trial.
func again(a attempt) string { return "make prove ONLY='" + a.String() + "'" }

// plan is what is tried: deaths spread over the points that dry runs find, and each fault.
func (m *matrix) plan(ctx context.Context, s *Summary) (plan []attempt, err error) {
	if m.Only != "" {
		a, err := parse(m.Only)
		return []attempt{a}, err
	}
	chance := rand.New(rand.NewPCG(m.Seed, 0))
	for _, e := range m.Engines {
		if m.Runs > 0 {
			m.Progress("counting the points of " + e)
			found, err := m.count(ctx, e)
			if err != nil {
				return nil, err
			}
			s.points[e] = append(found.story, found.fresh...)
			s.Points[e] = len(s.points[e])
			plan = append(plan, m.deaths(e, found, chance)...)
		}
		for _, f := range faults {
			for range m.Faults {
				if f.on == "" || f.on == e {
					plan = append(plan, attempt{e, "fault", f.name, chance.Uint64N(1e6)})
				}
			}
		}
	}
	chance.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	return plan, nil
}

// points are the points that a process passes, as NAME:N in order.
type points struct {
	story []string // with everything set up: from its start to the end of the story and of what that set off
	fresh []string // from an empty database to the start of the service
}

// count plays the story once without a death, and a start from nothing, and reads what points were passed.
func (m *matrix) count(ctx context.Context, engine string) (found points, err error) {
	var both sync.WaitGroup
	var mu sync.Mutex
	for _, fresh := range []bool{false, true} {
		both.Go(func() {
			folder, e := os.MkdirTemp("", "till-dry-")
			if e != nil {
				err = e
				return
			}
			t := try(ctx, m.Patience, folder, func(t *trial) {
				w := m.world(t, engine, setting{fresh: fresh})
				if n := m.runs(w, t, "a", atOnce); fresh {
					<-n.up // it, and not the command, makes the master key
					m.setUp(w, t)
				} else {
					begin(w, t, m.Seed, false).finish()
				}
				log, e := os.ReadFile(filepath.Join(folder, "points-a-0.log"))
				if e != nil {
					t.Fatalf("%v", e)
				}
				mu.Lock()
				defer mu.Unlock()
				lines := strings.Split(strings.TrimSpace(string(log)), "\n")
				if fresh {
					found.fresh = lines
				} else {
					found.story = lines
				}
			})
			t.keep("the dry run of " + engine)
			if t.Failed() {
				mu.Lock()
				defer mu.Unlock()
				err = fmt.Errorf("the dry run of %s failed: %v (in %s)", engine, t.failures, folder)
			}
		})
	}
	both.Wait()
	return found, err
}

// world stages a trial's world.
func (m *matrix) world(t *trial, engine string, s setting) *world {
	if s.url == "" {
		s.url = m.database(t, engine, s.fresh)
	}
	s.stripe = m.stripe
	return newWorld(t, s)
}
