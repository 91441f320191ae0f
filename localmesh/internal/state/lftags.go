package state

import (
	"maps"
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// AssignTags keeps the LF-tags that are put on exactly one database or table (of
// which column is empty) or one column. The resource's names must be folded.
func AssignTags(tx store.Tx, r Resource, column string, tags map[string]string) error {
	key := []string{r.Account, r.Region, r.Database, r.Table, column}
	before, _, err := TagAssignments.Shared(tx, key...)
	if err != nil {
		return err
	}
	carrier := func(tag, value string) []string {
		return []string{r.Account, r.Region, tag, value, r.Database, r.Table, column}
	}
	for tag, value := range before {
		if tags[tag] != value {
			if err := tagCarriers.Delete(tx, carrier(tag, value)...); err != nil {
				return err
			}
		}
	}
	if len(tags) == 0 {
		return TagAssignments.Delete(tx, key...)
	}
	for tag, value := range tags {
		if err := tagCarriers.Put(tx, struct{}{}, carrier(tag, value)...); err != nil {
			return err
		}
	}
	return TagAssignments.Put(tx, tags, key...)
}

// UnassignTags takes all LF-tags from a database and what is in it, or from a table
// and its columns. The resource's names must be folded.
func UnassignTags(tx store.Tx, r Resource) error {
	prefix := []string{r.Account, r.Region, r.Database}
	if r.Table != "" {
		prefix = append(prefix, r.Table)
	}
	var carriers [][]string
	TagAssignments.ScanKeys(tx, prefix, "", func(key string, _ func() (map[string]string, error)) bool {
		carriers = append(carriers, store.Parts(key))
		return true
	})
	for _, p := range carriers {
		if err := AssignTags(tx, Resource{Account: p[0], Region: p[1], Database: p[2], Table: p[3]}, p[4], nil); err != nil {
			return err
		}
	}
	return nil
}

// TagCarriers are the databases and tables on which, or on a column of which, one of
// the values of an LF-tag was put, in no order; "*" is every value.
func TagCarriers(tx store.Tx, account, region string, tag TagValues) []Resource {
	found := map[Resource]bool{}
	for _, value := range tag.Values {
		prefix := []string{account, region, tag.Key, value}
		if value == "*" {
			prefix = prefix[:3]
		}
		tagCarriers.ScanKeys(tx, prefix, "", func(key string, _ func() (struct{}, error)) bool {
			p := store.Parts(key)
			found[Resource{Account: account, Region: region, Database: p[4], Table: p[5]}] = true
			return true
		})
	}
	return slices.Collect(maps.Keys(found))
}
