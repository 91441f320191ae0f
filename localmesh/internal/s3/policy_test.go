package s3_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const readLake = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::lake","arn:aws:s3:::lake/*"]}}`

func allowRead(principal, resource string) string {
	return fmt.Sprintf(`{"Sid":"Read","Effect":"Allow","Principal":{"AWS":"%s"},"Action":"s3:GetObject","Resource":"%s"}`, principal, resource)
}

// Reading an object asks the reader's policies and the bucket's: which of them
// have to allow depends on the accounts and on whom the bucket's policy names.
func TestReadingAsksBothSides(t *testing.T) {
	t.Parallel()
	const all = "arn:aws:s3:::lake/*"
	reader := func(account string) string { return "arn:aws:iam::" + account + ":role/team/Reader" }
	for _, tt := range []struct {
		name, account, identity, bucket string
		allowed                         bool
	}{
		{"own account, own policy", owner, readLake, "", true},
		{"own account, nothing", owner, "", "", false},
		{"own account, bucket names the role", owner, "", allowRead(reader(owner), all), true},
		{"own account, bucket names the account", owner, "", allowRead(owner, all), false},
		{"own account, bucket denies", owner, readLake, strings.Replace(allowRead(reader(owner), all), "Allow", "Deny", 1), false},
		{"other account, own policy only", other, readLake, "", false},
		{"other account, bucket only", other, "", allowRead(reader(other), all), false},
		{"other account, both", other, readLake, allowRead(reader(other), all), true},
		{"other account, both, bucket names the account", other, readLake, allowRead(other, all), true},
		{"other account, bucket allows another prefix", other, readLake, allowRead(reader(other), "arn:aws:s3:::lake/secret/*"), false},
		{"other account, bucket names its administrator", other, readLake, allowRead(admin(other), all), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.put("sales/part-0", "rows")
			arn := w.role(tt.account, "Reader", tt.identity)
			if tt.bucket != "" {
				w.policy(tt.bucket)
			}
			got, err := w.get(w.as(arn), "sales/part-0")
			if tt.allowed {
				succeeded(t, err)
				if got != "rows" {
					t.Errorf("content is %q", got)
				}
				return
			}
			refused(t, err, "AccessDenied", http.StatusForbidden)
		})
	}
}

// Bucket policies keep principals by their unique ids.
func TestDeletedPrincipalIsNotTrustedAgain(t *testing.T) {
	w := newWorld(t)
	w.put("k", "rows")
	arn := w.role(other, "Reader", readLake)
	w.policy(allowRead(arn, "arn:aws:s3:::lake/*"))
	_, err := w.get(w.as(arn), "k")
	succeeded(t, err)

	roles := iam.NewFromConfig(w.Config(admin(other)))
	_, err = roles.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("Reader"), PolicyName: aws.String("p")})
	succeeded(t, err)
	_, err = roles.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("Reader")})
	succeeded(t, err)
	w.role(other, "Reader", readLake)

	_, err = w.get(w.as(arn), "k")
	refused(t, err, "AccessDenied", http.StatusForbidden)
	out, err := w.owner.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("lake")})
	succeeded(t, err)
	if p := aws.ToString(out.Policy); strings.Contains(p, arn) || !strings.Contains(p, `"AWS":"AROA`) {
		t.Errorf("policy is %s, want the unique id of the deleted role", p)
	}
	// What was read cannot be written back: the id names nobody.
	_, err = w.owner.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("lake"), Policy: out.Policy})
	refused(t, err, "MalformedPolicy", http.StatusBadRequest)
}

func TestPolicyIsShownAsItWasGiven(t *testing.T) {
	w := newWorld(t)
	arn := w.role(other, "Reader", "")
	w.policy(fmt.Sprintf(`{"Sid":"Read","Effect":"Allow","Principal":{"AWS":["%s"]},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::lake/*"]}`, arn))
	out, err := w.owner.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("lake")})
	succeeded(t, err)
	// Lists of one come back as that one.
	if want := document(allowRead(arn, "arn:aws:s3:::lake/*")); aws.ToString(out.Policy) != want {
		t.Errorf("policy is\n%s, want\n%s", aws.ToString(out.Policy), want)
	}
	_, err = w.owner.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String("lake")})
	succeeded(t, err)
	_, err = w.owner.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("lake")})
	refused(t, err, "NoSuchBucketPolicy", http.StatusNotFound)
}

func TestRefusedPolicies(t *testing.T) {
	w := newWorld(t)
	me := admin(owner)
	everyone := `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}`
	for _, tt := range []struct {
		name, policy, code string
		status             int
	}{
		{"not JSON", `hello`, "MalformedPolicy", 400},
		{"broken JSON", `{"Statement":`, "MalformedPolicy", 400},
		{"no statement", `{"Version":"2012-10-17"}`, "MalformedPolicy", 400},
		{"no principal", document(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}`), "MalformedPolicy", 400},
		{"unknown element", document(`{"Effect":"Allow","Principal":"*","Actions":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}`), "MalformedPolicy", 400},
		{"role that does not exist", document(allowRead("arn:aws:iam::222222222222:role/Nobody", "arn:aws:s3:::lake/*")), "MalformedPolicy", 400},
		{"role without its path", document(allowRead("arn:aws:iam::222222222222:role/Nobody", "arn:aws:s3:::lake/*")), "MalformedPolicy", 400},
		{"another bucket", document(allowRead(me, "arn:aws:s3:::lake2/*")), "MalformedPolicy", 400},
		{"action of another service", document(`{"Effect":"Allow","Principal":{"AWS":"` + me + `"},"Action":"glue:GetTable","Resource":"arn:aws:s3:::lake/*"}`), "MalformedPolicy", 400},
		{"object action on the bucket", document(allowRead(me, "arn:aws:s3:::lake")), "MalformedPolicy", 400},
		{"bucket action on objects", document(`{"Effect":"Allow","Principal":{"AWS":"` + me + `"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::lake/*"}`), "MalformedPolicy", 400},
		{"two statements with one id", document(allowRead(me, "arn:aws:s3:::lake/a"), allowRead(me, "arn:aws:s3:::lake/b")), "MalformedPolicy", 400},
		{"over 20 KB", document(allowRead(me, "arn:aws:s3:::lake/"+strings.Repeat("x", 20*1024))), "MalformedPolicy", 400},
		{"public", document(everyone), "AccessDenied", 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.owner.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("lake"), Policy: aws.String(tt.policy)})
			refused(t, err, tt.code, tt.status)
			_, err = w.owner.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("lake")})
			refused(t, err, "NoSuchBucketPolicy", http.StatusNotFound)
		})
	}
}

// A policy belongs to the account of the bucket: another account may be allowed
// everything, and still not change it.
func TestOnlyTheOwnersAccountHasThePolicy(t *testing.T) {
	w := newWorld(t)
	in := &s3.GetBucketPolicyInput{Bucket: aws.String("lake")}
	_, err := w.other.GetBucketPolicy(t.Context(), in)
	refused(t, err, "AccessDenied", http.StatusForbidden)
	w.policy(`{"Effect":"Allow","Principal":{"AWS":"` + other + `"},"Action":"s3:*","Resource":["arn:aws:s3:::lake","arn:aws:s3:::lake/*"]}`)
	_, err = w.other.GetBucketPolicy(t.Context(), in)
	refused(t, err, "MethodNotAllowed", http.StatusMethodNotAllowed)
	refused(t, w.putPolicy(w.other, allowRead(other, "arn:aws:s3:::lake/*")), "MethodNotAllowed", http.StatusMethodNotAllowed)
	_, err = w.other.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String("lake")})
	refused(t, err, "MethodNotAllowed", http.StatusMethodNotAllowed)
	_, err = w.owner.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("lake"), ExpectedBucketOwner: aws.String(other)})
	refused(t, err, "AccessDenied", http.StatusForbidden)
}

// The root of the owner's account gets out of a policy that denies everything.
func TestRootIsNotLockedOut(t *testing.T) {
	w := newWorld(t)
	w.policy(`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":["arn:aws:s3:::lake","arn:aws:s3:::lake/*"]}`)
	refused(t, w.putPolicy(w.owner, allowRead(owner, "arn:aws:s3:::lake/*")), "AccessDenied", http.StatusForbidden)
	_, err := w.owner.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String("lake")})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	_, err = w.as("arn:aws:iam::"+owner+":root").DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String("lake")})
	succeeded(t, err)
}

// Listing can be narrowed to a prefix by a condition; a listing without the
// prefix is refused then.
func TestListingOfAPrefix(t *testing.T) {
	w := newWorld(t)
	w.put("sales/a", "1")
	w.put("secret/a", "1")
	arn := w.role(other, "Reader", readLake)
	w.policy(`{"Effect":"Allow","Principal":{"AWS":"` + arn + `"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::lake","Condition":{"StringLike":{"s3:prefix":["sales/*","sales"]}}}`)
	c := w.as(arn)
	for prefix, allowed := range map[string]bool{"sales/": true, "sales/2020": true, "secret/": false, "": false, "sales2/": false} {
		_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lake"), Prefix: aws.String(prefix)})
		if allowed {
			succeeded(t, err)
		} else {
			refused(t, err, "AccessDenied", http.StatusForbidden)
		}
	}
	_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lake")})
	refused(t, err, "AccessDenied", http.StatusForbidden)
}

// Anonymous requests need a public policy, which new buckets do not take.
func TestAnonymousReading(t *testing.T) {
	w := newWorld(t)
	w.put("k", "rows")
	anonymous := s3.NewFromConfig(w.ConfigWith(aws.AnonymousCredentials{}))
	_, err := w.get(anonymous, "k")
	refused(t, err, "AccessDenied", http.StatusForbidden)
	everyone := `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}`
	refused(t, w.putPolicy(w.owner, everyone), "AccessDenied", http.StatusForbidden)

	_, err = w.owner.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: aws.String("lake")})
	succeeded(t, err)
	_, err = w.owner.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: aws.String("lake")})
	refused(t, err, "NoSuchPublicAccessBlockConfiguration", http.StatusNotFound)
	w.policy(everyone)
	_, err = w.get(anonymous, "k")
	succeeded(t, err)
	_, err = anonymous.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("k")})
	if err == nil {
		t.Error("an anonymous write was allowed")
	}
	status, err := w.owner.GetBucketPolicyStatus(t.Context(), &s3.GetBucketPolicyStatusInput{Bucket: aws.String("lake")})
	succeeded(t, err)
	if !aws.ToBool(status.PolicyStatus.IsPublic) {
		t.Error("the policy is not reported as public")
	}
}
