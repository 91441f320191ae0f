package state

import (
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Functions are the user-defined functions of the Data Catalog.
var Functions = store.Table[Function]{Bucket: "glue.function"} // account, region, database, name

// Function is a user-defined function of a database.
type Function struct {
	Account, Region, Database, Name string
	Created                         time.Time
	Class                           string             `json:",omitempty"`
	Owner                           string             `json:",omitempty"`
	OwnerType                       string             `json:",omitempty"`
	Type                            string             `json:",omitempty"`
	Resources                       []FunctionResource `json:",omitzero"`
}

// FunctionResource is where a function's code is.
type FunctionResource struct{ Type, URI string }
