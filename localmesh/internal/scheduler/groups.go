package scheduler

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// maxGroups is the quota "schedule groups" of an account and Region, with the group
// default (https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html).
const maxGroups = 500

// group reads a group. The group default is there since the account is.
func group(c *engine.Call, name string) (state.ScheduleGroup, bool, error) {
	g, ok, err := state.ScheduleGroups.Get(c.Tx, c.Account(), c.Region, name)
	if err != nil || ok || name != defaultGroup {
		return g, ok, err
	}
	a, _, err := state.Accounts.Get(c.Tx, c.Account())
	return state.ScheduleGroup{Account: c.Account(), Region: c.Region, Name: name, Created: a.Created, Modified: a.Created}, true, err
}

// openGroup asks for permission on a group and reads it. keys are the condition keys
// of the request.
func openGroup(c *engine.Call, action, name string, keys map[string][]string) (state.ScheduleGroup, bool, error) {
	g, ok, err := group(c, name)
	if err != nil {
		return g, false, err
	}
	g.Account, g.Region, g.Name = c.Account(), c.Region, name
	q := authz.Question{Action: action, Resources: []string{g.ARN()}, Keys: map[string][]string{}}
	maps.Copy(q.Keys, keys)
	for k, v := range g.Tags {
		q.Keys["aws:ResourceTag/"+k] = []string{v}
	}
	return g, ok, c.Authorize(q)
}

func putGroup(c *engine.Call, g state.ScheduleGroup) error {
	return state.ScheduleGroups.Put(c.Tx, g, g.Account, g.Region, g.Name)
}

func createScheduleGroup(c *engine.Call, in *scheduler.CreateScheduleGroupInput) (*scheduler.CreateScheduleGroupOutput, error) {
	name, err := named("name", in.Name)
	if err != nil {
		return nil, err
	}
	tags, keys, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	g, exists, err := openGroup(c, "scheduler:CreateScheduleGroup", name, keys)
	if err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		if err := c.Authorize(authz.Question{Action: "scheduler:TagResource", Resources: []string{g.ARN()}, Keys: keys}); err != nil {
			return nil, err
		}
	}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	arn, err := once(c, in.ClientToken, in, func() (string, error) {
		if exists {
			return "", conflict("Schedule group %s already exists.", name)
		}
		others, err := state.ScheduleGroups.All(c.Tx, c.Account(), c.Region)
		if err != nil {
			return "", err
		}
		others = slices.DeleteFunc(others, func(g state.ScheduleGroup) bool { return g.Name == defaultGroup })
		if len(others) >= maxGroups-1 {
			return "", engine.Errorf("ServiceQuotaExceededException", "The account has %d schedule groups.", maxGroups).WithStatus(http.StatusPaymentRequired)
		}
		g.Created, g.Modified, g.Tags = c.Now, c.Now, tags
		return g.ARN(), putGroup(c, g)
	})
	if err != nil {
		return nil, err
	}
	return &scheduler.CreateScheduleGroupOutput{ScheduleGroupArn: &arn}, nil
}

func getScheduleGroup(c *engine.Call, in *scheduler.GetScheduleGroupInput) (*scheduler.GetScheduleGroupOutput, error) {
	name, err := named("name", in.Name)
	if err != nil {
		return nil, err
	}
	g, ok, err := openGroup(c, "scheduler:GetScheduleGroup", name, nil)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, noGroup(name)
	}
	return &scheduler.GetScheduleGroupOutput{Arn: aws.String(g.ARN()), Name: &g.Name, CreationDate: &g.Created, LastModificationDate: &g.Modified,
		State: types.ScheduleGroupStateActive}, nil
}

func deleteScheduleGroup(c *engine.Call, in *scheduler.DeleteScheduleGroupInput) (*scheduler.DeleteScheduleGroupOutput, error) {
	name, err := named("name", in.Name)
	if err != nil {
		return nil, err
	}
	_, exists, err := openGroup(c, "scheduler:DeleteScheduleGroup", name, nil)
	if err != nil {
		return nil, err
	}
	// https://docs.aws.amazon.com/service-authorization/latest/reference/list_scheduler.html
	if err := c.Allow("scheduler:DeleteSchedule", c.ARN("scheduler", c.Account(), "schedule/"+name+"/*")); err != nil {
		return nil, err
	}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	_, err = once(c, in.ClientToken, in, func() (string, error) {
		if name == defaultGroup {
			return "", invalid("The default schedule group cannot be deleted.")
		}
		if !exists {
			return "", noGroup(name)
		}
		all, err := state.Schedules.All(c.Tx, c.Account(), c.Region, name)
		if err != nil {
			return "", err
		}
		for _, s := range all {
			if err := state.DeleteSchedule(c.Tx, s); err != nil {
				return "", err
			}
		}
		return "", state.ScheduleGroups.Delete(c.Tx, c.Account(), c.Region, name)
	})
	if err != nil {
		return nil, err
	}
	return &scheduler.DeleteScheduleGroupOutput{}, nil
}

