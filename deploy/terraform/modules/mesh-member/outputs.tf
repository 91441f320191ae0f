output "role_arns" {
  description = "The roles of the account in the mesh account, by name."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}

output "policies" {
  description = "The policies of the roles, by role and kind."
  value       = local.policies
}

output "next" {
  description = "What to run next, as an administrator of the mesh account."
  value       = "lakemesh --mesh-account ${data.aws_caller_identity.current.account_id} account enable --account-type ${var.account_type} --account-id ${var.account_id}"
}
