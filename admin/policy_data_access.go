package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// dataAccessPolicy is what a producer's data access role may do: read in buckets of
// the producer's account. The producer's bucket policies open them prefix by
// prefix. It decrypts with the keys that were named, and with no other.
func dataAccessPolicy(producer string, keys []string) iampolicy.Document {
	statements := []iampolicy.Statement{
		allow("ReadProducersData", []string{"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"}, anything,
			iampolicy.Conditions{"StringEquals": {"aws:ResourceAccount": {producer}}}),
	}
	if len(keys) > 0 {
		statements = append(statements, decryptStatement(keys))
	}
	return iampolicy.New(statements...)
}

// The services that a location's role must trust. AWS's guide has named Lake
// Formation alone, and both; its own policies pass such roles to both
// (https://docs.aws.amazon.com/lake-formation/latest/dg/registration-role.html).
const (
	lakeFormationService = "lakeformation.amazonaws.com"
	glueService          = "glue.amazonaws.com"
)

// dataAccessServices are the services that data access roles are passed to.
func dataAccessServices() []string { return []string{lakeFormationService, glueService} }

// dataAccessTrust lets Lake Formation and Glue open the role for the mesh account,
// to hand out sessions that are limited to a table, and for no other account that
// names the role. Lake Formation is known to tell for whom it acts
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-service-confused-deputy-prevention.html);
// of Glue that is not documented for this, so that it is asked only where it tells.
func dataAccessTrust(p lakemesh.Partition, mesh string) iampolicy.Document {
	return iampolicy.New(
		trust(iampolicy.ServicePrincipal(lakeFormationService), iampolicy.Conditions{
			"StringEquals": {"aws:SourceAccount": {mesh}},
			"ArnLike":      {"aws:SourceArn": {p.ARN("lakeformation", "*", mesh, "*")}},
		}, assumeRole),
		trust(iampolicy.ServicePrincipal(glueService), iampolicy.Conditions{"StringEqualsIfExists": {"aws:SourceAccount": {mesh}}}, assumeRole),
	)
}
