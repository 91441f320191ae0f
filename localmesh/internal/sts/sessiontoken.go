package sts

// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/iam"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const (
	maxTokenSession     = 129600
	maxRootTokenSession = 3600
	defaultTokenSession = 43200
)

func getSessionToken(c *engine.Call, in *sts.GetSessionTokenInput) (*sts.GetSessionTokenOutput, error) {
	if c.Caller.Session != nil {
		return nil, c.Denied("Cannot call GetSessionToken with session credentials")
	}
	seconds := int32(defaultTokenSession)
	if in.DurationSeconds != nil {
		if seconds = *in.DurationSeconds; seconds < minSession || seconds > maxTokenSession {
			return nil, invalid("durationSeconds", fmt.Sprint(seconds), "have value between 900 and 129600")
		}
	}
	s := state.Session{Account: c.Account()}
	if c.Caller.Root {
		s.Root = true
		seconds = min(seconds, maxRootTokenSession)
	} else {
		s.User = c.Caller.Principal
	}
	s, err := iam.NewSession(c, s, time.Duration(seconds)*time.Second)
	if err != nil {
		return nil, err
	}
	return &sts.GetSessionTokenOutput{Credentials: credentials(s)}, nil
}

func getAccessKeyInfo(c *engine.Call, in *sts.GetAccessKeyInfoInput) (*sts.GetAccessKeyInfoOutput, error) {
	id := aws.ToString(in.AccessKeyId)
	if len(id) < 16 || len(id) > 128 {
		return nil, invalid("accessKeyId", id, "have length between 16 and 128")
	}
	if err := c.Allow("sts:GetAccessKeyInfo"); err != nil {
		return nil, err
	}
	if key, ok, err := state.AccessKeys.Get(c.Tx, id); err != nil || ok {
		return &sts.GetAccessKeyInfoOutput{Account: aws.String(key.Account)}, err
	}
	s, ok, err := state.Sessions.Get(c.Tx, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, engine.Errorf("ValidationError", "Invalid AccessKeyId: %s", id)
	}
	return &sts.GetAccessKeyInfoOutput{Account: aws.String(s.Account)}, nil
}
