package permissions

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/plan"
)

// BatchSize is how many entries a batch call takes. The service model does not
// say so, only the documentation does
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_BatchGrantPermissions.html).
const BatchSize = 20

// Batches make the steps that grant and revoke. Steps of one Batches share calls.
type Batches struct {
	lake          *Lake
	grant, revoke *plan.Batch
}

// Batches returns a maker of steps.
func (l *Lake) Batches() *Batches {
	b := &Batches{lake: l}
	b.grant = &plan.Batch{Max: BatchSize, Run: func(ctx context.Context, steps []*plan.Step) []error {
		return l.run(ctx, steps, l.sendGrants)
	}}
	b.revoke = &plan.Batch{Max: BatchSize, Run: func(ctx context.Context, steps []*plan.Step) []error {
		return l.run(ctx, steps, l.sendRevocations)
	}}
	return b
}

// Tolerant returns a maker of steps that grant, and whose failures are handed to note
// instead of failing the plan. What note returns is the error of the step. Those that
// skip tells of when their turn comes are left out.
func (l *Lake) Tolerant(skip func(e Entry) bool, note func(ctx context.Context, e Entry, err error) error) *Batches {
	b := l.Batches()
	grant := b.grant.Run
	b.grant.Run = func(ctx context.Context, steps []*plan.Step) []error {
		errs := make([]error, len(steps))
		var left []*plan.Step
		var at []int
		for i, s := range steps {
			if !skip(entryOf(s)) {
				left, at = append(left, s), append(at, i)
			}
		}
		if len(left) == 0 {
			return errs
		}
		for i, err := range grant(ctx, left) {
			if err != nil {
				errs[at[i]] = note(ctx, entryOf(left[i]), err)
			}
		}
		return errs
	}
	return b
}

// Yielding returns a maker of steps that revoke, for what the caller may have lost the right to
// take back: what Lake Formation refuses is told to note and left as it is, and fails no plan.
func (l *Lake) Yielding(note func(ctx context.Context, e Entry, err error)) *Batches {
	b := l.Batches()
	revoke := b.revoke.Run
	b.revoke.Run = func(ctx context.Context, steps []*plan.Step) []error {
		errs := revoke(ctx, steps)
		for i, err := range errs {
			if awserr.Denied(err) && deniedAction(err) == "" && ctx.Err() == nil {
				note(ctx, entryOf(steps[i]), err)
				errs[i] = nil
			}
		}
		return errs
	}
	return b
}

// Grant adds the steps that grant an entry: one, or two if SELECT stands beside
// other permissions. They come after the steps given.
func (b *Batches) Grant(p *plan.Plan, e Entry, after ...*plan.Step) []*plan.Step {
	var steps []*plan.Step
	for _, part := range e.split() {
		steps = append(steps, p.Add(plan.Step{
			Kind: plan.Grant, Account: b.lake.Account, Resource: part.Resource.String(), Detail: part, Batch: b.grant,
			Summary: fmt.Sprintf("grant %s on %s to %s", part.what(), part.Resource, part.Principal),
		}, after...))
	}
	return steps
}

// Revoke adds the steps that revoke an entry. They come after the steps given.
func (b *Batches) Revoke(p *plan.Plan, e Entry, after ...*plan.Step) []*plan.Step {
	var steps []*plan.Step
	for _, part := range e.split() {
		steps = append(steps, p.Add(plan.Step{
			Kind: plan.Revoke, Account: b.lake.Account, Resource: part.Resource.String(), Detail: part, Batch: b.revoke,
			Summary: fmt.Sprintf("revoke %s on %s from %s", part.Permissions, part.Resource, part.Principal),
		}, after...))
	}
	return steps
}

// Change adds the steps of a [Difference]: what is granted on a resource to a
// principal comes after what is revoked there, and all of it after the steps
// given. It returns all of them.
func (b *Batches) Change(p *plan.Plan, grant, revoke []Entry, after ...*plan.Step) []*plan.Step {
	return b.ChangeAfter(p, grant, revoke, nil, after...)
}

// ChangeAfter is [Batches.Change], with steps after which something may be granted, and
// which nothing that is revoked waits for.
func (b *Batches) ChangeAfter(p *plan.Plan, grant, revoke []Entry, granting []*plan.Step, after ...*plan.Step) []*plan.Step {
	var all []*plan.Step
	revoked := map[Key][]*plan.Step{}
	for _, e := range revoke {
		steps := b.Revoke(p, e, after...)
		revoked[e.Key()] = steps
		all = append(all, steps...)
	}
	for _, e := range grant {
		all = append(all, b.Grant(p, e, slices.Concat(revoked[e.Key()], granting, after)...)...)
	}
	return all
}

