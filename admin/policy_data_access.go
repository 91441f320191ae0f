package admin

import "github.com/lakemesh/lakemesh/internal/iampolicy"

// dataAccessPolicy is what DataMeshDataAccess may do: read in other accounts'
// buckets. Each producer's bucket policy opens it prefix by prefix; nothing in the
// mesh account itself is opened.
func dataAccessPolicy(mesh string) iampolicy.Document {
	return iampolicy.New(
		allow("ReadProducersData", []string{"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"}, anything,
			iampolicy.Conditions{"StringNotEquals": {"aws:ResourceAccount": {mesh}}}),
	)
}

// dataAccessTrust lets Lake Formation open the role, to hand out sessions that
// are limited to a table
// (https://docs.aws.amazon.com/lake-formation/latest/dg/registration-role.html).
func dataAccessTrust() iampolicy.Document {
	return trust(iampolicy.ServicePrincipal("lakeformation.amazonaws.com"), nil)
}
