package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of a journal that is read.
const (
	maxLine     = 256 << 20 // bytes of one step
	dumpedRows  = 1000      // records, keys or whatever else in a line of a journal that is written anew
	worthAnew   = 4         // a journal with so many times more records than its world holds is written anew
	worthAtAll  = 10_000    // records in a journal below which it is not worth it
	journalName = ".jsonl"
	halfJournal = "new-*" // a journal that is being written and has no name yet
)

// Keep makes the sandbox write every step of its worlds to files in a folder, and first brings back the worlds that are there. What a
// request has done is in the file before it is answered, so that a killed process loses nothing that was acknowledged; the disk itself
// is told about once a second. The folder serves one sandbox at a time. Keep is called before the first request.
func (s *Server) Keep(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := s.lockFolder(folder); err != nil {
		return err
	}
	s.folder = folder
	halves, err := filepath.Glob(filepath.Join(folder, halfJournal))
	if err != nil {
		return err
	}
	for _, path := range halves { // of a process that was killed while it wrote them
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*"+journalName))
	if err != nil {
		return err
	}
	if len(files) > maxWorlds {
		return fmt.Errorf("%s holds %d worlds; at most %d are served", folder, len(files), maxWorlds)
	}
	for _, path := range files {
		if err := s.revive(path); err != nil {
			return fmt.Errorf("the world in %s cannot be read: %w", path, err)
		}
	}
	return nil
}

// revive makes a world of a journal and goes on writing it.
func (s *Server) revive(path string) error {
	m := newMerger()
	rows, end, err := m.read(path)
	if err != nil {
		return err
	}
	tag := strings.TrimSuffix(filepath.Base(path), journalName)
	w := newWorld(s, "", tag)
	if m.image.account == "" { // killed before the first line was whole: its key makes the world anew
		return os.Remove(path)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.become(m.finish())
	w.base, w.anchor, w.latest = m.clock.Base, m.clock.Anchor, m.clock.Base
	s.tags[tag] = w
	if rows > worthAtAll && rows > worthAnew*w.stored {
		return w.startJournal(path)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := file.Truncate(end); err != nil { // a step that was cut short was not acknowledged
		return errors.Join(err, file.Close())
	}
	if _, err := file.Seek(end, io.SeekStart); err != nil {
		return errors.Join(err, file.Close())
	}
	w.journal = &journal{file: file, path: path}
	w.wake(true)
	return nil
}

// startJournal writes the world to a new file that takes the place of what was there, and goes on writing to it. The lock is held.
func (w *world) startJournal(path string) error {
	file, err := os.CreateTemp(filepath.Dir(path), halfJournal)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // it has another name by then, unless something failed
	out := bufio.NewWriterSize(file, 1<<20)
	err = w.image().dump(out, w.clockState())
	for _, step := range []func() error{out.Flush, file.Sync} {
		if err == nil {
			err = step()
		}
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	old := w.journal
	w.journal = &journal{file: file, path: path}
	if old != nil {
		return old.abandon()
	}
	return nil
}

func (w *world) clockState() *clockState {
	return &clockState{Base: w.base, Anchor: w.anchor, Rate: w.rate}
}

// dump writes an image as the beginning of a journal.
func (m *image) dump(out io.Writer, clock *clockState) error {
	first := step{Form: journalForm, World: &identity{m.account, m.methods, m.made, m.born}, Clock: clock, Random: m.random, Last: m.last, Order: m.order, Rules: m.rules}
	if err := writeStep(out, &first, nil); err != nil {
		return err
	}
	var rows []byte
	for some := range slices.Chunk(m.records, dumpedRows) {
		rows = rows[:0]
		for i := range some {
			rows = append(some[i].appendState(rows, some[i].account), ',')
		}
		if err := writeStep(out, &step{Last: m.last, Order: m.order, Random: m.random}, rows); err != nil {
			return err
		}
	}
	return m.dumpLists(out)
}

// dumpLists writes what is not a record.
func (m *image) dumpLists(out io.Writer) error {
	for some := range slices.Chunk(m.agenda, dumpedRows) {
		if err := writeStep(out, &step{Last: m.last, Order: m.order, Random: m.random, Due: some}, nil); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(m.mail, dumpedRows) {
		if err := writeStep(out, &step{Last: m.last, Order: m.order, Random: m.random, Mail: some}, nil); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(m.keys, dumpedRows) {
		line := step{Last: m.last, Order: m.order, Random: m.random}
		for i := range some {
			line.Keys = append(line.Keys, some[i].state())
		}
		if err := writeStep(out, &line, nil); err != nil {
			return err
		}
	}
	return nil
}

func writeStep(out io.Writer, s *step, rows []byte) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = out.Write(appendLine(nil, text, rows))
	return err
}

// merger puts the lines of a journal together.
type merger struct {
	image   *image
	clock   clockState
	records map[string]imaged
	due     map[uint64]appointment
	mail    map[uint64]delivery
	keys    map[string]attempt
}

func newMerger() *merger {
	return &merger{image: &image{}, records: map[string]imaged{}, due: map[uint64]appointment{}, mail: map[uint64]delivery{}, keys: map[string]attempt{}}
}

// read takes in every whole line of a file. It says how many records it has read and where the last whole line ends.
func (m *merger) read(path string) (rows int, end int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = file.Close() }()
	in := bufio.NewReaderSize(file, 1<<20)
	for number := 1; ; number++ {
		line, err := readLine(in)
		switch {
		case errors.Is(err, io.EOF):
			return rows, end, nil // with what was cut short, if anything
		case err != nil:
			return rows, end, err
		}
		n, err := m.take(line)
		if err != nil {
			return rows, end, fmt.Errorf("line %d: %w", number, err)
		}
		rows, end = rows+n, end+int64(len(line))
	}
}

// readLine is the next whole line; io.EOF is the end, be there a part of a line or not.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, errors.New("it is longer than any step is written")
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// take merges one line.
func (m *merger) take(line []byte) (int, error) {
	var s step
	d := json.NewDecoder(bytes.NewReader(line))
	if err := d.Decode(&s); err != nil {
		return 0, err
	}
	if s.World != nil {
		if s.Form != journalForm {
			return 0, fmt.Errorf("it is of the form %q; this version reads %q", s.Form, journalForm)
		}
		m.image.account, m.image.methods, m.image.made, m.image.born = s.World.Account, s.World.Methods, s.World.Made, s.World.Born
	}
	if m.image.account == "" {
		return 0, errors.New("it does not begin as a journal does")
	}
	if s.Clock != nil {
		m.clock = *s.Clock
	}
	if s.Rules != nil {
		m.image.rules = s.Rules
	}
	m.image.random, m.image.last, m.image.order = s.Random, s.Last, s.Order
	m.takeLists(&s)
	for _, state := range s.Records {
		r, err := state.read()
		if err != nil {
			return 0, err
		}
		m.records[r.name()] = r
	}
	return len(s.Records), nil
}

func (m *merger) takeLists(s *step) {
	for _, a := range s.Due {
		m.due[a.Order] = a
	}
	for _, order := range s.Done {
		delete(m.due, order)
	}
	for _, d := range s.Mail {
		m.mail[d.Number] = d
	}
	for _, number := range s.Sent {
		delete(m.mail, number)
	}
	for _, a := range s.Keys {
		if a.Status == 0 {
			delete(m.keys, a.Key)
		} else {
			m.keys[a.Key] = a.read()
		}
	}
}

// finish is the world that the lines make.
func (m *merger) finish() *image {
	for _, r := range m.records {
		m.image.records = append(m.image.records, r)
	}
	slices.SortFunc(m.image.records, func(a, b imaged) int { return int(a.order - b.order) })
	for _, a := range m.due {
		m.image.agenda = append(m.image.agenda, a)
	}
	for _, a := range m.keys {
		m.image.keys = append(m.image.keys, a)
	}
	slices.SortFunc(m.image.keys, func(a, b attempt) int {
		if by := a.at.Compare(b.at); by != 0 {
			return by
		}
		return strings.Compare(a.key, b.key)
	})
	for _, d := range m.mail {
		m.image.mail = append(m.image.mail, d)
	}
	slices.SortFunc(m.image.mail, func(a, b delivery) int { return int(int64(a.Number) - int64(b.Number)) })
	m.image.now, m.image.rate = m.clock.Base, m.clock.Rate
	return m.image
}

// keep begins the journal of a new world.
func (w *world) keep() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.startJournal(w.sandbox.journalPath(w.tag))
}

// closeJournals writes what is left, and gives the folder free.
func (s *Server) closeJournals() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.tags {
		w.mu.Lock()
		if w.journal != nil {
			if err := w.journal.close(); err != nil {
				slog.Error("sandbox: a journal could not be closed", "path", w.journal.path, "cause", err)
			}
		}
		w.mu.Unlock()
	}
	if s.folderLock != nil {
		unlockFile(s.folderLock)
		_ = s.folderLock.Close() // there is nothing in it to lose
		s.folderLock = nil
	}
}

// lockFolder keeps a second sandbox out of the folder. The lock ends with the process, however it ends.
func (s *Server) lockFolder(folder string) error {
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := lockFile(file); err != nil {
		return errors.Join(fmt.Errorf("%s is in use by another sandbox", folder), file.Close())
	}
	s.folderLock = file
	return nil
}
