package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/lakemesh/lakemesh"
)

// patience is how long an operation works before its progress is shown, and how
// often it is told where there is no terminal.
const patience = time.Second

// frameTime is how often the progress line moves on a terminal.
const frameTime = 100 * time.Millisecond

// lineWidth is where the progress line is cut, which keeps it on one line.
const lineWidth = 78

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// screen is stderr. On a terminal it has a progress line at its bottom, which
// everything that is written goes above; elsewhere progress is plain lines.
type screen struct {
	w        io.Writer
	terminal bool

	mu       sync.Mutex
	begun    time.Time
	told     time.Time
	progress lakemesh.Progress
	shown    bool
	frame    int
	stop     chan struct{}
}

func newScreen(w io.Writer, terminal bool) *screen { return &screen{w: w, terminal: terminal} }

// Write writes above the progress line.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	return exit{s.w}.Write(p)
}

// begin starts the clock of an operation; what is the line until there is progress.
func (s *screen) begin(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun, s.told = time.Now(), time.Time{}
	s.progress = lakemesh.Progress{Operation: what}
	if !s.terminal || s.stop != nil {
		return
	}
	stop := make(chan struct{})
	s.stop = stop
	go func() {
		ticker := time.NewTicker(frameTime)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				s.mu.Lock()
				// done may have come first.
				if s.stop == stop {
					s.draw()
				}
				s.mu.Unlock()
			}
		}
	}()
}

// update is told of progress.
func (s *screen) update(p lakemesh.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress = p
	if s.terminal || time.Since(s.begun) < patience || time.Since(s.told) < patience {
		return
	}
	s.told = time.Now()
	fmt.Fprintln(s.w, line("%s: %d of %d done: %s", ownWords(p.Operation), p.Done, p.Total, p.Step))
}

// done ends the progress line.
func (s *screen) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	if s.stop != nil {
		close(s.stop)
		s.stop = nil
	}
}

func (s *screen) draw() {
	if time.Since(s.begun) < patience {
		return
	}
	s.erase()
	p := s.progress
	text := line("%s", ownWords(p.Operation))
	if p.Total > 0 {
		text += line(" %d/%d %s", p.Done, p.Total, p.Step)
	}
	text = ansi.Truncate(text, lineWidth, "…")
	s.frame = (s.frame + 1) % len(spinner)
	fmt.Fprintf(s.w, "%s %s", accent.Render(spinner[s.frame]), text)
	s.shown = true
}

func (s *screen) erase() {
	if s.shown {
		fmt.Fprint(s.w, "\r", ansi.EraseEntireLine)
		s.shown = false
	}
}