// send sends entries in one call and returns what AWS answered for each: by
// number, nil or absent for what was done.
type send func(ctx context.Context, entries []types.BatchPermissionsRequestEntry) (map[string]error, error)

func (l *Lake) sendGrants(ctx context.Context, entries []types.BatchPermissionsRequestEntry) (map[string]error, error) {
	out, err := l.Client.BatchGrantPermissions(ctx, &lakeformation.BatchGrantPermissionsInput{Entries: entries})
	if err != nil {
		return nil, err
	}
	return failures(out.Failures), nil
}

func (l *Lake) sendRevocations(ctx context.Context, entries []types.BatchPermissionsRequestEntry) (map[string]error, error) {
	out, err := l.Client.BatchRevokePermissions(ctx, &lakeformation.BatchRevokePermissionsInput{Entries: entries})
	if err != nil {
		return nil, err
	}
	failed := failures(out.Failures)
	for id, err := range failed {
		gone := nothingToRevoke(err)
		if i := slices.IndexFunc(entries, func(e types.BatchPermissionsRequestEntry) bool { return aws.ToString(e.Id) == id }); !gone && i >= 0 {
			if gone, err = l.filterIsGone(ctx, entries[i], err); err != nil {
				return nil, err
			}
		}
		if gone {
			delete(failed, id)
		}
	}
	return failed, nil
}

// filterIsGone reports whether a revocation was refused because the data cells filter that it
// is about is not there any more, and nothing with it that was granted on it. Of what is not
// there Lake Formation says that it may not be there or that the caller may not see it.
func (l *Lake) filterIsGone(ctx context.Context, e types.BatchPermissionsRequestEntry, refused error) (bool, error) {
	r, ok := fromSDK(e.Resource, l.Account)
	if !ok || r.Kind != KindFilter || !awserr.Denied(refused) || deniedAction(refused) != "" {
		return false, nil
	}
	_, there, err := l.CellsFilter(ctx, r)
	if errors.Is(err, lakemesh.ErrAccessDenied) {
		return false, nil
	}
	return !there && err == nil, err
}

// failures are the entries that failed, by id. A batch answers 200 even if every
// entry failed.
func failures(list []types.BatchPermissionsFailureEntry) map[string]error {
	failed := make(map[string]error, len(list))
	for _, f := range list {
		code, message := "UnknownError", "Lake Formation gave no reason"
		if f.Error != nil {
			code, message = aws.ToString(f.Error.ErrorCode), aws.ToString(f.Error.ErrorMessage)
		}
		id := ""
		if f.RequestEntry != nil {
			id = aws.ToString(f.RequestEntry.Id)
		}
		failed[id] = awserr.New(code, message)
	}
	return failed
}

// run does the steps of one batch. Entries whose answer may pass are sent again
// until they are done, fail for good, or patience ends.
func (l *Lake) run(ctx context.Context, steps []*plan.Step, send send) []error {
	errs := make([]error, len(steps))
	waiting := make(map[string]int, len(steps))
	entries := make([]types.BatchPermissionsRequestEntry, len(steps))
	for i, s := range steps {
		e, ok := s.Detail.(Entry)
		if !ok {
			errs[i] = fmt.Errorf("the step %q carries no permissions", s.Summary)
			continue
		}
		id := strconv.Itoa(i)
		waiting[id] = i
		entries[i] = request(id, e)
	}
	begun := time.Now()
	err := poll.Until(ctx, l.patience(), "Lake Formation to take permissions", func(ctx context.Context) (bool, error) {
		left := make([]types.BatchPermissionsRequestEntry, 0, len(waiting))
		for i := range entries {
			if _, ok := waiting[strconv.Itoa(i)]; ok {
				left = append(left, entries[i])
			}
		}
		if len(left) == 0 {
			return true, nil
		}
		failed, err := send(ctx, left)
		if err != nil {
			if passing(err) {
				return false, poll.NotYet(err)
			}
			return false, err
		}
		var last error
		for _, e := range left {
			id := aws.ToString(e.Id)
			err := failed[id]
			// Unlike a role that is made for access, a unit has been there for long.
			unknownUnit := access.Grantee(aws.ToString(e.Principal.DataLakePrincipalIdentifier)).Organization() && awserr.Says(err, "invalid principal")
			stranger := l.stranger(time.Since(begun)) && awserr.Says(err, "invalid principal")
			if err != nil && passing(err) && !unknownUnit && !stranger {
				last = err
				continue
			}
			errs[waiting[id]] = explain(err, entryOf(steps[waiting[id]]))
			delete(waiting, id)
		}
		if err, ok := failed[""]; ok {
			return false, err
		}
		return len(waiting) == 0, poll.NotYet(last)
	})
	for _, i := range waiting {
		errs[i] = explain(err, entryOf(steps[i]))
	}
	return errs
}

