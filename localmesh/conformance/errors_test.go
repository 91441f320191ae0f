package conformance_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

// retrying is a configuration that tries as often as the SDK does by default, and
// does not wait in between.
func (e *estate) retrying(principal string) aws.Config {
	cfg := e.Config(principal)
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	return cfg
}

// attempts makes a call whose every attempt is answered with the error, checks
// that the caller gets it, and returns how often the SDK tried.
func (e *estate) attempts(service, operation, code string, status int, call func(aws.Config) error) int {
	e.t.Helper()
	const more = 10
	fault := e.Fail(localmesh.Fault{Service: service, Operation: operation, Code: code, Status: status, Times: more})
	err := call(e.retrying(landlordAdmin))
	e.refused(err, code)
	e.status(err, status)
	e.ClearFaults()
	return fault.Hits()
}

// generic tells whether an error is of no type of the service's package.
func generic(err error) bool {
	var untyped *smithy.GenericAPIError
	return errors.As(err, &untyped)
}

func TestTypesOfErrors(t *testing.T) {
	t.Parallel()
	base := newEstate(t)

	holds(t, "6.1.1", "Lake Formation's errors have types only where the operation declares them", func(t *testing.T) {
		e := base.fork(t)
		err := e.grant(ann, bob, theTable("house", "kitchen"), "SELECT")
		e.refused(err, "AccessDeniedException")
		e.equal(generic(err), true)
		err = e.grant(landlordAdmin, bob, theTable("house", "none"), "SELECT")
		var notFound *lftypes.EntityNotFoundException
		e.equal(errors.As(err, &notFound), true)
		err = e.grant(landlordAdmin, bob, theTable("house", "kitchen"), "CREATE_TABLE")
		var invalid *lftypes.InvalidInputException
		e.equal(errors.As(err, &invalid), true)
	})

	holds(t, "6.1.2", "those of Glue, RAM and DynamoDB have types everywhere, those of STS and S3 here and there", func(t *testing.T) {
		e := base.fork(t)
		var denied *gluetypes.AccessDeniedException
		e.equal(errors.As(errOf(e.get(ann, "", "house", "kitchen")), &denied), true)
		var unknown *ramtypes.UnknownResourceException
		e.equal(errors.As(errOf(e.ram(landlordAdmin).DeleteResourceShare(t.Context(), &ram.DeleteResourceShareInput{
			ResourceShareArn: aws.String("arn:aws:ram:us-east-1:" + landlord + ":resource-share/none")})), &unknown), true)
		var absent *dynamotypes.ResourceNotFoundException
		e.equal(errors.As(errOf(e.dynamodb(landlordAdmin).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("none")})), &absent), true)
		err := errOf(e.sts(ann).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(lakeRole), RoleSessionName: aws.String("s1")}))
		e.refused(err, "AccessDenied")
		e.equal(generic(err), true)
		err = errOf(e.s3(landlordAdmin).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("land")}))
		e.refused(err, "NoSuchBucketPolicy")
		e.equal(generic(err), true)
	})

	holds(t, "6.1.3", "IAM's codes have no \"Exception\", and statuses of their own", func(t *testing.T) {
		e := base.fork(t)
		c := e.iam(landlordAdmin)
		policy, err := c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(allowing("s3:*", "*"))})
		e.must(err)
		e.must(errOf(c.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: nameIn(ann), PolicyArn: policy.Policy.Arn})))
		for code, test := range map[string]struct {
			status int
			err    error
		}{
			"EntityAlreadyExists":     {409, errOf(c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: nameIn(ann), AssumeRolePolicyDocument: aws.String(trustedBy("AWS", landlord))}))},
			"NoSuchEntity":            {404, errOf(c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("None")}))},
			"LimitExceeded":           {409, errOf(c.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: nameIn(ann), PolicyName: aws.String("p"), PolicyDocument: aws.String(policySized(11_000))}))},
			"MalformedPolicyDocument": {400, errOf(c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("Q"), PolicyDocument: aws.String("{}")}))},
			"InvalidInput":            {400, errOf(c.CreateServiceLinkedRole(t.Context(), &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("none")}))},
			"DeleteConflict":          {409, errOf(c.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: nameIn(ann)}))},
		} {
			e.refused(test.err, code)
			e.status(test.err, test.status)
		}
		for code, status := range map[string]int{"ConcurrentModification": 409, "ServiceFailure": 500} {
			e.attempts("iam", "GetRole", code, status, func(cfg aws.Config) error {
				return errOf(iam.NewFromConfig(cfg).GetRole(t.Context(), &iam.GetRoleInput{RoleName: nameIn(ann)}))
			})
		}
	})
}

