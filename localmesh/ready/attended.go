package ready

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/localmesh"
)

// attended lets the mesh's administrator enable a producer again as soon as it has
// registered a location, where registering gives nobody the right to make tables there.
// A producer without such an administrator is refused, and told whom to ask.
func attended(m *localmesh.Mesh, account string, cfg aws.Config) aws.Config {
	if !m.Readings().PrivilegedAccessGrantsNothing || account == MeshAccount {
		return cfg
	}
	cfg = cfg.Copy()
	var one sync.Mutex
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("AttendToLocations",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				out, metadata, err := next.HandleInitialize(ctx, in)
				if awsmiddleware.GetOperationName(ctx) != "RegisterResource" {
					return out, metadata, err
				}
				// The answer may be lost, and the location registered all the same.
				one.Lock()
				defer one.Unlock()
				if enabling := enable(ctx, m, account); enabling != nil && err == nil {
					err = fmt.Errorf("the mesh's administrator enables account %s again: %w", account, enabling)
				}
				return out, metadata, err
			}), middleware.After)
	})
	return cfg
}

func enable(ctx context.Context, m *localmesh.Mesh, account string) error {
	var err error
	const tries = 3 // a planned fault may hit the administrator
	for range tries {
		cfg := m.Config(m.RoleARN(MeshAccount, "Admin"))
		var a *admin.Admin
		if a, err = admin.New(ctx, lakemesh.Options{MeshAccountID: MeshAccount, Config: &cfg, RoleWait: RoleWait(m)}); err != nil {
			continue
		}
		if _, err = a.EnableAccountAsProducer(ctx, admin.EnableProducerInput{AccountID: account}); err == nil {
			return nil
		}
	}
	return err
}

// Enable lets the mesh's administrator enable a producer again.
func (m *Mesh) Enable(ctx context.Context, account string) error { return enable(ctx, m.Mesh, account) }
