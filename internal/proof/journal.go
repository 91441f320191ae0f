package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lakemesh/lakemesh"
)

// Prefix is what the names of all things begin with that a run makes, followed by the run's id.
const Prefix = "lmproof-"

// Thing is something that a run makes, and that goes away with it.
type Thing struct {
	Kind Kind `json:"Kind"`
	// In is whose account it is in.
	In Part `json:"In"`
	// Name is its name or ARN.
	Name string `json:"Name"`
	// More is what its removal needs besides: of settings, as they were before.
	More json.RawMessage `json:"More,omitempty"`
}

func (t Thing) String() string { return fmt.Sprintf("%s %s (%s)", t.Kind, t.Name, t.In) }

// Header is the first line of a journal: whose run it is.
type Header struct {
	Run      string     `json:"Run"`
	Begun    time.Time  `json:"Begun"`
	Accounts []*Account `json:"Accounts"`
	// Process is the run's process, on Host: a run that goes on is not cleaned up.
	Process int    `json:"Process"`
	Host    string `json:"Host"`
}

// line is a line of a journal: exactly one member is set.
type line struct {
	Header *Header `json:"Header,omitempty"`
	// Make was written before the thing was made, Gone after it was removed.
	Make *Thing `json:"Make,omitempty"`
	Gone *Thing `json:"Gone,omitempty"`
	// Done is when everything was removed.
	Done *time.Time `json:"Done,omitempty"`
}

// Journal is the file of a run: what it is going to make, line by line. Each line is on disk
// before the call that it is about.
type Journal struct {
	Header Header
	path   string

	mu     sync.Mutex
	file   *os.File
	things []Thing
	done   bool
	// lived tells that a life was begun.
	lived bool
}

const journalSuffix = ".jsonl"

// begin makes the journal of a new run.
func begin(folder string, h Header) (*Journal, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of journals: %w", err)
	}
	j := &Journal{Header: h, path: filepath.Join(folder, h.Run+journalSuffix)}
	var err error
	if j.file, err = os.OpenFile(j.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, fmt.Errorf("make the journal: %w", err)
	}
	return j, j.write(line{Header: &h})
}

// Path is the journal's file.
func (j *Journal) Path() string { return j.path }

// Things are those that may be there, the last one first: in the order of their removal.
func (j *Journal) Things() []Thing {
	j.mu.Lock()
	defer j.mu.Unlock()
	things := slices.Clone(j.things)
	slices.Reverse(things)
	return things
}

// Done tells that everything is removed.
func (j *Journal) Done() bool { return j.done }

// make notes that a thing is going to be made. Noting it again changes nothing.
func (j *Journal) make(t Thing) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if slices.ContainsFunc(j.things, t.is) {
		return nil
	}
	if err := j.write(line{Make: &t}); err != nil {
		return err
	}
	j.things = append(j.things, t)
	j.lived = j.lived || t.Kind == kindMesh
	return nil
}

func (j *Journal) gone(t Thing) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.write(line{Gone: &t}); err != nil {
		return err
	}
	j.things = slices.DeleteFunc(j.things, t.is)
	return nil
}

func (j *Journal) end() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now().UTC()
	j.done = true
	return errors.Join(j.write(line{Done: &now}), j.file.Close())
}

func (t Thing) is(other Thing) bool {
	return t.Kind == other.Kind && t.In == other.In && t.Name == other.Name
}

// write puts a line on disk, whatever happens to the program after.
func (j *Journal) write(l line) error {
	data, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if _, err := j.file.Write(append(data, '\n')); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// ReadJournal reads a journal and opens it for what is removed now.
func ReadJournal(path string) (*Journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	j := &Journal{path: path, file: file}
	if err := j.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("read the journal %s: %w", path, err), file.Close())
	}
	return j, nil
}

func (j *Journal) read() error {
	data, err := os.ReadFile(j.path)
	if err != nil {
		return err
	}
	// What is behind the last end of a line is torn: the program was killed while it wrote it,
	// before it made what the line is about.
	whole := data[:bytes.LastIndexByte(data, '\n')+1]
	if len(whole) < len(data) {
		if err := j.file.Truncate(int64(len(whole))); err != nil {
			return err
		}
	}
	for text := range bytes.Lines(whole) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		switch {
		case l.Header != nil:
			j.Header = *l.Header
		case l.Make != nil:
			j.things = append(j.things, *l.Make)
			j.lived = j.lived || l.Make.Kind == kindMesh
		case l.Gone != nil:
			j.things = slices.DeleteFunc(j.things, l.Gone.is)
		case l.Done != nil:
			j.done = true
		}
	}
	if j.Header.Run == "" {
		// Killed before the first line: nothing was made.
		j.done = true
	}
	return nil
}

// Journals are the journals of a folder that are not done, the oldest first.
func Journals(folder string) ([]*Journal, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*"+journalSuffix))
	if err != nil {
		return nil, fmt.Errorf("find journals: %w", err)
	}
	var open []*Journal
	for _, path := range paths {
		j, err := ReadJournal(path)
		if err != nil {
			return nil, err
		}
		if j.done {
			if err := j.file.Close(); err != nil {
				return nil, fmt.Errorf("close the journal: %w", err)
			}
			continue
		}
		open = append(open, j)
	}
	slices.SortFunc(open, func(a, b *Journal) int { return a.Header.Begun.Compare(b.Header.Begun) })
	return open, nil
}

// running refuses to clean up after a run that goes on.
func (j *Journal) running() error {
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("find the name of this machine: %w", err)
	}
	if host != j.Header.Host || j.Header.Process == os.Getpid() {
		return nil
	}
	process, err := os.FindProcess(j.Header.Process)
	if err != nil {
		return nil //nolint:nilerr // There is no such process.
	}
	// Signal 0 asks whether a process is there. Windows has no such question, and finds no process
	// that is not there.
	if runtime.GOOS != "windows" && process.Signal(syscall.Signal(0)) != nil {
		return nil
	}
	return &lakemesh.Error{Resource: "run " + j.Header.Run, Kind: lakemesh.ErrConflict, Message: fmt.Sprintf("its process %d is still there", j.Header.Process),
		Hint: "wait until it ends, or interrupt it; if that process is another program: --though-running"}
}

// prefix is what the names of a run's things begin with.
func prefix(run string) string { return Prefix + run }

// isOurs reports whether a name is one of a run's.
func isOurs(name string) bool { return strings.HasPrefix(name, Prefix) }