func TestErrorsOfGlue(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	read := func(cfg aws.Config) error {
		return errOf(glue.NewFromConfig(cfg).GetTable(t.Context(), &glue.GetTableInput{DatabaseName: aws.String("house"), Name: aws.String("kitchen")}))
	}

	holds(t, "6.2.1", "what exists is not made again", func(t *testing.T) {
		e := base.fork(t)
		e.refused(e.database(landlordAdmin, "house"), "AlreadyExistsException")
		e.refused(e.database(landlordAdmin, "HOUSE"), "AlreadyExistsException")
		e.refused(e.table(landlordAdmin, "house", room("kitchen")), "AlreadyExistsException")
		e.must(e.partition(landlordAdmin, "house", "kitchen", "monday", ""))
		e.refused(e.partition(landlordAdmin, "house", "kitchen", "monday", ""), "AlreadyExistsException")
		crawler := "arn:aws:iam::" + landlord + ":role/Crawler"
		e.role(crawler, trustedBy("Service", "glue.amazonaws.com"), allowing("s3:*", "*"))
		crawl := func() error {
			return errOf(e.glue(landlordAdmin).CreateCrawler(t.Context(), &glue.CreateCrawlerInput{Name: aws.String("c"), Role: &crawler, DatabaseName: aws.String("house"),
				Targets: &gluetypes.CrawlerTargets{S3Targets: []gluetypes.S3Target{{Path: aws.String("s3://land/house")}}}}))
		}
		e.must(crawl())
		e.refused(crawl(), "AlreadyExistsException")
	})

	holds(t, "6.2.2", "in a batch each partition fails by itself", func(t *testing.T) {
		e := base.fork(t)
		e.days("house", "kitchen", 2)
		out, err := e.glue(landlordAdmin).BatchCreatePartition(t.Context(), &glue.BatchCreatePartitionInput{DatabaseName: aws.String("house"), TableName: aws.String("kitchen"), PartitionInputList: dayInputs(1, 3)})
		e.must(err)
		e.equal(len(out.Errors), 1)
		e.equal(fmt.Sprint(out.Errors[0].PartitionValues, *out.Errors[0].ErrorDetail.ErrorCode), "[d1]AlreadyExistsException")
		list, err := e.glue(landlordAdmin).GetPartitions(t.Context(), &glue.GetPartitionsInput{DatabaseName: aws.String("house"), TableName: aws.String("kitchen")})
		e.must(err)
		e.equal(len(list.Partitions), 4)
	})

	holds(t, "6.2.3", "what is not there is denied to whom could not see it", func(t *testing.T) {
		e := base.fork(t)
		e.refused(errOf(e.get(landlordAdmin, "", "house", "cellar")), "EntityNotFoundException")
		e.refused(errOf(e.getDatabase(landlordAdmin, "castle")), "EntityNotFoundException")
		e.refused(errOf(e.get(ann, "", "house", "cellar")), "AccessDeniedException")
		e.refused(errOf(e.getDatabase(ann, "castle")), "AccessDeniedException")
		e.refused(errOf(e.get(tenantAdmin, landlord, "house", "cellar")), "AccessDeniedException")
	})

	holds(t, "6.2.4", "concurrent changes are refused, and the SDK does not try again", func(t *testing.T) {
		e := base.fork(t)
		table, err := e.get(landlordAdmin, "", "house", "kitchen")
		e.must(err)
		update := func() error {
			return errOf(e.glue(landlordAdmin).UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String("house"), TableInput: room("kitchen"), VersionId: table.VersionId}))
		}
		e.must(update())
		e.refused(update(), "ConcurrentModificationException")
		e.equal(e.attempts("glue", "GetTable", "ConcurrentModificationException", 400, read), 1)
		e.equal(e.attempts("lakeformation", "GrantPermissions", "ConcurrentModificationException", 400, grantTo(t)), 1)
	})

	holds(t, "6.2.5", "an operation that times out is not tried again", func(t *testing.T) {
		e := base.fork(t)
		e.equal(e.attempts("glue", "GetTable", "OperationTimeoutException", 400, read), 1)
		e.equal(e.attempts("lakeformation", "GrantPermissions", "OperationTimeoutException", 400, grantTo(t)), 1)
		// Whether it took effect is not known.
		e.Fail(localmesh.Fault{Service: "glue", Operation: "CreateDatabase", Moment: localmesh.After})
		if err := e.database(landlordAdmin, "lost"); err == nil {
			t.Error("an answer that is lost arrived")
		}
		e.must(errOf(e.getDatabase(landlordAdmin, "lost")))
	})

	holds(t, "6.2.6", "quotas", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.SetQuota(landlord, "databases", 1))
		err := e.database(landlordAdmin, "second")
		e.refused(err, "ResourceNumberLimitExceededException")
		e.status(err, 400)
	})

	holds(t, "6.2.7", "Glue throttles with status 400, and the SDK tries three times", func(t *testing.T) {
		e := base.fork(t)
		e.equal(e.attempts("glue", "GetTable", "ThrottlingException", 400, read), 3)
	})

	holds(t, "6.2.9", "a failure of the service has status 500, and the SDK tries three times", func(t *testing.T) {
		e := base.fork(t)
		e.equal(e.attempts("glue", "GetTable", "InternalServiceException", 500, read), 3)
		e.equal(e.attempts("lakeformation", "GrantPermissions", "InternalServiceException", 500, grantTo(t)), 3)
	})

	holds(t, "6.2.10", "conditions of the resource policy, and that there is none", func(t *testing.T) {
		e := base.fork(t)
		c := e.glue(landlordAdmin)
		e.refused(errOf(c.GetResourcePolicy(t.Context(), &glue.GetResourcePolicyInput{})), "EntityNotFoundException")
		put := func(exists gluetypes.ExistCondition) error {
			return errOf(c.PutResourcePolicy(t.Context(), &glue.PutResourcePolicyInput{PolicyExistsCondition: exists, PolicyInJson: aws.String(policyOf(
				`{"Effect":"Allow","Principal":{"AWS":"` + tenant + `"},"Action":"glue:GetDatabase","Resource":"arn:aws:glue:us-east-1:` + landlord + `:catalog"}`))}))
		}
		e.refused(put(gluetypes.ExistConditionMustExist), "ConditionCheckFailureException")
		e.must(put(gluetypes.ExistConditionNotExist))
		e.refused(put(gluetypes.ExistConditionNotExist), "ConditionCheckFailureException")
	})
}

