package acceptance_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// keyPolicy is the policy of a key of the producer's, as its administrator sees it.
func (w *world) keyPolicy(key string) string {
	w.t.Helper()
	out, err := w.kms(producerAccount).GetKeyPolicy(w.ctx(), &kms.GetKeyPolicyInput{KeyId: &key})
	w.must(err)
	return *out.Policy
}

func (w *world) putKeyPolicy(key, policy string) {
	w.t.Helper()
	_, err := w.kms(producerAccount).PutKeyPolicy(w.ctx(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: &policy})
	w.must(err)
}

// kms is KMS as an account's administrator uses it.
func (w *world) kms(account string) *kms.Client {
	return kms.NewFromConfig(w.Config(meshtest.Administrator(account)))
}

// says reports whether two policies say the same: what KMS shows may be written otherwise.
func says(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}

// keeps names keys: those that the role that reads may decrypt with, and those whose
// policies the producer keeps.
func (w *world) keeps(kept, named []string) {
	w.t.Helper()
	a, err := admin.New(w.ctx(), w.Options(meshAccount))
	w.must(err)
	_, err = a.EnableAccountAsProducer(w.ctx(), admin.EnableProducerInput{AccountID: producerAccount, AddKMSKeys: named})
	w.must(err)
	own, err := admin.New(w.ctx(), w.Options(producerAccount))
	w.must(err)
	_, err = own.InitializeProducerAccount(w.ctx(), admin.InitializeProducerInput{KeyPolicies: kept})
	w.must(err)
}

// Where the producer keeps a key's policy, approving adds our statement to it, for the role
// that reads and for this bucket, and the end of the last subscription takes it out. What
// others wrote says what it said.
func TestApprovingLetsTheRoleDecryptUntilNobodyReads(t *testing.T) {
	t.Parallel()
	for name, encrypts := range map[string]struct {
		algorithm types.ServerSideEncryption
		bucketKey bool
		alias     bool
	}{
		"SSE-KMS": {algorithm: types.ServerSideEncryptionAwsKms}, "with a bucket key": {algorithm: types.ServerSideEncryptionAwsKms, bucketKey: true},
		"DSSE-KMS": {algorithm: types.ServerSideEncryptionAwsKmsDsse}, "by an alias": {algorithm: types.ServerSideEncryptionAwsKms, alias: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.SetEventualConsistency(0)
			key := w.key()
			root := fmt.Sprintf(`{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"}`, producerAccount)
			before := `{"Version":"2008-10-17","Id":"odd","Statement":[` + root + `,{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::` + producerAccount + `:root"]},"NotAction":["kms:*"],"Resource":"*"},
				{"Sid":"  <&> ","Effect":"Allow","Principal":"*","Action":["kms:Decrypt","kms:DescribeKey"],"Resource":["*"],"Condition":{"StringEquals":{"kms:CallerAccount":["` + producerAccount + `"],"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}]}`
			w.putKeyPolicy(key, before)
			before = w.keyPolicy(key)
			named := key
			if encrypts.alias {
				named = "alias/lake"
				_, err := w.kms(producerAccount).CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &named, TargetKeyId: &key})
				w.must(err)
			}
			w.encryptBy(named, encrypts.algorithm, encrypts.bucketKey)
			w.keeps([]string{key}, []string{key})
			if said := w.publish(w.producer, source).Warnings; len(said) > 0 {
				t.Errorf("published with %q", said)
			}
			if got := w.keyPolicy(key); got != before {
				t.Errorf("publishing changed the key's policy to %s", got)
			}
			id := w.request([]string{orders}, "SELECT", "DESCRIBE")
			todo, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
			w.must(err)
			if todo.Count(plan.PutKeyPolicy) != 1 || len(todo.Warnings) > 0 {
				t.Errorf("the approval would do\n%s", todo)
			}
			w.approve(id)
			w.finalize(id)
			w.reads(self(), orders)
			role := lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount))
			opened := w.keyPolicy(key)
			if !strings.Contains(opened, "LakemeshReadUnderKey") || strings.Count(opened, role) != 1 || !strings.Contains(opened, "arn:aws:s3:::"+bucket+"/*") {
				t.Errorf("the key's policy is %s", opened)
			}
			second := w.request([]string{tables()[1]}, "SELECT", "DESCRIBE")
			w.approve(second)
			if got := w.keyPolicy(key); got != opened {
				t.Errorf("a second subscription makes of it %s", got)
			}
			w.end(second)
			if got := w.keyPolicy(key); got != opened {
				t.Errorf("one of two subscriptions ended, and it becomes %s", got)
			}
			w.reads(self(), orders)
			w.end(id)
			if got := w.keyPolicy(key); !says(t, got, before) {
				t.Errorf("at the end it is %s, and was %s", got, before)
			}
		})
	}
}

