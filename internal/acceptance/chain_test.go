package acceptance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// chainHolds checks at the end of a test that whoever took part finds nothing wrong, but
// for what the test says that it leaves. A consumer may still have to import what was
// approved, or to remove the link to what has ended, which nobody else can: then that mends
// all of it.
func (w *world) chainHolds() {
	if w.t.Failed() || w.t.Skipped() || w.breaks {
		return
	}
	for account, p := range w.producers {
		w.finds("producer "+account, w.left[account], func() (*chain.Verification, error) { return p.Verify(w.ctx(), producer.VerifyInput{}) })
	}
	a, err := admin.New(w.ctx(), w.Options(meshAccount))
	w.must(err)
	w.finds("the administrator", w.ofMesh(), func() (*chain.Verification, error) { return a.Verify(w.ctx(), admin.VerifyInput{}) })
	for account, c := range w.consumers {
		left := w.left["as consumer "+account]
		verify := func() (*chain.Verification, error) { return c.Verify(w.ctx(), consumer.VerifyInput{}) }
		w.finds("consumer "+account, left, func() (*chain.Verification, error) {
			v, err := verify()
			if v != nil {
				v.Findings = slices.DeleteFunc(v.Findings, w.remains)
			}
			return v, err
		})
		v, err := verify()
		w.must(err)
		if !slices.ContainsFunc(v.Findings, w.remains) {
			continue
		}
		if _, err := c.Repair(w.ctx(), v); err != nil {
			w.t.Errorf("consumer %s repairs: %v", account, err)
		}
		w.finds("consumer "+account+", after its repair", left, func() (*chain.Verification, error) {
			v, err := verify()
			if v != nil {
				v.Findings = slices.DeleteFunc(v.Findings, waits)
			}
			return v, err
		})
	}
}

// ofMesh is what the mesh's administrator sees of what producers find, and what it finds
// besides.
func (w *world) ofMesh() []string {
	all := slices.Clone(w.left["as administrator"])
	for account := range w.producers {
		for _, line := range w.left[account] {
			if link := strings.Split(line, ", ")[1]; link == string(chain.Record) || link == string(chain.Grant) {
				all = append(all, line)
			}
		}
	}
	return all
}

// waits reports whether a finding is a link that leads nowhere while a request waits, which is
// left for when that is approved.
func waits(f chain.Finding) bool {
	return f.Kind == chain.TooMuch && f.Link == chain.ResourceLink && f.Repairs == chain.Owner
}

// remains reports whether a finding is what a consumer still has to do.
func (w *world) remains(f chain.Finding) bool {
	return waits(f) || f.Mends.By == chain.ByTidying || f.Mends.By == chain.ByImporting && (f.Link == chain.Invitation || f.Link == chain.ResourceLink || strings.HasPrefix(f.Resource, "subscription "))
}

// finds checks what a verification finds, once everything is known.
func (w *world) finds(who string, want []string, verify func() (*chain.Verification, error)) {
	w.t.Helper()
	if diff := w.difference(want, verify); diff != "" {
		w.t.Errorf("%s: the chain is not as it was decided (-want +found):\n%s", who, diff)
	}
}

func (w *world) difference(want []string, verify func() (*chain.Verification, error)) (diff string) {
	want = slices.Sorted(slices.Values(append([]string{}, want...)))
	w.inTheEnd(func() bool {
		v, err := verify()
		if err != nil {
			diff = err.Error()
			return false
		}
		if w.Readings().GrantedFiltersStay {
			// What a consumer has handed on keeps a filter that nobody uses any more.
			v.Findings = slices.DeleteFunc(v.Findings, func(f chain.Finding) bool { return f.Kind == chain.TooMuch && strings.Contains(f.Resource, "filter ") })
		}
		diff = cmp.Diff(want, slices.Sorted(slices.Values(said(v))))
		return diff == ""
	})
	return diff
}

// said are the findings as lines.
func said(v *chain.Verification) []string {
	lines := []string{}
	for _, f := range v.Findings {
		lines = append(lines, fmt.Sprintf("%s, %s, %s, %s", f.Kind, f.Link, f.Resource, f.Principal))
	}
	return lines
}

// leaves tells what a producer finds at the end of the test, and leavesConsumer what a
// consumer does.
func (w *world) leaves(account string, lines ...string) { w.left[account] = lines }

func (w *world) leavesAdministrator(lines ...string) { w.left["as administrator"] = lines }

func (w *world) leavesConsumer(account string, lines ...string) {
	w.left["as consumer "+account] = lines
}

// hasLeft is what a producer finds of a subscription that was left and is not settled.
func hasLeft(id, account string) string {
	return "too much, record, subscription " + id + ", " + account
}

// lakeAdministrator is an account's administrator, made a data lake administrator.
func (w *world) lakeAdministrator(account string) *lakeformation.Client {
	w.t.Helper()
	client := lakeformation.NewFromConfig(w.Config(meshtest.Administrator(account)))
	out, err := client.GetDataLakeSettings(w.ctx(), &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	out.DataLakeSettings.DataLakeAdmins = append(out.DataLakeSettings.DataLakeAdmins,
		lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(account))})
	_, err = client.PutDataLakeSettings(w.ctx(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings})
	w.must(err)
	return client
}

// The check at the end of each test finds what is wrong.
func TestWhatALifeLeavesIsFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meshtest.Without(t, w.Mesh.Mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
	w.active(customers)
	if _, err := w.lakeAdministrator(meshAccount).GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(otherConsumer)}, Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), Name: aws.String(customers)}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.lakeAdministrator(consumerAccount).RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(self())}, Permissions: []lftypes.Permission{lftypes.PermissionDescribe},
		Resource: &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(product)}}}); err != nil {
		t.Fatal(err)
	}
	if diff := w.difference(nil, func() (*chain.Verification, error) { return w.producer.Verify(w.ctx(), producer.VerifyInput{}) }); diff == "" {
		t.Error("a producer does not find what nobody decided")
	}
	if diff := w.difference(nil, func() (*chain.Verification, error) { return w.consumer.Verify(w.ctx(), consumer.VerifyInput{}) }); diff == "" {
		t.Error("a consumer does not find that a grant on its link is gone")
	}
	w.leaves(producerAccount, "undecided, grant, table "+product+"."+customers+", "+otherConsumer)
	w.leavesConsumer(consumerAccount, "missing, handed on, link database "+product+", "+self())
}
