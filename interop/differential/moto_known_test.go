package differential

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// motoError is a wrong answer of moto's that is known.
type motoError struct {
	operations []string
	reason     string
	// members are left out of both answers; with none, the answers may differ in
	// everything.
	members []string
	applies func(exchange) bool
}

// motoList are moto's known wrong answers, and how often they were met.
type motoList struct {
	errors []motoError
	met    []int
}

func newMotoList() *motoList {
	errors := motoErrors()
	return &motoList{errors: errors, met: make([]int, len(errors))}
}

// explains says whether nothing is left of the difference when the known errors
// are taken off.
func (l *motoList) explains(e exchange) bool {
	for i, k := range l.errors {
		if !slices.Contains(k.operations, e.Operation) || k.applies != nil && !k.applies(e) {
			continue
		}
		if k.members == nil {
			l.met[i]++
			return true
		}
		before := printed(e.mesh) + printed(e.other)
		prune(e.mesh.Output, k.members...)
		prune(e.other.Output, k.members...)
		e.mesh.Output, e.other.Output = normal(e.mesh.Output), normal(e.other.Output) // The order of lists may be another one now.
		if printed(e.mesh)+printed(e.other) != before {
			l.met[i]++
		}
		if printed(e.mesh) == printed(e.other) {
			return true
		}
	}
	return false
}

// stillThere fails the test for those that moto does not make any more.
func (l *motoList) stillThere(t *testing.T) {
	t.Helper()
	for i, k := range l.errors {
		if l.met[i] == 0 {
			t.Errorf("moto answers as the local mesh does: take it off the list: %v %v: %s", k.operations, k.members, k.reason)
		}
	}
}

// tableOperations describe tables.
var tableOperations = []string{"dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:UpdateTable", "dynamodb:DeleteTable"}

