package main

import (
	"errors"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/home"
)

// failure is an error for programs: with --output json or yaml it is what stderr has of it.
type failure struct {
	// Kind is the kind of the error, a word that stays the same: see kinds.
	Kind string `json:"Kind"`
	// Code is AWS's error code, if AWS refused.
	Code      string `json:"Code,omitempty"`
	Operation string `json:"Operation,omitempty"`
	Account   string `json:"Account,omitempty"`
	Resource  string `json:"Resource,omitempty"`
	Message   string `json:"Message"`
	// More are further messages, where several things failed.
	More []string `json:"More,omitempty"`
	Hint string   `json:"Hint,omitempty"`
	// ExitCode is that of the program.
	ExitCode int `json:"ExitCode"`
}

// kinds are the words for kinds of errors, the first that fits.
func kinds() []struct {
	err  error
	word string
} {
	return []struct {
		err  error
		word string
	}{
		{errNotConfirmed, "NotConfirmed"},
		{errDrift, "Drift"},
		{errProblems, "Problems"},
		{lakemesh.ErrPartial, "Partial"},
		{lakemesh.ErrWrongAccount, "WrongAccount"},
		{lakemesh.ErrInvalidInput, "InvalidInput"},
		{lakemesh.ErrIllegalTransition, "IllegalTransition"},
		{lakemesh.ErrClaimed, "Claimed"},
		{lakemesh.ErrTampered, "Tampered"},
		{lakemesh.ErrChanged, "Changed"},
		{lakemesh.ErrConflict, "Conflict"},
		{home.ErrRunning, "Running"},
		{home.ErrBusy, "Busy"},
		{lakemesh.ErrNotFound, "NotFound"},
		{home.ErrNotRunning, "NotRunning"},
		{lakemesh.ErrAccessDenied, "AccessDenied"},
		{lakemesh.ErrQuota, "Quota"},
	}
}

// failed is an error with what a person is told of it.
func (a *app) failed(err error, message []string, hint string) failure {
	f := failure{Kind: "Failed", Code: awserr.Code(err), Message: a.here(message[0]), Hint: a.here(hint), ExitCode: exitCode(err)}
	for _, text := range message[1:] {
		f.More = append(f.More, a.here(text))
	}
	if known, ok := errors.AsType[*lakemesh.Error](err); ok {
		f.Code, f.Operation, f.Account, f.Resource = known.Code, known.Op, known.Account, known.Resource
	}
	if usage, ok := errors.AsType[usageError](err); ok && usage.err != nil {
		f.Kind = "Usage"
	}
	for _, k := range kinds() {
		if errors.Is(err, k.err) {
			f.Kind = k.word
			break
		}
	}
	return f
}
