package storage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/internal/storage"
)

// A location can name one object: that is opened, and nothing whose key begins the same.
func TestOneObjectIsOpened(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"rows.csv", "a/rows.csv", "a//*.csv", "${x}.csv", "a*"} {
		opened, err := storage.Merge("", bucket, role, []string{key, key + "/"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := storage.Prefixes(opened, bucket, role)
		if err != nil || !slices.Equal(got, []string{key, key + "/"}) {
			t.Errorf("%q: open are %q, %v in %s", key, got, err, opened)
		}
		alone, err := storage.Merge(opened, bucket, role, nil, []string{key + "/"})
		if err != nil || strings.Contains(alone, `/*"`) || !strings.Contains(alone, `csv"`) && key != "a*" {
			t.Errorf("%q: %s, %v", key, alone, err)
		}
		if closed, err := storage.Merge(alone, bucket, role, nil, []string{key}); err != nil || closed != "" {
			t.Errorf("%q: closed, the policy is %s, %v", key, closed, err)
		}
	}
}
