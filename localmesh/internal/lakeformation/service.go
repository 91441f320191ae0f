// Package lakeformation is the local mesh's AWS Lake Formation: who may see and
// use what of the Data Catalog, in an account and across accounts.
//
// The Data Catalog asks [Require], [Holds], [Columns] and [RequireLocation]
// before it answers. What a caller holds is worked out from the grants at that
// moment: nothing that was revoked, not yet accepted or handed on by somebody who
// has lost it counts.
//
// Where AWS does not say what it does, the reading that is stricter for the
// client was taken, and a comment says so.
package lakeformation

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

const docs = "https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_"

// Service returns the service.
func Service() engine.Service {
	s := engine.Service{
		Name: "lakeformation", Title: "AWS Lake Formation", Protocol: wire.RestJSON,
		DeniedCode: "AccessDeniedException", DeniedStatus: 403, InvalidCode: "InvalidInputException", ThrottleCode: "ThrottledException", ThrottleStatus: 429,
	}
	s.Operations = append(s.Operations, permissionOperations()...)
	s.Operations = append(s.Operations, settingOperations()...)
	s.Operations = append(s.Operations, tagOperations()...)
	s.Operations = append(s.Operations, dataOperations()...)
	return s
}

func permissionOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("GrantPermissions", engine.Write, docs+"GrantPermissions.html",
			"administrator or grant option; what can be granted on what and to whom; IAM_ALLOWED_PRINCIPALS blocks sharing; RAM share, invitation and the rights for them", grantPermissions),
		engine.Op("RevokePermissions", engine.Write, docs+"RevokePermissions.html",
			"all that is named or nothing; cascades in the recipient's account; the share goes with its last resource", revokePermissions),
		engine.Op("BatchGrantPermissions", engine.Write, docs+"BatchGrantPermissions.html",
			"at most 20 entries with ids of their own; each fails alone", batchGrantPermissions),
		engine.Op("BatchRevokePermissions", engine.Write, docs+"BatchRevokePermissions.html",
			"at most 20 entries with ids of their own; each fails alone", batchRevokePermissions),
		engine.Op("ListPermissions", engine.Read, docs+"ListPermissions.html",
			"explicit grants that the caller may see, effective ones with a principal and a resource; SELECT is a row of its own", listPermissions),
		engine.Op("GetEffectivePermissionsForPath", engine.Read, docs+"GetEffectivePermissionsForPath.html",
			"grants on the path and on what lies there, of the caller's own catalog", getEffectivePermissionsForPath),
		engine.Op("CreateLakeFormationOptIn", engine.Write, docs+"CreateLakeFormationOptIn.html",
			"administrators only", createLakeFormationOptIn),
		engine.Op("DeleteLakeFormationOptIn", engine.Write, docs+"DeleteLakeFormationOptIn.html",
			"administrators only", deleteLakeFormationOptIn),
		engine.Op("ListLakeFormationOptIns", engine.Read, docs+"ListLakeFormationOptIns.html",
			"administrators only, the opt-ins that their account made; a principal of another account is refused as a filter", listLakeFormationOptIns),
	}
}

func settingOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("GetDataLakeSettings", engine.Read, docs+"GetDataLakeSettings.html",
			"the caller's own account", getDataLakeSettings),
		engine.Op("PutDataLakeSettings", engine.Write, docs+"PutDataLakeSettings.html",
			"IAM alone decides who may; replaces everything; 30 administrators, all of whom must exist; version 5 stays", putDataLakeSettings),
		engine.Op("GetDataLakePrincipal", engine.Read, docs+"GetDataLakePrincipal.html", "the caller", getDataLakePrincipal),
		engine.Op("RegisterResource", engine.Write, docs+"RegisterResource.html",
			"IAM alone decides; iam:PassRole and the role's trust, or the service-linked role and its growing policy", registerResource),
		engine.Op("DeregisterResource", engine.Write, docs+"DeregisterResource.html",
			"the last location of the service-linked role stays", deregisterResource),
		engine.Op("DescribeResource", engine.Read, docs+"DescribeResource.html", "the exact path", describeResource),
		engine.Op("UpdateResource", engine.Write, docs+"UpdateResource.html", "as RegisterResource; not what the service-linked role serves", updateResource),
		engine.Op("ListResources", engine.Read, docs+"ListResources.html", "with filters", listResources),
	}
}

func tagOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("CreateLFTag", engine.Write, docs+"CreateLFTag.html", "CREATE_LF_TAG or administrator; stored in lower case", createLFTag),
		engine.Op("GetLFTag", engine.Read, docs+"GetLFTag.html", "values with DESCRIBE", getLFTag),
		engine.Op("UpdateLFTag", engine.Write, docs+"UpdateLFTag.html", "ALTER; attached values stay", updateLFTag),
		engine.Op("DeleteLFTag", engine.Write, docs+"DeleteLFTag.html", "DROP; policies on it match nothing any more", deleteLFTag),
		engine.Op("ListLFTags", engine.Read, docs+"ListLFTags.html", "values with DESCRIBE", listLFTags),
		engine.Op("AddLFTagsToResource", engine.Write, docs+"AddLFTagsToResource.html",
			"ASSOCIATE, and all permissions with the grant option on the resource; one value a key; each tag fails alone", addLFTagsToResource),
		engine.Op("RemoveLFTagsFromResource", engine.Write, docs+"RemoveLFTagsFromResource.html",
			"as AddLFTagsToResource", removeLFTagsFromResource),
		engine.Op("GetResourceLFTags", engine.Read, docs+"GetResourceLFTags.html", "DESCRIBE on the resource and the tags; inheritance", getResourceLFTags),
		engine.Op("SearchTablesByLFTags", engine.Read, docs+"SearchTablesByLFTags.html", "what the caller may describe", searchTablesByLFTags),
		engine.Op("SearchDatabasesByLFTags", engine.Read, docs+"SearchDatabasesByLFTags.html", "what the caller may describe", searchDatabasesByLFTags),
		engine.Op("CreateLFTagExpression", engine.Write, docs+"CreateLFTagExpression.html", "CREATE_LF_TAG_EXPRESSION or administrator", createLFTagExpression),
		engine.Op("GetLFTagExpression", engine.Read, docs+"GetLFTagExpression.html", "DESCRIBE", getLFTagExpression),
		engine.Op("UpdateLFTagExpression", engine.Write, docs+"UpdateLFTagExpression.html", "ALTER", updateLFTagExpression),
		engine.Op("DeleteLFTagExpression", engine.Write, docs+"DeleteLFTagExpression.html", "DROP", deleteLFTagExpression),
		engine.Op("ListLFTagExpressions", engine.Read, docs+"ListLFTagExpressions.html", "those with DESCRIBE", listLFTagExpressions),
	}
}

func dataOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("CreateDataCellsFilter", engine.Write, docs+"CreateDataCellsFilter.html",
			"administrator, or SELECT with the grant option on the whole table; also on tables that were shared; columns, nested ones and rows are checked", createDataCellsFilter),
		engine.Op("GetDataCellsFilter", engine.Read, docs+"GetDataCellsFilter.html",
			"administrators of the filter's account, its maker, DESCRIBE or DROP on it, SELECT with the grant option", getDataCellsFilter),
		engine.Op("UpdateDataCellsFilter", engine.Write, docs+"UpdateDataCellsFilter.html",
			"as CreateDataCellsFilter, of one's own account's filters; VersionId is a lock", updateDataCellsFilter),
		engine.Op("DeleteDataCellsFilter", engine.Write, docs+"DeleteDataCellsFilter.html",
			"administrators of the filter's account, or DROP; its grants end", deleteDataCellsFilter),
		engine.Op("ListDataCellsFilter", engine.Read, docs+"ListDataCellsFilter.html", "as GetDataCellsFilter", listDataCellsFilter),
		engine.Op("GetTemporaryGlueTableCredentials", engine.Write, docs+"GetTemporaryGlueTableCredentials.html",
			"GetDataAccess; the permissions on all columns and rows, or an engine that the owner trusts and that can enforce what is left out; a registered location whose role trusts Lake Formation", getTemporaryGlueTableCredentials),
		engine.Op("GetTemporaryGluePartitionCredentials", engine.Write, docs+"GetTemporaryGluePartitionCredentials.html",
			"as GetTemporaryGlueTableCredentials; the partition lies in the table's location", getTemporaryGluePartitionCredentials),
	}
}
