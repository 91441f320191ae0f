package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

// EndSchedules says whether schedules of EventBridge Scheduler end what is granted until a
// day, beside the owners' lakemesh expire.
type EndSchedules string

const (
	// EndsScheduled has schedules end grants: the mesh account has a group of them, and for
	// each producer a role that can revoke and nothing else, and a queue of what failed.
	EndsScheduled EndSchedules = "on"
	// EndsByOwners leaves it to the owners.
	EndsByOwners EndSchedules = "off"
)

// ParseEndSchedules reads the name of a choice; empty stands for leaving it as it is.
func ParseEndSchedules(name string) (EndSchedules, error) {
	switch c := EndSchedules(name); c {
	case "", EndsScheduled, EndsByOwners:
		return c, nil
	}
	return "", lakemesh.Invalid("EndSchedules", "%q is neither %s nor %s", name, EndsScheduled, EndsByOwners)
}

// Attributes of the item of members.
const (
	// attrEndSchedules is the choice, attrEndingProducers are the producers that have what it
	// takes.
	attrEndSchedules    = "EndSchedules"
	attrEndingProducers = "EndingProducers"
)

// schedulerService is whom an ending role trusts.
const schedulerService = "scheduler.amazonaws.com"

// queueAttributeNames are what is read of a queue.
func queueAttributeNames() []sqstypes.QueueAttributeName {
	return []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNamePolicy, sqstypes.QueueAttributeNameMessageRetentionPeriod, sqstypes.QueueAttributeNameVisibilityTimeout}
}

// queueAttributes are what a queue is to be: it keeps messages as long as SQS keeps anything,
// and hides from nobody what somebody else has read.
func queueAttributes(p lakemesh.Partition, region, mesh, producer string) map[string]string {
	return map[string]string{"Policy": queuePolicy(p, region, mesh, producer), "MessageRetentionPeriod": deadLettersKept, "VisibilityTimeout": "0"}
}

// deadLettersKept is how long what failed is kept, in seconds: as long as SQS keeps anything.
const deadLettersKept = "1209600"

// readEnding reads the choice from the item of members.
func readEnding(found *members, item map[string]types.AttributeValue) {
	found.ending = EndsByOwners
	if s, ok := item[attrEndSchedules].(*types.AttributeValueMemberS); ok {
		found.endingChosen = true
		if EndSchedules(s.Value) == EndsScheduled {
			found.ending = EndsScheduled
		}
	}
	found.endingProducers = accountsIn(item[attrEndingProducers])
}

// endingRole is the role that ends what a producer has granted.
func (a *Admin) endingRole(account string, calls SharingCalls) role {
	return role{
		name: lakemesh.EndingRole(account), description: "EventBridge Scheduler ends grants of producer " + account + " as this role",
		trust: endingTrust(a.partition, a.mesh), policy: endingPolicy(a.partition, a.mesh, account, calls),
	}
}

// endingTrust lets EventBridge Scheduler open a role for the group of the schedules that end
// grants, and for nothing else. It names the group and never the schedule that it acts for
// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html).
func endingTrust(p lakemesh.Partition, mesh string) iampolicy.Document {
	return iampolicy.New(trust(iampolicy.ServicePrincipal(schedulerService), iampolicy.Conditions{
		"StringEquals": {"aws:SourceAccount": {mesh}},
		"ArnLike":      {"aws:SourceArn": {p.EndingGroupARN("*", mesh)}},
	}, assumeRole))
}

