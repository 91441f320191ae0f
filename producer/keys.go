package producer

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// keyWarning says why a role cannot read what a bucket of the producer's encrypts; it is
// empty if it can, as far as that is known: a key's own policy is for the key's
// administrator to look at.
func (p *Producer) keyWarning(ctx context.Context, bucket string, look storage.Look, role string) (string, error) {
	if look.Standing != storage.Own || !look.KMS {
		return "", nil
	}
	about := "bucket " + bucket + " encrypts with "
	key := look.Key
	switch {
	case managed(look):
		return about + "the key that AWS manages for S3 (aws/s3), which no role of another account may use: " + role +
			" cannot read what was written so. Let the bucket encrypt with a key of your own, or with AES256, and write its objects again", nil
	case namedByAlias(look):
		return fmt.Sprintf("%skey %s, which is named by an alias, so that it cannot be told whether %s may use it; see that the key behind it was named when the account was enabled (--kms-key), and that its policy has the statement %s",
			about, key, role, storage.KeyStatement(role, p.keyARN(key))), nil
	}
	key = p.keyARN(key)
	may, err := p.mayDecrypt(ctx, role, key)
	if err != nil || may {
		return "", err
	}
	return fmt.Sprintf("%skey %s, and %s may not decrypt with it: what was written so cannot be read by those whom it is shared with. Let the mesh's administrator name the key, with the other keys of the account (%s), and add to the key's policy the statement %s",
		about, key, role, lakemesh.Do("admin.EnableAccountAsProducer", "AccountID", p.account, "KMSKey", key), storage.KeyStatement(role, key)), nil
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
	return fmt.Sprintf("arn:aws:kms:%s:%s:%s", p.region, p.account, key)
}

// mayDecrypt reports whether a role's own policies let it decrypt with a key what it reads
// from S3. Of roles that are not the producer's data access role it cannot be looked at,
// and neither by a producer that an older version enabled: what is not known is said.
func (p *Producer) mayDecrypt(ctx context.Context, role, key string) (bool, error) {
	region := p.region
	if parts := strings.Split(key, ":"); len(parts) == 6 {
		region = parts[3]
	}
	out, err := iam.NewFromConfig(p.ids.Mesh.Config).SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(role),
		ActionNames: []string{"kms:Decrypt"}, ResourceArns: []string{key},
		ContextEntries: []iamtypes.ContextEntry{{ContextKeyName: aws.String("kms:ViaService"), ContextKeyType: iamtypes.ContextKeyTypeEnumString,
			ContextKeyValues: []string{"s3." + region + ".amazonaws.com"}}}})
	if awserr.Denied(err) || awserr.Is(err, "NoSuchEntity") {
		p.log.InfoContext(ctx, "the rights of a role on a key were not looked at", "role", role, "key", key, "reason", awserr.Message(err))
		// Only the account's own role is made by the mesh, and has no key that was not named.
		return role != lakemesh.RoleARN(p.meshAccount, lakemesh.DataAccessRole(p.account)), nil
	}
	if err != nil {
		return false, fmt.Errorf("look whether %s may use key %s: %w", role, key, err)
	}
	for _, r := range out.EvaluationResults {
		if r.EvalDecision != iamtypes.PolicyEvaluationDecisionTypeAllowed {
			return false, nil
		}
	}
	return len(out.EvaluationResults) > 0, nil
}
