package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// bucketKey is the key of KMS that a bucket of the producer's encrypts with, as far as it
// was seen.
type bucketKey struct {
	bucket string
	look   storage.Look
	// arn is the key's ARN; empty if the bucket names an alias that was not resolved.
	arn string
	// managed tells that AWS manages the key, gone that there is no such key.
	managed, gone bool
	// state is empty if it was not seen.
	state types.KeyState
	// policy is the key's policy if readable is set; else unread says why it was not read.
	policy   string
	readable bool
	unread   string
}

// trouble is what keeps a role from reading under a key, or what cannot be told of it.
type trouble struct {
	text string
	// certain tells that nothing is read until it is mended, by mends and with do.
	certain bool
	mends   chain.Party
	do      *lakemesh.Call
	// lacks tells that it is our statement alone that is missing in the key's policy, and kept
	// that a decision adds it; unkept says why none does.
	lacks, kept bool
	unkept      string
	// silent tells that it is no news to who publishes or decides.
	silent bool
}

// key looks at the key that a bucket encrypts with; nil if it is none of KMS, or the bucket
// is not the producer's. Buckets without one cost nothing.
func (p *Producer) key(ctx context.Context, bucket string, look storage.Look) (*bucketKey, error) {
	if look.Standing != storage.Own || !look.KMS {
		return nil, nil
	}
	k := &bucketKey{bucket: bucket, look: look, managed: managed(look)}
	if k.managed {
		return k, nil
	}
	named := p.keyARN(look.Key)
	known := !namedByAlias(look)
	if known {
		k.arn = named
	}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error { return p.describeKey(within, k, named) })
	if known {
		group.Go(func() error { return p.readKeyPolicy(within, k) })
		return k, group.Wait()
	}
	// Behind an alias is any key.
	if err := group.Wait(); err != nil || k.arn == "" || k.managed {
		return k, err
	}
	return k, p.readKeyPolicy(ctx, k)
}

// describeKey finds out which key it is and what state it is in. A role that may not see
// it, as one that an older version made, goes on without.
func (p *Producer) describeKey(ctx context.Context, k *bucketKey, named string) error {
	out, err := p.own.keys.Client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(named)}, storage.In(named))
	switch {
	case awserr.Is(err, "NotFoundException"):
		k.gone = true
	case awserr.Denied(err):
		p.log.InfoContext(ctx, "a key was not looked at", "key", named, "reason", awserr.Message(err))
	case err != nil:
		return fmt.Errorf("look at key %s: %w", named, err)
	default:
		k.state, k.managed = out.KeyMetadata.KeyState, out.KeyMetadata.KeyManager == types.KeyManagerTypeAws
		if k.arn == "" {
			k.arn = aws.ToString(out.KeyMetadata.Arn)
		}
	}
	return nil
}

// readKeyPolicy reads the policy of a key, where the producer may: of its own account's.
func (p *Producer) readKeyPolicy(ctx context.Context, k *bucketKey) error {
	if accountOf(k.arn) != p.account {
		k.unread = "what the key's own policy says is seen by its account"
		return nil
	}
	policy, err := p.own.keys.Policy(ctx, k.arn)
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		k.unread = fmt.Sprintf("what the key's own policy says cannot be seen (%s)", awserr.Message(err))
	default:
		k.policy, k.readable = policy, true
	}
	return nil
}

// accountOf is the account that an ARN names.
func accountOf(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 5 {
		return parts[4]
	}
	return ""
}

// read is a role's reading of what is in the bucket.
func (k *bucketKey) read(role string) storage.KeyRead {
	return storage.KeyRead{Key: k.arn, Role: role, Bucket: k.bucket, BucketKey: k.look.BucketKey}
}

