package conformance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

// The versions of cross-account sharing
// (https://docs.aws.amazon.com/lake-formation/latest/dg/optimize-ram.html).
func TestVersionsOfCrossAccountSharing(t *testing.T) {
	t.Parallel()

	holds(t, "1.1.1", "the settings take the versions 1 to 5", func(t *testing.T) {
		w := newWorld(t)
		for _, v := range []string{"1", "2", "3", "4", "5"} {
			w.version(owner, v)
			if got := w.lakeSettings(owner).Parameters["CROSS_ACCOUNT_VERSION"]; got != v {
				t.Errorf("version %q, want %s", got, v)
			}
		}
		for _, v := range []string{"0", "6", "", "v4", " 4", "04"} {
			_, err := w.lake(adminOf(recipient)).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{
				DataLakeSettings: &types.DataLakeSettings{Parameters: map[string]string{"CROSS_ACCOUNT_VERSION": v}},
			})
			w.refused(err, invalidInput, "CROSS_ACCOUNT_VERSION")
		}
	})
}
