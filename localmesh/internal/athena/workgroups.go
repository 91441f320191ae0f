package athena

import (
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/athena/latest/ug/workgroups-manage-queries-control-costs.html

// primary is the work group that each account has from the start.
const primary = "primary"

const engineVersion = "Athena engine version 3"

// leastCutoff is the least that a query's limit of bytes may be.
const leastCutoff = 10_000_000

var workGroupName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,128}$`)

// allow asks IAM for an action on a work group.
func allow(c *engine.Call, action, workGroup string) error {
	g, _, err := state.WorkGroups.Get(c.Tx, c.Account(), c.Region, workGroup)
	if err != nil {
		return err
	}
	keys := map[string][]string{}
	for k, v := range g.Tags {
		keys["aws:ResourceTag/"+k] = []string{v}
	}
	return c.Authorize(authz.Question{Action: "athena:" + action, Resources: []string{state.WorkGroupARN(c.Account(), c.Region, workGroup)}, Keys: keys})
}

// findWorkGroup looks a work group up, after IAM has allowed the action on it.
func findWorkGroup(c *engine.Call, action, name string) (state.WorkGroup, error) {
	if !workGroupName.MatchString(name) {
		c.Authorized()
		return state.WorkGroup{}, invalid("The work group name %q is not valid", name)
	}
	if err := allow(c, action, name); err != nil {
		return state.WorkGroup{}, err
	}
	g, ok, err := state.WorkGroups.Get(c.Tx, c.Account(), c.Region, name)
	if err != nil || ok {
		return g, err
	}
	if name == primary {
		// Client-side settings go before its own, unless that is changed.
		return state.WorkGroup{Account: c.Account(), Region: c.Region, Name: primary, Metrics: true}, nil
	}
	return g, invalid("WorkGroup %s is not found.", name)
}

func put(c *engine.Call, g state.WorkGroup) error {
	return state.WorkGroups.Put(c.Tx, g, g.Account, g.Region, g.Name)
}

// results reads where results go.
func results(in *types.ResultConfiguration) (state.QueryResults, error) {
	var r state.QueryResults
	if in == nil {
		return r, nil
	}
	if in.AclConfiguration != nil {
		return r, missing("AclConfiguration of results")
	}
	if e := in.EncryptionConfiguration; e != nil {
		switch e.EncryptionOption {
		case types.EncryptionOptionSseS3:
		case types.EncryptionOptionSseKms:
			if aws.ToString(e.KmsKey) == "" {
				return r, invalid("KMS key must be specified for SSE_KMS")
			}
		case types.EncryptionOptionCseKms:
			return r, missing("encryption by the client (CSE_KMS)")
		default:
			return r, invalid("Invalid encryption option: %s", e.EncryptionOption)
		}
		r.Encryption, r.Key = string(e.EncryptionOption), aws.ToString(e.KmsKey)
	}
	r.Location, r.Owner = aws.ToString(in.OutputLocation), aws.ToString(in.ExpectedBucketOwner)
	if r.Location != "" {
		if _, _, ok := split(r.Location); !ok {
			return r, invalid("outputLocation is not a valid S3 path.")
		}
	}
	return r, nil
}

func resultsAnswer(r state.QueryResults) *types.ResultConfiguration {
	out := &types.ResultConfiguration{}
	if r.Location != "" {
		out.OutputLocation = aws.String(r.Location)
	}
	if r.Owner != "" {
		out.ExpectedBucketOwner = aws.String(r.Owner)
	}
	if r.Encryption != "" {
		out.EncryptionConfiguration = &types.EncryptionConfiguration{EncryptionOption: types.EncryptionOption(r.Encryption)}
		if r.Key != "" {
			out.EncryptionConfiguration.KmsKey = aws.String(r.Key)
		}
	}
	return out
}

func workGroupAnswer(g state.WorkGroup) *types.WorkGroup {
	out := &types.WorkGroup{Name: aws.String(g.Name), State: types.WorkGroupStateEnabled, Configuration: &types.WorkGroupConfiguration{
		EnforceWorkGroupConfiguration: aws.Bool(g.Enforced), PublishCloudWatchMetricsEnabled: aws.Bool(g.Metrics), RequesterPaysEnabled: aws.Bool(g.RequesterPays),
		ResultConfiguration: resultsAnswer(g.Results), EngineVersion: version(),
	}}
	if g.Disabled {
		out.State = types.WorkGroupStateDisabled
	}
	if g.Description != "" {
		out.Description = aws.String(g.Description)
	}
	if !g.Created.IsZero() {
		out.CreationTime = aws.Time(g.Created)
	}
	if g.Cutoff != 0 {
		out.Configuration.BytesScannedCutoffPerQuery = aws.Int64(g.Cutoff)
	}
	return out
}

func version() *types.EngineVersion {
	return &types.EngineVersion{SelectedEngineVersion: aws.String("AUTO"), EffectiveEngineVersion: aws.String(engineVersion)}
}

func checkVersion(v *types.EngineVersion) error {
	if v == nil || v.SelectedEngineVersion == nil {
		return nil
	}
	if s := *v.SelectedEngineVersion; s != "AUTO" && s != engineVersion {
		return missing("engine version " + s)
	}
	return nil
}

func checkCutoff(n *int64) error {
	if n != nil && *n < leastCutoff {
		return invalid("BytesScannedCutoffPerQuery must be at least %d", leastCutoff)
	}
	return nil
}

func createWorkGroup(c *engine.Call, in *athena.CreateWorkGroupInput) (*athena.CreateWorkGroupOutput, error) {
	name := aws.ToString(in.Name)
	if !workGroupName.MatchString(name) {
		c.Authorized()
		return nil, invalid("The work group name %q is not valid", name)
	}
	g := state.WorkGroup{Account: c.Account(), Region: c.Region, Name: name, Description: aws.ToString(in.Description), Created: c.Now, Enforced: true, Metrics: true, Tags: map[string]string{}}
	request := map[string][]string{}
	for _, t := range in.Tags {
		g.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		request["aws:RequestTag/"+aws.ToString(t.Key)] = []string{aws.ToString(t.Value)}
	}
	if len(g.Tags) > 0 {
		request["aws:TagKeys"] = slices.Sorted(maps.Keys(g.Tags))
	}
	if err := c.Authorize(authz.Question{Action: "athena:CreateWorkGroup", Resources: []string{state.WorkGroupARN(g.Account, g.Region, name)}, Keys: request}); err != nil {
		return nil, err
	}
	if len(g.Tags) > 50 {
		return nil, invalid("A work group has up to 50 tags")
	}
	if name == primary || state.WorkGroups.Has(c.Tx, g.Account, g.Region, name) {
		return nil, invalid("WorkGroup is already created")
	}
	if k := in.Configuration; k != nil {
		if err := lacksOf(k.AdditionalConfiguration, k.CustomerContentEncryptionConfiguration, k.EngineConfiguration, k.ExecutionRole, k.MonitoringConfiguration); err != nil {
			return nil, err
		}
		switch {
		case k.IdentityCenterConfiguration != nil:
			return nil, missing("IdentityCenterConfiguration of work groups")
		case k.QueryResultsS3AccessGrantsConfiguration != nil:
			return nil, missing("QueryResultsS3AccessGrantsConfiguration of work groups")
		case k.ManagedQueryResultsConfiguration != nil && k.ManagedQueryResultsConfiguration.Enabled:
			return nil, missing("managed query results")
		case aws.ToBool(k.EnableMinimumEncryptionConfiguration):
			return nil, missing("EnableMinimumEncryptionConfiguration of work groups")
		}
		if err := checkVersion(k.EngineVersion); err != nil {
			return nil, err
		}
		if err := checkCutoff(k.BytesScannedCutoffPerQuery); err != nil {
			return nil, err
		}
		var err error
		if g.Results, err = results(k.ResultConfiguration); err != nil {
			return nil, err
		}
		g.Cutoff, g.RequesterPays = aws.ToInt64(k.BytesScannedCutoffPerQuery), aws.ToBool(k.RequesterPaysEnabled)
		if k.EnforceWorkGroupConfiguration != nil {
			g.Enforced = *k.EnforceWorkGroupConfiguration
		}
		if k.PublishCloudWatchMetricsEnabled != nil {
			g.Metrics = *k.PublishCloudWatchMetricsEnabled
		}
	}
	return &athena.CreateWorkGroupOutput{}, put(c, g)
}

// lacksOf refuses settings that both making and changing a work group have.
func lacksOf(additional *string, content *types.CustomerContentEncryptionConfiguration, engine *types.EngineConfiguration, role *string, monitoring *types.MonitoringConfiguration) error {
	switch {
	case additional != nil:
		return missing("AdditionalConfiguration of work groups")
	case content != nil:
		return missing("CustomerContentEncryptionConfiguration of work groups")
	case engine != nil:
		return missing("EngineConfiguration of work groups")
	case role != nil:
		return missing("ExecutionRole of work groups")
	case monitoring != nil:
		return missing("MonitoringConfiguration of work groups")
	}
	return nil
}

func getWorkGroup(c *engine.Call, in *athena.GetWorkGroupInput) (*athena.GetWorkGroupOutput, error) {
	g, err := findWorkGroup(c, "GetWorkGroup", aws.ToString(in.WorkGroup))
	if err != nil {
		return nil, err
	}
	return &athena.GetWorkGroupOutput{WorkGroup: workGroupAnswer(g)}, nil
}

func listWorkGroups(c *engine.Call, in *athena.ListWorkGroupsInput) (*athena.ListWorkGroupsOutput, error) {
	if err := c.Allow("athena:ListWorkGroups"); err != nil {
		return nil, err
	}
	size, err := page(in.MaxResults, 1, 50)
	if err != nil {
		return nil, err
	}
	from, err := token(in.NextToken)
	if err != nil {
		return nil, err
	}
	all := map[string]state.WorkGroup{primary: {Name: primary}}
	if err := state.WorkGroups.Scan(c.Tx, []string{c.Account(), c.Region}, "", func(_ string, g state.WorkGroup) bool {
		all[g.Name] = g
		return true
	}); err != nil {
		return nil, err
	}
	out := &athena.ListWorkGroupsOutput{WorkGroups: []types.WorkGroupSummary{}}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name < from {
			continue
		}
		if len(out.WorkGroups) == size {
			out.NextToken = engine.NextToken(name)
			break
		}
		g := workGroupAnswer(all[name])
		out.WorkGroups = append(out.WorkGroups, types.WorkGroupSummary{Name: g.Name, State: g.State, Description: g.Description, CreationTime: g.CreationTime, EngineVersion: version()})
	}
	return out, nil
}

func updateWorkGroup(c *engine.Call, in *athena.UpdateWorkGroupInput) (*athena.UpdateWorkGroupOutput, error) {
	g, err := findWorkGroup(c, "UpdateWorkGroup", aws.ToString(in.WorkGroup))
	if err != nil {
		return nil, err
	}
	if in.Description != nil {
		g.Description = *in.Description
	}
	switch in.State {
	case "":
	case types.WorkGroupStateEnabled, types.WorkGroupStateDisabled:
		g.Disabled = in.State == types.WorkGroupStateDisabled
	default:
		return nil, invalid("Invalid state: %s", in.State)
	}
	if k := in.ConfigurationUpdates; k != nil {
		if err := changeWorkGroup(&g, k); err != nil {
			return nil, err
		}
	}
	return &athena.UpdateWorkGroupOutput{}, put(c, g)
}

func changeWorkGroup(g *state.WorkGroup, k *types.WorkGroupConfigurationUpdates) error {
	if err := lacksOf(k.AdditionalConfiguration, k.CustomerContentEncryptionConfiguration, k.EngineConfiguration, k.ExecutionRole, k.MonitoringConfiguration); err != nil {
		return err
	}
	switch {
	case k.QueryResultsS3AccessGrantsConfiguration != nil:
		return missing("QueryResultsS3AccessGrantsConfiguration of work groups")
	case k.ManagedQueryResultsConfigurationUpdates != nil && aws.ToBool(k.ManagedQueryResultsConfigurationUpdates.Enabled):
		return missing("managed query results")
	case aws.ToBool(k.EnableMinimumEncryptionConfiguration):
		return missing("EnableMinimumEncryptionConfiguration of work groups")
	}
	if err := checkVersion(k.EngineVersion); err != nil {
		return err
	}
	if err := checkCutoff(k.BytesScannedCutoffPerQuery); err != nil {
		return err
	}
	if k.BytesScannedCutoffPerQuery != nil {
		g.Cutoff = *k.BytesScannedCutoffPerQuery
	}
	if aws.ToBool(k.RemoveBytesScannedCutoffPerQuery) {
		g.Cutoff = 0
	}
	for setting, to := range map[*bool]*bool{&g.Enforced: k.EnforceWorkGroupConfiguration, &g.Metrics: k.PublishCloudWatchMetricsEnabled, &g.RequesterPays: k.RequesterPaysEnabled} {
		if to != nil {
			*setting = *to
		}
	}
	u := k.ResultConfigurationUpdates
	if u == nil {
		return nil
	}
	r, err := results(&types.ResultConfiguration{OutputLocation: u.OutputLocation, EncryptionConfiguration: u.EncryptionConfiguration, ExpectedBucketOwner: u.ExpectedBucketOwner, AclConfiguration: u.AclConfiguration})
	if err != nil {
		return err
	}
	switch {
	case aws.ToBool(u.RemoveOutputLocation):
		g.Results.Location = ""
	case r.Location != "":
		g.Results.Location = r.Location
	}
	switch {
	case aws.ToBool(u.RemoveEncryptionConfiguration):
		g.Results.Encryption, g.Results.Key = "", ""
	case r.Encryption != "":
		g.Results.Encryption, g.Results.Key = r.Encryption, r.Key
	}
	switch {
	case aws.ToBool(u.RemoveExpectedBucketOwner):
		g.Results.Owner = ""
	case r.Owner != "":
		g.Results.Owner = r.Owner
	}
	return nil
}

func deleteWorkGroup(c *engine.Call, in *athena.DeleteWorkGroupInput) (*athena.DeleteWorkGroupOutput, error) {
	g, err := findWorkGroup(c, "DeleteWorkGroup", aws.ToString(in.WorkGroup))
	if err != nil {
		return nil, err
	}
	if g.Name == primary {
		return nil, invalid("The primary workgroup cannot be deleted")
	}
	used := false
	if err := state.ListQueryExecutions(c.Tx, g.Account, g.Region, g.Name, "", func(string, string) bool { used = true; return false }); err != nil {
		return nil, err
	}
	if used && !aws.ToBool(in.RecursiveDeleteOption) {
		return nil, invalid("WorkGroup %s is not empty", g.Name)
	}
	if err := state.DeleteQueryExecutions(c.Tx, g.Account, g.Region, g.Name); err != nil {
		return nil, err
	}
	return &athena.DeleteWorkGroupOutput{}, state.WorkGroups.Delete(c.Tx, g.Account, g.Region, g.Name)
}