// troubles are what keeps a role from reading what a bucket encrypts, the first to be
// mended first. It is empty if all that was looked at lets the role.
func (p *Producer) troubles(ctx context.Context, k *bucketKey, role string) ([]trouble, error) {
	if k == nil {
		return nil, nil
	}
	about := "bucket " + k.bucket + " encrypts with "
	switch {
	case k.managed:
		return []trouble{{certain: true, mends: chain.Owner, text: about + "the key that AWS manages for S3 (aws/s3), which no role of another account may use: " + role +
			" cannot read what was written so. Let the bucket encrypt with a key of your own, or with AES256, and write its objects again"}}, nil
	case k.gone:
		return []trouble{{certain: true, mends: chain.Owner, text: about + "key " + p.keyARN(k.look.Key) +
			", which does not exist. What was written so is lost; let the bucket encrypt with another key"}}, nil
	case k.arn == "":
		return []trouble{{text: fmt.Sprintf("%skey %s, which is named by an alias, so that it cannot be told whether %s may use it; see that the key behind it was named when the account was enabled, and that its policy has the statement %s",
			about, k.look.Key, role, storage.ReadStatement(p.keyARN(k.look.Key), role, k.bucket))}}, nil
	}
	var all []trouble
	if t, ok := k.stateTrouble(about); ok {
		all = append(all, t)
	}
	may, err := p.mayDecrypt(ctx, role, k.arn)
	if err != nil {
		return nil, err
	}
	if !may {
		enables := lakemesh.Do("admin.EnableAccountAsProducer", "AccountID", p.account, "AddKMSKey", k.arn)
		all = append(all, trouble{certain: true, mends: chain.Administrator, do: &enables,
			text: fmt.Sprintf("%skey %s, and %s may not decrypt with it: what was written so cannot be read by those whom it is shared with. Let the mesh's administrator name the key (%s)", about, k.arn, role, enables)})
	}
	of := p.policyTroubles(k, role, about, may)
	for i := range of {
		if !of[i].lacks {
			continue
		}
		if of[i].unkept, err = p.keeps(ctx, k, role); err != nil {
			return nil, err
		}
		if _, err := storage.MergeKey(k.policy, k.arn, []storage.KeyReader{{Role: role, Bucket: k.bucket}}, nil); err != nil && of[i].unkept == "" {
			of[i].unkept = err.Error()
		}
		of[i].kept = of[i].unkept == ""
	}
	return append(all, of...), nil
}

// stateTrouble says that a key is not to be used by anybody now
// (https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html).
func (k *bucketKey) stateTrouble(about string) (trouble, bool) {
	t := trouble{certain: true, mends: chain.Owner}
	switch k.state {
	case "", types.KeyStateEnabled:
		return t, false
	case types.KeyStateDisabled:
		t.text = about + "key " + k.arn + ", which is disabled: nobody can read what was written so. Enable it (aws kms enable-key)"
	case types.KeyStatePendingDeletion, types.KeyStatePendingReplicaDeletion:
		t.text = about + "key " + k.arn + ", which is going to be deleted: nobody can read what was written so, and never again when it is gone. Keep it (aws kms cancel-key-deletion, then aws kms enable-key), or let the bucket encrypt with another key"
	default:
		t.text = fmt.Sprintf("%skey %s, which cannot be used in its state, %s", about, k.arn, k.state)
	}
	return t, true
}

// policyTroubles are those of the key's own policy.
func (p *Producer) policyTroubles(k *bucketKey, role, about string, may bool) []trouble {
	statement := storage.ReadStatement(k.arn, role, k.bucket)
	if !k.readable {
		t := trouble{text: fmt.Sprintf("the bucket encrypts with key %s, with which %s may decrypt; %s", k.arn, role, k.unread), silent: true}
		if !may {
			// Whoever names the key is told what else it takes.
			t.text, t.silent = fmt.Sprintf("%s; let the key's administrator see that it has the statement %s", k.unread, statement), false
		}
		return []trouble{t}
	}
	lets, err := storage.KeyLets(k.policy, k.read(role))
	if err != nil {
		return []trouble{{text: fmt.Sprintf("the bucket encrypts with key %s; what the key's own policy says cannot be told: %v", k.arn, err)}}
	}
	certain := slices.IndexFunc(lets.Denied, func(d storage.Denied) bool { return d.Certain })
	switch {
	case certain >= 0:
		return []trouble{{certain: true, mends: chain.Owner, text: lets.Denied[certain].Text}}
	case !lets.Open && !lets.Perhaps:
		return []trouble{{certain: true, mends: chain.Owner, lacks: true,
			text: fmt.Sprintf("%skey %s, whose policy does not let %s decrypt; it lacks the statement %s", about, k.arn, role, statement)}}
	case len(lets.Denied) > 0:
		return []trouble{{text: lets.Denied[0].Text}}
	case !lets.Open:
		return []trouble{{silent: true, text: fmt.Sprintf("the bucket encrypts with key %s, and the key's policy lets %s decrypt under conditions that go by the reader's call (%s)", k.arn, role, lets.By)}}
	}
	return nil
}

// managed reports whether a bucket encrypts with the key that AWS manages for S3.
func managed(look storage.Look) bool {
	return look.Key == "" || strings.HasSuffix(look.Key, "alias/aws/s3")
}

