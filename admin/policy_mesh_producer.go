package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// meshProducerPolicy is what a producer's role in the mesh account may do. It is
// no data lake administrator: what it creates is its own, and Lake Formation keeps
// it from everything else.
func meshProducerPolicy(p lakemesh.Partition, mesh, producer string, calls SharingCalls) iampolicy.Document {
	own := producer + "-*"
	statements := []iampolicy.Statement{
		allow("Publish", []string{"glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables", "glue:GetPartitions", "glue:CreateDatabase",
			"glue:UpdateDatabase", "glue:CreateTable", "glue:UpdateTable", "glue:BatchCreatePartition", "glue:BatchUpdatePartition", "glue:BatchDeletePartition", "glue:TagResource"}, catalogARNs(p, mesh), nil),
		allow("Unpublish", []string{"glue:DeleteDatabase", "glue:BatchDeleteTable"}, append(catalogARNs(p, mesh), functionARNs(p, mesh)), nil),
		allow("Grant", grantActions(), anything, nil),
		// Which filters it may make, change and delete is for Lake Formation's own permissions.
		allow("Narrow", []string{"lakeformation:GetDataCellsFilter", "lakeformation:ListDataCellsFilter", "lakeformation:CreateDataCellsFilter", "lakeformation:UpdateDataCellsFilter",
			"lakeformation:DeleteDataCellsFilter"}, anything, nil),
		// To say before hybrid access is asked for whether the mesh shares it.
		allow("LookAtSettings", []string{lookAtSettings}, anything, nil),
		// Lake Formation knows no resources in IAM policies: what is registered and
		// tagged is for its own permissions to decide.
		allow("Register", []string{"lakeformation:RegisterResource", "lakeformation:RegisterResourceWithPrivilegedAccess",
			"lakeformation:ListResources"}, anything, nil),
		allow("Tag", []string{"lakeformation:GetLFTag", "lakeformation:UpdateLFTag", "lakeformation:GetResourceLFTags",
			"lakeformation:SearchTablesByLFTags", "lakeformation:AddLFTagsToResource"}, anything, nil),
		allow("RegisterWithDataAccessRole", []string{"iam:PassRole"}, []string{p.RoleARN(mesh, lakemesh.DataAccessRole(producer))},
			iampolicy.Conditions{"StringEquals": {"iam:PassedToService": dataAccessServices()}}),
		// To say at publication and approval which keys of KMS the role lacks.
		allow("LookAtDataAccessRole", []string{"iam:SimulatePrincipalPolicy"}, []string{p.RoleARN(mesh, lakemesh.DataAccessRole(producer))}, nil),
		assume("AssumeReadOnly", p.RoleARN(mesh, lakemesh.ReadOnlyRole)),
		readItems("ReadOwnSubscriptions", subscriptionsARN(p, mesh), own),
		updateItems("MirrorDecisions", subscriptionsARN(p, mesh), andAttributes(keys(mirrorWrites(producer)...), tracker.MirrorAttributes())),
		readItems("ReadDecisions", decisionsARN(p, mesh), own, membersKey),
		updateItems("Decide", decisionsARN(p, mesh), keys(own)),
	}
	statements = append(statements, readAsOriginal(p, mesh, lakemesh.OwnerIndex, producer)...)
	return iampolicy.New(append(statements, shareStatements(p, calls)...)...)
}

// mirrorWrites are the keys of the requests on which an owner's decisions are
// mirrored.
func mirrorWrites(producer string) []string {
	return []string{producer + "-" + oneAccount + "-" + shortID}
}
