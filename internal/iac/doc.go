// Package iac renders the policies of the mesh's roles into the templates of deploy:
// CloudFormation's are hand-written but for the policies, and Terraform's modules read
// theirs from files beside them. The policies of package admin are the only source.
package iac