// encryptBy lets the bucket encrypt with a key as it is named, and writes its objects again.
func (w *world) encryptBy(named string, algorithm types.ServerSideEncryption, bucketKey bool) {
	w.t.Helper()
	_, err := w.S3(producerAccount).PutBucketEncryption(w.ctx(), &s3.PutBucketEncryptionInput{Bucket: aws.String(bucket),
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{BucketKeyEnabled: &bucketKey,
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: algorithm, KMSMasterKeyID: &named}}}}})
	w.must(err)
	for _, table := range tables() {
		w.Put(producerAccount, bucket, table+"/rows.csv", rowsOf(table))
	}
}

// Where a key's policy cannot be written the plan says why, and nothing of it changes.
func TestKeysThatCannotBeKeptAreSaid(t *testing.T) {
	t.Parallel()
	role := lakemesh.RoleARN(producerAccount, lakemesh.ProducerRole)
	for name, tc := range map[string]struct {
		// key makes the key and says whether it is named as one whose policy is kept.
		make func(w *world) (key string, kept bool)
		want string
	}{
		"not named": {func(w *world) (string, bool) { return w.key(), false }, "KeyPolicy: "},
		"the policy leaves out the producer": {func(w *world) (string, bool) {
			key := w.key()
			w.putKeyPolicy(key, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+producerAccount+`:root"},"Action":"kms:*","Resource":"*"},
				{"Sid":"no","Effect":"Deny","Principal":{"AWS":"`+role+`"},"Action":"kms:PutKeyPolicy","Resource":"*"}]}`)
			return key, true
		}, "denies " + role + " to write it"},
		"the policy leaves nothing to IAM": {func(w *world) (string, bool) {
			key := w.key()
			w.putKeyPolicy(key, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+meshtest.Administrator(producerAccount)+`"},"Action":"kms:*","Resource":"*"},
				{"Effect":"Allow","Principal":{"AWS":"`+role+`"},"Action":["kms:DescribeKey","kms:GetKeyPolicy"],"Resource":"*"}]}`)
			return key, true
		}, "does not let " + role + " write it"},
		"going to be deleted": {func(w *world) (string, bool) {
			key := w.key()
			w.encryptBy(key, types.ServerSideEncryptionAwsKms, false)
			_, err := w.kms(producerAccount).ScheduleKeyDeletion(w.ctx(), &kms.ScheduleKeyDeletionInput{KeyId: &key})
			w.must(err)
			return key, true
		}, "is going to be deleted"},
		"of another account": {func(w *world) (string, bool) {
			out, err := w.kms(otherProducer).CreateKey(w.ctx(), &kms.CreateKeyInput{Policy: aws.String(`{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::` + otherProducer + `:root","arn:aws:iam::` + producerAccount + `:root"]},"Action":"kms:*","Resource":"*"}]}`)})
			w.must(err)
			return *out.KeyMetadata.Arn, false
		}, "is seen by its account"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.SetEventualConsistency(0)
			key, kept := tc.make(w)
			if out, err := w.kms(producerAccount).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key}); err != nil || out.KeyMetadata.KeyState == kmstypes.KeyStateEnabled {
				w.encryptBy(key, types.ServerSideEncryptionAwsKms, false)
			}
			if kept {
				w.keeps([]string{key}, nil)
			}
			w.publish(w.producer, source)
			id := w.request([]string{orders}, "SELECT", "DESCRIBE")
			todo, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
			w.must(err)
			said := strings.Join(todo.Warnings, "\n")
			if todo.Count(plan.PutKeyPolicy) != 0 || !strings.Contains(said, tc.want) || !strings.Contains(said, "LakemeshReadUnderKey") {
				t.Errorf("it would do\n%s\nand wants %q", todo, tc.want)
			}
			w.approve(id)
			w.finalize(id)
			w.end(id)
		})
	}
}

