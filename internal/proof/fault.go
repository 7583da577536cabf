package proof

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5"

	"github.com/till-pay/till/internal/db"
	"github.com/till-pay/till/internal/db/dbtest/cluster"
)

// fault is a row of the matrix beside the deaths: what breaks, and how.
type fault struct {
	name string
	on   string // the engine; "" is both
	play func(m *matrix, t *trial, a attempt, chance *rand.Rand)
}

var faults []fault

func init() { // play looks into it
	faults = []fault{
		{"Stripe does not answer, before or after it has done it", "", stripeIsSilent},
		{"Stripe holds the key of a dead process", "", stripeHolds},
		{"Stripe answers 429, many times", "", stripeRefuses},
		{"Stripe answers 500 and 502", "", stripeFails},
		{"connections to Stripe are cut", "", stripeIsCut},
		{"a day between crash and recovery", "", aDayPasses},
		{"no webhook of Stripe arrives", "", webhooksAreLost},
		{"webhooks of Stripe arrive twice and in another order", "", webhooksAreDisordered},
		{"the server of the merchant is down", "", merchantIsDown},
		{"the disk is full", sqlite, diskIsFull},
		{"PostgreSQL is restarted", postgres, postgresRestarts},
		{"connections to PostgreSQL are cut", postgres, postgresIsCut},
	}
}

// nodes starts the tills of an engine: one on SQLite, two on PostgreSQL.
func (m *matrix) nodes(w *world, t *trial) (all []*node) {
	all = append(all, m.runs(w, t, "a", atOnce))
	if strings.HasPrefix(w.url, "postgres") {
		all = append(all, m.runs(w, t, "b", atOnce))
	}
	return all
}

// under lets the story happen under rules of what goes wrong at Stripe, and takes them back when it is told.
func (m *matrix) under(t *trial, a attempt, s setting, rules ...map[string]any) {
	w := m.world(t, a.engine, s)
	for _, r := range rules {
		w.fault(r)
	}
	m.nodes(w, t)
	begin(w, t, a.seed, false).finish()
}

// paths of Stripe's that move money.
var paths = []string{"/v1/payment_intents", "/v1/refunds", "/v1/payment_intents/{id}/capture", "/v1/payment_intents/{id}/cancel", "/v1/payment_methods/{id}/attach"}

func stripeIsSilent(m *matrix, t *trial, a attempt, chance *rand.Rand) {
	kind := []string{"timeout_after_effect", "timeout_before_effect"}[chance.IntN(2)]
	m.under(t, a, setting{}, map[string]any{"method": "POST", "path": paths[chance.IntN(len(paths))], "kind": kind, "times": 1})
}

// stripeHolds is a process that dies while Stripe is at its request, and another that asks again before Stripe is done.
func stripeHolds(m *matrix, t *trial, a attempt, chance *rand.Rand) {
	w := m.world(t, a.engine, setting{})
	path := paths[chance.IntN(len(paths))]
	w.fault(map[string]any{"method": "POST", "path": path, "kind": "hold", "times": 1})
	all := m.nodes(w, t)
	s := begin(w, t, a.seed, false)
	w.eventually("that the request is at Stripe", func() bool { return w.held() == 1 })
	for _, n := range all {
		n.kill()
	}
	w.eventually("that the next process meets the key in use, or a webhook has told it the end", func() bool {
		calls, _ := w.unfinished()
		return w.conflicts() > 0 || calls == 0
	})
	w.box("POST", "/_sandbox/faults/release", map[string]any{}, nil)
	s.finish()
}

func (w *world) held() int {
	var state struct {
		Held int `json:"replies_held"`
	}
	w.box("GET", "/_sandbox/state", nil, &state)
	return state.Held
}

// conflicts are the requests that met a key in use.
func (w *world) conflicts() int {
	var log struct{ Requests []struct{ Status int } }
	w.box("GET", "/_sandbox/requests?status=409", nil, &log)
	return len(log.Requests)
}

