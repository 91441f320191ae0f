// Command provider stands in for Terraform's AWS provider: it has the arguments of the
// resources that deploy/terraform uses, and makes nothing. Names and what is required are
// those of version 6 of the provider; it is for tests alone.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	datasourceschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func main() {
	err := providerserver.Serve(context.Background(), func() provider.Provider { return stub{} }, providerserver.ServeOpts{Address: "registry.opentofu.org/hashicorp/aws"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type stub struct{}

func (stub) Metadata(_ context.Context, _ provider.MetadataRequest, out *provider.MetadataResponse) {
	out.TypeName = "aws"
}

func (stub) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}

func (stub) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}

func (stub) Resources(context.Context) []func() resource.Resource {
	var all []func() resource.Resource
	for name, s := range resources() {
		all = append(all, func() resource.Resource { return thing{name, s} })
	}
	return all
}

func (stub) DataSources(context.Context) []func() datasource.DataSource {
	var all []func() datasource.DataSource
	for name, attributes := range data() {
		all = append(all, func() datasource.DataSource { return fact{name, attributes} })
	}
	return all
}

// The kinds of arguments.
var (
	required = schema.StringAttribute{Required: true}
	optional = schema.StringAttribute{Optional: true}
	computed = schema.StringAttribute{Computed: true}
	number   = schema.Int64Attribute{Optional: true}
	truth    = schema.BoolAttribute{Optional: true}
	tags     = schema.MapAttribute{Optional: true, ElementType: types.StringType}
)

// resources are the resources by what stands behind aws_.
func resources() map[string]schema.Schema {
	return map[string]schema.Schema{
		"iam_role": {Attributes: map[string]schema.Attribute{"assume_role_policy": required, "description": optional, "force_detach_policies": truth, "id": computed, "arn": computed,
			"max_session_duration": number, "name": optional, "name_prefix": optional, "path": optional, "permissions_boundary": optional, "tags": tags}},
		"iam_role_policy": {Attributes: map[string]schema.Attribute{"id": computed, "name": optional, "name_prefix": optional, "policy": required, "role": required}},
		"dynamodb_table": {Attributes: map[string]schema.Attribute{"arn": computed, "billing_mode": optional, "deletion_protection_enabled": truth, "hash_key": optional, "id": computed, "name": required,
			"range_key": optional, "stream_arn": computed, "stream_enabled": truth, "stream_view_type": optional, "table_class": optional, "tags": tags},
			Blocks: map[string]schema.Block{
				"attribute": schema.SetNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{"name": required, "type": required}}},
				"global_secondary_index": schema.SetNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{"hash_key": required, "name": required,
					"non_key_attributes": schema.SetAttribute{Optional: true, ElementType: types.StringType}, "projection_type": required, "range_key": optional}}},
				"point_in_time_recovery": schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{"enabled": schema.BoolAttribute{Required: true}, "recovery_period_in_days": number}}},
				"server_side_encryption": schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{"enabled": schema.BoolAttribute{Required: true}, "kms_key_arn": optional}}},
			}},
		"scheduler_schedule_group": {Attributes: map[string]schema.Attribute{"arn": computed, "id": computed, "name": optional, "name_prefix": optional, "tags": tags}},
		"sqs_queue": {Attributes: map[string]schema.Attribute{"arn": computed, "id": computed, "url": computed, "name": optional, "message_retention_seconds": number, "visibility_timeout_seconds": number,
			"sqs_managed_sse_enabled": truth, "tags": tags}},
		"sqs_queue_policy": {Attributes: map[string]schema.Attribute{"id": computed, "policy": required, "queue_url": required}},
	}
}

// data are the data sources with what they say.
func data() map[string]map[string]string {
	return map[string]map[string]string{
		"caller_identity": {"id": account(), "account_id": account(), "arn": "arn:aws:iam::" + account() + ":role/Admin", "user_id": "AIDASTUB"},
		"partition":       {"id": "aws", "partition": "aws", "dns_suffix": "amazonaws.com"},
		"region":          {"id": "eu-west-1", "region": "eu-west-1", "description": "Ireland"},
	}
}

// account is the account that the provider works in.
func account() string {
	if id := os.Getenv("STUB_ACCOUNT"); id != "" {
		return id
	}
	return "555555555555"
}

// thing is a resource that is only in the state.
type thing struct {
	name   string
	schema schema.Schema
}

func (t thing) Metadata(_ context.Context, _ resource.MetadataRequest, out *resource.MetadataResponse) {
	out.TypeName = "aws_" + t.name
}

func (t thing) Schema(_ context.Context, _ resource.SchemaRequest, out *resource.SchemaResponse) {
	out.Schema = t.schema
}

func (t thing) Create(_ context.Context, in resource.CreateRequest, out *resource.CreateResponse) {
	made, err := t.made(in.Plan.Raw)
	if err != nil {
		out.Diagnostics.AddError("create", err.Error())
	}
	out.State.Raw = made
}

func (t thing) Read(_ context.Context, in resource.ReadRequest, out *resource.ReadResponse) {
	out.State.Raw = in.State.Raw
}

func (t thing) Update(_ context.Context, in resource.UpdateRequest, out *resource.UpdateResponse) {
	made, err := t.made(in.Plan.Raw)
	if err != nil {
		out.Diagnostics.AddError("update", err.Error())
	}
	out.State.Raw = made
}

func (t thing) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

// made fills in what is known only of what was made.
func (t thing) made(plan tftypes.Value) (tftypes.Value, error) {
	return tftypes.Transform(plan, func(path *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
		if v.IsKnown() {
			return v, nil
		}
		return tftypes.NewValue(tftypes.String, "stub "+t.name+" "+path.String()), nil
	})
}

// fact is a data source.
type fact struct {
	name string
	says map[string]string
}

func (f fact) Metadata(_ context.Context, _ datasource.MetadataRequest, out *datasource.MetadataResponse) {
	out.TypeName = "aws_" + f.name
}

func (f fact) Schema(_ context.Context, _ datasource.SchemaRequest, out *datasource.SchemaResponse) {
	out.Schema.Attributes = map[string]datasourceschema.Attribute{}
	for name := range f.says {
		out.Schema.Attributes[name] = datasourceschema.StringAttribute{Computed: true}
	}
}

func (f fact) Read(_ context.Context, in datasource.ReadRequest, out *datasource.ReadResponse) {
	values, kinds := map[string]tftypes.Value{}, map[string]tftypes.Type{}
	for name, value := range f.says {
		values[name], kinds[name] = tftypes.NewValue(tftypes.String, value), tftypes.String
	}
	out.State.Raw = tftypes.NewValue(tftypes.Object{AttributeTypes: kinds}, values)
}
