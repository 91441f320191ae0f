package acceptance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// Whoever was handed a table by one subscription has it no more when that is left, or ended,
// whatever else there is by which the account is given the table: in each order in which a
// subscription is narrowed and one to the table's data product approved and imported.
func TestWhatWasHandedOnByNameDoesNotOutliveItsSubscriptionInAGroup(t *testing.T) {
	t.Parallel()
	narrowings := map[string]func(w *groups, id string){
		"as it was":     func(*groups, string) {},
		"DESCRIBE only": func(w *groups, id string) { w.update(id, "DESCRIBE") },
		"not to hand on": func(w *groups, id string) {
			w.must(w.producer.UpdateSubscriptionPermissions(w.ctx(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE"}, GrantablePermissions: []string{}}))
		},
	}
	ends := map[string]func(w *groups, id string){
		"left": func(w *groups, id string) {
			w.must(w.consumer.DeleteSubscription(w.ctx(), consumer.LeaveInput{SubscriptionID: id}))
			_, err := w.producer.SettleDepartures(w.ctx())
			w.must(err)
		},
		"ended": func(w *groups, id string) { w.end(id) },
	}
	steps := []string{"narrow", "approve", "import", "end"}
	for _, order := range [][]string{
		{"narrow", "approve", "end", "import"}, {"approve", "narrow", "end", "import"}, {"approve", "end", "import", "narrow"},
		{"approve", "import", "narrow", "end"}, {"approve", "narrow", "import", "end"}, {"narrow", "approve", "import", "end"},
	} {
		if len(order) != len(steps) {
			t.Fatal(order)
		}
		for how, narrow := range narrowings {
			if order[3] == "narrow" && how != "as it was" {
				// What has ended is not narrowed.
				continue
			}
			for ended, end := range ends {
				t.Run(fmt.Sprintf("%s, %s: %s", how, ended, strings.Join(order, ", ")), func(t *testing.T) {
					t.Parallel()
					w := newGroups(t)
					analyst := w.Reader(consumerAccount, "Analyst")
					id := w.request([]string{orders}, "SELECT")
					w.approve(id)
					w.finalize(id, analyst)
					w.reads(analyst, orders)
					twin := w.asks("", "Flights")
					for _, step := range order {
						switch step {
						case "narrow":
							narrow(w, id)
						case "approve":
							w.approve(twin)
						case "import":
							w.finalize(twin)
						case "end":
							end(w, id)
						}
					}
					// What an import came too early for, a verification finds, and mends.
					var told []string
					w.inTheEnd(func() bool {
						v, err := w.consumer.Verify(w.ctx(), consumer.VerifyInput{})
						w.must(err)
						told = nil
						for _, f := range v.Findings {
							if f.Kind != chain.TooMuch || f.Principal != analyst {
								told = append(told, fmt.Sprintf("%+v", f))
							}
						}
						if reading(w, analyst) {
							told = append(told, "nothing of it is that "+analyst+" reads "+orders+" by a subscription that is past")
						}
						if len(v.Findings) > 0 {
							told = slices.DeleteFunc(told, func(line string) bool { return strings.HasPrefix(line, "nothing of it") })
						}
						return len(told) == 0
					})
					for _, line := range told {
						t.Errorf("it finds %s", line)
					}
					w.inTheEnd(func() bool {
						v, err := w.consumer.Verify(w.ctx(), consumer.VerifyInput{})
						w.must(err)
						_, err = w.consumer.Repair(w.ctx(), v)
						return err == nil && !reading(w, analyst)
					})
					w.reads(analyst)
					w.consumerFinds("after that")
				})
			}
		}
	}
}

func reading(w *groups, role string) bool {
	_, _, err := w.Query(w.ctx(), role, w.inMesh(source), orders)
	return err == nil
}

// What waits for an import is not told as something that its owner has to give.
func TestAGroupThatWaitsForItsImportLacksNoGrant(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.request([]string{orders}, "SELECT")
	w.approve(id)
	w.finalize(id, analyst)
	twin := w.asks("", "Flights")
	w.approve(twin)
	var found []string
	if !meshtest.Soon(w.Mesh.Mesh, func() bool {
		v, err := w.consumer.Verify(w.ctx(), consumer.VerifyInput{})
		w.must(err)
		found = nil
		for _, f := range v.Findings {
			found = append(found, string(f.Repairs)+" "+f.Command)
		}
		slices.Sort(found)
		found = slices.Compact(found)
		return cmp.Equal([]string{"consumer lakemesh subscription import " + twin}, found)
	}) {
		t.Errorf("it finds %q", found)
	}
}

// What somebody of the account handed on by hand is the account's own affair, also after a
// subscription was left by which somebody else had it.
func TestImportingAGroupTakesBackNothingThatWasHandedOnByHand(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	analyst, other := w.Reader(consumerAccount, "Analyst"), w.Reader(consumerAccount, "Other")
	id := w.request([]string{orders}, "SELECT")
	w.approve(id)
	w.finalize(id, analyst)
	twin := w.flights()
	onTable := &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(w.inMesh(source)), Name: aws.String(orders)}}
	w.must(w.gives(consumerAccount, other, onTable, lftypes.PermissionSelect))
	w.must(w.gives(consumerAccount, other, onDatabase(meshAccount, w.inMesh(source)), lftypes.PermissionDescribe))
	w.end(id)
	w.finalize(twin)
	w.reads(other, orders)
	w.reads(analyst)
}
