// Package wire speaks the wire protocols of the services that the local mesh
// stands in for: awsJson 1.0 and 1.1, restJson, awsQuery and the error half of
// restXml. It decodes requests into the SDK's own input structs, encodes the
// SDK's own output structs, and writes faults the way each protocol does.
//
// It knows nothing about any service: no operation is implemented here.
//
// # Errors
//
// A body that does not fit the shape it is decoded into gives a
// [*SerializationError] that names the member. A body over the caller's limit
// gives a [*TooLargeError]. A request from which no operation can be read gives
// an [*UnknownOperationError]. Each of them has a Fault method that turns it
// into what AWS answers.
package wire

import "strings"

// A Naming gives the name that a struct's field has on the wire.
// structName is the Go type's name, such as "TableInput", without its package.
type Naming func(structName, fieldName string) string

// AsIs names every member as its Go field: DynamoDB, Lake Formation, IAM.
func AsIs(_, fieldName string) string { return fieldName }

// LowerFirst names every member as its Go field with a lower-case first letter: RAM.
func LowerFirst(_, fieldName string) string {
	if fieldName == "" {
		return ""
	}
	return strings.ToLower(fieldName[:1]) + fieldName[1:]
}

// Glue names the members of AWS Glue: as the Go field, save for the few shapes
// that Glue's model spells in lower case.
func Glue(structName, fieldName string) string {
	switch structName {
	case "BatchGetTableOptimizerEntry", "BatchGetTableOptimizerError", "BatchTableOptimizer",
		"CompactionConfiguration", "RetentionConfiguration", "OrphanFileDeletionConfiguration",
		"IcebergCompactionConfiguration", "IcebergRetentionConfiguration", "IcebergOrphanFileDeletionConfiguration",
		"TableOptimizer", "TableOptimizerConfiguration", "TableOptimizerRun", "Tag",
		"StartJobUpgradeAnalysisInput", "StartJobUpgradeAnalysisOutput", "StopJobUpgradeAnalysisInput",
		"GetJobUpgradeAnalysisInput", "GetJobUpgradeAnalysisOutput":
		return LowerFirst(structName, fieldName)
	case "DynamoDBTarget":
		// Path is upper case, the two members beside it are not.
		if fieldName == "ScanAll" || fieldName == "ScanRate" {
			return LowerFirst(structName, fieldName)
		}
	}
	return fieldName
}

// STS names the members of STS: as the Go field, save for PolicyDescriptorType,
// whose one member is spelled "arn".
func STS(structName, fieldName string) string {
	if structName == "PolicyDescriptorType" && fieldName == "Arn" {
		return "arn"
	}
	return fieldName
}
