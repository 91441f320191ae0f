package identity_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/localmesh"
)

// trust makes a role trust somebody else.
func trust(t testing.TB, mesh *localmesh.Mesh, account, role, trusted string) {
	t.Helper()
	_, err := iam.NewFromConfig(mesh.Config("arn:aws:iam::"+account+":role/Admin")).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName: &role, PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + trusted + `"},"Action":"sts:AssumeRole"}]}`)})
	must(t, err)
}

func TestARoleThatOpensLateIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mesh := world(t)
		trust(t, mesh, producerAccount, "DataMeshProducer", "arn:aws:iam::"+consumerAccount+":root")
		mesh.SetEventualConsistency(4)
		trust(t, mesh, producerAccount, "DataMeshProducer", "arn:aws:iam::"+producerAccount+":root")
		o := options(mesh, "arn:aws:iam::111111111111:role/Admin")
		if _, err := identity.OpenProducer(t.Context(), o); !errors.Is(err, lakemesh.ErrAccessDenied) {
			t.Errorf("tried once: %v", err)
		}
		trust(t, mesh, producerAccount, "DataMeshProducer", producerAccount)
		o.RoleWait = 0
		_, err := identity.OpenProducer(t.Context(), o)
		must(t, err)
	})
}

func TestARoleThatNeverOpensIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mesh := world(t)
		o := options(mesh, "arn:aws:iam::111111111111:role/Admin")
		o.RoleWait = 0
		begun := time.Now()
		_, err := identity.OpenConsumer(t.Context(), o)
		if waited := time.Since(begun); waited < lakemesh.DefaultRoleWait || waited > 2*lakemesh.DefaultRoleWait {
			t.Errorf("waited %s", waited)
		}
		if !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(err.Error(), "admin.InitializeConsumerAccount()") || !strings.Contains(err.Error(), "try again in a minute") {
			t.Errorf("got %v", err)
		}
		// Who does not want to wait does not.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun = time.Now()
		if _, err := identity.OpenConsumer(ctx, o); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 2*time.Second {
			t.Errorf("after the end of the context: %v, %s", err, time.Since(begun))
		}
		// The SDK's cache lets the attempt that it began end by itself, which it does within
		// the role's wait. Time is simulated here.
		time.Sleep(lakemesh.DefaultRoleWait)
	})
}

// answering stands before the mesh and takes parts out of what AssumeRole answers.
type answering struct {
	mesh aws.HTTPClient
	drop string
}

func (a answering) Do(r *http.Request) (*http.Response, error) {
	resp, err := a.mesh.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	text := string(body)
	if from, to := strings.Index(text, "<"+a.drop+">"), strings.Index(text, "</"+a.drop+">"); strings.Contains(text, "AssumeRoleResult") && from >= 0 {
		text = text[:from] + text[to+len("</"+a.drop+">"):]
	}
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	resp.Header.Del("Content-Length")
	return resp, nil
}

func TestAnAnswerWithoutCredentialsSaysSo(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"Credentials", "AccessKeyId", "SecretAccessKey", "SessionToken"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			mesh := world(t)
			o := options(mesh, "arn:aws:iam::111111111111:role/Admin")
			o.Config.HTTPClient = answering{o.Config.HTTPClient, part}
			_, err := identity.OpenProducer(t.Context(), o)
			known, ok := errors.AsType[*lakemesh.Error](err)
			if !ok || known.Op != "AssumeRole" || !strings.Contains(known.Message, "without usable credentials") || !strings.Contains(known.Hint, "AWS_ENDPOINT_URL") {
				t.Errorf("got %v", err)
			}
		})
	}
}