// endingPolicy lets a role revoke, and nothing else. What a schedule calls is written by the
// producer, and nobody looks into it: so the role grants nothing, and Lake Formation
// lets it revoke only what the producer gave it the right to, on what is its own. The last
// grant to an account takes the share with it, as for who revokes otherwise.
func endingPolicy(p lakemesh.Partition, mesh, producer string, calls SharingCalls) iampolicy.Document {
	statements := []iampolicy.Statement{
		allow("Revoke", []string{"lakeformation:RevokePermissions"}, anything, nil),
		allow("SeeWhatIsRevoked", []string{"glue:GetDatabase", "glue:GetTable"}, catalogARNs(p, mesh), nil),
		allow("SendDeadLetters", []string{"sqs:SendMessage"}, []string{p.EndingQueueARN("*", mesh, producer)}, nil),
	}
	statements = append(statements, endShareStatements(p, calls)...)
	return iampolicy.New(statements...)
}

// endingStatements let a producer's role make schedules of its own, for its own ending role
// alone, and see what of them failed.
func endingStatements(p lakemesh.Partition, mesh, producer string) []iampolicy.Statement {
	return []iampolicy.Statement{
		allow("ScheduleOwnEnds", []string{"scheduler:CreateSchedule", "scheduler:GetSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule"},
			[]string{p.EndingSchedules("*", mesh, producer+"-*")}, nil),
		allow("EndWithEndingRole", []string{"iam:PassRole"}, []string{p.RoleARN(mesh, lakemesh.EndingRole(producer))},
			iampolicy.Conditions{"StringEquals": {"iam:PassedToService": {schedulerService}}}),
		allow("SeeDeadLetters", []string{"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:DeleteMessage"},
			[]string{p.EndingQueueARN("*", mesh, producer)}, nil),
	}
}

// queuePolicy keeps everybody but the ending role from writing dead letters: of whose account
// it is does not matter.
func queuePolicy(p lakemesh.Partition, region, mesh, producer string) string {
	return iampolicy.New(iampolicy.Statement{SID: "OnlySchedulesWrite", Effect: iampolicy.Deny, Principal: &iampolicy.Principal{All: true},
		Actions: []string{"sqs:SendMessage"}, Resources: []string{p.EndingQueueARN(region, mesh, producer)},
		Conditions: iampolicy.Conditions{"ArnNotEquals": {"aws:PrincipalArn": {p.RoleARN(mesh, lakemesh.EndingRole(producer))}}}}).String()
}

// observeGroup reports whether there is the group of schedules.
func (a *Admin) observeGroup(ctx context.Context) (bool, error) {
	_, err := a.scheduler.GetScheduleGroup(ctx, &scheduler.GetScheduleGroupInput{Name: aws.String(lakemesh.EndingGroup)})
	if identity.HasCode(err, "ResourceNotFoundException") {
		return false, nil
	}
	return err == nil, identity.Explain("GetScheduleGroup", a.account, "group "+lakemesh.EndingGroup, err)
}

// planEnding adds the steps of the choice to a mesh's set-up, if there is anything to do.
func (a *Admin) planEnding(ctx context.Context, p *plan.Plan, have members, want EndSchedules, after ...*plan.Step) error {
	if want == "" {
		want = have.ending
	}
	if want == EndsByOwners && have.ending == EndsByOwners {
		return nil
	}
	there, err := a.observeGroup(ctx)
	if err != nil {
		return err
	}
	remember := func(after ...*plan.Step) *plan.Step {
		text := "remember that schedules end what is granted until a day"
		if want == EndsByOwners {
			text = "remember that no schedule ends what is granted until a day"
		}
		return p.Add(plan.Step{Kind: plan.Record, Account: a.account, Resource: "members of the mesh", Summary: text, Run: func(ctx context.Context) error {
			return a.updateMembers(ctx, "SET #a = :v", attrEndSchedules, &types.AttributeValueMemberS{Value: string(want)})
		}}, after...)
	}
	if want == EndsScheduled {
		if !there {
			after = append(slices.Clone(after), p.Add(plan.Step{Kind: plan.CreateGroup, Account: a.account, Resource: "schedule group " + lakemesh.EndingGroup,
				Summary: "create the group of schedules " + lakemesh.EndingGroup, Run: a.createGroup}))
		}
		if have.ending != want {
			remember(after...)
		}
		if lacking := without(have.producers, have.endingProducers); len(lacking) > 0 && have.ending != want {
			p.Warn("what producers that are enabled already (%s) grant until a day is ended by schedules once they are brought up to date: %s", some(lacking), lakemesh.Do("admin.UpgradeMesh"))
		}
		return nil
	}
	// First nobody makes schedules any more, then those that are there go: one that stays would
	// end what is extended without it.
	steps := []*plan.Step{remember(after...)}
	for _, id := range have.endingProducers {
		steps = append(steps, a.planNoEndingProducer(p, id, after...))
	}
	if there {
		a.planNoGroup(p, steps...)
	}
	if len(have.endingProducers) > 0 {
		p.Warn("the ending roles and queues of %s stay until the accounts are brought up to date: %s", some(have.endingProducers), lakemesh.Do("admin.UpgradeMesh"))
	}
	return nil
}

