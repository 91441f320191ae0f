package lakeformation

import (
	"strings"
	"testing"
)

func FuzzS3Path(f *testing.F) {
	for _, s := range []string{"s3://bucket/a/b/", "s3a://b", "arn:aws:s3:::bucket/p/*", "s3://", "s3:///x", "s3://b//x//", "hdfs://x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, location string) {
		path, ok := s3path(location)
		if !ok {
			return
		}
		if path == "" || strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
			t.Fatalf("%q became %q", location, path)
		}
		for _, above := range ancestors(path) {
			if !under(path, above) {
				t.Fatalf("%q is not under %q", path, above)
			}
		}
		if bucket, _, _ := strings.Cut(path, "/"); ancestors(path)[len(ancestors(path))-1] != bucket {
			t.Fatalf("the last ancestor of %q is not its bucket", path)
		}
	})
}

func TestOnePathIsUnderAnotherByWholeNames(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{"b/sales": true, "b/sales/x": true, "b/sales2": false, "b": false} {
		if got := under(path, "b/sales"); got != want {
			t.Errorf("under(%q) is %v", path, got)
		}
	}
}
