package adversary_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// kindOfCall is a raw call without what it is about.
func kindOfCall(name string) string {
	words := strings.Fields(strings.TrimPrefix(name, "raw "))
	if strings.ContainsAny(words[1], "0123456789") {
		return words[0]
	}
	return words[0] + " " + words[1]
}

// administeredBy makes a role an administrator of the mesh's data lake.
func (s *stage) administeredBy(role string) error {
	client := lakeformation.NewFromConfig(s.Config(role))
	out, err := client.GetDataLakeSettings(s.ctx, &lakeformation.GetDataLakeSettingsInput{CatalogId: aws.String(inMesh)})
	if err != nil {
		return err
	}
	settings := out.DataLakeSettings
	settings.DataLakeAdmins = append(settings.DataLakeAdmins, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(role)})
	return errOfCall(client.PutDataLakeSettings(s.ctx, &lakeformation.PutDataLakeSettingsInput{CatalogId: aws.String(inMesh), DataLakeSettings: settings}))
}

// What is refused because it is not well formed shows nothing: each kind of raw call is
// let through for somebody.
func TestEveryKindOfRawCallCanBeMade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		for _, m := range life()[:20] {
			if err := m.do(t, s); err != nil {
				t.Fatalf("%s: %v", m.name, err)
			}
		}
		if err := s.withAStranger(t); err != nil {
			t.Fatal(err)
		}
		a := party{theOwner, true}
		tries, err := s.rawCalls(a, a.roles()[0])
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]error{}
		for _, who := range append(rolesOfTheMesh(), meshtest.Administrator(otherConsumer), lakemesh.RoleARN(inMesh, lakemesh.ManagerRole)) {
			begin, err := s.clone()
			if err != nil {
				t.Fatal(err)
			}
			if who == meshtest.Administrator(inMesh) {
				if err := begin.administeredBy(who); err != nil {
					t.Fatal(err)
				}
			}
			c, err := begin.clone()
			if err != nil {
				t.Fatal(err)
			}
			for _, try := range tries {
				kind := kindOfCall(try.name)
				if was, ok := made[kind]; ok && was == nil {
					continue
				}
				err := try.do(s.ctx, c.Config(who))
				_, forbidden := errors.AsType[*forbiddenCall](err)
				// A bucket that has objects is looked at after the right to delete it.
				if forbidden || awserr.Code(err) == "BucketNotEmpty" || errors.Is(err, errHarmless) && !awserr.Denied(err) {
					err = nil
				}
				if was := made[kind]; err != nil && was != nil && !awserr.Denied(was) {
					continue
				}
				if made[kind] = err; err == nil {
					if err := c.Close(); err != nil {
						t.Fatal(err)
					}
					if c, err = begin.clone(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := errors.Join(c.Close(), begin.Close()); err != nil {
				t.Fatal(err)
			}
		}
		var never []string
		for kind, err := range made {
			if err != nil {
				never = append(never, kind+": "+err.Error())
			}
		}
		slices.Sort(never)
		for _, n := range never {
			t.Errorf("nobody can %.300s", n)
		}
		t.Logf("%d raw calls of %d kinds", len(tries), len(made))
	})
}
