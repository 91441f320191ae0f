package tracker

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
)

func TestNamesAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		repeat := rapid.SampledFrom([]int{1, 1, 3000}).Draw(rt, "repeat")
		values := slices.Repeat(rapid.SliceOfN(rapid.StringMatching(`[a-z_\n"é]{1,20}`), 1, 3).Draw(rt, "names"), repeat)
		written := names(values)
		if got, ok := texts(map[string]types.AttributeValue{"n": written}, "n"); !ok || !slices.Equal(got, values) {
			rt.Fatalf("%d names were written, %d read", len(values), len(got))
		}
	})
}

// TestThousandsOfTablesFitIntoARecord adds up what a record of 5,000 tables has: what
// was asked for, is being decided on, and was granted.
func TestThousandsOfTablesFitIntoARecord(t *testing.T) {
	t.Parallel()
	var tables, arns []string
	for i := range 5000 {
		name := fmt.Sprintf("department_of_transport_statistics_%05d", i*7919%100_000)
		tables = append(tables, name)
		arns = append(arns, lakemesh.TableARN("eu-central-1", "555555555555", "transport-111111111111", name))
	}
	size := 0
	for _, values := range [][]string{tables, tables, arns} {
		packed, ok := names(values).(*types.AttributeValueMemberB)
		if !ok {
			t.Fatal("thousands of names are not packed")
		}
		size += len(packed.Value)
	}
	if size > 300<<10 {
		t.Errorf("the names take %d bytes", size)
	}
	if _, ok := names(tables[:100]).(*types.AttributeValueMemberL); !ok {
		t.Error("a hundred names are not written as the original library writes them")
	}
}

func TestARequestThatWouldNotFitIsRefused(t *testing.T) {
	t.Parallel()
	var tables []string
	for i := range 5000 {
		// What does not compress.
		tables = append(tables, fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)})))
	}
	if err := checkSize(tables[:500]); err != nil {
		t.Errorf("500 tables: %v", err)
	}
	err := checkSize(slices.Repeat(tables, 8))
	if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "whole database") {
		t.Errorf("40,000 tables: %v", err)
	}
}

func TestTablesThatCannotBeReadDoNotBecomeTheWholeDatabase(t *testing.T) {
	t.Parallel()
	for what, packed := range map[string][]byte{
		"no gzip": []byte("hello"), "nothing": {}, "an empty list": pack(nil), "too long": pack([]string{strings.Repeat("x", mostUnpacked)}),
		"cut off": pack([]string{"a", "b"})[:20],
	} {
		r := read("111111111111-222222222222-ABCDEFGHJKLMNPQRSTUVWX", item{
			attrStatus: str("Pending"), attrDatabase: str("db"), attrTables: &types.AttributeValueMemberB{Value: packed},
		}, nil, time.Now())
		if r.Tampered == "" || r.Fault == "" || r.WholeDatabase() || !r.TablesUnknown {
			t.Errorf("%s: %+v", what, r)
		}
	}
}
