// Package interop tests the local mesh and the command line with programs that are
// not of this project: boto3, the AWS command line, and the library
// aws-data-mesh-utils, whose meshes lakemesh works on; and the templates of deploy with
// cfn-lint, checkov and OpenTofu.
//
// The script install in this folder installs them. Tests whose program is missing
// are skipped, and fail where CI=true. OpenTofu is built by opentofu/install, which takes
// minutes: its tests are skipped where it is not, whatever CI says.
package interop
