package lakemesh

import (
	"regexp"
	"strings"
)

// regionPattern is the form of a region's name. Which regions there are is for AWS
// to say: new ones come.
var regionPattern = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)

// otherPartitions is what the names of regions of other partitions than aws begin with
// (https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html,
// https://github.com/aws/aws-sdk-go-v2/blob/main/internal/endpoints/awsrulesfn/partitions.json).
func otherPartitions() []string {
	return []string{"cn-", "us-gov-", "us-iso-", "us-isob-", "us-isof-", "eu-isoe-", "eusc-"}
}

// CheckRegion refuses what is not the name of a region, and regions of other partitions
// than aws, whose ARNs lakemesh does not write. parameter is what is named in the error.
func CheckRegion(parameter, region string) error {
	if !regionPattern.MatchString(region) {
		return Invalid(parameter, "%q is not a region of AWS, such as %s", region, DefaultRegion)
	}
	for _, prefix := range otherPartitions() {
		if strings.HasPrefix(region, prefix) {
			return Invalid(parameter, "region %s is of another partition of AWS, and lakemesh knows the names of the partition aws alone", region)
		}
	}
	return nil
}