func motoErrors() []motoError {
	return []motoError{
		{operations: tableOperations, members: []string{"IndexArn"}, reason: "descriptions of global indexes have their ARNs (API_GlobalSecondaryIndexDescription)"},
		{operations: tableOperations, members: []string{"NumberOfDecreasesToday"}, reason: "descriptions of throughput count the decreases of the day, also where throughput is paid by request"},
		{operations: tableOperations, members: []string{"WarmThroughput"}, reason: "the local mesh does not tell of warm throughput, which depends on what a table was used for"},
		{operations: tableOperations, members: []string{"LocalSecondaryIndexes"}, reason: "a table without local indexes has no such member, which waiters and comparisons take for absent"},
		{operations: tableOperations, members: []string{"GlobalSecondaryIndexes"}, reason: "nor has one without global indexes",
			applies: func(e exchange) bool { return strings.Contains(printed(e.other), `"GlobalSecondaryIndexes":[]`) }},
		{operations: []string{"dynamodb:UpdateContinuousBackups", "dynamodb:DescribeContinuousBackups"}, members: []string{"EarliestRestorableDateTime", "LatestRestorableDateTime"},
			reason: "what can be restored grows with the time; moto has two times that stay"},
		{operations: []string{"glue:BatchCreatePartition", "glue:BatchDeletePartition", "glue:BatchUpdatePartition"}, members: []string{"Errors"},
			reason:  "a batch in which all went well says so with an empty list; that AWS leaves the list out is reported as well",
			applies: func(e exchange) bool { return strings.Contains(printed(e.mesh), `"Errors":[]`) }},
		{operations: []string{"dynamodb:UpdateItem"}, reason: "UPDATED_NEW returns what the expression names, changed or not, and neither the key nor an empty list (API_UpdateItem)",
			applies: func(e exchange) bool {
				return e.mesh.Status == 200 && e.other.Status == 200 && strings.Contains(e.Request, `"UPDATED_NEW"`)
			}},
		{operations: []string{"dynamodb:TransactWriteItems", "dynamodb:UpdateItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"},
			members: []string{"ConsumedCapacity", "ItemCollectionMetrics"}, reason: "capacity is told only to who asks for it with ReturnConsumedCapacity"},
		{operations: []string{"glue:GetResourcePolicy"}, reason: "a catalog without a policy is answered with EntityNotFoundException",
			applies: func(e exchange) bool { return e.mesh.Code == "EntityNotFoundException" && e.other.Status == 200 }},
		{operations: []string{"iam:GetAccountSummary"}, members: []string{"SummaryMap"},
			reason: "the local mesh counts what it has: no multi-factor devices, certificates and instance profiles; moto knows no role of an administrator"},
		{operations: []string{"glue:GetDatabase", "glue:GetDatabases"}, members: []string{"CreateTableDefaultPermissions"},
			reason: "a database made without default permissions gets those of the data lake settings"},
		{operations: []string{"glue:GetTable", "glue:GetTables"}, members: []string{"Owner", "Parameters", "PartitionKeys", "StorageDescriptor", "TableType", "CreatedBy", "Retention", "IsRegisteredWithLakeFormation"},
			reason:  "GetTable follows resource links, and describes what they lead to",
			applies: func(e exchange) bool { return strings.Contains(e.Request, "_link") }},
		{operations: []string{"glue:GetTable", "glue:GetTables", "glue:GetTableVersions"}, members: []string{"VersionId"},
			reason: "the local mesh numbers the versions of a table from nought, moto from one; the documentation has only examples"},
		{operations: []string{"glue:GetTable", "glue:GetTables", "glue:GetTableVersions"}, members: []string{"CreatedBy", "IsRegisteredWithLakeFormation", "Retention"},
			reason: "tables tell who made them, whether Lake Formation holds their location, and their retention"},
		{operations: []string{"glue:GetTable", "glue:GetTables", "glue:GetTableVersions", "glue:GetPartition", "glue:GetPartitions"}, members: []string{"Compressed", "NumberOfBuckets", "StoredAsSubDirectories"},
			reason: "numbers and booleans of storage descriptors that were not given are nought and false"},
		{operations: []string{"glue:GetPartitions"}, members: []string{"Columns"}, reason: "ExcludeColumnSchema leaves the columns out",
			applies: func(e exchange) bool { return strings.Contains(e.Request, `"ExcludeColumnSchema":true`) }},
		{operations: []string{"glue:GetPartition", "glue:GetPartitions"}, members: []string{"CatalogId"}, reason: "partitions tell their catalog"},
		{operations: []string{"glue:GetTable", "glue:GetTables"}, members: []string{"PartitionKeys"}, reason: "tables without partition keys have an empty list of them"},
		{operations: []string{"glue:GetDatabase", "glue:GetTable", "glue:GetTables"}, reason: "CatalogId names the catalog; moto looks into the caller's own",
			applies: func(e exchange) bool { return catalogOf(e.Request) != "" && catalogOf(e.Request) != e.Account }},
		{operations: []string{"glue:GetDatabase", "glue:GetDatabases"}, members: []string{"Description", "LocationUri", "Parameters"}, reason: "a link to a database is described by what it leads to",
			applies: func(e exchange) bool { return strings.Contains(printed(e.other), "TargetDatabase") }},
		{operations: []string{"iam:CreatePolicy", "iam:GetPolicy"}, members: []string{"PermissionsBoundaryUsageCount"}, reason: "policies tell how often they are a boundary (API_Policy)"},
		{operations: []string{"iam:CreatePolicyVersion", "iam:ListPolicyVersions"}, members: []string{"Document"},
			reason: "the document of a version is returned by GetPolicyVersion and GetAccountAuthorizationDetails alone (API_PolicyVersion)"},
		{operations: []string{"iam:ListPolicyVersions"}, members: []string{"IsTruncated"}, reason: "lists tell whether they go on"},
		{operations: []string{"iam:GetPolicy"}, members: []string{"AttachmentCount"},
			reason: "a policy that is attached again is not attached twice, and that of the administrators is attached to them"},
		{operations: []string{"sts:AssumeRole"}, reason: "a role must exist and trust the caller, and the session's name and policy must be valid; moto looks at none of it",
			applies: func(e exchange) bool { return e.mesh.Status >= 400 && e.other.Status == 200 }},
		{operations: []string{"s3:PUT policy"}, reason: "a policy is JSON with statements that name principals; moto takes any text",
			applies: func(e exchange) bool { return e.mesh.Code == "MalformedPolicy" && e.other.Status == 200 }},
		{operations: []string{"dynamodb:UpdateItem"}, reason: "an update of a key is refused before the condition is looked at",
			applies: func(e exchange) bool {
				return e.mesh.Code == validation && e.other.Code == unmet && strings.Contains(e.Request, "SET SubscriptionId")
			}},
		{operations: []string{"dynamodb:TransactWriteItems"}, reason: "an update that an item does not allow cancels the transaction, with the reason ValidationError (API_TransactWriteItems, errors)",
			applies: func(e exchange) bool { return e.mesh.Code == canceled && e.other.Code == validation }},
		{operations: []string{"s3:GET Bucket"}, reason: "every bucket encrypts, with AES256 where nothing else was chosen (default-bucket-encryption in the user guide of S3)",
			applies: func(e exchange) bool {
				return e.mesh.Status == 200 && e.other.Code == "ServerSideEncryptionConfigurationNotFoundError"
			}},
		{operations: []string{"s3:PUT policy"}, reason: "PutBucketPolicy is answered with 204 and without content",
			applies: func(e exchange) bool { return e.mesh.Status == 204 && e.other.Status == 200 }},
		{operations: []string{"s3:GET policy"}, reason: "S3 spells lists of one element as that element",
			applies: func(e exchange) bool {
				return e.mesh.Status == 200 && e.other.Status == 200 && printed(single(e.mesh.Output)) == printed(single(e.other.Output))
			}},
	}
}

// catalogOf is the CatalogId of a request.
func catalogOf(request string) string {
	var in struct{ CatalogId string }
	if err := json.Unmarshal([]byte(request), &in); err != nil {
		return ""
	}
	return in.CatalogId
}

// single takes the brackets off lists of one element.
func single(v any) any {
	switch v := v.(type) {
	case []any:
		if len(v) == 1 {
			return single(v[0])
		}
		list := make([]any, len(v))
		for i := range v {
			list[i] = single(v[i])
		}
		return list
	case map[string]any:
		fields := map[string]any{}
		for name, inner := range v {
			fields[name] = single(inner)
		}
		return fields
	}
	return v
}
