package meshtest

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
)

// ScheduleEnds has schedules end what the mesh's producers grant until a day. They have been
// there for a while.
func (m *Mesh) ScheduleEnds() {
	m.t.Helper()
	Before(m.Mesh, func() {
		a := m.Admin(MeshAccount)
		if _, err := a.InitializeMeshAccount(m.t.Context(), admin.InitializeMeshInput{EndSchedules: admin.EndsScheduled}); err != nil {
			m.t.Fatal(err)
		}
		if _, err := a.UpgradeMesh(m.t.Context(), admin.UpgradeMeshInput{}); err != nil {
			m.t.Fatal(err)
		}
	})
	m.ResetCounts()
}

// Schedules are the schedules that end grants, by their names, as an administrator sees them.
func (m *Mesh) Schedules() map[string]*scheduler.GetScheduleOutput {
	m.t.Helper()
	// At the end of a test its context has ended.
	ctx := context.WithoutCancel(m.t.Context())
	client := scheduler.NewFromConfig(m.Config(Administrator(MeshAccount)))
	all := map[string]*scheduler.GetScheduleOutput{}
	pages := scheduler.NewListSchedulesPaginator(client, &scheduler.ListSchedulesInput{GroupName: aws.String(lakemesh.EndingGroup)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			m.t.Fatal(err)
		}
		for _, s := range page.Schedules {
			out, err := client.GetSchedule(ctx, &scheduler.GetScheduleInput{GroupName: s.GroupName, Name: s.Name})
			if err != nil {
				m.t.Fatal(err)
			}
			all[aws.ToString(s.Name)] = out
		}
	}
	return all
}
