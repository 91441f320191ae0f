package admin

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/lakemesh/lakemesh"
)

// FramePart is a part of what set-up makes that templates can hold as well: what stays as
// it is while data products come and go.
type FramePart string

const (
	// FrameMesh is what the mesh account has once.
	FrameMesh FramePart = "mesh"
	// FrameMember is what an account has in itself.
	FrameMember FramePart = "member"
	// FrameMeshMember is what the mesh account has for one account. Its roles trust those of
	// FrameMember by name, and IAM refuses a trust policy that names a role which is not there.
	FrameMeshMember FramePart = "mesh-member"
)

// FrameParts are the parts in the order in which they are made.
func FrameParts() []FramePart { return []FramePart{FrameMesh, FrameMember, FrameMeshMember} }

// FrameInput says of which accounts a frame is, and with which choices: the zero value of
// each is what set-up chooses where nobody says otherwise.
type FrameInput struct {
	// MeshAccountID is the mesh account. AccountID and Type are the member; FrameMesh has none.
	MeshAccountID, AccountID string
	Type                     AccountType
	// CrawlerRoleARN, Buckets and KeyPolicies are as in [InitializeProducerInput], where none
	// was named before.
	CrawlerRoleARN string
	Buckets        []string
	KeyPolicies    []string
	// LinkRegions are as in [InitializeConsumerInput].
	LinkRegions []string
	// KMSKeys are as in [EnableProducerInput].
	KMSKeys []string
	// SharingCalls and EndSchedules are the mesh's, as in [InitializeMeshInput].
	SharingCalls SharingCalls
	EndSchedules EndSchedules
	// Region is the mesh's, which the policy of a queue names; empty means
	// [lakemesh.DefaultRegion].
	Region string
}

// Frame is a part of what set-up makes.
type Frame struct {
	Roles  []FrameRole  `json:"Roles"`
	Tables []FrameTable `json:"Tables,omitempty"`
	// ScheduleGroup is the name of the group of schedules that end grants, if there is one.
	ScheduleGroup string       `json:"ScheduleGroup,omitempty"`
	Queues        []FrameQueue `json:"Queues,omitempty"`

	roles []framedRole
}

// framedRole is a role and the account that it is in.
type framedRole struct {
	account string
	role    role
}

// FrameRole is a role. Set-up recognizes it by all of this: another name of the policy
// would be one that it leaves alone, beside its own.
type FrameRole struct {
	Account     string            `json:"Account"`
	RoleName    string            `json:"RoleName"`
	Path        string            `json:"Path"`
	Description string            `json:"Description"`
	Trust       json.RawMessage   `json:"AssumeRolePolicyDocument"`
	PolicyName  string            `json:"PolicyName"`
	Policy      json.RawMessage   `json:"PolicyDocument"`
	Tags        map[string]string `json:"Tags"`
}

// FrameTable is a table of DynamoDB, on demand, whose keys are strings. It is protected
// against deletion, and can be restored to any second.
type FrameTable struct {
	TableName string            `json:"TableName"`
	HashKey   string            `json:"HashKey"`
	Indexes   []FrameIndex      `json:"Indexes,omitempty"`
	Stream    string            `json:"StreamViewType,omitempty"`
	Tags      map[string]string `json:"Tags"`
}

// FrameIndex is a global index of whole items.
type FrameIndex struct {
	IndexName string `json:"IndexName"`
	HashKey   string `json:"HashKey"`
	RangeKey  string `json:"RangeKey,omitempty"`
}

// FrameQueue is a queue of what schedules could not end.
type FrameQueue struct {
	QueueName  string            `json:"QueueName"`
	Attributes map[string]string `json:"Attributes"`
}

// FrameOf is a part of what set-up makes, for those who make it with templates of their
// own. Set-up finds it then, and makes the rest: settings of data lakes, LF-tags, grants
// and the list of members.
func FrameOf(part FramePart, in FrameInput) (*Frame, error) {
	if err := in.check(part); err != nil {
		return nil, err
	}
	partition := lakemesh.PartitionOf(in.Region)
	a := &Admin{account: in.AccountID, mesh: in.MeshAccountID, region: in.Region, partition: partition}
	out := &Frame{}
	switch part {
	case FrameMesh:
		a.account = in.MeshAccountID
		out.add(a.mesh, a.meshRoles()...)
		for _, t := range meshTables() {
			out.Tables = append(out.Tables, t.frame())
		}
		if in.EndSchedules == EndsScheduled {
			out.ScheduleGroup = lakemesh.EndingGroup
		}
	case FrameMember:
		if in.Type != Consumer {
			out.add(a.account, a.ownProducer(InitializeProducerInput{CrawlerRoleARN: in.CrawlerRoleARN, Buckets: in.Buckets, KeyPolicies: union(in.KeyPolicies)}))
		}
		if in.Type != Producer {
			out.add(a.account, a.ownConsumer(InitializeConsumerInput{LinkRegions: in.LinkRegions}))
		}
	case FrameMeshMember:
		if in.Type != Consumer {
			out.add(a.mesh, a.meshProducer(in.AccountID, members{sharing: in.SharingCalls, ending: in.EndSchedules}), a.dataAccess(in.AccountID, union(in.KMSKeys)))
			if in.EndSchedules == EndsScheduled {
				out.add(a.mesh, a.endingRole(in.AccountID, in.SharingCalls))
				out.Queues = append(out.Queues, FrameQueue{QueueName: lakemesh.EndingQueue(in.AccountID), Attributes: queueAttributes(partition, in.Region, in.MeshAccountID, in.AccountID)})
			}
		}
		if in.Type != Producer {
			out.add(a.mesh, a.meshConsumer(in.AccountID))
		}
	}
	return out, out.fits()
}

