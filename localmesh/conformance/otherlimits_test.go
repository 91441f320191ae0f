package conformance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh/localmesh"
)

// batchEntries are grants of DESCRIBE on the kitchen to ann, under the ids "0", "1"
// and so on.
func batchEntries(n int) []lftypes.BatchPermissionsRequestEntry {
	var entries []lftypes.BatchPermissionsRequestEntry
	for i := range n {
		entries = append(entries, lftypes.BatchPermissionsRequestEntry{
			Id: aws.String(fmt.Sprint(i)), Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(ann)},
			Resource: theTable("house", "kitchen"), Permissions: []lftypes.Permission{lftypes.PermissionDescribe},
		})
	}
	return entries
}

func TestLimitsOfLakeFormation(t *testing.T) {
	t.Parallel()
	base := newEstate(t)

	holds(t, "5.2.1", "batches take up to 20", func(t *testing.T) {
		e := base.fork(t)
		c := e.lake(landlordAdmin)
		e.refused(errOf(c.BatchGrantPermissions(t.Context(), &lakeformation.BatchGrantPermissionsInput{Entries: batchEntries(21)})), "InvalidInputException", "20")
		e.refused(errOf(c.BatchRevokePermissions(t.Context(), &lakeformation.BatchRevokePermissionsInput{Entries: batchEntries(21)})), "InvalidInputException", "20")
		out, err := c.BatchGrantPermissions(t.Context(), &lakeformation.BatchGrantPermissionsInput{Entries: batchEntries(20)})
		e.must(err)
		e.equal(len(out.Failures), 0)
	})

	holds(t, "5.2.2", "pages have 1 to 1,000, those of searches by tag 100", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.createTag(landlordAdmin, "wet", "yes"))
		c := e.lake(landlordAdmin)
		wet := []lftypes.LFTag{lfTag("wet", "yes")}
		for name, list := range map[string]struct {
			most int32
			call func(size *int32) error
		}{
			"ListPermissions": {1000, func(n *int32) error {
				return errOf(c.ListPermissions(t.Context(), &lakeformation.ListPermissionsInput{MaxResults: n}))
			}},
			"ListResources": {1000, func(n *int32) error {
				return errOf(c.ListResources(t.Context(), &lakeformation.ListResourcesInput{MaxResults: n}))
			}},
			"ListLFTags": {1000, func(n *int32) error {
				return errOf(c.ListLFTags(t.Context(), &lakeformation.ListLFTagsInput{MaxResults: n}))
			}},
			"ListLakeFormationOptIns": {1000, func(n *int32) error {
				return errOf(c.ListLakeFormationOptIns(t.Context(), &lakeformation.ListLakeFormationOptInsInput{MaxResults: n}))
			}},
			"SearchTablesByLFTags": {100, func(n *int32) error {
				return errOf(c.SearchTablesByLFTags(t.Context(), &lakeformation.SearchTablesByLFTagsInput{Expression: wet, MaxResults: n}))
			}},
			"SearchDatabasesByLFTags": {100, func(n *int32) error {
				return errOf(c.SearchDatabasesByLFTags(t.Context(), &lakeformation.SearchDatabasesByLFTagsInput{Expression: wet, MaxResults: n}))
			}},
		} {
			for _, size := range []int32{0, list.most + 1} {
				if err := list.call(&size); err == nil {
					t.Errorf("%s takes %d", name, size)
				}
			}
			for _, size := range []int32{1, list.most} {
				if err := list.call(&size); err != nil {
					t.Errorf("%s with %d: %v", name, size, err)
				}
			}
		}
		// A page that ends is not the end of the list.
		pages, rows := 0, 0
		for p := lakeformation.NewListPermissionsPaginator(c, &lakeformation.ListPermissionsInput{MaxResults: aws.Int32(1)}); p.HasMorePages(); pages++ {
			page, err := p.NextPage(t.Context())
			e.must(err)
			rows += len(page.PrincipalResourcePermissions)
		}
		all, err := c.ListPermissions(t.Context(), &lakeformation.ListPermissionsInput{})
		e.must(err)
		if pages < 3 || rows != len(all.PrincipalResourcePermissions) {
			t.Errorf("%d pages with %d rows, and %d in one", pages, rows, len(all.PrincipalResourcePermissions))
		}
	})

	holds(t, "5.2.3", "there are up to 30 administrators of each kind", func(t *testing.T) {
		e := base.fork(t)
		var arns []string
		for i := range 31 {
			name := fmt.Sprintf("A%d", i)
			e.must(errOf(e.iam(landlordAdmin).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trustedBy("AWS", landlord))})))
			arns = append(arns, "arn:aws:iam::"+landlord+":role/"+name)
		}
		put := func(admins, readers []string) error {
			s := e.settingsOf(landlordAdmin)
			s.DataLakeAdmins, s.ReadOnlyAdmins = principals(admins...), principals(readers...)
			return errOf(e.lake(landlordAdmin).PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: s}))
		}
		e.refused(put(arns, nil), "InvalidInputException", "30")
		e.refused(put(nil, arns), "InvalidInputException", "30")
		e.must(put(arns[:30], arns[1:]))
	})

	holds(t, "5.2.4", "a call puts 1 to 50 tags on a resource", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.createTag(landlordAdmin, "wet", "yes"))
		many := slices.Repeat([]string{"wet=yes"}, 51)
		for _, n := range []int{0, 51} {
			_, err := e.tagged(landlordAdmin, theTable("house", "kitchen"), many[:n]...)
			e.refused(err, "InvalidInputException")
			_, err = e.untagged(landlordAdmin, theTable("house", "kitchen"), many[:n]...)
			e.refused(err, "InvalidInputException")
		}
		e.mustTag(theTable("house", "kitchen"), many[:50]...)
	})

	holds(t, "5.2.5", "inside of an account there is no limit of grants", func(t *testing.T) {
		e := base.fork(t)
		for i := range 60 {
			name := fmt.Sprintf("P%d", i)
			e.must(errOf(e.iam(landlordAdmin).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trustedBy("AWS", landlord))})))
			e.must(e.grant(landlordAdmin, "arn:aws:iam::"+landlord+":role/"+name, theTable("house", "kitchen"), "SELECT"))
		}
	})
}

