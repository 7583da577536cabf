package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Tracker knows which messages of one endpoint have come. The zero Tracker has heard nothing; its JSON is to be kept where the messages'
// effects are kept, in the same transaction. It is safe for use by many goroutines.
//
// It stays small however long it lives: of the messages 1 to n without a gap it keeps the number n and the hash of their ids, as a checkpoint
// states it, and the ids themselves only of the last thousand that no checkpoint has proved and of those that came before their turn.
type Tracker struct {
	mu       sync.Mutex
	base     int64  // of messages 1 to base only hash is kept
	hash     string // over their ids
	proved   int64  // the last checkpoint that held
	expected int64  // so many are said to have been sent
	whole    int64  // messages 1 to whole have come
	highest  int64  // the highest that came
	ids      map[int64]string
}

// The bounds of what is kept.
const (
	mostIDs    = 10_000 // in all: half a megabyte
	mostUnsure = 1_000  // of those that came in turn and are not proved
)

// From is a tracker that takes messages 1 to the checkpoint's for heard, unseen: for a server that begins to track late.
func From(c Checkpoint) *Tracker {
	return &Tracker{base: c.Sequence, hash: c.Hash, proved: c.Sequence, whole: c.Sequence, highest: c.Sequence, expected: c.Sequence}
}

// Arrival is how a message came.
type Arrival string

// A message is new unless it is a Duplicate; it is out of order if it is Early or Late.
const (
	Next      Arrival = "next"      // all before it have come, and none after it
	Early     Arrival = "early"     // some before it have not come yet
	Late      Arrival = "late"      // a later one came before it: it is older news than what is known
	Duplicate Arrival = "duplicate" // it has come before
)

// Range is messages From to To, both included.
type Range struct{ From, To int64 }

// String implements fmt.Stringer.
func (r Range) String() string {
	if r.From == r.To {
		return fmt.Sprint(r.From)
	}
	return fmt.Sprintf("%d-%d", r.From, r.To)
}

// ErrFull is what Add returns where ten thousand messages wait for one before them: CatchUp makes room. The message was not added.
var ErrFull = errors.New("webhook: too many messages came before their turn; catch up first")

// Conflict says that one number came with two ids: one of the two messages is not till's.
type Conflict struct {
	Sequence   int64
	Known, Got string
}

// Error implements error.
func (c *Conflict) Error() string {
	return fmt.Sprintf("webhook: message %d came as %s and as %s", c.Sequence, c.Known, c.Got)
}

// Add takes in a message that was dealt with, and says how it came.
func (t *Tracker) Add(m Message) (Arrival, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, there := t.ids[m.Sequence]
	switch {
	case m.Sequence < 1 || m.ID == "":
		return "", errors.New("webhook: a message without a sequence or an id cannot be tracked")
	case m.Sequence <= t.base, there && known == m.ID:
		return Duplicate, nil
	case there:
		return "", &Conflict{m.Sequence, known, m.ID}
	case len(t.ids) >= mostIDs && m.Sequence != t.whole+1:
		return "", ErrFull
	}
	came := Next
	switch {
	case m.Sequence < t.highest:
		came = Late
	case m.Sequence > t.whole+1:
		came = Early
	}
	if t.ids == nil {
		t.ids = map[int64]string{}
	}
	t.ids[m.Sequence] = m.ID
	t.highest = max(t.highest, m.Sequence)
	t.settle()
	return came, nil
}

// settle moves whole on, and lets go of ids where too many are unsure.
func (t *Tracker) settle() {
	for t.ids[t.whole+1] != "" {
		t.whole++
	}
	if t.whole-t.base > mostUnsure {
		t.fold(t.whole - mostUnsure)
	}
}

// fold keeps only the hash of messages 1 to upto.
func (t *Tracker) fold(upto int64) {
	for t.base < upto {
		t.base++
		t.hash = chain(t.hash, t.ids[t.base])
		delete(t.ids, t.base)
	}
}

func chain(before, id string) string {
	sum := sha256.Sum256([]byte(before + "\n" + id))
	return hex.EncodeToString(sum[:])
}

// Expect says that messages up to a number have been sent: those that have not come are missing.
func (t *Tracker) Expect(sequence int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expected = max(t.expected, sequence)
}

