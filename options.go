package lakemesh

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
)

// Options open a persona. Only MeshAccountID is required.
type Options struct {
	// MeshAccountID is the account that is the central data mesh account in the region.
	MeshAccountID string
	// Region is where the persona works. Empty means that of Config, or where Config is nil
	// the one that the SDK's chain finds: $AWS_REGION, then the profile's. Where none is
	// configured it is [DefaultRegion], and a warning goes to Logger.
	Region string
	// Credentials is who acts. It can be any provider of the SDK, or a
	// [Credentials] value with keys; nil means the SDK's own chain: environment,
	// shared files, container and instance roles.
	Credentials aws.CredentialsProvider
	// Config is where the SDK sends its calls, such as the configuration of a local
	// mesh; nil means that the SDK loads its own. Credentials, if set, replace its own.
	Config *aws.Config
	// APIOptions are middleware of every call that is made, also of those that open
	// roles: a tracer's, or one that counts. They come after those of Config.
	APIOptions []func(*middleware.Stack) error
	// LogLevel is DEBUG, INFO, WARN or ERROR in any case; empty means INFO. It
	// bounds what goes to Logger.
	LogLevel string
	// Logger gets what the persona does; nil means that nothing is logged. No
	// secret is ever logged.
	Logger *slog.Logger
	// Progress is called while an operation works, from one goroutine at a time;
	// nil means nobody is told.
	Progress func(Progress)
	// Concurrency is how many calls may be under way at once; 0 means 16.
	Concurrency int
	// ClaimLease is how long a decision is held for a program that gives no sign
	// of life; 0 means 30 seconds. It is renewed while the program works.
	ClaimLease time.Duration
	// Now is what time it is, for the times in records and histories; nil means
	// [time.Now]. Nothing is decided by it, so that programs whose clocks differ get along.
	Now func() time.Time
	// RoleWait is how long a role that refuses the caller is tried again. For a while
	// AWS refuses everybody for a role that was made, or whose trust was changed, a
	// moment ago, and in the same words as for one that will never open. 0 means
	// [DefaultRoleWait], less than 0 that it is tried once. So is then the trust in a role
	// that IAM does not know, which is tried for longer otherwise.
	RoleWait time.Duration
}

// DefaultRoleWait is how long a role that refuses the caller is tried again if the
// options do not say.
const DefaultRoleWait = 10 * time.Second

// Progress is how far an operation is.
type Progress struct {
	// Operation is the operation: "CreateDataProducts".
	Operation string
	// Step is what was just finished.
	Step string
	// Done of Total steps are finished. Total can grow while the operation works.
	Done, Total int
}
