package admin

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
)

var update = flag.Bool("update", false, "write the roles' documents into their golden file")

// Every change of what a role may do, or of whom it trusts, is seen in a difference
// of one file.
func TestTheDocumentsOfAllRoles(t *testing.T) {
	t.Parallel()
	const golden = "testdata/roles.golden"
	a := &Admin{account: testMesh, mesh: testMesh, region: lakemesh.DefaultRegion, partition: lakemesh.PartitionAWS}
	roles := append(a.meshRoles(), a.meshProducer(alice, members{sharing: ThroughServices, ending: EndsScheduled}), a.endingRole(alice, ThroughServices), a.dataAccess(alice, []string{"arn:aws:kms:eu-west-1:" + alice + ":key/1", "arn:aws:kms:us-east-1:" + bob + ":key/mrk-2"}), a.meshConsumer(bob),
		role{name: lakemesh.ProducerRole, trust: trustAccount(lakemesh.PartitionAWS, alice), policy: producerPolicy(lakemesh.PartitionAWS, testMesh, alice, "arn:aws:iam::"+alice+":role/Crawler", []string{"flights"}, []string{"arn:aws:kms:us-east-1:" + alice + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"})},
		role{name: lakemesh.ConsumerRole, trust: trustAccount(lakemesh.PartitionAWS, bob), policy: consumerPolicy(lakemesh.PartitionAWS, testMesh, bob, []string{"ap-southeast-2", "eu-central-1"})})
	var got bytes.Buffer
	for _, r := range roles {
		for _, d := range []struct{ what, text string }{{"trust", r.trust.String()}, {"policy", r.policy.String()}} {
			fmt.Fprintf(&got, "== %s of %s\n", d.what, r.name)
			if err := json.Indent(&got, []byte(d.text), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
		}
	}
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("run the test with -update and look at the difference:\n%s", diff)
	}
}
