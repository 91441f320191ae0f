package admin

import (
	"context"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// AccountType is what an account is in the mesh.
type AccountType string

// The types of accounts.
const (
	Producer AccountType = "producer"
	Consumer AccountType = "consumer"
	Both     AccountType = "both"
)

// ParseAccountType reads the name of a type in any case.
func ParseAccountType(name string) (AccountType, error) {
	switch t := AccountType(strings.ToLower(name)); t {
	case Producer, Consumer, Both:
		return t, nil
	}
	return "", lakemesh.Invalid("Type", "%q is not a type of account: producer, consumer or both", name)
}

// BootstrapInput says what an account is made.
type BootstrapInput struct {
	// Type is what the account is to be.
	Type AccountType
	// Mesh opens an administrator of the mesh account, Account one of the account.
	// Account.MeshAccountID may be empty.
	Mesh, Account lakemesh.Options
	// CrawlerRoleARN and Buckets are as in [InitializeProducerInput].
	CrawlerRoleARN string
	Buckets        []string
	// KMSKeys and AddKMSKeys are as in [EnableProducerInput], KeyPolicies as in
	// [InitializeProducerInput].
	KMSKeys, AddKMSKeys, KeyPolicies []string
	// Add is as in [InitializeProducerInput].
	Add bool
	// LinkRegions are as in [InitializeConsumerInput].
	LinkRegions []string
	// AccountID is the account that Account is to open: another one is refused. Empty takes
	// whichever it opens.
	AccountID string
	// MeshAlone makes the mesh account's half alone, of AccountID: the account's own is made
	// by a template, or by its people. Account is not opened then.
	MeshAlone bool
	// AccountRoles and MeshRoles are what the roles of each account get besides.
	AccountRoles, MeshRoles RoleOptions
}

// BootstrapOutput is what was made.
type BootstrapOutput struct {
	// Producer and Consumer are the roles of each half; nil for a half that was not
	// asked for.
	Producer *BootstrappedRoles `json:"Producer,omitempty"`
	Consumer *BootstrappedRoles `json:"Consumer,omitempty"`
}

// BootstrappedRoles are the roles of one half.
type BootstrappedRoles struct {
	// Account is the role in the account itself, Mesh the one in the mesh account.
	Account RoleOutput `json:"Account"`
	Mesh    RoleOutput `json:"Mesh"`
}

// BootstrapAccount makes an account a producer, a consumer or both: it initializes
// the account and enables it in the mesh account.
func BootstrapAccount(ctx context.Context, in BootstrapInput) (*BootstrapOutput, error) {
	e, err := PrepareAccount(ctx, in)
	if err != nil {
		return nil, err
	}
	return e.Do(ctx)
}

// PlanBootstrapAccount says what [BootstrapAccount] would do.
func PlanBootstrapAccount(ctx context.Context, in BootstrapInput) (*plan.Plan, error) {
	e, err := PrepareAccount(ctx, in)
	if err != nil {
		return nil, err
	}
	return e.Plan(), nil
}

// Enrolment is what [BootstrapAccount] does, between looking and doing: who makes many
// accounts looks at all of them before the first is changed.
type Enrolment struct {
	*bootstrap
	todo *plan.Plan
}

// PrepareAccount looks at an account, and plans what [BootstrapAccount] does with it.
func PrepareAccount(ctx context.Context, in BootstrapInput) (*Enrolment, error) {
	b, err := openBootstrap(ctx, in)
	if err != nil {
		return nil, err
	}
	todo, err := b.plan(ctx)
	if err != nil {
		return nil, err
	}
	return &Enrolment{b, todo}, nil
}

// Plan is what is going to be done.
func (e *Enrolment) Plan() *plan.Plan { return e.todo }

// Do does exactly that. A role that somebody else has changed since it was looked at is not
// written over, with [lakemesh.ErrChanged]; data lake settings are read again.
func (e *Enrolment) Do(ctx context.Context) (*BootstrapOutput, error) {
	doing := e.account
	if doing == nil {
		doing = e.mesh
	}
	if err := doing.apply(ctx, e.todo); err != nil {
		return nil, err
	}
	out := &BootstrapOutput{}
	for _, h := range e.halves {
		roles := &BootstrappedRoles{Account: RoleOutput{e.mesh.partition.RoleARN(e.id, h.ownRole)}, Mesh: RoleOutput{e.mesh.partition.RoleARN(e.mesh.account, h.meshRole)}}
		if h.kind == Producer {
			out.Producer = roles
		} else {
			out.Consumer = roles
		}
		if e.account != nil && e.todo.Count(plan.CreateRole)+e.todo.Count(plan.UpdateRole) > 0 {
			e.account.awaitRoles(ctx, roles.Account.RoleARN, roles.Mesh.RoleARN)
		}
	}
	return out, nil
}

// bootstrap is the making of an account.
type bootstrap struct {
	in   BootstrapInput
	id   string
	mesh *Admin
	// account is nil where the mesh's half alone is made.
	account *Admin
	halves  []half
}

// half is the one or the other that an account can be.
type half struct {
	kind              AccountType
	ownRole, meshRole string
	initialize        func(context.Context) (*plan.Plan, error)
	// enable plans the mesh account's half; fresh says that the account's own role is
	// only made by the same plan.
	enable func(ctx context.Context, fresh bool) (*plan.Plan, error)
}

// openBootstrap opens both administrators, and refuses credentials of the wrong
// account.
func openBootstrap(ctx context.Context, in BootstrapInput) (*bootstrap, error) {
	const op = "BootstrapAccount"
	kind, err := ParseAccountType(string(in.Type))
	if err != nil {
		return nil, err
	}
	if in.Account.MeshAccountID == "" {
		in.Account.MeshAccountID = in.Mesh.MeshAccountID
	}
	if in.Account.MeshAccountID != in.Mesh.MeshAccountID {
		return nil, lakemesh.Invalid("Account", "its mesh account is %s, that of Mesh is %s", in.Account.MeshAccountID, in.Mesh.MeshAccountID)
	}
	b := &bootstrap{in: in}
	if b.mesh, err = New(ctx, in.Mesh); err != nil {
		return nil, err
	}
	if err := b.mesh.inMesh(op); err != nil {
		return nil, err
	}
	if err := b.open(ctx, op, kind); err != nil {
		return nil, err
	}
	id := b.id
	if kind != Consumer {
		b.halves = append(b.halves, half{Producer, lakemesh.ProducerRole, lakemesh.MeshProducerRole(id),
			func(ctx context.Context) (*plan.Plan, error) {
				return b.account.PlanInitializeProducerAccount(ctx, InitializeProducerInput{CrawlerRoleARN: in.CrawlerRoleARN, Buckets: in.Buckets, KeyPolicies: in.KeyPolicies, Add: in.Add, Roles: in.AccountRoles})
			},
			func(ctx context.Context, fresh bool) (*plan.Plan, error) {
				return b.mesh.planEnableProducer(ctx, EnableProducerInput{AccountID: id, CrawlerRoleARN: in.CrawlerRoleARN, KMSKeys: in.KMSKeys, AddKMSKeys: in.AddKMSKeys, Roles: in.MeshRoles}, fresh)
			}})
	} else if in.CrawlerRoleARN != "" || len(in.Buckets) > 0 || in.KMSKeys != nil || len(in.AddKMSKeys) > 0 || in.KeyPolicies != nil {
		return nil, lakemesh.Invalid("Type", "a consumer has neither a crawler role nor buckets nor keys")
	}
	if kind != Producer {
		b.halves = append(b.halves, half{Consumer, lakemesh.ConsumerRole, lakemesh.MeshConsumerRole(id),
			func(ctx context.Context) (*plan.Plan, error) {
				return b.account.PlanInitializeConsumerAccount(ctx, InitializeConsumerInput{Roles: in.AccountRoles, LinkRegions: in.LinkRegions})
			},
			func(ctx context.Context, fresh bool) (*plan.Plan, error) {
				return b.mesh.planEnableConsumer(ctx, EnableConsumerInput{AccountID: id, Roles: in.MeshRoles}, fresh)
			}})
	} else if len(in.LinkRegions) > 0 {
		return nil, lakemesh.Invalid("Type", "a producer has no link regions: it links in the mesh's region alone")
	}
	return b, nil
}

// open opens the account's own administrator, and refuses one of another account than was
// said: what opens it may have been mixed up.
func (b *bootstrap) open(ctx context.Context, op string, kind AccountType) (err error) {
	b.id = b.in.AccountID
	if b.in.MeshAlone {
		if b.in.Buckets != nil || b.in.KeyPolicies != nil || b.in.LinkRegions != nil {
			return lakemesh.Invalid("MeshAlone", "buckets, keys whose policies are kept and link regions are of the account's own half")
		}
		return lakemesh.CheckAccountID("AccountID", b.id)
	}
	if b.account, err = New(ctx, b.in.Account); err != nil {
		return err
	}
	if b.id != "" && b.account.account != b.id {
		return &lakemesh.Error{Op: op, Account: b.account.account, Resource: "account " + b.id, Kind: lakemesh.ErrWrongAccount,
			Message: "what opens its administrator opens one of account " + b.account.account}
	}
	b.id = b.account.account
	return b.account.outsideMesh(op, string(kind))
}

// plan puts the plans of all halves together: a role in the mesh account comes
// after the role that it trusts.
func (b *bootstrap) plan(ctx context.Context) (*plan.Plan, error) {
	whole := &plan.Plan{Operation: "BootstrapAccount"}
	var before []*plan.Step
	for _, h := range b.halves {
		own := &plan.Plan{}
		if b.account != nil {
			var err error
			if own, err = h.initialize(ctx); err != nil {
				return nil, err
			}
		}
		there, err := h.enable(ctx, own.Count(plan.CreateRole) > 0)
		if err != nil {
			return nil, err
		}
		// Both halves change the account's data lake settings: one after the other.
		whole.Append(own, before...)
		before = append(before, own.Steps...)
		whole.Append(there, own.Steps...)
	}
	return whole, nil
}
