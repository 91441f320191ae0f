package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/lakemesh/lakemesh"
)

// connectionsPerHost keeps as many connections to a service open as calls are
// commonly under way; the SDK keeps ten.
const connectionsPerHost = 64

// Source is where a configuration of the SDK comes from.
type Source struct {
	// Profile is a profile of the shared files; empty is the one of the environment.
	Profile string
	// Region goes before the one of the environment and of the profile; empty leaves it to them.
	Region string
	// Credentials go before those of the environment and of the profile; nil leaves it to them.
	Credentials aws.CredentialsProvider
	// MFACode asks a person for the code of a profile's MFA device; nil means that there is
	// nobody to ask.
	MFACode func() (string, error)
	// Log is told, at debug level, what the SDK has to say of itself, such as that it could not
	// keep a connection; nil means that nobody is.
	Log *slog.Logger
}

// Load loads the SDK's configuration: the region comes from where its users expect it, which
// is the environment and then the profile
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html). What is wrong with
// the shared files is an error that says what to do.
func Load(ctx context.Context, s Source) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = connectionsPerHost })
	loads := []func(*config.LoadOptions) error{config.WithHTTPClient(client), config.WithLogger(sdkLog(s.Log))}
	if s.Profile != "" {
		loads = append(loads, config.WithSharedConfigProfile(s.Profile))
	}
	if s.Region != "" {
		loads = append(loads, config.WithRegion(s.Region))
	}
	if s.Credentials != nil {
		loads = append(loads, config.WithCredentialsProvider(s.Credentials))
	}
	var cfg aws.Config
	loads = append(loads, config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
		if s.MFACode != nil {
			o.TokenProvider = s.MFACode
		}
		o.Client = signIn{o.Client, &cfg}
	}))
	var err error
	if cfg, err = config.LoadDefaultConfig(ctx, loads...); err != nil {
		return cfg, ExplainLoad(s.Profile, err)
	}
	return cfg, nil
}

// sdkLog is a log for the SDK. By default it writes to standard error, between what a program says.
func sdkLog(log *slog.Logger) logging.Logger {
	return logging.LoggerFunc(func(classification logging.Classification, format string, v ...any) {
		if log != nil {
			log.Debug("AWS SDK", "class", string(classification), "text", fmt.Sprintf(format, v...))
		}
	})
}

// signIn asks STS for the role of a profile at the endpoint that holds for everything else. The
// SDK makes its client before it has read that, and asks AWS's.
type signIn struct {
	stscreds.AssumeRoleAPIClient
	cfg *aws.Config
}

// AssumeRole asks for the role.
func (s signIn) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, options ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	return s.AssumeRoleAPIClient.AssumeRole(ctx, in, append(options, func(o *sts.Options) {
		if o.BaseEndpoint == nil {
			o.BaseEndpoint = s.cfg.BaseEndpoint
		}
	})...)
}

// ExplainLoad tells what is wrong with the SDK's shared files.
func ExplainLoad(profile string, err error) error {
	if profile == "" {
		profile = os.Getenv("AWS_PROFILE")
	}
	e := &lakemesh.Error{Op: "open", Resource: "configuration of the AWS SDK", Kind: lakemesh.ErrInvalidInput, Err: err}
	if profile != "" {
		e.Resource = "profile " + profile
	}
	if absent, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		e.Resource = "profile " + absent.Profile
		e.Message = "the AWS SDK's shared files have no such profile"
		e.Hint = "see those that there are: aws configure list-profiles"
	}
	if _, ok := errors.AsType[config.AssumeRoleTokenProviderNotSetError](err); ok {
		e.Kind = lakemesh.ErrAccessDenied
		e.Message = "it wants the code of an MFA device, and there is nobody to ask for it"
		e.Hint = "run it at a terminal, or sign in first: eval \"$(aws configure export-credentials --format env" + ofProfile(profile) + ")\""
	}
	return e
}

// ofProfile is the flag of the AWS CLI that names a profile.
func ofProfile(profile string) string {
	if profile == "" || profile == "default" {
		return ""
	}
	return " --profile " + profile
}

// profileOf is the profile that a configuration was loaded from; empty if from none.
func profileOf(cfg aws.Config) string {
	for _, source := range cfg.ConfigSources {
		if shared, ok := source.(config.SharedConfig); ok {
			return shared.Profile
		}
	}
	return ""
}

// ExplainCaller tells why the caller could not be opened; own tells that the
// credentials are the options', not what the SDK finds by itself.
func ExplainCaller(cfg aws.Config, err error, own bool) error {
	if e := unreachable(cfg, err); e != nil {
		return e
	}
	if HasCode(err) || isExplained(err) || !isCredentialsMissing(err) {
		return Explain("open", "", "credentials", err)
	}
	e := &lakemesh.Error{Op: "open", Resource: "credentials", Kind: lakemesh.ErrAccessDenied, Err: err, Message: signInCause(err)}
	profile := profileOf(cfg)
	switch {
	case own:
		e.Hint = "the options' Credentials did not yield any; sign in again, or correct them"
	case isSSO(err):
		e.Message = "nobody is signed in: " + e.Message
		e.Hint = "sign in: aws sso login" + ofProfile(profile)
	case isProcess(err):
		e.Message = "the credential_process" + of(profile) + " failed: " + e.Message
		e.Hint = "run that program by itself to see why; it stands in the shared files of the AWS SDK"
	case strings.Contains(err.Error(), "EC2 IMDS"):
		// The last place where the SDK looks: there was nothing in the others.
		e.Message = "no usable AWS credentials were found"
		e.Hint = "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a credentials file"
	default:
		e.Hint = "see what the AWS SDK finds: aws sts get-caller-identity" + ofProfile(profile)
	}
	return e
}

func of(profile string) string {
	if profile == "" {
		return ""
	}
	return " of profile " + profile
}

// signInCause is what an error of the SDK says behind the steps that led to it.
func signInCause(err error) string {
	text := err.Error()
	for _, step := range []string{"get identity: ", "get credentials: ", "failed to refresh cached credentials, ", "process provider error: "} {
		if _, cause, ok := strings.Cut(text, step); ok {
			text = cause
		}
	}
	return text
}

func isSSO(err error) bool {
	_, invalid := errors.AsType[*ssocreds.InvalidTokenError](err)
	// What the token's provider says has no type: "failed to read cached SSO token file".
	return invalid || strings.Contains(err.Error(), "SSO token")
}

func isProcess(err error) bool {
	_, ok := errors.AsType[*processcreds.ProviderError](err)
	return ok
}
