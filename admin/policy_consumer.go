package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// consumerPolicy is what DataMeshConsumer may do in its own account: accept what
// the mesh shares, link to it, hand it on to principals of the account, and read
// it. It is a data lake administrator of its own account only, and there also in the
// regions besides the mesh's in which it links, of which it tells before it changes
// anything that it is.
func consumerPolicy(p lakemesh.Partition, mesh, consumer string, linkRegions []string) iampolicy.Document {
	statements := []iampolicy.Statement{
		assume("ActInTheMesh", p.RoleARN(mesh, lakemesh.MeshConsumerRole(consumer))),
		allow("ReadCatalogs", append(readMetadata(), "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition"),
			append(catalogARNs(p, consumer), catalogARNs(p, mesh)...), nil),
		allow("Link", []string{"glue:CreateDatabase", "glue:DeleteDatabase"}, append(catalogARNs(p, consumer), functionARNs(p, consumer)), nil),
		allow("HandOn", append(grantActions(), "lakeformation:GetDataCellsFilter"), anything, nil),
		// Of what owners keep in hybrid access mode nobody sees anything by a grant alone.
		allow("OptIn", optInActions(), anything, nil),
		allow("Query", []string{"lakeformation:GetDataAccess", "lakeformation:GetTemporaryGlueTableCredentials",
			"lakeformation:GetTemporaryGluePartitionCredentials"}, anything, nil),
		// To refuse to hand on to whom there is not, before anything is changed.
		allow("LookAtPrincipals", []string{"iam:GetRole", "iam:GetUser"},
			[]string{p.ARN("iam", "", consumer, "role/*"), p.ARN("iam", "", consumer, "user/*")}, nil),
	}
	if len(linkRegions) > 0 {
		statements = append(statements, allow("LookAtLinkRegions", []string{lookAtSettings}, anything,
			iampolicy.Conditions{"StringEquals": {"aws:RequestedRegion": linkRegions}}))
	}
	return iampolicy.New(append(statements, acceptShares(mesh, "ram:GetResourceShares")...)...)
}

// functionARNs are all user-defined functions of an account's catalog: who deletes a
// database, be it a link, needs the right on what it may hold
// (https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html).
func functionARNs(p lakemesh.Partition, account string) string {
	return p.ARN("glue", "*", account, "userDefinedFunction/*/*")
}
