package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// open starts a mesh with one service that has one operation, and a client of the
// account's root.
func open(t *testing.T, handle func(*engine.Call, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error)) *sts.Client {
	t.Helper()
	s := store.Memory()
	err := s.Update(func(tx store.Tx) error {
		return state.AccessKeys.Put(tx, state.AccessKey{ID: "AKIA", Secret: "secret", Account: "111111111111", Active: true}, "AKIA")
	})
	if err != nil {
		t.Fatal(err)
	}
	mesh := engine.New(s, 1, engine.Service{Name: "sts", Title: "STS", Protocol: wire.Query,
		Operations: []engine.Operation{engine.Op("GetCallerIdentity", engine.Write, "", "", handle)}})
	return sts.NewFromConfig(aws.Config{Region: "us-east-1", HTTPClient: mesh, BaseEndpoint: aws.String("http://127.0.0.1"),
		Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", ""), RetryMaxAttempts: 1})
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestAnOperationThatForgetsToAskIsRefused(t *testing.T) {
	t.Parallel()
	client := open(t, func(*engine.Call, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		return &sts.GetCallerIdentityOutput{Account: aws.String("leaked")}, nil
	})
	out, err := client.GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
	if code(err) != "InternalFailure" || out != nil {
		t.Errorf("got %v, %v", out, err)
	}
}

func TestAPanicIsAnAnswer(t *testing.T) {
	t.Parallel()
	client := open(t, func(*engine.Call, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		var missing *sts.GetCallerIdentityOutput
		return &sts.GetCallerIdentityOutput{Account: missing.Account}, nil
	})
	if _, err := client.GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{}); code(err) != "InternalFailure" {
		t.Errorf("got %v, want InternalFailure", err)
	}
}

func TestAnOperationThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	seen := 0
	client := open(t, func(c *engine.Call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		c.Authorized()
		if state.Accounts.Has(c.Tx, "222222222222") {
			seen++
		}
		if err := state.Accounts.Put(c.Tx, state.Account{ID: "222222222222"}, "222222222222"); err != nil {
			return nil, err
		}
		return nil, engine.Errorf("Refused", "on purpose")
	})
	for range 2 {
		if _, err := client.GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{}); code(err) != "Refused" {
			t.Fatalf("got %v", err)
		}
	}
	if seen != 0 {
		t.Error("the write of a failed operation was kept")
	}
}
