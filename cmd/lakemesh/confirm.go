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
	answer, err := a.ask(line("%s [y/N] ", bold.Render(question)))
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return nil
	}
	return errNotConfirmed
}

// agree asks for a yes, or for the name of what is taken away: that nobody types
// without a look at it. Like confirm it does not always ask.
func (a *app) agree(name string) error {
	if name == "" {
		return a.confirm("Do it?")
	}
	if a.flags.yes || !a.asking {
		return nil
	}
	answer, err := a.ask(line("%s ", bold.Render(fmt.Sprintf("Type %s to do it:", name))))
	if err != nil {
		return err
	}
	if answer != name {
		return errNotConfirmed
	}
	return nil
}

func (a *app) ask(question string) (string, error) {
	a.screen.done()
	fmt.Fprint(a.err, question)
	// A terminal goes on being read when the person interrupts: the answer is not waited for.
	type reading struct {
		text string
		err  error
	}
	read := make(chan reading, 1)
	go func() {
		text, err := bufio.NewReader(a.in).ReadString('\n')
		read <- reading{text, err}
	}()
	select {
	case <-a.interrupted:
		fmt.Fprintln(a.err)
		return "", errNotConfirmed
	case r := <-read:
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return "", fmt.Errorf("read the answer: %w", r.err)
		}
		return strings.TrimSpace(r.text), nil
	}
}
