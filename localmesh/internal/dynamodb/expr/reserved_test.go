package expr

import (
	"slices"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// AWS's page lists 573 words.
func TestEveryReservedWordIsRefused(t *testing.T) {
	t.Parallel()
	all := strings.Fields(reservedWords)
	if len(all) != 573 || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("%d words, or not in order, or some twice", len(all))
	}
	for _, word := range all {
		for _, name := range []string{word, strings.ToLower(word)} {
			scope := func() *Scope {
				s, err := NewScope(nil, map[string]value.Value{":v": value.OfMap(value.Item{})})
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			_, condition := scope().Condition(ConditionExpression, "a = :v AND "+name+" = :v")
			_, projection := scope().Projection("a, " + name)
			_, nested := scope().Projection("a." + name)
			_, update := scope().Update("SET " + name + " = :v")
			for what, err := range map[string]error{"condition": condition, "projection": projection, "nested": nested, "update": update} {
				if err == nil {
					t.Errorf("%s is taken in a %s", name, what)
				}
			}
		}
	}
}
