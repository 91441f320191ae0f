package proof

import (
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// nameOf is the name of a role by its ARN.
func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func (t *Try) trust(arn, document string) func() error {
	return func() error {
		return only(iamOf(t.owner().config).UpdateAssumeRolePolicy(t.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(nameOf(arn)), PolicyDocument: &document}))
	}
}

func (t *Try) trustOfRole(arn string) (string, error) {
	out, err := iamOf(t.owner().config).GetRole(t.ctx, &iam.GetRoleInput{RoleName: aws.String(nameOf(arn))})
	if err != nil {
		return "", err
	}
	return url.QueryUnescape(aws.ToString(out.Role.AssumeRolePolicyDocument))
}

func (t *Try) assuming(who aws.Config, role string, change ...func(*sts.AssumeRoleInput)) func() error {
	return func() error { return only(t.assume(who, role, change...)) }
}

// assume opens a role with what a session can have.
func (t *Try) assume(who aws.Config, role string, change ...func(*sts.AssumeRoleInput)) (aws.Config, error) {
	in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("lakemesh-acceptance")}
	for _, c := range change {
		c(in)
	}
	out, err := stsOf(who).AssumeRole(t.ctx, in)
	if err != nil {
		return aws.Config{}, err
	}
	cfg := who.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(aws.ToString(out.Credentials.AccessKeyId), aws.ToString(out.Credentials.SecretAccessKey), aws.ToString(out.Credentials.SessionToken))
	return cfg, nil
}

