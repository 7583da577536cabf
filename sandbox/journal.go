package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

// syncEvery is how often a journal that is written to is forced to the disk. What was written before a process is killed survives it in
// any case; this is for machines that lose their power.
const syncEvery = time.Second

// journal is a world on disk: a file of lines, each a step of the world in JSON, written before the step is acknowledged. The first
// line tells the form.
type journal struct {
	file *os.File
	path string
	line step   // of the step under way, under the world's lock
	rows []byte // the records of that step, as JSON with a comma after each

	mu      sync.Mutex // guards what follows
	buffer  []byte     // lines that are not yet written
	spare   []byte
	added   uint64 // steps
	err     error  // of the first write that failed: nothing is acknowledged any more
	writing sync.Mutex
	written uint64 // guarded by writing, as is what follows
	synced  time.Time
	torn    bool // the file may end within a line
}

// step is what one step has changed.
type step struct {
	Form    string         `json:"journal,omitempty"` // of the first line
	World   *identity      `json:"world,omitempty"`
	Clock   *clockState    `json:"clock,omitempty"`
	Random  []byte         `json:"random,omitempty"`
	Last    int64          `json:"last,omitempty"`
	Order   uint64         `json:"order,omitempty"`
	Records []recordState  `json:"records,omitempty"` // to read; add writes them by hand
	Due     []appointment  `json:"due,omitempty"`     // made
	Done    []uint64       `json:"done,omitempty"`    // kept, by their order
	Keys    []attemptState `json:"keys,omitempty"`
	Mail    []delivery     `json:"mail,omitempty"` // queued
	Sent    []uint64       `json:"sent,omitempty"` // no longer waiting, by their number
	Rules   *rules         `json:"rules,omitempty"`
}

// What makes a step long: so many bytes of records, or so many appointments and deliveries.
const (
	longStep = 1 << 20
	longList = 10_000
)

// journalForm is the form of the files. A sandbox reads no other.
const journalForm = "till sandbox 1"

// identity is what a world is from its beginning.
type identity struct {
	Account string    `json:"account"`
	Methods string    `json:"methods"`
	Made    time.Time `json:"made"`
	Born    int64     `json:"born"`
}

// clockState is where the clock goes on from: it showed Base when the clock outside showed Anchor.
type clockState struct {
	Base   time.Time `json:"base"`
	Anchor time.Time `json:"anchor"`
	Rate   int64     `json:"rate"`
}

// recordState is a record. Its object is written by the names of its fields, so that a sandbox of a newer version can read it.
type recordState struct {
	Kind    string          `json:"kind"`
	ID      string          `json:"id"`
	Account string          `json:"account,omitempty"` // in whose realm, where that is not the world's own account
	Created int64           `json:"created"`
	Order   int64           `json:"order"`
	Gone    bool            `json:"gone,omitempty"`
	Object  json.RawMessage `json:"object,omitempty"`
	Hidden  json.RawMessage `json:"hidden,omitempty"`
}

// attemptState is the first request under an idempotency key, and its answer; without one, the key was freed.
type attemptState struct {
	Key         string      `json:"key"`
	Fingerprint []byte      `json:"fingerprint,omitempty"`
	At          time.Time   `json:"at"`
	Request     string      `json:"request,omitempty"`
	Status      int         `json:"status,omitempty"`
	Body        []byte      `json:"body,omitempty"`
	Header      [][2]string `json:"header,omitempty"`
}

// selfWritten is private data that writes itself as JSON at less cost than encoding/json does.
type selfWritten interface {
	appendJSON(dst []byte) []byte
}

// appendState appends a record as the journal has it: a recordState.
func (r *record) appendState(dst []byte, account string) []byte {
	dst = append(append(dst, `{"kind":"`...), r.resource.Object...)
	dst = strconv.AppendQuote(append(dst, `","id":`...), r.id)
	if account != "" {
		dst = strconv.AppendQuote(append(dst, `,"account":`...), account)
	}
	dst = strconv.AppendInt(append(dst, `,"created":`...), r.created, 10)
	dst = strconv.AppendInt(append(dst, `,"order":`...), r.order, 10)
	if r.gone {
		dst = append(dst, `,"gone":true`...)
	}
	if r.resource.Compose == nil {
		dst = spec.AppendSparse(append(dst, `,"object":`...), r.packed)
	}
	if r.hidden == nil {
		return append(dst, '}')
	}
	dst = append(dst, `,"hidden":`...)
	if own, ok := r.hidden.(selfWritten); ok {
		return append(own.appendJSON(dst), '}')
	}
	text, _ := json.Marshal(r.hidden) // plain data
	return append(append(dst, text...), '}')
}

