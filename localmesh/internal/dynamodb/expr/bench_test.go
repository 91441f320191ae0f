package expr_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/expr"
)

func BenchmarkCondition(b *testing.B) {
	const text = "attribute_exists(id) AND (num BETWEEN :one AND :twenty OR begins_with(#id, :a)) AND NOT contains(tags, :s) AND doc.a.b <> :n"
	on := item(b, theItem)
	b.Run("Parse", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := scope(b).Condition(expr.ConditionExpression, text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Meets", func(b *testing.B) {
		c, err := scope(b).Condition(expr.ConditionExpression, text)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for range b.N {
			if !c.Meets(on) {
				b.Fatal("it is met")
			}
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	const text = "SET #status = :s, seq = list_append(seq, :list), num = num + :one, doc.a.b = :n REMOVE neg, bin ADD nums :ns DELETE tags :ss"
	on := item(b, theItem)
	b.ReportAllocs()
	for range b.N {
		u, err := scope(b).Update(text)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := u.Apply(on); err != nil {
			b.Fatal(err)
		}
	}
}
