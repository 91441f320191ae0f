package resilience_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

// childServes is a process that serves a mesh on a folder until it is killed.
const childServes = "serves"

const (
	folderVariable = "LAKEMESH_RESILIENCE_FOLDER"
	// listening is what such a process says when it can be called, before its address.
	listening = "listening on "
)

// serve is the child.
func serve() error {
	mesh, err := localmesh.Open(os.Getenv(folderVariable))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listening + listener.Addr().String())
	server := &http.Server{Handler: mesh.Handler(), ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}

// The names of what writers write to.
const (
	loadTable    = "load"
	loadBucket   = "load-bucket"
	loadDatabase = "load"
	writers      = 4
)

// journal is what the writers know: what was answered, and what was asked for last.
type journal struct {
	mu sync.Mutex
	// answered are the values that were written for good, by key.
	answered map[string]int
	// asked are the greatest values that were sent, answered or not.
	asked map[string]int
	total int
	// enough is closed when so many writes were answered that the process is to be
	// killed.
	enough chan struct{}
	after  int
}

func (j *journal) ask(key string, value int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.asked[key] = value
}

func (j *journal) answer(key string, value int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.answered[key] = value
	if j.total++; j.total == j.after {
		close(j.enough)
	}
}

// A mesh on a folder whose process is killed at any moment opens again, and holds
// everything that was answered.
func TestAFolderSurvivesKills(t *testing.T) {
	t.Parallel()
	rounds := 10
	if long() {
		rounds = 200
	}
	dir := t.TempDir()
	keys := loadTargets(t, dir)
	random := rand.New(rand.NewPCG(3, 9))
	j := &journal{answered: map[string]int{}, asked: map[string]int{}}
	for round := range rounds {
		j.enough, j.after = make(chan struct{}), j.total+1+random.IntN(40)
		killWhileWriting(t, dir, keys, j)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
		checkFolder(t, dir, j)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d rounds, %d answered writes on %d keys", rounds, j.total, len(j.answered))
}

// loadTargets makes what the writers write to, and returns the keys of the account.
func loadTargets(t *testing.T, dir string) aws.Credentials {
	t.Helper()
	mesh, err := localmesh.Open(dir)
	must(t, err)
	defer func() { must(t, mesh.Close()) }()
	cfg := mesh.Config(root)
	_, err = dynamodb.NewFromConfig(cfg).CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: aws.String(loadTable), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("k"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("k"), KeyType: ddbtypes.KeyTypeHash}}})
	must(t, err)
	_, err = identity.S3(cfg).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(loadBucket)})
	must(t, err)
	_, err = glue.NewFromConfig(cfg).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(loadDatabase)}})
	must(t, err)
	keys, err := cfg.Credentials.Retrieve(t.Context())
	must(t, err)
	return keys
}

const root = "arn:aws:iam::" + producerAccount + ":root"

// killWhileWriting serves the folder in a process, lets writers write to it, and
// kills it when enough of their writes were answered, whatever the others are doing.
func killWhileWriting(t *testing.T, dir string, keys aws.Credentials, j *journal) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), asChild+"="+childServes, folderVariable+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), listening)
	if err != nil || !ok {
		t.Errorf("the mesh did not start: %q, %v", line, err)
	}
	transport := &http.Transport{}
	cfg := aws.Config{Region: localmesh.DefaultRegion, BaseEndpoint: aws.String("http://" + address), HTTPClient: &http.Client{Transport: transport},
		Credentials:      credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, ""),
		RetryMaxAttempts: 1}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() { write(t, cfg, j, w) })
	}
	if ok {
		<-j.enough
	}
	if err := child.Process.Kill(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) {
		t.Errorf("the process ended with %v", err)
	}
	transport.CloseIdleConnections()
}