// policySized is a policy of so many characters without white space.
func policySized(n int) string {
	frame := allowing("s3:GetObject", "arn:aws:s3:::")
	return allowing("s3:GetObject", "arn:aws:s3:::"+strings.Repeat("x", n-len(frame)))
}

func TestLimitsOfIAM(t *testing.T) {
	t.Parallel()
	base := newEstate(t)

	holds(t, "5.3.1", "a managed policy has 6,144 characters beside white space, and five versions", func(t *testing.T) {
		e := base.fork(t)
		c := e.iam(landlordAdmin)
		create := func(name, document string) (*iam.CreatePolicyOutput, error) {
			return c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: &document})
		}
		e.refused(errOf(create("Long", policySized(6145))), "LimitExceeded")
		out, err := create("Fits", strings.ReplaceAll(policySized(6144), ",", ",\n   "))
		e.must(err)
		version := func() error {
			return errOf(c.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: out.Policy.Arn, PolicyDocument: aws.String(allowing("s3:*", "*"))}))
		}
		for range 4 {
			e.must(version())
		}
		e.refused(version(), "LimitExceeded")
	})

	holds(t, "5.3.2", "a trust policy has 2,048 characters, which AWS raises to 4,096", func(t *testing.T) {
		e := base.fork(t)
		trust := func(n int) error {
			frame := strings.Replace(trustedBy("AWS", landlord), `"Effect"`, `"Sid":"","Effect"`, 1)
			document := strings.Replace(frame, `"Sid":""`, `"Sid":"`+strings.Repeat("x", n-len(frame))+`"`, 1)
			return errOf(e.iam(landlordAdmin).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: nameIn(ann), PolicyDocument: &document}))
		}
		e.must(trust(2048))
		e.refused(trust(2049), "LimitExceeded")
		e.must(e.SetQuota(landlord, "AssumeRolePolicySizeQuota", 4096))
		e.must(trust(4096))
		e.refused(trust(4097), "LimitExceeded")
	})

	holds(t, "5.3.3", "the inline policies of a role have 10,240 characters together, of a group 5,120, of a user 2,048", func(t *testing.T) {
		e := base.fork(t)
		c := e.iam(landlordAdmin)
		e.must(errOf(c.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String("G")})))
		e.must(errOf(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("U")})))
		e.must(errOf(c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("R"), AssumeRolePolicyDocument: aws.String(trustedBy("AWS", landlord))})))
		for most, put := range map[int]func(name, document *string) error{
			10240: func(name, document *string) error {
				return errOf(c.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("R"), PolicyName: name, PolicyDocument: document}))
			},
			5120: func(name, document *string) error {
				return errOf(c.PutGroupPolicy(t.Context(), &iam.PutGroupPolicyInput{GroupName: aws.String("G"), PolicyName: name, PolicyDocument: document}))
			},
			2048: func(name, document *string) error {
				return errOf(c.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("U"), PolicyName: name, PolicyDocument: document}))
			},
		} {
			e.must(put(aws.String("a"), aws.String(policySized(1000))))
			e.refused(put(aws.String("b"), aws.String(policySized(most-999))), "LimitExceeded")
			e.must(put(aws.String("b"), aws.String(policySized(most-1000))))
		}
	})

	holds(t, "5.3.4", "ten managed policies a role and a group, ten groups a user", func(t *testing.T) {
		e := base.fork(t)
		c := e.iam(landlordAdmin)
		e.must(errOf(c.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String("G")})))
		e.must(errOf(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("U")})))
		for i := range 11 {
			name := fmt.Sprint("X", i)
			out, err := c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(allowing("s3:*", "*"))})
			e.must(err)
			e.must(errOf(c.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: &name})))
			for _, err := range []error{
				errOf(c.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: nameIn(ann), PolicyArn: out.Policy.Arn})),
				errOf(c.AttachGroupPolicy(t.Context(), &iam.AttachGroupPolicyInput{GroupName: aws.String("G"), PolicyArn: out.Policy.Arn})),
				errOf(c.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{GroupName: &name, UserName: aws.String("U")})),
			} {
				if i < 10 {
					e.must(err)
				} else {
					e.refused(err, "LimitExceeded")
				}
			}
		}
	})

	holds(t, "5.3.5", "roles, policies, groups and users of an account have quotas", func(t *testing.T) {
		e := base.fork(t)
		c := e.iam(landlordAdmin)
		summary, err := c.GetAccountSummary(t.Context(), &iam.GetAccountSummaryInput{})
		e.must(err)
		for quota, want := range map[string]int32{"RolesQuota": 1000, "PoliciesQuota": 1500, "GroupsQuota": 300, "UsersQuota": 5000} {
			e.equal(summary.SummaryMap[quota], want)
		}
		for _, quota := range []string{"roles", "policies", "groups", "users"} {
			e.must(e.SetQuota(landlord, quota, 0))
		}
		e.refused(errOf(c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("X"), AssumeRolePolicyDocument: aws.String(trustedBy("AWS", landlord))})), "LimitExceeded")
		e.refused(errOf(c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("X"), PolicyDocument: aws.String(allowing("s3:*", "*"))})), "LimitExceeded")
		e.refused(errOf(c.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String("X")})), "LimitExceeded")
		e.refused(errOf(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("X")})), "LimitExceeded")
	})

	holds(t, "5.3.6", "names differ in more than case; a role's has 64 characters, a path 512", func(t *testing.T) {
		e := base.fork(t)
		create := func(name, path string) error {
			return errOf(e.iam(landlordAdmin).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, Path: &path, AssumeRolePolicyDocument: aws.String(trustedBy("AWS", landlord))}))
		}
		e.refused(create("ANN", "/"), "EntityAlreadyExists")
		e.refused(create("ann", "/elsewhere/"), "EntityAlreadyExists")
		e.must(create(strings.Repeat("x", 64), "/"+strings.Repeat("x", 510)+"/"))
		e.refused(create(strings.Repeat("y", 65), "/"), "ValidationError")
		e.refused(create("y", "/"+strings.Repeat("x", 511)+"/"), "ValidationError")
	})

	holds(t, "5.3.7", "a trust policy has room for about 29 roles of other accounts", func(t *testing.T) {
		e := base.fork(t)
		var arns []string
		for i := range 40 {
			account := fmt.Sprintf("%012d", 100_000_000_000+i)
			c := e.iam("arn:aws:iam::" + account + ":role/Admin")
			e.must(errOf(c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("DataMeshConsumer"), Path: aws.String("/AwsDataMesh/"), AssumeRolePolicyDocument: aws.String(trustedBy("AWS", account))})))
			arns = append(arns, "arn:aws:iam::"+account+":role/AwsDataMesh/DataMeshConsumer")
		}
		var err error
		n := 0
		for ; err == nil && n < len(arns); n++ {
			err = errOf(e.iam(landlordAdmin).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
				RoleName: nameIn(ann), PolicyDocument: aws.String(strings.Replace(trustedBy("AWS", "@"), `"@"`, `["`+strings.Join(arns[:n+1], `","`)+`"]`, 1)),
			}))
		}
		e.refused(err, "LimitExceeded")
		if n < 25 || n > 33 {
			t.Errorf("%d roles are too many", n)
		}
	})

	holds(t, "5.3.8", "sessions last 900 seconds to what the role says, chained ones an hour", func(t *testing.T) {
		e := base.fork(t)
		user := "arn:aws:iam::" + landlord + ":user/Una"
		e.must(errOf(e.iam(landlordAdmin).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("Una")})))
		e.must(errOf(e.iam(landlordAdmin).PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("Una"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allowing("sts:AssumeRole", "*"))})))
		e.must(errOf(e.iam(landlordAdmin).UpdateRole(t.Context(), &iam.UpdateRoleInput{RoleName: nameIn(bob), MaxSessionDuration: aws.Int32(7200)})))
		e.refused(errOf(e.iam(landlordAdmin).UpdateRole(t.Context(), &iam.UpdateRoleInput{RoleName: nameIn(bob), MaxSessionDuration: aws.Int32(43201)})), "ValidationError")
		e.refused(errOf(e.iam(landlordAdmin).UpdateRole(t.Context(), &iam.UpdateRoleInput{RoleName: nameIn(bob), MaxSessionDuration: aws.Int32(3599)})), "ValidationError")
		assume := func(by, name string, change func(*sts.AssumeRoleInput)) error {
			in := &sts.AssumeRoleInput{RoleArn: aws.String(bob), RoleSessionName: &name}
			if change != nil {
				change(in)
			}
			return errOf(e.sts(by).AssumeRole(t.Context(), in))
		}
		seconds := func(n int32) func(*sts.AssumeRoleInput) {
			return func(in *sts.AssumeRoleInput) { in.DurationSeconds = &n }
		}
		e.must(assume(user, "s1", seconds(900)))
		e.must(assume(user, "s1", seconds(7200)))
		e.refused(assume(user, "s1", seconds(899)), "ValidationError")
		e.refused(assume(user, "s1", seconds(7201)), "ValidationError")
		e.refused(assume(user, "s1", seconds(43201)), "ValidationError")
		e.must(assume(ann, "s1", seconds(3600)))
		e.refused(assume(ann, "s1", seconds(3601)), "ValidationError")
		// Session names and policies.
		e.must(assume(ann, strings.Repeat("x", 64), nil))
		for _, bad := range []string{"x", strings.Repeat("x", 65), "a b", "a/b"} {
			e.refused(assume(ann, bad, nil), "ValidationError")
		}
		e.must(assume(ann, "a_+=,.@-9", nil))
		e.must(assume(ann, "s1", func(in *sts.AssumeRoleInput) { in.Policy = aws.String(policySized(2048)) }))
		e.refused(assume(ann, "s1", func(in *sts.AssumeRoleInput) { in.Policy = aws.String(policySized(2049)) }), "ValidationError")
	})
}

