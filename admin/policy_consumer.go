package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// consumerPolicy is what DataMeshConsumer may do in its own account: accept what
// the mesh shares, link to it, hand it on to principals of the account, and read
// it. It is a data lake administrator of its own account only.
func consumerPolicy(mesh, consumer string) iampolicy.Document {
	statements := []iampolicy.Statement{
		assume("ActInTheMesh", lakemesh.RoleARN(mesh, lakemesh.MeshConsumerRole(consumer))),
		allow("ReadCatalogs", readCatalogActions(), append(catalogARNs(consumer), catalogARNs(mesh)...), nil),
		allow("Link", []string{"glue:CreateDatabase", "glue:DeleteDatabase", "glue:CreateTable", "glue:DeleteTable",
			"glue:BatchDeleteTable", "glue:TagResource"}, catalogARNs(consumer), nil),
		allow("LakeFormation", append(append(grantActions(), readTagActions()...), "lakeformation:GetDataLakeSettings",
			"lakeformation:GetDataAccess", "lakeformation:GetTemporaryGlueTableCredentials", "lakeformation:GetTemporaryGluePartitionCredentials"),
			anything, nil),
	}
	return iampolicy.New(append(statements, acceptShares(mesh)...)...)
}
