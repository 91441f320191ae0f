# The policies are those of package admin, written by "go test ./internal/iac -update".
locals {
  policies = {
    for file in fileset("${path.module}/policies", "*.json.tftpl") :
    trimsuffix(file, ".json.tftpl") => jsonencode(jsondecode(templatefile("${path.module}/policies/${file}", local.policy_variables)))
  }
}
