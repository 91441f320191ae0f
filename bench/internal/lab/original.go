package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

// ErrNotInstalled is returned by [FindOriginal] where the original library is not.
var ErrNotInstalled = errors.New("the original library is not installed; interop/install installs it")

// driver calls the library's methods; it is run from the module's root.
const driver = "interop/python/original.py"

// FindOriginal finds the Python that the original library is installed for.
func FindOriginal() (python string, err error) {
	folder := os.Getenv("LAKEMESH_INTEROP")
	if folder == "" {
		cache := os.Getenv("XDG_CACHE_HOME")
		if cache == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", err
			}
			cache = filepath.Join(home, ".cache")
		}
		folder = filepath.Join(cache, "lakemesh-interop")
	}
	// The list of requirements is copied there last.
	if _, err := os.Stat(filepath.Join(folder, "original", "installed.txt")); err != nil {
		return "", ErrNotInstalled
	}
	if _, err := os.Stat(driver); err != nil {
		return "", fmt.Errorf("run this in the module's root folder: %w", err)
	}
	return filepath.Join(folder, "original", "bin", "python"), nil
}

// Original is the original library in a process of its own.
type Original struct {
	peer *peer
	log  *strings.Builder
}

// StartOriginal starts the library on a mesh that was started bare. keys is the
// folder where its credentials file goes.
func (m *Mesh) StartOriginal(ctx context.Context, python, folder string) (*Original, error) {
	file := lakemesh.CredentialsFile{Region: localmesh.DefaultRegion, Credentials: map[lakemesh.Identity]lakemesh.Credentials{}}
	for who, p := range people {
		keys, err := m.Keys(p.arn())
		if err != nil {
			return nil, err
		}
		file.Credentials[who] = lakemesh.Credentials{AccountID: p.account, AccessKeyID: keys.ID, SecretAccessKey: lakemesh.Secret(keys.Secret)}
	}
	path := filepath.Join(folder, "credentials.json")
	if err := file.Write(path); err != nil {
		return nil, err
	}
	// The library takes the mesh account's administrator from the environment,
	// whomever it is given.
	mesh := file.Credentials[lakemesh.MeshIdentity]
	cmd := exec.CommandContext(ctx, python, "-B", driver)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL="+m.URL, "AWS_REGION="+file.Region, "AWS_DEFAULT_REGION="+file.Region,
		"AWS_ACCESS_KEY_ID="+mesh.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+mesh.SecretAccessKey.Reveal(),
		"AWS_EC2_METADATA_DISABLED=true", lakemesh.CredentialsFileVariable+"="+path)
	log := &strings.Builder{}
	cmd.Stderr = log
	p, err := begin(cmd)
	if err != nil {
		return nil, err
	}
	return &Original{p, log}, nil
}

// Call calls a method as an identity of the credentials file.
func (o *Original) Call(identity lakemesh.Identity, method string, with map[string]any) (json.RawMessage, error) {
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Type, Message string }
	}
	if err := o.peer.ask(map[string]any{"as": identity, "call": method, "with": with}, &answer); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, o.log)
	}
	if answer.Error != nil {
		return nil, fmt.Errorf("the original's %s: %s: %s\n%s", method, answer.Error.Type, answer.Error.Message, o.log)
	}
	return answer.Result, nil
}

// Close ends it.
func (o *Original) Close() error { return o.peer.close() }

// macros stands for the library's functions that need no identity.
const macros lakemesh.Identity = "Macros"

// SetUp lets the library set its mesh and its producer up.
func (o *Original) SetUp() error {
	if _, err := o.Call(lakemesh.MeshIdentity, "initialize_mesh_account", nil); err != nil {
		return err
	}
	_, err := o.Call(macros, "bootstrap_account", map[string]any{"account_type": "Producer",
		"mesh_credentials": lakemesh.MeshIdentity, "account_credentials": lakemesh.ProducerAdminIdentity})
	return err
}

// MeasureOriginal lets the library publish a database. Its persona is open by then:
// the library opens it with its first call.
func (m *Mesh) MeasureOriginal(o *Original, database string) (done Measured, err error) {
	if _, err := o.Call(lakemesh.ProducerIdentity, "list_pending_access_requests", nil); err != nil {
		return done, err
	}
	if err := m.Reset(); err != nil {
		return done, err
	}
	begun := time.Now()
	_, err = o.Call(lakemesh.ProducerIdentity, "create_data_products", map[string]any{"source_database_name": database,
		"domain": "bench", "data_product_name": "bench"})
	if err != nil {
		return done, err
	}
	done.Took = time.Since(begun)
	done.Counts, err = m.Counts()
	return done, err
}

// person is an IAM user whom the original library works as.
type person struct{ account, name string }

func (p person) arn() string { return "arn:aws:iam::" + p.account + ":user/" + p.name }

// people are those whom the library asks for.
var people = map[lakemesh.Identity]person{
	lakemesh.MeshIdentity:          {MeshAccount, "MeshAdministrator"},
	lakemesh.ProducerAdminIdentity: {ProducerAccount, "ProducerAdministrator"},
	lakemesh.ProducerIdentity:      {ProducerAccount, "Producer"},
}

// makePeople makes them: users whom IAM allows everything, and data lake
// administrators of their account.
func makePeople(ctx context.Context, mesh *localmesh.Mesh) error {
	for _, p := range people {
		administrator := mesh.Config(Administrator(p.account))
		client := iam.NewFromConfig(administrator)
		if _, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String(p.name)}); err != nil {
			return err
		}
		_, err := client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String(p.name),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
		if err != nil {
			return err
		}
		lake := lakeformation.NewFromConfig(administrator)
		out, err := lake.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
		if err != nil {
			return err
		}
		settings := out.DataLakeSettings
		settings.DataLakeAdmins = append(settings.DataLakeAdmins, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(p.arn())})
		if _, err := lake.PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: settings}); err != nil {
			return err
		}
	}
	return nil
}
