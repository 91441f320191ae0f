package acceptance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/producer"
)

// A grant on a table that somebody took away by hand is missed by everybody, also where a group
// gives the account the same table: it would be missing when that ends.
func TestAGrantBesideAGroupIsMissedByEverybody(t *testing.T) {
	t.Parallel()
	w := newGroups(t)
	if w.Readings().ListingsShowOwnRows {
		t.Skip("under this reading nothing tells the owner of a grant by name beside one by LF-tags")
	}
	w.breaks = true
	analyst := w.Reader(consumerAccount, "Analyst")
	id := w.request([]string{orders}, "SELECT", "DESCRIBE")
	w.approve(id)
	w.finalize(id, analyst)
	w.flights(analyst)
	client := lakeformation.NewFromConfig(w.manager())
	_, err := client.RevokePermissions(w.ctx(), &lakeformation.RevokePermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)},
		Resource:    &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(w.inMesh(source)), Name: aws.String(orders)}},
		Permissions: []lftypes.Permission{lftypes.PermissionSelect}, PermissionsWithGrantOption: []lftypes.Permission{lftypes.PermissionSelect}})
	w.must(err)
	misses := func(f []chain.Finding) bool {
		for _, one := range f {
			if one.Kind == chain.Missing && one.Principal == consumerAccount && one.Link == chain.Grant {
				return true
			}
		}
		return false
	}
	for who, verify := range map[string]func() (*chain.Verification, error){
		"the owner":         func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) },
		"the consumer":      func() (*chain.Verification, error) { return w.consumer.Verify(w.ctx(), consumer.VerifyInput{}) },
		"the administrator": func() (*chain.Verification, error) { return w.administers().Verify(w.ctx(), admin.VerifyInput{}) },
	} {
		if !w.inTheEnd(func() bool {
			v, err := verify()
			w.must(err)
			return misses(v.Findings)
		}) {
			t.Errorf("%s finds nothing", who)
		}
	}
	v, err := w.producer.Verify(w.ctx(), producer.VerifyInput{})
	w.must(err)
	_, err = w.producer.Repair(w.ctx(), v)
	w.must(err)
	if !w.inTheEnd(func() bool {
		v, err := w.producer.Verify(w.ctx(), producer.VerifyInput{})
		w.must(err)
		return len(v.Findings) == 0
	}) {
		t.Error("it is not repaired")
	}
}