// read makes the record anew.
func (s recordState) read() (imaged, error) {
	resource := kinds[s.Kind]
	if resource == nil {
		return imaged{}, fmt.Errorf("there are no objects %q", s.Kind)
	}
	r := record{resource: resource, id: s.ID, created: s.Created, order: s.Order, gone: s.Gone}
	if resource.Compose == nil {
		packed, err := spec.ParseSparse(s.Kind, s.Object)
		if err != nil {
			return imaged{}, fmt.Errorf("%s %s: %w", s.Kind, s.ID, err)
		}
		r.packed = packed
	}
	if len(s.Hidden) > 0 && resource.Private != nil {
		r.hidden = resource.Private()
		if err := json.Unmarshal(s.Hidden, r.hidden); err != nil {
			return imaged{}, fmt.Errorf("%s %s: %w", s.Kind, s.ID, err)
		}
	}
	return imaged{r, s.Account}, nil
}

func (a *attempt) state() attemptState {
	s := attemptState{Key: a.key, At: a.at, Request: a.requestID, Fingerprint: a.fingerprint[:]}
	if a.result != nil {
		s.Status, s.Body, s.Header = a.result.status, a.result.body, a.result.header
	}
	return s
}

func (s attemptState) read() attempt {
	a := attempt{key: s.Key, at: s.At, requestID: s.Request, result: &reply{status: s.Status, body: s.Body, header: s.Header}}
	copy(a.fingerprint[:], s.Fingerprint)
	return a
}

// empty says whether the step under way has changed nothing that must outlive the process.
func (j *journal) empty() bool {
	s := &j.line
	return len(j.rows) == 0 && s.Clock == nil && len(s.Due)+len(s.Done)+len(s.Keys)+len(s.Mail)+len(s.Sent) == 0 && s.Rules == nil
}

// add ends the line of a step and gives its number, to be given to write; 0 is nothing to write. The world's lock is held.
func (j *journal) add(w *world) uint64 {
	if j.empty() {
		return 0
	}
	j.line.Random, _ = w.random.MarshalBinary() // never fails
	j.line.Last, j.line.Order = w.last, w.order
	text, err := json.Marshal(&j.line)
	rows := j.rows
	j.line, j.rows = step{}, j.rows[:0]
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err = cmp.Or(j.err, err); j.err != nil { // what is not acknowledged is not written either: a line after a torn one could not be read
		return 0
	}
	j.buffer = appendLine(j.buffer, text, rows)
	j.added++
	return j.added
}

// appendLine appends a step, which is a JSON object, with its records, each with a comma after it.
func appendLine(dst, step, rows []byte) []byte {
	dst = append(dst, step...)
	if len(rows) > 0 {
		dst = append(append(dst[:len(dst)-1], `,"records":[`...), rows[:len(rows)-1]...)
		dst = append(dst, "]}"...)
	}
	return append(dst, '\n')
}

// write returns once a line is written, and all before it. Whoever waits writes for those who wait as well.
func (j *journal) write(number uint64) {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.written >= number {
		return
	}
	j.mu.Lock()
	lines, until := j.buffer, j.added
	j.buffer, j.spare = j.spare[:0], nil
	j.mu.Unlock()
	if j.torn {
		return
	}
	_, err := j.file.Write(lines)
	j.torn = err != nil
	if now := time.Now(); err == nil && now.Sub(j.synced) > syncEvery {
		err, j.synced = j.file.Sync(), now
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil && j.err == nil {
		j.err = err
	}
	j.spare, j.written = lines, until
}

// failure is why nothing can be acknowledged, or nil.
func (j *journal) failure() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// record adds a record to the step's line.
func (j *journal) record(r *record) { j.rows = append(r.appendState(j.rows, r.realm.name()), ',') }

// part ends the line of a step that has grown long, so that the rest of the step is on lines of its own. What falls due is cut so between
// one appointment and the next: to carry out the others later is to go on with the step.
func (j *journal) part(w *world) {
	if j == nil {
		return
	}
	if s := &j.line; len(j.rows) > longStep || len(s.Due)+len(s.Done)+len(s.Mail)+len(s.Sent) > longList {
		j.add(w)
	}
}

// fail lets nothing be acknowledged any more.
func (j *journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err = cmp.Or(j.err, err)
}

// abandon closes a journal that another has taken the place of.
func (j *journal) abandon() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.written = j.added // the other has it all
	return j.file.Close()
}

// errClosed is why a closed sandbox acknowledges nothing that it cannot keep.
var errClosed = errors.New("the sandbox is closed")

// close writes what is left and closes the file; a second time it does nothing.
func (j *journal) close() error {
	j.mu.Lock()
	last, before := j.added, j.err
	j.err = cmp.Or(before, errClosed)
	j.mu.Unlock()
	if errors.Is(before, errClosed) {
		return nil
	}
	j.write(last)
	return errors.Join(j.file.Sync(), j.file.Close())
}
