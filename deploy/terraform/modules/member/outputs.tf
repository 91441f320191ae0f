output "role_arns" {
  description = "The roles as which people of this account work, by name."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}

output "policies" {
  description = "The policies of the roles, by role and kind."
  value       = local.policies
}

output "next" {
  description = "What to run next, as an administrator of this account."
  value       = "lakemesh --mesh-account ${var.mesh_account_id} account init --account-type ${var.account_type}"
}
