package iam_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func TestRolesThatAreNotMade(t *testing.T) {
	w := newWorld(t)
	w.role("Reader")
	ok := func() *iam.CreateRoleInput {
		return &iam.CreateRoleInput{RoleName: aws.String("New"), AssumeRolePolicyDocument: aws.String(trustAccount)}
	}
	trust := func(principal string) func(*iam.CreateRoleInput) {
		return func(in *iam.CreateRoleInput) {
			in.AssumeRolePolicyDocument = aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}]}`)
		}
	}
	document := func(d string) func(*iam.CreateRoleInput) {
		return func(in *iam.CreateRoleInput) { in.AssumeRolePolicyDocument = &d }
	}
	for _, tt := range []struct {
		name   string
		change func(*iam.CreateRoleInput)
		code   string
		says   string
	}{
		{"same name", func(in *iam.CreateRoleInput) { in.RoleName = aws.String("Reader") }, "EntityAlreadyExists", "Role with name Reader already exists."},
		{"same name in another case and path", func(in *iam.CreateRoleInput) { in.RoleName, in.Path = aws.String("READER"), aws.String("/x/") }, "EntityAlreadyExists", ""},
		{"character in the name", func(in *iam.CreateRoleInput) { in.RoleName = aws.String("a b") }, "ValidationError", "roleName"},
		{"long name", func(in *iam.CreateRoleInput) { in.RoleName = aws.String(strings.Repeat("n", 65)) }, "ValidationError", "64"},
		{"path without slash", func(in *iam.CreateRoleInput) { in.Path = aws.String("/x") }, "ValidationError", "begin and end with /"},
		{"long path", func(in *iam.CreateRoleInput) { in.Path = aws.String("/" + strings.Repeat("p", 511) + "/") }, "ValidationError", "512"},
		{"path of service-linked roles", func(in *iam.CreateRoleInput) { in.Path = aws.String("/aws-service-role/x/") }, "InvalidInput", "reserved"},
		{"short session", func(in *iam.CreateRoleInput) { in.MaxSessionDuration = aws.Int32(60) }, "ValidationError", "maxSessionDuration"},
		{"boundary that does not exist", func(in *iam.CreateRoleInput) {
			in.PermissionsBoundary = aws.String("arn:aws:iam::111111111111:policy/None")
		}, "NoSuchEntity", ""},
		{"reserved tag", func(in *iam.CreateRoleInput) {
			in.Tags = []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}}
		}, "InvalidInput", "reserved"},
		{"two tags in one", func(in *iam.CreateRoleInput) {
			in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("A"), Value: aws.String("1")}}
		}, "InvalidInput", "Duplicate"},
		{"trust that is not JSON", document(`{"Version"`), "MalformedPolicyDocument", "invalid Json"},
		{"trust without principal", document(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}`), "MalformedPolicyDocument", ""},
		{"trust with resource", document(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole","Resource":"*"}]}`), "MalformedPolicyDocument", "Has prohibited field Resource"},
		{"trust with another action", document(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:GetObject"}]}`), "MalformedPolicyDocument", "may only specify STS AssumeRole actions"},
		{"unknown element", document(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Actions":"sts:AssumeRole"}]}`), "MalformedPolicyDocument", ""},
		{"role that does not exist", trust(`{"AWS":"arn:aws:iam::222222222222:role/Nobody"}`), "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"arn:aws:iam::222222222222:role/Nobody"`},
		{"role without its path", trust(`{"AWS":"arn:aws:iam::111111111111:role/Reader"}`), "MalformedPolicyDocument", "Invalid principal"},
		{"unique id", trust(`{"AWS":"AROAAAAAAAAAAAAAAAAAA"}`), "MalformedPolicyDocument", "Invalid principal"},
		{"wildcard in an ARN", trust(`{"AWS":"arn:aws:iam::111111111111:role/*"}`), "MalformedPolicyDocument", ""},
		{"service that is not AWS's", trust(`{"Service":"example.com"}`), "MalformedPolicyDocument", `Invalid principal in policy: "SERVICE":"example.com"`},
		{"long trust", trust(`{"AWS":["` + strings.Join(slices.Repeat([]string{"arn:aws:iam::111111111111:role/team/Reader"}, 45), `","`) + `"]}`), "LimitExceeded", "ACLSizePerRole: 2048"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := ok()
			tt.change(in)
			_, err := w.CreateRole(t.Context(), in)
			refused(t, err, tt.code)
			mentions(t, err, tt.says)
			_, err = w.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("New")})
			refused(t, err, "NoSuchEntity")
		})
	}
}

// A trust policy keeps principals by their unique ids: one that was deleted and
// made again is another one.
func TestTrustRemembersWhoWasMeant(t *testing.T) {
	w := newWorld(t)
	reader := w.role("Reader")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["` + reader + `"]},"Action":["sts:AssumeRole"]}]}`
	w.must(w.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Target"), AssumeRolePolicyDocument: &trust}))
	shown := func() string {
		out, err := w.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("target")})
		succeeded(t, err)
		text, err := url.PathUnescape(aws.ToString(out.Role.AssumeRolePolicyDocument))
		succeeded(t, err)
		return text
	}
	// Lists of one come back as that one.
	if want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + reader + `"},"Action":"sts:AssumeRole"}]}`; shown() != want {
		t.Errorf("trust is %s, want %s", shown(), want)
	}
	made, err := w.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("Reader")})
	succeeded(t, err)
	w.must(w.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("Reader")}))
	w.role("Reader")
	if !strings.Contains(shown(), `"AWS":"`+*made.Role.RoleId+`"`) {
		t.Errorf("trust is %s, want the unique id of the deleted role", shown())
	}
	_, err = w.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("Target"), PolicyDocument: aws.String(shown())})
	refused(t, err, "MalformedPolicyDocument")
	w.must(w.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("Target"), PolicyDocument: &trust}))
	if strings.Contains(shown(), "AROA") {
		t.Errorf("trust is %s", shown())
	}
}