func identityChecks() []Check {
	seconds := func(n int32) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.DurationSeconds = &n }
	}
	who := func(arn string) string { return `{"AWS":"` + arn + `"}` }
	return []Check{
		{Name: "roles of IAM", Rules: []string{"6.2.25", "6.1.3", "5.3.2", "5.3.3", "5.3.6", "6.2.24", "7.1.5"}, Run: func(t *Try) {
			arn, err := t.makeRole(t.ctx, t.owner(), t.next("p"), trustOf(t.owner().ID), allowing("s3:*", "*"))
			t.need(err)
			create := func(name string) func() error {
				return func() error {
					return only(iamOf(t.owner().config).CreateRole(t.ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trustOf(t.owner().ID))}))
				}
			}
			t.refused("a role that is there is made", create(nameOf(arn)), "EntityAlreadyExists")
			t.about("5.3.6")
			t.refused("a name that differs in case alone is made", create(strings.ToUpper(nameOf(arn))), "EntityAlreadyExists")
			t.refused("a name has 65 characters", create(prefix(t.run)+strings.Repeat("x", 65-len(prefix(t.run)))), "ValidationError")
			t.about("6.1.3")
			t.refused("a role that is not there is read", func() error {
				return only(iamOf(t.owner().config).GetRole(t.ctx, &iam.GetRoleInput{RoleName: aws.String(t.name("none"))}))
			}, "NoSuchEntity")
			t.about("6.2.24")
			t.refused("a role trusts one that is not there", t.trust(arn, trusting(who(t.owner().role(t.name("none"))), "")), "MalformedPolicyDocument", "Invalid principal in policy")
			t.about("7.1.5")
			t.soon("trust in one", t.trust(arn, trusting(`{"AWS":["`+t.arns["ann"]+`"]}`, "")))
			t.equal("a list of one principal comes back as that one", func() (string, error) {
				document, err := t.trustOfRole(arn)
				if strings.Contains(strings.ReplaceAll(document, " ", ""), who(t.arns["ann"])) {
					return "one", err
				}
				return document, err
			}, "one")
			t.about("5.3.2")
			padded := func(n int) string {
				frame := trusting(who(t.arns["ann"]), `{"StringEquals":{"sts:ExternalId":"@"}}`)
				return strings.Replace(frame, "@", strings.Repeat("x", n-len(frame)+1), 1)
			}
			t.done("a trust policy has 2,048 characters", t.trust(arn, padded(2048)))
			t.refused("a trust policy has more than 4,096 characters", t.trust(arn, padded(4200)), "LimitExceeded")
			t.about("5.3.3")
			inline := func(n int) func() error {
				frame := allowing("s3:*", partition+"s3:::@")
				document := strings.Replace(frame, "@", strings.Repeat("x", n-len(frame)+1), 1)
				return func() error {
					return only(iamOf(t.owner().config).PutRolePolicy(t.ctx, &iam.PutRolePolicyInput{RoleName: aws.String(nameOf(arn)), PolicyName: aws.String("own"), PolicyDocument: &document}))
				}
			}
			t.done("inline policies have 10,240 characters", inline(10240))
			t.refused("inline policies have 10,241 characters", inline(10241), "LimitExceeded")
		}},
		{Name: "a principal that is made again", Rules: []string{"7.1.4"}, Doubt: "A trust policy names a deleted role by its id, and does not trust one that is made again: set-up writes trust anew.", Run: func(t *Try) {
			name := t.next("old")
			old, err := t.makeRole(t.ctx, t.owner(), name, trustOf(t.owner().ID), allowing("*", "*"))
			t.need(err)
			door := t.locationRole(trustOf(t.owner().ID), allowing("s3:*", "*"))
			t.soon("trust in the role", t.trust(door, trusting(who(old), "")))
			r := &remover{account: t.owner(), administrator: t.admin(), run: t.run}
			t.soon("the role's end", func() error {
				if err := r.removeRole(t.ctx, name); err != nil && !gone(err) {
					return err
				}
				return nil
			})
			t.equal("the id stands in the place of a deleted role", func() (string, error) {
				document, err := t.trustOfRole(door)
				if strings.Contains(document, `"AROA`) {
					return "AROA", err
				}
				return document, err
			}, "AROA")
			again, err := t.role(t.ctx, t.owner(), name, trustOf(t.owner().ID), allowing("*", "*"))
			t.need(err)
			t.refused("a role that is made again is trusted", t.assuming(again, door), "AccessDenied")
		}},
		{Name: "assuming roles", Rules: []string{"6.2.29", "7.1.3", "5.3.8"}, Run: func(t *Try) {
			ann := t.people["ann"]
			t.refused("a role that is not there is assumed", t.assuming(ann, t.owner().role(t.name("none"))), "AccessDenied", "sts:AssumeRole")
			t.refused("a role that trusts others is assumed", t.assuming(ann, t.lakeRole()), "AccessDenied", "sts:AssumeRole")
			t.about("7.1.3")
			other, arn := t.someone(t.owner(), allowing("s3:*", "*"))
			trusting1 := t.locationRole(trusting(who(arn), ""), allowing("s3:*", "*"))
			t.done("in one's own account trust that names the caller is enough", t.assuming(other, trusting1))
			t.refused("in another account the caller's own policy counts, too", t.assuming(other, t.arns["tom"]), "AccessDenied")
			t.about("5.3.8")
			t.done("a role's session assumes a role for an hour", t.assuming(ann, t.arns["bob"], seconds(3600)))
			t.refused("a role's session assumes a role for longer", t.assuming(ann, t.arns["bob"], seconds(3601)), "ValidationError")
			t.refused("a session of less than 900 seconds", t.assuming(ann, t.arns["bob"], seconds(899)), "ValidationError")
			t.refused("a session's name has one letter", t.assuming(ann, t.arns["bob"], func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("x") }), "ValidationError")
		}},
		{Name: "what a session hands on", Rules: []string{"8.4", "8.5"}, Doubt: "A session with transitive tags, or with a source identity, needs sts:TagSession or sts:SetSourceIdentity at each hop into a mesh: so sessions of EKS Pod Identity do.", Run: func(t *Try) {
			all := policyOf(`{"Effect":"Allow","Principal":` + who(partition+"iam::"+t.owner().ID+":root") + `,"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}`)
			first := t.locationRole(all, allowing("sts:*", "*"))
			second := t.locationRole(trustOf(t.owner().ID), allowing("s3:*", "*"))
			hop := func(change func(*sts.AssumeRoleInput)) (aws.Config, error) {
				return t.assume(t.people["ann"], first, change)
			}
			var plain, tagged, named aws.Config
			t.soon("the first hop", func() (err error) { plain, err = hop(func(*sts.AssumeRoleInput) {}); return err })
			t.soon("the second hop", t.assuming(plain, second))
			t.soon("a session with a transitive tag", func() (err error) {
				tagged, err = hop(func(in *sts.AssumeRoleInput) {
					in.Tags, in.TransitiveTagKeys = []ststypes.Tag{{Key: aws.String("cluster"), Value: aws.String("blue")}}, []string{"cluster"}
				})
				return err
			})
			t.refused("a transitive tag is handed on without sts:TagSession", t.assuming(tagged, second), "AccessDenied", "sts:TagSession")
			t.reads("inherited-tags-unasked")
			t.about("8.5")
			t.soon("a session with a source identity", func() (err error) {
				named, err = hop(func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("acceptance") })
				return err
			})
			t.refused("a source identity is handed on without sts:SetSourceIdentity", t.assuming(named, second), "AccessDenied", "sts:SetSourceIdentity")
			t.reads("inherited-identity-unasked")
		}},
		{Name: "managed policies", Rules: []string{"5.3.1", "6.2.26"}, Run: func(t *Try) {
			c, name := iamOf(t.owner().config), t.next("policy")
			arn := partition + "iam::" + t.owner().ID + ":policy/" + name
			sized := func(n int) *string {
				frame := allowing("s3:*", partition+"s3:::@")
				return aws.String(strings.Replace(frame, "@", strings.Repeat("x", n-len(frame)+1), 1))
			}
			t.need(t.journal.make(Thing{Kind: kindPolicy, In: Mesh, Name: name}))
			t.done("a policy has 6,144 characters", func() error {
				return only(c.CreatePolicy(t.ctx, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: sized(6144)}))
			})
			version := func(n int) func() error {
				return func() error {
					return only(c.CreatePolicyVersion(t.ctx, &iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: sized(n)}))
				}
			}
			t.refused("a policy has 6,145 characters", version(6145), "LimitExceeded")
			for range 4 {
				t.soon("a version", version(200))
			}
			t.about("6.2.26")
			t.refused("a policy has a sixth version", version(200), "LimitExceeded")
			t.refused("the default version is deleted", func() error {
				return only(c.DeletePolicyVersion(t.ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v1")}))
			}, "DeleteConflict")
		}},
	}
}