// grantTo makes a grant.
func grantTo(t *testing.T) func(aws.Config) error {
	return func(cfg aws.Config) error {
		return errOf(lakeformation.NewFromConfig(cfg).GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(ann)}, Resource: theTable("house", "kitchen"), Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		}))
	}
}

func TestErrorsOfLakeFormation(t *testing.T) {
	t.Parallel()
	base := newEstate(t)

	holds(t, "6.2.8", "Lake Formation throttles with ThrottledException and status 429, and the SDK tries three times", func(t *testing.T) {
		e := base.fork(t)
		e.SetRate("lakeformation", "GrantPermissions", 0.001)
		e.must(e.grant(landlordAdmin, ann, theTable("house", "kitchen"), "SELECT"))
		err := e.grant(landlordAdmin, ann, theTable("house", "kitchen"), "SELECT")
		e.refused(err, "ThrottledException", "Rate exceeded")
		e.status(err, 429)
		e.SetRate("lakeformation", "GrantPermissions", 0)
		for code, status := range map[string]int{"ThrottledException": 429, "ThrottlingException": 400} {
			e.equal(e.attempts("lakeformation", "GrantPermissions", code, status, grantTo(t)), 3)
		}
	})

	holds(t, "6.2.12", "a principal that is not known, or not yet, is invalid", func(t *testing.T) {
		e := base.fork(t)
		e.refused(e.grant(landlordAdmin, "arn:aws:iam::"+landlord+":role/None", theTable("house", "kitchen"), "SELECT"), "InvalidInputException", "Invalid principal")
		e.SetEventualConsistency(looks)
		e.must(errOf(e.iam(landlordAdmin).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("New"), AssumeRolePolicyDocument: aws.String(trustedBy("AWS", landlord))})))
		e.eventually("InvalidInputException", "Invalid principal", func() error {
			return e.grant(landlordAdmin, "arn:aws:iam::"+landlord+":role/New", theTable("house", "kitchen"), "SELECT")
		})
	})

	holds(t, "6.2.13", "a location that is not registered is denied, one that just was is refused for a while", func(t *testing.T) {
		e := base.fork(t)
		e.refused(e.grant(landlordAdmin, ann, theLocation("land/barn"), "DATA_LOCATION_ACCESS"), "AccessDeniedException", "is not authorized to access requested permissions")
		e.SetEventualConsistency(looks)
		e.must(e.register(landlordAdmin, "land/barn", lakeRole))
		e.eventually("InvalidInputException", "register the S3 path", func() error {
			return e.grant(landlordAdmin, ann, theLocation("land/barn"), "DATA_LOCATION_ACCESS")
		})
	})

	holds(t, "6.2.14", "what was not granted is not revoked", func(t *testing.T) {
		e := base.fork(t)
		e.refused(e.revoke(landlordAdmin, ann, theTable("house", "kitchen"), "SELECT"), "InvalidInputException", "No permissions revoked. Grantee")
		e.refused(e.revoke(landlordAdmin, ann, theColumns("house", "kitchen", "none"), "SELECT"), "InvalidInputException")
		e.refused(e.grant(landlordAdmin, ann, theColumns("house", "kitchen", "none"), "SELECT"), "InvalidInputException", "non-existent column")
	})

	holds(t, "6.2.15", "what IAM_ALLOWED_PRINCIPALS holds is not shared", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.grant(landlordAdmin, "IAM_ALLOWED_PRINCIPALS", theTable("house", "kitchen"), "ALL"))
		e.refused(e.grant(landlordAdmin, tenant, theTable("house", "kitchen"), "SELECT"), "AccessDeniedException", "Illegal combination")
		e.must(e.revoke(landlordAdmin, "IAM_ALLOWED_PRINCIPALS", theTable("house", "kitchen"), "ALL"))
		e.must(e.grant(landlordAdmin, tenant, theTable("house", "kitchen"), "SELECT"))
	})

	holds(t, "6.2.16", "a location is registered once", func(t *testing.T) {
		e := base.fork(t)
		e.refused(e.register(landlordAdmin, "land/house", lakeRole), "AlreadyExistsException")
	})

	holds(t, "6.2.17", "administrators that were deleted are all taken out in one call", func(t *testing.T) {
		e := base.fork(t)
		var arns []string
		for _, name := range []string{"First", "Second"} {
			e.must(errOf(e.iam(landlordAdmin).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trustedBy("AWS", landlord))})))
			arns = append(arns, "arn:aws:iam::"+landlord+":role/"+name)
		}
		put := func(admins ...string) error {
			s := e.settingsOf(landlordAdmin)
			s.DataLakeAdmins = principals(append([]string{landlordAdmin}, admins...)...)
			return errOf(e.lake(landlordAdmin).PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: s}))
		}
		e.must(put(arns...))
		for _, name := range []string{"First", "Second"} {
			e.must(errOf(e.iam(landlordAdmin).DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: &name})))
		}
		e.refused(put(arns...), "InvalidInputException", "Invalid principal")
		e.refused(put(arns[0]), "InvalidInputException", "Invalid principal")
		e.refused(put(arns[1]), "InvalidInputException", "Invalid principal")
		e.must(put())
		e.refused(put("arn:aws:iam::"+landlord+":role/None"), "InvalidInputException", "Invalid principal")
	})

	holds(t, "6.2.18", "AccessDeniedException comes with 403 or with 400", func(t *testing.T) {
		e := base.fork(t)
		e.status(e.grant(ann, bob, theTable("house", "kitchen"), "SELECT"), 403)
		e.status(e.grant(landlordAdmin, bob, theLocation("land/barn"), "DATA_LOCATION_ACCESS"), 400)
	})
}

