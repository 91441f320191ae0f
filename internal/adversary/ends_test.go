package adversary_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// A schedule's input is free: whoever may make one, with a role, has that role call what it
// likes. What a producer can have its ending role do is what it may do itself, and less.
func TestAProducerCanNotUseSchedulesAgainstOthers(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	m := meshtest.Accounts(t, localmesh.WithClock(now))
	m.AddProducer(meshtest.OtherProducer)
	m.ScheduleEnds()
	const victim, attacker = meshtest.ProducerAccount, meshtest.OtherProducer
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	opened := func(account string) lakemesh.Options {
		o := m.Options(account)
		o.Now = now
		return o
	}
	ids := map[string]string{}
	for _, owner := range []string{victim, attacker} {
		m.Bucket(owner, "data-"+owner)
		m.Database(owner, "sales")
		m.Table(owner, "sales", meshtest.CSV("orders", "s3://data-"+owner+"/orders/"))
		p, err := producer.New(t.Context(), opened(owner))
		must(err)
		_, err = p.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "sales"})
		must(err)
		c, err := consumer.New(t.Context(), opened(meshtest.ConsumerAccount))
		must(err)
		out, err := c.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: owner, DatabaseName: "sales-" + owner, Tables: []string{"orders"},
			RequestPermissions: []string{"SELECT"}, Until: now().Add(90 * 24 * time.Hour)})
		must(err)
		must(p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: out.SubscriptionID}))
		ids[owner] = out.SubscriptionID
	}
	before := len(m.Schedules())
	cfg := m.Config(lakemesh.RoleARN(meshtest.MeshAccount, lakemesh.MeshProducerRole(attacker)))
	raw := scheduler.NewFromConfig(cfg)
	refused := func(what string, err error) {
		t.Helper()
		if !identity.IsAccessDenied(err) {
			t.Errorf("%s: got %v, want a refusal", what, err)
		}
	}
	schedule := func(name, role, action string, input any) error {
		text, err := json.Marshal(input)
		must(err)
		_, err = raw.CreateSchedule(t.Context(), &scheduler.CreateScheduleInput{GroupName: aws.String(lakemesh.EndingGroup), Name: &name,
			ScheduleExpression: aws.String(now().Add(time.Hour).UTC().Format("at(2006-01-02T15:04:05)")), FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
			Target: &types.Target{Arn: aws.String("arn:aws:scheduler:::aws-sdk:" + action), RoleArn: aws.String(lakemesh.RoleARN(meshtest.MeshAccount, role)), Input: aws.String(string(text)),
				DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String(lakemesh.EndingQueueARN("us-east-1", meshtest.MeshAccount, attacker))}}})
		return err
	}
	who := map[string]any{"DataLakePrincipalIdentifier": meshtest.ConsumerAccount}
	on := func(owner string) map[string]any {
		return map[string]any{"Table": map[string]any{"DatabaseName": "sales-" + owner, "Name": "orders"}}
	}
	revocation := map[string]any{"Principal": who, "Resource": on(victim), "Permissions": []string{"SELECT"}}

	// Another's role, another's name, any other role of the mesh.
	for _, role := range []string{lakemesh.EndingRole(victim), lakemesh.ManagerRole, lakemesh.MeshProducerRole(victim), lakemesh.MeshProducerRole(attacker), lakemesh.DataAccessRole(attacker)} {
		refused("a schedule with role "+role, schedule(attacker+"-x", role, "lakeformation:revokePermissions", revocation))
	}
	refused("a schedule of another's name", schedule(victim+"-x", lakemesh.EndingRole(attacker), "lakeformation:revokePermissions", revocation))
	for name := range m.Schedules() {
		if !strings.HasPrefix(name, victim) {
			continue
		}
		group, one := aws.String(lakemesh.EndingGroup), aws.String(name)
		_, err := raw.GetSchedule(t.Context(), &scheduler.GetScheduleInput{GroupName: group, Name: one})
		refused("read another's schedule", err)
		_, err = raw.DeleteSchedule(t.Context(), &scheduler.DeleteScheduleInput{GroupName: group, Name: one})
		refused("delete another's schedule", err)
	}
	_, err := raw.ListSchedules(t.Context(), &scheduler.ListSchedulesInput{})
	refused("list schedules", err)
	_, err = raw.DeleteScheduleGroup(t.Context(), &scheduler.DeleteScheduleGroupInput{Name: aws.String(lakemesh.EndingGroup)})
	refused("delete the group", err)
	for _, role := range []string{lakemesh.EndingRole(attacker), lakemesh.EndingRole(victim)} {
		_, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(lakemesh.RoleARN(meshtest.MeshAccount, role)), RoleSessionName: aws.String("me")})
		refused("become "+role, err)
	}
	// A consumer has nothing to do with schedules.
	_, err = scheduler.NewFromConfig(m.Config(lakemesh.RoleARN(meshtest.MeshAccount, lakemesh.MeshConsumerRole(meshtest.ConsumerAccount)))).
		DeleteSchedule(t.Context(), &scheduler.DeleteScheduleInput{GroupName: aws.String(lakemesh.EndingGroup), Name: aws.String(victim + "-x")})
	refused("a consumer deletes a schedule", err)

	// Dead letters: nobody but the role writes them, and each owner sees its own.
	url := func(owner string) *string {
		return aws.String(fmt.Sprintf("https://sqs.us-east-1.amazonaws.com/%s/%s", meshtest.MeshAccount, lakemesh.EndingQueue(owner)))
	}
	for who, cfg := range map[string]aws.Config{"the attacker": cfg, "an administrator": m.Config(meshtest.Administrator(meshtest.MeshAccount))} {
		_, err := sqs.NewFromConfig(cfg).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url(victim), MessageBody: aws.String("{}")})
		refused(who+" writes a dead letter", err)
	}
	_, err = sqs.NewFromConfig(cfg).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url(victim)})
	refused("read another's dead letters", err)

	// What the attacker may: its own ending role, with any input. Nothing comes of it.
	own := lakemesh.EndingRole(attacker)
	stranger := map[string]any{"DataLakePrincipalIdentifier": "888888888888"}
	attacks := map[string]any{
		"lakeformation:revokePermissions":      revocation,
		"lakeformation:batchRevokePermissions": map[string]any{"Entries": []any{map[string]any{"Id": "1", "Principal": who, "Resource": on(victim), "Permissions": []string{"SELECT"}}}},
		"lakeformation:grantPermissions":       map[string]any{"Principal": stranger, "Resource": on(attacker), "Permissions": []string{"SELECT"}},
		"lakeformation:batchGrantPermissions":  map[string]any{"Entries": []any{map[string]any{"Id": "1", "Principal": stranger, "Resource": on(victim), "Permissions": []string{"SELECT"}}}},
		"lakeformation:putDataLakeSettings":    map[string]any{"DataLakeSettings": map[string]any{"DataLakeAdmins": []any{stranger}}},
		"glue:deleteTable":                     map[string]any{"DatabaseName": "sales-" + victim, "Name": "orders"},
		"dynamodb:updateItem": map[string]any{"TableName": lakemesh.DecisionsTable, "Key": map[string]any{"Key": map[string]any{"S": ids[victim]}},
			"UpdateExpression": "REMOVE #s", "ExpressionAttributeNames": map[string]any{"#s": "Status"}},
	}
	n := 0
	for action, input := range attacks {
		n++
		must(schedule(fmt.Sprintf("%s-%d", attacker, n), own, action, input))
	}
	ahead.Add(int64(2 * time.Hour))
	must(m.RunDue(t.Context()))
	letters, err := m.DeadLetters(lakemesh.EndingQueueARN("us-east-1", meshtest.MeshAccount, attacker))
	must(err)
	if len(letters) != len(attacks) {
		t.Errorf("%d of %d attacks were given up: %+v", len(letters), len(attacks), letters)
	}
	for _, l := range letters {
		if !strings.Contains(l.Code, "AccessDenied") {
			t.Errorf("%s: %s: %s", l.Target, l.Code, l.Message)
		}
	}
	if n := len(m.Schedules()); n != before+len(attacks) {
		t.Errorf("%d schedules, want those of before and of the attacks", n)
	}
	// Nobody lost or won anything.
	a, err := admin.New(t.Context(), opened(meshtest.MeshAccount))
	must(err)
	v, err := a.Verify(context.WithoutCancel(t.Context()), admin.VerifyInput{})
	must(err)
	for _, f := range v.Findings {
		if !strings.HasPrefix(f.Resource, "schedule "+attacker) && f.Resource != "dead letters" {
			t.Errorf("found: %s: %s: %s", f.Kind, f.Resource, f.What)
		}
	}
}
