package tracker

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// An item of DynamoDB has at most 400 KB
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html),
// and a decision names its tables twice: as they were asked for, and as they were
// granted. So lists of thousands of names are
// packed.
const (
	// listed is how many bytes the names of a list have that is written as a list, as
	// the original library writes it and reads it.
	listed = 16 << 10
	// mostPacked is how many bytes the names of a request may take, packed, so that
	// three such lists fit into an item beside the rest.
	mostPacked = 110 << 10
	// mostUnpacked is how many bytes are unpacked at most: a consumer can write
	// anything into its request, and a few kilobytes can unpack to gigabytes.
	mostUnpacked = 1 << 20
	// mostNames is how many names a request has at most. So many of one letter are few
	// bytes, and take long to read.
	mostNames = 50_000
)

// names writes a list of names of tables: as a list of strings, or, if it is very
// long, as their JSON, compressed.
func names(values []string) types.AttributeValue {
	size := 0
	for _, v := range values {
		size += len(v)
	}
	if size <= listed {
		return list(values)
	}
	return &types.AttributeValueMemberB{Value: pack(values)}
}

func pack(values []string) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	// Neither can fail: strings are encoded, and memory is written to.
	_ = json.NewEncoder(w).Encode(values)
	_ = w.Close()
	return packed.Bytes()
}

func unpack(packed []byte) ([]string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, mostUnpacked+1))
	if err != nil {
		return nil, err
	}
	if len(text) > mostUnpacked {
		return nil, errors.New("it is too long")
	}
	// Each name has two quotation marks, and those inside of it.
	if bytes.Count(text, []byte{'"'}) > 4*mostNames {
		return nil, errors.New("it has too many names")
	}
	var values []string
	return values, json.Unmarshal(text, &values)
}

// checkSize refuses a request whose record would not fit into an item.
func checkSize(tables []string) error {
	size := 0
	if len(tables) > mostNames {
		return tooMany(tables)
	}
	for _, t := range tables {
		// With its quotes and the comma.
		size += len(t) + 3
	}
	packed, ok := names(tables).(*types.AttributeValueMemberB)
	if !ok || len(packed.Value) <= mostPacked && size <= mostUnpacked {
		return nil
	}
	return tooMany(tables)
}

func tooMany(tables []string) error {
	return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "Tables",
		Message: fmt.Sprintf("the names of %d tables do not fit into the record of a request", len(tables)),
		Hint:    "ask for the whole database, or in several requests"}
}
