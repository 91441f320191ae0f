// Package deploy holds the templates with which the frame of a mesh can be made in the
// place of "mesh init" and "account init": CloudFormation's and a module for Terraform and
// OpenTofu. docs/iac.md tells how.
package deploy

import "embed"

// Files are the templates.
//
//go:embed cloudformation terraform
var Files embed.FS
