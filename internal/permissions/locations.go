package permissions

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/internal/awserr"
)

// RegisteredLocation is a location that an account has registered.
type RegisteredLocation struct {
	// ARN is the location's ARN, without a slash at its end.
	ARN string
	// Role is the ARN of the role that reads for everybody.
	Role string
	// Modified is when it was registered, or its registration changed last; the zero time is
	// not known.
	Modified time.Time
	// Unverified tells that Lake Formation looked whether the role can read the location,
	// and found that it cannot, or could not tell. A location of which it says nothing is
	// not unverified.
	Unverified bool
	// Hybrid tells that what is granted there counts only for those who were opted in.
	Hybrid bool
}

// Locations are the registered locations of the account, all pages.
func (l *Lake) Locations(ctx context.Context) ([]RegisteredLocation, error) {
	var found []RegisteredLocation
	pages := lakeformation.NewListResourcesPaginator(l.Client, &lakeformation.ListResourcesInput{MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the registered locations: %w", err)
		}
		for _, r := range page.ResourceInfoList {
			found = append(found, RegisteredLocation{ARN: strings.TrimSuffix(aws.ToString(r.ResourceArn), "/"), Role: aws.ToString(r.RoleArn), Modified: aws.ToTime(r.LastModified),
				Hybrid: aws.ToBool(r.HybridAccessEnabled), Unverified: r.VerificationStatus != "" && r.VerificationStatus != types.VerificationStatusVerified})
		}
	}
	return found, nil
}

// Nearest is the registered location that covers an ARN: itself, or the nearest
// of those above it. Registering a location registers all folders below
// (https://docs.aws.amazon.com/lake-formation/latest/dg/register-data-lake.html).
func Nearest(locations []RegisteredLocation, arn string) (_ RegisteredLocation, ok bool) {
	var nearest RegisteredLocation
	arn = strings.TrimSuffix(arn, "/")
	for _, l := range locations {
		if (arn == l.ARN || strings.HasPrefix(arn, l.ARN+"/")) && (!ok || len(l.ARN) > len(nearest.ARN)) {
			nearest, ok = l, true
		}
	}
	return nearest, ok
}

// ErrUnreadable is the error of a location that could not be registered because its
// role cannot read there yet.
var ErrUnreadable = errors.New("the role cannot read the location yet")

// Register registers a location with the role that is to read it for everybody.
// The caller gets DATA_LOCATION_ACCESS on it, with the grant option. A location
// that is registered already is fine.
//
// Lake Formation does not document that it looks at once whether the role can read
// there, and it has a status for locations where it cannot. If it refuses for that
// reason, the error is an [ErrUnreadable].
//
// A location that is registered hybrid lets IAM decide, for who was not opted in, on tables
// that [AllowedByIAM] holds something on, and on no others.
func (l *Lake) Register(ctx context.Context, arn, role string, hybrid bool) error {
	in := &lakeformation.RegisterResourceInput{ResourceArn: aws.String(arn), RoleArn: aws.String(role), WithPrivilegedAccess: true}
	if hybrid {
		in.HybridAccessEnabled = aws.Bool(true)
	}
	_, err := l.Client.RegisterResource(ctx, in)
	switch {
	case err == nil, awserr.Is(err, "AlreadyExistsException"):
		return nil
	case unreadable(err, role):
		return fmt.Errorf("register location %s: %w: %w", arn, ErrUnreadable, err)
	}
	return fmt.Errorf("register location %s: %w", arn, err)
}

// unreadable reports whether a registration was refused because of what the role, not
// the caller, may do in S3.
func unreadable(err error, role string) bool {
	if !awserr.Is(err, "InvalidInputException") && !awserr.Denied(err) {
		return false
	}
	if action := deniedAction(err); action != "" {
		return strings.HasPrefix(action, "s3:")
	}
	name := role[strings.LastIndexByte(role, '/')+1:]
	return awserr.Says(err, name) && (awserr.Says(err, "access") || awserr.Says(err, "permission")) && !awserr.Says(err, "trust")
}