// eventually makes a call until it succeeds: it fails once at least, and looks
// times at most, with the code and the words.
func (e *estate) eventually(code, words string, call func() error) {
	e.t.Helper()
	for n := 0; ; n++ {
		err := call()
		if err == nil {
			if n == 0 {
				e.t.Error("it is known at once")
			}
			return
		}
		e.refused(err, code, words)
		if n >= looks {
			e.t.Fatalf("it is not known after %d looks", n)
		}
	}
}

func TestErrorsOfRAM(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	house := "arn:aws:glue:us-east-1:" + landlord + ":database/house"
	invite := func(e *estate) (share, invitation string) {
		e.t.Helper()
		out, err := e.ram(landlordAdmin).CreateResourceShare(t.Context(), &ram.CreateResourceShareInput{Name: aws.String("s"), ResourceArns: []string{house}, Principals: []string{tenant}})
		e.must(err)
		share = *out.ResourceShare.ResourceShareArn
		for _, i := range e.invitations(tenantAdmin) {
			if *i.ResourceShareArn == share {
				return share, *i.ResourceShareInvitationArn
			}
		}
		e.t.Fatal("no invitation")
		return "", ""
	}
	accept := func(e *estate, arn string) error {
		return errOf(e.ram(tenantAdmin).AcceptResourceShareInvitation(t.Context(), &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: &arn}))
	}
	reject := func(e *estate, arn string) error {
		return errOf(e.ram(tenantAdmin).RejectResourceShareInvitation(t.Context(), &ram.RejectResourceShareInvitationInput{ResourceShareInvitationArn: &arn}))
	}

	holds(t, "6.2.19", "an invitation is accepted once", func(t *testing.T) {
		e := base.fork(t)
		_, arn := invite(e)
		e.must(accept(e, arn))
		e.refused(accept(e, arn), "ResourceShareInvitationAlreadyAcceptedException")
	})

	holds(t, "6.2.20", "one that was rejected, or has expired, is over: the owner makes another", func(t *testing.T) {
		var later time.Duration
		now := time.Now()
		e := base.fork(t, localmesh.WithClock(func() time.Time { return now.Add(later) }))
		share, arn := invite(e)
		e.must(reject(e, arn))
		e.refused(accept(e, arn), "ResourceShareInvitationAlreadyRejectedException")
		_, second := invite(e)
		later = 12 * time.Hour
		e.refused(accept(e, second), "ResourceShareInvitationExpiredException")
		c := e.ram(landlordAdmin)
		e.must(errOf(c.DisassociateResourceShare(t.Context(), &ram.DisassociateResourceShareInput{ResourceShareArn: &share, Principals: []string{tenant}})))
		e.must(errOf(c.AssociateResourceShare(t.Context(), &ram.AssociateResourceShareInput{ResourceShareArn: &share, Principals: []string{tenant}})))
		again := slices.IndexFunc(e.invitations(tenantAdmin), func(i ramtypes.ResourceShareInvitation) bool {
			return i.Status == ramtypes.ResourceShareInvitationStatusPending && *i.ResourceShareArn == share
		})
		if again < 0 {
			t.Fatal("the owner cannot invite again")
		}
		e.must(accept(e, *e.invitations(tenantAdmin)[again].ResourceShareInvitationArn))
	})

	holds(t, "6.2.21", "one that is not there, or not yet, is not found", func(t *testing.T) {
		e := base.fork(t)
		e.refused(accept(e, "arn:aws:ram:us-east-1:"+landlord+":resource-share-invitation/none"), "ResourceShareInvitationArnNotFoundException")
		_, arn := invite(e)
		e.refused(errOf(e.ram(passerbyAdmin).AcceptResourceShareInvitation(t.Context(), &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: &arn})),
			"ResourceShareInvitationArnNotFoundException")
	})

	holds(t, "6.2.22", "what RAM refuses for good", func(t *testing.T) {
		e := base.fork(t)
		c := e.ram(landlordAdmin)
		create := func(in *ram.CreateResourceShareInput) error {
			in.Name = aws.String("x")
			return errOf(c.CreateResourceShare(t.Context(), in))
		}
		e.refused(create(&ram.CreateResourceShareInput{ResourceArns: []string{"arn:aws:glue:us-east-1:" + tenant + ":database/house"}}), "OperationNotPermittedException")
		e.refused(create(&ram.CreateResourceShareInput{Principals: []string{tenant}, AllowExternalPrincipals: aws.Bool(false)}), "OperationNotPermittedException")
		e.refused(create(&ram.CreateResourceShareInput{ResourceArns: []string{"arn:aws:glue:us-east-1:" + landlord + ":database/none"}}), "UnknownResourceException")
		e.refused(create(&ram.CreateResourceShareInput{ResourceArns: []string{"house"}}), "MalformedArnException")
		token := aws.String("token")
		e.must(create(&ram.CreateResourceShareInput{ClientToken: token, ResourceArns: []string{house}}))
		e.must(create(&ram.CreateResourceShareInput{ClientToken: token, ResourceArns: []string{house}}))
		e.refused(create(&ram.CreateResourceShareInput{ClientToken: token}), "IdempotentParameterMismatchException")
		share, _ := invite(e)
		e.refused(errOf(c.DisassociateResourceSharePermission(t.Context(), &ram.DisassociateResourceSharePermissionInput{
			ResourceShareArn: &share, PermissionArn: aws.String("arn:aws:ram::aws:permission/AWSRAMDefaultPermissionGlueDatabase"),
		})), "InvalidStateTransitionException")
	})

	holds(t, "6.2.23", "failures that pass are tried again", func(t *testing.T) {
		e := base.fork(t)
		list := func(cfg aws.Config) error {
			return errOf(ram.NewFromConfig(cfg).GetResourceShareInvitations(t.Context(), &ram.GetResourceShareInvitationsInput{}))
		}
		for code, status := range map[string]int{"ThrottlingException": 429, "ServiceUnavailableException": 503, "ServerInternalException": 500} {
			e.equal(e.attempts("ram", "GetResourceShareInvitations", code, status, list), 3)
		}
		// A 429 is tried again whatever its code, and nothing else with a code that says nothing.
		e.equal(e.attempts("ram", "GetResourceShareInvitations", "Unknown", 429, list), 3)
		e.equal(e.attempts("ram", "GetResourceShareInvitations", "Unknown", 400, list), 1)
	})
}

