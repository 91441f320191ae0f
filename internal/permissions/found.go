package permissions

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
)

// byHand is an entry as the record keeps it; the account is the mesh's.
type byHand struct {
	Kind     Kind
	Database string
	Table    string `json:",omitempty"`
	Filter   string `json:",omitempty"`
	// Expression are LF-tags, as in [Resource].
	Expression string `json:",omitempty"`
	// Principal is who held it, where that is not the account itself.
	Principal   string `json:",omitempty"`
	Permissions []string
	Grantable   []string `json:",omitempty"`
}

// EncodeFound writes what a consumer held before lakemesh granted the same, for the record
// of its subscription.
func EncodeFound(found access.Grants) ([]string, error) {
	entries, err := Entries(found)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		b := byHand{Kind: e.Resource.Kind, Database: e.Resource.Database, Table: e.Resource.Table, Filter: e.Resource.Filter, Expression: e.Resource.Expression,
			Permissions: e.Permissions.Strings(), Grantable: e.Grantable.Strings()}
		if lakemesh.CheckAccountID("principal", e.Principal) != nil {
			b.Principal = e.Principal
		}
		text, err := json.Marshal(b)
		if err != nil {
			return nil, fmt.Errorf("write what is granted on %s: %w", e.Resource, err)
		}
		all = append(all, string(text))
	}
	return all, nil
}

// FoundIn is [DecodeFound] of what is in a database. A record is written by its owner alone,
// and what others have in other databases is none of its concern.
func FoundIn(mesh, subscriber, database string, texts []string) (access.Grants, error) {
	all, err := DecodeFound(mesh, subscriber, texts)
	return all.On(func(k access.Key) bool { return strings.EqualFold(k.Object.Database, database) }), err
}

// DecodeFound reads what [EncodeFound] wrote of a subscriber, on what is the mesh account's.
func DecodeFound(mesh, subscriber string, texts []string) (access.Grants, error) {
	all := access.Grants{}
	for _, text := range texts {
		var b byHand
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			return nil, fmt.Errorf("read what was granted by other means: %w", err)
		}
		o, ok := Resource{Kind: b.Kind, Account: mesh, Database: b.Database, Table: b.Table, Filter: b.Filter, Expression: b.Expression}.Object()
		if !ok {
			return nil, fmt.Errorf("read what was granted by other means: %q is nothing to grant on", b.Kind)
		}
		permitted, err := lakemesh.ParsePermissions(b.Permissions...)
		if err != nil {
			return nil, err
		}
		grantable, err := lakemesh.ParsePermissions(b.Grantable...)
		if err != nil {
			return nil, err
		}
		grantee := access.Grantee(subscriber)
		if b.Principal != "" {
			if grantee = access.Grantee(b.Principal); grantee.Account() != subscriber && !grantee.Organization() {
				return nil, fmt.Errorf("read what was granted by other means: %q is not of account %s", b.Principal, subscriber)
			}
		}
		all.Add(access.Key{Grantee: grantee, Object: o}, access.Held{Permissions: permitted, Grantable: grantable})
	}
	return all, nil
}
