package producer

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// parseGrants reads the two lists of permissions of a decision.
func parseGrants(permitted, grantable []string) (lakemesh.Permissions, lakemesh.Permissions, error) {
	p, err := lakemesh.ParsePermissions(permitted...)
	if err != nil {
		return nil, nil, err
	}
	g, err := lakemesh.ParsePermissions(grantable...)
	return p, g, err
}

// subset applies the default of grantable permissions, which is all that is
// granted if none were named, and checks that they are a subset of it: Lake
// Formation demands that of each entry
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GrantPermissions.html).
func subset(permitted, grantable lakemesh.Permissions, named []string) (lakemesh.Permissions, error) {
	if named == nil {
		return permitted, nil
	}
	if extra := grantable.Minus(permitted); len(extra) > 0 {
		return nil, lakemesh.Invalid("GrantablePermissions", "%s cannot be grantable because it is not granted; granted is %s", extra, permitted)
	}
	return grantable, nil
}

// grantableOf is what of terms may be handed on: what was named, or all of it. Identities that
// are granted access themselves can hand nothing on.
func grantableOf(t terms, grantable lakemesh.Permissions, named []string) (lakemesh.Permissions, error) {
	if !t.scope.Direct() {
		return subset(t.permitted, grantable, named)
	}
	if len(grantable) > 0 {
		return nil, lakemesh.Invalid("GrantablePermissions", "users and roles that are granted access themselves cannot hand it on: leave it out, or give it to their account")
	}
	return nil, nil
}

func tampered(op, mesh string, r *tracker.Record) error {
	hint := "ask the consumer to request access anew, and deny this one"
	if r.Status == lakemesh.Active {
		hint = "delete it, which ends what was granted, and ask the consumer to request access anew"
	}
	return &lakemesh.Error{Op: op, Account: mesh, Resource: "subscription " + r.ID, Kind: lakemesh.ErrTampered, Message: r.Tampered, Hint: hint}
}
