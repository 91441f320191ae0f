package proof

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// Part is what an account is in a run.
type Part string

// The three accounts.
const (
	Mesh     Part = "mesh"
	Producer Part = "producer"
	Consumer Part = "consumer"
)

// Parts are the accounts in the order in which they are shown.
func Parts() []Part { return []Part{Mesh, Producer, Consumer} }

// Account is an account of a run, opened by a profile.
type Account struct {
	Part    Part   `json:"Part"`
	Profile string `json:"Profile"`
	ID      string `json:"AccountId"`
	// Caller is the ARN of who the profile is.
	Caller string `json:"Caller"`
	// Aliases are the account's names; an account has one or none.
	Aliases []string `json:"Aliases,omitempty"`
	Region  string   `json:"Region"`
	// Endpoint is where calls go if not to AWS.
	Endpoint string `json:"Endpoint,omitempty"`

	config aws.Config
}

// maxAttempts is how often a call is tried that is throttled or fails for a moment: accounts have
// low rates, and a check must not take a throttled call for an answer.
const maxAttempts = 12

// Open opens an account by a profile of the SDK's shared files. An empty region means the
// profile's.
func Open(ctx context.Context, part Part, profile, region string) (*Account, error) {
	if profile == "" {
		return nil, lakemesh.Invalid(fmt.Sprintf("--%s-profile", part), "it is required: a profile of the shared files of the AWS SDK")
	}
	loads := []func(*config.LoadOptions) error{config.WithSharedConfigProfile(profile), config.WithRetryer(newRetryer)}
	if region != "" {
		if err := lakemesh.CheckRegion("--region", region); err != nil {
			return nil, err
		}
		loads = append(loads, config.WithRegion(region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, loads...)
	if err != nil {
		return nil, identity.ExplainLoad(profile, err)
	}
	if cfg.Region == "" {
		return nil, lakemesh.Invalid("--region", "the profile %s names no region: give one", profile)
	}
	return open(ctx, part, profile, cfg)
}

func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		// The SDK's quota of retries ends a run that is throttled all the way.
		o.RateLimiter = ratelimit.None
		o.Backoff = retry.BackoffDelayerFunc(backoff)
	})
}

// backoff grows from a twentieth of a second to five seconds, and is jittered.
func backoff(attempt int, _ error) (time.Duration, error) {
	const first, growth, longest = 50 * time.Millisecond, 1.7, 5 * time.Second
	d := min(time.Duration(float64(first)*math.Pow(growth, float64(attempt))), longest)
	return d/2 + rand.N(d/2+1), nil
}

// newcomersRetryer is that of a role which may do everything: that no policy allows it something
// is what AWS says as long as a service has not heard of its policy.
func newcomersRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		// Some two minutes.
		o.MaxAttempts, o.RateLimiter, o.Backoff = 30, ratelimit.None, retry.BackoffDelayerFunc(backoff)
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if awserr.Denied(err) && awserr.Says(err, "no identity-based policy allows") {
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		}))
	})
}

func open(ctx context.Context, part Part, profile string, cfg aws.Config) (*Account, error) {
	a := &Account{Part: part, Profile: profile, Region: cfg.Region, Endpoint: aws.ToString(cfg.BaseEndpoint), config: cfg}
	who, err := sts.NewFromConfig(cfg, identity.AtOnce).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", profile, identity.ExplainCaller(cfg, err, false))
	}
	a.ID, a.Caller = aws.ToString(who.Account), aws.ToString(who.Arn)
	if strings.HasSuffix(a.Caller, ":root") {
		return nil, &lakemesh.Error{Op: "open", Account: a.ID, Resource: "profile " + profile, Kind: lakemesh.ErrInvalidInput,
			Message: "it is the account's root user, which may assume no role", Hint: "use a user or a role that is an administrator"}
	}
	if !strings.HasPrefix(a.Caller, "arn:aws:") {
		return nil, lakemesh.Invalid("profile "+profile, "%s is of another partition than aws: the checks name resources of aws", a.Caller)
	}
	return a, nil
}

// partition is the only one whose ARNs the checks write.
const partition = "arn:aws:"

// role is the ARN of a role of the account, outside of any path.
func (a *Account) role(name string) string { return partition + "iam::" + a.ID + ":role/" + name }

// as is the account's configuration as one of its roles, which the profile assumes.
func (a *Account) as(role string) aws.Config {
	cfg := a.config.Copy()
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(a.config), role,
		func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "lakemesh-acceptance" }))
	return cfg
}

// Clients of a configuration, under short names.

func lake(cfg aws.Config) *lakeformation.Client    { return lakeformation.NewFromConfig(cfg) }
func glueOf(cfg aws.Config) *glue.Client           { return glue.NewFromConfig(cfg) }
func iamOf(cfg aws.Config) *iam.Client             { return iam.NewFromConfig(cfg) }
func ramOf(cfg aws.Config) *ram.Client             { return ram.NewFromConfig(cfg) }
func s3Of(cfg aws.Config) *s3.Client               { return identity.S3(cfg) }
func stsOf(cfg aws.Config) *sts.Client             { return sts.NewFromConfig(cfg) }
func dynamoOf(cfg aws.Config) *dynamodb.Client     { return dynamodb.NewFromConfig(cfg) }
func athenaOf(cfg aws.Config) *athena.Client       { return athena.NewFromConfig(cfg) }
func schedulerOf(cfg aws.Config) *scheduler.Client { return scheduler.NewFromConfig(cfg) }
func sqsOf(cfg aws.Config) *sqs.Client             { return sqs.NewFromConfig(cfg) }