func TestRolesArePaged(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		w.role(fmt.Sprintf("R%d", i))
	}
	var names []string
	pages := iam.NewListRolesPaginator(w.Client, &iam.ListRolesInput{PathPrefix: aws.String("/team/"), MaxItems: aws.Int32(3)})
	for n := 0; pages.HasMorePages(); n++ {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Roles) > 3 {
			t.Errorf("a page of %d", len(out.Roles))
		}
		for _, r := range out.Roles {
			names = append(names, *r.RoleName)
		}
	}
	if !slices.Equal(names, []string{"R0", "R1", "R2", "R3", "R4", "R5", "R6"}) {
		t.Errorf("roles are %v", names)
	}
	for _, in := range []*iam.ListRolesInput{{MaxItems: aws.Int32(0)}, {MaxItems: aws.Int32(1001)}, {Marker: aws.String("?")}, {PathPrefix: aws.String("team")}} {
		_, err := w.ListRoles(t.Context(), in)
		refused(t, err, "ValidationError")
	}
}

func TestRolesOfAnAccountAreLimited(t *testing.T) {
	w := newWorld(t)
	for i := range 999 { // The administrator is one too.
		w.must(w.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(fmt.Sprintf("R%d", i)), AssumeRolePolicyDocument: aws.String(trustAccount)}))
	}
	_, err := w.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("OneMore"), AssumeRolePolicyDocument: aws.String(trustAccount)})
	refused(t, err, "LimitExceeded")
	mentions(t, err, "Cannot exceed quota for RolesPerAccount: 1000")

	succeeded(t, w.SetQuota(account, "roles", 1001))
	w.must(w.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("OneMore"), AssumeRolePolicyDocument: aws.String(trustAccount)}))
	_, err = w.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Another"), AssumeRolePolicyDocument: aws.String(trustAccount)})
	refused(t, err, "LimitExceeded")

	// The same account's quotas of users, groups and policies.
	for _, quota := range []string{"UsersQuota", "GroupsQuota", "PoliciesQuota", "AssumeRolePolicySizeQuota"} {
		succeeded(t, w.SetQuota(account, quota, 0))
	}
	_, err = w.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")})
	refused(t, err, "LimitExceeded")
	_, err = w.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String("Team")})
	refused(t, err, "LimitExceeded")
	_, err = w.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(allow("s3:*", "*"))})
	refused(t, err, "LimitExceeded")
	_, err = w.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("R0"), PolicyDocument: aws.String(trustAccount)})
	refused(t, err, "LimitExceeded")
	out, err := w.GetAccountSummary(t.Context(), &iam.GetAccountSummaryInput{})
	succeeded(t, err)
	if out.SummaryMap["Roles"] != 1001 || out.SummaryMap["RolesQuota"] != 1001 {
		t.Errorf("summary is %v", out.SummaryMap)
	}
}

