package identity

import (
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
)

// Identity is one principal in one account, with a configuration whose clients
// act as it.
type Identity struct {
	// Account is the account that the principal belongs to.
	Account string
	// ARN is the principal. For a role that was assumed here it is the role's ARN,
	// as Lake Formation's grants and policies name it; for the caller it is what STS
	// calls it, which for a role is the session's ARN.
	ARN string
	// SessionName is the name that sessions opened from this identity carry, so
	// that it can be told in another account who acts.
	SessionName string
	// Config is the configuration of clients.
	Config aws.Config

	log *slog.Logger
	// roleWait is how long a role that refuses is tried again.
	roleWait time.Duration
}

// Once is the same principal, with which a role that refuses is tried once.
func (i *Identity) Once() *Identity {
	once := *i
	once.roleWait = -1
	return &once
}

// Partition is the partition of the region in which the identity works, and so the one
// that its ARN is of.
func (i *Identity) Partition() lakemesh.Partition { return lakemesh.PartitionOf(i.Config.Region) }

// IsRole reports whether the identity is the role of that name in that account,
// or a session of it. The ARN of a session does not hold the role's path, and names
// of roles are unique in an account.
func (i *Identity) IsRole(account, name string) bool {
	return i.Account == account && roleName(i.ARN) == name
}

// roleName takes the name of the role out of the ARN of a role or of a session;
// it is empty for other principals.
func roleName(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return ""
	}
	names := strings.Split(parts[5], "/")
	switch {
	case names[0] == "assumed-role" && len(names) > 1:
		return names[1]
	case names[0] == "role":
		return names[len(names)-1]
	}
	return ""
}

var notInSessionNames = regexp.MustCompile(`[^\w+=,.@-]+`)

// The bounds of a session name
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
const (
	minSessionName = 2
	maxSessionName = 64
)

// sessionName tells who acts: the user's name, or the name of the role's session.
func sessionName(callerARN string) string {
	name := callerARN[strings.LastIndexAny(callerARN, "/:")+1:]
	name = notInSessionNames.ReplaceAllString(name, "-")
	if len(name) > maxSessionName {
		name = name[:maxSessionName]
	}
	if len(name) < minSessionName {
		name = "lakemesh-" + name
	}
	return name
}
