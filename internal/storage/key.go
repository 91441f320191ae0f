package storage

import (
	"strings"

	"github.com/lakemesh/lakemesh"
)

// KeyStatement is the statement that the policy of a key needs for a role to decrypt with
// it what it reads from S3. A key of another account than the role's needs it in any case
// (https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html).
func KeyStatement(role, key string) string {
	s := statement{Sid: "LakemeshDecrypt", Effect: "Allow", Principal: map[string]string{"AWS": role}, Action: "kms:Decrypt", Resource: "*"}
	if parts := strings.Split(key, ":"); len(parts) == 6 && parts[3] != "" {
		s.Condition = map[string]map[string][]string{"StringEquals": {"kms:ViaService": {lakemesh.S3Service(parts[3])}}}
	}
	raw, err := encode(s)
	if err != nil {
		// Texts alone: there is nothing in it that has no JSON.
		return err.Error()
	}
	return string(raw)
}
