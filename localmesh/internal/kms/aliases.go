package kms

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

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
	a.Key = k.ID
	return &kms.CreateAliasOutput{}, state.KMSAliases.Put(c.Tx, a, a.Account, a.Region, a.Name)
}
