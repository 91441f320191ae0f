output "manager_role_arn" {
  description = "The role as which people of the mesh account administer the mesh."
  value       = aws_iam_role.this["DataMeshManager"].arn
}

output "subscriptions_stream_arn" {
  description = "The stream of the table of subscriptions."
  value       = aws_dynamodb_table.subscriptions.stream_arn
}

output "policies" {
  description = "The policies of the roles, by role and kind."
  value       = local.policies
}

output "next" {
  description = "What to run next, as an administrator of this account."
  value       = "lakemesh --mesh-account ${data.aws_caller_identity.current.account_id} mesh init --end-schedules ${var.end_schedules ? "on" : "off"}"
}
