package main

// What reading the code cannot tell.

// second are services whose operations are in the package of another.
func second() map[string]string { return map[string]string{"dynamodb": "dynamodbstreams"} }

// kept are types of the SDK that are kept and shown as they came.
func kept() map[string]map[string]string {
	return map[string]map[string]string{
		"glue": {
			"ColumnStatistics": "what somebody found out of a column",
			"CrawlerTargets":   "a crawler's definition", "LakeFormationConfiguration": "a crawler's definition", "LineageConfiguration": "a crawler's definition",
			"RecrawlPolicy": "a crawler's definition", "SchemaChangePolicy": "a crawler's definition",
		},
	}
}

// withoutEffect are members that are taken and change nothing, and why that is right.
func withoutEffect() map[string]map[string]string {
	const (
		audit  = "goes into AWS's own log"
		page   = "there is one alias at most"
		status = "tables have no status of a change under way"
		one    = "there is one catalog"
		center = "it is for catalogs of IAM Identity Center, and there are none"
	)
	return map[string]map[string]string{
		"athena": {
			"GetDataCatalogInput.WorkGroup": center, "GetDatabaseInput.WorkGroup": center, "GetTableMetadataInput.WorkGroup": center,
			"ListDataCatalogsInput.WorkGroup": center, "ListDatabasesInput.WorkGroup": center, "ListTableMetadataInput.WorkGroup": center,
			"ListDataCatalogsInput.MaxResults": one, "ListDataCatalogsInput.NextToken": one,
			"StartQueryExecutionInput.ResultReuseConfiguration": "results may be reused, and are computed anew",
		},
		"glue": {
			"BatchGetPartitionInput.AuditContext": audit, "GetPartitionInput.AuditContext": audit, "GetPartitionsInput.AuditContext": audit, "GetTableInput.AuditContext": audit,
			"GetTableVersionInput.AuditContext": audit, "GetTableVersionsInput.AuditContext": audit, "GetTablesInput.AuditContext": audit,
			"GetUnfilteredPartitionMetadataInput.AuditContext": audit, "GetUnfilteredPartitionsMetadataInput.AuditContext": audit, "GetUnfilteredTableMetadataInput.AuditContext": audit,
			"GetCatalogsInput.Recursive":         "an account has one catalog, and none is inside it",
			"GetTableInput.IncludeStatusDetails": status, "GetTablesInput.IncludeStatusDetails": status, "SearchTablesInput.IncludeStatusDetails": status,
		},
		"iam": {
			"ListAccountAliasesInput.Marker": page, "ListAccountAliasesInput.MaxItems": page,
			"ContextEntry.ContextKeyType": "a condition's operator says how values are compared",
		},
		"sqs": {
			"ReceiveMessageInput.WaitTimeSeconds": "an answer without messages may come at any time, and comes at once",
		},
		"lakeformation": {
			"GetTemporaryGluePartitionCredentialsInput.AuditContext": audit, "GetTemporaryGlueTableCredentialsInput.AuditContext": audit,
		},
	}
}

// defaults are values of refused members that say what is so without them, which
// clients send by themselves.
func defaults() map[string]map[string]string {
	return map[string]map[string]string{
		"kms": {"CreateKeyInput.Origin": "AWS_KMS", "CreateKeyInput.CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"},
	}
}
