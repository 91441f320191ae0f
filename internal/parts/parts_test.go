package parts_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/parts"
)

// What is recorded is a condition's normal form, which is longer than what was said where that
// has no spaces. A record with one that is too long could not be read.
func TestTheFormThatIsRecordedCanBeReadAgain(t *testing.T) {
	t.Parallel()
	schema := parts.Of("sales", &types.Table{Name: aws.String("people"), StorageDescriptor: &types.StorageDescriptor{Columns: []types.Column{{Name: aws.String("id"), Type: aws.String("bigint")}}}})
	for n := 1; n < 700; n += 23 {
		words := make([]string, n)
		for i := range words {
			words[i] = fmt.Sprint(i)
		}
		said := lakemesh.Scope{Rows: "id IN(" + strings.Join(words, ",") + ")"}
		if len(said.Rows) >= 2048 {
			continue
		}
		s, err := parts.Normal(said)
		if err == nil {
			_, err = lakemesh.NewScope(s)
		} else if !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%d values: %v", n, err)
			continue
		} else {
			err = nil
		}
		if err != nil {
			t.Errorf("%d values: the form of a condition cannot be read again: %v", n, err)
		}
		if typed, err := schema.Rows(said.Rows); err == nil && len(typed) >= 2048 {
			t.Errorf("%d values: a filter has %d bytes of condition", n, len(typed))
		}
	}
}
