package permissions

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
)

// MaxTagLength is how long keys and values of LF-tags may be, in characters
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-tag-considerations.html).
const MaxTagLength = 50

// FoldTag is a key or value as Lake Formation stores it: in lower case.
func FoldTag(text string) string { return strings.ToLower(text) }

// TagValues are the values that an LF-tag can have, folded. ok is false if the tag
// does not exist for the caller.
func (l *Lake) TagValues(ctx context.Context, key string) (values []string, ok bool, _ error) {
	out, err := l.Client.GetLFTag(ctx, &lakeformation.GetLFTagInput{CatalogId: aws.String(l.Account), TagKey: aws.String(FoldTag(key))})
	if awserr.NotFound(err) || awserr.Denied(err) && awserr.Says(err, "Lake Formation permission") {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read LF-tag %s: %w", key, err)
	}
	return fold(out.TagValues), true, nil
}

// Tags are the LF-tags that the caller may see, with their values, all pages.
func (l *Lake) Tags(ctx context.Context) (map[string][]string, error) {
	tags := map[string][]string{}
	pages := lakeformation.NewListLFTagsPaginator(l.Client, &lakeformation.ListLFTagsInput{CatalogId: aws.String(l.Account), MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the LF-tags: %w", err)
		}
		for _, t := range page.LFTags {
			tags[FoldTag(aws.ToString(t.TagKey))] = fold(t.TagValues)
		}
	}
	return tags, nil
}

func fold(values []string) []string {
	folded := make([]string, len(values))
	for i, v := range values {
		folded[i] = FoldTag(v)
	}
	slices.Sort(folded)
	return folded
}

// tagValuesBatch is how many values of an LF-tag a call takes
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-tag-considerations.html).
const tagValuesBatch = 50

// CreateTag makes an LF-tag with values, at most 50 of them. One that exists already
// is left as it is.
func (l *Lake) CreateTag(ctx context.Context, key string, values ...string) error {
	key = FoldTag(key)
	_, err := l.Client.CreateLFTag(ctx, &lakeformation.CreateLFTagInput{CatalogId: aws.String(l.Account), TagKey: aws.String(key), TagValues: fold(values)})
	if err != nil && !alreadyExists(err) {
		return fmt.Errorf("create LF-tag %s: %w", key, err)
	}
	return nil
}

// AddTagValues adds values to an LF-tag. Those that it has already are fine.
func (l *Lake) AddTagValues(ctx context.Context, key string, values ...string) error {
	key = FoldTag(key)
	for batch := range slices.Chunk(fold(values), tagValuesBatch) {
		_, err := l.Client.UpdateLFTag(ctx, &lakeformation.UpdateLFTagInput{CatalogId: aws.String(l.Account), TagKey: aws.String(key), TagValuesToAdd: batch})
		if alreadyExists(err) && len(batch) > 1 {
			// One of them keeps the others from being added.
			for _, v := range batch {
				if err = l.AddTagValues(ctx, key, v); err != nil {
					return err
				}
			}
		}
		if err != nil && !alreadyExists(err) {
			return fmt.Errorf("add the values %s to LF-tag %s: %w", strings.Join(batch, ", "), key, err)
		}
	}
	return nil
}

// alreadyExists reports whether a tag, or a value, exists already: Lake Formation has
// no code of its own for that, and documents none.
func alreadyExists(err error) bool {
	return awserr.Is(err, "AlreadyExistsException") || awserr.Is(err, "InvalidInputException") && awserr.Says(err, "already exist")
}

// searchPage is the largest page of a search by LF-tags.
const searchPage = 100

