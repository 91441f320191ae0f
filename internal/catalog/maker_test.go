package catalog_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/internal/catalog"
)

func TestWhoMadeATable(t *testing.T) {
	t.Parallel()
	const mesh, owner = "555555555555", "111111111111"
	for by, another := range map[string]bool{
		"":            false,
		"somebody":    false,
		"arn:aws:iam": false,
		"arn:aws:sts::555555555555:assumed-role/DataMeshAdminProducer-111111111111/session":         false,
		"arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshAdminProducer-111111111111":             false,
		"arn:aws:sts::555555555555:assumed-role/DataMeshAdminProducer-222222222222/x":               true,
		"arn:aws:sts::555555555555:assumed-role/DataMeshAdminProducer-222222222222/DataMeshManager": true,
		"arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshAdminProducer-222222222222":             true,
		"arn:aws:sts::555555555555:assumed-role/DataMeshAdminProducer-1111111111112/x":              true,
		"arn:aws:sts::555555555555:assumed-role/DataMeshManager/x":                                  false,
		"arn:aws:iam::555555555555:user/DataMeshAdmin":                                              false,
		"arn:aws:iam::555555555555:root":                                                            false,
		"arn:aws:sts::111111111111:assumed-role/Admin/x":                                            false,
		"arn:aws:sts::222222222222:assumed-role/Admin/DataMeshAdminProducer-111111111111":           true,
		"arn:aws:iam::222222222222:role/AwsDataMesh/DataMeshAdminProducer-111111111111":             true,
		"arn:aws-cn:sts::555555555555:assumed-role/DataMeshAdminProducer-222222222222/x":            true,
	} {
		if got := catalog.MadeByAnother(&types.Table{CreatedBy: aws.String(by)}, mesh, owner); got != another {
			t.Errorf("%q: made by another: %t, want %t", by, got, another)
		}
	}
}

func TestADatabaseThatSeveralClaimIsNobodys(t *testing.T) {
	t.Parallel()
	const one, other = "111111111111", "222222222222"
	for want, parameters := range map[string]map[string]string{
		one: {"lakemesh.from.a": one, "lakemesh.from.b": one, "lakemesh.from.c": "x", "other": other},
		"":  {"lakemesh.from.a": one, "lakemesh.from.b": other},
	} {
		for range 20 {
			if got := catalog.OwnerOf(&types.Database{Parameters: parameters}); got != want {
				t.Fatalf("%v: owner %q, want %q", parameters, got, want)
			}
		}
	}
}
