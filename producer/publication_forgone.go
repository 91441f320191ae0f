package producer

import "sync"

// forgone is what can be done without, and was refused. It is noted while a publication is
// surveyed, and while its steps run.
type forgone struct {
	mu      sync.Mutex
	what    map[string]bool
	reasons []string
}

// refuse notes that something that can be done without was refused. What was noted before
// is not said again.
func (f *forgone) refuse(what, text string) {
	if f.noteRefused(what) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.reasons = append(f.reasons, text)
	}
}

// noteRefused notes that something was refused, and reports whether that is new.
func (f *forgone) noteRefused(what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.what == nil {
		f.what = map[string]bool{}
	}
	isNew := !f.what[what]
	f.what[what] = true
	return isNew
}

// isRefused reports whether something was refused.
func (f *forgone) isRefused(what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.what[what]
}

// refusals are the warnings of what was refused.
func (f *forgone) refusals() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reasons
}
