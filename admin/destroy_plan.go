package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/plan"
)

// plan ends what only the manager can end, then the manager, and last the records, which
// hold what was there before.
func (d *destruction) plan() *plan.Plan {
	p := &plan.Plan{Operation: opDestroy}
	for _, role := range []*foundRole{d.manager, d.readOnly} {
		if role.exists {
			p.Warn("roles are an account's in all regions: if account %s is the mesh of another region too, that mesh stops working", d.mesh)
			break
		}
	}
	ended := d.planEndings(p)
	if step := d.planCatalogPolicyRemoval(p); step != nil {
		ended = append(ended, step)
	}
	if d.group {
		ended = append(ended, d.planNoGroup(p))
	}
	back := putBack{retire: []string{d.partition.RoleARN(d.mesh, lakemesh.ManagerRole)}, before: d.members.before}
	byHand := d.byHand()
	if len(byHand) > 0 {
		// No account is enabled and no subscription is active. The share is Lake Formation's,
		// which makes it for an account that it grants something to (rule 1.2.1 of
		// docs/aws-rules.md), and ends it with the last grant.
		p.Warn("stays, because it was granted by hand: %s; so does the resource share that Lake Formation made for it, until it is revoked", some(byHand))
		// AWS documents what changing the version does to shares only for the way up
		// (https://docs.aws.amazon.com/lake-formation/latest/dg/optimize-ram.html).
		back.keepVersion = true
		p.Warn("the cross-account version stays: somebody else in account %s shares with other accounts, and what a lower version does to that is not documented", d.mesh)
	}
	if d.manager.exists && isAdministrator(d.settings, back.retire[0]) {
		for _, u := range d.members.before.unknown(d.settings) {
			p.Warn("%s", u)
		}
	}
	if step := d.planPutBack(p, d.settings, back, ended...); step != nil {
		ended = append(ended, step)
	}
	last := slices.Clone(ended)
	for _, r := range []struct {
		found *foundRole
		name  string
	}{{d.readOnly, lakemesh.ReadOnlyRole}, {d.manager, lakemesh.ManagerRole}} {
		if step := d.planRoleRemoval(p, r.name, r.found, ended...); step != nil {
			last = append(last, step)
		}
	}
	d.planRecords(p, last)
	if len(d.databases) > 0 {
		p.Warn("databases of the catalog stay, with their tables: %s", some(d.databases))
	}
	return p
}

// planEndings ends what the roles hold, and removes the LF-tags that the mesh made.
func (d *destruction) planEndings(p *plan.Plan) []*plan.Step {
	if d.holdings == nil {
		return nil
	}
	goes := map[string]bool{}
	for _, t := range d.tags {
		goes[t.key] = t.stays == ""
	}
	for _, key := range meshTags() {
		if !slices.Contains(d.members.before.made, key) && len(d.holdings.OnTag(key)) > 0 {
			p.Warn("LF-tag %s stays: it is not known that the mesh made it", key)
		}
	}
	batches := d.permissions().Batches()
	var revoked, own []*plan.Step
	for _, name := range []string{lakemesh.ReadOnlyRole, lakemesh.ManagerRole} {
		entries, rest := d.holdings.Of(d.partition.RoleARN(d.mesh, name))
		for _, e := range entries {
			if name == lakemesh.ManagerRole && goes[e.Resource.Tag] {
				// What the manager holds as the tag's maker goes with the tag.
				continue
			}
			steps := batches.Revoke(p, e)
			if name == lakemesh.ManagerRole {
				own = append(own, steps...)
			} else {
				revoked = append(revoked, steps...)
			}
		}
		for _, row := range rest {
			revoked = append(revoked, batches.RevokeRow(p, row))
		}
	}
	return append(slices.Concat(revoked, own), d.planTagRemovals(p, batches, d.tags, revoked...)...)
}

// byHand is what other accounts hold here that the mesh did not give them, or does not any
// more.
func (d *destruction) byHand() []string {
	if d.holdings == nil {
		return nil
	}
	return heldBy(d.holdings, func(principal string) bool { return otherThan(d.mesh, principal) }, func(permissions.Entry) bool { return false })
}

// planCatalogPolicyRemoval takes our statement out of the catalog's policy, where it is
// exactly as it was written.
func (d *destruction) planCatalogPolicyRemoval(p *plan.Plan) *plan.Step {
	next, changes := d.withoutSharing(d.policy)
	if !changes {
		return nil
	}
	summary := "take the statement " + d.shareResource().SID + " out of the catalog's resource policy"
	if len(next.Statements) == 0 {
		summary += ", which has no other"
	}
	return p.Add(plan.Step{Kind: plan.PutCatalogPolicy, Account: d.mesh, Resource: "resource policy of the catalog", Summary: summary, Run: d.removeSharing})
}

// withoutSharing is the policy without our statement, and whether that was in it.
func (a *Admin) withoutSharing(p catalogPolicy) (next iampolicy.Document, changes bool) {
	if p.document == nil {
		return next, false
	}
	next = *p.document
	ours := iampolicy.New(a.shareResource()).String()
	next.Statements = slices.DeleteFunc(slices.Clone(next.Statements), func(s iampolicy.Statement) bool { return iampolicy.New(s).String() == ours })
	return next, len(next.Statements) < len(p.document.Statements)
}