func TestLimitsOfRAM(t *testing.T) {
	t.Parallel()
	now := time.Now()
	base := newEstate(t)

	holds(t, "5.4.1", "pages have 1 to 500, calls up to 100 resources", func(t *testing.T) {
		e := base.fork(t)
		c := e.ram(tenantAdmin)
		for size, ok := range map[int32]bool{0: false, 1: true, 500: true, 501: false} {
			_, invitations := c.GetResourceShareInvitations(t.Context(), &ram.GetResourceShareInvitationsInput{MaxResults: &size})
			_, shares := c.GetResourceShares(t.Context(), &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf, MaxResults: &size})
			if ok {
				e.must(invitations)
				e.must(shares)
			} else {
				e.refused(invitations, "InvalidMaxResultsException")
				e.refused(shares, "InvalidParameterException")
			}
		}
		arns := slices.Repeat([]string{"arn:aws:glue:us-east-1:" + landlord + ":database/house"}, 101)
		share := func(n int) error {
			return errOf(e.ram(landlordAdmin).CreateResourceShare(t.Context(), &ram.CreateResourceShareInput{Name: aws.String("s"), ResourceArns: arns[:n]}))
		}
		e.must(share(100))
		e.refused(share(101), "InvalidParameterException", "100")
	})

	holds(t, "5.4.2", "a page can be empty before the last", func(t *testing.T) {
		e := base.fork(t)
		var arns []string
		for i := range 3 {
			out, err := e.ram(landlordAdmin).CreateResourceShare(t.Context(), &ram.CreateResourceShareInput{Name: aws.String(fmt.Sprint("s", i)),
				ResourceArns: []string{"arn:aws:glue:us-east-1:" + landlord + ":database/house"}, Principals: []string{tenant}})
			e.must(err)
			arns = append(arns, *out.ResourceShare.ResourceShareArn)
		}
		empty := false
		for _, arn := range arns {
			var found, pages int
			for p := ram.NewGetResourceShareInvitationsPaginator(e.ram(tenantAdmin), &ram.GetResourceShareInvitationsInput{ResourceShareArns: []string{arn}, MaxResults: aws.Int32(1)}); p.HasMorePages(); pages++ {
				page, err := p.NextPage(t.Context())
				e.must(err)
				found += len(page.ResourceShareInvitations)
				empty = empty || len(page.ResourceShareInvitations) == 0 && page.NextToken != nil
			}
			e.equal(fmt.Sprint(found, pages), "1 3")
		}
		e.equal(empty, true)
	})

	holds(t, "5.4.3", "invitations wait, are answered, or expire", func(t *testing.T) {
		var later time.Duration
		e := base.fork(t, localmesh.WithClock(func() time.Time { return now.Add(later) }))
		status := func() string {
			var all []string
			for _, i := range e.invitations(tenantAdmin) {
				all = append(all, string(i.Status))
			}
			slices.Sort(all)
			return strings.Join(all, " ")
		}
		invite := func() {
			e.must(errOf(e.ram(landlordAdmin).CreateResourceShare(t.Context(), &ram.CreateResourceShareInput{Name: aws.String("s"),
				ResourceArns: []string{"arn:aws:glue:us-east-1:" + landlord + ":database/house"}, Principals: []string{tenant}})))
		}
		invite()
		e.equal(status(), "PENDING")
		e.accept(tenantAdmin)
		e.equal(status(), "ACCEPTED")
		invite()
		for _, i := range e.invitations(tenantAdmin) {
			if i.Status == ramtypes.ResourceShareInvitationStatusPending {
				e.must(errOf(e.ram(tenantAdmin).RejectResourceShareInvitation(t.Context(), &ram.RejectResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn})))
			}
		}
		e.equal(status(), "ACCEPTED REJECTED")
		invite()
		later = 11*time.Hour + 59*time.Minute
		e.equal(status(), "ACCEPTED PENDING REJECTED")
		later = 12 * time.Hour
		e.equal(status(), "ACCEPTED EXPIRED REJECTED")
	})
}

