package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// before is what stood in the mesh account before the mesh, as far as the mesh changed it.
// It is recorded before it is changed, in the item of the members. What is nil was not
// changed, or by a version that did not record it.
type before struct {
	// databaseDefaults and tableDefaults are the default permissions on new databases and
	// tables.
	databaseDefaults, tableDefaults *[]lftypes.PrincipalPermissions
	// version is the cross-account version; empty if there was none.
	version *string
	// fullTableAccess is whether engines that are not integrated might read whole tables.
	fullTableAccess *bool
	// made are the LF-tags that the mesh made.
	made []string
}

// The attributes of the item of the members that hold it.
const (
	attrDatabaseDefaults = "BeforeDatabaseDefaults"
	attrTableDefaults    = "BeforeTableDefaults"
	attrVersionBefore    = "BeforeCrossAccountVersion"
	attrFullTableBefore  = "BeforeFullTableAccess"
	attrMadeTags         = "MadeTags"
)

func beforeAttributes() []string {
	return []string{attrDatabaseDefaults, attrTableDefaults, attrVersionBefore, attrFullTableBefore, attrMadeTags}
}

// beforeOf is what changes from one state of the settings to the next.
func beforeOf(have, next lftypes.DataLakeSettings) before {
	var b before
	if len(have.CreateDatabaseDefaultPermissions) > 0 && len(next.CreateDatabaseDefaultPermissions) == 0 {
		b.databaseDefaults = &have.CreateDatabaseDefaultPermissions
	}
	if len(have.CreateTableDefaultPermissions) > 0 && len(next.CreateTableDefaultPermissions) == 0 {
		b.tableDefaults = &have.CreateTableDefaultPermissions
	}
	if was := have.Parameters[versionParameter]; was != next.Parameters[versionParameter] {
		b.version = &was
	}
	// What was allowed and is not any more stays so when everything is put back.
	if was := aws.ToBool(have.AllowFullTableExternalDataAccess); !was && aws.ToBool(next.AllowFullTableExternalDataAccess) {
		b.fullTableAccess = &was
	}
	return b
}

// item is what is written of it.
func (b before) item() (map[string]types.AttributeValue, error) {
	item := map[string]types.AttributeValue{}
	for name, defaults := range map[string]*[]lftypes.PrincipalPermissions{attrDatabaseDefaults: b.databaseDefaults, attrTableDefaults: b.tableDefaults} {
		if defaults == nil {
			continue
		}
		text, err := json.Marshal(*defaults)
		if err != nil {
			return nil, fmt.Errorf("encode the default permissions: %w", err)
		}
		item[name] = &types.AttributeValueMemberS{Value: string(text)}
	}
	if b.version != nil {
		item[attrVersionBefore] = &types.AttributeValueMemberS{Value: *b.version}
	}
	if b.fullTableAccess != nil {
		item[attrFullTableBefore] = &types.AttributeValueMemberBOOL{Value: *b.fullTableAccess}
	}
	return item, nil
}

// readBefore reads what was written. What cannot be read counts as not known.
func readBefore(item map[string]types.AttributeValue) before {
	var b before
	for name, into := range map[string]**[]lftypes.PrincipalPermissions{attrDatabaseDefaults: &b.databaseDefaults, attrTableDefaults: &b.tableDefaults} {
		text, ok := item[name].(*types.AttributeValueMemberS)
		var defaults []lftypes.PrincipalPermissions
		if ok && json.Unmarshal([]byte(text.Value), &defaults) == nil {
			*into = &defaults
		}
	}
	if v, ok := item[attrVersionBefore].(*types.AttributeValueMemberS); ok {
		b.version = &v.Value
	}
	if v, ok := item[attrFullTableBefore].(*types.AttributeValueMemberBOOL); ok {
		b.fullTableAccess = &v.Value
	}
	if v, ok := item[attrMadeTags].(*types.AttributeValueMemberSS); ok {
		b.made = slices.Sorted(slices.Values(v.Value))
	}
	return b
}

// planBefore adds the step that remembers what is going to be changed, before it is, or
// returns nil if nothing is.
func (a *Admin) planBefore(p *plan.Plan, have, next lftypes.DataLakeSettings, after ...*plan.Step) (*plan.Step, error) {
	set, err := beforeOf(have, next).item()
	if err != nil || len(set) == 0 {
		return nil, err
	}
	return p.Add(plan.Step{Kind: plan.Record, Account: a.account, Resource: "members of the mesh", Summary: "remember the data lake settings as they are, so that they can be put back",
		Run: func(ctx context.Context) error {
			return a.writeBefore(ctx, set, nil)
		}}, after...), nil
}