func TestErrorsOfIAMAndSTS(t *testing.T) {
	t.Parallel()
	base := newEstate(t)

	holds(t, "6.2.24", "a trust policy names principals that exist", func(t *testing.T) {
		e := base.fork(t)
		c := e.iam(landlordAdmin)
		create := func(name, trust string) error {
			return errOf(c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}))
		}
		update := func(trust string) error {
			return errOf(c.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: nameIn(ann), PolicyDocument: &trust}))
		}
		none := trustedBy("AWS", "arn:aws:iam::"+landlord+":role/None")
		e.refused(create("X", none), "MalformedPolicyDocument", "Invalid principal in policy")
		e.refused(update(none), "MalformedPolicyDocument", "Invalid principal in policy")
		e.refused(update(trustedBy("AWS", "AROAAAAAAAAAAAAAAAAAA")), "MalformedPolicyDocument", "Invalid principal in policy")
		e.SetEventualConsistency(looks)
		e.must(create("New", trustedBy("AWS", landlord)))
		e.eventually("MalformedPolicyDocument", "Invalid principal in policy", func() error {
			return update(trustedBy("AWS", "arn:aws:iam::"+landlord+":role/New"))
		})
	})

	holds(t, "6.2.25", "what exists is not made again", func(t *testing.T) {
		e := base.fork(t)
		c := e.iam(landlordAdmin)
		for range 2 {
			for what, err := range map[string]error{
				"role":   errOf(c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("X"), AssumeRolePolicyDocument: aws.String(trustedBy("AWS", landlord))})),
				"user":   errOf(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("X")})),
				"group":  errOf(c.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String("X")})),
				"policy": errOf(c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("X"), PolicyDocument: aws.String(allowing("s3:*", "*"))})),
			} {
				var api smithy.APIError
				if err != nil && (!errors.As(err, &api) || api.ErrorCode() != "EntityAlreadyExists") {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
		e.refused(errOf(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("X")})), "EntityAlreadyExists")
	})

	holds(t, "6.2.26", "a sixth version takes the place of one that is not the default", func(t *testing.T) {
		e := base.fork(t)
		c := e.iam(landlordAdmin)
		out, err := c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(allowing("s3:*", "*"))})
		e.must(err)
		version := func() error {
			return errOf(c.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: out.Policy.Arn, PolicyDocument: aws.String(allowing("s3:*", "*")), SetAsDefault: true}))
		}
		for range 4 {
			e.must(version())
		}
		err = version()
		e.refused(err, "LimitExceeded")
		e.status(err, 409)
		e.refused(errOf(c.DeletePolicyVersion(t.Context(), &iam.DeletePolicyVersionInput{PolicyArn: out.Policy.Arn, VersionId: aws.String("v5")})), "DeleteConflict")
		e.must(errOf(c.DeletePolicyVersion(t.Context(), &iam.DeletePolicyVersionInput{PolicyArn: out.Policy.Arn, VersionId: aws.String("v1")})))
		e.must(version())
	})

	holds(t, "6.2.27", "a role that was just made may not be there yet", func(t *testing.T) {
		e := base.fork(t)
		e.SetEventualConsistency(looks)
		c := e.iam(landlordAdmin)
		e.must(errOf(c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("New"), AssumeRolePolicyDocument: aws.String(trustedBy("AWS", landlord))})))
		e.eventually("NoSuchEntity", "", func() error {
			return errOf(c.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("New"), PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}))
		})
	})

	holds(t, "6.2.28", "a service-linked role is made once", func(t *testing.T) {
		e := base.fork(t)
		create := func() error {
			return errOf(e.iam(landlordAdmin).CreateServiceLinkedRole(t.Context(), &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("lakeformation.amazonaws.com")}))
		}
		e.must(create())
		e.refused(create(), "InvalidInput", "has been taken in this account")
	})

	holds(t, "6.2.29", "a role that may not be assumed is denied with 403, and so is a session that is over", func(t *testing.T) {
		now := time.Now()
		var later time.Duration
		e := base.fork(t, localmesh.WithClock(func() time.Time { return now.Add(later) }))
		assume := func(role string) error {
			return errOf(e.sts(ann).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("s1")}))
		}
		for _, role := range []string{lakeRole, tom, "arn:aws:iam::" + landlord + ":role/None"} {
			err := assume(role)
			e.refused(err, "AccessDenied", "is not authorized to perform: sts:AssumeRole")
			e.status(err, 403)
		}
		caller := e.sts(ann)
		e.must(errOf(caller.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})))
		later = 61 * time.Minute
		err := errOf(caller.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))
		e.refused(err, "ExpiredToken")
		e.status(err, 403)
		// A trust that was just written is not known at once.
		e.SetEventualConsistency(looks)
		e.must(errOf(e.iam(landlordAdmin).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: nameIn(lakeRole), PolicyDocument: aws.String(trustedBy("AWS", landlord))})))
		e.eventually("AccessDenied", "", func() error { return assume(lakeRole) })
	})
}

