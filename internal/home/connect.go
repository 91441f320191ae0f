package home

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/localmesh"
)

// patience is how long a connection waits for another process that has the folder
// open: one that is starting the server, or that works in process.
const patience = 10 * time.Second

// Connection is a connection to a local mesh.
type Connection struct {
	// Credentials are the keys of the mesh's people.
	Credentials *lakemesh.CredentialsFile

	mesh   *localmesh.Mesh
	server *server
}

// InMemory starts a mesh in memory, with its accounts, in the partition of a region.
func InMemory(ctx context.Context, region string) (*Connection, error) {
	if err := known(region); err != nil {
		return nil, err
	}
	mesh := localmesh.New(in(region)...)
	file, err := setUpAccounts(ctx, mesh, DefaultAccounts())
	if err != nil {
		return nil, errors.Join(err, mesh.Close())
	}
	return &Connection{Credentials: file, mesh: mesh}, nil
}

// Connect opens the folder's mesh: through its server if one is running, else in
// process, making the mesh, its accounts and the credentials file where they are
// missing. A region is one in which somebody is going to work: a mesh that is made now is in
// its partition of AWS, and one that is there has to be.
func (h Home) Connect(ctx context.Context, region string) (*Connection, error) {
	if err := known(region); err != nil {
		return nil, err
	}
	var c *Connection
	err := poll.Until(ctx, patience, "the local mesh in "+h.Dir, func(ctx context.Context) (bool, error) {
		s, err := h.findServer(ctx)
		if err == nil {
			c = &Connection{server: s}
			return true, nil
		}
		if !errors.Is(err, ErrNotRunning) {
			return false, err
		}
		mesh, err := localmesh.Open(h.Dir, in(region)...)
		if errors.Is(err, localmesh.ErrLocked) {
			return false, poll.NotYet(ErrBusy)
		}
		if err != nil {
			return false, h.elsewhere(err)
		}
		c = &Connection{mesh: mesh}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	if c.server != nil {
		c.Credentials, err = h.Credentials()
	} else {
		c.Credentials, err = h.ensureAccounts(ctx, c.mesh, nil)
	}
	if err == nil {
		err = h.checkRegion(c.Credentials.Region, region)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// known refuses what is no region, and regions of partitions in which lakemesh does not work.
func known(region string) error {
	if region == "" {
		return nil
	}
	return lakemesh.CheckRegion("--region", region)
}

// in is the option for a mesh that is to be in the partition of a region. One of the partition
// aws has the region that all have.
func in(region string) []localmesh.Option {
	if region == "" || lakemesh.PartitionOf(region) == lakemesh.PartitionAWS {
		return nil
	}
	return []localmesh.Option{localmesh.WithRegion(region)}
}

// checkRegion refuses a region of another partition than the mesh's.
func (h Home) checkRegion(has, asked string) error {
	if is, wanted := lakemesh.PartitionOf(has), lakemesh.PartitionOf(asked); asked != "" && is != wanted {
		return h.elsewhere(fmt.Errorf("%w: it is in %s (%s), and region %s is in %s", localmesh.ErrOtherPartition, has, is, asked, wanted))
	}
	return nil
}

// elsewhere says what to do about a mesh of another partition.
func (h Home) elsewhere(err error) error {
	if !errors.Is(err, localmesh.ErrOtherPartition) {
		return err
	}
	return &lakemesh.Error{Kind: lakemesh.ErrConflict, Resource: "local mesh of " + h.Dir, Message: err.Error(), Err: err,
		Hint: "work in a region of its partition, set " + Variable + " to another folder, or remove this mesh with lakemesh local reset"}
}

// open opens the folder's mesh for this process alone.
func (h Home) open(opts ...localmesh.Option) (*localmesh.Mesh, error) {
	mesh, err := localmesh.Open(h.Dir, opts...)
	if !errors.Is(err, localmesh.ErrLocked) {
		return mesh, err
	}
	// The lock says that somebody is there; the server's file may say who.
	if s, findErr := h.findServer(context.Background()); findErr == nil {
		return nil, fmt.Errorf("%w at %s", ErrRunning, s.Address)
	}
	return nil, fmt.Errorf("%w: %s", ErrBusy, h.Dir)
}

// ensureAccounts reads the credentials file; if it is missing, or if it is not of
// this mesh, it sets the accounts up and writes it. Where a mesh is there already,
// accounts that were asked for have to be its own.
func (h Home) ensureAccounts(ctx context.Context, mesh *localmesh.Mesh, asked *Accounts) (*lakemesh.CredentialsFile, error) {
	if file, err := h.Credentials(); err == nil && isOf(ctx, file, mesh) {
		if has := accountsOf(file); asked != nil && has != *asked {
			return nil, &lakemesh.Error{Kind: lakemesh.ErrConflict, Resource: "local mesh of " + h.Dir, Message: "its accounts are " + has.String(),
				Hint: "leave --accounts out, set " + Variable + " to another folder, or remove this mesh with lakemesh local reset"}
		}
		return file, nil
	}
	if asked == nil {
		asked = new(DefaultAccounts())
	}
	file, err := setUpAccounts(ctx, mesh, *asked)
	if err != nil {
		return nil, err
	}
	if err := file.Write(h.CredentialsPath()); err != nil {
		return nil, err
	}
	if err := h.ignore(); err != nil {
		return nil, err
	}
	return file, nil
}

// isOf tells whether the mesh knows everybody in the credentials file.
func isOf(ctx context.Context, file *lakemesh.CredentialsFile, mesh *localmesh.Mesh) bool {
	for _, p := range people(accountsOf(file)) {
		keys, err := file.Get(p.identity)
		if err != nil {
			return false
		}
		out, err := sts.NewFromConfig(mesh.ConfigWith(keys)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil || aws.ToString(out.Arn) != userARN(mesh, p) {
			return false
		}
	}
	return true
}

// Accounts are the mesh's.
func (c *Connection) Accounts() Accounts { return accountsOf(c.Credentials) }

// Config is where the SDK finds the mesh. It has no credentials.
func (c *Connection) Config() aws.Config {
	if c.mesh != nil {
		return c.mesh.ConfigWith(nil)
	}
	return aws.Config{Region: c.Credentials.Region, BaseEndpoint: &c.server.Address, HTTPClient: awshttp.NewBuildableClient()}
}

// Endpoint is the address of the server, empty if the mesh is in this process.
func (c *Connection) Endpoint() string {
	if c.server == nil {
		return ""
	}
	return c.server.Address
}

// Calls is the number of calls that the mesh has answered since it was started.
func (c *Connection) Calls(ctx context.Context) (int, error) {
	if c.mesh != nil {
		return c.mesh.Calls(), nil
	}
	s, err := c.server.status(ctx)
	return s.Calls, err
}

// Close ends the connection; a mesh in this process is closed.
func (c *Connection) Close() error {
	if c.mesh == nil {
		return nil
	}
	return c.mesh.Close()
}

// ignoreMissing drops the error of a file that is not there.
func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
