package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// confirm asks a person at the terminal. Without a terminal, and with --yes, it
// does not ask.
func (a *app) confirm(question string) error {
	if a.flags.yes || !a.asking {
		return nil
	}
	a.screen.done()
	fmt.Fprint(a.err, line("%s [y/N] ", bold.Render(question)))
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errNotConfirmed
}
