package admin

import (
	"strings"
	"testing"
)

func TestAMeshIsWarnedBeforeItsLFTagsAreTooMany(t *testing.T) {
	t.Parallel()
	for producers, warned := range map[int]bool{0: false, 1: false, 448: false, 449: true, 499: true, 1000: true} {
		if got := tagsWarning(producers); (got != "") != warned || warned && !strings.Contains(got, "quota of 1000") {
			t.Errorf("%d producers: %q", producers, got)
		}
	}
}
