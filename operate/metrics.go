package operate

import (
	"encoding/json"
	"fmt"
	"io"
)

// Namespace is the namespace of the metrics in CloudWatch.
const Namespace = "Lakemesh"

// The dimensions of each metric: the account of the mesh, the job, and whose side it was
// done for. An alarm names all three.
const (
	DimensionMesh = "Mesh"
	DimensionJob  = "Job"
	DimensionAs   = "As"
)

// WriteMetrics writes the result as one line of JSON in CloudWatch's embedded metric
// format: whoever reads the log sees the numbers, and CloudWatch makes metrics of them
// where the line reaches a log group
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
func (r *Result) WriteMetrics(w io.Writer) error {
	type definition struct {
		Name string
		Unit Unit
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	d := directive{Namespace: Namespace, Dimensions: [][]string{{DimensionMesh, DimensionJob, DimensionAs}}}
	line := map[string]any{
		DimensionMesh: r.MeshAccount, DimensionJob: r.Job.Name, DimensionAs: r.Job.As,
		"Outcome": r.Outcome, "Account": r.Account,
	}
	if r.Job.Database != "" {
		line["Database"] = r.Job.Database
	}
	for _, m := range r.Metrics {
		d.Metrics = append(d.Metrics, definition{m.Name, m.Unit})
		line[m.Name] = m.Value
	}
	// A dimension without a value would have CloudWatch leave the line alone: a job that
	// is none is told by its error.
	if r.MeshAccount != "" && r.Job.Name != "" && r.Job.As != "" {
		line["_aws"] = map[string]any{"Timestamp": r.Begun.UnixMilli(), "CloudWatchMetrics": []directive{d}}
	}
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}
