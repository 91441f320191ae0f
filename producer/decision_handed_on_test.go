package producer_test

import (
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/producer"
)

// What an account handed on falls with what is revoked from it, and be it only the right to
// hand it on. The owner is told before.
func TestAnOwnerIsToldWhatAConsumersPrincipalsLose(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		permissions, grantable []string
		says, not              []string
	}{
		"none to hand on": {[]string{"SELECT", "INSERT"}, []string{}, []string{"account " + consumerAccount, "INSERT, SELECT on table", "loses it at once", "hand none of it on again"}, []string{"FinalizeSubscription"}},
		"less to hand on": {[]string{"SELECT", "INSERT"}, []string{"SELECT"}, []string{"was given INSERT on table", "hand none of it on again"}, []string{"SELECT"}},
		"less":            {[]string{"SELECT"}, nil, []string{"was given INSERT on table"}, []string{"SELECT"}},
		"the same":        {[]string{"SELECT", "INSERT"}, nil, nil, []string{"loses"}},
		"more":            {[]string{"SELECT", "INSERT", "DELETE"}, nil, nil, []string{"loses"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.request(t, consumerAccount, []string{"orders"}, "SELECT", "INSERT")
			w.approve(t, producer.ApproveInput{RequestID: id})
			todo, err := w.producer.PlanUpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: test.permissions, GrantablePermissions: test.grantable})
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, warning := range todo.Warnings {
				if strings.HasPrefix(warning, "whoever in account ") {
					text += warning + "\n"
				}
			}
			for _, part := range test.says {
				if !strings.Contains(text, part) {
					t.Errorf("%q is not in %q", part, text)
				}
			}
			for _, part := range test.not {
				if strings.Contains(text, part) {
					t.Errorf("%q is in %q", part, text)
				}
			}
		})
	}
}
