package lakemesh

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Secret is a text that cannot be printed, logged or encoded by accident.
type Secret string

// redacted is what stands in the place of a secret.
const redacted = "(secret)"

// String does not tell the secret.
func (s Secret) String() string { return redacted }

// GoString does not tell the secret.
func (s Secret) GoString() string { return redacted }

// Format does not tell the secret, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, redacted) }

// LogValue does not tell the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText does not tell the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// Credentials are access keys in the form of the credentials file. A persona that
// is opened with them checks that they belong to AccountID.
type Credentials struct {
	AccountID       string
	AccessKeyID     string
	SecretAccessKey Secret
	// SessionToken is set for the temporary credentials of a role.
	SessionToken Secret
}

// Retrieve implements aws.CredentialsProvider.
func (c Credentials) Retrieve(context.Context) (aws.Credentials, error) {
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return aws.Credentials{}, Invalid("credentials", "AccessKeyId and SecretAccessKey are required")
	}
	return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(),
		SessionToken: c.SessionToken.Reveal(), Source: "lakemesh credentials", AccountID: ""}, nil
}
