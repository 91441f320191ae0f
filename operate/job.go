package operate

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// Name is what a job does.
type Name string

// The jobs.
const (
	Sync   Name = "sync"
	Verify Name = "verify"
	Expire Name = "expire"
	Settle Name = "settle"
)

// Side is who does a job.
type Side string

// The sides.
const (
	Producer Side = "producer"
	Consumer Side = "consumer"
	Admin    Side = "admin"
)

// sides are the sides that have a job; the first is the one that is meant if none is named.
func (n Name) sides() []Side {
	switch n {
	case Sync, Settle:
		return []Side{Producer}
	case Verify:
		return []Side{Producer, Consumer, Admin}
	case Expire:
		return []Side{Producer, Admin}
	}
	return nil
}

// Job is what is to be done, as a schedule says it:
//
//	{"job": "verify", "as": "consumer"}
type Job struct {
	Name Name `json:"job"`
	// As is whose side it is done for; empty is the producer's.
	As Side `json:"as,omitempty"`
	// Database narrows sync and verify to a database of the mesh.
	Database string `json:"database,omitempty"`
	// SourceDatabase narrows sync to what comes from a database of the producer, and Table to
	// a table of it, both by their names.
	SourceDatabase string `json:"sourceDatabase,omitempty"`
	Table          string `json:"table,omitempty"`
}

// ParseJob reads a job from JSON. A member that no job has is a
// [lakemesh.ErrInvalidInput]: a misspelt one would widen what is done.
func ParseJob(data []byte) (Job, error) {
	var j Job
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&j); err != nil {
		return j, lakemesh.Invalid("job", `it is not such as {"job": "verify", "as": "producer"}: %v`, err)
	}
	if decoder.More() {
		return j, lakemesh.Invalid("job", "something comes after it")
	}
	return j.checked()
}

// checked is the job with its side, or the reason why there is no such job.
func (j Job) checked() (Job, error) {
	sides := j.Name.sides()
	if sides == nil {
		return j, lakemesh.Invalid("job", "%q is none: sync, verify, expire or settle", string(j.Name))
	}
	if j.As == "" {
		j.As = sides[0]
	}
	if !slices.Contains(sides, j.As) {
		return j, lakemesh.Invalid("as", "%s is not done as %q, but as %s", j.Name, string(j.As), words(sides))
	}
	if (j.SourceDatabase != "" || j.Table != "") && j.Name != Sync {
		return j, lakemesh.Invalid("sourceDatabase", "only sync is narrowed to tables and databases of the producer")
	}
	if j.Database != "" && j.Name != Sync && j.Name != Verify {
		return j, lakemesh.Invalid("database", "%s is done for all databases", j.Name)
	}
	return j, nil
}

func words(sides []Side) string {
	all := make([]string, len(sides))
	for i, s := range sides {
		all[i] = string(s)
	}
	return strings.Join(all, " or ")
}
