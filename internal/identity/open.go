package identity

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
)

// Open opens the caller of the options: it builds the configuration and asks STS
// once who that is. Credentials of another account than they say are a
// [lakemesh.ErrWrongAccount].
func Open(ctx context.Context, o lakemesh.Options) (*Identity, error) {
	log, err := Logger(o)
	if err != nil {
		return nil, err
	}
	if o.Concurrency < 0 {
		return nil, lakemesh.Invalid("Concurrency", "%d calls at once are not possible; leave it out for the default", o.Concurrency)
	}
	cfg, err := base(ctx, o, log)
	if err != nil {
		return nil, err
	}
	out, err := sts.NewFromConfig(cfg, AtOnce).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, ExplainCaller(cfg, err, o.Credentials != nil)
	}
	caller := &Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn), SessionName: sessionName(aws.ToString(out.Arn)),
		Config: cfg, log: log, roleWait: cmp.Or(o.RoleWait, lakemesh.DefaultRoleWait)}
	if want := credentialsAccount(o.Credentials); want != "" && want != caller.Account {
		return nil, &lakemesh.Error{Op: "open", Account: want, Resource: "credentials", Kind: lakemesh.ErrWrongAccount,
			Message: "the access key belongs to account " + caller.Account + " (" + caller.ARN + ")",
			Hint:    "correct AccountId or the keys in the credentials"}
	}
	if err := checkCaller(caller); err != nil {
		return nil, err
	}
	caller.Config = logged(cfg, log, caller)
	return caller, nil
}

// checkCaller refuses callers that cannot work, before they have changed anything.
func checkCaller(caller *Identity) error {
	refused := func(message, hint string) error {
		return &lakemesh.Error{Op: "open", Account: caller.Account, Resource: "credentials", Kind: lakemesh.ErrInvalidInput, Message: message, Hint: hint}
	}
	if of, ok := lakemesh.PartitionOfARN(caller.ARN); ok && of != caller.Partition() {
		return refused(fmt.Sprintf("%s is of partition %s, and region %s is in %s", caller.ARN, of, caller.Config.Region, caller.Partition()),
			"work in a region of the account's own partition, or use credentials of the region's")
	}
	if strings.HasSuffix(caller.ARN, ":root") {
		return refused("the credentials are those of the account's root user, which may open no role", "use a user or a role that is an administrator")
	}
	return nil
}

// base is the configuration before it is known who the caller is.
func base(ctx context.Context, o lakemesh.Options, log *slog.Logger) (aws.Config, error) {
	var cfg aws.Config
	if o.Config != nil {
		cfg = o.Config.Copy()
		if o.Credentials != nil {
			cfg.Credentials = aws.NewCredentialsCache(o.Credentials)
		}
		if cfg.Credentials == nil {
			return cfg, lakemesh.Invalid("Config", "it has no credentials, and Credentials is not set")
		}
		cfg.Region = cmp.Or(o.Region, cfg.Region)
	} else {
		var err error
		if cfg, err = Load(ctx, Source{Region: o.Region, Credentials: o.Credentials, Log: log}); err != nil {
			return cfg, err
		}
	}
	if cfg.Region == "" {
		// A mesh is in one region: whoever meant another one has to learn of it.
		log.WarnContext(ctx, "no region is configured; "+lakemesh.DefaultRegion+" is used", "region", lakemesh.DefaultRegion)
		cfg.Region = lakemesh.DefaultRegion
	}
	cfg.Retryer = newRetryer(0)
	cfg.APIOptions = slices.Concat(cfg.APIOptions, o.APIOptions)
	return cfg, lakemesh.CheckRegion("Region", cfg.Region)
}

// credentialsAccount is the account that the credentials say they belong to;
// empty if they do not say.
func credentialsAccount(p aws.CredentialsProvider) string {
	switch c := p.(type) {
	case lakemesh.Credentials:
		return c.AccountID
	case *lakemesh.Credentials:
		if c != nil {
			return c.AccountID
		}
	}
	return ""
}
