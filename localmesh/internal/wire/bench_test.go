package wire_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// benchBatch is a batch of 100 partitions of 20 columns.
func benchBatch() *glue.BatchCreatePartitionInput {
	in := &glue.BatchCreatePartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t")}
	for i := range 100 {
		p := types.PartitionInput{Values: []string{fmt.Sprint(i)}, Parameters: map[string]string{"classification": "csv"},
			StorageDescriptor: &types.StorageDescriptor{Location: aws.String(fmt.Sprint("s3://lake/t/day=", i))}}
		for j := range 20 {
			p.StorageDescriptor.Columns = append(p.StorageDescriptor.Columns, types.Column{Name: aws.String(fmt.Sprint("column_", j)), Type: aws.String("string")})
		}
		in.PartitionInputList = append(in.PartitionInputList, p)
	}
	return in
}

func BenchmarkBatch(b *testing.B) {
	codec := wire.NewCodec(wire.Glue)
	body, err := codec.EncodeJSON(benchBatch())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Decode", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(body)))
		for range b.N {
			if err := codec.DecodeJSON(body, new(glue.BatchCreatePartitionInput)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Encode", func(b *testing.B) {
		in := benchBatch()
		b.ReportAllocs()
		b.SetBytes(int64(len(body)))
		for range b.N {
			if _, err := codec.EncodeJSON(in); err != nil {
				b.Fatal(err)
			}
		}
	})
}
