package ready

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// Holds asserts all that a principal holds in the Lake Formation of an account, no more and no
// less, in any order: what on which resource, and what of it may be granted on.
//
//	m.Holds(ready.MeshAccount, ready.ConsumerAccount,
//		"database aviation-111111111111: DESCRIBE, may grant DESCRIBE",
//		"table aviation-111111111111.airports: DESCRIBE, SELECT, may grant DESCRIBE, SELECT")
//
// Without lines it asserts that the principal holds nothing. What is granted to groups of
// principals (everybody, a unit of an organization) is not the principal's own.
func (m *Mesh) Holds(account, principal string, want ...string) {
	m.t.Helper()
	want = slices.Sorted(slices.Values(want))
	var got []string
	var err error
	if m.Soon(func() bool {
		got, err = m.holdings(account, principal)
		return err == nil && slices.Equal(got, want)
	}) {
		return
	}
	if err != nil {
		m.t.Errorf("what %s holds in account %s cannot be told: %v", principal, account, err)
		return
	}
	m.t.Errorf("%s holds in account %s:\n%s\nwant:\n%s", principal, account, lines(got), lines(want))
}

func lines(all []string) string {
	if len(all) == 0 {
		return "  nothing"
	}
	return "  " + strings.Join(all, "\n  ")
}

func (m *Mesh) holdings(account, principal string) ([]string, error) {
	lake, err := m.lake(account)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, kind := range []types.DataLakeResourceType{types.DataLakeResourceTypeCatalog, types.DataLakeResourceTypeDatabase, types.DataLakeResourceTypeTable,
		types.DataLakeResourceTypeDataLocation, types.DataLakeResourceTypeLfTag, types.DataLakeResourceTypeLfTagPolicy} {
		found, err := lake.ObserveKind(m.ctx(), kind)
		if err != nil {
			return nil, err
		}
		for _, e := range found.Entries() {
			if e.Principal != principal {
				continue
			}
			line := e.Resource.String() + ": " + e.Permissions.String()
			if len(e.Grantable) > 0 {
				line += ", may grant " + e.Grantable.String()
			}
			all = append(all, line)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// lake is the Lake Formation of an account as an administrator of the data lake is shown it:
// others are shown little and no error, and "nothing" would hold for everybody.
func (m *Mesh) lake(account string) (*permissions.Lake, error) {
	administrator, err := m.lakeAdministrator(account)
	if err != nil {
		return nil, err
	}
	return &permissions.Lake{Client: lakeformation.NewFromConfig(m.Config(administrator)), Account: account}, nil
}

// lakeAdministrator is an administrator of an account's data lake.
func (m *Mesh) lakeAdministrator(account string) (string, error) {
	out, err := lakeformation.NewFromConfig(m.Config(m.RoleARN(account, "Admin"))).GetDataLakeSettings(m.ctx(), &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return "", err
	}
	if len(out.DataLakeSettings.DataLakeAdmins) == 0 {
		return "", fmt.Errorf("account %s has no data lake administrator, and nobody else is shown what others hold: name one in the data lake's settings", account)
	}
	return aws.ToString(out.DataLakeSettings.DataLakeAdmins[0].DataLakePrincipalIdentifier), nil
}

// Open asserts which prefixes of a producer's bucket its policy opens to the mesh, no more and
// no less: what Lake Formation can hand out there. Without prefixes it asserts that nothing is
// open.
func (m *Mesh) Open(producer, bucket string, prefixes ...string) {
	m.t.Helper()
	want := slices.Sorted(slices.Values(prefixes))
	var got []string
	var err error
	if m.Soon(func() bool {
		got, err = m.open(producer, bucket)
		return err == nil && slices.Equal(got, want)
	}) {
		return
	}
	if err != nil {
		m.t.Errorf("what bucket %s opens cannot be told: %v", bucket, err)
		return
	}
	m.t.Errorf("bucket %s opens to the mesh:\n%s\nwant:\n%s", bucket, lines(got), lines(want))
}

func (m *Mesh) open(producer, bucket string) ([]string, error) {
	out, err := m.S3(producer).GetBucketPolicy(m.ctx(), &s3.GetBucketPolicyInput{Bucket: &bucket})
	if awserr.Is(err, "NoSuchBucketPolicy") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if aws.ToString(out.Policy) == "" {
		return nil, errors.New("its policy is empty")
	}
	prefixes, err := storage.Prefixes(aws.ToString(out.Policy), bucket, m.Partition().RoleARN(MeshAccount, lakemesh.DataAccessRole(producer)))
	slices.Sort(prefixes)
	return prefixes, err
}