// Missing are the messages that have not come, in order, up to the highest that came or is expected. It is empty where there are none.
func (t *Tracker) Missing() []Range {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.missing(max(t.highest, t.expected))
}

func (t *Tracker) missing(upto int64) (gaps []Range) {
	next := t.whole + 1
	for _, seq := range slices.Sorted(maps.Keys(t.ids)) {
		if seq > upto {
			break
		}
		if seq > next {
			gaps = append(gaps, Range{next, seq - 1})
		}
		next = max(next, seq+1)
	}
	if next <= upto {
		gaps = append(gaps, Range{next, upto})
	}
	return gaps
}

// Heard is up to which message all have come, and up to which a checkpoint has proved it.
func (t *Tracker) Heard() (whole, proved int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.whole, t.proved
}

// Incomplete says that a checkpoint cannot be proved yet, for some that it states have not come.
type Incomplete struct {
	Sequence int64 // the checkpoint's
	Missing  []Range
}

// Error implements error.
func (e *Incomplete) Error() string {
	return fmt.Sprintf("webhook: of messages 1 to %d these have not come: %v", e.Sequence, e.Missing)
}

// Difference says that all messages came and some id is not the one that till sent. A hash tells no more than within which numbers: CatchUp
// finds the first.
type Difference struct{ Within Range }

// Error implements error.
func (e *Difference) Error() string {
	return fmt.Sprintf("webhook: the ids of messages %s are not those that till states", e.Within)
}

// ErrPast is what Check returns about a checkpoint that is older than what is kept, and was never proved: the next one will tell.
var ErrPast = errors.New("webhook: the checkpoint is older than the ids that are kept")

// Check proves a checkpoint: nil says that messages 1 to its sequence have come, each under the id that till gave it, and none besides. Otherwise
// the error is *Incomplete, *Difference or ErrPast.
func (t *Tracker) Check(c Checkpoint) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.Sequence < 1 || c.Count != c.Sequence || len(c.Hash) != 2*sha256.Size {
		return fmt.Errorf("webhook: this is no checkpoint: %+v", c)
	}
	t.expected = max(t.expected, c.Sequence)
	switch {
	case c.Sequence > t.whole:
		return &Incomplete{c.Sequence, t.missing(c.Sequence)}
	case c.Sequence < t.base && c.Sequence <= t.proved:
		return nil // a later one has proved it
	case c.Sequence < t.base:
		return ErrPast
	}
	hash := t.hash
	for seq := t.base + 1; seq <= c.Sequence; seq++ {
		hash = chain(hash, t.ids[seq])
	}
	if hash != c.Hash {
		return &Difference{Range{min(t.proved, c.Sequence-1) + 1, c.Sequence}}
	}
	t.proved = max(t.proved, c.Sequence)
	t.fold(c.Sequence)
	return nil
}

// saved is a tracker as JSON.
type saved struct {
	Sequence int64            `json:"sequence"`
	Hash     string           `json:"hash"`
	Proved   int64            `json:"proved"`
	Expected int64            `json:"expected"`
	IDs      map[int64]string `json:"ids,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (t *Tracker) MarshalJSON() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return json.Marshal(saved{t.base, t.hash, t.proved, t.expected, t.ids})
}

// UnmarshalJSON implements json.Unmarshaler. It refuses what no tracker has written.
func (t *Tracker) UnmarshalJSON(b []byte) error {
	var s saved
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	long := 0
	if s.Sequence > 0 {
		long = 2 * sha256.Size
	}
	if s.Sequence < 0 || len(s.Hash) != long || s.Proved < 0 || s.Proved > s.Sequence || s.Expected < 0 || len(s.IDs) > mostIDs {
		return errors.New("webhook: this is not what a tracker has written")
	}
	highest := s.Sequence
	for seq, id := range s.IDs {
		if seq <= s.Sequence || id == "" {
			return errors.New("webhook: this is not what a tracker has written")
		}
		highest = max(highest, seq)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.base, t.hash, t.proved, t.expected, t.whole, t.highest, t.ids = s.Sequence, s.Hash, s.Proved, s.Expected, s.Sequence, highest, s.IDs
	t.settle()
	return nil
}
