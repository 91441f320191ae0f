package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/producer"
)

var regionPattern = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}$`)

// producer opens the producer.
func (a *app) producer(ctx context.Context) (*producer.Producer, error) {
	o, err := a.options(ctx, lakemesh.ProducerIdentity)
	if err != nil {
		return nil, err
	}
	return producer.New(ctx, o)
}

// consumer opens the consumer.
func (a *app) consumer(ctx context.Context) (*consumer.Consumer, error) {
	o, err := a.options(ctx, lakemesh.ConsumerIdentity)
	if err != nil {
		return nil, err
	}
	return consumer.New(ctx, o)
}

// admin opens an administrator.
func (a *app) admin(ctx context.Context, who lakemesh.Identity) (*admin.Admin, error) {
	o, err := a.options(ctx, who)
	if err != nil {
		return nil, err
	}
	return admin.New(ctx, o)
}

// options say who acts, and where: on the local mesh or on AWS.
func (a *app) options(ctx context.Context, who lakemesh.Identity) (lakemesh.Options, error) {
	var o lakemesh.Options
	file, err := a.credentialsFile(ctx)
	if err != nil {
		return o, err
	}
	region, err := a.region(file)
	if err != nil {
		return o, err
	}
	o = lakemesh.Options{Region: region, LogLevel: a.flags.logLevel, Logger: a.logger(), Progress: a.screen.update,
		Concurrency: a.flags.concurrency, Now: a.clock}
	if o.MeshAccountID, err = a.meshAccount(file); err != nil {
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
	}
	if a.flags.profile != "" {
		cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(a.flags.profile), config.WithRegion(region))
		if err != nil {
			return o, &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "--profile", Message: err.Error(), Err: err,
				Hint: "see the profiles in the shared files: aws configure list-profiles"}
		}
		o.Config = &cfg
	}
	return o, nil
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
	case path != "" && a.flags.profile == "" && a.flags.useCredentials == "":
		a.file, err = lakemesh.ReadCredentialsFile(path)
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
	a.local, err = h.Connect(ctx)
	return err
}

func (a *app) region(file *lakemesh.CredentialsFile) (string, error) {
	region := a.flags.region
	if region == "" && file != nil {
		region = file.Region
	}
	region = cmp.Or(region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), lakemesh.DefaultRegion)
	if !regionPattern.MatchString(region) {
		return "", lakemesh.Invalid("--region", "%q is not the name of a region, such as %s", region, lakemesh.DefaultRegion)
	}
	return region, nil
}

func (a *app) meshAccount(file *lakemesh.CredentialsFile) (string, error) {
	account := a.flags.meshAccount
	if account == "" && file != nil {
		account = file.Credentials[lakemesh.MeshIdentity].AccountID
	}
	if account == "" && a.local != nil {
		account = a.local.Accounts().Mesh
	}
	if account == "" {
		return "", &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "--mesh-account", Message: "it is not known which account is the data mesh account",
			Hint: fmt.Sprintf("give --mesh-account, or a credentials file with %q", lakemesh.MeshIdentity)}
	}
	return account, lakemesh.CheckAccountID("--mesh-account", account)
}

// side is who a command acts as, where both the producer and the consumer can:
// whom --as names, else the only one that the credentials file holds, else the
// default.
func (a *app) side(ctx context.Context, as string, otherwise lakemesh.Identity) (lakemesh.Identity, error) {
	switch as {
	case "producer":
		return lakemesh.ProducerIdentity, nil
	case "consumer":
		return lakemesh.ConsumerIdentity, nil
	}
	file, err := a.credentialsFile(ctx)
	if err != nil || file == nil {
		return otherwise, err
	}
	_, isProducer := file.Credentials[lakemesh.ProducerIdentity]
	_, isConsumer := file.Credentials[lakemesh.ConsumerIdentity]
	switch {
	case isProducer && !isConsumer:
		return lakemesh.ProducerIdentity, nil
	case isConsumer && !isProducer:
		return lakemesh.ConsumerIdentity, nil
	}
	return otherwise, nil
}
