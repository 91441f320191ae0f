package authz

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// ErrNoSuchPrincipal is returned when the caller's user or role was deleted.
var ErrNoSuchPrincipal = errors.New("the principal does not exist any more")

// Gather returns the identity policies, the boundary and the session policies
// that apply to a caller, for a simulation.
func (p *Policies) Gather(tx store.Tx, c Caller) (iampolicy.Policies, error) { return p.gather(tx, c) }

// gather reads the identity policies, the boundary and the session policies that
// apply to the caller.
func (p *Policies) gather(tx store.Tx, c Caller) (iampolicy.Policies, error) {
	var all iampolicy.Policies
	if c.Root || c.Service != "" || c.Anonymous() {
		return all, nil
	}
	account, kind, name, ok := state.SplitPrincipalARN(c.Principal)
	if !ok {
		return all, fmt.Errorf("%s: %w", c.Principal, ErrNoSuchPrincipal)
	}
	switch kind {
	case "user":
		u, found, err := state.ReadUser(tx, account, name)
		if err != nil || !found {
			return all, errors.Join(err, missing(found, c.Principal))
		}
		if err := p.add(tx, account, c.known(u.Permissions), &all); err != nil {
			return all, err
		}
		for _, g := range u.Groups {
			group, found, err := state.ReadGroup(tx, account, g)
			if err != nil {
				return all, err
			}
			if !found {
				continue
			}
			group.Boundary = ""
			if err := p.add(tx, account, group.Permissions, &all); err != nil {
				return all, err
			}
		}
	case "role":
		r, found, err := state.ReadRole(tx, account, name)
		if err != nil || !found {
			return all, errors.Join(err, missing(found, c.Principal))
		}
		if err := p.add(tx, account, c.known(r.Permissions), &all); err != nil {
			return all, err
		}
	}
	if c.Session != nil {
		for i, text := range c.Session.Policies {
			d, err := p.Document(text)
			if err != nil {
				return all, fmt.Errorf("session policy: %w", err)
			}
			all.Session = append(all.Session, iampolicy.Named{Name: "session policy " + strconv.Itoa(i+1), Document: d})
		}
		for _, arn := range c.Session.PolicyARNs {
			n, err := p.managed(tx, arn)
			if err != nil {
				return all, err
			}
			all.Session = append(all.Session, n)
		}
		if c.Session.Federated && all.Session == nil {
			// A federated user may what was passed for it; without any, nothing by itself
			// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html).
			all.Session = []iampolicy.Named{}
		}
	}
	return all, nil
}

// known are the policies that are decided by. What limits them is known at once.
func (c Caller) known(now state.Permissions) state.Permissions {
	if c.Known != nil {
		now.Inline, now.Attached = c.Known.Inline, c.Known.Attached
	}
	return now
}

func missing(found bool, principal string) error {
	if found {
		return nil
	}
	return fmt.Errorf("%s: %w", principal, ErrNoSuchPrincipal)
}

func (p *Policies) add(tx store.Tx, account string, perms state.Permissions, all *iampolicy.Policies) error {
	names := make([]string, 0, len(perms.Inline))
	for name := range perms.Inline {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		d, err := p.Document(perms.Inline[name])
		if err != nil {
			return fmt.Errorf("inline policy %s of account %s: %w", name, account, err)
		}
		all.Identity = append(all.Identity, iampolicy.Named{Name: name, Document: d})
	}
	for _, arn := range perms.Attached {
		n, err := p.managed(tx, arn)
		if err != nil {
			return err
		}
		all.Identity = append(all.Identity, n)
	}
	if perms.Boundary != "" {
		n, err := p.managed(tx, perms.Boundary)
		if err != nil {
			return err
		}
		all.Boundary = append(all.Boundary, n)
	}
	return nil
}

// managed finds a managed policy: one of AWS's own, or a customer's default version.
func (p *Policies) managed(tx store.Tx, arn string) (iampolicy.Named, error) {
	if text, ok := AWSManaged(arn); ok {
		d, err := p.Document(text)
		return iampolicy.Named{Name: arn, Document: d}, err
	}
	account, kind, name, ok := state.SplitPrincipalARN(arn)
	if !ok || kind != "policy" {
		return iampolicy.Named{}, fmt.Errorf("%s is not the ARN of a policy", arn)
	}
	policy, found, err := state.ReadPolicy(tx, account, name)
	if err != nil {
		return iampolicy.Named{}, err
	}
	if !found {
		return iampolicy.Named{}, fmt.Errorf("policy %s does not exist", arn)
	}
	for _, v := range policy.Versions {
		if v.ID == policy.Default {
			d, err := p.Document(v.Document)
			return iampolicy.Named{Name: arn, Document: d}, err
		}
	}
	return iampolicy.Named{}, fmt.Errorf("policy %s has no default version", arn)
}