// write makes writes of all kinds until the process does not answer any more.
func write(t *testing.T, cfg aws.Config, j *journal, writer int) {
	ctx := t.Context()
	for {
		for name, do := range map[string]func(ctx context.Context, cfg aws.Config, key string, value int) error{
			"item": putItem, "object": putObject, "table": putTable,
		} {
			key := fmt.Sprintf("%s-%d", name, writer)
			j.mu.Lock()
			value := j.asked[key] + 1
			j.mu.Unlock()
			j.ask(key, value)
			if err := do(ctx, cfg, key, value); err != nil {
				// A process that was killed does not answer; one that answers may not refuse.
				if code := awserr.Code(err); code != "" {
					t.Errorf("write %s: %v", key, err)
				}
				return
			}
			j.answer(key, value)
		}
	}
}

func putItem(ctx context.Context, cfg aws.Config, key string, value int) error {
	_, err := dynamodb.NewFromConfig(cfg).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(loadTable), Item: map[string]ddbtypes.AttributeValue{
		"k": &ddbtypes.AttributeValueMemberS{Value: key}, "v": &ddbtypes.AttributeValueMemberN{Value: strconv.Itoa(value)}}})
	return err
}

func putObject(ctx context.Context, cfg aws.Config, key string, value int) error {
	_, err := identity.S3(cfg).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(loadBucket), Key: aws.String(key),
		Body: strings.NewReader(strconv.Itoa(value))})
	return err
}

// putTable makes a table for the first value, and changes it for the others.
func putTable(ctx context.Context, cfg aws.Config, key string, value int) error {
	client := glue.NewFromConfig(cfg)
	in := meshtest.CSV(key, "")
	in.Parameters = map[string]string{"v": strconv.Itoa(value)}
	_, err := client.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: aws.String(loadDatabase), TableInput: in, SkipArchive: aws.Bool(true)})
	var missing *gluetypes.EntityNotFoundException
	if errors.As(err, &missing) {
		_, err = client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String(loadDatabase), TableInput: in})
	}
	return err
}

// checkFolder opens the folder, and looks whether everything that was answered is
// there, and nothing that was never asked for.
func checkFolder(t *testing.T, dir string, j *journal) {
	t.Helper()
	mesh, err := localmesh.Open(dir)
	if err != nil {
		t.Fatalf("it does not open again: %v", err)
	}
	defer func() { must(t, mesh.Close()) }()
	cfg := mesh.Config(root)
	for key, asked := range j.asked {
		value, err := read(t.Context(), cfg, key)
		if err != nil {
			t.Errorf("%s, of which %d was answered: %v", key, j.answered[key], err)
			continue
		}
		if value < j.answered[key] || value > asked {
			t.Errorf("%s is %d; %d was answered, and %d asked for", key, value, j.answered[key], asked)
		}
	}
}

// read returns the value of a key, 0 if it is not there.
func read(ctx context.Context, cfg aws.Config, key string) (int, error) {
	kind, _, _ := strings.Cut(key, "-")
	switch kind {
	case "item":
		out, err := dynamodb.NewFromConfig(cfg).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(loadTable), ConsistentRead: aws.Bool(true),
			Key: map[string]ddbtypes.AttributeValue{"k": &ddbtypes.AttributeValueMemberS{Value: key}}})
		if err != nil || out.Item == nil {
			return 0, err
		}
		return strconv.Atoi(attribute(out.Item["v"]))
	case "object":
		out, err := identity.S3(cfg).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(loadBucket), Key: aws.String(key)})
		if err != nil && strings.Contains(err.Error(), "NoSuchKey") {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		body, err := io.ReadAll(out.Body)
		if err = errors.Join(err, out.Body.Close()); err != nil {
			return 0, err
		}
		return strconv.Atoi(string(body))
	case "table":
		out, err := glue.NewFromConfig(cfg).GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String(loadDatabase), Name: aws.String(key)})
		var missing *gluetypes.EntityNotFoundException
		if errors.As(err, &missing) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(out.Table.Parameters["v"])
	}
	return 0, fmt.Errorf("no kind %q", kind)
}
