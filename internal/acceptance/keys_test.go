package acceptance_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/producer"
)

// encrypt lets the producer's bucket encrypt under a key of the producer's, and writes its
// objects again. An empty key is the one that AWS manages.
func (w *world) encrypt(key string) {
	w.t.Helper()
	by := &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms}
	if key != "" {
		by.KMSMasterKeyID = &key
	}
	_, err := w.S3(producerAccount).PutBucketEncryption(w.ctx(), &s3.PutBucketEncryptionInput{Bucket: aws.String(bucket),
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: by}}}})
	w.must(err)
	for _, table := range tables() {
		w.Put(producerAccount, bucket, table+"/rows.csv", rowsOf(table))
	}
}

// key makes a key of the producer's.
func (w *world) key() string {
	w.t.Helper()
	out, err := kms.NewFromConfig(w.Config(meshtest.Administrator(producerAccount))).CreateKey(w.ctx(), &kms.CreateKeyInput{})
	w.must(err)
	return *out.KeyMetadata.Arn
}

// letDecrypt adds a statement to the policy of a key.
func (w *world) letDecrypt(key, statement string) {
	w.t.Helper()
	client := kms.NewFromConfig(w.Config(meshtest.Administrator(producerAccount)))
	out, err := client.GetKeyPolicy(w.ctx(), &kms.GetKeyPolicyInput{KeyId: &key})
	w.must(err)
	policy := strings.Replace(*out.Policy, `"Statement":{`, `"Statement":[{`, 1)
	policy = strings.TrimSuffix(strings.TrimSuffix(policy, "}"), "]") + "," + statement + "]}"
	_, err = client.PutKeyPolicy(w.ctx(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: &policy})
	w.must(err)
}

// statementIn is the statement for a key's policy that a warning names.
func statementIn(warnings []string) string {
	_, statement, _ := strings.Cut(strings.Join(warnings, "\n"), "the statement ")
	statement = strings.SplitN(statement, "\n", 2)[0]
	if i := strings.LastIndex(statement, "}"); i >= 0 {
		statement = statement[:i+1]
	}
	return statement
}

// Data under a customer's key is unreadable until the role that reads may decrypt, by its
// own policy and by the key's. Each is told before, with what to do about it.
func TestDataUnderAKeyIsReadWhenRoleAndKeyAllow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Whether a key may be used is looked at right after each change.
	w.SetEventualConsistency(0)
	key := w.key()
	w.encrypt(key)
	published := w.publish(w.producer, source)
	if said := strings.Join(published.Warnings, "\n"); !strings.Contains(said, key) || !strings.Contains(said, "KMSKey: ") {
		t.Errorf("published with %q", published.Warnings)
	}
	id := w.request([]string{orders}, "SELECT", "DESCRIBE")
	todo, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	w.must(err)
	if said := strings.Join(todo.Warnings, "\n"); !strings.Contains(said, key) || !strings.Contains(said, "KMSKey: ") {
		t.Errorf("the approval warns %q", todo.Warnings)
	}
	statement := statementIn(todo.Warnings)
	w.approve(id)
	w.finalize(id)
	unreadable := func(when string) {
		t.Helper()
		if rows, err := w.read(self(), orders); err == nil || !strings.Contains(err.Error(), "kms:Decrypt") {
			t.Errorf("%s it reads %q, %v", when, rows, err)
		}
	}
	unreadable("before the role may decrypt")
	a, err := admin.New(t.Context(), w.Options(meshAccount))
	w.must(err)
	enable := func(keys []string) []string {
		t.Helper()
		in := admin.EnableProducerInput{AccountID: producerAccount, KMSKeys: keys}
		p, err := a.PlanEnableAccountAsProducer(t.Context(), in)
		w.must(err)
		_, err = a.EnableAccountAsProducer(t.Context(), in)
		w.must(err)
		return p.Warnings
	}
	if told := statementIn(enable([]string{key})); !strings.Contains(told, lakemesh.DataAccessRole(producerAccount)) || !strings.HasPrefix(statement, strings.TrimSuffix(storage.ReadStatement(key, lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount)), bucket), "}")) {
		t.Errorf("enabling names the statement %s, approving %s", told, statement)
	}
	unreadable("before the key's policy lets it")
	w.letDecrypt(key, statement)
	w.reads(self(), orders)
	if again := w.publish(w.producer, source); len(again.Warnings) > 0 {
		t.Errorf("published again with %q", again.Warnings)
	}
	// Enabled again without naming keys, as an upgrade does, the role keeps them.
	if said := enable(nil); len(said) > 0 {
		t.Errorf("enabled again, it warns %q", said)
	}
	_, err = a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	w.must(err)
	status, err := a.Status(t.Context())
	if err != nil || len(status.Mesh.Outdated) > 0 {
		t.Errorf("outdated are %v, %v", status.Mesh.Outdated, err)
	}
	w.reads(self(), orders)
	// A key that was not named is not used, whatever its policy says.
	other := w.key()
	w.letDecrypt(other, statement)
	w.encrypt(other)
	unreadable("under a key that was not named")
	w.encrypt(key)
	w.reads(self(), orders)
	if said := strings.Join(enable([]string{}), "\n"); !strings.Contains(said, key) {
		t.Errorf("taking the key away warns %q", said)
	}
	unreadable("after the key was taken away")
	w.leaves(producerAccount, "missing, key policy, bucket "+bucket+", "+lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount)))
}

func TestTheKeyThatAWSManagesIsToldOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.encrypt("")
	if said := strings.Join(w.publish(w.producer, source).Warnings, "\n"); !strings.Contains(said, "aws/s3") || !strings.Contains(said, bucket) {
		t.Errorf("published with %q", said)
	}
}
