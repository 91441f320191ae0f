package state_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Partitions that differ in any part of their storage do not share a layout.
func TestEveryPartOfAPartitionsStorageIsKept(t *testing.T) {
	t.Parallel()
	descriptors := []state.StorageDescriptor{
		{},
		{Columns: []state.Column{{Name: "a"}}}, {Columns: []state.Column{{Name: "a", Type: "b"}}}, {Columns: []state.Column{{Name: "a", Comment: "b"}}},
		{Columns: []state.Column{{Name: "a", Parameters: map[string]string{"b": "c"}}}}, {Columns: []state.Column{{Name: "a"}, {Name: "b"}}},
		{Location: "s3://a"}, {AdditionalLocations: []string{"a"}}, {InputFormat: "a"}, {OutputFormat: "a"}, {Compressed: true}, {NumberOfBuckets: 1},
		{SerDe: &state.SerDe{}}, {SerDe: &state.SerDe{Name: "a"}}, {SerDe: &state.SerDe{Library: "a"}}, {SerDe: &state.SerDe{Parameters: map[string]string{"a": "b"}}},
		{BucketColumns: []string{"a"}}, {SortColumns: []state.SortColumn{{Column: "a"}}}, {SortColumns: []state.SortColumn{{Column: "a", Order: 1}}},
		{Parameters: map[string]string{"a": "b"}}, {Parameters: map[string]string{"a": "c"}}, {Parameters: map[string]string{"b": "b"}},
		{Skew: &state.Skew{}}, {Skew: &state.Skew{Columns: []string{"a"}}}, {Skew: &state.Skew{Values: []string{"a"}}}, {Skew: &state.Skew{Locations: map[string]string{"a": "b"}}},
		{StoredAsSubDirectories: true},
		{Columns: []state.Column{}}, {Columns: []state.Column{{Name: "a", Parameters: map[string]string{}}}}, {AdditionalLocations: []string{}},
		{BucketColumns: []string{}}, {SortColumns: []state.SortColumn{}}, {Parameters: map[string]string{}}, {SerDe: &state.SerDe{Parameters: map[string]string{}}},
		{Skew: &state.Skew{Columns: []string{}}}, {Skew: &state.Skew{Values: []string{}}}, {Skew: &state.Skew{Locations: map[string]string{}}},
		{Schema: &state.SchemaReference{}}, {Schema: &state.SchemaReference{ARN: "a"}}, {Schema: &state.SchemaReference{Registry: "a"}},
		{Schema: &state.SchemaReference{Name: "a"}}, {Schema: &state.SchemaReference{VersionID: "a"}}, {Schema: &state.SchemaReference{VersionNumber: 1}},
	}
	table := state.Table{ID: "t", PartitionKeys: []state.Column{{Name: "day"}}}
	err := store.Memory().Update(func(tx store.Tx) error {
		for i := range descriptors {
			if err := state.PutPartition(tx, table, []string{fmt.Sprint(i)}, state.Partition{}, &descriptors[i]); err != nil {
				return err
			}
		}
		for i, want := range descriptors {
			_, got, ok, err := state.GetPartition(tx, table, []string{fmt.Sprint(i)})
			if err != nil || !ok {
				return fmt.Errorf("partition %d: %v, %w", i, ok, err)
			}
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("partition %d: %s", i, diff)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