func TestLimitsOfS3(t *testing.T) {
	t.Parallel()
	base := newEstate(t)

	put := func(e *estate, by, policy string, owner *string) error {
		return errOf(e.s3(by).PutBucketPolicy(e.t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("land"), Policy: &policy, ExpectedBucketOwner: owner}))
	}
	readable := func(n int) string {
		frame := policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + tenant + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::land/@"}`)
		return strings.Replace(frame, "@", strings.Repeat("x", n-len(frame)+1), 1)
	}

	holds(t, "5.5.1", "a bucket's policy has up to 20 KB", func(t *testing.T) {
		e := base.fork(t)
		e.must(put(e, landlordAdmin, readable(20*1024), nil))
		e.refused(put(e, landlordAdmin, readable(20*1024+1), nil), "MalformedPolicy")
	})

	holds(t, "5.5.2", "only the owner's account writes it", func(t *testing.T) {
		e := base.fork(t)
		err := put(e, tenantAdmin, readable(200), nil)
		e.refused(err, "AccessDenied")
		e.status(err, 403)
		e.must(put(e, landlordAdmin, policyOf(`{"Effect":"Allow","Principal":{"AWS":"`+tenant+`"},"Action":"s3:*","Resource":["arn:aws:s3:::land","arn:aws:s3:::land/*"]}`), nil))
		err = put(e, tenantAdmin, readable(200), nil)
		e.refused(err, "MethodNotAllowed")
		e.status(err, 405)
		weak := e.person("Weak", allowing("s3:GetObject", "*"))
		err = put(e, weak, readable(200), nil)
		e.refused(err, "AccessDenied")
		e.status(err, 403)
	})

	holds(t, "5.5.3", "who expects another owner is refused", func(t *testing.T) {
		e := base.fork(t)
		e.must(put(e, landlordAdmin, readable(200), aws.String(landlord)))
		err := put(e, landlordAdmin, readable(300), aws.String(tenant))
		e.refused(err, "AccessDenied")
		e.status(err, 403)
		e.refused(errOf(e.s3(landlordAdmin).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("land"), ExpectedBucketOwner: aws.String(tenant)})), "AccessDenied")
	})
}

