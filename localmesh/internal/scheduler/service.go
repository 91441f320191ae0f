// Package scheduler is Amazon EventBridge Scheduler of the local mesh: one-time
// schedules in groups, which call operations of other services of the mesh as a role.
//
// What is enforced: names, times and time zones; who may make a schedule and pass its
// role; that the role trusts Scheduler, when the schedule is made and when it is due;
// and all that the called service enforces against the role. The input of a target is
// looked at by the called service alone, when the time has come. There are no
// recurring schedules, no templated targets and no keys of KMS. What is given up is
// written to a queue of SQS, whether or not somebody has made it.
//
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html
package scheduler

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

const docs = "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_"

// Service returns EventBridge Scheduler.
func Service() engine.Service {
	return engine.Service{
		Name: "scheduler", Title: "Amazon EventBridge Scheduler", Protocol: wire.RestJSON, Naming: wire.AsIs,
		Resolve: resolve, Parameters: parameters, Alarm: &engine.Alarm{Next: next, Ring: ring},
		DeniedCode: "AccessDeniedException", DeniedStatus: http.StatusForbidden, ThrottleCode: "ThrottlingException", ThrottleStatus: http.StatusTooManyRequests,
		Operations: []engine.Operation{
			engine.Op("CreateSchedule", engine.Write, docs+"CreateSchedule.html",
				"IAM on the schedule, and iam:PassRole; the role is of the caller's account and trusts Scheduler for the group; one-time expressions; universal targets that write; the input is not looked at", createSchedule),
			engine.Op("GetSchedule", engine.Read, docs+"GetSchedule.html", "IAM on the schedule", getSchedule),
			engine.Op("UpdateSchedule", engine.Write, docs+"UpdateSchedule.html", "as CreateSchedule; what is not given becomes what it is by default", updateSchedule),
			engine.Op("DeleteSchedule", engine.Write, docs+"DeleteSchedule.html", "IAM on the schedule", deleteSchedule),
			engine.Op("ListSchedules", engine.Read, docs+"ListSchedules.html", "IAM on all schedules; group, prefix and state; pages of up to 100", listSchedules),
			engine.Op("CreateScheduleGroup", engine.Write, docs+"CreateScheduleGroup.html", "IAM on the group, and scheduler:TagResource if it has tags; 500 groups", createScheduleGroup),
			engine.Op("GetScheduleGroup", engine.Read, docs+"GetScheduleGroup.html", "IAM on the group", getScheduleGroup),
			engine.Op("DeleteScheduleGroup", engine.Write, docs+"DeleteScheduleGroup.html",
				"IAM on the group, and scheduler:DeleteSchedule on its schedules, which are deleted at once; not the group default", deleteScheduleGroup),
			engine.Op("ListScheduleGroups", engine.Read, docs+"ListScheduleGroups.html", "IAM on all groups; prefix; pages of up to 100", listScheduleGroups),
			engine.Op("TagResource", engine.Write, docs+"TagResource.html", "IAM on the group; groups only", tagResource),
			engine.Op("UntagResource", engine.Write, docs+"UntagResource.html", "IAM on the group; groups only", untagResource),
			engine.Op("ListTagsForResource", engine.Read, docs+"ListTagsForResource.html", "IAM on the group; groups only", listTagsForResource),
		},
	}
}

// place takes a path apart, from its end: the endpoint that a client is configured
// with may have a path of its own. item is empty for a collection.
func place(r *http.Request) (collection, item string) {
	segments := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	last := segments[len(segments)-1]
	if len(segments) > 1 {
		switch before := segments[len(segments)-2]; before {
		case "schedules", "schedule-groups", "tags":
			if name, err := url.PathUnescape(last); err == nil {
				return before, name
			}
			return before, last
		}
	}
	return last, ""
}

// resolve finds the operation of a request.
func resolve(r *http.Request) string {
	collection, item := place(r)
	what := collection
	if item != "" {
		what += "/{}"
	}
	name, ok := map[string]string{
		"POST schedules/{}": "CreateSchedule", "GET schedules/{}": "GetSchedule", "PUT schedules/{}": "UpdateSchedule",
		"DELETE schedules/{}": "DeleteSchedule", "GET schedules": "ListSchedules",
		"POST schedule-groups/{}": "CreateScheduleGroup", "GET schedule-groups/{}": "GetScheduleGroup",
		"DELETE schedule-groups/{}": "DeleteScheduleGroup", "GET schedule-groups": "ListScheduleGroups",
		"POST tags/{}": "TagResource", "DELETE tags/{}": "UntagResource", "GET tags/{}": "ListTagsForResource",
	}[r.Method+" "+what]
	if !ok {
		return r.Method + " " + r.URL.Path
	}
	return name
}

// parameters are the members in the path and the query string.
func parameters(r *http.Request) url.Values {
	members := url.Values{}
	switch collection, item := place(r); collection {
	case "tags":
		members.Set("ResourceArn", item)
	default:
		if item != "" {
			members.Set("Name", item)
		}
	}
	query := r.URL.Query()
	for parameter, member := range map[string]string{
		"groupName": "GroupName", "ScheduleGroup": "GroupName", "clientToken": "ClientToken", "MaxResults": "MaxResults",
		"NamePrefix": "NamePrefix", "NextToken": "NextToken", "State": "State",
	} {
		if query.Has(parameter) {
			members.Set(member, query.Get(parameter))
		}
	}
	for i, key := range query["TagKeys"] {
		members.Set("TagKeys.member."+strconv.Itoa(i+1), key)
	}
	return members
}
