package localmesh_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh/localmesh"
)

// loadTime is how long the mesh is kept under load.
func loadTime() time.Duration {
	if os.Getenv("LAKEMESH_LONG") != "" {
		return time.Minute
	}
	return 3 * time.Second
}

// TestUnderLoadNothingFailsLeaksOrGrows keeps many clients busy over HTTP. It
// counts goroutines and memory, so that it runs alone.
func TestUnderLoadNothingFailsLeaksOrGrows(t *testing.T) {
	before := runtime.NumGoroutine()
	const clients = 64
	mesh := localmesh.New()
	server := httptest.NewServer(mesh.Handler())
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	cfg := mesh.Config(admin)
	cfg.HTTPClient, cfg.BaseEndpoint = &http.Client{Transport: transport}, aws.String(server.URL)
	if err := prepareLoad(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}

	// Two phases of the same work: what is kept after the second is not more than
	// after the first.
	var kept [2]uint64
	var calls atomic.Int64
	for phase := range kept {
		ctx, cancel := context.WithTimeout(t.Context(), loadTime()/2)
		group := new(errgroup.Group)
		for n := range clients {
			group.Go(func() error { return work(ctx, cfg, n, &calls) })
		}
		err := group.Wait()
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		transport.CloseIdleConnections()
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		kept[phase] = m.HeapAlloc
	}
	const slack = 8 << 20
	if kept[1] > kept[0]+slack {
		t.Errorf("the heap grew from %d to %d bytes", kept[0], kept[1])
	}
	t.Logf("%d calls of %d clients in %v, heap %d and %d bytes", calls.Load(), clients, loadTime(), kept[0], kept[1])
	server.Close()
	if err := mesh.Close(); err != nil {
		t.Error(err)
	}
	// What is about to end may take a moment.
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, and %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func prepareLoad(ctx context.Context, cfg aws.Config) error {
	_, err := s3.NewFromConfig(cfg).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("load")})
	if err != nil {
		return err
	}
	_, err = glue.NewFromConfig(cfg).CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("load")}})
	if err != nil {
		return err
	}
	_, err = dynamodb.NewFromConfig(cfg).CreateTable(ctx, &dynamodb.CreateTableInput{TableName: aws.String("load"), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("k"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("k"), KeyType: ddbtypes.KeyTypeHash}}})
	return err
}

// work is what one client does until the context ends: it makes and removes things
// of its own in every service, and looks at what it made.
func work(ctx context.Context, cfg aws.Config, n int, calls *atomic.Int64) error {
	name := aws.String(fmt.Sprintf("client-%d", n))
	load := aws.String("load")
	catalog, lake, shares := glue.NewFromConfig(cfg), lakeformation.NewFromConfig(cfg), ram.NewFromConfig(cfg)
	identities, sessions, store, records := iam.NewFromConfig(cfg), sts.NewFromConfig(cfg), s3.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
	key := map[string]ddbtypes.AttributeValue{"k": &ddbtypes.AttributeValueMemberS{Value: *name}}
	// Calls that were begun are waited for: an interrupted call is no failure.
	own := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		for i, call := range []func() error{
			func() error { return only(sessions.GetCallerIdentity(own, &sts.GetCallerIdentityInput{})) },
			func() error {
				return only(catalog.CreateTable(own, &glue.CreateTableInput{DatabaseName: load, TableInput: &gluetypes.TableInput{Name: name}}))
			},
			func() error { return only(catalog.GetTable(own, &glue.GetTableInput{DatabaseName: load, Name: name})) },
			func() error { return only(catalog.GetTables(own, &glue.GetTablesInput{DatabaseName: load})) },
			func() error {
				return only(catalog.DeleteTable(own, &glue.DeleteTableInput{DatabaseName: load, Name: name}))
			},
			func() error { return only(lake.GetDataLakeSettings(own, &lakeformation.GetDataLakeSettingsInput{})) },
			func() error { return only(lake.ListPermissions(own, &lakeformation.ListPermissionsInput{})) },
			func() error {
				return only(shares.GetResourceShares(own, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf}))
			},
			func() error { return only(identities.GetRole(own, &iam.GetRoleInput{RoleName: aws.String("Admin")})) },
			func() error { return only(records.PutItem(own, &dynamodb.PutItemInput{TableName: load, Item: key})) },
			func() error { return only(records.GetItem(own, &dynamodb.GetItemInput{TableName: load, Key: key})) },
			func() error {
				return only(records.DeleteItem(own, &dynamodb.DeleteItemInput{TableName: load, Key: key}))
			},
			func() error {
				return only(store.PutObject(own, &s3.PutObjectInput{Bucket: load, Key: name, Body: strings.NewReader(strings.Repeat("row\n", 1000))}))
			},
			func() error {
				out, err := store.GetObject(own, &s3.GetObjectInput{Bucket: load, Key: name})
				if err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, out.Body)
				return errors.Join(err, out.Body.Close())
			},
		} {
			if err := call(); err != nil {
				return fmt.Errorf("client %d, call %d: %w", n, i, err)
			}
			calls.Add(1)
		}
	}
	return nil
}

// only is the error of a call whose answer does not matter.
func only[T any](_ T, err error) error { return err }
