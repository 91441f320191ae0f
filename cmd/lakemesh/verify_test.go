package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/producer"
)

func TestVerifyHasAnExitCodeOfItsOwnAndRepairs(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	id := m.request("SELECT")
	m.run(0, nil, "request", "approve", id)
	_, said := m.run(0, nil, "verify")
	m.want(said, "^nothing to repair: 1 subscription, 2 grants and [0-9]+ tables hold$")

	// Nobody can read where no location is registered.
	cfg := m.mesh.Config()
	administrator := m.mesh.Credentials.Credentials[lakemesh.MeshIdentity]
	cfg.Credentials = awscredentials.NewStaticCredentialsProvider(administrator.AccessKeyID, string(administrator.SecretAccessKey), string(administrator.SessionToken))
	lake := lakeformation.NewFromConfig(cfg)
	out, err := lake.ListResources(t.Context(), &lakeformation.ListResourcesInput{})
	if err != nil || len(out.ResourceInfoList) == 0 {
		t.Fatalf("%v, %v", out, err)
	}
	for _, r := range out.ResourceInfoList {
		if _, err := lake.DeregisterResource(t.Context(), &lakeformation.DeregisterResourceInput{ResourceArn: r.ResourceArn}); err != nil {
			t.Fatalf("%s: %v", aws.ToString(r.ResourceArn), err)
		}
	}
	table, said := m.run(7, nil, "verify")
	m.want(table, "^missing location: s3://", "^  by subscription "+id+"$", "^  owner:$", "^    lakemesh --local product create ")
	for line := range strings.Lines(table) {
		if len(line) > 81 && !strings.HasPrefix(line, "    lakemesh ") {
			t.Errorf("wider than a terminal: %q", line)
		}
	}
	table, _ = m.run(7, nil, "verify", "--wide")
	m.want(table, "^KIND +LINK +RESOURCE", "^missing +location +s3://.*"+id+".*owner +lakemesh --local product create ")
	m.want(said, "^error: not everything is as it was decided: 1 finding$")
	text, _ := m.run(7, nil, "verify", "--subscription", id, "-o", "json")
	var v producer.Verification
	if err := json.Unmarshal([]byte(text), &v); err != nil || len(v.Findings) != 1 || v.Findings[0].Subscriptions[0] != id {
		t.Errorf("%s, %v", text, err)
	}
	plan, _ := m.run(0, nil, "verify", "--repair", "--dry-run")
	m.want(plan, "register")
	m.run(8, &person{answer: strings.NewReader("n\n")}, "verify", "--repair")
	m.run(7, nil, "verify", "--consumer", m.mesh.Credentials.Credentials[lakemesh.ConsumerIdentity].AccountID)
	m.run(3, nil, "verify", "--consumer", "121212121212")
	_, said = m.run(0, nil, "verify", "--repair")
	m.want(said, "^done: publish table ", "^nothing to repair: ")

	m.run(3, nil, "verify", "--product", "nowhere")
	m.run(2, nil, "verify", "--consumer", "somebody")
	m.run(2, nil, "verify", "--subscription", "nothing")
}

func TestAConsumerVerifiesAndRepairsItsSide(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	id := m.request("SELECT")
	m.run(0, nil, "request", "approve", id)
	table, _ := m.run(7, nil, "verify", "--as", "consumer")
	m.want(table, "^missing handed on: subscription "+id+"$", "^  it was not imported yet$", "^    lakemesh --local subscription import "+id+"$")
	plan, _ := m.run(0, nil, "verify", "--as", "consumer", "--repair", "--dry-run")
	m.want(plan, "link database")
	_, said := m.run(0, nil, "verify", "--as", "consumer", "--repair")
	m.want(said, "^done: import subscription "+id+" again$", "^nothing to repair: 1 subscription, ")
	_, said = m.run(0, nil, "subscription", "update", id, "--grant-permissions", "SELECT")
	m.want(said, "^nothing to do: "+id)
	m.run(0, nil, "subscription", "delete", "--as", "producer", id, "--yes")
	text, _ := m.run(7, nil, "verify", "--as", "consumer", "-o", "json")
	var v producer.Verification
	if err := json.Unmarshal([]byte(text), &v); err != nil || len(v.Findings) != 1 || v.Findings[0].Link != "resource link" || v.Party != "consumer" {
		t.Errorf("%s, %v", text, err)
	}
	_, said = m.run(0, nil, "verify", "--as", "consumer", "--repair")
	m.want(said, "^done: remove links to database ", "^nothing to repair: ")
	_, said = m.run(0, nil, "verify", "--as", "admin")
	m.want(said, "^nothing to repair: ")
	m.run(2, nil, "verify", "--as", "consumer", "--consumer", "121212121212")
	m.run(2, nil, "verify", "--as", "nobody")
}