// TableTags are the LF-tags that were assigned to a table itself, folded: a table
// has at most one value of each key.
func (l *Lake) TableTags(ctx context.Context, database, table string) (map[string]string, error) {
	r := Table(l.Account, database, table)
	out, err := l.Client.GetResourceLFTags(ctx, &lakeformation.GetResourceLFTagsInput{CatalogId: aws.String(l.Account), Resource: r.sdk(), ShowAssignedLFTags: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("read the LF-tags of %s: %w", r, err)
	}
	return pairs(out.LFTagsOnTable), nil
}

// TagsOf are the LF-tags that count for each of some tables. Of one whose columns have others
// they are not known.
func (l *Lake) TagsOf(ctx context.Context, tables []access.Object) (map[access.Object]map[string]string, error) {
	all := map[access.Object]map[string]string{}
	for _, o := range tables {
		tags, err := l.AllTags(ctx, o.Database, o.Table)
		if err != nil {
			return nil, err
		}
		if len(tags.Columns) == 0 {
			all[o] = tags.Table
		}
	}
	return all, nil
}

// AllTags are the LF-tags that count for a table: a table inherits those of its database,
// a column those of its table, and what is assigned further down counts
// (https://docs.aws.amazon.com/lake-formation/latest/dg/how-TBAC-works.html).
func (l *Lake) AllTags(ctx context.Context, database, table string) (Tags, error) {
	r := Table(l.Account, database, table)
	out, err := l.Client.GetResourceLFTags(ctx, &lakeformation.GetResourceLFTagsInput{CatalogId: aws.String(l.Account), Resource: r.sdk(), ShowAssignedLFTags: aws.Bool(false)})
	if err != nil {
		return Tags{}, fmt.Errorf("read the LF-tags of %s: %w", r, err)
	}
	tags := Tags{Table: pairs(out.LFTagOnDatabase)}
	maps.Copy(tags.Table, pairs(out.LFTagsOnTable))
	for _, c := range out.LFTagsOnColumns {
		column := maps.Clone(tags.Table)
		maps.Copy(column, pairs(c.LFTags))
		if !maps.Equal(column, tags.Table) {
			// Others have what the table has.
			tags.Columns, tags.OnColumns = append(tags.Columns, column), append(tags.OnColumns, strings.ToLower(aws.ToString(c.Name)))
		}
	}
	return tags, nil
}

func pairs(list []types.LFTagPair) map[string]string {
	tags := map[string]string{}
	for _, p := range list {
		if len(p.TagValues) > 0 {
			tags[FoldTag(aws.ToString(p.TagKey))] = FoldTag(p.TagValues[0])
		}
	}
	return tags
}

// TaggedTable is a table with the LF-tags on it.
type TaggedTable struct {
	// Table is the table.
	Table Resource
	// Tags are the tags on it, folded.
	Tags map[string]string
}

// TablesWithTags lists the tables that carry all of the LF-tags, page by page, all
// pages.
func (l *Lake) TablesWithTags(ctx context.Context, tags map[string]string) iter.Seq2[TaggedTable, error] {
	return func(yield func(TaggedTable, error) bool) {
		var expression []types.LFTag
		for k, v := range tags {
			expression = append(expression, types.LFTag{TagKey: aws.String(FoldTag(k)), TagValues: []string{FoldTag(v)}})
		}
		pages := lakeformation.NewSearchTablesByLFTagsPaginator(l.Client, &lakeformation.SearchTablesByLFTagsInput{
			CatalogId: aws.String(l.Account), Expression: expression, MaxResults: aws.Int32(searchPage)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(TaggedTable{}, fmt.Errorf("search tables by LF-tags: %w", err))
				return
			}
			for _, t := range page.TableList {
				r, ok := fromSDK(&types.Resource{Table: t.Table}, l.Account)
				if ok && !yield(TaggedTable{Table: r, Tags: pairs(t.LFTagsOnTable)}, nil) {
					return
				}
			}
		}
	}
}

// AssignTags assigns LF-tags to a table, all in one call. The call succeeds even
// if some of them fail: failed are those, by key, and why. With an error none was
// assigned.
func (l *Lake) AssignTags(ctx context.Context, table Resource, tags map[string]string) (failed map[string]error, _ error) {
	var list []types.LFTagPair
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.LFTagPair{CatalogId: aws.String(l.Account), TagKey: aws.String(FoldTag(k)), TagValues: []string{FoldTag(tags[k])}})
	}
	out, err := l.Client.AddLFTagsToResource(ctx, &lakeformation.AddLFTagsToResourceInput{CatalogId: aws.String(l.Account), Resource: table.sdk(), LFTags: list})
	if err != nil {
		return nil, fmt.Errorf("assign LF-tags to %s: %w", table, err)
	}
	failed = make(map[string]error, len(out.Failures))
	for _, f := range out.Failures {
		code, message := "UnknownError", "Lake Formation gave no reason"
		if f.Error != nil {
			code, message = aws.ToString(f.Error.ErrorCode), aws.ToString(f.Error.ErrorMessage)
		}
		if f.LFTag == nil {
			// It does not say of which it speaks.
			return nil, fmt.Errorf("assign LF-tags to %s: %w", table, awserr.New(code, message))
		}
		failed[FoldTag(aws.ToString(f.LFTag.TagKey))] = awserr.New(code, message)
	}
	return failed, nil
}
