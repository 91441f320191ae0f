package producer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/producer"
)

// carryOut does what a finding's command says. It knows the commands that findings of
// owners have, and fails at any other.
func (w *world) carryOut(t *testing.T, command string) error {
	t.Helper()
	words := strings.Fields(command)
	flag := func(name string) string {
		if i := slices.Index(words, "--"+name); i >= 0 {
			return words[i+1]
		}
		return ""
	}
	list := func(name string) []string {
		all := slices.DeleteFunc(strings.Split(flag(name), ","), func(p string) bool { return p == "none" || p == "" })
		return append([]string{}, all...)
	}
	ctx := t.Context()
	switch {
	case strings.HasPrefix(command, "lakemesh product sync "):
		_, err := w.producer.SyncProducts(ctx, producer.SyncInput{DatabaseName: flag("database-name"), TableNameRegex: flag("table-name-regex"), Overwrite: slices.Contains(words, "--overwrite"), Deep: slices.Contains(words, "--deep")})
		return err
	case strings.HasPrefix(command, "lakemesh product create "):
		_, err := w.producer.CreateDataProducts(ctx, producer.CreateDataProductsInput{SourceDatabaseName: flag("source-database-name"), TableNameRegex: flag("table-name-regex"), ExposeDataMeshDBName: flag("expose-data-mesh-db-name")})
		return err
	case strings.HasPrefix(command, "lakemesh subscription update "):
		return w.producer.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: words[3], GrantPermissions: list("grant-permissions"), GrantablePermissions: list("grantable-permissions")})
	case strings.HasPrefix(command, "lakemesh subscription abort "):
		return w.producer.AbortDecision(ctx, producer.AbortInput{SubscriptionID: words[3]})
	case strings.HasPrefix(command, "lakemesh subscription delete "):
		return w.producer.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: words[3]})
	case command == "lakemesh subscription settle":
		_, err := w.producer.SettleDepartures(ctx)
		return err
	}
	return fmt.Errorf("no command that a finding has: %q", command)
}

// remedied carries out the owner's commands of all findings, and fails if a finding that
// had one is still there.
func (w *world) remedied(t *testing.T) {
	t.Helper()
	v, _ := w.verify(t, producer.VerifyInput{})
	said := func(f chain.Finding) string {
		return fmt.Sprintf("%s, %s, %s, %s", f.Kind, f.Link, f.Resource, f.Principal)
	}
	promised, done := map[string]string{}, map[string]bool{}
	var again []chain.Finding
	for _, f := range v.Findings {
		if f.Repairs != chain.Owner || f.Command == "" {
			continue
		}
		promised[said(f)] = f.Command
		if !done[f.Command] {
			done[f.Command] = true
			if err := w.carryOut(t, f.Command); err != nil {
				again = append(again, f)
			}
		}
	}
	for _, f := range again {
		// What follows in the chain can be in the way.
		if err := w.carryOut(t, f.Command); err != nil {
			t.Errorf("%s, of %s: %v", f.Command, said(f), err)
		}
	}
	v, _ = w.verify(t, producer.VerifyInput{})
	for _, f := range v.Findings {
		if command, ok := promised[said(f)]; ok {
			t.Errorf("after %s there is still: %s, %s", command, said(f), f.What)
		}
	}
}