// A key that is disabled or going to be deleted is the first broken link of who explains
// and a finding of who verifies.
func TestTheStateOfAKeyIsALink(t *testing.T) {
	t.Parallel()
	w := newExplaining(t)
	w.SetEventualConsistency(0)
	key := w.key()
	w.encrypt(key)
	w.keeps([]string{key}, []string{key})
	w.id = w.request([]string{orders}, "SELECT", "DESCRIBE")
	w.approve(w.id)
	w.finalize(w.id, w.analyst)
	q := chain.Question{Database: product, Table: orders, Principal: w.analyst, Permission: lakemesh.Select}
	is := func(when string, want chain.Verdict, text string) {
		t.Helper()
		e := w.together(q)
		if got := w.truth(q); e.Verdict != want || got != want {
			t.Errorf("%s it is said that it %s; it %s, want %s:\n%s", when, e.Verdict, got, want, told(e))
		}
		if first, broken := e.FirstBroken(); broken && (first.Link != chain.KeyPolicy || !strings.Contains(first.What, text)) {
			t.Errorf("%s the first is %+v", when, first)
		}
		v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(t.Context(), producer.VerifyInput{}) })
		w.must(err)
		found := ""
		for _, f := range v.Findings {
			if f.Link == chain.KeyPolicy {
				found += f.What
			}
		}
		if (found == "") != (text == "") || !strings.Contains(found, text) {
			t.Errorf("%s verifying finds %q", when, found)
		}
	}
	client := w.kms(producerAccount)
	is("at first", chain.Can, "")
	_, err := client.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key})
	w.must(err)
	is("disabled", chain.Cannot, "disabled")
	_, err = client.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key})
	w.must(err)
	is("pending deletion", chain.Cannot, "cancel-key-deletion")
	_, err = client.CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: &key})
	w.must(err)
	_, err = client.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &key})
	w.must(err)
	is("kept", chain.Can, "")
	opened := w.keyPolicy(key)
	w.putKeyPolicy(key, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+producerAccount+`:root"},"Action":"kms:*","Resource":"*"}}`)
	is("our statement is gone", chain.Cannot, "lacks the statement")
	v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(t.Context(), producer.VerifyInput{}) })
	w.must(err)
	_, err = w.producer.Repair(t.Context(), v)
	w.must(err)
	is("repaired", chain.Can, "")
	w.letDecrypt(key, `{"Sid":"closed","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}`)
	is("denied", chain.Cannot, "denies")
	w.putKeyPolicy(key, opened)
	is("as it was", chain.Can, "")
}

