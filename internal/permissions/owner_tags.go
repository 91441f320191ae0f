package permissions

import (
	"strings"

	"github.com/lakemesh/lakemesh"
)

// Others are those who hold on an owner's LF-tag what only the owner is to have, each
// with that of it which they hold: changing it, dropping it, assigning it, and
// granting by it. owner is the role that the tag is for; who administers the mesh may
// hold anything.
func (g *Grants) Others(tag Resource, owner string) []Entry {
	partition, _ := lakemesh.PartitionOfARN(owner)
	owners := lakemesh.NewPermissions(lakemesh.Alter, lakemesh.Drop, Associate, GrantWithTag)
	var others []Entry
	for _, e := range g.On(tag) {
		e.Permissions, e.Grantable = e.Permissions.Intersect(owners), nil
		if len(e.Permissions) > 0 && e.Principal != owner && !administers(e.Principal, partition, tag.Account) {
			others = append(others, e)
		}
	}
	return others
}

// administers reports whether a principal is a user or a role of the mesh account
// that acts neither for a producer nor for a consumer.
func administers(principal string, partition lakemesh.Partition, mesh string) bool {
	name, ok := strings.CutPrefix(principal, partition.ARN("iam", "", mesh, ""))
	if !ok {
		return false
	}
	if strings.HasPrefix(name, "user/") {
		return true
	}
	role := strings.HasPrefix(name, "role/")
	name = name[strings.LastIndexByte(name, '/')+1:]
	return role &&
		!strings.HasPrefix(name, lakemesh.MeshProducerRole("")) && !strings.HasPrefix(name, lakemesh.MeshConsumerRole(""))
}
