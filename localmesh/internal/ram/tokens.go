package ram

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// replayed finds the answer that was given to the same request with the same
// client token. The same token with another request is refused
// (https://docs.aws.amazon.com/ram/latest/APIReference/API_CreateResourceShare.html).
func replayed(c *engine.Call, token *string, request any) (answer string, ok bool, err error) {
	if aws.ToString(token) == "" {
		return "", false, nil
	}
	known, found, err := state.ShareTokens.Get(c.Tx, c.Account(), c.Region, c.Operation, *token)
	if err != nil || !found {
		return "", false, err
	}
	text, err := requestText(request)
	if err != nil {
		return "", false, err
	}
	if known.Request != text {
		return "", false, engine.Errorf("IdempotentParameterMismatchException",
			"The request has the same client token as a previous request, but the requests are not the same.")
	}
	return known.Answer, true, nil
}

// remember stores the answer for replayed.
func remember(c *engine.Call, token *string, request any, answer string) error {
	if aws.ToString(token) == "" {
		return nil
	}
	text, err := requestText(request)
	if err != nil {
		return err
	}
	return state.ShareTokens.Put(c.Tx, state.ShareToken{Request: text, Answer: answer}, c.Account(), c.Region, c.Operation, *token)
}

func requestText(request any) (string, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return "", fmt.Errorf("request with a client token: %w", err)
	}
	return string(text), nil
}