// ManagedText returns the text of a managed policy: of one of AWS's own, or of the
// default version of a customer's.
func (p *Policies) ManagedText(tx store.Tx, arn string) (text string, ok bool, err error) {
	if text, ok := AWSManaged(arn); ok {
		return text, true, nil
	}
	account, kind, name, ok := state.SplitPrincipalARN(arn)
	if !ok || kind != "policy" {
		return "", false, nil
	}
	policy, found, err := state.ReadPolicy(tx, account, name)
	if err != nil || !found || policy.ARN() != arn {
		return "", false, err
	}
	for _, v := range policy.Versions {
		if v.ID == policy.Default {
			return v.Document, true, nil
		}
	}
	return "", false, nil
}

// globalKeys are the condition keys that every request has
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
func globalKeys(tx store.Tx, c Caller, owner string, now time.Time, region string) (map[string][]string, error) {
	keys := map[string][]string{
		"aws:currenttime":     {now.UTC().Format(time.RFC3339)},
		"aws:epochtime":       {strconv.FormatInt(now.Unix(), 10)},
		"aws:requestedregion": {region},
		"aws:resourceaccount": {owner},
		"aws:securetransport": {"false"},
		"aws:viaawsservice":   {"false"},
	}
	if o := c.Origin; o != nil {
		keys["aws:sourceip"] = []string{o.SourceIP}
		keys["aws:securetransport"] = []string{strconv.FormatBool(o.TLS)}
		if o.UserAgent != "" {
			keys["aws:useragent"] = []string{o.UserAgent}
		}
	}
	if c.Service != "" {
		keys["aws:principalisawsservice"] = []string{"true"}
		keys["aws:principalservicename"] = []string{c.Service}
		return keys, nil
	}
	if c.Account == "" {
		// Only signed requests tell whether they come from a service.
		keys["aws:principaltype"] = []string{"Anonymous"}
		return keys, nil
	}
	keys["aws:principalisawsservice"] = []string{"false"}
	keys["aws:principalaccount"] = []string{c.Account}
	if o, m, found, err := state.OrganizationOf(tx, c.Account); err != nil {
		return nil, err
	} else if found {
		path, err := state.OrganizationPath(tx, o, m.Parent)
		if err != nil {
			return nil, err
		}
		keys["aws:principalorgid"], keys["aws:principalorgpaths"] = []string{o.ID}, []string{path}
	}
	keys["aws:principalarn"] = []string{c.Principal}
	keys["aws:userid"] = []string{c.UserID}
	var tags map[string]string
	switch account, kind, name, _ := state.SplitPrincipalARN(c.Principal); {
	case c.Root:
		keys["aws:principaltype"] = []string{"Account"}
	case c.Session != nil && c.Session.Federated:
		keys["aws:principaltype"], keys["aws:principalarn"] = []string{"FederatedUser"}, []string{c.ARN}
	case kind == "user":
		keys["aws:principaltype"] = []string{"User"}
		keys["aws:username"] = []string{name}
		u, _, err := state.ReadUser(tx, account, name)
		if err != nil {
			return nil, err
		}
		tags = u.Tags
	case kind == "role":
		keys["aws:principaltype"] = []string{"AssumedRole"}
		r, _, err := state.ReadRole(tx, account, name)
		if err != nil {
			return nil, err
		}
		tags = r.Tags
	}
	for k, v := range tags {
		keys["aws:principaltag/"+strings.ToLower(k)] = []string{v}
	}
	if c.Session != nil {
		for k, v := range c.Session.Tags {
			keys["aws:principaltag/"+strings.ToLower(k)] = []string{v}
		}
		// Temporary credentials tell whether a device was asked, which the mesh has none of.
		keys["aws:multifactorauthpresent"] = []string{"false"}
		keys["aws:tokenissuetime"] = []string{c.Session.Issued.UTC().Format(time.RFC3339)}
		if c.Session.SourceIdentity != "" {
			keys["aws:sourceidentity"] = []string{c.Session.SourceIdentity}
		}
	}
	return keys, nil
}
