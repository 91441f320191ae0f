package admin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// StatusOutput is what there is in an account.
type StatusOutput struct {
	// AccountID is the account looked at, MeshAccountID the mesh account.
	AccountID     string `json:"AccountId"`
	MeshAccountID string `json:"MeshAccountId"`
	Region        string `json:"Region"`
	// Mesh is set for the mesh account.
	Mesh *MeshStatus `json:"Mesh,omitempty"`
	// Producer and Consumer are the account's own roles; they are set for an account
	// that is not the mesh account.
	Producer *RoleStatus `json:"Producer,omitempty"`
	Consumer *RoleStatus `json:"Consumer,omitempty"`
	// Administrators are the data lake administrators of the account.
	Administrators []string `json:"Administrators"`
	// Problems say what is not as it should be; there are none in an account that is
	// set up well.
	Problems []string `json:"Problems"`
}

// RoleStatus is one of the mesh's roles.
type RoleStatus struct {
	RoleARN string `json:"RoleArn"`
	Exists  bool   `json:"Exists"`
	// Administrator tells that it is a data lake administrator.
	Administrator bool `json:"Administrator"`
}

// MeshStatus is what the mesh account consists of.
type MeshStatus struct {
	Manager  RoleStatus `json:"Manager"`
	ReadOnly RoleStatus `json:"ReadOnly"`
	// SubscriptionTracker is nil if there is no subscription table.
	SubscriptionTracker *SubscriptionTracker `json:"SubscriptionTracker,omitempty"`
	// CrossAccountVersion is how Lake Formation shares with other accounts; empty if
	// the settings do not say.
	CrossAccountVersion string `json:"CrossAccountVersion"`
	// DefaultPermissionsCleared tells that new databases and tables are not open to
	// everybody whom IAM lets through.
	DefaultPermissionsCleared bool `json:"DefaultPermissionsCleared"`
	// AllowFullTableExternalDataAccess and LegacySubscriptionIDs are as in
	// [InitializeMeshInput].
	AllowFullTableExternalDataAccess bool `json:"AllowFullTableExternalDataAccess"`
	LegacySubscriptionIDs            bool `json:"LegacySubscriptionIds"`
	// Producers and Consumers are the accounts that are enabled.
	Producers []string `json:"Producers"`
	Consumers []string `json:"Consumers"`
}

// Status says what there is in the account and what is wrong with it. It changes
// nothing.
func (a *Admin) Status(ctx context.Context) (*StatusOutput, error) {
	out := &StatusOutput{AccountID: a.account, MeshAccountID: a.mesh, Region: a.region, Administrators: []string{}, Problems: []string{}}
	if a.account == a.mesh {
		return out, a.meshStatus(ctx, out)
	}
	return out, a.accountStatus(ctx, out)
}

func (a *Admin) meshStatus(ctx context.Context, out *StatusOutput) error {
	p, found, err := a.planMesh(ctx, InitializeMeshInput{})
	if err != nil {
		return err
	}
	for _, s := range p.Steps {
		out.Problems = append(out.Problems, "the mesh account must be initialized again, to "+s.Summary)
	}
	out.Problems = append(out.Problems, p.Warnings...)
	for _, admin := range found.settings.DataLakeAdmins {
		out.Administrators = append(out.Administrators, aws.ToString(admin.DataLakePrincipalIdentifier))
	}
	status := func(i int, name string) RoleStatus {
		arn := lakemesh.RoleARN(a.mesh, name)
		return RoleStatus{RoleARN: arn, Exists: found.roles[i].exists, Administrator: slices.Contains(out.Administrators, arn)}
	}
	s := found.settings
	out.Mesh = &MeshStatus{
		Manager: status(0, lakemesh.ManagerRole), ReadOnly: status(1, lakemesh.ReadOnlyRole),
		CrossAccountVersion:              s.Parameters[versionParameter],
		DefaultPermissionsCleared:        len(s.CreateDatabaseDefaultPermissions)+len(s.CreateTableDefaultPermissions) == 0,
		AllowFullTableExternalDataAccess: aws.ToBool(s.AllowFullTableExternalDataAccess),
		LegacySubscriptionIDs:            found.roles[0].tags[legacyTag] != "",
		Producers:                        []string{}, Consumers: []string{},
	}
	if found.table.exists {
		out.Mesh.SubscriptionTracker = &SubscriptionTracker{Table: found.table.arn, Stream: found.table.stream}
	}
	return a.enabledAccounts(ctx, out)
}

// enabledAccounts finds the accounts that have a role in the mesh account, and
// roles that trust somebody else than they should.
func (a *Admin) enabledAccounts(ctx context.Context, out *StatusOutput) error {
	producers, consumers := lakemesh.MeshProducerRole(""), lakemesh.MeshConsumerRole("")
	pages := iam.NewListRolesPaginator(a.iam, &iam.ListRolesInput{PathPrefix: aws.String(lakemesh.IAMPath)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return identity.Explain("ListRoles", a.account, "roles of the mesh", err)
		}
		for _, r := range page.Roles {
			name := aws.ToString(r.RoleName)
			account, trusted, kind := "", "", Producer
			if id, ok := strings.CutPrefix(name, producers); ok {
				account, trusted = id, lakemesh.ProducerRole
				out.Mesh.Producers = append(out.Mesh.Producers, id)
			} else if id, ok := strings.CutPrefix(name, consumers); ok {
				account, trusted, kind = id, lakemesh.ConsumerRole, Consumer
				out.Mesh.Consumers = append(out.Mesh.Consumers, id)
			}
			if account == "" {
				continue
			}
			text, err := decodePolicy(r.AssumeRolePolicyDocument)
			if err != nil {
				return identity.Explain("ListRoles", a.account, "role "+name, err)
			}
			if !samePolicy(text, trustRole(lakemesh.RoleARN(account, trusted))) {
				out.Problems = append(out.Problems, fmt.Sprintf(
					"role %s trusts others than %s of account %s, or an older one of that name: account %s must be enabled again as a %s", name, trusted, account, account, kind))
			}
		}
	}
	slices.SortFunc(out.Mesh.Producers, cmp.Compare[string])
	slices.SortFunc(out.Mesh.Consumers, cmp.Compare[string])
	return nil
}

func (a *Admin) accountStatus(ctx context.Context, out *StatusOutput) error {
	names := []string{lakemesh.ProducerRole, lakemesh.ConsumerRole}
	found := make([]*foundRole, len(names))
	g, gctx := errgroup.WithContext(ctx)
	for i, name := range names {
		g.Go(func() (err error) { found[i], err = a.observeRole(gctx, name); return err })
	}
	g.Go(func() error {
		settings, err := a.observeSettings(gctx)
		for _, admin := range settings.DataLakeAdmins {
			out.Administrators = append(out.Administrators, aws.ToString(admin.DataLakePrincipalIdentifier))
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	statuses := make([]*RoleStatus, len(names))
	for i, name := range names {
		s := &RoleStatus{RoleARN: lakemesh.RoleARN(a.account, name), Exists: found[i].exists}
		s.Administrator = slices.Contains(out.Administrators, s.RoleARN)
		if s.Exists && (!s.Administrator || found[i].policy == "" || !samePolicy(found[i].trust, trustAccount(a.account))) {
			out.Problems = append(out.Problems, fmt.Sprintf("role %s is not set up completely: the account must be initialized again", name))
		}
		statuses[i] = s
	}
	out.Producer, out.Consumer = statuses[0], statuses[1]
	if !out.Producer.Exists && !out.Consumer.Exists {
		out.Problems = append(out.Problems, "the account is neither a producer nor a consumer")
	}
	return nil
}