// records makes a table "records" with the key "id" and the index "state", and
// returns a client of it.
func (e *estate) records() *dynamodb.Client {
	e.t.Helper()
	c := e.dynamodb(landlordAdmin)
	e.must(errOf(c.CreateTable(e.t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("records"), BillingMode: dynamotypes.BillingModePayPerRequest,
		KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamotypes.KeyTypeHash}},
		AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamotypes.ScalarAttributeTypeS}, {AttributeName: aws.String("state"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
		GlobalSecondaryIndexes: []dynamotypes.GlobalSecondaryIndex{{
			IndexName: aws.String("state"), KeySchema: []dynamotypes.KeySchemaElement{{AttributeName: aws.String("state"), KeyType: dynamotypes.KeyTypeHash}},
			Projection: &dynamotypes.Projection{ProjectionType: dynamotypes.ProjectionTypeAll},
		}},
	})))
	return c
}

// record is an item: a key, and more attributes by name and value in turn.
func record(id string, more ...string) map[string]dynamotypes.AttributeValue {
	item := map[string]dynamotypes.AttributeValue{"id": &dynamotypes.AttributeValueMemberS{Value: id}}
	for i := 0; i+1 < len(more); i += 2 {
		item[more[i]] = &dynamotypes.AttributeValueMemberS{Value: more[i+1]}
	}
	return item
}

