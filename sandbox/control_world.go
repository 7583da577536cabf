package sandbox

import (
	"bytes"
	"cmp"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// Worlds are put aside, brought back, doubled and compared under /_sandbox/:
//
//	POST   /_sandbox/snapshots        {"name":"before"} keeps the world as it is under a name
//	GET    /_sandbox/snapshots        lists what is kept
//	DELETE /_sandbox/snapshots        {"name":"before"} forgets one; {} forgets all
//	POST   /_sandbox/restore          {"snapshot":"before"} makes the world what it was
//	POST   /_sandbox/reset            makes the world what it was before its first request
//	POST   /_sandbox/fork             {"to":"sk_test_…"} makes the world of another key, which must hold nothing yet, the same as this
//	POST   /_sandbox/diff             {"with":"sk_test_…"} or {"snapshot":"before"} says how that differs from this world
//
// Snapshots share with their world whatever has not changed since, and end with the process.

// Bounds of snapshots and of what a comparison lists.
const (
	maxSnapshots = 50
	maxListed    = 1000
)

var snapshotName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$`)

// snapshotView is a snapshot as the control API shows it.
type snapshotView struct {
	Name    string    `json:"name"`
	At      time.Time `json:"at"` // on the world's clock
	Objects int       `json:"objects"`
}

func (m *image) view(name string) snapshotView {
	return snapshotView{Name: name, At: m.now, Objects: m.objects()}
}

func (m *image) objects() (n int) {
	for i := range m.records {
		if !m.records[i].gone {
			n++
		}
	}
	return n
}

// takeImage is the world as it is now.
func (w *world) takeImage() (*image, error) {
	var m *image
	err := w.step(func() { m = w.image() })
	return m, err
}

func takeSnapshot(w *realm, _ *http.Request, body []byte) (any, error) {
	var in struct {
		Name string `json:"name"`
	}
	if err := readControl(body, &in); err != nil {
		return nil, err
	}
	if !snapshotName.MatchString(in.Name) {
		return nil, badControl("name is 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or a digit.")
	}
	var view snapshotView
	full := false
	err := w.step(func() {
		if _, again := w.snapshots[in.Name]; len(w.snapshots) >= maxSnapshots && !again {
			full = true
			return
		}
		if w.snapshots == nil {
			w.snapshots = map[string]*image{}
		}
		m := w.image()
		w.snapshots[in.Name], view = m, m.view(in.Name)
	})
	if full {
		return nil, badControl("A world keeps at most 50 snapshots. Forget one: DELETE /_sandbox/snapshots.")
	}
	return view, err
}

func listSnapshots(w *realm, _ *http.Request, _ []byte) (any, error) {
	all := []snapshotView{}
	err := w.step(func() {
		for _, name := range slices.Sorted(maps.Keys(w.snapshots)) {
			all = append(all, w.snapshots[name].view(name))
		}
	})
	return map[string]any{"snapshots": all}, err
}

func forgetSnapshots(w *realm, _ *http.Request, body []byte) (any, error) {
	var in struct {
		Name string `json:"name"`
	}
	if len(body) > 0 {
		if err := readControl(body, &in); err != nil {
			return nil, err
		}
	}
	missing := false
	err := w.step(func() {
		if _, there := w.snapshots[in.Name]; in.Name != "" && !there {
			missing = true
		}
		if in.Name == "" {
			clear(w.snapshots)
		}
		delete(w.snapshots, in.Name)
	})
	if missing {
		return nil, noSnapshot(in.Name)
	}
	return map[string]any{}, err
}

func noSnapshot(name string) error {
	return &errControl{http.StatusNotFound, "This world has no snapshot " + name + "."}
}

func restoreSnapshot(w *realm, _ *http.Request, body []byte) (any, error) {
	var in struct {
		Snapshot string `json:"snapshot"`
	}
	if err := readControl(body, &in); err != nil {
		return nil, err
	}
	return w.replaceBy(func() (*image, error) {
		if m := w.snapshots[in.Snapshot]; m != nil {
			return m, nil
		}
		return nil, noSnapshot(in.Snapshot)
	})
}

// resetWorld makes the world anew, with the same random numbers ahead of it. Its clock shows what new clocks show.
func resetWorld(w *realm, _ *http.Request, _ []byte) (any, error) {
	return w.replaceBy(func() (*image, error) {
		fresh := newWorld(w.sandbox, w.suffix, w.tag)
		return fresh.image(), nil
	})
}

// replaceBy makes the world what an image shows, on disk as well, and says how it is then.
func (w *world) replaceBy(find func() (*image, error)) (any, error) {
	var view snapshotView
	var failed error
	err := w.step(func() {
		m, err := find()
		if err != nil {
			failed = err
			return
		}
		w.become(m)
		view = m.view("")
		if w.journal != nil {
			if failed = w.startJournal(w.journal.path); failed != nil {
				w.journal.fail(failed) // the file tells of the world that was, and must not go on with this one
			}
		}
	})
	return map[string]any{"at": view.At, "objects": view.Objects}, cmp.Or(failed, err)
}

func forkWorld(w *realm, _ *http.Request, body []byte) (any, error) {
	var in struct {
		To       string `json:"to"`
		Snapshot string `json:"snapshot"`
	}
	if err := readControl(body, &in); err != nil {
		return nil, err
	}
	other, err := w.other(in.To, "to")
	if err != nil {
		return nil, err
	}
	m, err := w.imageNamed(in.Snapshot)
	if err != nil {
		return nil, err
	}
	return other.replaceBy(func() (*image, error) {
		if other.last > other.born {
			return nil, &errControl{http.StatusConflict, "The world of that key holds objects already. Reset it first, or take another key."}
		}
		return m.pagesOf(w.world, other), nil
	})
}

// pagesOf is the image with the addresses of hosted pages led from one world to another.
func (m *image) pagesOf(from, to *world) *image {
	led := *m
	led.records = slices.Clone(m.records)
	for i := range led.records {
		r := &led.records[i]
		waits := requiresAction
		switch r.resource.Object {
		case "payment_intent", "setup_intent":
		case "source":
			waits = "pending"
		default:
			continue
		}
		if spec.PackedString(r.packed, "status") != waits {
			continue
		}
		for _, path := range []string{challengePath, hostedPath, sourcePath} {
			r.packed = bytes.ReplaceAll(r.packed, []byte(path+from.tag), []byte(path+to.tag)) // of one length, so that packed stays packed
		}
	}
	return &led
}

// other finds the world of another key, and makes it if need be.
func (w *world) other(key, param string) (*world, error) {
	kind, suffix := parseKey(key)
	if suffix == "" || kind == publishableKey {
		return nil, badControl(param + ` is the secret key of another world, such as "sk_test_another".`)
	}
	other, err := w.sandbox.world(suffix, true)
	switch {
	case err != nil:
		return nil, &errControl{http.StatusTooManyRequests, err.Error()}
	case other == w:
		return nil, badControl(param + " is the key of this very world.")
	}
	return other, nil
}

// imageNamed is a snapshot, or the world as it is now where none is named.
func (w *world) imageNamed(name string) (*image, error) {
	if name == "" {
		return w.takeImage()
	}
	var m *image
	if err := w.step(func() { m = w.snapshots[name] }); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, noSnapshot(name)
	}
	return m, nil
}

// difference is how another world differs from this one.
type difference struct {
	Added   []string      `json:"added"`   // ids that only the other has
	Removed []string      `json:"removed"` // ids that only this one has
	Changed []changedView `json:"changed"`
	Totals  struct {
		Added   int `json:"added"`
		Removed int `json:"removed"`
		Changed int `json:"changed"`
		Same    int `json:"same"`
	} `json:"totals"`
	Truncated bool `json:"truncated"` // some are counted and not listed
}

// changedView is an object that both have. Here holds the values of this world where they differ, as an event's previous_attributes do.
type changedView struct {
	ID     string `json:"id"`
	Object string `json:"object"`
	Here   any    `json:"here"`
	There  any    `json:"there"`
}

func diffWorlds(w *realm, _ *http.Request, body []byte) (any, error) {
	var in struct {
		With     string `json:"with"`
		Snapshot string `json:"snapshot"`
	}
	if err := readControl(body, &in); err != nil {
		return nil, err
	}
	if (in.With == "") == (in.Snapshot == "") {
		return nil, badControl(`Give either "with", the secret key of another world, or "snapshot".`)
	}
	of := w.world
	if in.With != "" {
		other, err := w.other(in.With, "with")
		if err != nil {
			return nil, err
		}
		of = other
	}
	there, err := of.imageNamed(in.Snapshot)
	if err != nil {
		return nil, err
	}
	here, err := w.takeImage()
	if err != nil {
		return nil, err
	}
	return here.diff(there), nil
}

// diff compares two images, of which each lists its records in order of making.
func (m *image) diff(other *image) *difference {
	d := &difference{Added: []string{}, Removed: []string{}, Changed: []changedView{}}
	theirs := make(map[string]*imaged, len(other.records))
	for i := range other.records {
		if r := &other.records[i]; !r.gone {
			theirs[r.name()] = r
		}
	}
	for i := range m.records {
		mine := &m.records[i]
		if mine.gone {
			continue
		}
		its := theirs[mine.name()]
		delete(theirs, mine.name())
		switch {
		case its == nil:
			d.Totals.Removed++
			d.Removed = d.list(d.Removed, mine.id)
		case bytes.Equal(its.form(), mine.form()):
			d.Totals.Same++
		default:
			d.change(&mine.record, &its.record)
		}
	}
	for i := range other.records {
		if its := &other.records[i]; theirs[its.name()] == its {
			d.Totals.Added++
			d.Added = d.list(d.Added, its.id)
		}
	}
	return d
}

func (d *difference) list(ids []string, id string) []string {
	if len(ids) >= maxListed {
		d.Truncated = true
		return ids
	}
	return append(ids, id)
}

func (d *difference) change(mine, its *record) {
	d.Totals.Changed++
	if len(d.Changed) >= maxListed {
		d.Truncated = true
		return
	}
	here, _ := spec.PackedPrevious(mine.form(), its.form())
	there, _ := spec.PackedPrevious(its.form(), mine.form())
	d.Changed = append(d.Changed, changedView{ID: mine.id, Object: mine.resource.Object, Here: here, There: there})
}

// journalPath is where a world's journal is.
func (s *Server) journalPath(tag string) string { return filepath.Join(s.folder, tag+journalName) }
