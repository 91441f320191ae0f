package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
)

// roleFlags are what organizations ask of every role.
type roleFlags struct {
	boundary string
	tags     []string
}

func (f *roleFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.boundary, "permissions-boundary", "", "a policy that bounds the roles: its ARN, or its name in each account (default: as it is)")
	cmd.Flags().Var(list{values: &f.tags}, "tags", "tags of the roles: key=value,...")
}

func (f *roleFlags) options() (admin.RoleOptions, error) {
	o := admin.RoleOptions{PermissionsBoundary: f.boundary}
	for _, tag := range f.tags {
		key, value, ok := strings.Cut(tag, "=")
		if !ok {
			return o, usageError{lakemesh.Invalid("--tags", "%q is not of the form key=value", tag)}
		}
		if o.Tags == nil {
			o.Tags = map[string]string{}
		}
		o.Tags[key] = value
	}
	return o, nil
}
