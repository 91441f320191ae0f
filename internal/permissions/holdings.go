package permissions

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/plan"
)

// Holdings are all that is granted in an account, as the caller may see it.
type Holdings struct {
	// Grants are those that an [Entry] can say.
	Grants *Grants
	// Rest are the others: on columns, on data filters, on expressions of LF-tags.
	Rest []Row
}

// Row is a row of a listing, on whatever it is.
type Row struct {
	// Principal holds Permissions.
	Principal   string
	Permissions lakemesh.Permissions
	// What says in words what they are on.
	What string
	row  types.PrincipalResourcePermissions
}

// Holdings lists all that is granted in the account. Lake Formation does not list
// what one principal holds: it wants a resource with it
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html).
func (l *Lake) Holdings(ctx context.Context) (*Holdings, error) {
	h := &Holdings{Grants: NewGrants()}
	err := l.rows(ctx, &lakeformation.ListPermissionsInput{CatalogId: aws.String(l.Account)}, func(row types.PrincipalResourcePermissions, catalog string) {
		if row.Principal == nil {
			return
		}
		// What goes by LF-tags stays as it was written: it is looked through for keys, and revoked
		// as it stands.
		if r, ok := fromSDK(row.Resource, catalog); ok && r.Kind != KindTagged {
			h.Grants.addRow(r, row)
			return
		}
		h.Rest = append(h.Rest, Row{Principal: canonical(aws.ToString(row.Principal.DataLakePrincipalIdentifier)), Permissions: fromPermissions(row.Permissions),
			What: wordsOf(row.Resource), row: row})
	})
	if err != nil {
		return nil, fmt.Errorf("list all permissions of account %s: %w", l.Account, err)
	}
	return h, nil
}

// wordsOf says what a grant is on that no [Entry] can say.
func wordsOf(r *types.Resource) string {
	switch {
	case r != nil && r.LFTagPolicy != nil:
		if len(r.LFTagPolicy.Expression) == 0 {
			return fmt.Sprintf("%ss with the LF-tag expression %s", strings.ToLower(string(r.LFTagPolicy.ResourceType)), aws.ToString(r.LFTagPolicy.ExpressionName))
		}
		return fmt.Sprintf("%ss with LF-tags %s", strings.ToLower(string(r.LFTagPolicy.ResourceType)), words(r.LFTagPolicy.Expression))
	case r != nil && r.LFTagExpression != nil:
		return "LF-tag expression " + aws.ToString(r.LFTagExpression.Name)
	}
	if s, ok := specialOf(r); ok {
		if s.database != "" {
			return fmt.Sprintf("%s of table %s.%s", s.What, s.database, s.table)
		}
		return s.What
	}
	return "something that lakemesh does not know"
}

// Of is what a principal holds.
func (h *Holdings) Of(principal string) (entries []Entry, rest []Row) {
	for _, entry := range h.Grants.Entries() {
		if entry.Principal == canonical(principal) {
			entries = append(entries, entry)
		}
	}
	for _, row := range h.Rest {
		if row.Principal == canonical(principal) {
			rest = append(rest, row)
		}
	}
	return entries, rest
}

// OnTag is what is held on an LF-tag itself, on its key and on its values.
func (h *Holdings) OnTag(key string) []Entry {
	return slices.DeleteFunc(h.Grants.Entries(), func(entry Entry) bool {
		return entry.Resource.Kind != KindTag || entry.Resource.Tag != FoldTag(key)
	})
}

// ByTag are the grants on expressions that name an LF-tag, and those on named expressions,
// of which nobody knows here what they name.
func (h *Holdings) ByTag(key string) (named, unknown []Row) {
	for _, row := range h.Rest {
		r := row.row.Resource
		switch {
		case r == nil:
		case r.LFTagExpression != nil, r.LFTagPolicy != nil && len(r.LFTagPolicy.Expression) == 0:
			unknown = append(unknown, row)
		case r.LFTagPolicy != nil && slices.ContainsFunc(r.LFTagPolicy.Expression, func(t types.LFTag) bool { return FoldTag(aws.ToString(t.TagKey)) == FoldTag(key) }):
			named = append(named, row)
		}
	}
	return named, unknown
}

