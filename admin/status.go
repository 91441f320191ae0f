package admin

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
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
	// Hops are the roles that an account's people go through; each was tried.
	Hops []HopStatus `json:"Hops,omitempty"`
	// Problems say what is not as it should be; there are none in an account that is
	// set up well.
	Problems []string `json:"Problems"`
	// Warnings say what is as somebody chose, and wider than it could be.
	Warnings []string `json:"Warnings"`
}

// HopStatus is a role that was tried to be opened.
type HopStatus struct {
	// RoleARN is the role, From who opened it.
	RoleARN string `json:"RoleArn"`
	From    string `json:"From"`
	// Problem is why it did not open; empty if it did.
	Problem string `json:"Problem,omitempty"`
}

// RoleStatus is one of the mesh's roles.
type RoleStatus struct {
	RoleARN string `json:"RoleArn"`
	Exists  bool   `json:"Exists"`
	// Administrator tells that it is a data lake administrator.
	Administrator bool `json:"Administrator"`
	// Buckets are those whose policies a producer's role may write, by name; * stands for
	// every bucket of its account.
	Buckets []string `json:"Buckets,omitempty"`
	// LinkRegions are the regions besides the mesh's in which a consumer's role links.
	LinkRegions []string `json:"LinkRegions,omitempty"`
}

// MeshStatus is what the mesh account consists of.
type MeshStatus struct {
	Manager  RoleStatus `json:"Manager"`
	ReadOnly RoleStatus `json:"ReadOnly"`
	// SubscriptionTracker is nil if there is no subscription table.
	SubscriptionTracker *SubscriptionTracker `json:"SubscriptionTracker,omitempty"`
	// Tables are the tables of subscriptions and of decisions, as far as they exist.
	Tables []TableStatus `json:"Tables"`
	// CrossAccountVersion is how Lake Formation shares with other accounts; empty if
	// the settings do not say.
	CrossAccountVersion string `json:"CrossAccountVersion"`
	// DefaultPermissionsCleared tells that new databases and tables are not open to
	// everybody whom IAM lets through.
	DefaultPermissionsCleared bool `json:"DefaultPermissionsCleared"`
	// AllowFullTableExternalDataAccess and SharingCalls are as in
	// [InitializeMeshInput].
	AllowFullTableExternalDataAccess bool         `json:"AllowFullTableExternalDataAccess"`
	SharingCalls                     SharingCalls `json:"SharingCalls"`
	// EndSchedules is whether schedules end what is granted until a day.
	EndSchedules EndSchedules `json:"EndSchedules"`
	// Producers and Consumers are the accounts that are enabled.
	Producers []string `json:"Producers"`
	Consumers []string `json:"Consumers"`
	// Outdated are the roles of accounts that are not as this version makes them.
	Outdated []string `json:"Outdated"`
}

// TableStatus is one of the mesh's tables.
type TableStatus struct {
	// Table is the table's ARN.
	Table string `json:"Table"`
	// Active says that it can be used, and that it is known whether it can be restored.
	Active bool `json:"Active"`
	// DeletionProtection says that nobody deletes it by mistake, PointInTimeRecovery
	// that it can be restored as it was at any second of the last weeks.
	DeletionProtection  bool `json:"DeletionProtection"`
	PointInTimeRecovery bool `json:"PointInTimeRecovery"`
	// OnDemand says that it has no limit of reads and writes of its own.
	OnDemand bool `json:"OnDemand"`
	// EncryptionKey is the KMS key that it is encrypted with; empty for DynamoDB's own.
	EncryptionKey string `json:"EncryptionKey,omitempty"`
}

// Status says what there is in the account and what is wrong with it. It changes
// nothing.
func (a *Admin) Status(ctx context.Context) (*StatusOutput, error) {
	out := &StatusOutput{AccountID: a.account, MeshAccountID: a.mesh, Region: a.region, Administrators: []string{}, Problems: []string{}, Warnings: []string{}}
	if a.account == a.mesh {
		return out, a.meshStatus(ctx, out)
	}
	return out, a.accountStatus(ctx, out)
}

// seenProblems are the steps that set-up would take for what was seen. Whoever may not open the
// manager's role sees no LF-tag, and nobody's permissions: they are no problem for that, unless the
// role itself is.
func (a *Admin) seenProblems(p *plan.Plan, found *meshAccount, out *StatusOutput) []*plan.Step {
	behind := func(s *plan.Step) bool { return s.Kind == plan.CreateTag || s.Kind == plan.Grant }
	manager := a.partition.RoleARN(a.mesh, lakemesh.ManagerRole)
	if found.hidden == nil || slices.ContainsFunc(p.Steps, func(s *plan.Step) bool { return !behind(s) }) {
		return p.Steps
	}
	out.Warnings = append(out.Warnings, "the mesh's LF-tags, and what "+lakemesh.ReadOnlyRole+" holds on them, were not looked at: "+a.caller.ARN+" cannot open "+manager+", which sees them")
	return nil
}

func (a *Admin) meshStatus(ctx context.Context, out *StatusOutput) error {
	p, found, err := a.planMesh(ctx, InitializeMeshInput{})
	if err != nil {
		return err
	}
	again := ""
	if found.roles[0].exists || found.roles[1].exists {
		again = "again, "
	}
	for _, s := range a.seenProblems(p, found, out) {
		out.Problems = append(out.Problems, "the mesh account must be initialized "+again+"to "+s.Summary)
	}
	out.Problems = append(out.Problems, p.Warnings...)
	for _, admin := range found.settings.DataLakeAdmins {
		out.Administrators = append(out.Administrators, aws.ToString(admin.DataLakePrincipalIdentifier))
	}
	status := func(i int, name string) RoleStatus {
		arn := a.partition.RoleARN(a.mesh, name)
		return RoleStatus{RoleARN: arn, Exists: found.roles[i].exists, Administrator: slices.Contains(out.Administrators, arn)}
	}
	s := found.settings
	out.Mesh = &MeshStatus{
		Manager: status(0, lakemesh.ManagerRole), ReadOnly: status(1, lakemesh.ReadOnlyRole),
		CrossAccountVersion:              s.Parameters[versionParameter],
		DefaultPermissionsCleared:        len(s.CreateDatabaseDefaultPermissions)+len(s.CreateTableDefaultPermissions) == 0,
		AllowFullTableExternalDataAccess: aws.ToBool(s.AllowFullTableExternalDataAccess),
		SharingCalls:                     found.members.sharing,
		EndSchedules:                     found.members.ending,
		Producers:                        []string{}, Consumers: []string{}, Outdated: []string{}, Tables: []TableStatus{},
	}
	for _, t := range found.tables {
		if t.exists {
			out.Mesh.Tables = append(out.Mesh.Tables, TableStatus{Table: t.arn, Active: t.active, DeletionProtection: t.isProtected, PointInTimeRecovery: t.isRecoverable,
				OnDemand: t.throughput == nil, EncryptionKey: t.encryptionKey})
		}
	}
	if t := found.tables[0]; t.exists {
		out.Mesh.SubscriptionTracker = &SubscriptionTracker{Table: t.arn, Stream: t.stream}
	}
	return a.enabledAccounts(ctx, found.members, out)
}
