package main

import "testing"

// ARNs are written as people call them in sentences, and left whole inside of JSON.
func TestARNsAreShortInSentencesAlone(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshDataAccess-111111111111"
	for text, want := range map[string]string{
		"open to " + arn: "open to role DataMeshDataAccess-111111111111 of 555555555555",
		arn + " may not": "role DataMeshDataAccess-111111111111 of 555555555555 may not",
		`{"ArnNotEquals": {"aws:PrincipalArn": "` + arn + `"}}`: `{"ArnNotEquals": {"aws:PrincipalArn": "` + arn + `"}}`,
	} {
		if got := briefly(text); got != want {
			t.Errorf("%s is written as %s, want %s", text, got, want)
		}
	}
}
