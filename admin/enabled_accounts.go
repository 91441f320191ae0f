package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// listedRole is a role as a listing shows it.
type listedRole struct{ name, trust string }

// enabled are the accounts that have a role in the mesh account, with their roles
// there by name.
type enabled struct {
	producers, consumers []string
	roles                map[string]listedRole
}

// observeRoles lists the roles of the mesh account.
func (a *Admin) observeRoles(ctx context.Context) (enabled, error) {
	found := enabled{producers: []string{}, consumers: []string{}, roles: map[string]listedRole{}}
	pages := iam.NewListRolesPaginator(a.iam, &iam.ListRolesInput{PathPrefix: aws.String(lakemesh.IAMPath)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return found, identity.Explain("ListRoles", a.account, "roles of the mesh", err)
		}
		for _, r := range page.Roles {
			name := aws.ToString(r.RoleName)
			text, err := decodePolicy(r.AssumeRolePolicyDocument)
			if err != nil {
				return found, identity.Explain("ListRoles", a.account, "role "+name, err)
			}
			found.roles[name] = listedRole{name, text}
			if id, ok := strings.CutPrefix(name, lakemesh.MeshProducerRole("")); ok {
				found.producers = append(found.producers, id)
			} else if id, ok := strings.CutPrefix(name, lakemesh.MeshConsumerRole("")); ok {
				found.consumers = append(found.consumers, id)
			}
		}
	}
	slices.Sort(found.producers)
	slices.Sort(found.consumers)
	return found, nil
}

// wantedRoles are the roles that the accounts are to have in the mesh account, each
// with the role that it trusts; empty for one that trusts services.
func (a *Admin) wantedRoles(e enabled, mesh members) map[*role]string {
	all := map[*role]string{}
	for _, id := range e.producers {
		own, reader := a.meshProducer(id, mesh), a.dataAccess(id, nil)
		all[&own], all[&reader] = a.partition.RoleARN(id, lakemesh.ProducerRole), ""
		if mesh.ending == EndsScheduled {
			ending := a.endingRole(id, mesh.sharing)
			all[&ending] = ""
		}
	}
	for _, id := range e.consumers {
		own := a.meshConsumer(id)
		all[&own] = a.partition.RoleARN(id, lakemesh.ConsumerRole)
	}
	return all
}

// enabledAccounts tells which accounts are enabled, and compares their roles with
// what this version gives them.
func (a *Admin) enabledAccounts(ctx context.Context, mesh members, out *StatusOutput) error {
	found, err := a.observeRoles(ctx)
	if err != nil {
		return err
	}
	out.Mesh.Producers, out.Mesh.Consumers = found.producers, found.consumers
	if warning := tagsWarning(len(found.producers)); warning != "" {
		out.Warnings = append(out.Warnings, warning)
	}
	var current []*role
	for want, trusted := range a.wantedRoles(found, mesh) {
		have, exists := found.roles[want.name]
		switch {
		case exists && trusted != "" && !trustsOnly(have.trust, trusted):
			out.Problems = append(out.Problems, fmt.Sprintf("role %s trusts others than %s, or an older one of that name: the account must be enabled again", want.name, trusted))
		case !exists || !samePolicy(have.trust, want.trust):
			out.Mesh.Outdated = append(out.Mesh.Outdated, want.name)
		default:
			current = append(current, want)
		}
	}
	outdated, err := a.otherPolicies(ctx, current)
	if err != nil {
		return err
	}
	out.Mesh.Outdated = append(out.Mesh.Outdated, outdated...)
	slices.Sort(out.Mesh.Outdated)
	slices.Sort(out.Problems)
	if n := len(out.Mesh.Outdated); n > 0 {
		out.Problems = append(out.Problems, fmt.Sprintf("%d roles of accounts are not as this version makes them (%s): bring them up to date: %s",
			n, some(out.Mesh.Outdated), lakemesh.Do("admin.UpgradeMesh")))
	}
	out.Problems = append(out.Problems, memberProblems(Producer, found.producers, mesh.producers)...)
	out.Problems = append(out.Problems, memberProblems(Consumer, found.consumers, mesh.consumers)...)
	return nil
}

// memberProblems compare the accounts that have a role with those that are recorded.
func memberProblems(kind AccountType, withRole, recorded []string) []string {
	var problems []string
	if missing := without(withRole, recorded); len(missing) > 0 {
		problems = append(problems, fmt.Sprintf("accounts have a %s's role and are not recorded as members (%s): %s records them", kind, some(missing), lakemesh.Do("admin.UpgradeMesh")))
	}
	if missing := without(recorded, withRole); len(missing) > 0 {
		problems = append(problems, fmt.Sprintf("accounts are recorded as %ss and have no role in the mesh account (%s): they must be enabled again", kind, some(missing)))
	}
	return problems
}

// otherPolicies names the roles whose policy is another than is wanted. Each takes a
// call.
func (a *Admin) otherPolicies(ctx context.Context, wanted []*role) ([]string, error) {
	differs := make([]bool, len(wanted))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(a.concurrency())
	for i, want := range wanted {
		g.Go(func() error {
			out, err := a.iam.GetRolePolicy(gctx, &iam.GetRolePolicyInput{RoleName: &want.name, PolicyName: aws.String(inlinePolicy)})
			if identity.IsNotFound(err) {
				differs[i] = true
				return nil
			}
			if err != nil {
				return identity.Explain("GetRolePolicy", a.account, "role "+want.name, err)
			}
			text, err := decodePolicy(out.PolicyDocument)
			if err != nil {
				return identity.Explain("GetRolePolicy", a.account, "role "+want.name, err)
			}
			differs[i] = !samePolicy(text, a.keyed(*want, text).policy)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var names []string
	for i, want := range wanted {
		if differs[i] {
			names = append(names, want.name)
		}
	}
	return names, nil
}

// without are the values of the first list that the second does not have.
func without(list, other []string) []string {
	var all []string
	for _, v := range list {
		if !slices.Contains(other, v) {
			all = append(all, v)
		}
	}
	return all
}

// union are the values of both lists, each once, in order.
func union(lists ...[]string) []string {
	all := map[string]bool{}
	for _, list := range lists {
		for _, v := range list {
			all[v] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// some names the first few of a list.
func some(list []string) string {
	const few = 5
	if len(list) <= few {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:few], ", "), len(list)-few)
}
