package localmesh_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh/localmesh"
)

func TestACloneGoesItsOwnWay(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) *localmesh.Mesh{
		"memory": func(t *testing.T) *localmesh.Mesh { return localmesh.Run(t, localmesh.WithSeed(1)) },
		"folder": func(t *testing.T) *localmesh.Mesh {
			mesh, err := localmesh.Open(t.TempDir(), localmesh.WithSeed(1))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := mesh.Close(); err != nil {
					t.Error(err)
				}
			})
			return mesh
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			original := open(t)
			makeUser(t, original, "before")
			clone, err := original.Clone()
			if err != nil {
				t.Fatal(err)
			}
			makeUser(t, original, "original")
			makeUser(t, clone, "clone")
			for mesh, want := range map[*localmesh.Mesh][]string{original: {"before", "original"}, clone: {"before", "clone"}} {
				out, err := iam.NewFromConfig(mesh.Config(clonedRoot)).ListUsers(context.Background(), &iam.ListUsersInput{})
				if err != nil {
					t.Fatal(err)
				}
				ids := map[string]bool{}
				for i, u := range out.Users {
					ids[aws.ToString(u.UserId)] = true
					if i >= len(want) || aws.ToString(u.UserName) != want[i] {
						t.Errorf("user %d is %s, want %v", i, aws.ToString(u.UserName), want)
					}
				}
				if len(ids) != len(want) {
					t.Errorf("users share ids: %v", ids)
				}
			}
		})
	}
}

func TestACloneOfAClosedMeshIsAnError(t *testing.T) {
	t.Parallel()
	mesh := localmesh.New()
	if err := mesh.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := mesh.Clone(); err == nil {
		t.Error("a closed mesh was cloned")
	}
}

const clonedRoot = "arn:aws:iam::111111111111:root"

func makeUser(t *testing.T, mesh *localmesh.Mesh, name string) {
	t.Helper()
	if _, err := iam.NewFromConfig(mesh.Config(clonedRoot)).CreateUser(context.Background(), &iam.CreateUserInput{UserName: aws.String(name)}); err != nil {
		t.Fatal(err)
	}
}
