package ram

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// maxPerCall bounds the resources, and the principals, of one call.
const maxPerCall = 100

// https://docs.aws.amazon.com/ram/latest/APIReference/API_CreateResourceShare.html
func createResourceShare(c *engine.Call, in *ram.CreateResourceShareInput) (*ram.CreateResourceShareOutput, error) {
	external := in.AllowExternalPrincipals == nil || *in.AllowExternalPrincipals
	keys := requestKeys(in.ResourceArns, in.Principals)
	keys["ram:RequestedAllowsExternalPrincipals"] = []string{strconv.FormatBool(external)}
	for _, t := range in.Tags {
		keys["aws:RequestTag/"+aws.ToString(t.Key)] = []string{aws.ToString(t.Value)}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], aws.ToString(t.Key))
	}
	err := c.Authorize(authz.Question{
		Action: "ram:CreateResourceShare", Resources: []string{c.ARN("ram", c.Account(), "resource-share/*")}, Keys: keys,
	})
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.Name)
	if name == "" || len(name) > 255 {
		return nil, engine.Errorf("InvalidParameterException", "The name of a resource share must have 1 to 255 characters.")
	}
	if arn, ok, err := replayed(c, in.ClientToken, in); err != nil {
		return nil, err
	} else if ok {
		s, _, err := state.GetShare(c.Tx, arn)
		out := shareAnswer(s)
		return &ram.CreateResourceShareOutput{ClientToken: in.ClientToken, ResourceShare: &out}, err
	}
	if len(in.Sources) > 0 {
		return nil, engine.Errorf("InvalidParameterException", "Sources apply only to service principals, which cannot be shared with here.")
	}
	permissions, err := permissionsFor(in.ResourceArns, in.PermissionArns)
	if err != nil {
		return nil, err
	}
	s, err := CreateShare(c, state.Share{
		Owner: c.Account(), Name: name, AllowExternal: external, Tags: tagsOf(in.Tags), Permissions: permissions,
	})
	if err != nil {
		return nil, err
	}
	if _, err := associate(c, s, in.ResourceArns, in.Principals); err != nil {
		return nil, err
	}
	if err := remember(c, in.ClientToken, in, s.ARN()); err != nil {
		return nil, err
	}
	out := shareAnswer(s)
	return &ram.CreateResourceShareOutput{ClientToken: in.ClientToken, ResourceShare: &out}, nil
}

// requestKeys are the condition keys that come from a request's resources and
// principals.
func requestKeys(resources, principals []string) map[string][]string {
	keys := map[string][]string{}
	for _, arn := range resources {
		keys["ram:ResourceArn"] = append(keys["ram:ResourceArn"], arn)
		if t, ok := ResourceType(arn); ok {
			keys["ram:RequestedResourceType"] = append(keys["ram:RequestedResourceType"], t)
		}
	}
	if len(principals) > 0 {
		keys["ram:Principal"] = slices.Clone(principals)
	}
	return keys
}

// shareKeys are the condition keys that come from a share.
func shareKeys(s state.Share) map[string][]string {
	keys := map[string][]string{
		"ram:ResourceShareName":        {s.Name},
		"ram:AllowsExternalPrincipals": {strconv.FormatBool(s.AllowExternal)},
	}
	for k, v := range s.Tags {
		keys["aws:ResourceTag/"+k] = []string{v}
	}
	return keys
}

// ShareKeys are the condition keys of a request about a share and resources of it.
func ShareKeys(s state.Share, resources ...string) map[string][]string {
	keys := requestKeys(resources, nil)
	maps.Copy(keys, shareKeys(s))
	return keys
}

// checkResource refuses what cannot be shared: only the catalog objects of the
// share's own account and region exist to be.
func checkResource(c *engine.Call, owner, arn string) error {
	if _, ok := ResourceType(arn); !ok {
		if !strings.HasPrefix(arn, "arn:") {
			return engine.Errorf("MalformedArnException", "The specified Amazon Resource Name (ARN) has a format that isn't valid: %s", arn)
		}
		return engine.Errorf("UnknownResourceException", "Resource %s could not be found.", arn)
	}
	parts := strings.SplitN(arn, ":", 6)
	if parts[4] != owner {
		return engine.Errorf("OperationNotPermittedException", "The resource %s is not owned by account %s.", arn, owner)
	}
	if parts[3] != c.Region {
		return engine.Errorf("InvalidParameterException", "The resource %s is not in this Region.", arn)
	}
	names := strings.Split(parts[5], "/")
	r := state.Resource{Account: owner, Region: c.Region}
	switch {
	case names[0] == "database" && len(names) == 2:
		r.Database = names[1]
	case names[0] == "table" && len(names) == 3:
		r.Database, r.Table = names[1], names[2]
	case names[0] != "catalog":
		return engine.Errorf("MalformedArnException", "The specified Amazon Resource Name (ARN) has a format that isn't valid: %s", arn)
	}
	if r.Table == "*" {
		r.Table = ""
	}
	if r.Database != "*" && !state.ResourceExists(c.Tx, r) {
		return engine.Errorf("UnknownResourceException", "Resource %s could not be found.", arn)
	}
	return nil
}

// checkPrincipal refuses whom nothing can be shared with.
func checkPrincipal(c *engine.Call, s state.Share, principal string) error {
	if state.IsOrganizationARN(principal) {
		return checkOrganization(c, principal)
	}
	account := state.PrincipalAccount(principal, "")
	if principal == account {
		if account == s.Owner {
			return engine.Errorf("InvalidParameterException", "You cannot share with your own account %s.", account)
		}
	} else {
		ok, err := state.PrincipalExists(c.Tx, principal)
		if err != nil {
			return err
		}
		if !ok {
			return engine.Errorf("MalformedArnException", "The principal %s is not a valid account, user or role.", principal)
		}
	}
	inside, err := insideOf(c, s.Owner, principal)
	if err != nil {
		return err
	}
	if account != s.Owner && !s.AllowExternal && !inside {
		return engine.Errorf("OperationNotPermittedException", "The resource share does not allow external principals.")
	}
	return nil
}