func TestErrorsOfS3AndDynamoDB(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	base.records()

	holds(t, "6.2.30", "a bucket without a policy answers 404", func(t *testing.T) {
		e := base.fork(t)
		err := errOf(e.s3(landlordAdmin).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("land")}))
		e.refused(err, "NoSuchBucketPolicy")
		e.status(err, 404)
	})

	holds(t, "6.2.31", "a bucket's policy names principals that exist", func(t *testing.T) {
		e := base.fork(t)
		put := func(principal string) error {
			return errOf(e.s3(landlordAdmin).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("land"), Policy: aws.String(policyOf(
				`{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::land/*"}`))}))
		}
		slr := "arn:aws:iam::" + tenant + ":role/aws-service-role/lakeformation.amazonaws.com/" + serviceLinked
		err := put(slr)
		e.refused(err, "MalformedPolicy", "Invalid principal in policy")
		e.status(err, 400)
		e.must(errOf(e.iam(tenantAdmin).CreateServiceLinkedRole(t.Context(), &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("lakeformation.amazonaws.com")})))
		e.must(put(slr))
	})

	holds(t, "6.2.32", "OperationAborted is not tried again", func(t *testing.T) {
		e := base.fork(t)
		e.equal(e.attempts("s3", "PutBucketPolicy", "OperationAborted", 409, func(cfg aws.Config) error {
			return errOf(s3.NewFromConfig(cfg).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("land"), Policy: aws.String("{}")}))
		}), 1)
	})

	holds(t, "6.2.33", "a condition that does not hold is an error, and nothing is written", func(t *testing.T) {
		e := base.fork(t)
		put := func(cfg aws.Config, state string) error {
			return errOf(dynamodb.NewFromConfig(cfg).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("records"), Item: record("1", "state", state), ConditionExpression: aws.String("attribute_not_exists(id)")}))
		}
		e.must(put(e.retrying(landlordAdmin), "first"))
		e.ResetCounts()
		err := put(e.retrying(landlordAdmin), "second")
		e.refused(err, "ConditionalCheckFailedException", "The conditional request failed")
		e.status(err, 400)
		e.equal(e.Calls(), 1)
		out, err := e.dynamodb(landlordAdmin).GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("records"), Key: record("1"), ConsistentRead: aws.Bool(true)})
		e.must(err)
		e.equal(out.Item["state"].(*dynamotypes.AttributeValueMemberS).Value, "first")
	})

	holds(t, "6.2.34", "a table is made once, and one that is not there is not found", func(t *testing.T) {
		e := base.fork(t)
		c := e.dynamodb(landlordAdmin)
		e.refused(errOf(c.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: aws.String("records"), BillingMode: dynamotypes.BillingModePayPerRequest,
			KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamotypes.KeyTypeHash}},
			AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
		})), "ResourceInUseException")
		e.must(dynamodb.NewTableExistsWaiter(c).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("records")}, time.Minute))
		e.refused(errOf(c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("none"), Key: record("1")})), "ResourceNotFoundException")
	})

	holds(t, "6.2.35", "which failures the SDK tries again", func(t *testing.T) {
		e := base.fork(t)
		get := func(cfg aws.Config) error {
			return errOf(dynamodb.NewFromConfig(cfg).GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("records"), Key: record("1")}))
		}
		for code, tries := range map[string]int{
			"ProvisionedThroughputExceededException": 3, "ThrottlingException": 3, "RequestLimitExceeded": 3,
			"TransactionConflictException": 1, "ReplicatedWriteConflictException": 1,
		} {
			if n := e.attempts("dynamodb", "GetItem", code, 400, get); n != tries {
				t.Errorf("%s is tried %d times, want %d", code, n, tries)
			}
		}
		e.equal(e.attempts("dynamodb", "GetItem", "InternalServerError", 500, get), 3)
	})
}

