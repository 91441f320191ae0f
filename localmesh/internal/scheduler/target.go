package scheduler

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/iam"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const (
	// universal is what the ARNs of universal targets begin with; the names of the
	// service, as in the SDK, and of the operation follow.
	universal = "arn:aws:scheduler:::aws-sdk:"
	// serviceName is whom a schedule's role must trust.
	serviceName = "scheduler.amazonaws.com"

	maxARN   = 1600
	maxInput = 256 << 10
	// The limits of a retry policy, which are also what it is by default.
	maxRetries     = 185
	minAge, maxAge = 60, 86400
)

var (
	rolePattern  = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)
	queuePattern = regexp.MustCompile(`^arn:aws:sqs:[a-z0-9-]+:\d{12}:[a-zA-Z0-9_-]+$`)
	apiPattern   = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)
)

// readers are the beginnings of operations that universal targets do not call
// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html).
func readers() []string {
	return []string{
		"get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "lookup", "discover", "validate", "batchGet",
		"batchDescribe", "batchRead", "transactGet", "adminGet", "adminList", "testMigration", "retrieve", "testConnection", "translateDocument",
		"isAuthorized", "invokeModel",
	}
}

// called takes the ARN of a universal target apart: the signing name of the service,
// and the operation.
func called(c *engine.Call, arn string) (service, operation string, err error) {
	rest, ok := strings.CutPrefix(arn, universal)
	if !ok {
		// Other targets are told by the service in their ARN, and Scheduler is none of these.
		parts := strings.SplitN(arn, ":", 6)
		if len(parts) < 6 || parts[0] != "arn" {
			return "", "", invalid("Provided Arn is not in correct format.")
		}
		if parts[2] != "scheduler" {
			return "", "", missing("the local mesh has universal targets only: %s", arn)
		}
		return "", "", invalid("scheduler is not a supported service for a target.")
	}
	service, api, ok := strings.Cut(rest, ":")
	if !ok || service == "" || strings.ToLower(service) != service || !apiPattern.MatchString(api) {
		return "", "", invalid("Provided Arn is not in correct format.")
	}
	for _, prefix := range readers() {
		if strings.HasPrefix(api, prefix) {
			return "", "", invalid("%s API is not supported.", api)
		}
	}
	operation = strings.ToUpper(api[:1]) + api[1:]
	switch service {
	// Those whose operations take a body in JSON as it is.
	case "lakeformation", "glue", "dynamodb", "kms":
	default:
		return "", "", missing("schedules of the local mesh do not call %s", service)
	}
	if !c.Mesh.Has(service, operation) {
		return "", "", missing("the local mesh does not have %s of %s", operation, service)
	}
	return service, operation, nil
}

// missing is the error of what AWS has and the local mesh does not.
func missing(format string, args ...any) error {
	return engine.Errorf("NotImplemented", format, args...).WithStatus(http.StatusNotImplemented)
}

// target checks the target of a schedule.
func target(c *engine.Call, group string, in *types.Target) (t state.ScheduleTarget, err error) {
	switch {
	case in == nil:
		return t, null("target")
	case in.Arn == nil:
		return t, null("target.arn")
	case len(*in.Arn) < 1 || len(*in.Arn) > maxARN:
		return t, constraint("target.arn", *in.Arn, "have length between 1 and 1600")
	case in.RoleArn == nil:
		return t, null("target.roleArn")
	case len(*in.RoleArn) > maxARN || !rolePattern.MatchString(*in.RoleArn):
		return t, constraint("target.roleArn", *in.RoleArn, `satisfy regular expression pattern: `+rolePattern.String())
	case in.Input != nil && *in.Input == "":
		return t, constraint("target.input", "", "have length greater than or equal to 1")
	case in.EcsParameters != nil || in.EventBridgeParameters != nil || in.KinesisParameters != nil || in.SageMakerPipelineParameters != nil || in.SqsParameters != nil:
		return t, missing("the local mesh has universal targets only, which have no parameters of their own")
	}
	t = state.ScheduleTarget{ARN: *in.Arn, Role: *in.RoleArn, Input: aws.ToString(in.Input), Retries: maxRetries, Age: maxAge}
	if _, _, err := called(c, t.ARN); err != nil {
		return t, err
	}
	// What is in it is looked at when the target is called.
	if t.Input == "" {
		return t, invalid("You must provide an input to set this target for your schedule.")
	}
	if len(t.Input) > maxInput {
		return t, invalid("The input of the target is larger than 256 KB.")
	}
	if err := retries(in, &t); err != nil {
		return t, err
	}
	return t, passRole(c, group, t.Role)
}

// retries checks how a target is called again, and where what cannot be called goes.
func retries(in *types.Target, t *state.ScheduleTarget) error {
	if p := in.RetryPolicy; p != nil {
		if n := p.MaximumRetryAttempts; n != nil {
			if *n < 0 || *n > maxRetries {
				return outOf("target.retryPolicy.maximumRetryAttempts", *n, 0, maxRetries)
			}
			t.Retries = *n
		}
		if n := p.MaximumEventAgeInSeconds; n != nil {
			if *n < minAge || *n > maxAge {
				return outOf("target.retryPolicy.maximumEventAgeInSeconds", *n, minAge, maxAge)
			}
			t.Age = *n
		}
	}
	if d := in.DeadLetterConfig; d != nil && d.Arn != nil {
		// A FIFO queue's name ends with .fifo
		// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html).
		if !queuePattern.MatchString(*d.Arn) {
			return constraint("target.deadLetterConfig.arn", *d.Arn, "be the ARN of a standard SQS queue")
		}
		t.DeadLetters = *d.Arn
	}
	return nil
}

// passRole checks that the caller may hand a role to Scheduler, and that the role is
// Scheduler's to assume.
func passRole(c *engine.Call, group, arn string) error {
	account, _, name, _ := state.SplitPrincipalARN(arn)
	if account != c.Account() {
		return c.Denied("Cross-account pass role is not allowed.")
	}
	if err := c.Authorize(authz.Question{Action: "iam:PassRole", Resources: []string{arn},
		Keys: map[string][]string{"iam:passedtoservice": {serviceName}}}); err != nil {
		return err
	}
	role, ok, err := state.ReadRole(c.Tx, account, name)
	if err != nil {
		return err
	}
	if ok && role.ARN() == arn {
		role.Trust = iam.KnownTrust(c, role)
		trusts, err := assumable(c, role, state.ScheduleGroup{Account: account, Region: c.Region, Name: group}.ARN())
		if err != nil || trusts {
			return err
		}
	}
	return invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
}

// assumable reports whether a role trusts Scheduler when it acts for a group
// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html).
func assumable(c *engine.Call, role state.Role, group string) (bool, error) {
	if role.Trust == "" {
		return false, nil
	}
	d, err := c.Mesh.Policies().Decide(c.Tx, authz.Caller{Service: serviceName}, authz.Question{
		Action: "sts:AssumeRole", Resources: []string{role.ARN()}, ResourceAccount: role.Account,
		ResourcePolicy: role.Trust, ResourcePolicyName: "the trust policy", ResourceRequired: true,
		Keys: map[string][]string{"aws:SourceAccount": {role.Account}, "aws:SourceArn": {group}},
	}, c.Now, c.Region)
	return d.Allowed, err
}