func (a *Admin) createGroup(ctx context.Context) error {
	_, err := a.scheduler.CreateScheduleGroup(ctx, &scheduler.CreateScheduleGroupInput{Name: aws.String(lakemesh.EndingGroup)})
	if identity.HasCode(err, "ConflictException") {
		there, observed := a.observeGroup(ctx)
		if there {
			return nil
		}
		err = errors.Join(err, observed)
	}
	return identity.Explain("CreateScheduleGroup", a.account, "group "+lakemesh.EndingGroup, err)
}

// planNoGroup adds the step that removes the group with all of its schedules.
func (a *Admin) planNoGroup(p *plan.Plan, after ...*plan.Step) *plan.Step {
	return p.Add(plan.Step{Kind: plan.DeleteGroup, Account: a.account, Resource: "schedule group " + lakemesh.EndingGroup,
		Summary: "remove the group of schedules " + lakemesh.EndingGroup + " with its schedules",
		Run: func(ctx context.Context) error {
			_, err := a.scheduler.DeleteScheduleGroup(ctx, &scheduler.DeleteScheduleGroupInput{Name: aws.String(lakemesh.EndingGroup)})
			if identity.HasCode(err, "ResourceNotFoundException") {
				return nil
			}
			return identity.Explain("DeleteScheduleGroup", a.account, "group "+lakemesh.EndingGroup, err)
		}}, after...)
}

// ender is what of a producer's ending is there.
type ender struct {
	role *foundRole
	// queue is the URL of its queue, empty if there is none; sound tells that the queue has
	// our policy and keeps what is in it.
	queue string
	sound bool
}

// observeEnder looks what of a producer's ending is there; nil where the mesh has no
// schedules and the account has nothing of them.
func (a *Admin) observeEnder(ctx context.Context, mesh members, account string) (*ender, error) {
	if !mesh.endingChosen {
		return nil, nil
	}
	e := &ender{}
	var err error
	if e.role, err = a.observeRole(ctx, lakemesh.EndingRole(account)); err != nil {
		return nil, err
	}
	name := lakemesh.EndingQueue(account)
	out, err := a.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if noQueue(err) {
		return e, nil
	}
	if err != nil {
		return nil, identity.Explain("GetQueueUrl", a.account, "queue "+name, err)
	}
	e.queue = aws.ToString(out.QueueUrl)
	is, err := a.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: out.QueueUrl, AttributeNames: queueAttributeNames()})
	if err != nil {
		return nil, identity.Explain("GetQueueAttributes", a.account, "queue "+name, err)
	}
	e.sound = true
	for name, value := range queueAttributes(a.partition, a.region, a.mesh, account) {
		have := is.Attributes[name]
		if d, err := iampolicy.Parse([]byte(have)); name == "Policy" && err == nil {
			have = d.String()
		}
		e.sound = e.sound && have == value
	}
	return e, nil
}

