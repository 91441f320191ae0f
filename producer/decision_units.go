package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// What is granted to an organization or a unit stands in Lake Formation under its ARN, once for
// all who asked for it. Which accounts it has the owner is not shown.

// units are the organizations and units that the subscription was for, or shall be.
func (c *considered) units() []string {
	var all []string
	for _, s := range c.scopes() {
		all = append(all, s.Organizations()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// observeOthers finds the subscriptions that justify something to those whom a decision is
// about: the consumer's own, or for organizations and units the owner's of whatever consumer.
func (p *Producer) observeOthers(ctx context.Context, c *considered) ([]*tracker.Record, error) {
	units := c.units()
	// Grants on other databases are no concern of this decision. Those by groups can be on
	// any, and all can be beside one by a group.
	elsewhere := func(o *tracker.Record) bool {
		return c.record.Group.IsZero() && o.Group.IsZero() && o.Database != c.record.Database
	}
	if len(units) == 0 {
		all, err := p.records.Justifying(ctx, c.ledger, c.id)
		return slices.DeleteFunc(all, elsewhere), err
	}
	return p.records.OwnedActive(ctx, p.account, func(o *tracker.Record) bool {
		shares := func(unit string) bool { return chain.IsFor(o, unit) }
		return o.ID != c.id && !elsewhere(o) && (o.Subscriber == c.record.Subscriber || slices.ContainsFunc(units, shares))
	})
}

// knowsUnits refuses to give something to an organization that the mesh account is not in, or
// to a unit of one, before anything is changed: Lake Formation would. Which units there are it
// is not told.
func (p *Producer) knowsUnits(ctx context.Context, c *considered) error {
	units := c.scope.Organizations()
	if len(units) == 0 || c.action != lakemesh.ActionApprove && c.action != lakemesh.ActionUpdate || !c.givesMore() {
		return nil
	}
	out, err := p.mesh.organizations.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if awserr.Is(err, "AWSOrganizationsNotInUseException") {
		return notOurs(p.meshAccount, units[0], "account "+p.meshAccount+" is in no organization")
	}
	if err != nil {
		return identity.Explain("DescribeOrganization", p.meshAccount, "the organization of account "+p.meshAccount, err)
	}
	own := aws.ToString(out.Organization.Arn)
	unit := strings.Replace(own, ":organization/", ":ou/", 1) + "/"
	for _, u := range units {
		if u != own && !strings.HasPrefix(u, unit) {
			return notOurs(p.meshAccount, u, "account "+p.meshAccount+" is in another one, "+own)
		}
	}
	return nil
}

// notOurs is the error of an organization that the mesh account is not in.
func notOurs(mesh, unit, why string) error {
	return &lakemesh.Error{Account: mesh, Resource: "principal " + unit, Kind: lakemesh.ErrInvalidInput,
		Message: "nothing can be granted to it: " + why,
		Hint:    "Lake Formation grants to the organization that the mesh account is in, and to the units of it; deny the request, or give it to the account that asked, with Principals (--principals none)"}
}

// handedOn reports whether what somebody holds is what accounts that the decision is about have
// handed on: it falls with what they hold. What was granted straight to an identity of another
// account a resource share carries.
func (f *found) handedOn(c *considered, e permissions.Entry) bool {
	account := access.Grantee(e.Principal).Account()
	return account == c.record.Subscriber ||
		account != "" && account != e.Principal && len(c.units()) > 0 && len(f.have.Shares(e.Principal, e.Resource)) == 0 && len(f.have.Shares(c.units()[0], e.Resource)) > 0
}

// holder names who holds something.
func holder(principal string) string {
	switch g := access.Grantee(principal); {
	case g.Organization():
		return "every account of " + principal
	case lakemesh.CheckAccountID("principal", principal) == nil:
		return "account " + principal
	}
	return principal
}

// unitsOf says what the owner should know of organizations and units: whom a decision gives
// access, and what others hold of the same. What an account holds and what its unit does are
// united, so that narrowing one, or ending it, leaves what the other gives
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html).
func (p *Producer) unitsOf(c *considered, f *found, ch *change) (all []string) {
	if units := c.scope.Organizations(); len(units) > 0 && len(c.permitted) > 0 && c.action != lakemesh.ActionAbort {
		text := "every account of " + strings.Join(units, ", ") + ", also those that join later, holds it"
		if len(c.grantable) > 0 {
			text += ", and can hand it on"
		}
		all = append(all, text+"; which accounts these are now lakemesh is not shown")
	}
	for _, unit := range c.units() {
		loses := func(e permissions.Entry) bool { return e.Principal == unit }
		if !slices.Contains(c.scope.Organizations(), unit) && slices.ContainsFunc(ch.revoke, loses) || len(c.permitted) == 0 && slices.ContainsFunc(ch.revoke, loses) {
			all = append(all, "every account of "+unit+" loses what is revoked, and not account "+c.record.Subscriber+" alone")
		}
	}
	ofUnits := len(c.units()) > 0
	beside := map[string][]string{}
	for _, e := range f.have.Entries() {
		g := access.Grantee(e.Principal)
		account := lakemesh.CheckAccountID("principal", e.Principal) == nil
		// A unit counts beside accounts and units, and an account beside units.
		counts := g.Organization() || ofUnits && account && (access.Catalog{Account: p.meshAccount, Owner: p.account}).Outside(g)
		if !counts || slices.Contains(c.grantees(), e.Principal) || e.Resource.Kind == permissions.KindDatabase || !chain.On(c.record, e.Resource.Database, e.Resource.Table) && e.Resource.Kind != permissions.KindAllTables {
			continue
		}
		beside[e.Principal] = append(beside[e.Principal], e.Permissions.String()+" on "+e.Resource.String())
	}
	for n, principal := range slices.Sorted(maps.Keys(beside)) {
		if n == mostNamed {
			all = append(all, fmt.Sprintf("and %d more", len(beside)-n))
			break
		}
		held := beside[principal]
		on := strings.Join(held[:min(len(held), mostNamed)], ", ")
		if more := len(held) - mostNamed; more > 0 {
			on += fmt.Sprintf(" and %d more", more)
		}
		all = append(all, fmt.Sprintf("%s holds %s, besides: what an account and a unit that it is in hold is united, so that this decision does not take that away, or narrow it", holder(principal), on))
	}
	return all
}
