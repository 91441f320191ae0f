package meshtest

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// Answering makes the answers of a configuration's clients what change makes of them:
// for readings of AWS's documentation that the local mesh does not take. change is told
// the operation and its input, and gets the output to change it in place.
func Answering(cfg aws.Config, change func(operation string, in, out any)) aws.Config {
	cfg = cfg.Copy()
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("ChangeAnswer",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				out, metadata, err := next.HandleInitialize(ctx, in)
				if err == nil {
					change(awsmiddleware.GetOperationName(ctx), in.Parameters, out.Result)
				}
				return out, metadata, err
			}), middleware.After)
	})
	return cfg
}