func TestLimitsOfDynamoDB(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	base.records()
	table := aws.String("records")

	holds(t, "5.5.4", "an item has up to 400 KB, names included", func(t *testing.T) {
		e := base.fork(t)
		put := func(n int) error {
			return errOf(e.dynamodb(landlordAdmin).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: record("1", "text", strings.Repeat("x", n-len("id1text")))}))
		}
		e.must(put(400 * 1024))
		e.refused(put(400*1024+1), "ValidationException", "Item size has exceeded the maximum allowed size")
	})

	holds(t, "5.5.5", "a page ends at 1 MB, before the filter", func(t *testing.T) {
		e := base.fork(t)
		c := e.dynamodb(landlordAdmin)
		for i := range 4 {
			e.must(errOf(c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: record(fmt.Sprint(i), "text", strings.Repeat("x", 390*1024), "state", "s")})))
		}
		none := map[string]dynamotypes.AttributeValue{":none": &dynamotypes.AttributeValueMemberS{Value: "none"}}
		scan, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: table, FilterExpression: aws.String("id = :none"), ExpressionAttributeValues: none})
		e.must(err)
		if scan.Count != 0 || scan.ScannedCount >= 4 || scan.LastEvaluatedKey == nil {
			t.Errorf("the page has %d of %d, and goes on at %v", scan.Count, scan.ScannedCount, scan.LastEvaluatedKey)
		}
		query, err := c.Query(t.Context(), &dynamodb.QueryInput{TableName: table, IndexName: aws.String("state"), KeyConditionExpression: aws.String("#s = :s"),
			ExpressionAttributeNames: map[string]string{"#s": "state"}, ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":s": &dynamotypes.AttributeValueMemberS{Value: "s"}}})
		e.must(err)
		if query.Count >= 4 || query.LastEvaluatedKey == nil {
			t.Errorf("the page has %d, and goes on at %v", query.Count, query.LastEvaluatedKey)
		}
	})

	holds(t, "5.5.6", "an expression has 4 KB, its placeholders 2 MB, an update 300 operators", func(t *testing.T) {
		e := base.fork(t)
		update := func(expression string, values map[string]dynamotypes.AttributeValue) error {
			return errOf(e.dynamodb(landlordAdmin).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: table, Key: record("1"), UpdateExpression: &expression, ExpressionAttributeValues: values}))
		}
		e.must(update("REMOVE "+strings.Repeat("x", 4096-len("REMOVE ")), nil))
		e.refused(update("REMOVE "+strings.Repeat("x", 4097-len("REMOVE ")), nil), "ValidationException", "Expression size has exceeded the maximum allowed size")
		one := map[string]dynamotypes.AttributeValue{":n": &dynamotypes.AttributeValueMemberN{Value: "1"}}
		sums := func(n int) string {
			var all []string
			for i := range n {
				all = append(all, fmt.Sprintf("x%d=:n+:n", i))
			}
			return "SET " + strings.Join(all, ",")
		}
		e.must(update(sums(150), one)) // Each has two.
		e.refused(update(sums(151), one), "ValidationException", "operators")
		large := map[string]dynamotypes.AttributeValue{}
		var terms []string
		for i := range 7 {
			large[fmt.Sprint(":v", i)] = &dynamotypes.AttributeValueMemberS{Value: strings.Repeat("x", 300*1024)}
			terms = append(terms, fmt.Sprintf("a <> :v%d", i))
		}
		check := func(n int) error {
			values := map[string]dynamotypes.AttributeValue{}
			for i := range n {
				values[fmt.Sprint(":v", i)] = large[fmt.Sprint(":v", i)]
			}
			return errOf(e.dynamodb(landlordAdmin).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: record("2"),
				ConditionExpression: aws.String(strings.Join(terms[:n], " AND ")), ExpressionAttributeValues: values}))
		}
		e.must(check(6))
		e.refused(check(7), "ValidationException", "maximum allowed size")
	})

	holds(t, "5.5.7", "reads of a global index are never consistent", func(t *testing.T) {
		e := base.fork(t)
		query := func(index *string, key, value string) error {
			return errOf(e.dynamodb(landlordAdmin).Query(t.Context(), &dynamodb.QueryInput{TableName: table, IndexName: index, ConsistentRead: aws.Bool(true),
				KeyConditionExpression: aws.String("#k = :v"), ExpressionAttributeNames: map[string]string{"#k": key},
				ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":v": &dynamotypes.AttributeValueMemberS{Value: value}}}))
		}
		e.must(query(nil, "id", "1"))
		e.refused(query(aws.String("state"), "state", "s"), "ValidationException", "Consistent reads are not supported on global secondary indexes")
	})
}