// namedByAlias reports whether a bucket names its key by an alias, behind which any key
// may be.
func namedByAlias(look storage.Look) bool {
	return !managed(look) && strings.Contains(look.Key, "alias/")
}

// keyARN is the ARN of a key that a bucket names. Names without an account are of the
// bucket's
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html).
func (p *Producer) keyARN(key string) string {
	if strings.HasPrefix(key, "arn:") {
		return key
	}
	if !strings.HasPrefix(key, "alias/") {
		key = "key/" + key
	}
	return p.partition.ARN("kms", p.region, p.account, key)
}

// mayDecrypt reports whether a role's own policies let it decrypt with a key what it reads
// from S3. Of roles that are not the producer's data access role it cannot be looked at,
// and neither by a producer that an older version enabled: what is not known is said.
func (p *Producer) mayDecrypt(ctx context.Context, role, key string) (bool, error) {
	region := p.region
	if parts := strings.Split(key, ":"); len(parts) == 6 {
		region = parts[3]
	}
	may, err := mayUseKey(ctx, iam.NewFromConfig(p.ids.Mesh.Config), role, key, "kms:Decrypt",
		iamtypes.ContextEntry{ContextKeyName: aws.String("kms:ViaService"), ContextKeyType: iamtypes.ContextKeyTypeEnumString, ContextKeyValues: []string{lakemesh.S3Service(region)}})
	if awserr.Denied(err) || awserr.Is(err, "NoSuchEntity") {
		p.log.InfoContext(ctx, "the rights of a role on a key were not looked at", "role", role, "key", key, "reason", awserr.Message(err))
		// Only the account's own role is made by the mesh, and has no key that was not named.
		return role != p.dataAccessRole(), nil
	}
	if err != nil {
		return false, fmt.Errorf("look whether %s may use key %s: %w", role, key, err)
	}
	return may, nil
}

// mayUseKey reports whether a role's own policies allow it an action on a key.
func mayUseKey(ctx context.Context, client *iam.Client, role, key, action string, entries ...iamtypes.ContextEntry) (bool, error) {
	out, err := client.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(role),
		ActionNames: []string{action}, ResourceArns: []string{key}, ContextEntries: entries})
	if err != nil {
		return false, err
	}
	denied := func(r iamtypes.EvaluationResult) bool {
		return r.EvalDecision != iamtypes.PolicyEvaluationDecisionTypeAllowed
	}
	return len(out.EvaluationResults) > 0 && !slices.ContainsFunc(out.EvaluationResults, denied), nil
}

// keeps says why the producer may not write our statement for a role into the policy of a
// key, or out of it; it is empty if it may. That is for the role of its own that the mesh
// made, and for keys that were named when its account was initialized. The check that who
// writes a policy can write it again is never waived.
func (p *Producer) keeps(ctx context.Context, k *bucketKey, role string) (why string, _ error) {
	if role != p.dataAccessRole() {
		return role + " is not the mesh's, and whoever made it sees to it", nil
	}
	if !k.readable {
		return k.unread, nil
	}
	if k.state == types.KeyStatePendingDeletion || k.state == types.KeyStatePendingReplicaDeletion {
		return "the key is going to be deleted", nil
	}
	lets, err := storage.KeyWritable(k.policy, k.arn, p.ownRole())
	switch {
	case err != nil:
		return err.Error(), nil
	case len(lets.Denied) > 0:
		return lets.Denied[0].Text, nil
	case !lets.Open:
		return "its policy does not let " + p.ownRole() + " write it", nil
	case storage.NamesDeleted(k.policy):
		return "it names a principal that was deleted, and KMS takes no policy with such a one", nil
	}
	may, err := mayUseKey(ctx, iam.NewFromConfig(p.ids.Own.Config), p.ownRole(), k.arn, "kms:PutKeyPolicy",
		iamtypes.ContextEntry{ContextKeyName: aws.String("kms:BypassPolicyLockoutSafetyCheck"), ContextKeyType: iamtypes.ContextKeyTypeEnumBoolean, ContextKeyValues: []string{"false"}})
	switch {
	case err != nil && ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil && !awserr.Denied(err) && !errors.Is(err, lakemesh.ErrAccessDenied):
		return "", fmt.Errorf("look whether %s may write the policy of key %s: %w", p.ownRole(), k.arn, err)
	case err != nil || !may:
		return "it was not named as a key whose policy " + p.ownRole() + " keeps (" + lakemesh.Do("admin.InitializeProducerAccount", "KeyPolicy", k.arn).String() + ")", nil
	}
	return "", nil
}
