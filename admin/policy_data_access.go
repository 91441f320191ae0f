package admin

import "github.com/lakemesh/lakemesh/internal/iampolicy"

// dataAccessPolicy is what a producer's data access role may do: read in buckets of
// the producer's account. The producer's bucket policies open them prefix by
// prefix.
func dataAccessPolicy(producer string) iampolicy.Document {
	return iampolicy.New(
		allow("ReadProducersData", []string{"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"}, anything,
			iampolicy.Conditions{"StringEquals": {"aws:ResourceAccount": {producer}}}),
	)
}

// dataAccessTrust lets Lake Formation open the role, to hand out sessions that
// are limited to a table
// (https://docs.aws.amazon.com/lake-formation/latest/dg/registration-role.html).
func dataAccessTrust() iampolicy.Document {
	return trust(iampolicy.ServicePrincipal("lakeformation.amazonaws.com"), nil)
}
