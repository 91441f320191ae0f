package main

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// Who interrupts at a question has said no, and need not press Enter.
func TestAnInterruptionAnswersAQuestion(t *testing.T) {
	t.Parallel()
	in, typing := io.Pipe()
	defer typing.Close()
	a := newApp(streams{in: in, out: &bytes.Buffer{}, err: &bytes.Buffer{}})
	interrupted := make(chan struct{})
	a.asking, a.interrupted = true, interrupted
	close(interrupted)
	if err := a.confirm("Remove it?"); !errors.Is(err, errNotConfirmed) {
		t.Errorf("got %v", err)
	}
}