func TestBatchesAndRepetitions(t *testing.T) {
	t.Parallel()
	base := newEstate(t)

	holds(t, "6.3.1", "a batch of grants answers with what failed, entry by entry", func(t *testing.T) {
		e := base.fork(t)
		c := e.lake(landlordAdmin)
		entries := batchEntries(4)
		entries[1].Resource = theTable("house", "none")
		entries[2].Principal = &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("arn:aws:iam::" + landlord + ":role/None")}
		entries[2].PermissionsWithGrantOption = entries[2].Permissions
		entries[3].Principal = &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(bob)}
		out, err := c.BatchGrantPermissions(t.Context(), &lakeformation.BatchGrantPermissionsInput{Entries: entries})
		e.must(err)
		var failed []string
		for _, f := range out.Failures {
			r := f.RequestEntry
			failed = append(failed, fmt.Sprint(*r.Id, *nameIn(*r.Principal.DataLakePrincipalIdentifier), *r.Resource.Table.Name, r.Permissions, r.PermissionsWithGrantOption, *f.Error.ErrorCode, *f.Error.ErrorMessage != ""))
		}
		e.same(failed, []string{"1Annnone[DESCRIBE] []EntityNotFoundExceptiontrue", "2Nonekitchen[DESCRIBE] [DESCRIBE]InvalidInputExceptiontrue"})
		e.must(errOf(e.get(ann, "", "house", "kitchen")))
		e.must(errOf(e.get(bob, "", "house", "kitchen")))
		revoked, err := c.BatchRevokePermissions(t.Context(), &lakeformation.BatchRevokePermissionsInput{Entries: entries})
		e.must(err)
		e.equal(len(revoked.Failures), 2)
		e.refused(errOf(e.get(bob, "", "house", "kitchen")), "AccessDeniedException")
	})

	holds(t, "6.3.1", "ids are needed, each once", func(t *testing.T) {
		e := base.fork(t)
		for _, ids := range [][]string{{"a", "a"}, {"", "b"}, {strings.Repeat("x", 256), "b"}} {
			entries := batchEntries(2)
			entries[0].Id, entries[1].Id = &ids[0], &ids[1]
			e.refused(errOf(e.lake(landlordAdmin).BatchGrantPermissions(t.Context(), &lakeformation.BatchGrantPermissionsInput{Entries: entries})), "InvalidInputException")
		}
	})

	holds(t, "6.4.1", "what replaces can be repeated", func(t *testing.T) {
		e := base.fork(t)
		c := e.iam(landlordAdmin)
		e.must(errOf(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("U")})))
		e.must(errOf(c.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String("G")})))
		readable := policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + tenant + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::land/*"}`)
		catalog := policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + tenant + `"},"Action":"glue:GetDatabase","Resource":"arn:aws:glue:us-east-1:` + landlord + `:catalog"}`)
		const managed = "arn:aws:iam::aws:policy/ReadOnlyAccess"
		for range 2 {
			e.settings(landlordAdmin, func(*lftypes.DataLakeSettings) {})
			e.must(errOf(e.s3(landlordAdmin).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("land"), Policy: &readable})))
			e.must(errOf(e.glue(landlordAdmin).PutResourcePolicy(t.Context(), &glue.PutResourcePolicyInput{PolicyInJson: &catalog})))
			e.must(errOf(c.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: nameIn(ann), PolicyDocument: aws.String(trustedBy("AWS", landlord))})))
			e.must(errOf(c.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{UserName: aws.String("U"), GroupName: aws.String("G")})))
			e.must(errOf(c.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: nameIn(ann), PolicyArn: aws.String(managed)})))
			e.must(errOf(c.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: aws.String("U"), PolicyArn: aws.String(managed)})))
			e.must(errOf(c.AttachGroupPolicy(t.Context(), &iam.AttachGroupPolicyInput{GroupName: aws.String("G"), PolicyArn: aws.String(managed)})))
		}
		versions := func() int {
			out, err := e.glue(landlordAdmin).GetTableVersions(t.Context(), &glue.GetTableVersionsInput{DatabaseName: aws.String("house"), TableName: aws.String("kitchen")})
			e.must(err)
			return len(out.TableVersions)
		}
		e.must(e.updateTable(landlordAdmin, "house", room("kitchen")))
		e.equal(versions(), 2)
		e.must(errOf(e.glue(landlordAdmin).UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String("house"), TableInput: room("kitchen"), SkipArchive: aws.Bool(true)})))
		e.equal(versions(), 2)
	})

	holds(t, "6.4.2", "repeated grants add up", func(t *testing.T) {
		e := base.fork(t)
		for range 2 {
			e.must(e.grant(landlordAdmin, ann, theTable("house", "kitchen"), "DESCRIBE"))
			e.must(e.grant(landlordAdmin, ann, theTable("house", "kitchen"), "DROP | DROP"))
		}
		out, err := e.lake(landlordAdmin).ListPermissions(t.Context(), &lakeformation.ListPermissionsInput{
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(ann)}, Resource: theTable("house", "kitchen"),
		})
		e.must(err)
		e.equal(len(out.PrincipalResourcePermissions), 1)
		row := out.PrincipalResourcePermissions[0]
		e.equal(fmt.Sprint(row.Permissions, row.PermissionsWithGrantOption), "[DESCRIBE DROP] [DROP]")
	})

	holds(t, "6.4.3", "what cannot be repeated", func(t *testing.T) {
		e := base.fork(t)
		c := e.iam(landlordAdmin)
		out, err := c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(allowing("s3:*", "*"))})
		e.must(err)
		for range 2 {
			e.must(errOf(c.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: out.Policy.Arn, PolicyDocument: aws.String(allowing("s3:*", "*"))})))
		}
		list, err := c.ListPolicyVersions(t.Context(), &iam.ListPolicyVersionsInput{PolicyArn: out.Policy.Arn})
		e.must(err)
		e.equal(len(list.Versions), 3)
		e.must(e.grant(landlordAdmin, ann, theTable("house", "kitchen"), "SELECT"))
		e.must(e.revoke(landlordAdmin, ann, theTable("house", "kitchen"), "SELECT"))
		e.refused(e.revoke(landlordAdmin, ann, theTable("house", "kitchen"), "SELECT"), "InvalidInputException")
		share := func(token *string) string {
			out, err := e.ram(landlordAdmin).CreateResourceShare(t.Context(), &ram.CreateResourceShareInput{Name: aws.String("s"), ClientToken: token})
			e.must(err)
			return *out.ResourceShare.ResourceShareArn
		}
		for token, same := range map[*string]bool{nil: false, aws.String("token"): true} {
			first, second := share(token), share(token)
			e.equal(first == second, same)
		}
	})

	holds(t, "6.4.4", "the SDK tries three times, whatever the service", func(t *testing.T) {
		e := base.fork(t)
		identity := func(cfg aws.Config) error {
			return errOf(sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))
		}
		for code, status := range map[string]int{"RequestTimeout": 400, "RequestTimeoutException": 400, "Throttling": 400, "SlowDown": 400, "Whatever": 502} {
			if n := e.attempts("sts", "GetCallerIdentity", code, status, identity); n != 3 {
				t.Errorf("%s is tried %d times", code, n)
			}
		}
		e.equal(e.attempts("sts", "GetCallerIdentity", "Whatever", 400, identity), 1)
		// A second attempt that succeeds is a success.
		e.Fail(localmesh.Fault{Service: "sts", Operation: "GetCallerIdentity", Code: "Throttling", Status: 400, Times: 2})
		e.must(identity(e.retrying(landlordAdmin)))
	})

	holds(t, "6.4.5", "a signature of another hour is refused, and put right", func(t *testing.T) {
		e := base.fork(t)
		for _, by := range []time.Duration{time.Hour, -time.Hour} {
			identity := func(cfg aws.Config) error {
				return errOf(sts.NewFromConfig(e.Skewed(cfg, by)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))
			}
			e.refused(identity(e.as(landlordAdmin)), "SignatureDoesNotMatch")
			e.must(identity(e.retrying(landlordAdmin)))
		}
		// A few minutes are no matter.
		e.must(errOf(sts.NewFromConfig(e.Skewed(e.as(landlordAdmin), 4*time.Minute)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})))
	})
}