func bucketChecks() []Check {
	return []Check{{Name: "policies of buckets", Rules: []string{"6.2.30", "6.2.31", "5.5.1", "5.5.2", "5.5.3", "7.5.1", "3.4"}, Doubt: "A bucket's policy may name a role a while after it is made; only the owner's account writes it.", Run: func(t *Try) {
		bucket := t.next("bucket")
		t.need(t.makeBucket(t.ctx, t.third(), bucket))
		c := s3Of(t.third().config)
		policy := func(who, path string) string {
			return policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + who + `"},"Action":"s3:GetObject","Resource":"` + partition + `s3:::` + bucket + `/` + path + `"}`)
		}
		put := func(by *s3.Client, document string) func() error {
			return func() error {
				return only(by.PutBucketPolicy(t.ctx, &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &document}))
			}
		}
		t.refused("a bucket without a policy is asked for it", func() error {
			return only(c.GetBucketPolicy(t.ctx, &s3.GetBucketPolicyInput{Bucket: &bucket}))
		}, "NoSuchBucketPolicy")
		t.about("6.2.31")
		t.refused("a policy names a role that is not there", put(c, policy(t.owner().role(t.name("none")), "*")), "MalformedPolicy", "Invalid principal in policy")
		t.about("5.5.1")
		frame := policy(t.lakeRole(), "")
		// A bucket's policy does not know a role that was made a moment ago.
		t.soon("a policy that names a role", put(c, policy(t.lakeRole(), "*")))
		t.soon("a policy that names another", put(c, policy(t.arns["ann"], "*")))
		t.done("a policy has 20 KB", put(c, policy(t.lakeRole(), strings.Repeat("x", 20*1024-len(frame)))))
		t.refused("a policy has more than 20 KB", put(c, policy(t.lakeRole(), strings.Repeat("x", 20*1024-len(frame)+1))), "MalformedPolicy")
		t.about("5.5.2")
		foreign := s3Of(t.people["ann"])
		t.refused("another account writes the policy", put(foreign, policy(t.lakeRole(), "*")), "AccessDenied")
		t.need(put(c, policyOf(`{"Effect":"Allow","Principal":{"AWS":"`+t.arns["ann"]+`"},"Action":"s3:*","Resource":["`+partition+`s3:::`+bucket+`","`+partition+`s3:::`+bucket+`/*"]}`))())
		t.refused("another account that the policy permits to, writes it", put(foreign, policy(t.lakeRole(), "*")), "MethodNotAllowed")
		t.about("5.5.3")
		t.refused("another owner is expected", func() error {
			return only(c.GetBucketPolicy(t.ctx, &s3.GetBucketPolicyInput{Bucket: &bucket, ExpectedBucketOwner: aws.String(t.owner().ID)}))
		}, "AccessDenied")
		t.about("3.4")
		t.need(only(c.PutObject(t.ctx, &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("a"), Body: strings.NewReader("rows")})))
		get := func() error {
			out, err := foreign.GetObject(t.ctx, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("a")})
			if err != nil {
				return err
			}
			return out.Body.Close()
		}
		t.done("a role reads another account's bucket where its policy lets it", get)
		t.about("7.5.1")
		t.need(put(c, policy(t.lakeRole(), "*"))())
		t.refused("of a policy the last writer wins", get, "AccessDenied")
	}}}
}
