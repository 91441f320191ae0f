// Package interop tests the local mesh and the command line with programs that are
// not of this project: boto3, the AWS command line, and the library
// aws-data-mesh-utils, whose meshes lakemesh works on.
//
// The script install in this folder installs them. Tests whose program is missing
// are skipped, and fail where CI=true.
package interop
