package home

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// logFile is what a server that runs in the background says.
const logFile = "server.log"

// startTime is how long a server may take until it answers; one with a large folder reads it first.
const startTime = time.Minute

// Detach starts a program with arguments that serves the folder's mesh, lets it run on in the
// background, and returns its address once it answers. What the program says goes to server.log
// in the folder; if it ends before it answers, that is the error.
func (h Home) Detach(ctx context.Context, program string, args ...string) (string, error) {
	if s, err := h.findServer(ctx); err == nil {
		return "", fmt.Errorf("%w at %s", ErrRunning, s.Address)
	} else if !errors.Is(err, ErrNotRunning) {
		return "", err
	}
	if err := os.MkdirAll(h.Dir, 0o700); err != nil {
		return "", fmt.Errorf("start the local mesh's server: %w", err)
	}
	path := filepath.Join(h.Dir, logFile)
	log, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("start the local mesh's server: %w", err)
	}
	// The program has the file open by itself.
	defer func() { _ = log.Close() }()
	// It goes on when this context ends.
	server := exec.CommandContext(context.WithoutCancel(ctx), program, args...)
	server.Stdout, server.Stderr = log, log
	server.SysProcAttr = background()
	if err := server.Start(); err != nil {
		return "", fmt.Errorf("start the local mesh's server: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	var address string
	err = poll.Until(ctx, startTime, "the local mesh's server in "+h.Dir, func(ctx context.Context) (bool, error) {
		select {
		case err := <-ended:
			return false, h.saidAtTheEnd(err)
		default:
		}
		s, err := h.findServer(ctx)
		if errors.Is(err, ErrNotRunning) {
			return false, poll.NotYet(err)
		}
		if err == nil {
			address = s.Address
		}
		return err == nil, err
	})
	return address, err
}

// saidAtTheEnd is the error of a server that ended before it answered: what it said last, in the
// form of the command line, which writes "error: " and "hint: " before it.
func (h Home) saidAtTheEnd(err error) error {
	said, readError := os.ReadFile(filepath.Join(h.Dir, logFile))
	e := &lakemesh.Error{Resource: "server of the local mesh", Message: "it ended at once", Err: errors.Join(err, readError)}
	for line := range strings.Lines(string(said)) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "error: "); ok {
			e.Message = text
		}
		if text, ok := strings.CutPrefix(line, "hint:"); ok {
			e.Hint = strings.TrimSpace(text)
		}
	}
	return e
}