func TestInlinePoliciesOfARole(t *testing.T) {
	w := newWorld(t)
	w.role("Reader")
	put := func(name, document string) error {
		_, err := w.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("Reader"), PolicyName: &name, PolicyDocument: &document})
		return err
	}
	for _, d := range []struct{ document, says string }{
		{`{`, "invalid Json"},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*"}]}`, "must contain resources"},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*"}]}`, "must contain actions"},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`, "should not specify a principal"},
		{`{"Version":"2013-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, "Version"},
		{`{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, "must be unique"},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Action":"s3:*","Resource":"*"}]}`, "Effect"},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}]}`, "Resource"},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEqual":{"aws:x":"y"}}}]}`, "StringEqual"},
	} {
		err := put("p", d.document)
		refused(t, err, "MalformedPolicyDocument")
		mentions(t, err, d.says)
	}
	refused(t, put("a/b", allow("s3:*", "*")), "ValidationError")
	half := allow("s3:GetObject", "arn:aws:s3:::b/"+strings.Repeat("x", 5000))
	succeeded(t, put("a", half))
	succeeded(t, put("b", half+strings.Repeat(" \n", 4000))) // White space does not count.
	err := put("c", half)
	refused(t, err, "LimitExceeded")
	mentions(t, err, "Maximum policy size of 10240 bytes exceeded for role Reader")
	succeeded(t, put("a", allow("s3:*", "*"))) // Replacing counts what is left.
	succeeded(t, put("c", half[:0]+allow("s3:*", "*")))

	out, err := w.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String("Reader"), PolicyName: aws.String("a")})
	succeeded(t, err)
	if text, _ := url.PathUnescape(aws.ToString(out.PolicyDocument)); text != allow("s3:*", "*") {
		t.Errorf("document is %s", text)
	}
	names, err := w.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String("Reader")})
	succeeded(t, err)
	if !slices.Equal(names.PolicyNames, []string{"a", "b", "c"}) {
		t.Errorf("policies are %v", names.PolicyNames)
	}
	_, err = w.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("Reader")})
	refused(t, err, "DeleteConflict")
	_, err = w.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String("Reader"), PolicyName: aws.String("none")})
	refused(t, err, "NoSuchEntity")
	_, err = w.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("Reader"), PolicyName: aws.String("none")})
	refused(t, err, "NoSuchEntity")
	_, err = w.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("Nobody"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allow("s3:*", "*"))})
	refused(t, err, "NoSuchEntity")
}

func TestAttachedPoliciesOfARole(t *testing.T) {
	w := newWorld(t)
	w.role("Reader")
	attach := func(arn string) error {
		_, err := w.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("Reader"), PolicyArn: &arn})
		return err
	}
	refused(t, attach("arn:aws:iam::111111111111:policy/None"), "NoSuchEntity")
	refused(t, attach("arn:aws:iam::aws:policy/NoSuchPolicy"), "NoSuchEntity")
	refused(t, attach("arn:aws:iam::222222222222:policy/Theirs"), "NoSuchEntity")
	refused(t, attach("nothing"), "ValidationError")
	refused(t, attach("this-is-no-arn-of-anything"), "InvalidInput")
	var arns []string
	for i := range 11 {
		arns = append(arns, w.policy(fmt.Sprintf("P%02d", i)))
	}
	for _, arn := range arns[:10] {
		succeeded(t, attach(arn))
		succeeded(t, attach(arn)) // Again changes nothing.
	}
	err := attach(arns[10])
	refused(t, err, "LimitExceeded")
	mentions(t, err, "Cannot exceed quota for PoliciesPerRole: 10")
	_, err = w.DeletePolicy(t.Context(), &iam.DeletePolicyInput{PolicyArn: &arns[0]})
	refused(t, err, "DeleteConflict")
	_, err = w.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("Reader")})
	refused(t, err, "DeleteConflict")
	_, err = w.DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: aws.String("Reader"), PolicyArn: &arns[10]})
	refused(t, err, "NoSuchEntity")
	w.must(w.DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: aws.String("Reader"), PolicyArn: &arns[0]}))
	w.must(w.DeletePolicy(t.Context(), &iam.DeletePolicyInput{PolicyArn: &arns[0]}))
	list, err := w.ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("Reader"), MaxItems: aws.Int32(4)})
	succeeded(t, err)
	if len(list.AttachedPolicies) != 4 || !list.IsTruncated || *list.AttachedPolicies[0].PolicyName != "P01" {
		t.Errorf("attached are %d", len(list.AttachedPolicies))
	}
	users, err := w.ListEntitiesForPolicy(t.Context(), &iam.ListEntitiesForPolicyInput{PolicyArn: &arns[1]})
	succeeded(t, err)
	if len(users.PolicyRoles) != 1 || *users.PolicyRoles[0].RoleName != "Reader" {
		t.Errorf("roles with the policy are %v", users.PolicyRoles)
	}
}

func TestServiceLinkedRole(t *testing.T) {
	w := newWorld(t)
	create := func(c *iam.Client, service string) (*iam.CreateServiceLinkedRoleOutput, error) {
		return c.CreateServiceLinkedRole(t.Context(), &iam.CreateServiceLinkedRoleInput{AWSServiceName: &service})
	}
	const lf = "lakeformation.amazonaws.com"
	limited := w.as(w.role("Limited", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*","Condition":{"StringEquals":{"iam:AWSServiceName":"ram.amazonaws.com"}}}]}`))
	_, err := create(limited, lf)
	refused(t, err, "AccessDenied")
	_, err = create(w.Client, "nothing.amazonaws.com")
	refused(t, err, "InvalidInput")
	out, err := create(w.Client, lf)
	succeeded(t, err)
	const name = "AWSServiceRoleForLakeFormationDataAccess"
	if want := "arn:aws:iam::111111111111:role/aws-service-role/lakeformation.amazonaws.com/" + name; *out.Role.Arn != want {
		t.Errorf("role is %s", *out.Role.Arn)
	}
	_, err = create(w.Client, lf)
	refused(t, err, "InvalidInput")
	mentions(t, err, "Service role name "+name+" has been taken in this account, please try a different suffix.")
	// Nobody but its service changes it.
	_, err = w.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String(name)})
	refused(t, err, "UnmodifiableEntity")
	_, err = w.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("p"), PolicyDocument: aws.String(allow("s3:*", "*"))})
	refused(t, err, "UnmodifiableEntity")
	_, err = w.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(name), PolicyDocument: aws.String(trustAccount)})
	refused(t, err, "UnmodifiableEntity")
	task, err := w.DeleteServiceLinkedRole(t.Context(), &iam.DeleteServiceLinkedRoleInput{RoleName: aws.String(name)})
	succeeded(t, err)
	status, err := w.GetServiceLinkedRoleDeletionStatus(t.Context(), &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task.DeletionTaskId})
	succeeded(t, err)
	if status.Status != types.DeletionTaskStatusTypeSucceeded {
		t.Errorf("status is %s", status.Status)
	}
	_, err = w.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(name)})
	refused(t, err, "NoSuchEntity")
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	w.role("Reader")
	tags := func(from, n int) []types.Tag {
		var all []types.Tag
		for i := range n {
			all = append(all, types.Tag{Key: aws.String(fmt.Sprintf("k%02d", from+i)), Value: aws.String("v")})
		}
		return all
	}
	w.must(w.TagRole(t.Context(), &iam.TagRoleInput{RoleName: aws.String("Reader"), Tags: tags(0, 49)}))
	_, err := w.TagRole(t.Context(), &iam.TagRoleInput{RoleName: aws.String("Reader"), Tags: tags(49, 2)})
	refused(t, err, "LimitExceeded")
	w.must(w.TagRole(t.Context(), &iam.TagRoleInput{RoleName: aws.String("Reader"), Tags: []types.Tag{{Key: aws.String("K00"), Value: aws.String("new")}}}))
	w.must(w.UntagRole(t.Context(), &iam.UntagRoleInput{RoleName: aws.String("Reader"), TagKeys: []string{"k01"}}))
	out, err := w.ListRoleTags(t.Context(), &iam.ListRoleTagsInput{RoleName: aws.String("Reader")})
	succeeded(t, err)
	if len(out.Tags) != 48 || *out.Tags[0].Key != "K00" || *out.Tags[0].Value != "new" {
		t.Errorf("%d tags, the first is %v", len(out.Tags), out.Tags[0])
	}
}
