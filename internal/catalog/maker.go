package catalog

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
)

// MadeByAnother reports whether a table of the mesh was made by somebody else than its owner
// or the mesh's own people: another producer's role, or somebody of another account. Glue
// itself writes who made a table, and nobody changes it, while whoever makes a database can
// write there that another account publishes it. It names an IAM user, or the session of a
// role (https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html). Where it
// names nobody, nothing is known.
func MadeByAnother(t *types.Table, mesh, owner string) bool {
	parts := strings.SplitN(aws.ToString(t.CreatedBy), ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return false
	}
	switch parts[4] {
	case owner:
		return false
	case mesh:
	default:
		return true
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	if kind == "assumed-role" {
		// A session has the role's name without its path.
		name, _, _ = strings.Cut(name, "/")
	}
	name = name[strings.LastIndex(name, "/")+1:]
	return strings.HasPrefix(name, lakemesh.MeshProducerRole("")) && name != lakemesh.MeshProducerRole(owner)
}
