package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/contexts"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// admin opens an administrator.
func (a *app) admin(ctx context.Context, who lakemesh.Identity) (*admin.Admin, error) {
	a.actAs(who)
	o, err := a.options(ctx, who)
	if err != nil {
		return nil, err
	}
	return admin.New(ctx, o)
}

// options say who acts, and where: on the local mesh or on AWS.
func (a *app) options(ctx context.Context, who lakemesh.Identity) (lakemesh.Options, error) {
	var o lakemesh.Options
	in, err := a.inContext()
	if err != nil {
		return o, err
	}
	file, err := a.credentialsFile(ctx)
	if err != nil {
		return o, err
	}
	region, err := a.region(in, file)
	if err != nil {
		return o, err
	}
	o = lakemesh.Options{Region: region, LogLevel: a.flags.logLevel, Logger: a.logger(), Progress: a.screen.update,
		Concurrency: a.flags.concurrency, Now: a.clock}
	if o.MeshAccountID, err = a.meshAccount(in, file); err != nil {
		return o, err
	}
	switch {
	case a.flags.useCredentials != "":
		if o.Credentials, err = credentials(lakemesh.ParseCredentials("--use-credentials", []byte(a.flags.useCredentials))); err != nil {
			return o, err
		}
	case file != nil:
		if o.Credentials, err = credentials(file.Get(who)); err != nil {
			return o, err
		}
	}
	if a.flags.local {
		// The local mesh knows new roles at once, or after a few looks.
		o.RoleWait = time.Second
		cfg := a.local.Config()
		o.Config = &cfg
		return o, nil
	}
	log, err := identity.Logger(o)
	if err != nil {
		return o, err
	}
	source := identity.Source{Region: region, Credentials: o.Credentials, Profile: a.flags.profile, Log: log}
	if source.Profile == "" && source.Credentials == nil {
		source.Profile = in.Profile
	}
	if a.asking {
		source.MFACode = func() (string, error) { return a.ask(line("%s ", bold.Render("MFA code:"))) }
	}
	cfg, err := identity.Load(ctx, source)
	o.Config = &cfg
	return o, err
}

// credentials keeps a nil interface nil where there is an error.
func credentials(c lakemesh.Credentials, err error) (*lakemesh.Credentials, error) {
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// credentialsFile reads the file that the command line, the local mesh or the
// environment names; nil if none does, or if other credentials were asked for.
func (a *app) credentialsFile(ctx context.Context) (*lakemesh.CredentialsFile, error) {
	if a.file != nil {
		return a.file, nil
	}
	if a.flags.local {
		if err := a.connect(ctx); err != nil {
			return nil, err
		}
	}
	var err error
	switch path := os.Getenv(lakemesh.CredentialsFileVariable); {
	case a.flags.credentialsFile != "":
		a.file, err = lakemesh.ReadCredentialsFile(a.flags.credentialsFile)
	case a.flags.local:
		a.file = a.local.Credentials
	case a.flags.profile != "" || a.flags.useCredentials != "":
	case path != "":
		a.warnOfVariable()
		a.file, err = lakemesh.ReadCredentialsFile(path)
	default:
		var in contexts.Context
		if in, err = a.inContext(); err == nil && in.CredentialsFile != "" {
			a.file, err = lakemesh.ReadCredentialsFile(in.CredentialsFile)
		}
	}
	return a.file, err
}

// connect opens the local mesh, once.
func (a *app) connect(ctx context.Context) error {
	if a.local != nil {
		return nil
	}
	h, err := home.Find()
	if err != nil {
		return err
	}
	a.local, err = h.Connect(ctx, a.flags.region)
	return err
}

// region is where the mesh is, if a flag, the context or the credentials file says it; else
// it is left to the SDK's own chain.
func (a *app) region(in contexts.Context, file *lakemesh.CredentialsFile) (string, error) {
	region := cmp.Or(a.flags.region, in.Region)
	if region == "" && file != nil {
		region = file.Region
	}
	if region == "" {
		return "", nil
	}
	return region, lakemesh.CheckRegion("--region", region)
}

// meshAccountVariable is the environment variable that names the data mesh account.
const meshAccountVariable = "LAKEMESH_MESH_ACCOUNT"

func (a *app) meshAccount(in contexts.Context, file *lakemesh.CredentialsFile) (string, error) {
	account := cmp.Or(a.flags.meshAccount, in.MeshAccount)
	if account == "" && file != nil {
		account = file.Credentials[lakemesh.MeshIdentity].AccountID
	}
	if account == "" && a.local != nil {
		account = a.local.Accounts().Mesh
	}
	if account == "" {
		account = os.Getenv(meshAccountVariable)
	}
	if account == "" {
		return "", &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "--mesh-account", Message: "it is not known which account is the data mesh account",
			Hint: fmt.Sprintf("give --mesh-account, keep it (lakemesh context set NAME --mesh-account ACCOUNT), or name a credentials file with %q", lakemesh.MeshIdentity)}
	}
	return account, lakemesh.CheckAccountID("--mesh-account", account)
}
