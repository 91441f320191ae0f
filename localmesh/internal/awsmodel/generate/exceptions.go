package main

// What reading the code cannot tell.

// kept are types of the SDK that are kept and shown as they came.
func kept() map[string]map[string]string {
	return map[string]map[string]string{
		"glue": {
			"CrawlerTargets": "a crawler's definition", "LakeFormationConfiguration": "a crawler's definition", "LineageConfiguration": "a crawler's definition",
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
	)
	return map[string]map[string]string{
		"glue": {
			"BatchGetPartitionInput.AuditContext": audit, "GetPartitionInput.AuditContext": audit, "GetPartitionsInput.AuditContext": audit, "GetTableInput.AuditContext": audit,
			"GetTableVersionInput.AuditContext": audit, "GetTableVersionsInput.AuditContext": audit, "GetTablesInput.AuditContext": audit,
			"GetUnfilteredPartitionMetadataInput.AuditContext": audit, "GetUnfilteredPartitionsMetadataInput.AuditContext": audit, "GetUnfilteredTableMetadataInput.AuditContext": audit,
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
