package glue_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
)

func BenchmarkBatchCreatePartition(b *testing.B) {
	w := newWorld(b)
	c := w.admin(owner)
	w.partitioned(c)
	values := make([]string, 0, 100)
	b.ResetTimer()
	for i := range b.N {
		values = values[:0]
		for j := range 100 {
			values = append(values, fmt.Sprintf("%09d", i*100+j))
		}
		w.must(addPartitions(w, c, "db", "t", values...))
	}
}

func BenchmarkGetPartitionsPage(b *testing.B) {
	w := newWorld(b)
	c := w.admin(owner)
	w.partitioned(c)
	w.must(addPartitions(w, c, "db", "t", numbers(50_000)...))
	in := &glue.GetPartitionsInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), ExcludeColumnSchema: aws.Bool(true)}
	b.ResetTimer()
	for range b.N {
		out, err := c.GetPartitions(w.ctx, in)
		w.must(err)
		in.NextToken = out.NextToken
	}
}

func BenchmarkGetTable(b *testing.B) {
	w := newWorld(b)
	c := w.admin(owner)
	w.partitioned(c)
	b.ResetTimer()
	for range b.N {
		w.getTable(c, "db", "t")
	}
}