func noQueue(err error) bool {
	return identity.HasCode(err, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
}

// planEnder adds the steps that make a producer's ending role and queue, or remove them where
// the mesh has no schedules any more. step is after what its role in the mesh account is made.
func (a *Admin) planEnder(p *plan.Plan, mesh members, account string, have *ender, want role, after ...*plan.Step) {
	if have == nil {
		return
	}
	if mesh.ending != EndsScheduled {
		a.planNoEnder(p, mesh, account, have, after...)
		return
	}
	var made []*plan.Step
	if step := a.planRole(p, want, have.role); step != nil {
		made = append(made, step)
	}
	name := lakemesh.EndingQueue(account)
	if have.queue == "" || !have.sound {
		text := "create queue " + name + " for what could not be ended"
		if have.queue != "" {
			text = "update the policy of queue " + name
		}
		made = append(made, p.Add(plan.Step{Kind: plan.CreateQueue, Account: a.account, Resource: "queue " + name, Summary: text,
			Run: func(ctx context.Context) error { return a.putQueue(ctx, account) }}, made...))
	}
	if !slices.Contains(mesh.endingProducers, account) {
		p.Add(plan.Step{Kind: plan.Record, Account: a.account, Resource: "members of the mesh",
			Summary: fmt.Sprintf("record that schedules end what account %s grants until a day", account),
			Run: func(ctx context.Context) error {
				return a.updateMembers(ctx, "ADD #a :v", attrEndingProducers, &types.AttributeValueMemberSS{Value: []string{account}})
			}}, append(made, after...)...)
	}
}

// putQueue makes a queue as it is to be. Only the ending role writes to it.
func (a *Admin) putQueue(ctx context.Context, account string) error {
	name := lakemesh.EndingQueue(account)
	attributes := queueAttributes(a.partition, a.region, a.mesh, account)
	explain := func(op string, err error) error { return identity.Explain(op, a.account, "queue "+name, err) }
	_, err := a.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if !identity.HasCode(err, "QueueNameExists", "QueueAlreadyExists") {
		return explain("CreateQueue", err)
	}
	out, err := a.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return explain("GetQueueUrl", err)
	}
	_, err = a.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: out.QueueUrl, Attributes: attributes})
	return explain("SetQueueAttributes", err)
}

// planNoEndingProducer adds the step that records that no schedule ends what a producer
// grants any more.
func (a *Admin) planNoEndingProducer(p *plan.Plan, account string, after ...*plan.Step) *plan.Step {
	return p.Add(plan.Step{Kind: plan.Record, Account: a.account, Resource: "members of the mesh",
		Summary: fmt.Sprintf("record that no schedule ends what account %s grants until a day", account),
		Run: func(ctx context.Context) error {
			return a.updateMembers(ctx, "DELETE #a :v", attrEndingProducers, &types.AttributeValueMemberSS{Value: []string{account}})
		}}, after...)
}

// planNoEnder adds the steps that remove a producer's ending role and queue. It returns them.
func (a *Admin) planNoEnder(p *plan.Plan, mesh members, account string, have *ender, after ...*plan.Step) []*plan.Step {
	var steps []*plan.Step
	if slices.Contains(mesh.endingProducers, account) {
		step := a.planNoEndingProducer(p, account, after...)
		steps, after = append(steps, step), append(slices.Clone(after), step)
	}
	if step := a.planRoleRemoval(p, lakemesh.EndingRole(account), have.role, after...); step != nil {
		steps = append(steps, step)
	}
	if have.queue != "" {
		steps = append(steps, p.Add(plan.Step{Kind: plan.DeleteQueue, Account: a.account, Resource: "queue " + lakemesh.EndingQueue(account),
			Summary: "remove queue " + lakemesh.EndingQueue(account),
			Run: func(ctx context.Context) error {
				_, err := a.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &have.queue})
				if noQueue(err) {
					return nil
				}
				return identity.Explain("DeleteQueue", a.account, "queue "+strings.TrimPrefix(have.queue, "https://"), err)
			}}, after...))
	}
	return steps
}
