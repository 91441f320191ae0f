package lakeformation

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// verification says whether the role of a location can read it: now, or as it was
// found when the location was registered
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ResourceInfo.html).
func verification(c *engine.Call, l state.Location) (types.VerificationStatus, error) {
	ok := !l.Unverified
	if !c.Mesh.Readings.LocationsVerifiedOnce {
		account, _, name, _ := state.SplitPrincipalARN(l.Role)
		role, found, err := state.ReadRole(c.Tx, account, name)
		if err != nil {
			return "", err
		}
		if ok = found; found {
			if ok, err = readable(c, l, role); err != nil {
				return "", err
			}
		}
	}
	if !ok {
		return types.VerificationStatusVerificationFailed, nil
	}
	return types.VerificationStatusVerified, nil
}

// verify looks whether the role can read the location that it is about to serve.
func verify(c *engine.Call, l *state.Location, role state.Role) error {
	ok, err := readable(c, *l, role)
	if err != nil {
		return err
	}
	if !ok && c.Mesh.Readings.UnreachableLocationsRefused {
		return invalid("The role %s does not have sufficient access to %s.", role.ARN(), l.ARN)
	}
	l.Unverified = !ok
	return nil
}

// readable reports whether a role can list the bucket of a location and read what is
// in the location, by its own policies and by the bucket's.
func readable(c *engine.Call, l state.Location, role state.Role) (bool, error) {
	name, prefix, _ := strings.Cut(l.Path, "/")
	bucket, found, err := state.S3Buckets.Get(c.Tx, name)
	if err != nil || !found {
		return false, err
	}
	below := "*"
	if prefix != "" {
		below = prefix + "/*"
	}
	reader := authz.Caller{
		Account: role.Account, ARN: role.ARN(), Principal: role.ARN(), UserID: role.ID + ":" + "lakeformation",
		Session: &state.Session{Account: role.Account, Role: role.Name, RoleID: role.ID, Name: "lakeformation"},
	}
	for _, q := range []authz.Question{
		{Action: "s3:ListBucket", Resources: []string{bucket.ARN()}, Keys: map[string][]string{"s3:prefix": {prefix + "/"}}},
		{Action: "s3:GetObject", Resources: []string{bucket.ObjectARN(below)}},
	} {
		q.ResourcePolicy, q.ResourcePolicyName, q.ResourceAccount = bucket.Policy, "policy of bucket "+name, bucket.Account
		d, err := c.Mesh.Policies().Decide(c.Tx, reader, q, c.Now, c.Region)
		if err != nil || !d.Allowed {
			return false, err
		}
	}
	return true, nil
}