func listScheduleGroups(c *engine.Call, in *scheduler.ListScheduleGroupsInput) (*scheduler.ListScheduleGroupsOutput, error) {
	size, after, err := page(in.MaxResults, in.NamePrefix, in.NextToken)
	if err != nil {
		return nil, err
	}
	if err := c.Allow("scheduler:ListScheduleGroups", c.ARN("scheduler", c.Account(), "schedule-group/*")); err != nil {
		return nil, err
	}
	all, err := state.ScheduleGroups.All(c.Tx, c.Account(), c.Region)
	if err != nil {
		return nil, err
	}
	standard, _, err := group(c, defaultGroup)
	if err != nil {
		return nil, err
	}
	all = append(slices.DeleteFunc(all, func(g state.ScheduleGroup) bool { return g.Name == defaultGroup }), standard)
	slices.SortFunc(all, func(a, b state.ScheduleGroup) int { return strings.Compare(a.Name, b.Name) })
	out := &scheduler.ListScheduleGroupsOutput{ScheduleGroups: []types.ScheduleGroupSummary{}}
	for _, g := range all {
		if g.Name <= after || !strings.HasPrefix(g.Name, aws.ToString(in.NamePrefix)) {
			continue
		}
		if n := len(out.ScheduleGroups); n == size {
			out.NextToken = engine.NextToken(*out.ScheduleGroups[n-1].Name)
			break
		}
		out.ScheduleGroups = append(out.ScheduleGroups, types.ScheduleGroupSummary{Arn: aws.String(g.ARN()), Name: &g.Name,
			CreationDate: &g.Created, LastModificationDate: &g.Modified, State: types.ScheduleGroupStateActive})
	}
	return out, nil
}

// maxTags is how many tags the model lets a group have.
const maxTags = 200

// tagsOf checks tags, and gives the condition keys of a request with them.
func tagsOf(given []types.Tag) (tags map[string]string, keys map[string][]string, err error) {
	if len(given) > maxTags {
		return nil, nil, constraint("tags", fmt.Sprint(len(given))+" tags", "have length less than or equal to 200")
	}
	tags, keys = map[string]string{}, map[string][]string{}
	for _, t := range given {
		k, v := aws.ToString(t.Key), aws.ToString(t.Value)
		switch _, twice := tags[k]; {
		case k == "" || len(k) > 128:
			return nil, nil, constraint("tags.key", k, "have length between 1 and 128")
		case len(v) > 256 || v == "":
			return nil, nil, constraint("tags.value", v, "have length between 1 and 256")
		case twice:
			return nil, nil, invalid("Tag keys must be unique.")
		}
		tags[k] = v
		keys["aws:RequestTag/"+k] = []string{v}
	}
	if len(tags) > 0 {
		keys["aws:TagKeys"] = slices.Sorted(maps.Keys(tags))
	}
	return tags, keys, nil
}

// tagged opens the group that an ARN names. Schedules have no tags.
func tagged(c *engine.Call, action string, arn *string, keys map[string][]string) (state.ScheduleGroup, error) {
	if arn == nil {
		return state.ScheduleGroup{}, null("resourceArn")
	}
	name, ok := strings.CutPrefix(*arn, c.ARN("scheduler", c.Account(), "schedule-group/"))
	if !ok || len(name) > maxName || !namePattern.MatchString(name) {
		return state.ScheduleGroup{}, constraint("resourceArn", *arn, "be the ARN of a schedule group of the account and Region")
	}
	g, ok, err := openGroup(c, action, name, keys)
	if err != nil {
		return g, err
	}
	if !ok {
		return g, noGroup(name)
	}
	return g, nil
}

func tagResource(c *engine.Call, in *scheduler.TagResourceInput) (*scheduler.TagResourceOutput, error) {
	tags, keys, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(tags) == 0 {
		return nil, null("tags")
	}
	g, err := tagged(c, "scheduler:TagResource", in.ResourceArn, keys)
	if err != nil {
		return nil, err
	}
	if g.Tags == nil {
		g.Tags = map[string]string{}
	}
	maps.Copy(g.Tags, tags)
	if len(g.Tags) > maxTags {
		return nil, constraint("tags", fmt.Sprint(len(g.Tags))+" tags", "have length less than or equal to 200")
	}
	return &scheduler.TagResourceOutput{}, putGroup(c, g)
}

func untagResource(c *engine.Call, in *scheduler.UntagResourceInput) (*scheduler.UntagResourceOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, null("tagKeys")
	}
	g, err := tagged(c, "scheduler:UntagResource", in.ResourceArn, map[string][]string{"aws:TagKeys": in.TagKeys})
	if err != nil {
		return nil, err
	}
	for _, k := range in.TagKeys {
		delete(g.Tags, k)
	}
	return &scheduler.UntagResourceOutput{}, putGroup(c, g)
}

func listTagsForResource(c *engine.Call, in *scheduler.ListTagsForResourceInput) (*scheduler.ListTagsForResourceOutput, error) {
	g, err := tagged(c, "scheduler:ListTagsForResource", in.ResourceArn, nil)
	if err != nil {
		return nil, err
	}
	out := &scheduler.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, k := range slices.Sorted(maps.Keys(g.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(k), Value: aws.String(g.Tags[k])})
	}
	return out, nil
}