// removeSharing writes only if nobody else has written meanwhile; else it begins anew.
func (a *Admin) removeSharing(ctx context.Context) error {
	err := poll.Until(ctx, identity.Propagation, "the resource policy of the catalog to be free of other writers", func(ctx context.Context) (bool, error) {
		have, err := a.observeCatalogPolicy(ctx)
		if err != nil {
			return false, err
		}
		next, changes := a.withoutSharing(have)
		if !changes {
			return true, nil
		}
		if len(next.Statements) == 0 {
			_, err = a.glue.DeleteResourcePolicy(ctx, &glue.DeleteResourcePolicyInput{PolicyHashCondition: aws.String(have.hash)})
		} else {
			_, err = a.glue.PutResourcePolicy(ctx, &glue.PutResourcePolicyInput{PolicyInJson: aws.String(next.String()), PolicyHashCondition: aws.String(have.hash),
				PolicyExistsCondition: types.ExistConditionMustExist, EnableHybrid: types.EnableHybridValuesTrue})
		}
		var changed *types.ConditionCheckFailureException
		if errors.As(err, &changed) {
			return false, poll.NotYet(fmt.Errorf("another writer was faster: %w", err))
		}
		return err == nil, err
	})
	return identity.Explain("PutResourcePolicy", a.account, "resource policy of the catalog", err)
}

// planRecords removes the tables, the one that knows what was there before last; or forgets
// that, if the tables stay.
func (d *destruction) planRecords(p *plan.Plan, after []*plan.Step) {
	if d.in.KeepRecords {
		p.Warn("the tables of records stay, with their protection")
		if d.tables[1].exists {
			d.planForgetting(p, after)
		}
		return
	}
	for i, t := range meshTables() {
		found := d.tables[i]
		if !found.exists {
			continue
		}
		if found.isRecoverable || !found.active {
			p.Warn("DynamoDB keeps a backup of table %s for 35 days, from which it can be restored", t.name)
		} else {
			p.Warn("table %s has no point-in-time recovery: what is in it is lost for good", t.name)
		}
		step := p.Add(plan.Step{Kind: plan.DeleteRecords, Account: d.mesh, Resource: "table " + t.name, Summary: fmt.Sprintf("lift the deletion protection of the %s %s, and remove it", t.title, t.name),
			Run: func(ctx context.Context) error { return d.removeTable(ctx, t) }}, after...)
		after = append(slices.Clone(after), step)
	}
}

// planForgetting removes what was recorded of the time before the mesh: it is not so any
// more for a mesh that is made with these tables.
func (d *destruction) planForgetting(p *plan.Plan, after []*plan.Step) {
	item := d.members.before
	if item.databaseDefaults == nil && item.tableDefaults == nil && item.version == nil && item.fullTableAccess == nil && len(item.made) == 0 {
		return
	}
	p.Add(plan.Step{Kind: plan.Record, Account: d.mesh, Resource: "members of the mesh", Summary: "forget what was there before the mesh",
		Run: func(ctx context.Context) error {
			names := map[string]string{}
			var removed []string
			for i, attribute := range beforeAttributes() {
				name := fmt.Sprintf("#%d", i)
				names[name] = attribute
				removed = append(removed, name)
			}
			_, err := d.dynamodb.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: memberItem(),
				UpdateExpression: aws.String("REMOVE " + strings.Join(removed, ", ")), ExpressionAttributeNames: names})
			return d.explainTable("UpdateItem", decisionsTable(), err)
		}}, after...)
}

// removeTable removes a table, and waits until it is gone. Point-in-time recovery is left
// on: by it DynamoDB keeps a backup of a table that was removed
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html).
func (a *Admin) removeTable(ctx context.Context, t table) error {
	busy := func(err error) bool {
		return identity.IsAlreadyExists(err) || identity.HasCode(err, "LimitExceededException")
	}
	err := poll.Until(ctx, tableWait, "table "+t.name+" to be gone", func(ctx context.Context) (bool, error) {
		now, err := a.observeTable(ctx, t)
		switch {
		case err != nil:
			return false, err
		case now.deleting:
			return false, poll.NotYet(errors.New("it is being deleted"))
		case !now.exists:
			return true, nil
		case !now.active:
			return false, poll.NotYet(errors.New("it is busy"))
		}
		if err := a.nobodyLeft(ctx); err != nil {
			return false, err
		}
		if now.isProtected {
			_, err = a.dynamodb.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(t.name), DeletionProtectionEnabled: aws.Bool(false)})
			if _, err = notYetIf(busy, "UpdateTable", err); err != nil {
				return false, err
			}
		}
		_, err = a.dynamodb.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(t.name)})
		if identity.IsNotFound(err) {
			return true, nil
		}
		_, err = notYetIf(busy, "DeleteTable", err)
		return false, err
	})
	return a.explainTable("remove the table", t, err)
}

// nobodyLeft looks once more, right before the records go, whether an account was enabled
// in the meantime.
func (a *Admin) nobodyLeft(ctx context.Context) error {
	now, err := a.observeMembers(ctx)
	if err != nil {
		return err
	}
	if all := union(now.producers, now.consumers); len(all) > 0 {
		return &lakemesh.Error{Op: opDestroy, Account: a.mesh, Resource: "mesh", Kind: lakemesh.ErrIllegalTransition,
			Message: "accounts were enabled in the meantime: " + some(all), Hint: "initialize the mesh again, and disable them first", Do: []lakemesh.Call{lakemesh.Do("admin.InitializeMeshAccount")}}
	}
	return nil
}
