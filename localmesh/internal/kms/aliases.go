package kms

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// aliasName is what an alias may be called; alias/aws/ is for the keys that AWS manages.
var aliasName = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`)

func aliasARN(a state.KMSAlias) string {
	return fmt.Sprintf("arn:aws:kms:%s:%s:%s", a.Region, a.Account, a.Name)
}

// createAlias gives a key a name. It takes the right on the alias, by the caller's policies,
// and on the key
// (https://docs.aws.amazon.com/kms/latest/developerguide/alias-access.html).
func createAlias(c *engine.Call, in *kms.CreateAliasInput) (*kms.CreateAliasOutput, error) {
	a := state.KMSAlias{Name: aws.ToString(in.AliasName), Account: c.Account(), Region: c.Region}
	if err := c.Authorize(authz.Question{Action: "kms:CreateAlias", Resources: []string{aliasARN(a)}, IdentityOnly: true}); err != nil {
		return nil, err
	}
	k, err := open(c, in.TargetKeyId, "kms:CreateAlias", true)
	if err != nil {
		return nil, err
	}
	if !aliasName.MatchString(a.Name) || len(a.Name) > 256 {
		return nil, engine.Errorf("InvalidAliasNameException", "Alias must start with the prefix \"alias/\" and have letters, numbers, slashes, underscores and dashes alone")
	}
	if len(a.Name) > len("alias/aws/") && a.Name[:len("alias/aws/")] == "alias/aws/" {
		return nil, engine.Errorf("NotAuthorizedException", "Aliases that begin with alias/aws/ are reserved")
	}
	if _, taken, err := state.KMSAliases.Get(c.Tx, a.Account, a.Region, a.Name); err != nil || taken {
		if err != nil {
			return nil, err
		}
		return nil, engine.Errorf("AlreadyExistsException", "An alias with the name %s already exists", aliasARN(a))
	}
	a.Key, a.Created, a.Updated = k.ID, c.Now, c.Now
	return &kms.CreateAliasOutput{}, state.KMSAliases.Put(c.Tx, a, a.Account, a.Region, a.Name)
}

// updateAlias gives the name to another key. It takes the right on the alias and on both keys.
func updateAlias(c *engine.Call, in *kms.UpdateAliasInput) (*kms.UpdateAliasOutput, error) {
	a, err := openAlias(c, in.AliasName, "kms:UpdateAlias")
	if err != nil {
		return nil, err
	}
	if _, err := open(c, &a.Key, "kms:UpdateAlias", true); err != nil {
		return nil, err
	}
	k, err := open(c, in.TargetKeyId, "kms:UpdateAlias", true)
	if err != nil {
		return nil, err
	}
	a.Key, a.Updated = k.ID, c.Now
	return &kms.UpdateAliasOutput{}, state.KMSAliases.Put(c.Tx, a, a.Account, a.Region, a.Name)
}

// deleteAlias takes a name away. It takes the right on the alias and on its key.
func deleteAlias(c *engine.Call, in *kms.DeleteAliasInput) (*kms.DeleteAliasOutput, error) {
	a, err := openAlias(c, in.AliasName, "kms:DeleteAlias")
	if err != nil {
		return nil, err
	}
	if _, err := open(c, &a.Key, "kms:DeleteAlias", true); err != nil {
		return nil, err
	}
	return &kms.DeleteAliasOutput{}, state.KMSAliases.Delete(c.Tx, a.Account, a.Region, a.Name)
}

// openAlias finds a name of the caller's account and asks for permission on it, by the caller's
// policies: a name has none.
func openAlias(c *engine.Call, name *string, action string) (state.KMSAlias, error) {
	a := state.KMSAlias{Name: aws.ToString(name), Account: c.Account(), Region: c.Region}
	if err := c.Authorize(authz.Question{Action: action, Resources: []string{aliasARN(a)}, IdentityOnly: true}); err != nil {
		return a, err
	}
	found, ok, err := state.KMSAliases.Get(c.Tx, a.Account, a.Region, a.Name)
	if err == nil && !ok {
		err = engine.Errorf("NotFoundException", "Alias %s is not found.", aliasARN(a))
	}
	return found, err
}

func listAliases(c *engine.Call, in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
	if err := c.Allow("kms:ListAliases"); err != nil {
		return nil, err
	}
	only := ""
	if in.KeyId != nil {
		k, arn, ok, err := find(c, *in.KeyId)
		if err != nil {
			return nil, err
		}
		if !ok || k.Account != c.Account() {
			return nil, notFound(arn)
		}
		only = k.ID
	}
	var all []types.AliasListEntry
	err := state.KMSAliases.Scan(c.Tx, []string{c.Account(), c.Region}, "", func(_ string, a state.KMSAlias) bool {
		if only == "" || a.Key == only {
			all = append(all, types.AliasListEntry{AliasName: aws.String(a.Name), AliasArn: aws.String(aliasARN(a)), TargetKeyId: aws.String(a.Key),
				CreationDate: aws.Time(a.Created), LastUpdatedDate: aws.Time(a.Updated)})
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	const most = 100
	page, next, err := paged(all, in.Marker, in.Limit, 50, most)
	return &kms.ListAliasesOutput{Aliases: page, NextMarker: next, Truncated: next != nil}, err
}