// RevokeRow adds the step that revokes a row, after the steps given.
func (b *Batches) RevokeRow(p *plan.Plan, r Row, after ...*plan.Step) *plan.Step {
	return p.Add(plan.Step{Kind: plan.Revoke, Account: b.lake.Account, Resource: r.What, Summary: fmt.Sprintf("revoke %s on %s from %s", r.Permissions, r.What, r.Principal),
		Run: func(ctx context.Context) error {
			_, err := b.lake.Client.RevokePermissions(ctx, &lakeformation.RevokePermissionsInput{CatalogId: aws.String(b.lake.Account), Principal: r.row.Principal, Resource: r.row.Resource,
				Permissions: r.row.Permissions, PermissionsWithGrantOption: r.row.PermissionsWithGrantOption})
			if err != nil && !nothingToRevoke(err) {
				return fmt.Errorf("revoke %s on %s from %s: %w", r.Permissions, r.What, r.Principal, err)
			}
			return nil
		}}, after...)
}

// mostValues is how many values of an LF-tag one search takes
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_LFTag.html).
const mostValues = 50

// Tagged are databases and tables that have an LF-tag with any of the values, or have
// columns that do, as texts. A few are enough to know that there are some: it stops at the
// first page that has any.
func (l *Lake) Tagged(ctx context.Context, key string, values []string) ([]string, error) {
	for some := range slices.Chunk(values, mostValues) {
		expression := []types.LFTag{{TagKey: aws.String(FoldTag(key)), TagValues: some}}
		var found []string
		databases := lakeformation.NewSearchDatabasesByLFTagsPaginator(l.Client, &lakeformation.SearchDatabasesByLFTagsInput{
			CatalogId: aws.String(l.Account), Expression: expression, MaxResults: aws.Int32(searchPage)})
		for databases.HasMorePages() && len(found) == 0 {
			page, err := databases.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("search databases with LF-tag %s: %w", key, err)
			}
			for _, d := range page.DatabaseList {
				if d.Database != nil {
					found = append(found, "database "+aws.ToString(d.Database.Name))
				}
			}
		}
		tables := lakeformation.NewSearchTablesByLFTagsPaginator(l.Client, &lakeformation.SearchTablesByLFTagsInput{
			CatalogId: aws.String(l.Account), Expression: expression, MaxResults: aws.Int32(searchPage)})
		for tables.HasMorePages() && len(found) == 0 {
			page, err := tables.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("search tables with LF-tag %s: %w", key, err)
			}
			for _, t := range page.TableList {
				if t.Table != nil {
					found = append(found, fmt.Sprintf("table %s.%s", aws.ToString(t.Table.DatabaseName), aws.ToString(t.Table.Name)))
				}
			}
		}
		if len(found) > 0 {
			return found, nil
		}
	}
	return nil, nil
}

// DeleteTag deletes an LF-tag. One that does not exist is fine.
func (l *Lake) DeleteTag(ctx context.Context, key string) error {
	_, err := l.Client.DeleteLFTag(ctx, &lakeformation.DeleteLFTagInput{CatalogId: aws.String(l.Account), TagKey: aws.String(FoldTag(key))})
	if err != nil && !awserr.NotFound(err) {
		return fmt.Errorf("delete LF-tag %s: %w", key, err)
	}
	return nil
}

// Deregister takes the registration of a location back. One that is not registered is
// fine.
func (l *Lake) Deregister(ctx context.Context, arn string) error {
	_, err := l.Client.DeregisterResource(ctx, &lakeformation.DeregisterResourceInput{ResourceArn: aws.String(arn)})
	if err != nil && !awserr.NotFound(err) {
		return fmt.Errorf("deregister location %s: %w", arn, err)
	}
	return nil
}
