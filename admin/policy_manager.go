package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// managerPolicy is what DataMeshManager may do: grant, tag and look, all in the
// mesh account. It is a data lake administrator and cannot change who is one.
func managerPolicy(p lakemesh.Partition, mesh string) iampolicy.Document {
	statements := []iampolicy.Statement{
		allow("ReadCatalog", append(readMetadata(), "glue:GetCatalog"), catalogARNs(p, mesh), nil),
		allow("Grant", append(grantActions(), "lakeformation:GetDataLakeSettings", "lakeformation:ListResources",
			"lakeformation:DescribeResource", "lakeformation:GetDataCellsFilter", "lakeformation:ListDataCellsFilter"), anything, nil),
		// Where owners keep tables in hybrid access mode, only data lake administrators opt in.
		allow("OptIn", optInActions(), anything, nil),
		allow("Tag", []string{"lakeformation:GetLFTag", "lakeformation:ListLFTags", "lakeformation:CreateLFTag", "lakeformation:UpdateLFTag",
			"lakeformation:GetResourceLFTags", "lakeformation:AddLFTagsToResource", "lakeformation:RemoveLFTagsFromResource",
			// Tags go with the account that they belong to, unless something else has them.
			"lakeformation:DeleteLFTag", "lakeformation:SearchDatabasesByLFTags", "lakeformation:SearchTablesByLFTags"}, anything, nil),
		allow("ReadTables", append(itemReads(), "dynamodb:DescribeTable", "dynamodb:Query", "dynamodb:Scan"),
			[]string{subscriptionsARN(p, mesh), subscriptionsARN(p, mesh) + "/index/*", decisionsARN(p, mesh)}, nil),
		assume("AssumeReadOnly", p.RoleARN(mesh, lakemesh.ReadOnlyRole)),
	}
	// To end what is over of all owners, where a share ends with it.
	return iampolicy.New(append(statements, endShareStatements(p, ThroughServices)...)...)
}
