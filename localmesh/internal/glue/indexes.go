package glue

// https://docs.aws.amazon.com/glue/latest/dg/partition-indexes.html

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// maxIndexes is how many partition indexes a table may have.
const maxIndexes = 3

func indexOperations() []engine.Operation {
	// What Lake Formation asks for is a reading.
	return []engine.Operation{
		engine.Op("CreatePartitionIndex", engine.Write, api+"CreatePartitionIndex.html",
			"IAM on catalog, database and table; ALTER; 3 indexes a table, over some of its partition keys; ACTIVE at once, without a look at the partitions' values; follows a link.", createIndex),
		engine.Op("GetPartitionIndexes", engine.Read, api+"GetPartitionIndexes.html", "IAM on catalog, database and table; DESCRIBE; follows a link.", getIndexes),
		engine.Op("DeletePartitionIndex", engine.Write, api+"DeletePartitionIndex.html", "IAM on catalog, database and table; ALTER; follows a link.", deleteIndex),
	}
}

// checkIndex checks what is given of an index.
func checkIndex(member string, in *types.PartitionIndex) error {
	if in == nil {
		return constraint(member, "null", "not be null")
	}
	if _, err := unfoldedName(member+".indexName", in.IndexName); err != nil {
		return err
	}
	if in.Keys == nil {
		return constraint(member+".keys", "null", "not be null")
	}
	if len(in.Keys) == 0 {
		return count(member+".keys", 0, 1, maxName)
	}
	for i, k := range in.Keys {
		if err := length(fmt.Sprintf("%s.keys.%d.member", member, i+1), k, 1, maxName); err != nil {
			return err
		}
	}
	return nil
}

// addIndex makes an index of a table.
func addIndex(c *engine.Call, t state.Table, in *types.PartitionIndex) error {
	index := state.PartitionIndex{Name: *in.IndexName}
	for _, k := range in.Keys {
		i := slices.IndexFunc(t.PartitionKeys, func(p state.Column) bool { return state.Fold(p.Name) == state.Fold(k) })
		if i < 0 {
			return invalid("Partition index key %s is not a partition key of table %s", k, t.Name)
		}
		key := state.Column{Name: t.PartitionKeys[i].Name, Type: t.PartitionKeys[i].Type}
		if slices.ContainsFunc(index.Keys, func(other state.Column) bool { return other.Name == key.Name }) {
			return invalid("Partition index key %s is named twice", k)
		}
		index.Keys = append(index.Keys, key)
	}
	all, err := state.PartitionIndexes.All(c.Tx, t.ID)
	if err != nil {
		return err
	}
	for _, other := range all {
		sameKeys := slices.EqualFunc(other.Keys, index.Keys, func(a, b state.Column) bool { return a.Name == b.Name })
		if other.Name == index.Name || sameKeys {
			return alreadyExists("Partition index already exists.")
		}
	}
	if len(all) >= maxIndexes {
		return engine.Errorf("ResourceNumberLimitExceededException", "Number of partition indexes exceeds the limit of %d", maxIndexes)
	}
	return state.PartitionIndexes.Put(c.Tx, index, t.ID, index.Name)
}

// openIndexes finds the table whose indexes an operation is about, behind a link.
func openIndexes(c *engine.Call, action string, catalogID, database, table *string, permission string) (state.Table, error) {
	p, t, err := openTable(c, action, catalogID, database, table, nil)
	if err != nil {
		return t, err
	}
	a, t, err := p.follow(action, t)
	if err != nil {
		return t, err
	}
	return t, a.require(t.Resource(), permission)
}

func createIndex(c *engine.Call, in *glue.CreatePartitionIndexInput) (*glue.CreatePartitionIndexOutput, error) {
	if err := checkIndex("partitionIndex", in.PartitionIndex); err != nil {
		return nil, err
	}
	t, err := openIndexes(c, "glue:CreatePartitionIndex", in.CatalogId, in.DatabaseName, in.TableName, lfAlter)
	if err != nil {
		return nil, err
	}
	return &glue.CreatePartitionIndexOutput{}, addIndex(c, t, in.PartitionIndex)
}

func getIndexes(c *engine.Call, in *glue.GetPartitionIndexesInput) (*glue.GetPartitionIndexesOutput, error) {
	t, err := openIndexes(c, "glue:GetPartitionIndexes", in.CatalogId, in.DatabaseName, in.TableName, lfDescribe)
	if err != nil {
		return nil, err
	}
	if in.NextToken != nil {
		return nil, invalid("Invalid next token")
	}
	all, err := state.PartitionIndexes.All(c.Tx, t.ID)
	out := &glue.GetPartitionIndexesOutput{PartitionIndexDescriptorList: []types.PartitionIndexDescriptor{}}
	for _, index := range all {
		d := types.PartitionIndexDescriptor{IndexName: aws.String(index.Name), IndexStatus: types.PartitionIndexStatusActive}
		for _, k := range index.Keys {
			d.Keys = append(d.Keys, types.KeySchemaElement{Name: aws.String(k.Name), Type: aws.String(k.Type)})
		}
		out.PartitionIndexDescriptorList = append(out.PartitionIndexDescriptorList, d)
	}
	return out, err
}

func deleteIndex(c *engine.Call, in *glue.DeletePartitionIndexInput) (*glue.DeletePartitionIndexOutput, error) {
	name, err := unfoldedName("indexName", in.IndexName)
	if err != nil {
		return nil, err
	}
	t, err := openIndexes(c, "glue:DeletePartitionIndex", in.CatalogId, in.DatabaseName, in.TableName, lfAlter)
	if err != nil {
		return nil, err
	}
	if !state.PartitionIndexes.Has(c.Tx, t.ID, name) {
		return nil, notFound("Partition index %s not found.", name)
	}
	return &glue.DeletePartitionIndexOutput{}, state.PartitionIndexes.Delete(c.Tx, t.ID, name)
}
