package localmesh

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Endpoint is the address that in-process configurations name. Nothing listens
// there: their HTTP client answers by itself. An IP address makes the S3 client
// put the bucket into the path.
const Endpoint = "http://127.0.0.1:4577"

// ErrNoSuchPrincipal is returned when a configuration's principal does not exist
// in an account that does.
var ErrNoSuchPrincipal = errors.New("no such principal")

// Config returns a configuration whose clients talk to the mesh, in process, as
// the principal: arn:aws:iam::<account>:role/<path/name>, :user/<path/name> or
// :root.
//
// The first principal of an account is made on the way and gets
// AdministratorAccess. A principal that does not exist in an account that does
// makes every call fail with [ErrNoSuchPrincipal].
func (m *Mesh) Config(principal string) aws.Config {
	return aws.Config{
		Region:       m.options.region,
		Credentials:  aws.NewCredentialsCache(&principalCredentials{mesh: m, principal: m.engine.Names.Exchange(principal), named: principal}),
		HTTPClient:   m.engine,
		BaseEndpoint: aws.String(Endpoint),
	}
}

// ConfigWith returns a configuration with credentials of your own, such as those
// of a credentials file or those that Lake Formation vended.
func (m *Mesh) ConfigWith(provider aws.CredentialsProvider) aws.Config {
	return aws.Config{Region: m.options.region, Credentials: provider, HTTPClient: m.engine, BaseEndpoint: aws.String(Endpoint)}
}

// principalCredentials opens a principal: a user's access key, a role's session,
// or the root's access key.
type principalCredentials struct {
	mesh      *Mesh
	principal string
	// named is the principal as it was named, in the mesh's own partition.
	named string
}

// sessionLife is how long the sessions of [Mesh.Config] last before they are
// renewed.
const sessionLife = time.Hour

// Retrieve implements aws.CredentialsProvider.
func (p *principalCredentials) Retrieve(context.Context) (aws.Credentials, error) {
	creds := aws.Credentials{Source: "lakemesh local mesh"}
	err := p.mesh.engine.Store.Update(func(tx store.Tx) error {
		account, kind, name, ok := state.SplitPrincipalARN(p.principal)
		if !ok || !principalPattern.MatchString(p.principal) {
			if err := p.mesh.Partition().Check("principal", p.named); err != nil {
				return err
			}
			return fmt.Errorf("%q is not the ARN of a user, a role or a root", p.named)
		}
		if err := p.mesh.open(tx, account, kind, name, p.principal); err != nil {
			return err
		}
		if kind == "role" {
			return p.session(tx, account, name, &creds)
		}
		return p.key(tx, account, name, &creds)
	})
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("open principal of the local mesh: %w", err)
	}
	return creds, nil
}

func (p *principalCredentials) session(tx store.Tx, account, name string, creds *aws.Credentials) error {
	role, _, err := state.ReadRole(tx, account, name)
	if err != nil {
		return err
	}
	m := p.mesh.engine
	now := m.Clock().UTC()
	s := state.Session{
		AccessKeyID: m.ID("ASIA", 16), Secret: m.Secret(40), Token: m.Secret(120), Account: account,
		Role: role.Name, RoleID: role.ID, Name: "local", Issued: now, Expires: now.Add(sessionLife),
	}
	if err := state.Sessions.Put(tx, s, s.AccessKeyID); err != nil {
		return err
	}
	creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken = s.AccessKeyID, s.Secret, s.Token
	// The SDK compares with the real time, the mesh with its own.
	creds.CanExpire, creds.Expires = true, time.Now().Add(sessionLife-time.Minute)
	return nil
}

// key finds an active access key of the user (of the root, if user is empty), or
// makes one.
func (p *principalCredentials) key(tx store.Tx, account, user string, creds *aws.Credentials) error {
	k, err := p.mesh.accessKey(tx, account, user)
	if err != nil {
		return err
	}
	creds.AccessKeyID, creds.SecretAccessKey = k.ID, k.Secret
	return nil
}

func (m *Mesh) accessKey(tx store.Tx, account, user string) (state.AccessKey, error) {
	var found state.AccessKey
	err := state.AccessKeys.Scan(tx, nil, "", func(_ string, k state.AccessKey) bool {
		if k.Account == account && strings.EqualFold(k.User, user) && k.Active {
			found = k
			return false
		}
		return true
	})
	if err != nil || found.ID != "" {
		return found, err
	}
	found = state.AccessKey{ID: m.engine.ID("AKIA", 16), Secret: m.engine.Secret(40), Account: account, User: user,
		Active: true, Created: m.engine.Clock().UTC()}
	return found, state.AccessKeys.Put(tx, found, found.ID)
}

// open makes the account with its first administrator, or checks that the
// principal exists.
func (m *Mesh) open(tx store.Tx, account, kind, name, arn string) error {
	exists := state.Accounts.Has(tx, account)
	if exists && kind == "root" {
		return nil
	}
	if exists {
		ok, err := state.PrincipalExists(tx, arn)
		if err != nil {
			return err
		}
		if ok {
			return nil
		}
		empty, err := m.noAdministrator(tx, account)
		if err != nil {
			return err
		}
		if !empty {
			return fmt.Errorf("%s: %w: the account exists already; make further principals through IAM, as %s or an administrator", m.engine.Names.Exchange(arn), ErrNoSuchPrincipal, m.RootARN(account))
		}
	}
	if !exists {
		if err := state.Accounts.Put(tx, state.Account{ID: account, Created: m.engine.Clock().UTC()}, account); err != nil {
			return err
		}
	}
	return m.firstAdministrator(tx, account, kind, name, arn)
}

// noAdministrator tells whether the account has no user and no role yet.
func (m *Mesh) noAdministrator(tx store.Tx, account string) (bool, error) {
	empty := true
	if err := state.Users.Scan(tx, []string{account}, "", func(string, state.User) bool { empty = false; return false }); err != nil {
		return false, err
	}
	err := state.Roles.Scan(tx, []string{account}, "", func(string, state.Role) bool { empty = false; return false })
	return empty, err
}

func (m *Mesh) firstAdministrator(tx store.Tx, account, kind, name, arn string) error {
	path := arn[strings.Index(arn, kind)+len(kind):]
	path = strings.TrimSuffix(path, name)
	permissions := state.Permissions{Attached: []string{lakemesh.PartitionAWS.ARN("iam", "", "aws", "policy/AdministratorAccess")}}
	now := m.engine.Clock().UTC()
	switch kind {
	case "user":
		u := state.User{Account: account, Name: name, Path: path, ID: m.engine.ID("AIDA", 17), Created: now, Permissions: permissions}
		return state.Users.Put(tx, u, account, strings.ToLower(name))
	case "role":
		trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, lakemesh.PartitionAWS.Root(account))
		r := state.Role{Account: account, Name: name, Path: path, ID: m.engine.ID("AROA", 17), Created: now, Trust: trust,
			MaxSession: 3600, Permissions: permissions}
		return state.Roles.Put(tx, r, account, strings.ToLower(name))
	}
	return nil
}

// principalPattern is what IAM calls users, roles and roots, in the partition whose names are
// kept (see engine.Names).
var principalPattern = regexp.MustCompile(`^arn:aws:iam::[0-9]{12}:(root|(user|role)/([!-~]+/)*[\w+=,.@-]{1,64})$`)