// Nobody of the mesh uses a key but for reading through S3 what was shared: neither the
// consumer's roles, nor the role that reads, directly or in another bucket.
func TestAKeyIsOfUseToNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SetEventualConsistency(0)
	key := w.key()
	w.encrypt(key)
	w.keeps([]string{key}, []string{key})
	w.publish(w.producer, source)
	id := w.request([]string{orders}, "SELECT", "DESCRIBE")
	w.approve(id)
	w.finalize(id)
	w.reads(self(), orders)
	opened := w.keyPolicy(key)
	role := lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount))
	for name, r := range map[string]storage.KeyRead{
		"the role in another bucket": {Key: key, Role: role, Bucket: bucket + "-other"},
		"the consumer's role":        {Key: key, Role: lakemesh.RoleARN(consumerAccount, lakemesh.ConsumerRole), Bucket: bucket},
		"the role in another region": {Key: strings.Replace(key, "us-east-1", "eu-west-1", 1), Role: role, Bucket: bucket},
	} {
		if lets, err := storage.KeyLets(opened, r); err != nil || lets.Open || lets.Perhaps {
			t.Errorf("%s: %+v, %v", name, lets, err)
		}
	}
	for name, identity := range map[string]*kms.Client{
		"the consumer's administrator": w.kms(consumerAccount), "the consumer's role": kms.NewFromConfig(w.as(consumerAccount, lakemesh.ConsumerRole)),
		"the mesh's administrator": w.kms(meshAccount),
	} {
		for call, do := range map[string]func() error{
			"DescribeKey": func() error {
				_, err := identity.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
				return err
			},
			"GetKeyPolicy": func() error {
				_, err := identity.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &key})
				return err
			},
			"PutKeyPolicy": func() error {
				_, err := identity.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: &opened})
				return err
			},
			"DisableKey": func() error {
				_, err := identity.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key})
				return err
			},
		} {
			if err := do(); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
				t.Errorf("%s: %s: %v", name, call, err)
			}
		}
	}
	// The producer's role keeps the policies of the keys that were named, waiving no check.
	own := kms.NewFromConfig(w.as(producerAccount, lakemesh.ProducerRole))
	if _, err := own.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: &opened}); err != nil {
		t.Errorf("of the key that was named: %v", err)
	}
	other := w.key()
	for name, in := range map[string]*kms.PutKeyPolicyInput{
		"of another key":     {KeyId: &other, Policy: &opened},
		"waiving the check":  {KeyId: &key, Policy: &opened, BypassPolicyLockoutSafetyCheck: true},
		"locking itself out": {KeyId: &key, Policy: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + producerAccount + `:user/alice"},"Action":"kms:*","Resource":"*"}}`)},
	} {
		if _, err := own.PutKeyPolicy(t.Context(), in); err == nil {
			t.Errorf("%s: the producer's role wrote the policy", name)
		}
	}
	if got := w.keyPolicy(key); got != opened {
		t.Errorf("it became %s", got)
	}
}

// Who clears a producer's account finds our statement in the keys that it keeps.
func TestClearingAnAccountTakesItsStatementsOutOfKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SetEventualConsistency(0)
	key := w.key()
	before := w.keyPolicy(key)
	w.encrypt(key)
	w.keeps([]string{key}, []string{key})
	w.publish(w.producer, source)
	w.approve(w.request([]string{orders}, "SELECT", "DESCRIBE"))
	if w.keyPolicy(key) == before {
		t.Fatal("nothing was added to the key's policy")
	}
	own, err := admin.New(t.Context(), w.Options(producerAccount))
	w.must(err)
	p, err := own.PlanInitializeProducerAccount(t.Context(), admin.InitializeProducerInput{KeyPolicies: []string{}})
	w.must(err)
	if said := strings.Join(p.Warnings, "\n"); !strings.Contains(said, key) {
		t.Errorf("naming none warns %q", said)
	}
	w.breaks = true
	w.cutOff(producerAccount)
	_, err = own.ClearAccount(t.Context(), admin.ClearInput{Type: admin.Producer})
	w.must(err)
	if got := w.keyPolicy(key); !says(t, got, before) {
		t.Errorf("left is %s", got)
	}
}

// cutOff takes away what the account's role opens in the mesh account, as losing the mesh does.
func (w *world) cutOff(account string) {
	w.t.Helper()
	client := iam.NewFromConfig(w.Config(meshtest.Administrator(meshAccount)))
	_, err := client.UpdateAssumeRolePolicy(w.ctx(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(lakemesh.MeshProducerRole(account)),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`)})
	w.must(err)
}