func stripeRefuses(m *matrix, t *trial, a attempt, chance *rand.Rand) {
	m.under(t, a, setting{}, map[string]any{"method": "POST", "kind": "error_429", "every": 1, "times": 6 + chance.IntN(10)})
}

func stripeFails(m *matrix, t *trial, a attempt, chance *rand.Rand) {
	m.under(t, a, setting{},
		map[string]any{"method": "POST", "path": paths[chance.IntN(len(paths))], "kind": "error_500", "after_effect": true, "times": 1},
		map[string]any{"method": "POST", "kind": "error_502", "after_effect": chance.IntN(2) == 0, "nth": 1 + chance.IntN(3), "every": 3, "times": 4})
}

func stripeIsCut(m *matrix, t *trial, a attempt, chance *rand.Rand) {
	w := m.world(t, a.engine, setting{})
	m.nodes(w, t)
	s := begin(w, t, a.seed, false)
	for range 20 {
		w.link.cut(chance.IntN(4) == 0)
		t.pause(time.Duration(chance.IntN(150)) * time.Millisecond)
		w.link.up()
		t.pause(time.Duration(chance.IntN(100)) * time.Millisecond)
	}
	s.finish()
}

// aDayPasses lets every till die, and comes back when Stripe has forgotten its keys.
func aDayPasses(m *matrix, t *trial, a attempt, chance *rand.Rand) {
	w := m.world(t, a.engine, setting{clock: true})
	again := make(chan struct{})
	point := []string{"after stripe write end of POST /v1/payment_intents", "after stripe write end of POST /v1/refunds", "before stripe write POST /v1/payment_intents",
		"after stripe whole reply to POST /v1/payment_intents", "after stripe write end of POST /v1/payment_intents/{id}/capture"}[chance.IntN(5)]
	w.front.favour = true
	n := m.runs(w, t, "a", again, []string{"TILL_CRASH=" + point + ":1"})
	all := []*node{n}
	if a.engine == postgres {
		<-n.up
		all = append(all, m.runs(w, t, "b", again))
	}
	s := begin(w, t, a.seed, true)
	w.eventually("that till has died at its point", func() bool { return n.died() > 0 })
	for _, n := range all {
		n.kill()
	}
	const day = 25 * time.Hour
	w.advance(day)
	if err := w.db.Tx(t.Context(), func(tx db.Tx) error { // the machine's time passes too
		for _, sql := range []string{`update calls set lease_until = lease_until - $1, sent_at = sent_at - $1`, `update leases set until = until - $1`,
			`update deliveries set lease_until = lease_until - $1`, `update stripe_events set due_at = due_at - $1 where due_at is not null`} {
			if _, err := tx.Exec(t.Context(), sql, day.Microseconds()); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatalf("%v", err)
	}
	close(again)
	s.finish()
}

// webhooksAreLost leaves it to the sweeps to find what happened at Stripe: at the edge of a second, for all events are of one, and while
// they are too young to be called missed.
func webhooksAreLost(m *matrix, t *trial, a attempt, _ *rand.Rand) {
	w := m.world(t, a.engine, setting{clock: true})
	w.fault(map[string]any{"kind": "lost", "every": 1})
	w.box("POST", "/_sandbox/clock", map[string]string{"mode": "frozen"}, nil)
	for _, n := range m.nodes(w, t) {
		<-n.up
	}
	t.pause(2 * time.Second) // the first look at Stripe's list
	w.advance(40 * time.Second)
	s := begin(w, t, a.seed, false)
	s.steps = []time.Duration{20 * time.Second, time.Minute}
	s.finish()
}

func webhooksAreDisordered(m *matrix, t *trial, a attempt, _ *rand.Rand) {
	m.under(t, a, setting{}, map[string]any{"kind": "reordered", "every": 2, "behind": 2, "seconds": 30}, map[string]any{"kind": "doubled", "every": 1})
}

func merchantIsDown(m *matrix, t *trial, a attempt, _ *rand.Rand) {
	w := m.world(t, a.engine, setting{clock: true})
	w.hears.out(true)
	m.nodes(w, t)
	s := begin(w, t, a.seed, false)
	s.wait()
	w.hears.out(false)
	s.finish()
}

// diskIsFull fills a small disk of the trial's own, and makes room again. Where none can be mounted, till is forbidden for a while to make
// its files longer.
func diskIsFull(m *matrix, t *trial, a attempt, chance *rand.Rand) {
	disk := t.TempDir()
	mounted := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8m") == nil
	if mounted {
		t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	}
	path := filepath.Join(disk, "till.db")
	if err := copyFile(path, m.template[sqlite]); err != nil {
		t.Fatalf("%v", err)
	}
	w := m.world(t, a.engine, setting{url: "sqlite:" + path})
	n := m.runs(w, t, "a", atOnce)
	s := begin(w, t, a.seed, false)
	t.pause(time.Duration(chance.IntN(400)) * time.Millisecond)
	<-n.up
	var room func()
	if mounted {
		room = fill(t, filepath.Join(disk, "filler"))
	} else {
		room = shorten(t, n.process().cmd.Process.Pid, path)
	}
	t.pause(2 * time.Second)
	room()
	s.finish()
}

// fill takes all that is left of a disk; the returned function gives it back.
func fill(t *trial, path string) func() {
	f, err := os.Create(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("%v", err)
	}
	return func() { _ = f.Close(); _ = os.Remove(path) }
}

// shorten forbids a process to write beyond where the database's log ends now; the returned function allows it again.
func shorten(t *trial, pid int, database string) func() {
	var end uint64
	if info, err := os.Stat(database + "-wal"); err == nil {
		end = uint64(info.Size())
	}
	const noLimit = ^uint64(0)
	set := func(longest uint64) {
		const fileSize = 1 // RLIMIT_FSIZE
		limit := [2]uint64{longest, noLimit}
		if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), fileSize, uintptr(unsafe.Pointer(&limit)), 0, 0, 0); errno != 0 && errno != syscall.ESRCH {
			t.Fatalf("prlimit: %v", errno)
		}
	}
	set(end + 8192)
	return func() { set(noLimit) }
}