func entryOf(s *plan.Step) Entry {
	e, _ := s.Detail.(Entry)
	return e
}

func request(id string, e Entry) types.BatchPermissionsRequestEntry {
	return types.BatchPermissionsRequestEntry{
		Id: aws.String(id), Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(e.Principal)},
		Resource: e.Resource.sdk(), Permissions: toPermissions(e.Permissions), PermissionsWithGrantOption: toPermissions(e.Grantable),
	}
}

// passing reports whether the same call may succeed a little later. The SDK retries
// none of these.
func passing(err error) bool {
	switch {
	case awserr.Is(err, "ConcurrentModificationException", "OperationTimeoutException", "ThrottledException", "ThrottlingException", "InternalServiceException"):
		return true
	case awserr.Is(err, "InvalidInputException"):
		// A role that was made a moment ago is not known everywhere yet, and neither
		// is a location.
		return awserr.Says(err, "invalid principal") || awserr.Says(err, "register the S3 path") || awserr.Says(err, "Grantee has no permissions")
	case awserr.Denied(err):
		return awserr.Says(err, "is not authorized to access requested permissions")
	}
	return false
}

// nothingToRevoke reports whether a revocation failed because there was nothing to
// revoke.
func nothingToRevoke(err error) bool {
	if awserr.NotFound(err) {
		return true
	}
	return awserr.Is(err, "InvalidInputException") &&
		(awserr.Says(err, "No permissions revoked") || awserr.Says(err, "Grantee has no"))
}

// explain adds what to do to an answer that users come across.
func explain(err error, e Entry) error {
	if err == nil {
		return nil
	}
	if awserr.Says(err, "Illegal combination") {
		return BlockedByIAM(e.Resource, err)
	}
	unknown := awserr.Says(err, "invalid principal") || awserr.Is(err, "InvalidInputException") && awserr.Says(err, "organization")
	if access.Grantee(e.Principal).Organization() && unknown {
		// https://docs.aws.amazon.com/lake-formation/latest/dg/security-iam-troubleshoot.html
		return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Account: e.Resource.Account, Resource: "principal " + e.Principal, Code: awserr.Code(err), Err: err,
			Message: "Lake Formation does not know it: " + awserr.Message(err),
			Hint: "it knows the organization that account " + e.Resource.Account + " is in and the units of it, while sharing with AWS Organizations is on, which the organization's management account does " +
				"(aws ram enable-sharing-with-aws-organization), and from cross-account version 3 on, to which initializing the mesh account again brings it"}
	}
	if awserr.Says(err, "invalid principal") {
		return &lakemesh.Error{Kind: lakemesh.ErrNotFound, Account: e.Resource.Account, Resource: "principal " + e.Principal,
			Code: awserr.Code(err), Message: "Lake Formation does not know it", Hint: "check that the role or account exists", Err: err}
	}
	if action := deniedAction(err); action != "" {
		return &lakemesh.Error{Kind: lakemesh.ErrAccessDenied, Account: e.Resource.Account, Resource: e.Resource.String(), Code: awserr.Code(err), Err: err,
			Message: awserr.Message(err),
			Hint: "Lake Formation shares with the rights of who grants, and that role lacks " + action +
				"; let the mesh's administrator set the role up again, or see whether another policy of its account or organization denies that"}
	}
	return err
}

// deniedActionPattern is how IAM says what was refused
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html).
var deniedActionPattern = regexp.MustCompile(`not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)`)

// deniedAction is the IAM action that was refused, which may be one that Lake
// Formation makes with the caller's rights; empty where AWS does not say.
func deniedAction(err error) string {
	if m := deniedActionPattern.FindStringSubmatch(awserr.Message(err)); m != nil {
		return m[1]
	}
	return ""
}

// BlockedByIAM is the error of a resource on which IAMAllowedPrincipals holds a
// permission, so that Lake Formation refuses to share it
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-prereqs.html).
// cause may be nil.
func BlockedByIAM(r Resource, cause error) error {
	return &lakemesh.Error{
		Kind: lakemesh.ErrAccessDenied, Account: r.Account, Resource: r.String(), Code: awserr.Code(cause), Err: cause,
		Message: "IAMAllowedPrincipals holds permissions on it or on its database, so Lake Formation cannot share it",
		Hint:    "as a data lake administrator of the account, revoke all that it holds from " + AllowedByIAM + " on " + r.String() + ", and clear the default permissions for new tables of the database. If others depend on them, its owner can publish it in hybrid access mode",
	}
}