// writeBefore writes attributes of the item of the members, and adds LF-tags to those that
// the mesh makes.
func (a *Admin) writeBefore(ctx context.Context, set map[string]types.AttributeValue, made []string) error {
	in := &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: memberItem(),
		ExpressionAttributeNames: map[string]string{}, ExpressionAttributeValues: map[string]types.AttributeValue{}}
	var assignments []string
	for i, name := range slices.Sorted(maps.Keys(set)) {
		n := strconv.Itoa(i)
		in.ExpressionAttributeNames["#"+n], in.ExpressionAttributeValues[":"+n] = name, set[name]
		assignments = append(assignments, "#"+n+" = :"+n)
	}
	var parts []string
	if len(assignments) > 0 {
		parts = append(parts, "SET "+strings.Join(assignments, ", "))
	}
	if len(made) > 0 {
		in.ExpressionAttributeNames["#m"], in.ExpressionAttributeValues[":m"] = attrMadeTags, &types.AttributeValueMemberSS{Value: made}
		parts = append(parts, "ADD #m :m")
	}
	in.UpdateExpression = aws.String(strings.Join(parts, " "))
	_, err := a.dynamodb.UpdateItem(ctx, in)
	return a.explainTable("UpdateItem", decisionsTable(), err)
}

// putBack is what data lake settings are to be again. Everything else in them stays.
type putBack struct {
	// retire are no data lake administrators any more.
	retire []string
	before before
	// keepVersion says that the cross-account version stays as it is.
	keepVersion bool
}

// change returns the settings as they are to be, and says what differs. What somebody has
// set since to something else than the mesh did stays so.
func (w putBack) change(have lftypes.DataLakeSettings) (lftypes.DataLakeSettings, []string) {
	var changes []string
	next := have
	next.DataLakeAdmins = slices.DeleteFunc(slices.Clone(have.DataLakeAdmins), func(p lftypes.DataLakePrincipal) bool {
		return slices.Contains(w.retire, aws.ToString(p.DataLakePrincipalIdentifier))
	})
	if len(next.DataLakeAdmins) < len(have.DataLakeAdmins) {
		var names []string
		for _, p := range have.DataLakeAdmins {
			if id := aws.ToString(p.DataLakePrincipalIdentifier); slices.Contains(w.retire, id) {
				names = append(names, nameOf(id))
			}
		}
		slices.Sort(names)
		changes = append(changes, "make "+strings.Join(slices.Compact(names), " and ")+" no data lake administrator any more")
	}
	if d := w.before.databaseDefaults; d != nil && len(have.CreateDatabaseDefaultPermissions) == 0 && len(*d) > 0 {
		next.CreateDatabaseDefaultPermissions = *d
		changes = append(changes, "give again the default permissions on new databases")
	}
	if d := w.before.tableDefaults; d != nil && len(have.CreateTableDefaultPermissions) == 0 && len(*d) > 0 {
		next.CreateTableDefaultPermissions = *d
		changes = append(changes, "give again the default permissions on new tables")
	}
	if v := w.before.version; v != nil && !w.keepVersion && have.Parameters[versionParameter] == strconv.Itoa(minVersion) && *v != have.Parameters[versionParameter] {
		next.Parameters = maps.Clone(have.Parameters)
		if *v == "" {
			delete(next.Parameters, versionParameter)
			changes = append(changes, "unset the cross-account version")
		} else {
			next.Parameters[versionParameter] = *v
			changes = append(changes, "set the cross-account version to "+*v)
		}
	}
	if f := w.before.fullTableAccess; f != nil && !*f && aws.ToBool(have.AllowFullTableExternalDataAccess) {
		next.AllowFullTableExternalDataAccess = aws.Bool(false)
		changes = append(changes, "allow external engines no full table access")
	}
	return next, changes
}

// planPutBack adds the step that puts settings back, or returns nil if they are.
func (a *Admin) planPutBack(p *plan.Plan, have lftypes.DataLakeSettings, want putBack, after ...*plan.Step) *plan.Step {
	_, changes := want.change(have)
	if len(changes) == 0 {
		return nil
	}
	return p.Add(plan.Step{Kind: plan.PutSettings, Account: a.account, Resource: "data lake settings", Detail: changes,
		Summary: "change the data lake settings" + a.elsewhere() + ": " + strings.Join(changes, "; "),
		Run:     func(ctx context.Context) error { return a.putSettings(ctx, want.change) }}, after...)
}

// unknown says what of the settings stays, because it is not known to be the mesh's doing: a version that recorded nothing leaves.
func (b before) unknown(have lftypes.DataLakeSettings) []string {
	var all []string
	if b.databaseDefaults == nil && len(have.CreateDatabaseDefaultPermissions) == 0 || b.tableDefaults == nil && len(have.CreateTableDefaultPermissions) == 0 {
		all = append(all, "default permissions on new databases and tables stay cleared, where it is not known that the mesh cleared them")
	}
	if b.version == nil {
		all = append(all, "the cross-account version stays "+have.Parameters[versionParameter]+": it is not known that the mesh raised it")
	}
	return all
}