// fits refuses a frame of which IAM would refuse a role.
func (f *Frame) fits() error {
	for _, r := range f.roles {
		if err := r.role.fits(r.account, 0); err != nil {
			return err
		}
	}
	return nil
}

// check refuses what set-up would refuse, and sets what is left out.
func (in *FrameInput) check(part FramePart) error {
	if !slices.Contains(FrameParts(), part) {
		return lakemesh.Invalid("Part", "%q is none of %v", part, FrameParts())
	}
	if err := lakemesh.CheckAccountID("MeshAccountID", in.MeshAccountID); err != nil {
		return err
	}
	in.SharingCalls, in.EndSchedules = cmp.Or(in.SharingCalls, ThroughServices), cmp.Or(in.EndSchedules, EndsByOwners)
	in.Region = cmp.Or(in.Region, lakemesh.DefaultRegion)
	if _, err := ParseSharingCalls(string(in.SharingCalls)); err != nil {
		return err
	}
	if _, err := ParseEndSchedules(string(in.EndSchedules)); err != nil {
		return err
	}
	if part == FrameMesh {
		return nil
	}
	if err := lakemesh.CheckAccountID("AccountID", in.AccountID); err != nil {
		return err
	}
	if in.AccountID == in.MeshAccountID {
		return lakemesh.Invalid("AccountID", "%s is the mesh account itself", in.AccountID)
	}
	var err error
	if in.Type, err = ParseAccountType(string(in.Type)); err != nil {
		return err
	}
	return in.checkMember()
}

// checkMember refuses what a member cannot have.
func (in *FrameInput) checkMember() error {
	if in.Type == Consumer && (in.CrawlerRoleARN != "" || len(in.Buckets) > 0 || len(in.KeyPolicies) > 0 || len(in.KMSKeys) > 0) {
		return lakemesh.Invalid("Type", "a consumer has neither a crawler role nor buckets nor keys")
	}
	if in.Type == Producer && len(in.LinkRegions) > 0 {
		return lakemesh.Invalid("Type", "a producer has no link regions: it links in the mesh's region alone")
	}
	partition := lakemesh.PartitionOf(in.Region)
	if in.CrawlerRoleARN == NoRole {
		in.CrawlerRoleARN = ""
	}
	if in.CrawlerRoleARN != "" {
		if err := checkRole(partition, "CrawlerRoleARN", in.CrawlerRoleARN, in.AccountID); err != nil {
			return err
		}
	}
	for _, r := range in.LinkRegions {
		if err := partition.CheckRegion("LinkRegions", r); err != nil {
			return err
		}
	}
	if err := checkBuckets(in.Buckets); err != nil {
		return err
	}
	if slices.Contains(in.Buckets, EveryBucket) {
		in.Buckets = nil
	}
	if err := checkKeys(partition, in.KMSKeys); err != nil {
		return err
	}
	return checkOwnKeys(partition, in.KeyPolicies, in.AccountID)
}

func (f *Frame) add(account string, roles ...role) {
	for _, r := range roles {
		f.roles = append(f.roles, framedRole{account, r})
		f.Roles = append(f.Roles, FrameRole{Account: account, RoleName: r.name, Path: lakemesh.IAMPath, Description: r.description,
			Trust: json.RawMessage(r.trust.String()), PolicyName: inlinePolicy, Policy: json.RawMessage(r.policy.String()), Tags: solutionTags()})
	}
}

func (t table) frame() FrameTable {
	f := FrameTable{TableName: t.name, HashKey: t.key, Tags: solutionTags()}
	for _, i := range t.indexes {
		f.Indexes = append(f.Indexes, FrameIndex{IndexName: i.name, HashKey: i.hash, RangeKey: i.sort})
	}
	if t.stream {
		f.Stream = string(wantedStream().StreamViewType)
	}
	return f
}

func solutionTags() map[string]string {
	return map[string]string{lakemesh.SolutionTag: lakemesh.SolutionValue}
}
