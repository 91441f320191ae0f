package permissions

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

// Revocation is the input of one RevokePermissions that takes the entry away, as the API's
// JSON: for who makes the call for us at another time and does not look into it before
// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html).
// An entry that takes two calls is refused.
func (e Entry) Revocation() (string, error) {
	if parts := e.split(); len(parts) != 1 {
		return "", fmt.Errorf("%s on %s is not revoked by one call", e.Permissions, e.Resource)
	}
	in := lakeformation.RevokePermissionsInput{
		CatalogId: aws.String(e.Resource.Account), Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(e.Principal)},
		Resource: e.Resource.sdk(), Permissions: toPermissions(e.Permissions), PermissionsWithGrantOption: toPermissions(e.Grantable),
	}
	data, err := json.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("write a revocation: %w", err)
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		return "", fmt.Errorf("write a revocation: %w", err)
	}
	// The structs of the SDK have members that are not set, which the API has not.
	data, err = json.Marshal(unset(members))
	return string(data), err
}

// unset leaves out what is null.
func unset(members map[string]any) map[string]any {
	for name, value := range members {
		switch value := value.(type) {
		case nil:
			delete(members, name)
		case map[string]any:
			unset(value)
		}
	}
	return members
}

// errOtherRevocation says that an input is not one that [Entry.Revocation] writes.
var errOtherRevocation = errors.New("not the revocation of one grant")

// ReadRevocation reads what [Entry.Revocation] has written, and nothing else.
func ReadRevocation(text string) (Entry, error) {
	var in lakeformation.RevokePermissionsInput
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", errOtherRevocation, err)
	}
	r, ok := fromSDK(in.Resource, aws.ToString(in.CatalogId))
	if !ok || in.Principal == nil {
		return Entry{}, errOtherRevocation
	}
	e := Entry{Principal: aws.ToString(in.Principal.DataLakePrincipalIdentifier), Resource: r,
		Permissions: fromPermissions(in.Permissions), Grantable: fromPermissions(in.PermissionsWithGrantOption)}
	if again, err := e.Revocation(); err != nil || again != text {
		return Entry{}, errOtherRevocation
	}
	return e, nil
}
