package lakemesh

import "regexp"

// regionPattern is the form of a region's name. Which regions there are is for AWS
// to say: new ones come.
var regionPattern = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)

// CheckRegion refuses what is not the name of a region, and regions of partitions in which
// lakemesh does not work. parameter is what is named in the error.
func CheckRegion(parameter, region string) error {
	if !regionPattern.MatchString(region) {
		return Invalid(parameter, "%q is not a region of AWS, such as %s", region, DefaultRegion)
	}
	if p := PartitionOf(region); !p.Supported() {
		return Invalid(parameter, "region %s is of the partition %s, and lakemesh works in %s, %s and %s", region, p, PartitionAWS, PartitionChina, PartitionGovCloud)
	}
	return nil
}

// CheckRegion refuses a region of another partition, too, in which the same accounts and roles
// are not.
func (p Partition) CheckRegion(parameter, region string) error {
	if err := CheckRegion(parameter, region); err != nil {
		return err
	}
	if of := PartitionOf(region); of != p {
		return Invalid(parameter, "region %s is of partition %s, and this mesh is in %s", region, of, p)
	}
	return nil
}
