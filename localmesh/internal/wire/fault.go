package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// A Fault is an error as a client sees it: a code from the service's model and
// a message. It is an error, so that an operation may return it.
type Fault struct {
	// Code is the error's code, such as "EntityNotFoundException".
	Code string
	// Message is shown to the client's user.
	Message string
	// Status is the HTTP status; 0 is 400, or 500 when the receiver is to blame.
	Status int
	// Fields are further members of the error, such as CancellationReasons.
	// Values are whatever encoding/json can write; XML carries scalars only.
	Fields map[string]any
	// RequestID is the id of the request that failed.
	RequestID string
	// Receiver tells that the service is to blame and not the sender.
	Receiver bool
}

// Error implements error.
func (f *Fault) Error() string {
	return f.Code + ": " + f.Message
}

func (f *Fault) status() int {
	switch {
	case f.Status != 0:
		return f.Status
	case f.Receiver:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// FaultOf returns the fault that err is or can be turned into (any error with a
// Fault method), and whether there is one.
func FaultOf(err error) (*Fault, bool) {
	var f *Fault
	if errors.As(err, &f) {
		return f, true
	}
	var convertible interface{ Fault() *Fault }
	if errors.As(err, &convertible) {
		return convertible.Fault(), true
	}
	return nil, false
}

// WriteFault answers a request with f in the shape of the protocol.
// Error bodies of JSON services carry the message under both spellings, since
// the models disagree on it and clients are picky about either.
func WriteFault(w http.ResponseWriter, p Protocol, f *Fault) error {
	switch p {
	case Query, RestXML:
		return writeBody(w, p, f.RequestID, f.status(), f.xml(p))
	default:
		body, err := f.json(p)
		if err != nil {
			return err
		}
		w.Header().Set("X-Amzn-ErrorType", f.Code)
		return writeBody(w, p, f.RequestID, f.status(), body)
	}
}

func (f *Fault) json(p Protocol) ([]byte, error) {
	members := make(map[string]any, len(f.Fields)+3)
	maps.Copy(members, f.Fields)
	members["message"], members["Message"] = f.Message, f.Message
	if p != RestJSON {
		members["__type"] = f.Code
	}
	body, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("wire: encode fault %s: %w", f.Code, err)
	}
	return body, nil
}

func (f *Fault) xml(p Protocol) []byte {
	var b bytes.Buffer
	element := func(name, value string) {
		b.WriteString("<" + name + ">")
		escape(&b, value)
		b.WriteString("</" + name + ">")
	}
	if p == Query {
		b.WriteString("<ErrorResponse><Error>")
		if f.Receiver {
			element("Type", "Receiver")
		} else {
			element("Type", "Sender")
		}
	} else {
		b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<Error>")
	}
	element("Code", f.Code)
	element("Message", f.Message)
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		element(name, fmt.Sprint(f.Fields[name]))
	}
	if p == Query {
		b.WriteString("</Error>")
		element("RequestId", f.RequestID)
		b.WriteString("</ErrorResponse>")
		return b.Bytes()
	}
	element("RequestId", f.RequestID)
	b.WriteString("</Error>")
	return b.Bytes()
}