// postgresRestarts is a server of the trial's own that dies at once and comes back, twice.
func postgresRestarts(m *matrix, t *trial, a attempt, chance *rand.Rand) {
	dir := t.TempDir()
	for d := t.folder; d != "/" && d != "."; d = filepath.Dir(d) { // PostgreSQL runs as another user, who must come through
		_ = os.Chmod(d, mode(d)|0o011)
	}
	server, err := cluster.Start(dir, "log_min_messages=panic")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(server.Stop)
	w := m.world(t, a.engine, setting{url: server.URL + "&pool_max_conns=8"})
	m.nodes(w, t)
	s := begin(w, t, a.seed, false)
	for range 2 {
		t.pause(time.Duration(200+chance.IntN(800)) * time.Millisecond)
		if err := server.Restart(); err != nil {
			t.Fatalf("%v", err)
		}
	}
	s.wait()
	w.eventually("that PostgreSQL answers", func() bool { return w.db.Ping(t.Context()) == nil })
	s.finish()
}

func mode(path string) os.FileMode {
	info, err := os.Stat(path)
	if err != nil {
		return 0o700
	}
	return info.Mode().Perm()
}

// postgresIsCut ends every connection to the trial's database again and again.
func postgresIsCut(m *matrix, t *trial, a attempt, chance *rand.Rand) {
	w := m.world(t, a.engine, setting{})
	m.nodes(w, t)
	s := begin(w, t, a.seed, false)
	c, err := pgx.Connect(t.Context(), m.server.URL)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer c.Close(context.Background())
	name := strings.TrimPrefix(strings.SplitN(w.url, "?", 2)[0], strings.SplitN(m.server.URL, "postgres?", 2)[0])
	for range 15 {
		if _, err := c.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1`, name); err != nil {
			t.Fatalf("%v", err)
		}
		t.pause(time.Duration(chance.IntN(200)) * time.Millisecond)
	}
	s.wait()
	w.eventually("that PostgreSQL answers", func() bool { return w.db.Ping(t.Context()) == nil })
	s.finish()
}
