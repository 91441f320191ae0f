package engine_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

func TestATokenLeadsBackToItsKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.String().Draw(t, "key")
		got, err := engine.FromToken(engine.NextToken(key))
		if err != nil || got != key {
			t.Errorf("got %q, %v; want %q", got, err, key)
		}
	})
}

func TestWhatIsNoTokenIsRefused(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"none", "a b", "AAAA", *engine.NextToken("orders") + "AAAA"} {
		if key, err := engine.FromToken(&token); err == nil {
			t.Errorf("%q was taken for the token of %q", token, key)
		}
	}
}
