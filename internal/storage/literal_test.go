package storage_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/localmesh"
)

// readable are the keys of the bucket that the reader may read, and those folders of
// them that it may list, as S3 answers it.
func readable(t *testing.T, mesh *localmesh.Mesh, bucket string, keys []string) (read, listed []string) {
	t.Helper()
	client := s3.NewFromConfig(mesh.Config(reader))
	allowed := func(err error) bool {
		if err != nil && !awserr.Denied(err) {
			t.Fatal(err)
		}
		return err == nil
	}
	for _, key := range keys {
		if _, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key}); allowed(err) {
			read = append(read, key)
		}
		folder := key[:strings.LastIndexByte(key, '/')+1]
		if _, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &folder}); allowed(err) {
			listed = append(listed, key)
		}
	}
	return read, listed
}

// mayCallS3 gives the reader what its own account has to say.
func mayCallS3(t *testing.T, mesh *localmesh.Mesh) {
	t.Helper()
	_, err := iam.NewFromConfig(mesh.Config("arn:aws:iam::555555555555:role/Admin")).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("Reader"), PolicyName: aws.String("s3"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
}

func TestALocationOpensWhatItSaysAndNothingElse(t *testing.T) {
	t.Parallel()
	keys := []string{"k", "/k", "//k", "raw/k", "/raw/k", "raw//k", "raw/x/k", "hr/k", "hr//k", "hr///k", "rw/k", "*/k", "**/k", "x/k", "?/k", "r?w/k", "raw*/k", "rawest/k",
		"${aws:username}/k", "Reader/k", "${*}/k", "${x}/k", "$/k", "$x/k", "a$b/k", "ä/k", "{}/k"}
	for location, want := range map[string][]string{
		"s3://lake-a/*/":                   {"*/k"},
		"s3://lake-a//raw/":                {"/raw/k"},
		"s3://lake-a/raw":                  {"raw/k", "raw//k", "raw/x/k"},
		"s3://lake-a/raw/":                 {"raw/k", "raw//k", "raw/x/k"},
		"s3://lake-a/raw*":                 {"raw*/k"},
		"s3://lake-a/hr//":                 {"hr//k", "hr///k"},
		"s3://lake-a//":                    {"/k", "//k", "/raw/k"},
		"s3://lake-a/?/":                   {"?/k"},
		"s3://lake-a/r?w/":                 {"r?w/k"},
		"s3://lake-a/${aws:username}/":     {"${aws:username}/k"},
		"s3://lake-a/${*}/":                {"${*}/k"},
		"s3://lake-a/$/":                   {"$/k"},
		"s3://lake-a/a$b/":                 {"a$b/k"},
		"s3://lake-a/{}/":                  {"{}/k"},
		"s3://lake-a/${aws:username,'*'}/": nil,
		"s3://lake-a":                      keys,
		"s3://lake-a/":                     keys,
	} {
		t.Run(location, func(t *testing.T) {
			t.Parallel()
			mesh, b := buckets(t, "lake-a")
			mayCallS3(t, mesh)
			for _, key := range keys {
				if _, err := b.Client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake-a"), Key: &key, Body: strings.NewReader("x")}); err != nil {
					t.Fatal(err)
				}
			}
			place, ok := storage.ParsePlace(location)
			if !ok {
				t.Fatal("it is no place")
			}
			// What others wrote in the older version of the language must not make it mean something else.
			for _, policy := range []string{"", `{"Version":"2008-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::lake-a/t/*"}]}`,
				`{"Statement":[{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::lake-a/t/*"}]}`} {
				if policy != "" {
					if _, err := b.Client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("lake-a"), Policy: &policy}); err != nil {
						t.Fatal(err)
					}
				}
				if err := change(t, b, []storage.Place{place}, nil); err != nil {
					t.Fatal(err)
				}
				if read, listed := readable(t, mesh, "lake-a", keys); !slices.Equal(read, want) || !slices.Equal(listed, want) {
					t.Errorf("read are %q\nlisted are %q\nwant %q\nby %s", read, listed, want, policyOf(t, b, "lake-a"))
				}
				if err := change(t, b, nil, []storage.Place{place}); err != nil {
					t.Fatal(err)
				}
				if read, listed := readable(t, mesh, "lake-a", keys); len(read)+len(listed) > 0 {
					t.Errorf("closed, and read are %q and listed %q by %s", read, listed, policyOf(t, b, "lake-a"))
				}
			}
		})
	}
}

func TestAnOlderPolicyWithSomethingLikeAVariableIsNotGivenAnotherMeaning(t *testing.T) {
	t.Parallel()
	for _, version := range []string{`"Version":"2008-10-17",`, ""} {
		policy := `{` + version + `"Statement":[{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::flights/\u0024{aws:username}/*"}]}`
		_, err := storage.Merge(policy, bucket, role, []string{"*/"}, nil)
		if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "Theirs") || !strings.Contains(err.Error(), "2012-10-17") {
			t.Errorf("opening */ in %s: %v", policy, err)
		}
		opened, err := storage.Merge(policy, bucket, role, []string{"raw/"}, nil)
		if err != nil || strings.Contains(opened, "2012-10-17") || !strings.Contains(opened, `\u0024{aws:username}`) {
			t.Errorf("opening raw/: %s, %v", opened, err)
		}
		if closed, err := storage.Merge(opened, bucket, role, nil, []string{"raw/", "*/"}); err != nil || strings.Contains(closed, "raw") {
			t.Errorf("closing: %s, %v", closed, err)
		}
	}
}

func TestNamesOfStatementsDoNotActOnATerminal(t *testing.T) {
	t.Parallel()
	for _, member := range []string{`"Sid":"a\u001b[2J\rb"`, "\"Sid\":\"a\u009b2J\u202eb\"", "\"Effect\":\"\u009b2J\u202eb\""} {
		policy := `{"Statement":[{` + member + `,"Resource":"${x}"}]}`
		_, err := storage.Merge(policy, bucket, role, []string{"*/"}, nil)
		if !errors.Is(err, lakemesh.ErrInvalidInput) || strings.ContainsAny(err.Error(), "\x1b\r\u009b\u202e") {
			t.Errorf("%q: %q", policy, err)
		}
	}
}

func TestNothingIsOpenedToWhatIsNotARole(t *testing.T) {
	t.Parallel()
	mesh, b := buckets(t, "one")
	for _, nobody := range []string{"", "*", "555555555555", "arn:aws:iam::555555555555:root", "arn:aws:iam::555555555555:user/u", "arn:aws:iam::*:role/r", "arn:aws:iam::555555555555:role/", "arn:aws:iam::555555555555:role/a b"} {
		places := []storage.Place{{Bucket: "one", Prefix: "x/"}}
		if changes, err := b.Prepare(t.Context(), storage.Access{Role: nobody, Open: places}); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("opened to %q: %v, %v", nobody, changes, err)
		}
		// What cannot be open must not hold off what is closed.
		if changes, err := b.Prepare(t.Context(), storage.Access{Role: nobody, Close: places}); err != nil || len(changes) > 0 {
			t.Errorf("closed to %q: %v, %v", nobody, changes, err)
		}
	}
	if n := count(mesh, "PutBucketPolicy"); n != 0 {
		t.Errorf("%d writes", n)
	}
}
